"""Word accuracy of a probe on units: python3 bench/probe.py VQSPEECH RECORDINGS

VQSPEECH is the program, RECORDINGS a folder of isolated words named
WORD_SPEAKER_INDEX.wav, such as the Free Spoken Digit Dataset. The recordings are
encoded, and multinomial naive Bayes learns the words from counts:

  units    how often each unit occurs, nothing of their order
  pairs    units, and pairs of neighbours
  thirds   units, and units together with the third of the recording they are in

It is tested on recordings that it did not learn from, in two ways:

  recordings  five parts by INDEX, each tested by what the other four taught, so
              that every speaker is known; interval over recordings
  speakers    each speaker tested by what all others taught; interval over speakers

All of this again with the words dealt out anew within each speaker, which leaves
nothing to learn: mean and range of 20 such deals. Smoothing is one tenth of a
count, never tuned. It prints a Markdown table; everything is seeded.
"""
import random
import subprocess
import sys
from collections import Counter, defaultdict
from math import log
from pathlib import Path

SMOOTHING = 0.1
PARTS = 5
RESAMPLES = 1000
DEALS = 20


def units(s):
    return list(s)


def pairs(s):
    return list(s) + list(zip(s, s[1:]))


def thirds(s):
    return list(s) + [(3 * i // len(s), u) for i, u in enumerate(s)]


class NaiveBayes:
    def __init__(self, examples):
        """Learns from (features, word)."""
        self.counts, self.words = defaultdict(Counter), Counter()
        for features, word in examples:
            self.counts[word].update(features)
            self.words[word] += 1
        self.kinds = len(set().union(*self.counts.values())) + 1  # and one never seen
        self.totals = {w: c.total() for w, c in self.counts.items()}

    def word(self, features):
        def likelihood(w):
            norm = log(self.totals[w] + SMOOTHING * self.kinds)
            return log(self.words[w]) + sum(log(self.counts[w][f] + SMOOTHING) - norm for f in features)

        return max(sorted(self.words), key=likelihood)


def hits(items, part):
    """Returns 1 or 0 for every item, tested by what the items of other parts taught."""
    result = [0] * len(items)
    for p in sorted({part(i) for i in items}):
        model = NaiveBayes((i["features"], i["word"]) for i in items if part(i) != p)
        for k, i in enumerate(items):
            if part(i) == p:
                result[k] = int(model.word(i["features"]) == i["word"])
    return result


def interval(groups):
    """Returns the 95 % bootstrap interval of the mean, groups of values resampled whole."""
    rng = random.Random(0)
    means = []
    for _ in range(RESAMPLES):
        drawn = [v for g in rng.choices(groups, k=len(groups)) for v in g]
        means.append(sum(drawn) / len(drawn))
    means.sort()
    return means[RESAMPLES // 40], means[-RESAMPLES // 40 - 1]


def deal(items, rng):
    """Returns the items with their words dealt out anew within each speaker."""
    result = []
    for speaker in sorted({i["speaker"] for i in items}):
        own = [i for i in items if i["speaker"] == speaker]
        words = [i["word"] for i in own]
        rng.shuffle(words)
        result += [{**i, "word": w} for i, w in zip(own, words)]
    return result


def encoded(program, folder):
    files = sorted(folder.glob("*.wav"))
    if not files:
        sys.exit(f"{folder}: no recordings WORD_SPEAKER_INDEX.wav")
    r = subprocess.run([program, "encode", *files, "--format", "txt", "-o", "-"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
    lines = r.stdout.splitlines()
    if len(lines) != len(files):
        sys.exit(f"{folder}: {len(lines)} lines of units for {len(files)} recordings")
    for file, line in zip(files, lines):
        word, speaker, index = file.stem.split("_")
        yield {"word": word, "speaker": speaker, "index": int(index), "units": line.split()}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    items = list(encoded(sys.argv[1], Path(sys.argv[2])))
    chance = max(Counter(i["word"] for i in items).values()) / len(items)
    tests = {"recordings": lambda i: i["index"] % PARTS, "speakers": lambda i: i["speaker"]}
    print("| held out | probe | accuracy (%) | words dealt anew (%) | chance (%) | each speaker (%) |")
    print("|---|---|---|---|---|---|")
    for held_out, part in tests.items():
        for features in (units, pairs, thirds):
            for i in items:
                i["features"] = features(i["units"])
            result = hits(items, part)
            own = defaultdict(list)
            for i, hit in zip(items, result):
                own[i["speaker"]].append(hit)
            low, high = interval(list(own.values()) if held_out == "speakers" else [[h] for h in result])
            rng = random.Random(0)
            dealt = [sum(hits(deal(items, rng), part)) / len(items) for _ in range(DEALS)]
            cells = [
                held_out,
                features.__name__,
                f"{100 * sum(result) / len(items):.1f} ({100 * low:.1f} to {100 * high:.1f})",
                f"{100 * sum(dealt) / DEALS:.1f} ({100 * min(dealt):.1f} to {100 * max(dealt):.1f})",
                f"{100 * chance:.1f}",
                ", ".join(f"{s} {100 * sum(h) / len(h):.1f}" for s, h in sorted(own.items())),
            ]
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()

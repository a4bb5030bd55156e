"""What vocoders make of a split: python3 bench/vocoders.py VQSPEECH DATA OUT --vocoders griffinlim,wavenet

VQSPEECH is the program, DATA a folder of `vqspeech prepare --audio`. For every
vocoder three folders of recordings are made below OUT and measured by `vqspeech
eval`. What is there already is kept, so that a run can go on: another model, or
other utterances, want another OUT.

  copy        the vocoder on the features of the recording: what it can do at best
  own         the recording encoded and decoded in its speaker's voice
  conversion  the recording in the voice of every other speaker, or of
              --conversions N of them, the same for all vocoders

It prints a Markdown table: figures with their 95 % intervals over utterances.
Conversions have no reference; of them it is measured whose voice they are taken
for, by a classifier trained on the split train.
"""
import argparse
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

COLUMNS = [  # heading, eval, score, scale, decimals
    ("mel MSE (dB²)", "mse", "mse_db2", 1, 1),
    ("MCD (dB)", "mcd", "mcd_db", 1, 2),
    ("F0 RMSE (Hz)", "f0", "rmse_hz", 1, 1),
    ("VDE (%)", "f0", "vde", 100, 1),
    ("STOI", "stoi", "stoi", 1, 3),
    ("SI-SDR (dB)", "sisdr", "si_sdr_db", 1, 1),
    ("taken for target (%)", "speaker", "target_recognised", 100, 1),
    ("for source (%)", "speaker", "source_recognised", 100, 1),
]


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("vqspeech")
    p.add_argument("data", type=Path)
    p.add_argument("out", type=Path)
    p.add_argument("--vocoders", default="griffinlim", help="values of --vocoder, separated by commas")
    p.add_argument("--kinds", default="copy,own,conversion", help="which of the three")
    p.add_argument("--model", help="model file (default: the embedded one)")
    p.add_argument("--split", default="valid")
    p.add_argument("--utterances", type=int, help="only so many of the split, from all over it")
    p.add_argument("--conversions", type=int, help="only so many targets of every utterance")
    return p.parse_args()


def utterances(data, split, most):
    """Returns the utterances of a split, sorted by id."""
    with open(data / "manifest.jsonl") as f:
        found = [u for u in map(json.loads, f) if u["split"] == split]
    if not found:
        sys.exit(f"{data}: no split {split}")
    if any(not u.get("audio") for u in found):
        sys.exit(f"{data}: prepared without audio, want it prepared with --audio")
    n = min(most or len(found), len(found))
    return [found[i * len(found) // n] for i in range(n)]


class Program:
    def __init__(self, path, model):
        self.path, self.model = path, ["--model", model] if model else []

    def run(self, *args):
        subprocess.run([self.path, *map(str, args), *self.model], check=True, stderr=subprocess.DEVNULL)

    def eval(self, *args):
        """Returns the report; failures of single files are in it."""
        r = subprocess.run([self.path, "eval", *map(str, args), "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if not r.stdout:
            sys.exit(f"eval {' '.join(map(str, args))}: {r.stderr}")
        report = json.loads(r.stdout)
        for f in report["failures"]:
            print(f["error"], file=sys.stderr)
        return report

    def speakers(self):
        r = subprocess.run([self.path, "speakers", "--json", *self.model], stdout=subprocess.PIPE, check=True, text=True)
        return [s["id"] for s in json.loads(r.stdout)["speakers"]]


def folder(path):
    path.mkdir(parents=True, exist_ok=True)
    return path


def by_speaker(items):
    """Groups (speaker, item) pairs."""
    groups = defaultdict(list)
    for speaker, item in items:
        groups[speaker].append(item)
    return sorted(groups.items())


def make_copy(program, vocoder, refs, mels, out):
    for u in refs:
        mel, wav = mels / f"{u['id']}.npy", out / f"{u['id']}.wav"
        if not mel.exists():
            program.run("features", u["file"], "-o", mel)
        if not wav.exists():
            program.run("vocode", mel, "-o", wav, "--vocoder", vocoder, "--speaker", u["speaker"])


def make_own(program, vocoder, refs, units, out):
    missing = [u["file"] for u in refs if not (units / f"{u['id']}.vqs").exists()]
    if missing:
        program.run("encode", *missing, "-o", f"{units}/")
    for speaker, ids in by_speaker((u["speaker"], u["id"]) for u in refs):
        missing = [units / f"{i}.vqs" for i in ids if not (out / f"{i}.wav").exists()]
        if missing:
            program.run("decode", *missing, "--speaker", speaker, "--vocoder", vocoder, "-o", f"{out}/")


def make_conversions(program, vocoder, refs, targets, out):
    for target, us in by_speaker(targets):
        missing = [u["file"] for u in us if not (out / f"{u['id']}-to-{target}.wav").exists()]
        if missing:
            program.run("convert", *missing, "--to", target, "--vocoder", vocoder, "-o", f"{out}/")


def choose_targets(refs, speakers, most):
    """Returns (target, utterance) pairs: the speakers that follow the utterance's
    own, from a place that moves on with every utterance, so that all are used alike."""
    pairs = []
    for i, u in enumerate(refs):
        others = [s for s in speakers if s != u["speaker"]]
        n = min(most or len(others), len(others))
        pairs += [(others[(i * n + k) % len(others)], u) for k in range(n)]
    return pairs


def cell(score, scale, decimals):
    if not score or score["value"] is None:
        return "–"
    text = f"{score['value'] * scale:.{decimals}f}"
    if score["low"] is not None:
        text += f" ({score['low'] * scale:.{decimals}f} to {score['high'] * scale:.{decimals}f})"
    return text


def row(program, name, data, ref, out):
    """Measures the recordings in out, against those in ref if there are any."""
    reports = {"speaker": program.eval("speaker", "--data", data, out)}
    if ref:
        for metric in ("mse", "mcd", "f0", "stoi", "sisdr"):
            reports[metric] = program.eval(metric, ref, out)
    cells = [cell(reports.get(e, {"scores": {}})["scores"].get(key), scale, decimals) for _, e, key, scale, decimals in COLUMNS]
    failed = sum(r["failed"] for r in reports.values())
    count = f"{reports['speaker']['recordings']}" + (f" ({failed} failures)" if failed else "")
    return "| " + " | ".join([name, count, *cells]) + " |"


def main():
    a = arguments()
    program = Program(a.vqspeech, a.model)
    refs = utterances(a.data, a.split, a.utterances)
    ref = folder(a.out / "recordings")
    for u in refs:  # under names of their own, so that folders pair
        u["file"] = ref / f"{u['id']}.wav"
        if not u["file"].exists():
            u["file"].symlink_to((a.data / u["audio"]).resolve())
    targets = choose_targets(refs, program.speakers(), a.conversions)
    mels, units = folder(a.out / "mel"), folder(a.out / "units")

    print("| | recordings |" + "|".join(f" {c[0]} " for c in COLUMNS) + "|")
    print("|---" * (len(COLUMNS) + 2) + "|")
    print(row(program, "recordings", a.data, None, ref), flush=True)
    for vocoder in a.vocoders.split(","):
        for kind in a.kinds.split(","):
            out = folder(a.out / vocoder / kind)
            if kind == "copy":
                make_copy(program, vocoder, refs, mels, out)
            elif kind == "own":
                make_own(program, vocoder, refs, units, out)
            elif kind == "conversion":
                make_conversions(program, vocoder, refs, targets, out)
            else:
                sys.exit(f"unknown kind {kind}, want copy, own or conversion")
            print(row(program, f"{vocoder}, {kind}", a.data, None if kind == "conversion" else ref, out), flush=True)


if __name__ == "__main__":
    main()

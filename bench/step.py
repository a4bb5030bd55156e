"""Times the training step beside PyTorch, in turns, and prints a Markdown table.

    python3 bench/step.py                       # PyTorch of the Python that runs this
    python3 bench/step.py --python /usr/bin/python3 --python venv/bin/python

Each round runs every program once on every number of threads, so that a change in the machine's speed meets all of
them; the figures are medians over the rounds. Memory is the peak of the whole process.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def run(command, **env):
    """Output and peak memory (MB) of a command."""
    p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **env}, cwd=HERE)
    out = p.stdout.read()
    _, status, usage = os.wait4(p.pid, 0)
    if status:
        sys.exit("%s failed:\n%s" % (command, out))
    return out, usage.ru_maxrss / 1024


def ours(binary, channels, threads, steps):
    name = "^BenchmarkStep$/^gaussian-4$/^%d$" % channels
    out, peak = run([binary, "-test.run", "^$", "-test.bench", name, "-test.benchtime", "%dx" % steps], GOMAXPROCS=str(threads))
    ms, size = re.search(r"([\d.]+) ns/op\s+(\d+) B/op", out).groups()
    return float(ms) / 1e6, peak, int(size)


def torch(python, channels, threads, steps, expanded):
    command = [python, "torch_step.py", "--channels", str(channels), "--threads", str(threads), "--steps", str(steps)]
    out, peak = run(command + ["--expanded"] * expanded)
    r = json.loads(out.splitlines()[-1])
    return r["median_ms"], peak, r["torch"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--python", action="append", help="an interpreter with PyTorch; may be repeated")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--steps", type=int, default=10, help="steps of each program in a round")
    o = p.parse_args()
    pythons = o.python or [sys.executable]
    with tempfile.TemporaryDirectory() as folder:
        binary = os.path.join(folder, "train.test")
        subprocess.run(["go", "test", "-c", "-o", binary, "../model/train"], cwd=HERE, check=True)
        results = {}
        for _ in range(o.rounds):
            for channels in (768, 256):
                for threads in (1, 2):
                    ms, peak, size = ours(binary, channels, threads, o.steps)
                    results.setdefault(("vqspeech", channels, threads), []).append((ms, peak))
                    for python in pythons:
                        for expanded in (False, True):
                            ms, peak, version = torch(python, channels, threads, o.steps, expanded)
                            name = "PyTorch %s%s" % (version, ", expanded distances" * expanded)
                            results.setdefault((name, channels, threads), []).append((ms, peak))
    print("| channels | threads | program | ms a step | against ours | peak MB |\n|---|---|---|---|---|---|")
    for (name, channels, threads), runs in sorted(results.items(), key=lambda r: (-r[0][1], r[0][2], r[0][0] != "vqspeech", r[0][0])):
        ms, peak = (statistics.median(x) for x in zip(*runs))
        base = statistics.median(ms for ms, _ in results["vqspeech", channels, threads])
        print("| %d | %d | %s | %.1f | %.2f × | %.0f |" % (channels, threads, name, ms, ms / base, peak))
    print("\nvqspeech allocates %.0f KB a step after the first two." % (size / 1e3))


if __name__ == "__main__":
    main()

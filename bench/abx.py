"""Compares eval abx with dynamic time warping in plain NumPy on the same items, and checks that both give the same error.

    go build ./cmd/vqspeech
    python3 bench/abx.py ./vqspeech                     # 400 items of two speakers, 80 values a frame
    python3 bench/abx.py ./vqspeech --items 1000 --no-peer

The peer takes frame distances from one matrix product a pair of items and walks the cost matrix as lists, which is faster than
indexing arrays. Both sides measure the clock and the processor time, in turn: ours on one core and on all. Needs NumPy.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np


def corpus(items, dim, seed):
    """Items of ten phones and two speakers in one context, of about 20 frames."""
    rng = np.random.default_rng(seed)
    out = []
    for speaker in "st":
        for i in range(items // 2):
            phone = i % 10
            frames = rng.standard_normal((int(rng.integers(15, 26)), dim)) + 0.25 * phone * np.cos(np.arange(dim) * (1 + phone))
            out.append((speaker, str(phone), frames.astype(np.float32)))
    return out


def warp(d):
    """The mean distance along the cheapest path, d as rows and columns."""
    n, m = d.shape
    d = d.tolist()
    cost, length = [0.0] * m, [0] * m
    total = 0.0
    for j, v in enumerate(d[0]):
        total += v
        cost[j], length[j] = total, j + 1
    for i in range(1, n):
        row = d[i]
        diagonal, steps = cost[0], length[0]
        left = cost[0] = diagonal + row[0]
        left_steps = length[0] = i + 1
        for j in range(1, m):
            up, up_steps = cost[j], length[j]
            if diagonal <= left and diagonal <= up:
                best, best_steps = diagonal, steps
            elif left <= up:
                best, best_steps = left, left_steps
            else:
                best, best_steps = up, up_steps
            left, left_steps = best + row[j], best_steps + 1
            cost[j], length[j] = left, left_steps
            diagonal, steps = up, up_steps
    return cost[-1] / length[-1]


def peer(items):
    """The error (%) across speakers in the 2021 style, every triplet."""
    unit = [f.astype(np.float64) / np.linalg.norm(f.astype(np.float64), axis=1, keepdims=True) for _, _, f in items]
    phones = sorted({p for _, p, _ in items})
    of = {(s, p): [i for i, it in enumerate(items) if it[:2] == (s, p)] for s in "st" for p in phones}
    by_pair = {}
    for s, t in ("st", "ts"):
        rows = [i for p in phones for i in of[t, p]]  # X
        columns = [i for p in phones for i in of[s, p]]
        distance = {}
        for x in rows:
            for a in columns:
                distance[x, a] = warp(np.arccos(np.clip(unit[x] @ unit[a].T, -1, 1)) / np.pi)
        for p in phones:
            for q in phones:
                if p == q:
                    continue
                a = np.array([[distance[x, i] for i in of[s, p]] for x in of[t, p]])
                b = np.array([[distance[x, i] for i in of[s, q]] for x in of[t, p]])
                wins = (a[:, :, None] < b[:, None, :]) + 0.5 * (a[:, :, None] == b[:, None, :])
                by_pair.setdefault((p, q), []).append(wins.mean())
    return 100 * (1 - np.mean([np.mean(v) for v in by_pair.values()]))


def ours(program, folder, cores):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.time()
    command = [program, "eval", "abx", "--features", folder, "--items", os.path.join(folder, "all.item"), "--mode", "across",
               "--max-group", "0", "--json"]
    done = subprocess.run(command, env=dict(os.environ, GOMAXPROCS=str(cores)), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
    wall = time.time() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout)["scores"]["across_percent"]["value"], wall, cpu


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="vqspeech")
    parser.add_argument("--items", type=int, default=400)
    parser.add_argument("--dim", type=int, default=80)
    parser.add_argument("--rounds", type=int, default=3, help="of ours; the least counts")
    parser.add_argument("--no-peer", action="store_true")
    args = parser.parse_args()
    items = corpus(args.items, args.dim, 1)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "all.item"), "w") as f:
            f.write("#file onset offset #phone prev-phone next-phone speaker\n")
            for i, (speaker, phone, frames) in enumerate(items):
                np.save(os.path.join(folder, f"{i}.npy"), frames)
                f.write(f"{i} 0 {(len(frames) + 0.7) / 100:.4f} {phone} a b {speaker}\n")
        print("| | clock (s) | processor (s) |\n|---|---|---|")
        results = {}
        for cores in sorted({1, os.cpu_count()}):
            rounds = [ours(args.program, folder, cores) for _ in range(args.rounds)]
            results[cores] = rounds[0][0], min(r[1] for r in rounds), min(r[2] for r in rounds)
            print(f"| vqspeech, {cores} core{'s' if cores > 1 else ''} | {results[cores][1]:.2f} | {results[cores][2]:.2f} |", flush=True)
        if args.no_peer:
            return
        start, cpu = time.time(), time.process_time()
        error = peer(items)
        wall, cpu = time.time() - start, time.process_time() - cpu
        print(f"| NumPy {np.__version__}, 1 core | {wall:.2f} | {cpu:.2f} |")
        for cores, (value, our_wall, our_cpu) in results.items():
            if abs(value - error) > 1e-6:
                sys.exit(f"errors differ: {value} with {cores} cores, NumPy {error}")
            print(f"\n{cores} core{'s' if cores > 1 else ''}: {wall / our_wall:.1f} times as fast by the clock, {cpu / our_cpu:.1f} by the processor; "
                  f"both {error:.6f} %", end="")
        print()


if __name__ == "__main__":
    main()

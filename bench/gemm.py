"""Compares the matrix products of internal/simd with those of OpenBLAS.

    python3 bench/gemm.py                       # every shape, 1 and 2 threads, AVX-512 and AVX2
    python3 bench/gemm.py --threads 1 --isa avx2 --match conv2

Both sides run the same shapes in turn, round after round, so that what else the machine does falls on both.
A figure is the median of the rounds (GFLOP/s). "packed" is our product with weights packed once for many calls,
which OpenBLAS has no interface for. Needs Go, a C compiler and OpenBLAS (Debian: libopenblas-dev).
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CORETYPES = {"avx512": "SkylakeX", "avx2": "Haswell"}  # OpenBLAS's names for our instruction sets
LINE = re.compile(r"^BenchmarkGemm/(\S+?)(?:-\d+)?\s.*?([\d.e+]+) GFLOP/s", re.M)
SHAPE = re.compile(r"^(.*)/(\d+)x(\d+)x(\d+)(/transA)?(/transB)?$")


def run(command, stdin="", **env):
    done = subprocess.run(command, input=stdin, env=dict(os.environ, **env), capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def ours(binary, match, benchtime, isa, threads):
    """Returns GFLOP/s by the name of the benchmark, in its order."""
    command = [binary, "-test.run", "^$", "-test.bench", f"^BenchmarkGemm$/({match})", "-test.benchtime", benchtime]
    return {name: float(rate) for name, rate in LINE.findall(run(command, VQSPEECH_ISA=isa, GOMAXPROCS=str(threads)))}


def openblas(binary, shapes, seconds, isa, threads):
    """Returns GFLOP/s for each shape."""
    lines = "".join(f"{int(bool(ta))} {int(bool(tb))} {m} {n} {k}\n" for _, m, n, k, ta, tb in shapes)
    out = run([binary, str(seconds)], lines, OPENBLAS_CORETYPE=CORETYPES[isa], OPENBLAS_NUM_THREADS=str(threads))
    rates = []
    for line in out.splitlines():
        core, rate = line.split()
        if core != CORETYPES[isa]:
            sys.exit(f"OpenBLAS runs kernels for {core}, want {CORETYPES[isa]}")
        rates.append(float(rate))
    return rates


def compare(go, c, args, isa, threads):
    shapes = [SHAPE.match(name).groups() for name in ours(go, args.match, "1x", isa, threads) if not name.endswith("/packed")]
    if not shapes:
        sys.exit(f"no benchmark matches {args.match}")
    own, packed, other = ([[] for _ in shapes] for _ in range(3))
    for _ in range(args.rounds):
        rates = ours(go, args.match, f"{args.seconds}s", isa, threads)
        for i, (layer, m, n, k, ta, tb) in enumerate(shapes):
            name = f"{layer}/{m}x{n}x{k}{ta or ''}{tb or ''}"
            own[i].append(rates[name])
            if name + "/packed" in rates:
                packed[i].append(rates[name + "/packed"])
        for i, rate in enumerate(openblas(c, shapes, args.seconds, isa, threads)):
            other[i].append(rate)
    print(f"\n{isa}, {threads} thread{'s' if threads > 1 else ''}:\n")
    print("| layer | m × n × k | packed | ours | OpenBLAS | ours / OpenBLAS |")
    print("|---|---|---|---|---|---|")
    for (layer, m, n, k, ta, tb), x, p, o in zip(shapes, own, packed, other):
        form = (" Aᵀ" if ta else "") + (" Bᵀ" if tb else "")
        x, o = statistics.median(x), statistics.median(o)
        p = f"{statistics.median(p):.0f}" if p else "–"
        print(f"| {layer} | {m} × {n} × {k}{form} | {p} | {x:.0f} | {o:.0f} | {x / o:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2, help="for one shape in one round (default 0.2)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--isa", nargs="+", default=list(CORETYPES), choices=list(CORETYPES))
    parser.add_argument("--match", default=".", help="regular expression for the first part of a layer's name, such as conv2")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        go, c = os.path.join(folder, "simd.test"), os.path.join(folder, "gemm")
        run(["go", "test", "-C", ROOT, "-c", "-o", go, "./internal/simd"])
        run([os.environ.get("CC", "cc"), "-O2", "-o", c, os.path.join(ROOT, "bench", "gemm.c"), "-lopenblas"])
        print(f"Medians of {args.rounds} rounds of {args.seconds} s a shape, GFLOP/s.")
        for isa in args.isa:
            for threads in args.threads:
                compare(go, c, args, isa, threads)


if __name__ == "__main__":
    main()

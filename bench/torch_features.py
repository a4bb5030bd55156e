#!/usr/bin/env python3
"""The reference features with torch.stft, one thread: peer of `go test ./features -bench LogMel`.

    torch_features.py [--seconds 600] [--runs 5] [--threads 1]    prints x real time, 16-bit WAV in memory -> log-mel
    torch_features.py --check                       compares with internal/golden/testdata/features.safetensors
"""

import argparse
import io
import json
import os
import struct
import time
import wave

import numpy as np
import torch

RATE, N_FFT, WIN, HOP, MELS, FMIN, TOP_DB = 16000, 2048, 400, 160, 80, 50.0, 80.0


def mel_basis():
    """Slaney mel filters of area 1 (librosa 0.7.2, filters.mel), [bins, MELS]."""
    step = np.log(6.4) / 27
    to_mel = lambda f: f * 3 / 200 if f < 1000 else 15 + np.log(f / 1000) / step
    mels = np.linspace(to_mel(FMIN), to_mel(RATE / 2), MELS + 2)
    edges = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp(step * (mels - 15)))
    bins = np.arange(N_FFT // 2 + 1)[:, None] * RATE / N_FFT
    lower = (bins - edges[:-2]) / np.diff(edges)[:-1]
    upper = (edges[2:] - bins) / np.diff(edges)[1:]
    return np.maximum(0, np.minimum(lower, upper)) * 2 / (edges[2:] - edges[:-2])


class Features:
    def __init__(self):
        self.window = torch.hann_window(WIN)
        self.mel = torch.tensor(mel_basis(), dtype=torch.float32)

    def __call__(self, file):
        """Features [MELS, T] of a 16-bit WAV file (bytes)."""
        with wave.open(io.BytesIO(file)) as w:
            pcm = np.frombuffer(w.readframes(w.getnframes()), "<i2").reshape(-1, w.getnchannels())
        x = torch.from_numpy(pcm.astype(np.float32)).mean(1) / 32768
        x = x * (0.999 / x.abs().max())
        x = torch.cat([x[:1], x[1:] - 0.97 * x[:-1]])
        pad = N_FFT // 2
        if len(x) > pad:
            x = torch.nn.functional.pad(x[None], (pad, pad), mode="reflect")[0]
        else:  # reflected back and forth
            x = torch.from_numpy(np.pad(x.numpy(), pad, mode="reflect"))
        spec = torch.stft(x, N_FFT, HOP, WIN, self.window, center=False, return_complex=True)
        db = 20 * torch.log10(torch.clamp(spec.abs().T @ self.mel, min=1e-5))
        return (torch.maximum(db, db.max() - TOP_DB) / TOP_DB + 1).T


def tensors(path):
    with open(path, "rb") as f:
        head = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    meta = head.pop("__metadata__")
    return meta, {
        k: np.frombuffer(data[slice(*v["data_offsets"])], "<f4").reshape(v["shape"])
        for k, v in head.items() if v["dtype"] == "F32"
    }


def check():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../internal/golden/testdata")
    meta, golden = tensors(os.path.join(folder, "features.safetensors"))
    features = Features()
    for name, path in json.loads(meta["files_16k"]).items():
        with open(os.path.join(folder, path), "rb") as f:
            error = np.abs(features(f.read()).numpy() - golden[name + ".logmel"]).max()
        print(f"{name}: largest difference {error:.2g}")
        assert error < 1e-4


def speech_like(seconds):
    """A WAV file of a gliding harmonic tone with pauses and noise (bytes)."""
    t = np.arange(seconds * RATE) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 40 * np.sin(2 * np.pi * t)) / RATE
    x = sum(np.sin(h * phase) / h for h in range(1, 20))
    x = 0.1 * x * np.maximum(0, np.sin(3 * np.pi * t)) + 0.001 * np.random.default_rng(1).standard_normal(len(t))
    out = io.BytesIO()
    with wave.open(out, "wb") as w:
        w.setparams((1, 2, RATE, 0, "NONE", ""))
        w.writeframes(np.round(x * 32767).astype("<i2").tobytes())
    return out.getvalue()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=int, default=600)
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--check", action="store_true")
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    if args.check:
        return check()
    features, file = Features(), speech_like(args.seconds)
    features(speech_like(1))
    times = []
    for _ in range(args.runs):
        begun = time.perf_counter()
        features(file)
        times.append(time.perf_counter() - begun)
    rates = sorted(args.seconds / t for t in times)
    print(f"torch {torch.__version__}, {args.threads} thread(s): "
          f"median {rates[len(rates) // 2]:.0f} x real time, best {rates[-1]:.0f}")


if __name__ == "__main__":
    main()

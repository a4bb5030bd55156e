"""Full-size checkpoints of the published architecture, evaluated by PyTorch and, imported, by vqspeech: are the units equal and the
reconstructions the same?

    python3 bench/torch_import.py ./vqspeech OUT talk.flac more.flac...

The weights are random, the batch norms have the statistics of the recordings and the codes are where their latents are, so that
hundreds are in use. Features come from `vqspeech features --config reference`. Decoding is at once up to 250 units (5 s) on both
sides; of longer recordings, which vqspeech decodes in windows, the difference is printed but not judged.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np
import torch

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "model", "pytorch", "testdata"))
import generate  # noqa: E402

PUBLISHED = generate.Sizes(mels=80, channels=768, codes=512, dim=64, hidden=128, speakers=102, speaker_dim=64)
AT_ONCE = 250  # units


def run(*command):
    r = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode:
        sys.exit(r.stderr.decode())
    return r.stdout


def crops(mels, n, frames=34):
    """[n, n_mels, frames] from anywhere in the spectrograms."""
    out = []
    for _ in range(n):
        mel = mels[torch.randint(len(mels), ()).item()]
        at = torch.randint(mel.shape[1] - frames, ()).item()
        out.append(mel[:, at : at + frames])
    return torch.stack(out)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("program")
    p.add_argument("out")
    p.add_argument("recordings", nargs="+")
    o = p.parse_args()
    os.makedirs(o.out, exist_ok=True)
    at = lambda name: os.path.join(o.out, name)
    with open(at("speakers.json"), "w") as f:
        json.dump(["p%d" % (225 + i) for i in range(PUBLISHED.speakers)], f)
    mels = []
    for i, recording in enumerate(o.recordings):
        run(o.program, "features", "--config", "reference", recording, "-o", at("%d.npy" % i))
        mels.append(torch.from_numpy(np.load(at("%d.npy" % i))))
    print("PyTorch %s, %d recordings, %.1f s" % (torch.__version__, len(mels), sum(m.shape[1] for m in mels) / 100))
    print("| checkpoint | file | import | units | differ | in use | least margin | reconstruction, largest difference | its largest value | longer than 5 s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    failed = False
    for kind in generate.KINDS:
        torch.manual_seed(11)
        encoder, decoder, checkpoint = generate.make(kind, PUBLISHED, [crops(mels, 52) for _ in range(12)], moments=True)
        legacy = kind in ("type3", "ema")
        path, model = at("model.ckpt-20000.pt"), at(kind + ".safetensors")
        torch.save(checkpoint, path, _use_new_zipfile_serialization=not legacy)
        start = time.perf_counter()
        run(o.program, "import", "sqvae", path, "-o", model, "--speakers", at("speakers.json"))
        seconds = time.perf_counter() - start
        total, differ, used, least, error, largest, windows = 0, 0, set(), float("inf"), 0.0, 0.0, 0.0
        for i, recording in enumerate(o.recordings):
            row = (17 * i + 5) % PUBLISHED.speakers
            units, margin, recon = generate.evaluate(encoder, decoder, mels[i], row)
            run(o.program, "encode", recording, "-o", at("units.npy"), "--model", model)
            run(o.program, "encode", recording, "-o", at("units.vqs"), "--model", model)
            run(o.program, "decode", at("units.vqs"), "-o", at("recon.npy"), "--speaker", "p%d" % (225 + row), "--model", model)
            got = np.load(at("units.npy")).astype(np.int64)
            want = units.numpy()
            if got.shape != want.shape:
                sys.exit("%s: %d units, want %d" % (recording, len(got), len(want)))
            total, differ, least = total + len(want), differ + int((got != want).sum()), min(least, margin)
            used.update(want.tolist())
            if (got != want).any():
                continue
            recon = recon.t().numpy()
            d = float(np.abs(np.load(at("recon.npy"))[:, 1 : 1 + recon.shape[1]] - recon).max())
            if len(want) > AT_ONCE:
                windows = max(windows, d)
            else:
                error, largest = max(error, d), max(largest, float(np.abs(recon).max()))
        size = os.path.getsize(path) / 1e6
        os.remove(path)
        print("| %s, %s | %.1f MB | %.2f s | %d | %d | %d | %.2g | %.2g | %.2f | %.2g |" % (
            kind, "legacy" if legacy else "zip", size, seconds, total, differ, len(used), least, error, largest, windows), flush=True)
        failed = failed or differ > 0 or error > 1e-4
    sys.exit("units or reconstructions differ" if failed else 0)


if __name__ == "__main__":
    main()

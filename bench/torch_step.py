"""One training step of gaussian SQ-VAE IV in PyTorch, as the published speech model does it: the peer of
`go test ./model/train -bench Step`.

    python3 bench/torch_step.py --threads 1                 # milliseconds a step, peak memory
    python3 bench/torch_step.py --check internal/golden/testdata/speech_sqvae_type4.safetensors

--check loads weights, batch and noise of a golden file and compares the losses of its three steps. --expanded
computes the distances by the expanded square instead of the published [N, K, D] tensor.
"""

import argparse
import json
import resource
import statistics
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Encoder(nn.Module):
    def __init__(self, mels, channels, out):
        super().__init__()
        layers = []
        for i, (kernel, stride, padding) in enumerate([(3, 1, 0), (3, 1, 1), (4, 2, 1), (3, 1, 1), (3, 1, 1)]):
            layers += [
                nn.Conv1d(channels if i else mels, channels, kernel, stride, padding, bias=False),
                nn.BatchNorm1d(channels),
                nn.ReLU(True),
            ]
        self.net = nn.Sequential(*layers, nn.Conv1d(channels, out, 1))

    def forward(self, x):
        return self.net(x).transpose(1, 2)


class Model(nn.Module):
    def __init__(self, mels=80, channels=768, dim=64, codes=512, hidden=128, speakers=102, speaker_dim=64, expanded=False):
        super().__init__()
        self.dim, self.expanded = dim, expanded
        self.encoder = Encoder(mels, channels, 2 * dim)
        self.log_var = nn.Parameter(torch.tensor([2.302585]))
        self.codebook = nn.Parameter(torch.randn(codes, dim))
        self.speaker = nn.Embedding(speakers, speaker_dim)
        self.rnn = nn.GRU(dim + speaker_dim, hidden, num_layers=2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * hidden, mels)

    def distances(self, z, w):
        if self.expanded:
            b = self.codebook
            flat = (w * z).reshape(-1, self.dim) @ b.t() * -2 + w.reshape(-1, self.dim) @ (b * b).t()
            return (0.5 * (flat.view(*z.shape[:2], -1) + (w * z * z).sum(-1, keepdim=True))).clamp(min=0)
        return 0.5 * (w.unsqueeze(2) * (self.codebook - z.unsqueeze(2)) ** 2).sum(-1)

    def forward(self, mel, speaker, u, offset, tau):
        out = self.encoder(mel)
        z, log_var = out[..., : self.dim], out[..., self.dim :] + self.log_var
        w = torch.exp(-log_var)
        a = -self.distances(z, w)
        eps = torch.finfo(torch.float32).eps
        gumbel = -torch.log(-torch.log(u.clamp(eps, 1 - eps)))
        q = torch.softmax((a + gumbel) / tau, -1) @ self.codebook
        p, log_p = torch.softmax(a, -1), torch.log_softmax(a, -1)
        latent = (0.5 * w * (z - q) ** 2).sum((1, 2)).mean() + (p * log_p).sum((1, 2)).mean()
        index = offset + torch.arange(q.shape[1])
        q = torch.gather(q, 1, index.unsqueeze(-1).expand(-1, -1, self.dim))
        x = q.repeat_interleave(2, dim=1)
        e = self.speaker(speaker).unsqueeze(1).expand(-1, x.shape[1], -1)
        x, _ = self.rnn(torch.cat([x, e], -1))
        target = mel[:, :, 1:-1].transpose(1, 2)
        recon = 0.5 * target[0].numel() * torch.log(F.mse_loss(self.fc(x), target))
        return recon + latent


def step(model, optimizer, batch):
    loss = model(*batch)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def draw(batch, frames, codes, speakers):
    latents = frames // 2 - 1
    offset = torch.randint(0, 4, (batch, latents)).apply_(lambda v: (-1, 0, 0, 1)[v])
    offset[:, 0].clamp_(min=0)
    offset[:, -1].clamp_(max=0)
    return (torch.rand(batch, 80, frames), torch.randint(0, speakers, (batch,)), torch.rand(batch, latents, codes), offset, 1.0)


def read_safetensors(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(int.from_bytes(f.read(8), "little")))
        data = f.read()
    meta = header.pop("__metadata__")
    kinds = {"F32": np.float32, "I32": np.int32}
    tensors = {}
    for name, t in header.items():
        lo, hi = t["data_offsets"]
        tensors[name] = torch.from_numpy(np.frombuffer(data[lo:hi], kinds[t["dtype"]]).reshape(t["shape"]).copy())
    return meta, tensors


def check(path, expanded):
    meta, t = read_safetensors(path)
    size = {k: int(meta[k]) for k in ("mels", "ch", "d", "K", "hid", "spk", "sdim")}
    model = Model(size["mels"], size["ch"], size["d"], size["K"], size["hid"], size["spk"], size["sdim"], expanded)
    state = {"log_var": t["param.quantizer.log_var_scalar"], "codebook": t["param.quantizer.codebook"]}
    for i in range(5):
        state["encoder.net.%d.weight" % (3 * i)] = t["param.encoder.conv%d.weight" % (i + 1)]
        for kind, names in (("param", ("weight", "bias")), ("buffer", ("running_mean", "running_var"))):
            for name in names:
                state["encoder.net.%d.%s" % (3 * i + 1, name)] = t["%s.encoder.bn%d.%s" % (kind, i + 1, name)]
        state["encoder.net.%d.num_batches_tracked" % (3 * i + 1)] = torch.tensor(0)
    for name in ("weight", "bias"):
        state["encoder.net.15." + name] = t["param.encoder.out." + name]
    for name, value in t.items():
        if name.startswith("param.decoder."):
            state[name[len("param.decoder.") :]] = value
    model.load_state_dict(state)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-4)
    for n in ("", "step2.", "step3."):
        batch = (t["in.%smel" % n], t["in.%sspeaker" % n].long(), t["noise.%su" % n], t["noise.%sjitter_offset" % n].long(), t["noise.%stau" % n])
        got, want = step(model, optimizer, batch), t["loss.%stotal" % n].item()
        print("%s loss %.4f, golden %.4f" % (n or "step1.", got, want))
        if abs(got - want) > 2e-5 * abs(want) + 1e-2:
            raise SystemExit("the losses differ")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--channels", type=int, default=768)
    p.add_argument("--steps", type=int, default=10)
    p.add_argument("--expanded", action="store_true")
    p.add_argument("--check", metavar="GOLDEN")
    o = p.parse_args()
    torch.set_num_threads(o.threads)
    torch.manual_seed(0)
    if o.check:
        return check(o.check, o.expanded)
    model = Model(channels=o.channels, expanded=o.expanded)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-4)
    batch = draw(52, 34, 512, 102)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2):
        step(model, optimizer, batch)
    times = []
    for _ in range(o.steps):
        start = time.perf_counter()
        step(model, optimizer, batch)
        times.append(1e3 * (time.perf_counter() - start))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({
        "torch": torch.__version__, "threads": o.threads, "channels": o.channels, "expanded": o.expanded,
        "median_ms": round(statistics.median(times), 1), "peak_mb": round(peak / 1024), "peak_mb_over_start": round((peak - before) / 1024),
    }))


if __name__ == "__main__":
    main()

"""WaveNet generation sample by sample with cached queues in PyTorch: the peer of
`go test ./vocoder/wavenet -run xxx -bench Generate`.

    python3 bench/torch_wavenet.py                # preset small: µs a sample, x real time at 16 kHz
    python3 bench/torch_wavenet.py --published    # in the steps of r9y9/wavenet_vocoder
    python3 bench/torch_wavenet.py --check internal/golden/testdata/wavenet_*.safetensors

--check loads weights, latents and uniform numbers of golden files and compares the generated codes and logits.

What does not change from sample to sample is computed once, as in vocoder/wavenet: the conditioning of all latents,
the speaker's part with it, and the weights of a dilated convolution as one matrix over its taps. With --published the
network is the same, but the conditioning and the speaker are multiplied for every sample and the queues are shifted,
as the incremental_forward of that repository does.
"""

import argparse
import json
import time

import numpy as np
import torch
from torch.nn import functional as F


class WaveNet:
    def __init__(self, p, cycle, kernel, strides=(), upsampling=1, cond_relu=False, scaled=False):
        self.p, self.kernel, self.strides, self.upsampling, self.cond_relu = p, kernel, strides, upsampling, cond_relu
        self.layers = sum(name.endswith(".conv.bias") and name.startswith("layers.") for name in p)
        self.dilation = [2 ** (l % cycle) for l in range(self.layers)]
        self.residual = 0.5 ** 0.5 if scaled else 1.0
        self.skip = (1 / self.layers) ** 0.5 if scaled else 1.0
        name = "layers.%d.%s.weight"
        # taps are rows of a queue, the oldest first
        self.conv = [p[name % (l, "conv")].transpose(1, 2).flatten(1).contiguous() for l in range(self.layers)]
        self.mix = [(p[name % (l, "skip")][..., 0].contiguous(), p["layers.%d.skip.bias" % l], p[name % (l, "res")][..., 0].contiguous(), p["layers.%d.res.bias" % l]) for l in range(self.layers)]
        self.head = [(p["head%d.weight" % i][..., 0].contiguous(), p["head%d.bias" % i]) for i in (1, 2)]

    def conditioning(self, latents):
        """latents [L, d] -> conditioning vectors [T or L, C]"""
        p = self.p
        c = F.conv1d(latents.t().unsqueeze(0), p["cond.conv.weight"], p["cond.conv.bias"], padding=1)
        if self.cond_relu:
            c = F.relu(c)
        for i, s in enumerate(self.strides):
            k = p["cond.up%d.weight" % i].shape[-1]
            c = F.conv_transpose1d(c, p["cond.up%d.weight" % i], p["cond.up%d.bias" % i], stride=s, padding=(k - s) // 2)
        return c[0].t()

    def contexts(self, latents, speaker):
        """latents [L, d] -> biases of the gates of every layer [M, T or L, 2D]"""
        p, c = self.p, self.conditioning(latents)
        g, rows = p["speaker.weight"][speaker], []
        for l in range(self.layers):
            n = "layers.%d." % l
            rows.append(c @ p[n + "cond.weight"][..., 0].t() + p[n + "speaker.weight"] @ g + p[n + "conv.bias"])
        return torch.stack(rows)

    def generate(self, latents, speaker, draw, samples):
        contexts = self.contexts(latents, speaker)
        repeat = 1 if self.strides else self.upsampling
        queues = [torch.zeros((self.kernel - 1) * d, self.p["input.weight"].shape[1]) for d in self.dilation]
        gate = self.conv[0].shape[0] // 2
        code, codes, logits = 128, [], []
        for t in range(samples):
            context = contexts[:, t // repeat]
            x, skip = self.p["input.weight"][code], 0
            for l, d in enumerate(self.dilation):
                q, at = queues[l], t % len(queues[l])
                taps = torch.cat([q[(at + i * d) % len(q)] for i in range(self.kernel - 1)] + [x])
                q[at] = x
                h = torch.addmv(context[l], self.conv[l], taps)
                z = torch.tanh(h[:gate]) * torch.sigmoid(h[gate:])
                ws, bs, wr, br = self.mix[l]
                skip = skip + torch.addmv(bs, ws, z)
                if l < self.layers - 1:
                    x = x + torch.addmv(br, wr, z)
                    if self.residual != 1:
                        x = x * self.residual
            (w1, b1), (w2, b2) = self.head
            y = torch.addmv(b2, w2, F.relu(torch.addmv(b1, w1, F.relu(skip * self.skip))))
            code = draw(t, y)
            codes.append(code)
            logits.append(y)
        return codes, torch.stack(logits)


class Published(WaveNet):
    def generate(self, latents, speaker, draw, samples):
        p, c = self.p, self.conditioning(latents)
        c = (c if self.strides else c.repeat_interleave(self.upsampling, 0)).unsqueeze(0)
        g = p["speaker.weight"][speaker].view(1, 1, -1)
        residual = p["input.weight"].shape[1]
        buffers = [torch.zeros(1, (self.kernel - 1) * d + 1, residual) for d in self.dilation]
        vs = [p["layers.%d.cond.weight" % l][..., 0].contiguous() for l in range(self.layers)]
        us = [p["layers.%d.speaker.weight" % l] for l in range(self.layers)]

        def linear(x, w, b=None):
            return F.linear(x.reshape(1, -1), w, b).view(1, 1, -1)

        code, codes, logits = 128, [], []
        for t in range(samples):
            x, skip = p["input.weight"][code].view(1, 1, -1), 0
            ct = c[:, t, :].unsqueeze(1)
            for l, d in enumerate(self.dilation):
                buffers[l][:, :-1, :] = buffers[l][:, 1:, :].clone()
                buffers[l][:, -1, :] = x[:, -1, :]
                taps = buffers[l][:, 0::d, :].contiguous()
                a, b = linear(taps, self.conv[l], p["layers.%d.conv.bias" % l]).chunk(2, -1)
                ca, cb = linear(ct, vs[l]).chunk(2, -1)
                ga, gb = linear(g, us[l]).chunk(2, -1)
                z = torch.tanh(a + ca + ga) * torch.sigmoid(b + cb + gb)
                ws, bs, wr, br = self.mix[l]
                skip = skip + linear(z, ws, bs)
                x = (x + linear(z, wr, br)) * self.residual
            y = skip * self.skip
            for w, b in self.head:
                y = linear(F.relu(y), w, b)
            code = draw(t, y.view(-1))
            codes.append(code)
            logits.append(y.view(-1))
        return codes, torch.stack(logits)


def read_safetensors(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(int.from_bytes(f.read(8), "little")))
        data = f.read()
    meta = header.pop("__metadata__")
    kinds = {"F32": np.float32, "I32": np.int32, "F64": np.float64, "U8": np.uint8, "I64": np.int64}
    tensors = {}
    for name, t in header.items():
        lo, hi = t["data_offsets"]
        tensors[name] = torch.from_numpy(np.frombuffer(data[lo:hi], kinds[t["dtype"]]).reshape(t["shape"]).copy())
    return meta, tensors


def check(make, path):
    meta, t = read_safetensors(path)
    p = {name[len("param."):]: v for name, v in t.items() if name.startswith("param.")}
    net = make(
        p, int(meta["P"]), int(meta["k"]), json.loads(meta["strides"]) or (), int(meta["U"]),
        json.loads(meta["cond_relu"]), json.loads(meta["scaled"]),
    )

    def drawing(u, temperature):
        def draw(i, y):
            c = torch.softmax(y.double() / temperature, 0).cumsum(0)
            return int(torch.searchsorted(c, u[i].double(), right=True))

        return draw

    for name, draw in (
        ("sampled", drawing(t["gen.sampled.noise.u"], 1.0)),
        ("sampled_temp0.7", drawing(t["gen.sampled_temp0.7.noise.u"], 0.7)),
        ("greedy", lambda i, y: int(y.argmax())),
    ):
        want = t["gen.%s.out.codes" % name].tolist()
        codes, logits = net.generate(t["gen.in.q"][0], int(t["gen.in.speaker"][0]), draw, len(want))
        off = (logits - t["gen.%s.out.logits" % name]).abs().max().item()
        print("%s %s: codes %s, logits %.1e off" % (path, name, "equal" if codes == want else "differ", off))
        if codes != want or off > 1e-4:
            raise SystemExit("not the golden generation")


def small(make):
    """Random weights of preset small."""
    layers, r, d, s, c, g, post, dim = 16, 64, 64, 128, 64, 32, 128, 64
    shapes = {"cond.conv": (c, dim, 3), "speaker": (1, g), "input": (256, r), "head1": (post, s, 1), "head2": (256, post, 1)}
    for l in range(layers):
        n = "layers.%d." % l
        shapes.update({n + "conv": (2 * d, r, 2), n + "cond": (2 * d, c, 1), n + "speaker": (2 * d, g), n + "skip": (s, d, 1), n + "res": (r, d, 1)})
    p = {}
    for name, shape in shapes.items():
        bound = float(np.prod(shape[1:])) ** -0.5
        p[name + ".weight"] = torch.empty(shape).uniform_(-bound, bound)
        p[name + ".bias"] = torch.empty(shape[0]).uniform_(-bound, bound)
    return make(p, 8, 2, upsampling=320), dim


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--check", metavar="GOLDEN", nargs="+")
    a.add_argument("--published", action="store_true")
    a.add_argument("--latents", type=int, default=10)
    a.add_argument("--rounds", type=int, default=3)
    o = a.parse_args()
    make = Published if o.published else WaveNet
    torch.set_num_threads(1)
    torch.manual_seed(0)
    with torch.inference_mode():
        if o.check:
            for path in o.check:
                check(make, path)
            return
        net, dim = small(make)
        latents, samples = torch.randn(o.latents, dim), o.latents * net.upsampling

        def draw(_, y):
            return int(torch.multinomial(torch.softmax(y, 0), 1))

        net.generate(latents, 0, draw, 100)
        wall, cpu = [], []
        for _ in range(o.rounds):
            start = time.perf_counter(), time.process_time()
            net.generate(latents, 0, draw, samples)
            wall.append((time.perf_counter() - start[0]) / samples)
            cpu.append((time.process_time() - start[1]) / samples)
    print(json.dumps({
        "torch": torch.__version__, "published": o.published, "us_per_sample": round(1e6 * min(wall), 1), "cpu_us_per_sample": round(1e6 * min(cpu), 1),
        "x_realtime": round(1 / 16000 / min(wall), 4),
    }))


if __name__ == "__main__":
    main()

"""One training step of the published image models (gaussian-1, sony/sqvae vision) in PyTorch, on batches of
random images: forward, backward, Adam. `vmf` and `nc` are MNIST as 256 unordered grey values: latents on the
sphere, a von Mises-Fisher or a categorical decoder. Prints milliseconds a step and the peak memory of the process.

    python3 torch_image.py 28|64|vmf|nc [steps] [threads]

BenchmarkStep and BenchmarkCategoricalStep of model/image/train are the same in Go.
"""
import math
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.block = nn.Sequential(nn.ReLU(), nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c),
                                   nn.ReLU(), nn.Conv2d(c, c, 1), nn.BatchNorm2d(c))

    def forward(self, x):
        return x + self.block(x)


def norm(c):
    return [nn.BatchNorm2d(c), nn.ReLU()]


class Model(nn.Module):
    def __init__(self, net, codes, blocks, d=64):
        super().__init__()
        h, ch = d // 2, 1 if net == 28 else 3
        encoder = [nn.Conv2d(ch, h, 4, 2, 1), *norm(h), nn.Conv2d(h, d, 4, 2, 1)]
        decoder = [nn.ConvTranspose2d(d, h, 4, 2, 1), *norm(h), nn.ConvTranspose2d(h, ch, 4, 2, 1), nn.Sigmoid()]
        n = blocks
        if net == 64:
            encoder += [*norm(d), nn.Conv2d(d, d, 3, padding=1)]
            decoder = [nn.ConvTranspose2d(d, d, 3, padding=1), *norm(d)] + decoder
            n -= 1
        self.encoder = nn.Sequential(*encoder, *[Residual(d) for _ in range(blocks)])
        self.decoder = nn.Sequential(*[Residual(d) for _ in range(n)], *decoder)
        self.codebook = nn.Parameter(torch.randn(codes, d))
        self.s = nn.Parameter(torch.tensor(math.log(10.0)))

    def forward(self, x, tau):
        z = self.encoder(x)
        b, d, h, w = z.shape
        rows = z.permute(0, 2, 3, 1).reshape(-1, d)
        precision = 0.5 / (1 + self.s.exp())
        distance = (rows ** 2).sum(1, keepdim=True) + (self.codebook ** 2).sum(1) - 2 * rows @ self.codebook.t()
        logits = -distance * precision
        p, logp = torch.softmax(logits, -1), torch.log_softmax(logits, -1)
        u = torch.rand_like(logits)
        y = torch.softmax((logits - torch.log(-torch.log(u + 1e-10) + 1e-10)) / tau, -1)
        q = (y @ self.codebook).view(b, h, w, d).permute(0, 3, 1, 2)
        latent = (p * logp).sum() / b + ((z - q) ** 2).sum() * precision / b
        out = self.decoder(q)
        sse = ((out - x) ** 2).sum() / b
        return 0.5 * x[0].numel() * torch.log(sse) + latent


class LabelModel(nn.Module):
    """MNIST as classes: the encoder takes one-hot vectors, the decoder gives a value for every class."""

    def __init__(self, vmf, codes=128, d=65, classes=256):
        super().__init__()
        self.vmf, self.classes = vmf, classes
        h = d // 2
        self.encoder = nn.Sequential(nn.Conv2d(classes, h, 4, 2, 1), *norm(h), nn.Conv2d(h, d, 4, 2, 1), Residual(d), Residual(d))
        self.decoder = nn.Sequential(Residual(d), Residual(d), nn.ConvTranspose2d(d, h, 4, 2, 1), *norm(h), nn.ConvTranspose2d(h, classes, 4, 2, 1))
        self.codebook = nn.Parameter(torch.randn(codes, d))
        self.s = nn.Parameter(torch.tensor(math.log(0.05)))
        self.t = nn.Parameter(torch.tensor(math.log(0.01)))

    def forward(self, x, tau):
        z = self.encoder(F.one_hot(x, self.classes).permute(0, 3, 1, 2).float())
        b, d, h, w = z.shape
        rows = F.normalize(z.permute(0, 2, 3, 1).reshape(-1, d))
        codebook, kappa = F.normalize(self.codebook), self.s.exp() + 1
        logits = kappa * rows @ codebook.t()
        p, logp = torch.softmax(logits, -1), torch.log_softmax(logits, -1)
        u = torch.rand_like(logits)
        y = torch.softmax((logits - torch.log(-torch.log(u + 1e-10) + 1e-10)) / tau, -1)
        q = y @ codebook
        latent = (p * logp).sum() / b + (rows * (rows - q)).sum() * kappa / b
        out = self.decoder(q.view(b, h, w, d).permute(0, 3, 1, 2))
        if not self.vmf:
            return F.cross_entropy(out, x, reduction="sum") / b + latent
        direction = F.normalize(F.softplus(out), dim=1)
        concentration = 1 / (self.t.exp() + 1e-9)
        cosines = direction.gather(1, x[:, None]).sum() / b
        return -concentration * cosines - x[0].numel() * LogNormaliser.apply(concentration, self.classes) + latent


class LogNormaliser(torch.autograd.Function):
    """(m-1) ln k - ln I_{m-1}(k), m = F/2, by the first term of its uniform expansion: a scalar, whose value is no matter here."""

    @staticmethod
    def forward(ctx, k, f):
        m, v = f / 2, k.item()
        root = math.hypot(m - 1, v)
        ctx.slope = -v / (m - 1 + root)
        eta = root + (m - 1) * math.log(v / (m - 1 + root))
        return k.new_tensor((m - 1) * math.log(v) - eta + 0.5 * math.log(2 * math.pi * root))

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.slope, None


def main():
    name = sys.argv[1]
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    torch.set_num_threads(int(sys.argv[3]) if len(sys.argv) > 3 else 2)
    torch.manual_seed(0)
    if name in ("vmf", "nc"):
        model = LabelModel(name == "vmf")
        images = torch.randint(256, (64, 28, 28))
    else:
        net = int(name)
        model = Model(net, 128 if net == 28 else 512, 2 if net == 28 else 6)
        images = torch.rand(64, 1 if net == 28 else 3, net, net)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step(i):
        optimiser.zero_grad()
        loss = model(images[i % 2 * 32:][:32], 1.0)
        loss.backward()
        optimiser.step()
        return loss.item()

    for i in range(3):
        step(i)
    times, cpu = [], time.process_time()
    for i in range(steps):
        start = time.perf_counter()
        step(i)
        times.append(time.perf_counter() - start)
    cpu = (time.process_time() - cpu) / steps
    times.sort()
    print("torch %s, %s: median %.1f ms a step, best %.1f, processor time %.1f, peak %d MB"
          % (torch.__version__, name, 1e3 * times[len(times) // 2], 1e3 * times[0], 1e3 * cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))


if __name__ == "__main__":
    main()

"""The published speech models in PyTorch (sony/sqvae; with the codebook of bshall/ZeroSpeech for VQ-VAE EMA), as far as evaluation
goes, and the fixtures of this folder: tiny checkpoints as the published code saves them.

    python3 generate.py                                             # with PyTorch 1.13

type1.pt, type3.pt, type4.pt and ema.pt are the checkpoints. NAME.mel.npy [n_mels, T] goes in, NAME.units.npy [L] int32 and
NAME.recon.npy [2L, n_mels] (speaker row 1) come out. bench/torch_import.py makes such checkpoints in the published size.
"""

import collections

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

Sizes = collections.namedtuple("Sizes", "mels channels codes dim hidden speakers speaker_dim")
TINY = Sizes(mels=12, channels=6, codes=12, dim=4, hidden=3, speakers=3, speaker_dim=2)
KINDS = ("type1", "type3", "type4", "ema")


class Codebook(nn.Module):
    def __init__(self, kind, s):
        super().__init__()
        table = torch.randn(s.codes, s.dim)
        if kind == "ema":
            self.register_buffer("embedding", table)
            self.register_buffer("ema_count", torch.rand(s.codes))
            self.register_buffer("ema_weight", torch.randn(s.codes, s.dim))
        else:
            self.embedding = nn.Parameter(table)


class Jitter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("prob", torch.tensor([0.25, 0.5, 0.25]))


class Encoder(nn.Module):
    def __init__(self, kind, s):
        super().__init__()
        self.dim = s.dim
        layers = []
        for i, (kernel, stride, padding) in enumerate([(3, 1, 0), (3, 1, 1), (4, 2, 1), (3, 1, 1), (3, 1, 1)]):
            layers += [
                nn.Conv1d(s.channels if i else s.mels, s.channels, kernel, stride, padding, bias=False),
                nn.BatchNorm1d(s.channels),
                nn.ReLU(),
            ]
        out = {"type1": s.dim, "type3": s.dim + 1, "type4": 2 * s.dim, "ema": s.dim}[kind]
        self.encoder = nn.Sequential(*layers, nn.Conv1d(s.channels, out, 1))
        if kind != "ema":
            self.log_var_q_scalar = nn.Parameter(torch.tensor([0.3]))
        self.codebook = Codebook(kind, s)
        self.jitter = Jitter()

    def distances(self, mel):
        """Squared distances of the latents to the codes [L, K], in units of their variance."""
        out = self.encoder(mel)[0].t()
        z = out[:, : self.dim]
        log_var = torch.zeros_like(z[:, :1])
        if hasattr(self, "log_var_q_scalar"):
            log_var = log_var + self.log_var_q_scalar
        if out.shape[1] > self.dim:
            log_var = log_var + out[:, self.dim :]
        return (torch.exp(-log_var).unsqueeze(1) * (self.codebook.embedding - z.unsqueeze(1)) ** 2).sum(-1)


class Decoder(nn.Module):
    def __init__(self, s):
        super().__init__()
        self.speaker_embedding = nn.Embedding(s.speakers, s.speaker_dim)
        self.rnn = nn.GRU(s.dim + s.speaker_dim, s.hidden, num_layers=2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * s.hidden, s.mels)

    def forward(self, z, speaker):
        z = F.interpolate(z.transpose(1, 2), scale_factor=2).transpose(1, 2)
        speaker = self.speaker_embedding(speaker).unsqueeze(1).expand(-1, z.size(1), -1)
        z, _ = self.rnn(torch.cat((z, speaker), dim=-1))
        return self.fc(z)


def make(kind, s, batches, moments):
    """An encoder and a decoder of random weights whose batch norms have the statistics of batches [B, n_mels, T], whose codes are
    about latents of the last batch; and their checkpoint, with or without moments of Adam."""
    encoder, decoder = Encoder(kind, s), Decoder(s)
    optimizer = torch.optim.Adam(list(encoder.parameters()) + list(decoder.parameters()), lr=4e-4)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[300000, 400000], gamma=0.5)
    (encoder.distances(batches[0][:1]).mean() + decoder(encoder.codebook.embedding[None], torch.tensor([0])).pow(2).mean()).backward()
    if moments:
        optimizer.step()
    scheduler.step()
    with torch.no_grad():
        for m in encoder.modules():
            if isinstance(m, nn.BatchNorm1d):
                m.weight.normal_(1, 0.1)
                m.bias.normal_(0, 0.1)
                m.momentum = None  # the mean over all batches
        for batch in batches:
            encoder.encoder(batch)
        encoder.eval()
        decoder.eval()
        z = encoder.encoder(batches[-1])[:, : s.dim].transpose(1, 2).reshape(-1, s.dim)
        encoder.codebook.embedding.copy_(z[torch.randperm(len(z))[: s.codes]] + 0.1 * z.std(0) * torch.randn(s.codes, s.dim))
    return encoder, decoder, {
        "encoder": encoder.state_dict(), "decoder": decoder.state_dict(), "optimizer": optimizer.state_dict(),
        "amp": collections.OrderedDict([("loss_scaler0", {"loss_scale": 65536.0, "unskipped": 0})]),
        "scheduler": scheduler.state_dict(), "step": 20000,
    }


def evaluate(encoder, decoder, mel, speaker):
    """mel [n_mels, T] → units [L], the least difference between the two nearest codes, reconstruction [2L, n_mels]."""
    with torch.no_grad():
        distances = encoder.distances(mel[None, :, : mel.shape[1] // 2 * 2])
        units = distances.argmin(-1)
        nearest = distances.topk(2, largest=False).values
        recon = decoder(encoder.codebook.embedding[units][None], torch.tensor([speaker]))[0]
    return units, (nearest[:, 1] - nearest[:, 0]).min().item(), recon


def spectrograms(n, mels, frames):
    """[n, mels, frames]: smooth, in the range of features."""
    return 0.5 + 0.4 * F.avg_pool1d(torch.randn(n, mels, frames + 4), 5, 1)


def main():
    for kind in KINDS:
        torch.manual_seed(7)
        legacy = kind in ("type3", "ema")  # the format before PyTorch 1.6, in which tensors take less place
        encoder, decoder, checkpoint = make(kind, TINY, [spectrograms(8, TINY.mels, 34) for _ in range(50)], moments=legacy)
        mel = spectrograms(1, TINY.mels, 61)[0]
        units, margin, recon = evaluate(encoder, decoder, mel, 1)
        print(kind, "units in use", len(units.unique()), "of", len(units), "least margin", margin)
        torch.save(checkpoint, kind + ".pt", _use_new_zipfile_serialization=not legacy)
        np.save(kind + ".mel.npy", mel.numpy())
        np.save(kind + ".units.npy", units.numpy().astype(np.int32))
        np.save(kind + ".recon.npy", recon.numpy())


if __name__ == "__main__":
    main()

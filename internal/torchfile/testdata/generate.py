"""Writes the files of this folder with the PyTorch it runs in: every kind of value that the reader knows.

    python3 generate.py

The files here are from PyTorch 1.13 but for zip-2.pt, which is the zip.pt of PyTorch 2.15.
"""

import collections

import torch

base = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) - 7.5
bias = torch.tensor([0.5, -1.25, 3.0])
numbers = torch.tensor([0.0, 1.0, -2.0, 65504.0, 2.0**-24])
state = torch.nn.Module.state_dict(torch.nn.BatchNorm1d(2))  # an OrderedDict with an attribute
everything = {
    "base": base,
    "permuted": base.permute(2, 0, 1),
    "part": base[1, 1:, ::2],
    "scalar": torch.tensor(3.5),
    "empty": torch.zeros(0, 4),
    "float64": bias.double(),
    "float16": numbers.half(),
    "bfloat16": bias.bfloat16(),
    "int64": torch.tensor([1, -(2**40)]),
    "int32": torch.tensor([1, -2], dtype=torch.int32),
    "int16": torch.tensor([1, -2], dtype=torch.int16),
    "int8": torch.tensor([1, -2], dtype=torch.int8),
    "uint8": torch.tensor([1, 255], dtype=torch.uint8),
    "bool": torch.tensor([True, False]),
    "state": state,
    "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
    "milestones": collections.Counter({300000: 1, 400000: 2}),
    "list": [None, True, False, 0, 255, 65535, -1, 2**31 - 1, -(2**40), 2.5, "Grüße"],
    "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
    "one": [1],
    7: {},
}
torch.save(everything, "zip.pt")
torch.save(everything, "protocol4.pt", pickle_protocol=4)
torch.save(everything, "legacy.pt", _use_new_zipfile_serialization=False)

"""Makes the files of this folder with PyTorch: checkpoints as torch.save writes them, resized positions.

Run in this folder: python3 generate.py (needs torch, numpy and safetensors; made with torch 2.15)
"""

import argparse
import datetime
from collections import Counter, OrderedDict, defaultdict
from pathlib import PurePosixPath

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

torch.manual_seed(20260)

state_dict = OrderedDict(
    [
        ("visual.proj", torch.randn(6, 4)),
        ("visual.conv1.weight", torch.randn(6, 3, 2, 2)),
        ("ln_final.weight", torch.randn(5).half()),
        ("token_embedding.weight", torch.randn(7, 5).bfloat16()),
        ("logit_scale", torch.tensor(2.5)),
        # A view: row-major in the state dict's eyes, column-major in its storage.
        ("text_projection", torch.randn(4, 5).t()),
        # Two views of one storage, the second with an offset.
        ("positional_embedding", torch.randn(4, 5)),
    ]
)
state_dict["visual.class_embedding"] = state_dict["visual.proj"].flatten()[6:12]
save_file({name: value.contiguous().clone() for name, value in state_dict.items()}, "expected.safetensors")

# open_clip_pytorch_model.bin: a bare state dict.
torch.save(state_dict, "bare.bin")

# epoch_k.pt of a training run: wrapped names, an optimizer's and a scaler's state beside them.
parameter = torch.nn.Parameter(torch.randn(3, 3))
optimizer = torch.optim.AdamW([parameter], lr=1e-3)
parameter.sum().backward()
optimizer.step()
checkpoint = {
    "epoch": 15,
    "name": "run",
    "state_dict": OrderedDict((f"module.{name}", value) for name, value in state_dict.items()),
    "optimizer": optimizer.state_dict(),
    "scaler": {"scale": 65536.0, "growth_factor": 2.0, "_growth_tracker": 3},
}
torch.save(checkpoint, "training.pt")

# A module's own state dict carries `_metadata`; parameters are pickled as such.
torch.save({"state_dict": torch.nn.Linear(3, 2).state_dict(), "best": None, "flags": [True, (1, 2)]}, "module.pt")
torch.save([torch.ones(2)], "not_a_dict.pt")

# What training scripts leave beside the weights, in every protocol that torch.save takes.
extras = {
    "args": argparse.Namespace(lr=1e-3, names={"a", "b"}, out=PurePosixPath("runs/1")),
    "best": {"auroc": np.float64(0.5), "epoch": np.int64(3), "curve": np.linspace(0, 1, 5)},
    "counts": Counter("aab"),
    "device": torch.device("cpu"),
    "dtype": torch.float16,
    "history": defaultdict(list, {"loss": [1.0, 0.5], "big": [1 << 80, -1]}),
    "ids": frozenset([1, 2]),
    "shape": torch.Size([2, 3]),
    "started": datetime.datetime(2026, 11, 1, tzinfo=datetime.timezone.utc),
    "token": b"bytes\xff" + bytearray(b"more"),
    "title": "x" * 300,
    "scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 3).state_dict(),
    "nothing": None,
}
extras["itself"] = extras
parameters = OrderedDict((name, torch.nn.Parameter(value)) for name, value in state_dict.items())
parameters["num_batches_tracked"] = torch.tensor(7)
parameters["mask"] = torch.ones(2, 2, dtype=torch.bool)
for protocol in [2, 3, 4, 5]:
    torch.save({**extras, "state_dict": parameters}, f"extras{protocol}.pt", pickle_protocol=protocol)

positions = {}
for old, new in [(4, 7), (7, 4), (2, 5), (14, 24), (24, 14)]:
    table = torch.randn(1 + old * old, 6)
    grid = table[1:].reshape(1, old, old, 6).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(new, new), mode="bicubic", antialias=True, align_corners=False)
    positions[f"visual.{old}.{new}.from"] = table
    positions[f"visual.{old}.{new}.to"] = torch.cat([table[:1], grid.permute(0, 2, 3, 1).reshape(new * new, 6)])
for old, new in [(77, 50), (16, 77), (77, 248)]:
    table = torch.randn(old, 6)
    row = F.interpolate(table.T[None], size=new, mode="linear", align_corners=False)
    positions[f"text.{old}.{new}.from"] = table
    positions[f"text.{old}.{new}.to"] = row[0].T.contiguous()
save_file({name: value.contiguous() for name, value in positions.items()}, "positions.safetensors")

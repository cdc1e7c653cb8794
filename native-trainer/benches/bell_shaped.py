"""Draws the matrices of a fresh checkpoint anew, from normal distributions of the same spread.

Trained weights are bell-shaped; those of a fresh model are uniform, which no rival minds and our int8 kernels do: they
add more products in 16 bits the fewer large weights stand together.
"""

import argparse
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help="a safetensors file, which is written anew")
    path = parser.parse_args().checkpoint
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    generator = torch.Generator().manual_seed(0)
    for name, tensor in tensors.items():
        if tensor.dim() == 2:
            tensors[name] = torch.randn(tensor.shape, generator=generator) * tensor.std()
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata)
    partial.rename(path)


if __name__ == "__main__":
    main()

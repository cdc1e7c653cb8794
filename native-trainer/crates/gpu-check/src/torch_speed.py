"""Times PyTorch's vision tower for `dermake gpu-check`: bf16 under autocast, forward and backward, on random pixels.

Takes its sizes as JSON in the first argument and prints its times as one line of JSON. Exit code 3: PyTorch or the
device is not there; the last line of stderr says which.
"""

import json
import sys
import time


def missing(what):
    print(what, file=sys.stderr)
    sys.exit(3)


try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError as error:
    missing(f"this Python has no PyTorch ({error})")


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    """open_clip's block."""

    def __init__(self, width, heads, mlp_width):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.in_proj, self.out_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, mlp_width), QuickGELU(), nn.Linear(mlp_width, width))

    def forward(self, x):
        images, tokens, width = x.shape
        qkv = self.in_proj(self.ln_1(x)).reshape(images, tokens, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(query, key, value)
        x = x + self.out_proj(attended.transpose(1, 2).reshape(images, tokens, width))
        return x + self.mlp(self.ln_2(x))


class Tower(nn.Module):
    """open_clip's vision transformer; every token is projected."""

    def __init__(self, sizes, layers):
        super().__init__()
        width, patch = sizes["width"], sizes["patch_size"]
        n_tokens = (sizes["image_size"] // patch) ** 2 + 1
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(width) / width**0.5)
        self.positional_embedding = nn.Parameter(torch.randn(n_tokens, width) / width**0.5)
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        blocks = [Block(width, sizes["heads"], sizes["mlp_width"]) for _ in range(layers)]
        self.blocks = nn.Sequential(*blocks)
        self.proj = nn.Parameter(torch.randn(width, sizes["embed_dim"]) / width**0.5)

    def forward(self, pixels):
        patches = self.conv1(pixels).flatten(2).transpose(1, 2)
        first = self.class_embedding.expand(len(pixels), 1, -1).to(patches.dtype)
        x = torch.cat([first, patches], dim=1) + self.positional_embedding
        return self.ln_post(self.blocks(self.ln_pre(x))) @ self.proj


def synchronize(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def fastest(device, repeats, run):
    """The shortest of some runs after two that are not counted, in milliseconds."""
    times = []
    for _ in range(repeats + 2):
        synchronize(device)
        started = time.perf_counter()
        run()
        synchronize(device)
        times.append(1e3 * (time.perf_counter() - started))
    return min(times[2:])


def tower_ms(sizes, layers, device):
    tower = Tower(sizes, layers).to(device)
    side = sizes["image_size"]
    pixels = torch.randn(sizes["images"], 3, side, side, device=device)

    def run():
        tower.zero_grad(set_to_none=True)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            features = tower(pixels)
        features.float().sum().backward()

    return fastest(device, sizes["repeats"], run)


def attention_ms(sizes, device):
    n_tokens = (sizes["image_size"] // sizes["patch_size"]) ** 2 + 1
    shape = (3, sizes["images"], sizes["heads"], n_tokens, sizes["width"] // sizes["heads"])
    qkv = torch.randn(shape, device=device, dtype=torch.bfloat16, requires_grad=True)
    gradient = torch.randn(shape[1:], device=device, dtype=torch.bfloat16)

    def run():
        qkv.grad = None
        functional.scaled_dot_product_attention(*qkv).backward(gradient)

    return fastest(device, sizes["repeats"], run)


def main():
    sizes = json.loads(sys.argv[1])
    device = torch.device(sizes["device"])
    if device.type == "cuda" and not torch.cuda.is_available():
        missing("PyTorch finds no GPU; it was built without CUDA, or for another driver")
    one, three = (tower_ms(sizes, layers, device) for layers in (1, 3))
    times = {
        "version": torch.__version__,
        "attention_ms": attention_ms(sizes, device),
        "block_ms": (three - one) / 2,
        "tower_ms": tower_ms(sizes, sizes["layers"], device),
    }
    print(json.dumps(times))


if __name__ == "__main__":
    main()

"""DermLIP-PanDerm in PyTorch, written from the description of its tensors in the fixtures' README, not from its code.

The vision tower: patches and a class token, stored positions, blocks `x + gamma_1 attn(norm1 x)`,
`x + gamma_2 mlp(norm2 x)` with queries and values that have a bias and keys that have none; `norm` of all tokens, the
mean of the patches, `norm` again, and `head`. The text tower is open_clip's BERT with mean pooling.
"""

import json
import os
import sys
from pathlib import Path

import torch
from open_clip.hf_model import HFTextEncoder
from open_clip.transform import PreprocessCfg
from safetensors.torch import load_file
from torch import nn
from torch.nn.functional import gelu, linear, normalize, scaled_dot_product_attention

EPSILON = 1e-6
HEAD_WIDTH = 64
# Largest difference of a unit feature to the fixture's.
TOLERANCE = 5e-6


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias, self.v_bias = (nn.Parameter(torch.zeros(width)) for _ in range(2))
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        batch, n_tokens, width = x.shape
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        qkv = linear(x, self.qkv.weight, bias).view(batch, n_tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        joined = scaled_dot_product_attention(*qkv).transpose(1, 2).reshape(batch, n_tokens, width)
        return self.proj(joined)


class Mlp(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.norm1, self.norm2 = (nn.LayerNorm(width, EPSILON) for _ in range(2))
        self.attn, self.mlp = Attention(width, heads), Mlp(width, hidden)
        self.gamma_1, self.gamma_2 = (nn.Parameter(torch.ones(width)) for _ in range(2))

    def forward(self, x):
        x = x + self.gamma_1 * self.attn(self.norm1(x))
        return x + self.gamma_2 * self.mlp(self.norm2(x))


class Patches(nn.Module):
    def __init__(self, width, patch):
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, patch)

    def forward(self, pixel_values):
        return self.proj(pixel_values).flatten(2).transpose(1, 2)


class VisionTower(nn.Module):
    """`pixel_values` [B, 3, S, S] -> raw features [B, E]."""

    def __init__(self, tensors, heads):
        super().__init__()
        width, _, patch, _ = tensors["patch_embed.proj.weight"].shape
        hidden = len(tensors["blocks.0.mlp.fc1.bias"])
        n_blocks = 1 + max(int(name.split(".")[1]) for name in tensors if name.startswith("blocks."))
        self.patch_embed = Patches(width, patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros_like(tensors["pos_embed"]))
        self.blocks = nn.ModuleList(Block(width, heads, hidden) for _ in range(n_blocks))
        self.norm = nn.LayerNorm(width, EPSILON)
        self.head = nn.Linear(width, len(tensors["head.bias"]))
        self.load_state_dict(tensors)

    def forward(self, pixel_values):
        patches = self.patch_embed(pixel_values)
        x = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(self.norm(x)[:, 1:].mean(dim=1)))


class PanDerm(nn.Module):
    def __init__(self, tensors, text, heads):
        super().__init__()
        part = lambda prefix: {name[len(prefix) :]: tensors[name] for name in tensors if name.startswith(prefix)}
        self.visual = VisionTower(part("visual."), heads)
        projected = part("text.proj.")["2.weight"]
        self.text = HFTextEncoder(
            text["hf_model_name"],
            output_dim=len(projected),
            pooler_type=text.get("hf_pooler_type", "mean_pooler"),
            proj_type=text.get("hf_proj_type", "mlp"),
            pretrained=False,
        )
        # A buffer that older checkpoints have.
        self.text.load_state_dict({name: value for name, value in part("text.").items() if "position_ids" not in name})

    def encode_image(self, pixel_values, normalize):
        return unit(self.visual(pixel_values)) if normalize else self.visual(pixel_values)

    def encode_text(self, input_ids, normalize):
        return unit(self.text(input_ids)) if normalize else self.text(input_ids)


def unit(features):
    return normalize(features, dim=-1)


def config_of(folder):
    return json.loads((Path(folder) / "open_clip_config.json").read_text())


def preprocess_config(folder):
    """That of the folder; the size is not always in it."""
    config = config_of(folder)
    size = config["model_cfg"]["vision_cfg"]["image_size"]
    return PreprocessCfg(**{"size": size, **config.get("preprocess_cfg", {})})


def load(folder, heads=None):
    """The model of a folder, whose `text_cfg.hf_model_name` is a folder below the working directory."""
    config = config_of(folder)["model_cfg"]
    tensors = {name: value.float() for name, value in load_file(Path(folder) / "open_clip_model.safetensors").items()}
    # The vision section describes another tower; all published ones have heads of 64.
    width = tensors["visual.cls_token"].shape[-1]
    return PanDerm(tensors, config["text_cfg"], heads or max(width // HEAD_WIDTH, 1)).eval()


@torch.inference_mode()
def check(folder):
    """Fails unless this definition gives the features that the published code gave of a fixture's model."""
    inputs = load_file(Path(folder) / "io.safetensors")
    case = json.loads((Path(folder) / "case.json").read_text())
    model = load(folder, case["structure"]["vision"]["heads"])
    found = model.encode_image(inputs["images"], True), model.encode_text(inputs["input_ids"], True)
    for name, features in zip(("image_features", "text_features"), found):
        difference = (features - inputs[name]).abs().max().item()
        if not difference <= TOLERANCE:
            raise SystemExit(f"panderm.py differs from {folder} by {difference:.1e} in {name}, at most {TOLERANCE:.0e}")


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    check(Path.cwd())

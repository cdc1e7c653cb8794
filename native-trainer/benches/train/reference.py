"""The reference's training step in plain PyTorch, timed on the inputs that `examples/bench_train.rs` writes.

It does the work of MAKE's released code: every caption of the batch is encoded, masked ones included and all of them
padded to the context length; patches meet all texts of the batch; logits are matrices of 11 B x 11 B. Where the
reference loops over labels in Python, this does not: the bench compares arithmetic. Prints one line of JSON.
"""

import argparse
import json
import re
import time
from collections import OrderedDict
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn
from torch.utils.checkpoint import checkpoint

N_WHOLE_CAPTIONS = 3
LAMBDA_M, LAMBDA_S, SIGMA = 1.0, 0.7, 0.0


class QuickGelu(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width, heads, mlp_ratio, activation):
        super().__init__()
        hidden = int(width * mlp_ratio)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        layers = [("c_fc", nn.Linear(width, hidden)), ("gelu", activation()), ("c_proj", nn.Linear(hidden, width))]
        self.mlp = nn.Sequential(OrderedDict(layers))

    def forward(self, x, mask):
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, config, heads, activation):
        super().__init__()
        block = lambda: Block(config["width"], heads, config.get("mlp_ratio", 4.0), activation)
        self.resblocks = nn.ModuleList(block() for _ in range(config["layers"]))
        self.checkpoints = False

    def forward(self, x, mask=None):
        for block in self.resblocks:
            x = checkpoint(block, x, mask, use_reentrant=False) if self.checkpoints else block(x, mask)
        return x


class Vision(nn.Module):
    def __init__(self, config, embed_dim, activation):
        super().__init__()
        width, patch = config["width"], config["patch_size"]
        n_patches = (config["image_size"] // patch) ** 2
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty(n_patches + 1, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Transformer(config, width // config["head_width"], activation)
        self.proj = nn.Parameter(torch.empty(width, embed_dim))

    def forward(self, pixel_values):
        x = self.conv1(pixel_values).flatten(2).transpose(1, 2)
        token = self.class_embedding.to(x.dtype).expand(len(x), 1, -1)
        x = self.ln_pre(torch.cat([token, x], 1) + self.positional_embedding)
        x = self.ln_post(self.transformer(x)) @ self.proj
        return F.normalize(x[:, 0], dim=-1), F.normalize(x[:, 1:], dim=-1)


class Clip(nn.Module):
    """open_clip's ViT-CLIP, in its names."""

    def __init__(self, config):
        super().__init__()
        activation = QuickGelu if config["quick_gelu"] else nn.GELU
        text, embed_dim = config["text_cfg"], config["embed_dim"]
        self.visual = Vision(config["vision_cfg"], embed_dim, activation)
        self.token_embedding = nn.Embedding(text["vocab_size"], text["width"])
        self.positional_embedding = nn.Parameter(torch.empty(text["context_length"], text["width"]))
        self.transformer = Transformer(text, text["heads"], activation)
        self.ln_final = nn.LayerNorm(text["width"])
        self.text_projection = nn.Parameter(torch.empty(text["width"], embed_dim))
        self.logit_scale = nn.Parameter(torch.empty([]))
        causal = torch.full([text["context_length"]] * 2, float("-inf")).triu(1)
        self.register_buffer("causal", causal, persistent=False)

    def texts(self, input_ids):
        x = self.token_embedding(input_ids) + self.positional_embedding
        x = self.ln_final(self.transformer(x, self.causal))
        x = x[torch.arange(len(x), device=x.device), input_ids.argmax(-1)]
        return F.normalize(x @ self.text_projection, dim=-1)


def local_features(patches, texts, n_kinds, variant):
    """Patches summed by their similarity to a caption: [B, 1, E] as released, [B, K, E] as in the paper."""
    n_samples = len(patches)
    if variant == "paper":
        own = texts.view(n_samples, n_kinds, -1)[:, N_WHOLE_CAPTIONS:]
        similarities = patches @ own.transpose(1, 2)
        weights = torch.where(similarities >= SIGMA, similarities, 0)
    else:
        similarities = patches @ texts.T  # [B, P, 11 B], all pairs, of which column i of sample i is used
        weights = torch.where(similarities >= SIGMA, similarities, 0)
        samples = torch.arange(n_samples, device=texts.device)
        weights = weights[samples, :, samples].unsqueeze(-1)
    return F.normalize(weights, dim=1, eps=1e-12).transpose(1, 2) @ patches


@torch.no_grad()
def diagnosis_weights(texts, mask, variant):
    """What each of the 11 B classes weighs, [B, N]."""
    n_samples, n_kinds = mask.shape
    if variant == "paper":
        kinds = texts.view(n_samples, n_kinds, -1).unbind(1)
    else:
        kinds = texts.chunk(n_kinds)  # kind-major chunks of sample-major rows, as released
    subcaptions = torch.stack(kinds[N_WHOLE_CAPTIONS:], 1)
    similarities = (kinds[1].unsqueeze(1) * subcaptions).sum(-1).float()
    weights = similarities.masked_fill(~mask[:, N_WHOLE_CAPTIONS:], float("-inf")).softmax(-1)
    weights = weights / weights.amax(-1, keepdim=True)
    weights[~mask[:, 1]] = 1.0
    return torch.cat([torch.ones_like(weights[:, :N_WHOLE_CAPTIONS]), weights], 1)


def objective(image, texts, local, mask, scale, variant):
    """lambda_m * MKCL and lambda_s * SLRA."""
    n_samples, n_kinds = mask.shape
    weights = diagnosis_weights(texts, mask, variant).flatten()
    flat = mask.flatten()
    positions = torch.arange(len(texts), device=texts.device)
    targets = positions.masked_fill(~flat, -100)

    logits = scale * image.repeat_interleave(n_kinds, 0) @ texts.T
    image_to_text = F.cross_entropy(logits, targets, weights.to(logits.dtype))
    text_to_image = F.cross_entropy(scale * texts @ image.T, (positions // n_kinds).masked_fill(~flat, -100))

    if variant == "paper":
        queries = local.flatten(0, 1)
        local_targets = targets.view(n_samples, n_kinds)[:, N_WHOLE_CAPTIONS:].flatten()
    else:
        queries = local[:, 0].repeat_interleave(n_kinds, 0)
        local_targets = targets.masked_fill(positions < n_samples, -100)
    local_logits = scale * queries @ texts.T
    slra = F.cross_entropy(local_logits, local_targets, weights.to(local_logits.dtype))
    return LAMBDA_M * (image_to_text + text_to_image) / 2, LAMBDA_S * slra


def optimizer_of(model):
    def decays(name, parameter):
        return parameter.ndim >= 2 and not any(word in name for word in ("bn", "ln", "bias", "logit_scale"))

    named = list(model.named_parameters())
    groups = [
        {"params": [p for n, p in named if decays(n, p)], "weight_decay": 0.1},
        {"params": [p for n, p in named if not decays(n, p)], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.98), eps=1e-6, fused=True)


def step_of(arguments):
    """A closure that takes one optimizer step and returns both loss terms."""
    device = arguments.device
    config = json.loads((arguments.inputs / "config.json").read_text())["model_cfg"]
    model = Clip(config)
    model.load_state_dict(load_file(arguments.inputs / "weights.safetensors"))
    model.to(device)
    model.transformer.checkpoints = model.visual.transformer.checkpoints = arguments.checkpoint
    batch = {name: tensor.to(device) for name, tensor in load_file(arguments.inputs / "batch.safetensors").items()}
    mask, n_kinds = batch["caption_mask"].bool(), batch["caption_mask"].shape[1]
    optimizer = optimizer_of(model)

    def step():
        optimizer.zero_grad()
        with torch.autocast(device, torch.bfloat16, enabled=arguments.bf16):
            image, patches = model.visual(batch["pixel_values"])
            texts = model.texts(batch["input_ids"].flatten(0, 1))
            local = local_features(patches, texts, n_kinds, arguments.variant)
            mkcl, slra = objective(image, texts, local, mask, model.logit_scale.exp(), arguments.variant)
        (mkcl + slra).backward()
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, torch.tensor(100.0).log().item())
        return mkcl.item(), slra.item()

    return step


def loss_of(arguments):
    """A closure that computes the objective and its gradients on given features."""
    features = load_file(arguments.inputs / "features.safetensors")
    mask = features["caption_mask"].bool()
    leaves = [features["image"], features["text"][features["rows"]], features["local"].unsqueeze(1)]
    scale = torch.tensor(1 / 0.07)
    leaves = [leaf.clone().requires_grad_() for leaf in (*leaves, scale)]

    def step():
        *vectors, scale = leaves
        mkcl, slra = objective(*vectors, mask, scale, "released")
        torch.autograd.grad(mkcl + slra, leaves)
        return mkcl.item(), slra.item()

    return step


def status_mib(field):
    """A field of /proc/self/status in MiB; none where the system has no such file."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    return int(re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)[1]) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=["step", "loss"])
    parser.add_argument("--inputs", type=Path, required=True, help="folder that bench_train wrote")
    parser.add_argument("--steps", type=int, default=3, help="timed, after one that is not")
    parser.add_argument("--variant", choices=["released", "paper"], default="released")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--bf16", action="store_true", help="autocast")
    parser.add_argument("--checkpoint", action="store_true", help="gradient checkpointing of every block")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    step = (step_of if arguments.work == "step" else loss_of)(arguments)

    start_mib = status_mib("VmRSS")
    terms = lambda mkcl, slra: {"mkcl": mkcl, "slra": slra, "total": mkcl + slra}
    last = first = step()
    millis = []
    for _ in range(arguments.steps):
        started = time.perf_counter()
        last = step()
        if arguments.device == "cuda":
            torch.cuda.synchronize()
        millis.append(1e3 * (time.perf_counter() - started))
    measured = {
        "millis": millis,
        "start_mib": start_mib,
        "peak_mib": status_mib("VmHWM"),
        "threads": torch.get_num_threads(),
        "first_loss": terms(*first),
        "last_loss": terms(*last),
        "torch": torch.__version__,
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main()

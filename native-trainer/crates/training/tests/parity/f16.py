"""Makes f16.json: the tiny model in f16 by PyTorch, under autocast with GradScaler. Nothing of it is from the trainer.

    python -m pip install torch numpy
    python f16.py FIXTURES/model_tiny/weights.safetensors FIXTURES/train/batch.safetensors

It has GradScaler's scale over finite and non-finite steps, and a run of CLIP's loss whose parts begin with scales at
which gradients overflow and with others. Both are far from the least scale that overflows: autocast has the gradients of
matrices in f16, the trainer in f32, so they overflow at other scales. For each parameter the file has the L2 norm and
the product with `probe`, so that it stays small.
"""

import sys

import numpy as np
import torch
from fixture_files import summary, tensors, write
from torch.nn.functional import cross_entropy, layer_norm, linear, normalize, softmax

# With a small eps, AdamW would move parameters by the signs of gradients that are only rounding.
RATE, DECAY, BETAS, EPS = 1e-3, 0.1, (0.9, 0.98), 1e-2
HEADS, PATCH = 2, 8
# Scale and steps since its last change that a part of the run begins with, and its steps.
PARTS = [(2.0**26, 0, 3), (2.0**12, 1998, 4), (2.0**24, 5, 2), (2.0**10, 1997, 5)]
# Finite or not, and how many in a row.
SCHEDULE = [(True, 1999), (True, 1), (False, 1), (True, 1999), (False, 3), (True, 2000), (True, 2001), (False, 30)]
SCHEDULE += [(True, 4000)]


def norm(x, p, name):
    """As autocast on CUDA: in f32."""
    x = x.float()
    return layer_norm(x, x.shape[-1:], p[name + ".weight"], p[name + ".bias"], 1e-5)


def block(x, p, name, mask):
    batch, length, width = x.shape
    y = linear(norm(x, p, name + ".ln_1"), p[name + ".attn.in_proj_weight"], p[name + ".attn.in_proj_bias"])
    q, k, v = (t.reshape(batch, length, HEADS, -1).transpose(1, 2) for t in y.chunk(3, -1))
    scores = (q @ k.transpose(2, 3)).float() / (width // HEADS) ** 0.5 + mask
    y = (softmax(scores, -1) @ v).transpose(1, 2).reshape(batch, length, width)
    x = x + linear(y, p[name + ".attn.out_proj.weight"], p[name + ".attn.out_proj.bias"])
    y = linear(norm(x, p, name + ".ln_2"), p[name + ".mlp.c_fc.weight"], p[name + ".mlp.c_fc.bias"])
    y = y * torch.sigmoid(1.702 * y)
    return x + linear(y, p[name + ".mlp.c_proj.weight"], p[name + ".mlp.c_proj.bias"])


def n_blocks(p, prefix):
    return 1 + max(int(name[len(prefix) + 1 :].split(".")[0]) for name in p if name.startswith(prefix + "."))


def image_features(p, images):
    batch, _, side, _ = images.shape
    grid = side // PATCH
    patches = images.reshape(batch, 3, grid, PATCH, grid, PATCH).permute(0, 2, 4, 1, 3, 5)
    weight = p["visual.conv1.weight"]
    x = linear(patches.reshape(batch, grid * grid, -1), weight.reshape(weight.shape[0], -1))
    x = torch.cat([p["visual.class_embedding"].expand(batch, 1, -1), x], 1) + p["visual.positional_embedding"]
    x = norm(x, p, "visual.ln_pre")
    for layer in range(n_blocks(p, "visual.transformer.resblocks")):
        x = block(x, p, f"visual.transformer.resblocks.{layer}", 0.0)
    return norm(x[:, 0], p, "visual.ln_post") @ p["visual.proj"]


def text_features(p, ids):
    x = p["token_embedding.weight"][ids] + p["positional_embedding"]
    mask = torch.full((ids.shape[1], ids.shape[1]), -torch.inf).triu(1)
    for layer in range(n_blocks(p, "transformer.resblocks")):
        x = block(x, p, f"transformer.resblocks.{layer}", mask)
    return norm(x, p, "ln_final")[torch.arange(len(ids)), ids.argmax(-1)] @ p["text_projection"]


def clip_loss(p, images, ids, dtype):
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        image, text = image_features(p, images), text_features(p, ids)
    logits = p["logit_scale"].exp() * normalize(image.float(), dim=-1) @ normalize(text.float(), dim=-1).T
    own = torch.arange(len(ids))
    return (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2


def is_decayed(name, value):
    return value.ndim >= 2 and not any(word in name for word in ["bn", "ln", "bias", "logit_scale"])


def scaler_at(scale, tracker):
    scaler = torch.amp.GradScaler("cpu")
    start = scaler.state_dict()
    assert start == {"scale": 65536.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 2000, "_growth_tracker": 0}
    scaler.load_state_dict(start | {"scale": scale, "_growth_tracker": tracker})
    return scaler


def schedule():
    weight = torch.zeros(1, requires_grad=True)
    optimizer, scaler, scales = torch.optim.SGD([weight], 0.0), torch.amp.GradScaler("cpu"), []
    for is_finite, n in SCHEDULE:
        for _ in range(n):
            optimizer.zero_grad()
            scaler.scale(weight.sum() * (1.0 if is_finite else torch.inf)).backward()
            scaler.step(optimizer)
            scaler.update()
        scales.append([is_finite, n, scaler.get_scale()])
    return scales


def run(start, images, ids):
    p = {name: value.clone().requires_grad_() for name, value in start.items()}
    decayed = [value for name, value in p.items() if is_decayed(name, value)]
    others = [value for name, value in p.items() if not is_decayed(name, value)]
    groups = [{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=BETAS, eps=EPS)
    steps = []
    for scale, tracker, n in PARTS:
        scaler = scaler_at(scale, tracker)
        for _ in range(n):
            optimizer.zero_grad()
            loss = clip_loss(p, images, ids, torch.float16)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            with torch.no_grad():
                p["logit_scale"].clamp_(0, np.log(100))
            steps.append([loss.item(), scaler.get_scale()])
    return {"steps": steps, "final": summary(arrays(p))}


def gradients(start, images, ids, dtype, scale):
    p = {name: value.clone().requires_grad_() for name, value in start.items()}
    (scale * clip_loss(p, images, ids, dtype)).backward()
    return {name: value.grad / scale for name, value in p.items()}


def arrays(p):
    return {name: value.detach().numpy() for name, value in p.items()}


def main():
    start, batch = (
        {name: torch.from_numpy(values.copy()) for name, values in tensors(path).items()} for path in sys.argv[1:3]
    )
    images, ids = batch["images"], batch["texts"][:, 0].long()
    half, full = (gradients(start, images, ids, *how) for how in [(torch.float16, 1024.0), (torch.float32, 1.0)])
    difference = sum(((half[name] - full[name]) ** 2).sum().item() for name in full) ** 0.5
    print("relative difference of f16's gradients to f32's:", difference / sum((full[name] ** 2).sum().item() for name in full) ** 0.5)
    written = {"schedule": schedule(), "parts": PARTS, "gradients": summary(arrays(half)), "run": run(start, images, ids)}
    write(__file__, written)


main()

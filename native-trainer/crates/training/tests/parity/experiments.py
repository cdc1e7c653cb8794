"""Makes experiments.json: runs of the tiny model with locked parts, layer-wise learning rates, low-rank adapters and
SigLIP's loss, in JAX and f64. Nothing of it is from the trainer.

    python -m pip install jax numpy
    python experiments.py FIXTURES/model_tiny/weights.safetensors FIXTURES/train/batch.safetensors

For each parameter the file has the L2 norm and the product with `probe`, so that it stays small.
"""

import re
import sys

import jax
import jax.numpy as jnp
import numpy as np
from fixture_files import probe, summary, tensors, write

jax.config.update("jax_enable_x64", True)
STEPS, WARMUP, RATE, DECAY, BETA1, BETA2, EPS = 6, 2, 1e-3, 0.1, 0.9, 0.98, 1e-6
HEADS, PATCH = 2, 8


def layer_norm(x, p, name):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) / jnp.sqrt(variance + 1e-5) * p[name + ".weight"] + p[name + ".bias"]


def block(x, p, name, mask):
    batch, length, width = x.shape
    y = layer_norm(x, p, name + ".ln_1") @ p[name + ".attn.in_proj_weight"].T + p[name + ".attn.in_proj_bias"]
    q, k, v = (t.reshape(batch, length, HEADS, -1).transpose(0, 2, 1, 3) for t in jnp.split(y, 3, -1))
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(width // HEADS) + mask
    y = (jax.nn.softmax(scores, -1) @ v).transpose(0, 2, 1, 3).reshape(batch, length, width)
    x = x + y @ p[name + ".attn.out_proj.weight"].T + p[name + ".attn.out_proj.bias"]
    y = layer_norm(x, p, name + ".ln_2") @ p[name + ".mlp.c_fc.weight"].T + p[name + ".mlp.c_fc.bias"]
    y = y * jax.nn.sigmoid(1.702 * y)
    return x + y @ p[name + ".mlp.c_proj.weight"].T + p[name + ".mlp.c_proj.bias"]


def n_blocks(p, prefix):
    return 1 + max(int(name[len(prefix) + 1 :].split(".")[0]) for name in p if name.startswith(prefix + "."))


def image_features(p, images):
    batch, _, side, _ = images.shape
    grid = side // PATCH
    patches = images.reshape(batch, 3, grid, PATCH, grid, PATCH).transpose(0, 2, 4, 1, 3, 5)
    weight = p["visual.conv1.weight"]
    x = patches.reshape(batch, grid * grid, -1) @ weight.reshape(weight.shape[0], -1).T
    first = jnp.broadcast_to(p["visual.class_embedding"], (batch, 1, x.shape[-1]))
    x = jnp.concatenate([first, x], 1) + p["visual.positional_embedding"]
    x = layer_norm(x, p, "visual.ln_pre")
    for layer in range(n_blocks(p, "visual.transformer.resblocks")):
        x = block(x, p, f"visual.transformer.resblocks.{layer}", 0.0)
    x = layer_norm(x[:, 0], p, "visual.ln_post") @ p["visual.proj"]
    return x / jnp.linalg.norm(x, axis=-1, keepdims=True)


def text_features(p, ids):
    x = p["token_embedding.weight"][ids] + p["positional_embedding"]
    length = ids.shape[1]
    mask = np.triu(np.full((length, length), -np.inf), 1)
    for layer in range(n_blocks(p, "transformer.resblocks")):
        x = block(x, p, f"transformer.resblocks.{layer}", mask)
    x = layer_norm(x, p, "ln_final")[np.arange(len(ids)), ids.argmax(-1)] @ p["text_projection"]
    return x / jnp.linalg.norm(x, axis=-1, keepdims=True)


def clip_loss(p, images, ids):
    logits = jnp.exp(p["logit_scale"]) * image_features(p, images) @ text_features(p, ids).T
    own = jnp.arange(len(ids))
    of_images = -jax.nn.log_softmax(logits, 1)[own, own].mean()
    return (of_images - jax.nn.log_softmax(logits, 0)[own, own].mean()) / 2


def siglip_loss(p, images, ids):
    """open_clip's SigLipLoss: one sigmoid for each pair of an image and a text."""
    logits = jnp.exp(p["logit_scale"]) * image_features(p, images) @ text_features(p, ids).T + p["logit_bias"]
    labels = 2 * jnp.eye(len(ids)) - 1
    return -jax.nn.log_sigmoid(labels * logits).sum() / len(ids)


def is_decayed(name, value):
    return value.ndim >= 2 and not any(word in name for word in ["bn", "ln", "bias", "logit_scale"])


def learning_rate(step):
    if step < WARMUP:
        return RATE * (step + 1) / WARMUP
    return 0.5 * (1 + np.cos(np.pi * (step - WARMUP) / (STEPS - WARMUP))) * RATE


def train(trained, loss, factor):
    """AdamW with decoupled decay. `loss` takes the trained values; `factor` is a name's share of the learning rate."""
    first = {name: 0 * value for name, value in trained.items()}
    second = dict(first)
    losses, gradient = [], jax.jit(jax.value_and_grad(loss))
    for step in range(STEPS):
        value, gradients = gradient(trained)
        losses.append(float(value))
        for name, g in gradients.items():
            rate = learning_rate(step) * factor(name)
            first[name] = BETA1 * first[name] + (1 - BETA1) * g
            second[name] = BETA2 * second[name] + (1 - BETA2) * g * g
            m, v = first[name] / (1 - BETA1 ** (step + 1)), second[name] / (1 - BETA2 ** (step + 1))
            decay = DECAY if is_decayed(name, trained[name]) else 0
            trained[name] = trained[name] * (1 - rate * decay) - rate * m / (jnp.sqrt(v) + EPS)
        if "logit_scale" in trained:
            trained["logit_scale"] = jnp.clip(trained["logit_scale"], 0, np.log(100))
    return losses, trained


def depth(name):
    """(tower, place from the inputs on): 0 for embeddings, 1 for the first block, ..; None for the logit scale."""
    if name.startswith("logit_"):
        return None, 0
    tower = "image" if name.startswith("visual.") else "text"
    if any(word in name for word in ["ln_post", "visual.proj", "ln_final", "text_projection"]):
        return tower, 99
    found = re.search(r"resblocks\.(\d+)\.", name)
    return tower, int(found[1]) + 1 if found else 0


def locked(start, loss, is_locked):
    fixed = {name: value for name, value in start.items() if is_locked(*depth(name))}
    trained = {name: value for name, value in start.items() if name not in fixed}
    losses, trained = train(trained, lambda trained: loss(fixed | trained), lambda name: 1.0)
    return losses, fixed | trained


def layer_decay(start, loss, decay):
    blocks = {"image": n_blocks(start, "visual.transformer.resblocks"), "text": n_blocks(start, "transformer.resblocks")}

    def factor(name):
        tower, at = depth(name)
        return 1.0 if tower is None or at == 99 else decay ** (blocks[tower] + 1 - at)

    return train(dict(start), loss, factor)


# Where the matrices of adapters are in a block: tensor, and which third of its rows.
ADAPTED = {"q": ("attn.in_proj_weight", 0), "v": ("attn.in_proj_weight", 2), "c_fc": ("mlp.c_fc.weight", None)}
RANK, ALPHA = 3, 6.0


def low_rank(start, loss):
    """LoRA (arXiv 2106.09685): W + ALPHA / RANK * B A, of which A and B alone are trained."""
    adapters = {}
    for prefix in ["visual.transformer.resblocks", "transformer.resblocks"]:
        for layer in range(n_blocks(start, prefix)):
            for matrix, (name, third) in ADAPTED.items():
                n_out, n_in = start[f"{prefix}.{layer}.{name}"].shape
                n_out = n_out if third is None else n_out // 3
                key = f"{prefix}.{layer}.{matrix}"
                adapters[key + ".lora_a"] = 0.1 * jnp.asarray(probe(RANK * n_in)).reshape(RANK, n_in)
                adapters[key + ".lora_b"] = jnp.zeros((n_out, RANK))

    def merged(adapters):
        weights = dict(start)
        for key in (key[: -len(".lora_a")] for key in adapters if key.endswith(".lora_a")):
            block, matrix = key.rsplit(".", 1)
            name, third = ADAPTED[matrix]
            name, update = f"{block}.{name}", ALPHA / RANK * adapters[key + ".lora_b"] @ adapters[key + ".lora_a"]
            first = 0 if third is None else third * update.shape[0]
            weights[name] = weights[name].at[first : first + update.shape[0]].add(update)
        return weights

    losses, adapters = train(adapters, lambda adapters: loss(merged(adapters)), lambda name: 1.0)
    return losses, merged(adapters)


def main():
    start = {name: jnp.asarray(value, jnp.float64) for name, value in tensors(sys.argv[1]).items()}
    batch = tensors(sys.argv[2])
    images, ids = batch["images"].astype(np.float64), batch["texts"][:, 0]

    def clip(p):
        return clip_loss(p, images, ids)

    with_bias = start | {"logit_bias": jnp.asarray(-2.0)}
    runs = {
        "locked_image": locked(start, clip, lambda tower, _: tower == "image"),
        "locked_blocks": locked(start, clip, lambda tower, at: tower == "image" and at <= 1 or tower == "text" and at <= 1),
        "layer_decay": layer_decay(start, clip, 0.5),
        "low_rank": low_rank(start, clip),
        "siglip": train(dict(with_bias), lambda p: siglip_loss(p, images, ids), lambda name: 1.0),
    }
    gradients = jax.grad(lambda p: siglip_loss(p, images, ids))(with_bias)
    written = {name: {"losses": losses, "final": summary(values)} for name, (losses, values) in runs.items()}
    written["siglip"]["gradients"] = summary(gradients)
    write(__file__, written)


main()

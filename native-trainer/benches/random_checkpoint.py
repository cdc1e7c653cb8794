"""Writes a checkpoint of full size with random weights, from a list of a published model's tensors and their shapes:

    python3 native-trainer/benches/random_checkpoint.py \\
        shared-model/tests/fixtures/towers/full_size/panderm_base_dermlip.json panderm
    dermake quantize --format int8 --model panderm --out panderm-int8

`dermake quantize` then reports the cosines of quantized features to dense ones. The tokenizer is a small one of the
fixtures, which has fewer words than the model.
"""

import argparse
import json
import math
import shutil
from pathlib import Path

import numpy

TOWERS = Path(__file__).parents[2] / "shared-model" / "tests" / "fixtures" / "towers"


def values_of(name, shape, random):
    """As an initialization has them: activations neither grow nor shrink from block to block."""
    last = name.rsplit(".", 1)[-1]
    if name == "logit_scale":
        return numpy.full(shape, math.log(100))
    if name == "logit_bias":
        return numpy.full(shape, -10.0)
    if last.startswith("gamma"):
        return numpy.full(shape, 0.1)
    is_norm = any(part in name.lower() for part in ("norm", "ln_"))
    if is_norm and last == "weight":
        return random.lognormal(0.0, 0.3, shape)
    if len(shape) < 2 or "embed" in name.lower() and "patch" not in name:
        return random.normal(0.0, 0.02, shape)
    return random.normal(0.0, 1 / math.sqrt(math.prod(shape[1:])), shape)


def write(path, tensors):
    """safetensors: the length of a JSON header, the header, the values."""
    header, offset = {}, 0
    for name, values in tensors.items():
        size = values.size * 4
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for values in tensors.values():
            file.write(values.astype("<f4").tobytes())


def config_of(names):
    """The name of the config's file, and what the published models say in it."""
    blocks = lambda prefix: 1 + max(int(name[len(prefix) :].split(".")[0]) for name in names if name.startswith(prefix))
    if "vision_model.embeddings.patch_embedding.weight" in names:
        is_siglip = "logit_bias" in names

        def tower(tower):
            hidden, width = names[f"{tower}.encoder.layers.0.mlp.fc1.weight"]
            heads = 16 if width == 1152 else width // 64
            layers = blocks(f"{tower}.encoder.layers.")
            return {"hidden_size": width, "num_attention_heads": heads, "intermediate_size": hidden, "num_hidden_layers": layers}

        patch = names["vision_model.embeddings.patch_embedding.weight"][3]
        n_patches = names["vision_model.embeddings.position_embedding.weight"][0] - (not is_siglip)
        words, positions = (names[f"text_model.embeddings.{table}_embedding.weight"][0] for table in ("token", "position"))
        vision = {**tower("vision_model"), "patch_size": patch, "image_size": math.isqrt(n_patches) * patch}
        text = {**tower("text_model"), "vocab_size": words, "max_position_embeddings": positions}
        embed = 0 if is_siglip else names["visual_projection.weight"][0]
        kind = "siglip" if is_siglip else "clip"
        return "config.json", {"model_type": kind, "projection_dim": embed, "vision_config": vision, "text_config": text}
    bert = {"hf_model_name": "bert", "hf_tokenizer_name": "bert", "hf_proj_type": "mlp", "context_length": 256}
    bert["hf_pooler_type"] = "cls_last_hidden_state_pooler"
    vision = {"timm_model_name": "vit_base_patch16_224", "timm_pool": "", "timm_proj": "linear"}
    if "visual.patch_embed.proj.weight" in names:
        vision = {"layers": 12, "width": 768, "head_width": 64, "patch_size": 16, "image_size": 224}
    embed = names["text.proj.2.weight"][0]
    return "open_clip_config.json", {"model_cfg": {"embed_dim": embed, "vision_cfg": vision, "text_cfg": bert}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", type=Path, help="one of the lists of towers/full_size; not open_clip's SigLIP")
    parser.add_argument("out", type=Path, help="a new folder")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    names = json.loads(arguments.list.read_text())["names"]
    random = numpy.random.default_rng(arguments.seed)
    file, config = config_of(names)
    arguments.out.mkdir(parents=True)
    is_open_clip = file.startswith("open_clip")
    weights = "open_clip_model.safetensors" if is_open_clip else "model.safetensors"
    write(arguments.out / weights, {name: values_of(name, shape, random) for name, shape in names.items()})
    (arguments.out / file).write_text(json.dumps(config))
    if is_open_clip:
        shutil.copy(TOWERS / "tokenizer_bert" / "vocab.txt", arguments.out)
        (arguments.out / "bert").mkdir()
        heads = {"model_type": "bert", "hidden_size": 768, "num_attention_heads": 12, "num_hidden_layers": 12}
        (arguments.out / "bert" / "config.json").write_text(json.dumps({**heads, "intermediate_size": 3072, "vocab_size": 30522}))
    elif config["model_type"] == "siglip":
        for path in (TOWERS / "siglip_tokenizer").iterdir():
            if path.name != "cases.json":
                shutil.copy(path, arguments.out)


if __name__ == "__main__":
    main()

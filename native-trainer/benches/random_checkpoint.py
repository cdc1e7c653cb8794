"""Writes a checkpoint of full size with random weights, from a list of a published model's tensors and their shapes:

    python3 native-trainer/benches/random_checkpoint.py \\
        shared-model/tests/fixtures/towers/full_size/panderm_base_dermlip.json panderm
    dermake quantize --format int8 --model panderm --out panderm-int8

`dermake quantize` then reports the cosines of quantized features to dense ones. Tokenizers are CLIP's and BERT's own;
SigLIP's is a small one of the fixtures, which has fewer words than the model.
"""

import argparse
import gzip
import json
import math
import shutil
from pathlib import Path

import numpy

SHARED_MODEL = Path(__file__).parents[2] / "shared-model"
TOWERS = SHARED_MODEL / "tests" / "fixtures" / "towers"
MERGES = SHARED_MODEL / "data" / "demo" / "clip_merges.bin"
N_MERGES = 49152 - 256 - 2


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
        if not is_siglip:
            # As OpenAI's files have them. An end id of 2 stands for the largest one.
            text.update(bos_token_id=0, eos_token_id=2, pad_token_id=1)
        embed = 0 if is_siglip else names["visual_projection.weight"][0]
        kind = "siglip" if is_siglip else "clip"
        return "config.json", {"model_type": kind, "projection_dim": embed, "vision_config": vision, "text_config": text}
    bert = {"hf_model_name": "bert", "hf_tokenizer_name": "bert", "hf_proj_type": "mlp", "context_length": 256}
    if "visual.patch_embed.proj.weight" in names:
        bert["hf_pooler_type"] = "mean_pooler"
        vision = {"layers": 12, "width": 768, "head_width": 64, "patch_size": 16, "image_size": 224}
    else:
        bert["hf_pooler_type"] = "cls_last_hidden_state_pooler"
        vision = {"timm_model_name": "vit_base_patch16_224", "timm_pool": "", "timm_proj": "linear", "image_size": 224}
    embed = names["text.proj.2.weight"][0]
    return "open_clip_config.json", {"model_cfg": {"embed_dim": embed, "vision_cfg": vision, "text_cfg": bert}}


def preprocessor_of(config):
    """`preprocessor_config.json`, as it is published with these models."""
    side = config["vision_config"]["image_size"]
    rules = {"do_convert_rgb": True, "do_resize": True, "resample": 3, "do_rescale": True, "do_normalize": True}
    rules["rescale_factor"] = 1 / 255
    if config["model_type"] == "siglip":
        half = [0.5] * 3
        sizes = {"size": {"height": side, "width": side}, "image_mean": half, "image_std": half}
        return {**rules, **sizes, "image_processor_type": "SiglipImageProcessor"}
    sizes = {"size": {"shortest_edge": side}, "do_center_crop": True, "crop_size": {"height": side, "width": side}}
    sizes["image_mean"] = [0.48145466, 0.4578275, 0.40821073]
    sizes["image_std"] = [0.26862954, 0.26130258, 0.27577711]
    return {**rules, **sizes, "image_processor_type": "CLIPImageProcessor"}


def write_clip_tokenizer(folder):
    """OpenAI's vocabulary, which follows from the merges: bytes, bytes that end a word, merges, two special tokens."""
    # The first line is a heading; CLIP takes the merges that follow, not those at the end.
    merges = gzip.decompress(MERGES.read_bytes()).decode().splitlines()[1 : 1 + N_MERGES]
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = [chr(byte) for byte in shown] + [chr(0x100 + number) for number in range(256 - len(shown))]
    words = letters + [letter + "</w>" for letter in letters] + [merge.replace(" ", "") for merge in merges]
    words += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: number for number, word in enumerate(words)}))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n")
    start, end = words[-2:]
    special = {"bos_token": start, "eos_token": end, "pad_token": end, "unk_token": end}
    rules = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(rules))


def write_model(layout, out, seed=0):
    """Writes a model folder `out`, which is new, from a list of tensors."""
    names = json.loads(layout.read_text())["names"]
    random = numpy.random.default_rng(seed)
    file, config = config_of(names)
    out.mkdir(parents=True)
    is_open_clip = file.startswith("open_clip")
    weights = "open_clip_model.safetensors" if is_open_clip else "model.safetensors"
    write(out / weights, {name: values_of(name, shape, random) for name, shape in names.items()})
    (out / file).write_text(json.dumps(config))
    if is_open_clip:
        shutil.copy(TOWERS / "tokenizer_bert" / "vocab.txt", out)
        (out / "bert").mkdir()
        bert = {"model_type": "bert", "hidden_size": 768, "num_attention_heads": 12, "num_hidden_layers": 12}
        bert.update(intermediate_size=3072, vocab_size=30522)
        (out / "bert" / "config.json").write_text(json.dumps(bert))
        tokenizer = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 512}
        (out / "tokenizer_config.json").write_text(json.dumps(tokenizer))
        return
    (out / "preprocessor_config.json").write_text(json.dumps(preprocessor_of(config)))
    if config["model_type"] == "siglip":
        shutil.copy(TOWERS / "siglip_tokenizer" / "spiece.model", out)
        rules = json.loads((TOWERS / "siglip_tokenizer" / "tokenizer_config.json").read_text())
        rules["model_max_length"] = config["text_config"]["max_position_embeddings"]
        (out / "tokenizer_config.json").write_text(json.dumps(rules))
    else:
        write_clip_tokenizer(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", type=Path, help="one of the lists of towers/full_size; not open_clip's SigLIP")
    parser.add_argument("out", type=Path, help="a new folder")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    write_model(arguments.list, arguments.out, arguments.seed)


if __name__ == "__main__":
    main()

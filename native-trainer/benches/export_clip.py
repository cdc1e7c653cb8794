"""A random CLIP ViT-B/16 as transformers writes it, and as transformers.js reads it.

Writes two folders. `checkpoint` is what `dermake quantize --model` reads: config, weights, tokenizer and preprocessing.
`transformers.js` has the same model as the pipeline `zero-shot-image-classification` loads it: both towers in one ONNX
file, its weights in 8 bits as the published `model_quantized.onnx` have them, and the same tokenizer and preprocessing.

The weights are normally distributed with the standard deviations that transformers starts a CLIP with. Files that are
there already are left alone.
"""

import argparse
import json
import logging
import shutil
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from open_clip.tokenizer import SimpleTokenizer
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

OPSET = 18
SHARED = ["config.json", "tokenizer.json", "tokenizer_config.json", "preprocessor_config.json"]


class Scores(torch.nn.Module):
    """`input_ids` [T, L], `pixel_values` [B, 3, S, S] -> `logits_per_image` [B, T]."""

    def __init__(self, clip):
        super().__init__()
        self.clip = clip

    def forward(self, input_ids, pixel_values, attention_mask):
        output = self.clip(input_ids=input_ids, pixel_values=pixel_values, attention_mask=attention_mask)
        return output.logits_per_image, output.logits_per_text, output.text_embeds, output.image_embeds


def tokenizer_json():
    """OpenAI's byte-pair encoding as a file of the library `tokenizers`."""
    bpe = SimpleTokenizer()
    merges = sorted(bpe.bpe_ranks, key=bpe.bpe_ranks.get)
    start, end = (bpe.encoder[token] for token in ("<start_of_text>", "<end_of_text>"))
    names = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    special = [(start, names["<start_of_text>"]), (end, names["<end_of_text>"])]
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Removed", "invert": True}
    white = {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": id, "content": name, **flags} for id, name in special],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, white, {"type": "Lowercase"}]},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [split, {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}],
        },
        "post_processor": {
            "type": "RobertaProcessing",
            "sep": [special[1][1], end],
            "cls": [special[0][1], start],
            "trim_offsets": False,
            "add_prefix_space": False,
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": special[1][1],
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>",
            "fuse_unk": False,
            "vocab": {names.get(token, token): id for token, id in bpe.encoder.items()},
            "merges": [" ".join(pair) for pair in merges],
        },
    }


def write_checkpoint(folder):
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    torch.manual_seed(0)
    CLIPModel(CLIPConfig(vision_config={"patch_size": 16})).eval().save_pretrained(part)
    CLIPImageProcessor(size={"shortest_edge": 224}, crop_size={"height": 224, "width": 224}).save_pretrained(part)
    (part / "tokenizer.json").write_text(json.dumps(tokenizer_json()))
    options = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "pad_token": "<|endoftext|>"}
    options |= {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}
    (part / "tokenizer_config.json").write_text(json.dumps(options))
    part.rename(folder)


def write_rival(checkpoint, folder):
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    (part / "onnx").mkdir(parents=True)
    clip = CLIPModel.from_pretrained(checkpoint, attn_implementation="eager").eval()
    texts, images = torch.export.Dim("texts"), torch.export.Dim("images")
    length = torch.export.Dim("length", max=clip.config.text_config.max_position_embeddings)
    ids = torch.full((3, 12), clip.config.text_config.eos_token_id)
    program = torch.onnx.export(
        Scores(clip).eval(),
        (ids, torch.zeros(2, 3, 224, 224), torch.ones_like(ids)),
        input_names=["input_ids", "pixel_values", "attention_mask"],
        output_names=["logits_per_image", "logits_per_text", "text_embeds", "image_embeds"],
        dynamic_shapes=({0: texts, 1: length}, {0: images}, {0: texts, 1: length}),
        opset_version=OPSET,
        external_data=False,
        dynamo=True,
        verbose=False,
    )
    program.save(part / "model.onnx")
    quantize_dynamic(part / "model.onnx", part / "onnx/model_quantized.onnx", weight_type=QuantType.QUInt8)
    (part / "model.onnx").unlink()
    for name in SHARED:
        shutil.copy(checkpoint / name, part)
    part.rename(folder)


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    logging.disable(logging.WARNING)
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "checkpoint").exists():
        write_checkpoint(out / "checkpoint")
    if not (out / "transformers.js").exists():
        write_rival(out / "checkpoint", out / "transformers.js")


if __name__ == "__main__":
    main()

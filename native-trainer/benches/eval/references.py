"""The Python models that `reference.py` runs: open_clip's, transformers' and, for PanDerm, a definition of our own.

Each has `transform` (a picture to `pixel_values`), `encode_image` (a batch of these to unit features) and `classifier`
(classes and templates to `[E, C]`). A loader takes the model's folder, which is also the working directory.
"""

import json
from pathlib import Path

import torch
from torch.nn.functional import normalize


class OpenClip:
    """A model of open_clip's own, or a CustomTextCLIP with towers of timm and transformers."""

    packages = ("open_clip_torch", "timm")

    def __init__(self, folder):
        import open_clip

        self.model, self.transform = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
        self.model.eval()
        self.tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")

    def encode_image(self, pixel_values):
        return self.model.encode_image(pixel_values, normalize=True)

    def classifier(self, class_names, templates):
        import open_clip

        return open_clip.build_zero_shot_classifier(self.model, self.tokenizer, class_names, templates)


class PanDerm(OpenClip):
    """`panderm.py`, with open_clip's preprocessing and text tower, as its published loader does."""

    packages = ("open_clip_torch",)

    def __init__(self, folder):
        import open_clip
        from open_clip.transform import image_transform_v2
        from panderm import load, preprocess_config

        self.model = load(folder)
        self.transform = image_transform_v2(preprocess_config(folder), is_train=False)
        text = json.loads((Path(folder) / "open_clip_config.json").read_text())["model_cfg"]["text_cfg"]
        self.tokenizer = open_clip.tokenizer.HFTokenizer(str(folder), context_length=text["context_length"])


class Transformers:
    """`CLIPModel` and `SiglipModel`, with the image processor and the tokenizer beside the weights."""

    packages = ("transformers",)

    def __init__(self, folder):
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

        self.model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
        self.processor = AutoImageProcessor.from_pretrained(folder)
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.is_siglip = self.model.config.model_type == "siglip"

    def transform(self, picture):
        return self.processor(images=picture.convert("RGB"), return_tensors="pt")["pixel_values"][0]

    def encode_image(self, pixel_values):
        return normalize(pooled(self.model.get_image_features(pixel_values=pixel_values)), dim=-1)

    def classifier(self, class_names, templates):
        """The mean of a class's prompts, normalized again."""
        of = lambda name: self.encode_texts([template.format(name) for template in templates]).mean(dim=0)
        return normalize(torch.stack([of(name) for name in class_names]), dim=-1).T

    def encode_texts(self, texts):
        length = self.model.config.text_config.max_position_embeddings
        padding = "max_length" if self.is_siglip else True
        ids = self.tokenizer(texts, padding=padding, truncation=True, max_length=length, return_tensors="pt")
        mask = {} if self.is_siglip else {"attention_mask": ids["attention_mask"]}
        return normalize(pooled(self.model.get_text_features(input_ids=ids["input_ids"], **mask)), dim=-1)


def pooled(output):
    """A tensor; from transformers 5 on, it is a field of the output."""
    return output if isinstance(output, torch.Tensor) else output.pooler_output


LOADERS = {"open_clip": OpenClip, "panderm": PanDerm, "transformers": Transformers}

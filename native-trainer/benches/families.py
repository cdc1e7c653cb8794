"""The families of models that are compared with their Python references, by the names that `--family` takes."""

from dataclasses import dataclass
from pathlib import Path

TOWERS = Path(__file__).parents[2] / "shared-model" / "tests" / "fixtures" / "towers"


@dataclass(frozen=True)
class Family:
    """One family: a published layout of full size, a small model of the fixtures, and who computes the reference."""

    layout: str  # a list of tensors and shapes in full_size/
    reference: str  # a loader of references.py
    small: str = ""  # a model folder of the fixtures that the reference loads as it is
    tokenizer: str = ""  # a folder of the fixtures, for a small model without a tokenizer


FAMILIES = {
    "clip": Family("hf_clip_vit_base_patch32", "transformers", "hf_clip/openai"),
    "biomedclip": Family("open_clip_biomedclip", "open_clip"),
    "panderm": Family("panderm_base_dermlip", "panderm", "panderm/large"),
    "siglip": Family("hf_siglip_base_patch16_224", "transformers", "hf_siglip/siglip", "siglip_tokenizer"),
}

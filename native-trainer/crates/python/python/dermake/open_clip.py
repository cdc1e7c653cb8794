"""open_clip's functions on Dermake's models: a drop-in for its zero-shot example.

    >>> from PIL import Image
    >>> from dermake import open_clip  # in place of: import open_clip
    >>> model, _, preprocess = open_clip.create_model_and_transforms("hf-hub:xieji-x/MAKE")
    >>> tokenizer = open_clip.get_tokenizer("hf-hub:xieji-x/MAKE")
    >>> image = preprocess(Image.open("photo.jpg")).unsqueeze(0)
    >>> text = tokenizer(["a photo of a nevus", "a photo of a melanoma"])
    >>> image_features = model.encode_image(image)
    >>> text_features = model.encode_text(text)
    >>> probabilities = (100.0 * image_features @ text_features.T).softmax(dim=-1)

Tensors of PyTorch where it is installed, else arrays of NumPy. Features have unit length already; bringing them to unit
length again changes nothing. There are no gradients: train with ``dermake train``.
"""

import math

import numpy as np

from . import _dermake

try:
    import torch
except ImportError:
    torch = None

__all__ = ["create_model_and_transforms", "create_model_from_pretrained", "get_tokenizer"]


def _tensor(array):
    return array if torch is None else torch.from_numpy(array)


def _array(tensor, dtype):
    if torch is not None and isinstance(tensor, torch.Tensor):
        tensor = tensor.detach().cpu().numpy()
    return np.ascontiguousarray(tensor, dtype=dtype)


# Weights file, if one was named, and model, by name and device; a weights file's name is its architecture.
_loaded = {}


def _load(model_name, device, weights=None):
    key = (model_name, device)
    if weights is not None:
        _loaded[key] = weights, _dermake.load(weights, arch=model_name, device=device)
    elif key not in _loaded or _loaded[key][0] is not None:
        _loaded[key] = None, _dermake.load(model_name, device=device)
    return _loaded[key][1]


class CLIP:
    """A model with the methods of open_clip's."""

    def __init__(self, model):
        self.model = model
        self.logit_scale = _tensor(np.asarray(math.log(model.logit_scale or 100.0), dtype=np.float32))

    def encode_image(self, image, normalize=True):
        """Returns the features of ``preprocess``'s pixels, ``(B, E)``, rows of unit length."""
        _only_unit_length(normalize)
        return _tensor(self.model.encode_image(_array(image, np.float32)))

    def encode_text(self, text, normalize=True):
        """Returns the features of the tokenizer's ids, ``(n, E)``, rows of unit length."""
        _only_unit_length(normalize)
        return _tensor(self.model.encode_text(_array(text, np.int64)))

    def __call__(self, image, text):
        """Returns image features, text features and the scale, as open_clip's model does."""
        scale = self.logit_scale.exp() if torch is not None else np.exp(self.logit_scale)
        return self.encode_image(image), self.encode_text(text), scale

    def eval(self):
        """Returns the model: it is never in training."""
        return self


def create_model_and_transforms(model_name, pretrained=None, *, device="cpu", **options):
    """Loads a model; returns it and twice its ``preprocess``, as open_clip does.

    ``model_name`` is a model of ``dermake.load``. As in open_clip, ``pretrained`` may be a weights file instead, and
    ``model_name`` its architecture.
    """
    _refuse(options)
    loaded = _load(model_name, str(device), pretrained or None)

    def preprocess(image):
        return _tensor(loaded.preprocess(image))

    return CLIP(loaded), preprocess, preprocess


def create_model_from_pretrained(model_name, pretrained=None, *, device="cpu", **options):
    """Loads a model; returns it and its ``preprocess``."""
    model, _, preprocess = create_model_and_transforms(model_name, pretrained, device=device, **options)
    return model, preprocess


def get_tokenizer(model_name):
    """Returns the tokenizer of a model: a function from texts to ids ``(n, L)``.

    A model that was created on another device is not loaded again.
    """
    created = [model for (name, _), (_, model) in _loaded.items() if name == model_name]
    model = created[0] if created else _load(model_name, "cpu")

    def tokenizer(texts, context_length=None):
        ids = model.tokenize([texts] if isinstance(texts, str) else list(texts))
        if context_length not in (None, model.context_length):
            raise _dermake.Error(f"context_length is {context_length}, expected {model.context_length}, the model's")
        return _tensor(ids)

    return tokenizer


def _only_unit_length(normalize):
    if not normalize:
        raise _dermake.Error("normalize is False, but features have unit length here: leave it out")


def _refuse(options):
    for name in options:
        raise TypeError(f"{name} is an option of open_clip that dermake.open_clip does not have")

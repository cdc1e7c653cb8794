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

Tensors of PyTorch where it is installed, else arrays of NumPy, which have neither ``unsqueeze`` nor ``softmax``. Features
have unit length already; bringing them to unit length again changes nothing. There are no gradients: train with ``dermake
train``.
"""

from __future__ import annotations

import math
import os
import weakref
from typing import Any, Iterable, MutableMapping, Optional, Tuple, Union

import numpy as np

from . import _dermake
from ._images import Image

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

__all__ = ["create_model_and_transforms", "create_model_from_pretrained", "get_tokenizer"]

# Of PyTorch where it is installed, else an array of NumPy.
Tensor = Any
_Path = Union[str, os.PathLike[str]]

# The model that was created last by this name, as long as something uses it, and what it was created with.
_models: MutableMapping[str, _dermake.Model] = weakref.WeakValueDictionary()
_arguments: dict[str, tuple[Optional[_Path], str]] = {}


def _tensor(array: Any) -> Tensor:
    return array if torch is None else torch.from_numpy(array)


def _array(tensor: Tensor, dtype: Any) -> Any:
    if torch is not None and isinstance(tensor, torch.Tensor):
        tensor = tensor.detach().cpu().numpy()
    return np.ascontiguousarray(tensor, dtype=dtype)


def _load(model_name: _Path, pretrained: Optional[_Path], device: str) -> _dermake.Model:
    if pretrained is None:
        model = _dermake.load(model_name, device=device)
    else:
        model = _load_weights(str(model_name), pretrained, device)
    name = os.fspath(model_name)
    _models[name], _arguments[name] = model, (pretrained, device)
    return model


def _load_weights(architecture: str, weights: _Path, device: str) -> _dermake.Model:
    try:
        return _dermake.load(weights, arch=architecture, device=device)
    except _dermake.ModelError as error:
        if os.path.exists(os.path.expanduser(weights)) or ":" in os.fspath(weights):
            raise
        example = 'create_model_and_transforms("hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K")'
        raise _dermake.ModelError(
            f"pretrained is {os.fspath(weights)!r}, expected a weights file; where open_clip knows the weights by a name, "
            f"give the model's name on the hub alone, as in {example}: {error}"
        ) from error


class CLIP:
    """A model with the methods of open_clip's."""

    def __init__(self, model: _dermake.Model) -> None:
        self.model = model
        self.logit_scale = _tensor(np.asarray(math.log(model.logit_scale or 100.0), dtype=np.float32))

    def encode_image(self, image: Tensor, normalize: bool = True) -> Tensor:
        """Returns the features of ``preprocess``'s pixels, ``(B, E)``, rows of unit length."""
        _only_unit_length(normalize)
        return _tensor(self.model.encode_image(_array(image, np.float32)))

    def encode_text(self, text: Tensor, normalize: bool = True) -> Tensor:
        """Returns the features of the tokenizer's ids, ``(n, E)``, rows of unit length."""
        _only_unit_length(normalize)
        return _tensor(self.model.encode_text(_array(text, np.int64)))

    def __call__(self, image: Tensor, text: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """Returns image features, text features and the scale, as open_clip's model does."""
        scale = self.logit_scale.exp() if torch is not None else np.exp(self.logit_scale)
        return self.encode_image(image), self.encode_text(text), scale

    def eval(self) -> CLIP:
        """Returns the model: it is never in training."""
        return self


class Preprocess:
    """From an image to the pixels that a model sees, ``(3, S, S)``, as MAKE's evaluation does it.

    It holds no model: it can be pickled, and the processes of a ``DataLoader`` may call it, forked or spawned.
    """

    def __init__(self, model: _dermake.Model) -> None:
        self._pixels = model._preprocess()

    def __call__(self, image: Image) -> Tensor:
        return _tensor(self._pixels(image))


class Tokenizer:
    """From texts to the ids that a model reads, ``(n, L)``."""

    def __init__(self, model: _dermake.Model) -> None:
        self._model = model

    def __call__(self, texts: Union[str, Iterable[str]], context_length: Optional[int] = None) -> Tensor:
        ids = self._model.tokenize([texts] if isinstance(texts, str) else list(texts))
        expected = self._model.context_length
        if context_length not in (None, expected):
            raise _dermake.Error(f"context_length is {context_length}, expected {expected}, the model's")
        return _tensor(ids)


def create_model_and_transforms(
    model_name: _Path, pretrained: Optional[_Path] = None, *, device: Any = "cpu", **options: Any
) -> Tuple[CLIP, Preprocess, Preprocess]:
    """Loads a model; returns it and twice its ``preprocess``, as open_clip does.

    ``model_name`` is a model of ``dermake.load``. As in open_clip, ``pretrained`` may be a weights file instead, and
    ``model_name`` its architecture; the names of open_clip's own list of weights are not known.
    """
    _refuse(options)
    model = _load(model_name, pretrained or None, str(device))
    preprocess = Preprocess(model)
    return CLIP(model), preprocess, preprocess


def create_model_from_pretrained(
    model_name: _Path, pretrained: Optional[_Path] = None, *, device: Any = "cpu", **options: Any
) -> Tuple[CLIP, Preprocess]:
    """Loads a model; returns it and its ``preprocess``."""
    model, _, preprocess = create_model_and_transforms(model_name, pretrained, device=device, **options)
    return model, preprocess


def get_tokenizer(model_name: _Path) -> Tokenizer:
    """Returns the tokenizer of a model: a function from texts to ids ``(n, L)``.

    A model that was created by this name and is still used is not loaded again.
    """
    name = os.fspath(model_name)
    model = _models.get(name)
    if model is None:
        model = _load(name, *_arguments.get(name, (None, "cpu")))
    return Tokenizer(model)


def _only_unit_length(normalize: bool) -> None:
    if not normalize:
        raise _dermake.Error("normalize is False, but features have unit length here: leave it out")


def _refuse(options: Iterable[str]) -> None:
    for name in options:
        raise TypeError(f"{name} is an option of open_clip that dermake.open_clip does not have")

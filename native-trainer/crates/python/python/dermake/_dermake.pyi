from os import PathLike
from typing import Any, Iterable, Literal, TypeVar, Union, overload

import numpy as np
from numpy.typing import NDArray

from ._images import Image
from ._predictions import Predictions, Presence

# A list of paths is no list of images to a type checker, unless the kind of image is a variable.
_AnImage = TypeVar("_AnImage", bound=Image)

class Finding(Presence, total=False):
    typical: bool
    """Whether textbooks name it for `typical_of`; absent without that, and if there is no list for the label."""

class Error(Exception):
    """Something that Dermake could not do; the message says what to do."""

class ModelError(Error):
    """A model that is not there, or cannot be used."""

class ImageError(Error):
    """An image that cannot be read."""

class LabelError(Error):
    """Labels, templates, concepts or texts that cannot be used."""

__version__: str

def load(
    model: Union[str, PathLike[str]] = "demo",
    *,
    arch: str | None = None,
    device: str = "cpu",
    dtype: Literal["f32", "bf16", "f16"] = "f32",
) -> Model:
    """Loads a model.

    model: "demo" (small, trained on drawn pictures), "hf-hub:owner/name", a folder with a config and weights of
    open_clip or transformers, a folder of `dermake quantize`, or a weights file.
    arch: the kind of model in a weights file without a config, such as "ViT-B-16".
    """

def label_sets() -> dict[str, list[str]]:
    """Returns the built-in label sets: the class names of "pad", "f17k", "snu" and "sd128"."""

def concepts() -> list[str]:
    """Returns the names of the 64 known concepts."""

def _evaluate(models: list[Model], options: dict[str, Any]) -> dict[str, Any]: ...

class Model:
    """A model that ranks labels for images. Made by `load`. Threads may share it: the GIL is released."""

    @property
    def name(self) -> str:
        """The name of the model's folder, file or repository."""
    @property
    def embed_dim(self) -> int:
        """The length E of a feature."""
    @property
    def image_size(self) -> int:
        """The side S of the square of pixels that the model sees."""
    @property
    def context_length(self) -> int:
        """The number L of tokens of a text."""
    @property
    def is_trained(self) -> bool:
        """False for random weights, whose answers mean nothing."""
    @property
    def notice(self) -> str | None:
        """What people must know about the model."""
    @property
    def logit_scale(self) -> float | None:
        """The scale that the model learned for its logits."""
    @overload
    def classify(
        self,
        image: list[_AnImage] | tuple[_AnImage, ...],
        labels: str | PathLike[str] | Iterable[str] | None = None,
        *,
        templates: str | Iterable[str] | None = None,
        top_k: int = 5,
        scale: float | Literal["own", "calibrated"] | None = None,
        as_reference: bool = False,
    ) -> list[Predictions]: ...
    @overload
    def classify(
        self,
        image: Image,
        labels: str | PathLike[str] | Iterable[str] | None = None,
        *,
        templates: str | Iterable[str] | None = None,
        top_k: int = 5,
        scale: float | Literal["own", "calibrated"] | None = None,
        as_reference: bool = False,
    ) -> Predictions:
        """Ranks labels for an image, or for each image of a list, the most likely first.

        The answer to an image is a list of dictionaries. Its attribute `certainty` says whether to believe them, or is
        None if the model is not calibrated for these labels; `scale` is the factor between cosines and logits.

        labels: "pad" (the default), "f17k", "snu", "sd128", a file, names separated by commas, or a list of names.
        templates: sentences with {} in place of the label; by default MAKE's eight skin templates.
        scale: the factor between cosines and logits: a number, "own" (what the model learned) or "calibrated" (the
        default: what `dermake calibrate` has fitted, 100 for labels without it).
        as_reference: ignore EXIF orientation and color profiles, as MAKE's evaluation does.
        """
    @overload
    def annotate(
        self,
        image: list[_AnImage] | tuple[_AnImage, ...],
        concepts: str | PathLike[str] | Iterable[str] | None = None,
        *,
        top_k: int = 8,
        typical_of: str | None = None,
        as_reference: bool = False,
    ) -> list[list[Finding]]: ...
    @overload
    def annotate(
        self,
        image: Image,
        concepts: str | PathLike[str] | Iterable[str] | None = None,
        *,
        top_k: int = 8,
        typical_of: str | None = None,
        as_reference: bool = False,
    ) -> list[Finding]:
        """Scores clinical concepts for an image, or for each image of a list, the most present first.

        concepts: names separated by commas, a file, or a list of names; by default the known ones.
        typical_of: a condition. Concepts that textbooks name for it are marked, and are there beyond top_k, too.
        """
    def embed_image(self, image: Image, *, as_reference: bool = False) -> NDArray[np.float32]:
        """Returns the feature of an image, `(E,)`, of unit length."""
    def embed_images(
        self, images: Iterable[Image] | NDArray[np.uint8], *, as_reference: bool = False
    ) -> NDArray[np.float32]:
        """Returns the features of images, `(n, E)`, rows of unit length. Images are decoded in several threads."""
    @overload
    def embed_text(self, text: str) -> NDArray[np.float32]: ...
    @overload
    def embed_text(self, text: Iterable[str]) -> NDArray[np.float32]:
        """Returns the feature of a text, `(E,)`, or of each text of a list, `(n, E)`, of unit length."""
    def classifier(
        self,
        labels: str | PathLike[str] | Iterable[str] | None = None,
        *,
        templates: str | Iterable[str] | None = None,
    ) -> NDArray[np.float32]:
        """Returns the weights of a zero-shot classifier, `(E, C)`: a column of unit length for each label."""
    def preprocess(self, image: Image, *, as_reference: bool = False) -> NDArray[np.float32]:
        """Returns the pixels that the model sees of an image, normalized: `(3, S, S)`."""
    def _preprocess(self) -> _Preprocess:
        """Returns what `preprocess` does as the reference, by itself."""
    def encode_image(self, pixel_values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Encodes pixels of `preprocess`, `(B, 3, S, S)`; returns `(B, E)`, rows of unit length."""
    def tokenize(self, text: str | Iterable[str]) -> NDArray[np.int64]:
        """Tokenizes texts: ids `(n, L)`, padded to the context length."""
    def encode_text(self, input_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Encodes ids of `tokenize`; returns `(n, E)`, rows of unit length."""

class _Preprocess:
    """The preprocessing of a model, without the model: it can be pickled, and called in a forked process."""

    def __init__(self, config: str) -> None: ...
    def __call__(self, image: Image) -> NDArray[np.float32]: ...

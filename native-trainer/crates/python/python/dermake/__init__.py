"""Zero-shot dermatology: CLIP models for skin photos.

    >>> import dermake
    >>> model = dermake.load("hf-hub:xieji-x/MAKE")  # or a folder, a file, or "demo"
    >>> model.classify("photo.jpg", ["nevus", "melanoma"], top_k=1)
    [{'label': 'nevus', 'probability': 0.93..., 'logit': 27.1...}]

Research software, not a medical device. Everything is computed by the library of the program ``dermake``, which this
package brings, too: the same files give the same answers. Functions release the GIL, and Ctrl-C stops them. Warnings go
to ``logging.getLogger("dermake")``.
"""

from ._dermake import (
    Error,
    ImageError,
    LabelError,
    Model,
    ModelError,
    __version__,
    concepts,
    label_sets,
    load,
)
from ._evaluate import evaluate
from ._predictions import Predictions

__all__ = [
    "Error",
    "ImageError",
    "LabelError",
    "Model",
    "ModelError",
    "Predictions",
    "__version__",
    "concepts",
    "evaluate",
    "label_sets",
    "load",
]

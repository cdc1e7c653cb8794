"""The answer to one image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable, List

if TYPE_CHECKING:
    from ._dermake import Certainty, Prediction


class Predictions(List["Prediction"]):
    """Ranked labels, the most likely first: a list of dictionaries with ``label``, ``probability`` and ``logit``.

    Attributes:
        certainty: whether to believe them, or None if the model is not calibrated for these labels
            (``dermake calibrate``).
        scale: the factor between cosines and logits.
    """

    certainty: Certainty | None
    scale: float

    def __init__(self, predictions: Iterable[Prediction], certainty: Certainty | None, scale: float) -> None:
        super().__init__(predictions)
        self.certainty = certainty
        self.scale = scale

"""The answer to one image."""

from __future__ import annotations

from typing import Iterable, List, Optional, TypedDict


class Prediction(TypedDict):
    label: str
    probability: float
    """Softmax over the labels."""
    logit: float
    """The scale times the cosine."""


class Certainty(TypedDict):
    unsure: bool
    """At this probability, the first label is more often wrong than right."""
    none_of_these: bool
    """None of the labels fits the image."""
    match_score: float
    """How well the labels fit: 0 for an average image of theirs."""
    match_threshold: float
    """Below it, none of the labels fits."""


class Presence(TypedDict):
    concept: str
    score: float
    """Above 0.5, the image is closer to the sentences that name the concept; it is no probability."""


class Predictions(List[Prediction]):
    """Ranked labels, the most likely first: a list of dictionaries with ``label``, ``probability`` and ``logit``.

    Attributes:
        certainty: whether to believe them, or None if the model is not calibrated for these labels
            (``dermake calibrate``).
        scale: the factor between cosines and logits.
    """

    certainty: Optional[Certainty]
    scale: float

    def __init__(self, predictions: Iterable[Prediction], certainty: Optional[Certainty], scale: float) -> None:
        super().__init__(predictions)
        self.certainty = certainty
        self.scale = scale

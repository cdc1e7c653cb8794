"""Evaluation on a data set or on benchmarks."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, Iterable, List, Literal, Optional, Sequence, SupportsFloat, Tuple, Type, Union

import numpy as np

from . import _dermake

_Path = Union[str, os.PathLike[str]]
_Model = Union[_dermake.Model, str, os.PathLike[str]]


def evaluate(
    model: Union[_Model, Sequence[_Model]],
    data: _Path,
    *,
    labels: Union[_Path, Iterable[str], None] = None,
    image_column: Optional[str] = None,
    label_column: Optional[str] = None,
    caption_column: Optional[str] = None,
    images: Optional[_Path] = None,
    split: Optional[str] = None,
    only: Union[str, Iterable[str]] = (),
    protocol: Literal["all", "released", "dermfm-zero"] = "all",
    max_unreadable: float = 0.01,
    exclude: Optional[_Path] = None,
    scale: Literal[100, "100", "own", "calibrated"] = 100,
    templates: Union[str, Iterable[str], None] = None,
    embeddings: Optional[_Path] = None,
    predictions: Optional[_Path] = None,
    concept_scores: Optional[_Path] = None,
    map: Optional[Literal["tsne", "pca"]] = None,
    out: Optional[_Path] = None,
    cache: Optional[_Path] = None,
    use_cache: bool = True,
) -> Dict[str, Any]:
    """Measures models on your own photos or on benchmarks; returns what ``dermake eval`` writes to ``results.json``.

    The options are those of the program (``dermake eval --help``), with ``_`` for ``-``.

    Args:
        model: a model of ``load``, or what ``load`` takes; a list of several compares them. Their files are read again.
        data: your photos (a folder with a folder for each class, a table with an image and a label in each row,
            Parquet or tar files), or the folder of the benchmarks.
        labels: the classes to choose from: names, separated by commas or as a list, a file, or "pad", "f17k", "snu" or
            "sd128". Without it, those that occur.
        image_column, label_column, caption_column: columns of your table, where they have no usual name.
        images: the folder where the image names of your table start, if they are not beside the table.
        split: "train", "validation" (also "val", "valid" or "dev") or "test".
        only: keys of the benchmarks to run.
        protocol: "all", "released" or "dermfm-zero".
        max_unreadable: largest share of a table's rows without a readable image.
        exclude: a list of images without which all metrics are given, too.
        scale: the factor between cosines and logits: 100, "own" (what the model learned) or "calibrated".
        templates: sentences with {} in place of the label, for classifications; by default MAKE's eight skin
            templates.
        embeddings: a file for the feature of every scored image: .csv, .tsv, .parquet or .npy.
        predictions: a file for the answer to every image of the classifications, likewise.
        concept_scores: a file for the scores of the images of benchmarks with concepts, likewise.
        map: "tsne" or "pca" draws a map of the images of each classification into the report; needs ``out``.
        out: a folder for results.json, results.md, report.html, drawings and predictions.
        cache: folder of the cache of features, by default the user's; ``use_cache=False`` keeps none.

    Returns:
        A dictionary: ``results["benchmarks"][0]["metrics"]`` has the metrics, each with key, value and interval. Of
        several models, ``results["models"]`` has such a dictionary for each, and ``results["differences"]`` compares
        each pair by a paired bootstrap.
    """
    if labels is not None and not isinstance(labels, (str, os.PathLike)):
        labels = json.dumps(_texts("labels", labels))
    models: List[Any] = list(model) if isinstance(model, (list, tuple)) else [model]
    if not models:
        raise ValueError("model: expected at least one, found an empty list")
    options = {
        "data": _path("data", data),
        "labels": _optional_path("labels", labels),
        "image_column": _text("image_column", image_column),
        "label_column": _text("label_column", label_column),
        "caption_column": _text("caption_column", caption_column),
        "images": _optional_path("images", images),
        "split": _text("split", split),
        "only": _texts("only", only),
        "protocol": _of(str, "protocol", protocol, "a text"),
        "max_unreadable": _number("max_unreadable", max_unreadable),
        "exclude": _optional_path("exclude", exclude),
        "scale": "100" if scale == 100 else str(scale),
        "templates": _texts("templates", () if templates is None else templates),
        "embeddings": _optional_path("embeddings", embeddings),
        "predictions": _optional_path("predictions", predictions),
        "concept_scores": _optional_path("concept_scores", concept_scores),
        "map": _text("map", map),
        "out": _optional_path("out", out),
        "cache": _optional_path("cache", cache),
        "use_cache": bool(_of((bool, np.bool_), "use_cache", use_cache, "True or False")),
    }
    loaded = [one if isinstance(one, _dermake.Model) else _dermake.load(one) for one in models]
    return _dermake._evaluate(loaded, options)


def _of(kinds: Union[Type[Any], Tuple[Type[Any], ...]], name: str, value: Any, expected: str) -> Any:
    if not isinstance(value, kinds):
        raise TypeError(f"{name}: expected {expected}, found {type(value).__name__}")
    return value


def _path(name: str, value: Any) -> str:
    path = os.fspath(_of((str, os.PathLike), name, value, "a path"))
    return _of(str, name, path, "a path of text")


def _optional_path(name: str, value: Any) -> Optional[str]:
    return None if value is None else _path(name, value)


def _text(name: str, value: Any) -> Optional[str]:
    return None if value is None else _of(str, name, value, "a text")


def _number(name: str, value: Any) -> float:
    _of(SupportsFloat, name, value, "a number")
    return float(value)


def _texts(name: str, value: Any) -> List[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, Iterable) or isinstance(value, (bytes, bytearray)):
        raise TypeError(f"{name}: expected a text or a list of texts, found {type(value).__name__}")
    texts = list(value)
    for at, text in enumerate(texts, 1):
        if not isinstance(text, str):
            found = f"{type(text).__name__} in it, as item {at}"
            raise TypeError(f"{name}: expected a list of texts, found {found}")
    return texts

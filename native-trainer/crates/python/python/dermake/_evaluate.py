"""Evaluation on a data set or on benchmarks."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Iterable, Literal, Sequence, Union

from . import _dermake

if TYPE_CHECKING:
    _Path = Union[str, os.PathLike[str]]
    _Model = Union[_dermake.Model, str, os.PathLike[str]]


def evaluate(
    model: _Model | Sequence[_Model],
    data: _Path,
    *,
    labels: _Path | Iterable[str] | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    caption_column: str | None = None,
    images: _Path | None = None,
    split: str | None = None,
    only: str | Iterable[str] = (),
    protocol: Literal["all", "released", "dermfm-zero"] = "all",
    max_unreadable: float = 0.01,
    exclude: _Path | None = None,
    scale: Literal[100, "100", "own", "calibrated"] = 100,
    templates: str | Iterable[str] | None = None,
    embeddings: _Path | None = None,
    predictions: _Path | None = None,
    concept_scores: _Path | None = None,
    map: Literal["tsne", "pca"] | None = None,
    out: _Path | None = None,
    cache: _Path | None = None,
    use_cache: bool = True,
) -> dict[str, Any]:
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
        labels = json.dumps(list(labels))
    models = list(model) if isinstance(model, (list, tuple)) else [model]
    if not models:
        raise ValueError("model: expected at least one, found an empty list")
    options = {
        "data": os.fspath(data),
        "labels": _path(labels),
        "image_column": image_column,
        "label_column": label_column,
        "caption_column": caption_column,
        "images": _path(images),
        "split": split,
        "only": _texts(only),
        "protocol": protocol,
        "max_unreadable": max_unreadable,
        "exclude": _path(exclude),
        "scale": "100" if scale == 100 else str(scale),
        "templates": _texts(() if templates is None else templates),
        "embeddings": _path(embeddings),
        "predictions": _path(predictions),
        "concept_scores": _path(concept_scores),
        "map": map,
        "out": _path(out),
        "cache": _path(cache),
        "use_cache": use_cache,
    }
    loaded = [one if isinstance(one, _dermake.Model) else _dermake.load(one) for one in models]
    return _dermake._evaluate(loaded, options)


def _path(value: _Path | None) -> str | None:
    return None if value is None else os.fspath(value)


def _texts(value: str | Iterable[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)

"""Evaluation on a data set or on benchmarks."""

import os

from . import _dermake


def _path(value):
    return None if value is None else os.fspath(value)


def evaluate(
    model,
    data,
    *,
    labels=None,
    image_column=None,
    label_column=None,
    caption_column=None,
    split=None,
    only=(),
    protocol="all",
    max_unreadable=0.01,
    exclude=None,
    scale=100,
    cache=None,
    use_cache=True,
    out=None,
):
    """Measures a model on your own photos or on benchmarks; returns what ``dermake eval`` writes to ``results.json``.

    The options are those of the program: ``dermake eval --help``.

    Args:
        model: a model of ``load``. Its files are read again.
        data: your photos (a folder with a folder for each class, a table with an image and a label in each row,
            Parquet or tar files), or the folder of the benchmarks.
        labels: the classes to choose from: names, separated by commas or as a list, a file, or "pad", "f17k", "snu" or
            "sd128". Without it, those that occur.
        image_column, label_column, caption_column: columns of your table, where they have no usual name.
        split: "train", "validation" or "test".
        only: keys of the benchmarks to run.
        protocol: "all", "released" or "dermfm-zero".
        max_unreadable: largest share of a table's rows without a readable image.
        exclude: a list of images without which all metrics are given, too.
        scale: the factor between cosines and logits: 100, "own" (what the model learned) or "calibrated".
        cache: folder of the cache of features, by default the user's; ``use_cache=False`` keeps none.
        out: a new folder for results.json, results.md, report.html and predictions.

    Returns:
        A dictionary: ``results["benchmarks"][0]["metrics"]`` has the metrics, each with key, value and interval.
    """
    if labels is not None and not isinstance(labels, (str, os.PathLike)):
        import json

        labels = json.dumps(list(labels))
    options = {
        "data": os.fspath(data),
        "labels": _path(labels),
        "image_column": image_column,
        "label_column": label_column,
        "caption_column": caption_column,
        "split": split,
        "only": [only] if isinstance(only, str) else list(only),
        "protocol": protocol,
        "max_unreadable": max_unreadable,
        "exclude": _path(exclude),
        "cache": _path(cache),
        "use_cache": use_cache,
        "out": _path(out),
        "scale": "100" if scale == 100 else str(scale),
    }
    if not isinstance(model, _dermake.Model):
        model = _dermake.load(model)
    return model._evaluate(options)

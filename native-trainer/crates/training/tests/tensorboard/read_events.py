"""read_events.py FOLDER: prints, as JSON, what TensorBoard's readers make of the scalars in a folder's event files.

{"<reader>": {"<tag>": [[step, value], ...]}}, a value that is not finite as null. Needs the package `tensorboard`.
"""

import json
import math
import sys

from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.util import tensor_util

EVERYTHING = 0


def classic(folder):
    """The reader that scripts use."""
    guidance = {event_accumulator.SCALARS: EVERYTHING}
    reader = event_accumulator.EventAccumulator(folder, size_guidance=guidance).Reload()
    return {
        tag: [(event.step, event.value) for event in reader.Scalars(tag)]
        for tag in reader.Tags()[event_accumulator.SCALARS]
    }


def of_the_page(folder):
    """The reader behind TensorBoard's page."""
    guidance = {plugin_event_accumulator.TENSORS: EVERYTHING}
    reader = plugin_event_accumulator.EventAccumulator(
        folder, size_guidance=guidance, tensor_size_guidance={"scalars": EVERYTHING}
    ).Reload()
    return {
        tag: [(event.step, tensor_util.make_ndarray(event.tensor_proto).item()) for event in reader.Tensors(tag)]
        for tag in reader.Tags()[plugin_event_accumulator.TENSORS]
    }


def finite(tags):
    return {
        tag: [(step, value if math.isfinite(value) else None) for step, value in series] for tag, series in tags.items()
    }


folder = sys.argv[1]
json.dump({"classic": finite(classic(folder)), "page": finite(of_the_page(folder))}, sys.stdout)

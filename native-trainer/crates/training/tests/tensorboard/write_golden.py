"""Writes golden.tfevents with TensorBoard's own EventFileWriter, and golden.json, which says what is in it.

Run beside this file, in a Python that has the package `tensorboard`; the committed pair is of version 2.21.0.
"""

import json
import tempfile
from pathlib import Path
from unittest import mock

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

BEGAN = 1763930000.125
STEPS = [
    (0, {"loss/total": 6.25, "lr": 0.0}),
    (1, {"loss/total": 6.0, "loss/mkcl": 3.1415927410125732, "lr": 1.0e-4}),
    (300, {"loss/total": -2.5e-30, "Verlust µ": 1.0}),
    (5_000_000_000, {"loss/total": 3.0e38}),
]
here = Path(__file__).parent

with tempfile.TemporaryDirectory() as folder:
    with mock.patch("time.time", return_value=BEGAN):
        writer = EventFileWriter(folder)
    writer.add_event(Event(wall_time=BEGAN, step=7, session_log=SessionLog(status=SessionLog.START)))
    for index, (step, scalars) in enumerate(STEPS):
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
        writer.add_event(Event(wall_time=BEGAN + index, step=step, summary=Summary(value=values)))
    writer.close()
    (written,) = Path(folder).iterdir()
    (here / "golden.tfevents").write_bytes(written.read_bytes())

events = [
    {
        "wall_secs": BEGAN,
        "file_version": "brain.Event:2",
        "writer": "tensorboard.summary.writer.event_file_writer",
    },
    {"wall_secs": BEGAN, "step": 7, "session_status": SessionLog.START},
]
events += [
    {"wall_secs": BEGAN + index, "step": step, "scalars": list(scalars.items())}
    for index, (step, scalars) in enumerate(STEPS)
]
(here / "golden.json").write_text(json.dumps(events, indent=1, ensure_ascii=False) + "\n")

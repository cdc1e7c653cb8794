"""What both sides answered to each image, and how far they are apart."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

# Of a logit, 100 times a cosine. Pixels may differ by a level here and there: two decoders of JPEG. Features of few
# values, of pictures of 32 pixels, show more of it.
TOLERANCE, SMALL_TOLERANCE = 0.05, 0.2


@dataclass
class Answers:
    """A row for each image, in the order of the table."""

    files: list  # names
    features: list  # of unit length
    log_probabilities: list  # of every class

    def predicted(self):
        return [row.index(max(row)) for row in self.log_probabilities]


def ours(report, embeddings):
    """From what `dermake eval` wrote: the folder of its report, and the table of features."""
    (table,) = (report / "predictions" / "synth").glob("*.csv")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    with embeddings.open(newline="") as file:
        features = {Path(row["file"]).name: values(row, "feature_") for row in csv.DictReader(file)}
    files = [Path(row["image_path"]).name for row in rows]
    logarithm = lambda row: [math.log(max(value, 1e-45)) for value in values(row, "probability_class_")]
    return Answers(files, [features[name] for name in files], [logarithm(row) for row in rows])


def values(row, prefix):
    return [float(value) for name, value in row.items() if name.startswith(prefix)]


def theirs(found):
    """From what `reference.py` printed."""
    rows = []
    for logits in found["logits"]:
        largest = max(logits)
        total = largest + math.log(sum(math.exp(logit - largest) for logit in logits))
        rows.append([logit - total for logit in logits])
    return Answers(found["files"], found["features"], rows)


def compare(a, b, tolerance):
    """Largest differences of two sides' answers, and the images that they call differently.

    `close` counts images whose first two labels are so near that a tolerated difference may exchange them; `wrong`
    those that are called differently without being among them.
    """
    if a.files != b.files:
        raise ValueError(f"{len(a.files)} and {len(b.files)} images, or other ones")
    pairs = list(zip(a.features, b.features, strict=True))
    probabilities = zip(flat(a.log_probabilities), flat(b.log_probabilities), strict=True)
    moved = [index for index, pair in enumerate(zip(a.predicted(), b.predicted())) if pair[0] != pair[1]]
    close = {index for index, row in enumerate(b.log_probabilities) if lead(row) < 2 * tolerance}
    logits = zip(centered(a.log_probabilities), centered(b.log_probabilities), strict=True)
    return {
        "images": len(a.files),
        "other_labels": len(moved),
        "close": len(close),
        "wrong": sum(index not in close for index in moved),
        "largest_feature_difference": max(abs(x - y) for one, other in pairs for x, y in zip(one, other, strict=True)),
        "least_cosine": min(sum(x * y for x, y in zip(one, other)) for one, other in pairs),
        "largest_probability_difference": max(abs(math.exp(x) - math.exp(y)) for x, y in probabilities),
        "largest_logit_difference": max(abs(x - y) for x, y in logits),
    }


def flat(rows):
    return [value for row in rows for value in row]


def centered(rows):
    """Logits but for what all of an image have in common; of labels that probabilities of f32 can tell."""
    first = [max(row) for row in rows]
    return [max(value - largest, -60.0) for row, largest in zip(rows, first) for value in row]


def lead(row):
    """Of the first label over the second."""
    second, first = sorted(row)[-2:]
    return first - second

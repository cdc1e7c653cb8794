"""Zero-shot classification of a folder of images in Python, timed, on the model and pictures that ours takes too.

Everything is the reference's own: the model, its preprocessing, its tokenizer, its text tower; images come from
PyTorch's DataLoader. `tune` says which batch size and how many workers suit it best here; `classify` uses them. Time
runs from the first image to the last feature: loading the model, encoding the prompts and a first batch to warm up are
not in it. Prints one line of JSON.
"""

import argparse
import csv
import json
import os
import time
from importlib.metadata import version
from itertools import product
from pathlib import Path

import torch
from PIL import Image
from references import LOADERS
from torch.utils.data import DataLoader, Dataset


class Images(Dataset):
    """The pictures of `zeroshot/test.csv`."""

    def __init__(self, data, transform, limit=None):
        with (data / "zeroshot" / "test.csv").open(newline="") as table:
            rows = list(csv.DictReader(table))[:limit]
        self.paths = [data / "zeroshot" / row["filename"] for row in rows]
        self.labels = [int(row["label"]) for row in rows]
        self.transform = transform

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        return self.transform(Image.open(self.paths[index]))


def encode(model, images, batch, workers):
    """Unit features [n, E], and the seconds that they took."""
    model.encode_image(torch.stack([images[index] for index in range(min(batch, len(images)))]))
    loader = DataLoader(images, batch_size=batch, num_workers=workers)
    started = time.perf_counter()
    features = torch.cat([model.encode_image(pixel_values) for pixel_values in loader])
    return features, time.perf_counter() - started


def tune(model, arguments):
    """The fastest of the asked batch sizes and workers, on the first images."""
    images = Images(arguments.data, model.transform, arguments.limit)
    tried = []
    for batch, workers in product(arguments.batch, arguments.workers):
        _, secs = encode(model, images, batch, workers)
        tried.append({"batch": batch, "workers": workers, "images_per_sec": len(images) / secs})
    return {"best": max(tried, key=lambda setting: setting["images_per_sec"]), "tried": tried}


def classify(model, arguments):
    """What every image is taken for."""
    images = Images(arguments.data, model.transform, arguments.limit)
    batch, workers = arguments.batch[0], arguments.workers[0]
    features, secs = encode(model, images, batch, workers)
    class_names = json.loads((arguments.data / "classes.json").read_text())
    classifier = model.classifier(class_names, json.loads(arguments.templates.read_text()))
    return {
        "images": len(images),
        "image_secs": secs,
        "batch": batch,
        "workers": workers,
        "files": [path.name for path in images.paths],
        "labels": images.labels,
        "features": features.tolist(),
        "logits": (100 * features @ classifier).tolist(),
    }


@torch.inference_mode()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["tune", "classify"])
    parser.add_argument("--loader", choices=LOADERS, default="open_clip", help="who computes")
    parser.add_argument("--model", type=Path, required=True, help="folder with config, weights and tokenizer")
    parser.add_argument("--data", type=Path, required=True, help="folder that `dermake synth` wrote")
    parser.add_argument("--templates", type=Path, required=True, help="a JSON list of sentences with {}")
    parser.add_argument("--batch", type=int, nargs="+", default=[32], help="to classify, the first one is used")
    parser.add_argument("--workers", type=int, nargs="+", default=[0], help="likewise")
    parser.add_argument("--limit", type=int, help="take the first images only")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    arguments.data, arguments.templates = arguments.data.resolve(), arguments.templates.resolve()
    torch.set_num_threads(arguments.threads)
    os.chdir(arguments.model)  # a config may name the folder of its text tower beside it
    loader = LOADERS[arguments.loader]
    model = loader(Path.cwd())
    found = (tune if arguments.work == "tune" else classify)(model, arguments)
    versions = {package: version(package) for package in ("torch", "pillow", *loader.packages)}
    print(json.dumps({**found, "threads": torch.get_num_threads(), "versions": versions}))


if __name__ == "__main__":
    main()

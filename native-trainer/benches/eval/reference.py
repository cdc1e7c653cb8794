"""Zero-shot classification of a folder of images by open_clip, timed, on the model and pictures that ours takes too.

Everything is open_clip's own: the model, its evaluation transform, its zero-shot classifier; images come from PyTorch's
DataLoader. `tune` says which batch size and how many workers suit it best here; `classify` uses them. Time runs from
the first image to the last feature: loading the model, encoding the prompts and a first batch to warm up are not in
it. Prints one line of JSON.
"""

import argparse
import csv
import json
import time
from importlib.metadata import version
from itertools import product
from pathlib import Path

import open_clip
import torch
from PIL import Image
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
    features = torch.cat([model.encode_image(pixel_values, normalize=True) for pixel_values in loader])
    return features, time.perf_counter() - started


def tune(model, transform, arguments):
    """The fastest of the asked batch sizes and workers, on the first images."""
    images = Images(arguments.data, transform, arguments.limit)
    tried = []
    for batch, workers in product(arguments.batch, arguments.workers):
        _, secs = encode(model, images, batch, workers)
        tried.append({"batch": batch, "workers": workers, "images_per_sec": len(images) / secs})
    return {"best": max(tried, key=lambda setting: setting["images_per_sec"]), "tried": tried}


def classify(model, transform, arguments):
    """What every image is taken for."""
    images = Images(arguments.data, transform, arguments.limit)
    batch, workers = arguments.batch[0], arguments.workers[0]
    features, secs = encode(model, images, batch, workers)
    class_names = json.loads((arguments.data / "classes.json").read_text())
    templates = json.loads(arguments.templates.read_text())
    classifier = open_clip.build_zero_shot_classifier(model, open_clip.SimpleTokenizer(), class_names, templates)
    return {
        "images": len(images),
        "image_secs": secs,
        "batch": batch,
        "workers": workers,
        "labels": images.labels,
        "logits": (100 * features @ classifier).tolist(),
    }


@torch.inference_mode()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", choices=["tune", "classify"])
    parser.add_argument("--model", type=Path, required=True, help="folder with open_clip_config.json and weights")
    parser.add_argument("--data", type=Path, required=True, help="folder that `dermake synth` wrote")
    parser.add_argument("--templates", type=Path, required=True, help="a JSON list of sentences with {}")
    parser.add_argument("--batch", type=int, nargs="+", default=[32], help="to classify, the first one is used")
    parser.add_argument("--workers", type=int, nargs="+", default=[0], help="likewise")
    parser.add_argument("--limit", type=int, help="take the first images only")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model, transform = open_clip.create_model_from_pretrained(f"local-dir:{arguments.model}")
    model.eval()
    found = (tune if arguments.work == "tune" else classify)(model, transform, arguments)
    versions = {package: version(package) for package in ("torch", "open_clip_torch", "pillow")}
    print(json.dumps({**found, "threads": torch.get_num_threads(), "versions": versions}))


if __name__ == "__main__":
    main()

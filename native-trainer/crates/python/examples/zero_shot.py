"""open_clip's zero-shot example with Dermake, and beside open_clip where that is installed.

    python zero_shot.py photo.jpg                                 # with the demo model
    python zero_shot.py photos --model hf-hub:xieji-x/MAKE        # a folder of photos
    dermake init --arch ViT-B-16 --out random && python zero_shot.py photos --model local-dir:random

`zero_shot` is the example of open_clip's README; only the import differs. Where open_clip and PyTorch are installed and can
load the model (not the demo model, which is quantized), both run it on the same photos, in turn, and the script prints how
well they agree and how many images each encodes in a second.
"""

import argparse
import pathlib
import statistics
import time

import numpy as np
from PIL import Image

import dermake.open_clip

try:
    import open_clip
    import torch
except ImportError:
    open_clip = torch = None

LABELS = ["nevus", "melanoma", "psoriasis", "eczema", "acne"]
ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


def load(library, name):
    """The model, its transform of a photo and its tokenizer; `library` is open_clip or dermake.open_clip."""
    model, _, preprocess = library.create_model_and_transforms(name)
    return model.eval(), preprocess, library.get_tokenizer(name)


def zero_shot(loaded, photos, texts):
    """open_clip's example: features of images and texts, and probabilities."""
    model, preprocess, tokenizer = loaded
    pixels = [preprocess(photo) for photo in photos]
    image = torch.stack(pixels) if torch else np.stack(pixels)
    text = tokenizer(texts)
    image_features = unit(model.encode_image(image))
    text_features = unit(model.encode_text(text))
    return image_features, text_features, softmax(100.0 * image_features @ text_features.T)


def unit(features):
    features = np.asarray(features)
    return features / np.linalg.norm(features, axis=-1, keepdims=True)


def softmax(logits):
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def seconds(loaded, photos):
    """Seconds to preprocess and to encode the photos, each part by itself."""
    model, preprocess, _ = loaded
    start = time.perf_counter()
    pixels = [preprocess(photo) for photo in photos]
    middle = time.perf_counter()
    model.encode_image(torch.stack(pixels) if torch else np.stack(pixels))
    return middle - start, time.perf_counter() - middle


def compare(answers):
    """Prints how well the answers of two libraries agree."""
    (ours, our_texts, our_shares), (theirs, their_texts, their_shares) = answers
    print("agreement with open_clip")
    print(f"  cosine of image features   {np.sum(ours * theirs, axis=-1).min():.7f} or more")
    print(f"  cosine of text features    {np.sum(our_texts * their_texts, axis=-1).min():.7f} or more")
    print(f"  probabilities              differ by {np.abs(our_shares - their_shares).max():.1e} at most")
    same = np.mean(our_shares.argmax(axis=-1) == their_shares.argmax(axis=-1))
    print(f"  first label                the same for {same:.0%} of the photos")


def measure(libraries, photos, batch, rounds):
    """Prints the images per second of each library, which run in turn."""
    photos = [photos[at % len(photos)] for at in range(batch)]
    measured = {name: [] for name in libraries}
    for round in range(rounds + 1):
        for name, loaded in libraries.items():
            found = seconds(loaded, photos)
            if round > 0:  # the first round warms up
                measured[name].append(found)
    print(f"images per second, {batch} at a time, median of {rounds} rounds (slowest to fastest)")
    for part, what in enumerate(["preprocess", "encode_image"]):
        for name, found in measured.items():
            speeds = [batch / times[part] for times in found]
            spread = f"({min(speeds):.3g} to {max(speeds):.3g})"
            print(f"  {what:<14}{name:<12}{statistics.median(speeds):.3g} {spread}")


def photos_of(path):
    """The photos of a file or a folder."""
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.suffix.lower() in ENDINGS)
    if not files:
        raise SystemExit(f"there is no photo: {path}")
    return files, [Image.open(file).convert("RGB") for file in files]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("photos", type=pathlib.Path, help="a photo, or a folder of photos")
    parser.add_argument("--model", default="demo", help="hf-hub:owner/name, local-dir:folder, or demo (the default)")
    parser.add_argument("--labels", nargs="+", default=LABELS)
    parser.add_argument("--batch", type=int, default=16, help="photos at a time, where speed is measured")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, help="threads of PyTorch; RAYON_NUM_THREADS sets those of Dermake")
    arguments = parser.parse_args()
    if torch:
        torch.set_grad_enabled(False)
        if arguments.threads:
            torch.set_num_threads(arguments.threads)

    files, photos = photos_of(arguments.photos)
    texts = [f"a photo of {label}" for label in arguments.labels]
    libraries = {"dermake": load(dermake.open_clip, arguments.model)}
    answers = [zero_shot(libraries["dermake"], photos, texts)]
    for file, shares in zip(files, answers[0][2]):
        print(f"{file}: " + ", ".join(f"{arguments.labels[at]} {shares[at]:.3f}" for at in shares.argsort()[::-1]))
    if open_clip is None:
        print("open_clip is not installed: nothing to compare with (pip install open_clip_torch)")
    elif arguments.model == "demo":
        print("open_clip cannot load the demo model, which is quantized: name another one with --model")
    else:
        libraries["open_clip"] = load(open_clip, arguments.model)
        answers.append(zero_shot(libraries["open_clip"], photos, texts))
        compare(answers)
    if arguments.rounds > 0:
        measure(libraries, photos, arguments.batch, arguments.rounds)


if __name__ == "__main__":
    main()

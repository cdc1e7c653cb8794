"""image_flags.py DERMAKE WORK [--seed N] [--images N] [--faces DIR]: measures `prepare --flag-faces-and-text`.

Draws photos with `dermake synth` and text into every second one, in six fonts, six colors and sizes from 2 to 7 % of the
height; runs `dermake prepare` on them; prints how many of each kind are flagged, and the milliseconds an image. With
`--faces`, the folder `examples/faces` of dlib, also parts of its 43 labeled faces.
"""

import argparse
import collections
import csv
import json
import random
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

FONTS = Path("/usr/share/fonts/truetype/dejavu")
NAMES = ["Sans", "Sans-Bold", "SansMono", "Serif", "SansCondensed", "Serif-Italic"]
SIZES = [(400, 300), (512, 512), (600, 450), (1024, 768), (1600, 1200)]
COLORS = [(255, 255, 255), (0, 0, 0), (255, 220, 0), (255, 60, 40), (0, 200, 60), (20, 60, 200)]
TEXTS = {
    "date": ["2019-03-14", "14/03/2019 10:22", "12 JAN 2008", "03.11.1998"],
    "name": ["SMITH, John", "Maria Keller", "P. Okafor", "LI Wei-Ming"],
    "number": ["ID 0048812", "PAT_8_15_820", "MRN 55-1029", "IMG_2041"],
    "label": ["Fig. 2A", "before", "left forearm", "Nevus", "Lesion B"],
    "watermark": ["DermAtlas", "(c) Clinic 2014", "www.example.org", "SAMPLE"],
    "sticker": ["Case 17", "3 weeks", "12/05/2011", "Dr. Adams"],
    "ruler": [""],
}
# Left, top, right and bottom of each part, in sizes of the face's box.
PARTS = {
    "portrait": (-1, -1, 2, 2.4),
    "whole face": (-0.1, -0.1, 1.1, 1.2),
    "left half": (-0.1, -0.2, 0.5, 1.3),
    "eyes": (-0.1, -0.1, 1.1, 0.45),
    "nose and mouth": (-0.1, 0.4, 1.1, 1.2),
    "cheek": (0, 0.5, 0.35, 0.85),
    "far away": (-4, -4, 5, 5),
}


def write(photo, kind, rng):
    """Writes a text of this kind into the photo."""
    width, height = photo.size
    size = max(9, round(rng.uniform(0.022, 0.075) * height))
    font = ImageFont.truetype(str(FONTS / f"DejaVu{rng.choice(NAMES)}.ttf"), size)
    color, text = rng.choice(COLORS), rng.choice(TEXTS[kind])
    alpha = rng.choice([90, 130, 180, 255]) if kind == "watermark" else 255
    layer = Image.new("RGBA", photo.size)
    draw = ImageDraw.Draw(layer)
    if kind == "ruler":
        top = height - 2.3 * size
        draw.rectangle([0, top, width, height], fill=(245, 245, 240))
        for tick in range(51):
            x, length = tick * width / 50, 1 if tick % 5 == 0 else 0.6
            draw.line([x, top, x, top + length * size], fill=(10, 10, 10), width=max(1, size // 12))
            if tick % 5 == 0:
                draw.text((x - size * 0.3, top + 1.1 * size), str(tick // 5), font=font, fill=(10, 10, 10))
    else:
        _, _, right, bottom = draw.textbbox((0, 0), text, font=font)
        x = rng.choice([0.02 * width, max(0, 0.98 * width - right), rng.uniform(0, max(1, width - right))])
        y = rng.choice([0.02 * height, 0.96 * height - bottom, rng.uniform(0, max(1, height - bottom))])
        if kind == "sticker":
            box = [x - 0.3 * size, y - 0.1 * size, x + right + 0.3 * size, y + bottom + 0.3 * size]
            draw.rectangle(box, fill=(255, 255, 255))
            color = (0, 0, 0)
        draw.text((x, y), text, font=font, fill=(*color, alpha))
    return Image.alpha_composite(photo.convert("RGBA"), layer).convert("RGB")


def draw_photos(folder, out, seed):
    rng = random.Random(seed)
    for at, path in enumerate(sorted(folder.rglob("*.jpg"))):
        photo = Image.open(path).convert("RGB").resize(rng.choice(SIZES), Image.Resampling.BICUBIC)
        kind = "no text"
        if at % 2 == 0:
            kind = rng.choice(list(TEXTS))
            photo = write(photo, kind, rng)
        photo.save(out / f"{kind}+{at:04}.jpg", quality=rng.choice([70, 80, 90, 95]))


def cut_faces(folder, out):
    for table in ("training.xml", "testing.xml"):
        for entry in ElementTree.parse(folder / table).iter("image"):
            photo = ImageOps.exif_transpose(Image.open(folder / entry.get("file"))).convert("RGB")
            for at, box in enumerate(entry.iter("box")):
                left, top, width, height = (int(box.get(key)) for key in ("left", "top", "width", "height"))
                stem = f"{Path(entry.get('file')).stem}-{at}.png"
                for part, (x0, y0, x1, y1) in PARTS.items():
                    x0, y0 = max(0, left + x0 * width), max(0, top + y0 * height)
                    x1, y1 = min(photo.width, left + x1 * width), min(photo.height, top + y1 * height)
                    cut = photo.crop((round(x0), round(y0), round(x1), round(y1)))
                    # As large as a photo of it would be.
                    cut = ImageOps.contain(cut, (600, 600), Image.Resampling.BICUBIC)
                    cut.save(out / f"{part}+{stem}")
                    if part == "whole face":
                        cut.rotate(90, expand=True).save(out / f"turned+{stem}")
                        eyes = (0, round(0.2 * cut.height), cut.width, round(0.48 * cut.height))
                        cut.paste((0, 0, 0), eyes)
                        cut.save(out / f"bar over the eyes+{stem}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dermake")
    parser.add_argument("work", type=Path)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--faces", type=Path)
    options = parser.parse_args()
    if not FONTS.is_dir():
        sys.exit(f"expected the fonts of the package fonts-dejavu, and there are none: {FONTS}")
    photos = options.work / "photos"
    photos.mkdir(parents=True)
    drawn = ["--images", str(options.images), "--seed", str(options.seed), "--image-size", "600"]
    subprocess.run([options.dermake, "synth", *drawn, "--out", options.work / "synth"], check=True)
    draw_photos(options.work / "synth", photos, options.seed)
    if options.faces:
        cut_faces(options.faces, photos)
    names = sorted(path.name for path in photos.iterdir())
    with open(options.work / "captions.csv", "w", newline="") as table:
        csv.writer(table).writerows([("filename", "caption"), *((name, "A nevus") for name in names)])
    command = [options.dermake, "prepare", options.work / "captions.csv", "--images", photos]
    secs = {}
    for more in ([], ["--flag-faces-and-text"]):
        started = time.monotonic()
        out = ["--out", options.work / "out" / "train.csv"]
        # 1: some rows are left out, such as those of equal parts.
        if subprocess.run([*command, *more, *out], stdout=subprocess.DEVNULL).returncode not in (0, 1):
            sys.exit("dermake prepare failed; its message is above")
        secs[bool(more)] = time.monotonic() - started
    flagged = collections.defaultdict(list)
    for line in open(options.work / "out" / "extracted.jsonl"):
        line = json.loads(line)
        if "left_out" not in line or line["left_out"] is None:
            flagged[line["image"].split("+")[0]].append(line.get("flags", []))
    print("| images | number | flagged for text | flagged for a face |\n|---|---|---|---|")
    for kind, flags in flagged.items():
        share = lambda flag: f"{100 * sum(flag in found for found in flags) / len(flags):.0f} %"
        print(f"| {kind} | {len(flags)} | {share('text_in_image')} | {share('face')} |")
    per_image = {is_searched: 1000 * spent / len(names) for is_searched, spent in secs.items()}
    print(f"ms an image, all cores: {per_image[False]:.1f} without the search, {per_image[True]:.1f} with it")


if __name__ == "__main__":
    main()

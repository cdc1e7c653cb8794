"""Draws the page's sample pictures: procedural skin, no person's photo. Needs NumPy and Pillow.

Run in this folder: python3 generate.py
"""

import numpy as np
from PIL import Image, ImageFilter

SIZE = 480


def noise(rng, scales):
    """Smooth noise in [-1, 1]: octaves of random grids, each resized bicubically; `scales` are {cells: weight}."""
    total = np.zeros((SIZE, SIZE))
    for cells, weight in scales.items():
        grid = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype("f4"))
        total += weight * np.asarray(grid.resize((SIZE, SIZE), Image.BICUBIC))
    return total / sum(scales.values())


def skin(rng, tone):
    """Skin of one tone: mottling, pores, fine lines, light falling from the upper left."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    mottle = noise(rng, {6: 1.0, 18: 0.6, 60: 0.4})
    lines = np.abs(noise(rng, {40: 1.0, 90: 0.8}))
    pores = noise(rng, {SIZE // 3: 1.0})
    light = 1.05 - 0.18 * (x * 0.6 + y * 0.8)
    shade = light * (1 + 0.045 * mottle - 0.05 * (lines < 0.06) + 0.02 * pores)
    warm = np.stack([1 + 0.02 * mottle, 1 - 0.015 * mottle, 1 - 0.02 * mottle], axis=-1)
    return np.asarray(tone, dtype=float) * shade[..., None] * warm


def blob(rng, cx, cy, radius, irregularity, softness):
    """Opacity of a lesion: a disc whose border wanders, in [0, 1]."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    distance = np.hypot((x - cx) * 0.95, y - cy) / radius
    border = 1 + irregularity * noise(rng, {4: 1.0, 9: 0.7, 24: 0.4})
    return 1 / (1 + np.exp((distance - border) / softness))


def mix(picture, color, opacity):
    return picture * (1 - opacity[..., None]) + np.asarray(color, dtype=float) * opacity[..., None]


def hairs(rng, picture, count):
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    for _ in range(count):
        x0, slope, bend = rng.uniform(0, SIZE), rng.normal(0, 0.5), rng.normal(0, 0.0008)
        start = rng.uniform(0, SIZE * 0.7)
        length = rng.uniform(80, 200)
        offset = np.abs(x - (x0 + slope * (y - start) + bend * (y - start) ** 2))
        inside = (y > start) & (y < start + length)
        picture = mix(picture, (55, 40, 32), 0.7 * inside * np.exp(-(offset**2) / 0.9))
    return picture


def nevus(rng):
    picture = skin(rng, (226, 178, 152))
    spot = blob(rng, 236, 244, 70, 0.10, 0.05)
    picture = mix(picture, (128, 82, 58), 0.9 * spot)
    return mix(picture, (96, 58, 42), 0.5 * blob(rng, 228, 238, 40, 0.25, 0.12))


def irregular_dark_lesion(rng):
    picture = skin(rng, (196, 146, 116))
    body = blob(rng, 246, 236, 104, 0.55, 0.05)
    network = 0.5 + 0.5 * noise(rng, {22: 1.0, 48: 0.8})
    picture = mix(picture, (92, 56, 44), 0.92 * body * (0.6 + 0.4 * network))
    picture = mix(picture, (34, 24, 28), 0.9 * body * blob(rng, 284, 206, 50, 0.6, 0.10))
    picture = mix(picture, (120, 118, 138), 0.45 * body * blob(rng, 206, 262, 34, 0.5, 0.12))
    return hairs(rng, picture, 7)


def scaly_plaque(rng):
    picture = skin(rng, (142, 98, 74))
    plaque = blob(rng, 244, 242, 128, 0.28, 0.035)
    picture = mix(picture, (150, 70, 66), 0.75 * plaque)
    flakes = np.clip(noise(rng, {26: 1.0, 70: 0.9, 140: 0.6}) * 3 - 0.25, 0, 1)
    return mix(picture, (226, 214, 206), 0.85 * plaque * flakes)


for index, draw in enumerate([nevus, irregular_dark_lesion, scaly_plaque], start=1):
    rng = np.random.default_rng(index)
    pixels = draw(rng) + rng.normal(0, 2.0, (SIZE, SIZE, 3))
    picture = Image.fromarray(np.clip(pixels, 0, 255).astype("u1")).filter(ImageFilter.GaussianBlur(0.6))
    picture.save(f"sample-{index}.jpg", quality=90)

"""yunet_reference.py: the scores that faces/tests.rs expects, computed with NumPy from `yunet.safetensors`.

Needs numpy, pillow and safetensors.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import load_file

HERE = Path(__file__).parent
WEIGHTS = {name: value.astype(np.float32) for name, value in load_file(HERE / "yunet.safetensors").items()}


def block(features, name, relu=True):
    """Channels of each pixel, then each channel with its neighbors."""
    features = features @ WEIGHTS[f"{name}.point.weight"] + WEIGHTS[f"{name}.point.bias"]
    rows, columns, _ = features.shape
    padded = np.pad(features, ((1, 1), (1, 1), (0, 0)))
    taps = [padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    features = WEIGHTS[f"{name}.depth.bias"] + sum(w * tap for w, tap in zip(WEIGHTS[f"{name}.depth.weight"], taps))
    return np.maximum(features, 0) if relu else features


def halved(features):
    rows, columns, channels = features.shape
    return features.reshape(rows // 2, 2, columns // 2, 2, channels).max((1, 3))


def best_score(rgb):
    """The score of the place that is most like a face. `rgb`: [rows, columns, 3]."""
    rows, columns = (-(-size // 32) * 32 for size in rgb.shape[:2])
    padded = np.zeros((rows + 2, columns + 2, 3), np.float32)
    padded[1 : rgb.shape[0] + 1, 1 : rgb.shape[1] + 1] = rgb[:, :, ::-1]
    taps = [padded[y : y + rows : 2, x : x + columns : 2] for y in range(3) for x in range(3)]
    features = np.maximum(np.concatenate(taps, -1) @ WEIGHTS["image.weight"] + WEIGHTS["image.bias"], 0)
    features = halved(block(features, "stem"))
    levels = []
    for stage in range(1, 6):
        features = block(block(features, f"stage{stage}.0"), f"stage{stage}.1")
        if stage >= 3:
            levels.append(features)
        if 2 <= stage < 5:
            features = halved(features)
    best, coarser = 0, None
    for level in (2, 1, 0):
        features = levels[level] if coarser is None else levels[level] + coarser.repeat(2, 0).repeat(2, 1)
        coarser = block(features, f"neck{level}")
        logits = (block(coarser, f"{kind}{level}", relu=False) for kind in ("class", "object"))
        class_score, object_score = (1 / (1 + np.exp(-values)) for values in logits)
        best = max(best, float(np.sqrt(class_score * object_score).max()))
    return best


face = np.array(Image.open(HERE / "face.png").convert("RGB"))
print("whole", best_score(face))
print("upper", best_score(face[:40]))
print("turned", best_score(np.rot90(face)))

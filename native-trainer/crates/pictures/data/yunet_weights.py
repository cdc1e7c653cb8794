"""yunet_weights.py OUT: writes the weights of YuNet that faces/ compiles in, from libfacedetection's package.

`pip install --no-deps yuface==2023.5.1 numpy safetensors` first. Its library exports each tensor as a symbol; this reads
them by name, drops the landmarks, and writes them in 16 bits and in the order that faces/network.rs multiplies.
"""

import ctypes
import importlib.util
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file


def layers():
    """Name, symbols and channels of each pair of convolutions."""
    yield "stem", "backbone__model0_dp", 16, 16
    channels = [16, 32, 64, 64, 64, 64]
    for stage in range(1, 6):
        before, after = channels[stage - 1], channels[stage]
        yield f"stage{stage}.0", f"backbone__model{stage}_dp1", before, before
        yield f"stage{stage}.1", f"backbone__model{stage}_dp2", before, after
    for level in range(3):
        yield f"neck{level}", f"neck__lateral_convs__{level}", 64, 64
        yield f"class{level}", f"bbox_head__multi_level_cls__{level}", 64, 1
        yield f"object{level}", f"bbox_head__multi_level_obj__{level}", 64, 1


def main(out):
    folder = Path(importlib.util.find_spec("yuface").origin).parent
    library = ctypes.CDLL(str(folder / "libfacedetection.so"))

    def tensor(symbol, *shape):
        values = (ctypes.c_float * int(np.prod(shape))).in_dll(library, symbol)
        return np.array(values, np.float32).reshape(shape)

    weights = {}

    def put(name, values):
        weights[name] = np.ascontiguousarray(values).astype(np.float16)

    # Of 32 columns, 27 are used: 3 x 3 pixels of blue, green, red.
    put("image.weight", tensor("backbone__model0_pw_weight", 16, 32)[:, :27].T)
    put("image.bias", tensor("backbone__model0_pw_bias", 16))
    for name, symbol, before, after in layers():
        put(f"{name}.point.weight", tensor(f"{symbol}_pw_weight", after, before).T)
        put(f"{name}.point.bias", tensor(f"{symbol}_pw_bias", after))
        put(f"{name}.depth.weight", tensor(f"{symbol}_dw_weight", 9, after))
        put(f"{name}.depth.bias", tensor(f"{symbol}_dw_bias", after))
    save_file(weights, out)


if __name__ == "__main__":
    main(sys.argv[1])

"""One rival's vision tower, timed: onnxruntime on the files of `export.py`, or open_clip's model in PyTorch.

Takes ready `pixel_values`: reading and decoding the photo is not in the time. Prints one line of JSON: the milliseconds
of every call by batch size, and the cosine of the features to PyTorch's in f32.
"""

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

TORCH = {"torch-f32": "fp32", "torch-bf16": "pure_bf16"}
ONNX = {"onnx-f32": "fp32", "onnx-int8": "int8", "onnx-uint8": "uint8"}


def torch_tower(engine, arguments):
    """pixel_values [B, 3, S, S] -> features [B, E], and what ran it."""
    import open_clip
    import torch

    torch.set_num_threads(arguments.threads)
    precision = TORCH[engine]
    clip, _ = open_clip.create_model_from_pretrained(f"local-dir:{arguments.model}", precision=precision)
    visual = clip.visual.eval()
    dtype = next(visual.parameters()).dtype

    def encode(pixel_values):
        with torch.inference_mode():
            return visual(torch.from_numpy(pixel_values).to(dtype)).float().numpy()

    return encode, {package: version(package) for package in ("torch", "open_clip_torch")}


def onnx_tower(engine, arguments):
    """As `torch_tower`."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    options.inter_op_num_threads = 1
    path = arguments.inputs / f"{ONNX[engine]}.onnx"
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def encode(pixel_values):
        return session.run(None, {"pixel_values": pixel_values})[0]

    return encode, {"onnxruntime": version("onnxruntime")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=[*TORCH, *ONNX])
    parser.add_argument("--model", type=Path, required=True, help="folder with open_clip_config.json and weights")
    parser.add_argument("--inputs", type=Path, required=True, help="folder that export.py wrote")
    parser.add_argument("--batch", type=int, nargs="+", default=[1])
    parser.add_argument("--calls", type=int, nargs="+", default=[5], help="timed calls of each batch")
    parser.add_argument("--warmup", type=int, default=2, help="calls before them, of each batch")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()

    tower = torch_tower if arguments.engine in TORCH else onnx_tower
    encode, versions = tower(arguments.engine, arguments)
    config = json.loads((arguments.model / "open_clip_config.json").read_text())
    image_size = config["model_cfg"]["vision_cfg"]["image_size"]
    photo = np.fromfile(arguments.inputs / "pixel_values.f32", "<f4").reshape(1, 3, image_size, image_size)
    expected = np.fromfile(arguments.inputs / "features.f32", "<f4")

    millis, cosines = {}, []
    for batch, calls in zip(arguments.batch, arguments.calls, strict=True):
        pixel_values = np.repeat(photo, batch, axis=0)
        taken = []
        for _ in range(arguments.warmup + calls):
            started = time.perf_counter()
            features = encode(pixel_values)
            taken.append(1e3 * (time.perf_counter() - started))
        millis[batch] = taken[arguments.warmup :]
        cosines += list(features @ expected / np.linalg.norm(features, axis=1) / np.linalg.norm(expected))
    print(json.dumps({"millis": millis, "cosine": float(min(cosines)), "versions": versions}))


if __name__ == "__main__":
    main()

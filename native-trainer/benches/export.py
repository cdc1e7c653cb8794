"""The vision tower of an open_clip checkpoint as others run it: ONNX files, a photo, and PyTorch's features of it.

One export in f32, in whose graph onnxruntime runs attention as one operator (ONNX 23), and from it the quantized forms:

- `int8`: weights signed, symmetric, a scale an output channel, against activations in u8: onnxruntime's fastest.
- `uint8`: weights unsigned, a scale a tensor, the convolution too: what transformers.js names `quantized`.
- `int4`: weights in blocks of 32 (MatMulNBits), activations rounded to 8 bits for the product.

Files that are there already are left alone. The photos differ by a pixel, so that nobody answers from memory.
"""

import argparse
import logging
from pathlib import Path

import onnx
import open_clip
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.quantization.onnx_model import ONNXModel
from PIL import Image

OPSET = 23
N_PHOTOS = 32


class VisionTower(torch.nn.Module):
    """`pixel_values` [B, 3, S, S] -> `image_features` [B, E]."""

    def __init__(self, clip):
        super().__init__()
        self.clip = clip

    def forward(self, pixel_values):
        return self.clip.encode_image(pixel_values, normalize=True)


def export(clip, image_size, path):
    torch.backends.mha.set_fastpath_enabled(False)  # it is one operator that only PyTorch has
    program = torch.onnx.export(
        VisionTower(clip).eval(),
        (torch.zeros(2, 3, image_size, image_size),),
        input_names=["pixel_values"],
        output_names=["image_features"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        opset_version=OPSET,
        external_data=False,
        dynamo=True,
        verbose=False,
    )
    program.save(path)


def to_int8(dense, path):
    options = {"WeightSymmetric": True, "MatMulConstBOnly": True}
    quantize_dynamic(
        dense, path, ["MatMul", "Gemm"], per_channel=True, weight_type=QuantType.QInt8, extra_options=options
    )


def to_uint8(dense, path):
    quantize_dynamic(dense, path, ["Conv", "MatMul", "Gemm"], weight_type=QuantType.QUInt8)


def to_int4(dense, path):
    model = ONNXModel(onnx.load(dense))
    model.replace_gemm_with_matmul()
    quantizer = MatMulNBitsQuantizer(model.model, block_size=32, is_symmetric=True, accuracy_level=4)
    quantizer.process()
    quantizer.model.save_model_to_file(str(path))


def write(path, make, *inputs):
    """Has `make` write a file beside, and renames it once it is whole."""
    if path.exists():
        return
    part = path.with_name(path.name + ".part")
    make(*inputs, part)
    part.rename(path)


def write_photos(source, image_size, folder):
    """The middle of a picture, once for each of several turns."""
    folder.mkdir(exist_ok=True)
    photo = Image.open(source).convert("RGB")
    side = min(photo.size)
    left, top = ((length - side) // 2 for length in photo.size)
    photo = photo.crop((left, top, left + side, top + side)).resize((image_size, image_size), Image.Resampling.BICUBIC)
    for index in range(N_PHOTOS):
        if index > 0:
            photo.putpixel((0, 0), (index, index, index))
        photo.save(folder / f"{index:02}.png")


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder with open_clip_config.json and weights")
    parser.add_argument("--photo", type=Path, required=True, help="a picture, at least as large as the model's input")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--forms", nargs="+", default=["int8", "uint8", "int4"], help="beside fp32")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)  # onnxruntime tells every node that it quantizes
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    clip, transform = open_clip.create_model_from_pretrained(f"local-dir:{arguments.model}")
    clip.eval()
    image_size = clip.visual.image_size[0]
    if not (out / "features.f32").exists():
        write_photos(arguments.photo, image_size, out / "photos")
        pixel_values = transform(Image.open(out / "photos" / "00.png")).unsqueeze(0)
        (out / "pixel_values.f32").write_bytes(pixel_values.numpy().astype("<f4").tobytes())
        features = clip.encode_image(pixel_values, normalize=True).numpy()
        (out / "features.f32").write_bytes(features.astype("<f4").tobytes())
    dense = out / "fp32.onnx"
    write(dense, lambda path: export(clip, image_size, path))
    makers = {"int8": to_int8, "uint8": to_uint8, "int4": to_int4}
    for form in arguments.forms:
        write(out / f"{form}.onnx", makers[form], dense)


if __name__ == "__main__":
    main()

"""Makes profiles/: one small picture in many color spaces, and what Little CMS makes of each in sRGB.

The files called srgb_* say sRGB in some way: their pixels are to stay as they are.

pip install pillow==13.0.0 && python make.py
"""

import io
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageCms, PngImagePlugin

OUT = Path(__file__).parent / "profiles"
D50 = (0.9642, 1.0, 0.8249)
# Red, green and blue in XYZ under D50, as the profiles of these spaces have them.
DISPLAY_P3 = [(0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)]
ADOBE_RGB = [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)]
PROPHOTO = [(0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00008, 0.82491)]
SRGB = [(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)]
SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def fixed(value):
    return struct.pack(">i", round(value * 65536))


def xyz(values):
    return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))


def curve(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def parametric(values):
    kind = {1: 0, 5: 3}[len(values)]
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(map(fixed, values))


def table(function, n=1024):
    """A curve of points, as HP's sRGB profile has it."""
    points = [round(65535 * function(i / (n - 1))) for i in range(n)]
    return b"curv\0\0\0\0" + struct.pack(f">I{n}H", n, *points)


def srgb_to_linear(v):
    return v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4


def profile(space, tags, version=0x04300000, kind=b"mntr", pcs=b"XYZ "):
    tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + b"\0" * 78, b"wtpt": xyz(D50), **tags}
    if version >= 0x04000000:
        text = "test".encode("utf-16-be")
        tags[b"desc"] = b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(text), 28) + text
    at = 128 + 4 + 12 * len(tags)
    directory, data = struct.pack(">I", len(tags)), b""
    for name, content in tags.items():
        content += b"\0" * (-len(content) % 4)
        directory += struct.pack(">4sII", name, at + len(data), len(content))
        data += content
    size = at + len(data)
    header = struct.pack(">I4sI4s4s4s12s4s4sI", size, b"test", version, kind, space, pcs, bytes(12), b"acsp", b"\0" * 4, 0)
    header += bytes(4 + 4 + 8 + 4) + b"".join(map(fixed, D50)) + b"test" + bytes(44)
    assert len(header) == 128, len(header)
    return header + directory + data


def rgb_profile(primaries, trc, **kwargs):
    red, green, blue = map(xyz, primaries)
    return profile(b"RGB ", {b"rXYZ": red, b"gXYZ": green, b"bXYZ": blue, b"rTRC": trc, b"gTRC": trc, b"bTRC": trc}, **kwargs)


def lab16(lightness, a, b):
    """Lab as lut16 holds it."""
    levels = (lightness * 652.8, (a + 128) * 256, (b + 128) * 256)
    return [min(65535, max(0, round(level))) for level in levels]


def cmyk_profile(n=7):
    """Inks that are nobody's: each darkens and pulls towards its hue, paper is white."""
    grid = []
    steps = [i / (n - 1) for i in range(n)]
    for c in steps:
        for m in steps:
            for y in steps:
                for k in steps:
                    light = (1 - 0.45 * c) * (1 - 0.5 * m) * (1 - 0.12 * y) * (1 - 0.9 * k)
                    rest = 1 - k
                    grid += lab16(100 * light, rest * (70 * m - 35 * c), rest * (85 * y - 45 * c - 5 * m))
    identity = struct.pack(">HH", 0, 65535)
    lut = b"mft2\0\0\0\0" + bytes([4, 3, n, 0]) + b"".join(map(fixed, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    lut += struct.pack(">HH", 2, 2) + identity * 4 + struct.pack(f">{len(grid)}H", *grid) + identity * 3
    return profile(b"CMYK", {b"A2B0": lut}, version=0x02400000, kind=b"prtr", pcs=b"Lab ")


def picture():
    """Skin, a red and a brown spot, black, white and strong colors."""
    image = Image.new("RGB", (48, 32))
    for x in range(48):
        for y in range(32):
            red, brown = (x - 12) ** 2 + (y - 12) ** 2 < 60, (x - 32) ** 2 + (y - 18) ** 2 < 50
            pixel = (200 - y, 150 - y // 2, 120 + x // 2)
            pixel = (190, 60 + x, 60) if red else (90 + y, 60, 40 + x // 4) if brown else pixel
            image.putpixel((x, y), pixel)
    strong = [(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (128,) * 3]
    for index, pixel in enumerate(strong):
        image.paste(pixel, (6 * index, 28, 6 * index + 6, 32))
    return image


def in_srgb(image, icc):
    srgb = ImageCms.createProfile("sRGB")
    source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    return ImageCms.profileToProfile(image, source, srgb, renderingIntent=0, outputMode="RGB")


def save(name, image, icc, expected=None, **kwargs):
    path = OUT / name
    image.save(path, icc_profile=icc, **kwargs)
    if name.startswith("srgb_"):
        return
    expected = expected or in_srgb(Image.open(path), icc)
    expected.save(path.with_name(name + ".expected.png"), optimize=True)


def png_with_chunks(image, chunks):
    info = PngImagePlugin.PngInfo()
    for name, data in chunks:
        info.add(name, data)
    return {"pnginfo": info}


def chromaticities(values):
    return struct.pack(">8I", *(round(v * 100000) for v in values))


def main():
    OUT.mkdir(exist_ok=True)
    image = picture()
    p3 = rgb_profile(DISPLAY_P3, parametric(SRGB_CURVE))
    adobe = rgb_profile(ADOBE_RGB, curve(2.19921875), version=0x02100000)
    save("display_p3.png", image, p3)
    save("display_p3.jpg", image, p3, quality=95, subsampling=0)
    save("display_p3.webp", image, p3, lossless=True)
    save("display_p3.tif", image, p3, compression="tiff_lzw")
    save("adobe_rgb.png", image, adobe)
    save("adobe_rgb.jpg", image, adobe, quality=95, subsampling=0)
    save("prophoto.png", image, rgb_profile(PROPHOTO, curve(1.8), version=0x02100000))
    save("linear.png", image, rgb_profile(SRGB, curve(1.0)))
    save("palette_p3.png", image.quantize(32), p3, expected=in_srgb(image.quantize(32).convert("RGB"), p3))
    gray = image.convert("L")
    save("gray_gamma_1_8.png", gray, profile(b"GRAY", {b"kTRC": curve(1.8)}))
    save("cmyk.jpg", image.convert("CMYK"), cmyk_profile(), quality=95, subsampling=0)
    save("cmyk.tif", image.convert("CMYK"), cmyk_profile(), compression="tiff_lzw")
    # Equal to sRGB, however it is said: pixels stay.
    save("srgb_table.png", image, rgb_profile(SRGB, table(srgb_to_linear), version=0x02100000))
    lcms = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    save("srgb_lcms.png", image, lcms)
    save("srgb_lcms.jpg", image, lcms, quality=95, subsampling=0)
    gray_srgb = profile(b"GRAY", {b"kTRC": parametric(SRGB_CURVE)})
    save("srgb_gray.png", gray, gray_srgb)
    # PNG's own chunks.
    d65 = (0.3127, 0.3290)
    srgb_points = chromaticities((*d65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06))
    adobe_points = chromaticities((*d65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06))
    same = [(b"gAMA", struct.pack(">I", 45455)), (b"cHRM", srgb_points)]
    save("srgb_chunks.png", image, None, **png_with_chunks(image, same))
    other = [(b"gAMA", struct.pack(">I", 45455)), (b"cHRM", adobe_points)]
    measured = rgb_profile(ADOBE_RGB, parametric(SRGB_CURVE))
    save("adobe_chunks.png", image, None, expected=in_srgb(image, measured), **png_with_chunks(image, other))
    linear = [(b"gAMA", struct.pack(">I", 100000))]
    expected = in_srgb(image, rgb_profile(SRGB, curve(1.0)))
    save("linear_chunk.png", image, None, expected=expected, **png_with_chunks(image, linear))
    # Code points: 12 are the primaries of Display P3, 13 is the curve of sRGB.
    save("p3_code_points.png", image, None, expected=in_srgb(image, p3), **png_with_chunks(image, [(b"cICP", bytes([12, 13, 0, 1]))]))
    # A progressive JPEG, for tests of its scans.
    image.resize((120, 80)).save(OUT.parent / "progressive.jpg", progressive=True, quality=85)


main()

"""What cannot be used is refused, and the message says what was expected."""

import io
import pathlib

import numpy as np
from PIL import Image

import dermake
from case import PHOTO, PackageTest


class TestWrongUse(PackageTest):
    def test_what_cannot_be_an_image_is_said(self):
        (self.folder / "text.jpg").write_text("not a picture")
        (self.folder / "cut.jpg").write_bytes(PHOTO.read_bytes()[:50])
        for image, kind, text in [
            ("missing.jpg", dermake.ImageError, "missing.jpg: there is no such file"),
            (self.folder, dermake.ImageError, "a folder, not a picture"),
            (self.folder / "text.jpg", dermake.ImageError, "text.jpg"),
            (self.folder / "cut.jpg", dermake.ImageError, "cut.jpg"),
            (b"", dermake.ImageError, "empty"),
            (3, TypeError, "found int"),
            (None, TypeError, "found NoneType"),
            (io.StringIO("text"), TypeError, 'a file opened with "rb".*found StringIO'),
            (np.zeros((3, 224, 224), np.float32), TypeError, r"array of float32 and shape \(3, 224, 224\)"),
            (np.zeros((8, 8, 5), np.uint8), TypeError, r"shape \(8, 8, 5\)"),
            (np.zeros((0, 8, 3), np.uint8), dermake.ImageError, "0 samples"),
        ]:
            with self.raises(kind, text):
                self.model.classify(image)
        with self.raises(dermake.ImageError, "image 2 of 2: .*missing.jpg"):
            self.model.classify([PHOTO, "missing.jpg"])
        half = PHOTO.read_bytes()[:2000]
        for image, kind, text in [
            (3, TypeError, "image 2: expected a path.*found int"),
            (np.zeros((8, 8, 5), np.uint8), TypeError, r"image 2: .*shape \(8, 8, 5\)"),
            (np.zeros((0, 8, 3), np.uint8), dermake.ImageError, "image 2: .*0 samples"),
            (Image.open(io.BytesIO(half)), dermake.ImageError, "image 2: .*truncated"),
            (Image.open(PHOTO).convert("F"), dermake.ImageError, "image 2: .*mode F"),
        ]:
            for call in [self.model.classify, self.model.annotate, self.model.embed_images]:
                with self.raises(kind, text):
                    call([PHOTO, image])
            with self.raises(kind, text):
                self.model.embed_images(one for one in [PHOTO, image])
        with self.assertRaises(dermake.ImageError) as caught:
            self.model.embed_image(Image.open(io.BytesIO(half)))
        self.assertIsInstance(caught.exception.__cause__, OSError)
        with self.raises(TypeError, "images: expected a list of images.*found int$"):
            self.model.embed_images(3)

    def test_a_file_that_was_read_before_is_said(self):
        with open(PHOTO, "rb") as file:
            expected = self.model.embed_image(file)
            for position, text in [(0, "the file is empty"), (9, "")]:
                with self.raises(dermake.ImageError, rf"from byte \d+ on.*seek\(0\).*{text}"):
                    self.model.embed_image(file)
                file.seek(position + 9)
            file.seek(0)
            np.testing.assert_array_equal(self.model.embed_image(file), expected)
        with self.raises(dermake.ImageError, "^the file is empty"):
            self.model.embed_image(io.BytesIO())
        closed = open(PHOTO, "rb")
        closed.close()
        with self.raises(dermake.ImageError, "image: .*closed file"):
            self.model.embed_image(closed)

    def test_one_image_is_asked_for(self):
        with self.raises(TypeError, "embed_images takes lists"):
            self.model.embed_image([PHOTO])
        with self.raises(TypeError, "embed_image takes one"):
            self.model.embed_images(str(PHOTO))
        with self.raises(TypeError, r"shape \(8, 8, 3\); embed_image takes one"):
            self.model.embed_images(np.zeros((8, 8, 3), np.uint8))

    def test_what_cannot_be_labels_or_options_is_said(self):
        for arguments, kind, text in [
            ({"labels": []}, dermake.LabelError, "at least one name"),
            ({"labels": ["a", "b", "A"]}, dermake.LabelError, '"a" and "A"'),
            ({"labels": ["a", 3]}, TypeError, "found int in it"),
            ({"labels": 3}, TypeError, "found int"),
            ({"labels": "no/such/file"}, dermake.LabelError, "there is no label file"),
            ({"labels": pathlib.Path("no/such/file")}, dermake.LabelError, "there is no label file"),
            ({"templates": "a photo"}, dermake.LabelError, "one {} for the label"),
            ({"top_k": 0}, ValueError, "at least 1, found 0"),
            ({"top_k": "3"}, TypeError, "^top_k: expected a whole number, found str$"),
            ({"as_reference": "no"}, TypeError, "^as_reference: expected True or False, found str$"),
            ({"templates": ["a {}", None]}, TypeError, "^templates: .*found NoneType in it, as item 2$"),
            ({"scale": float("nan")}, ValueError, "positive number"),
            ({"scale": 1e300}, ValueError, "positive number up to 1e30"),
            ({"scale": "mine"}, ValueError, '"own" or "calibrated"'),
        ]:
            with self.raises(kind, text):
                self.model.classify(PHOTO, **arguments)
        for concepts, text in [
            ([], "^concepts: expected at least one name"),
            (["Scale", "scale"], '^concepts: expected different names, found "Scale" and "scale"'),
            (["scale", ""], "^concept 2 of 2: expected a name"),
            ('["a", 2]', "^concepts: expected a JSON list"),
        ]:
            with self.raises(dermake.LabelError, text):
                self.model.annotate(PHOTO, concepts)
        labels = self.folder / "labels.txt"
        labels.write_bytes("\ufeffacne\r\nnevus\r\n".encode())
        answers = self.model.classify(PHOTO, labels)
        self.assertEqual({answer["label"] for answer in answers}, {"acne", "nevus"})

    def test_what_cannot_be_pixels_or_ids_is_said(self):
        side = self.model.image_size
        with self.raises(TypeError, "expected float32"):
            self.model.encode_image(np.zeros((1, 3, side, side)))
        with self.raises(ValueError, r"found an array of float32 and shape \(1, 3, 8, 8\)"):
            self.model.encode_image(np.zeros((1, 3, 8, 8), np.float32))
        for ids, text in [([[10**6]], "ids below"), ([[-1]], "-1 is not"), ([[1] * 1000], "1000 ids"), ([[]], "0 ids")]:
            with self.raises(dermake.LabelError, text):
                self.model.encode_text(np.asarray(ids, np.int64))
        with self.raises(TypeError, "expected integers"):
            self.model.encode_text(np.zeros((1, 77)))

    def test_what_cannot_be_a_model_is_said(self):
        (self.folder / "weights.safetensors").write_bytes(b"not a model")
        for model, kind, text in [
            ("no/such/model", dermake.ModelError, "no/such/model"),
            (self.folder, dermake.ModelError, str(self.folder)),
            (self.folder / "weights.safetensors", dermake.ModelError, "weights"),
            (3, TypeError, ""),
        ]:
            with self.raises(kind, text):
                dermake.load(model)
        for name, value in [("model", None), ("arch", 3), ("device", None), ("dtype", np.float32)]:
            with self.raises(TypeError, f"^{name}: expected .*found {type(value).__name__}$"):
                dermake.load(**{name: value})
        with self.raises(ValueError, "device: expected cpu"):
            dermake.load(device="tpu")
        with self.raises(dermake.ModelError, "quantized model has its own architecture"):
            dermake.load(arch="ViT-B-16")

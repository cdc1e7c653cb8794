"""What the package computes is what the program computes."""

import ast
import inspect
import io
import json
import pathlib
import pickle
import shutil
import subprocess
import typing

import numpy as np
from PIL import Image

import dermake
from case import BIN, OWN, PHOTO, PHOTOS, SAMPLES, PackageTest, program
from dermake import open_clip


class TestDermake(PackageTest):
    def test_answers_are_those_of_the_program(self):
        for labels in ([], ["--labels", "f17k", "--top-k", "3"], ["--labels", json.dumps(OWN)]):
            given = {} if not labels else {"labels": OWN if labels[1][0] == "[" else labels[1]}
            top_k = {"top_k": 3} if "--top-k" in labels else {}
            expected = [line["predictions"] for line in program("classify", *PHOTOS, *labels, "--json")]
            self.assertEqual(self.model.classify(PHOTOS, **given, **top_k), expected)
            self.assertEqual(self.model.classify(PHOTO, **given, **top_k), expected[0])
        template = ["--template", "a photo of {}", "--scale", "own", "--as-reference"]
        expected = program("classify", PHOTO, *template, "--json")[0]["predictions"]
        answer = self.model.classify(PHOTO, templates="a photo of {}", scale="own", as_reference=True)
        self.assertEqual(answer, expected)

    def test_a_calibrated_model_says_how_sure_it_is(self):
        calibrated, synth = self.folder / "model", self.folder / "synth"
        shutil.copytree(SAMPLES.parent / "demo", calibrated)
        draw = ["synth", "--images", "560", "--seed", "9", "--image-size", "96", "--other", "40", "--out", synth]
        fit = ["calibrate", calibrated, "--data", synth / "train.csv", "--label-column", "condition", "--labels", "pad"]
        for command in (draw, [*fit, "--no-cache", "--outside", synth / "other"]):
            subprocess.run([BIN, *map(str, command)], check=True, capture_output=True)
        photos = [*sorted((synth / "other").glob("*.jpg"))[:9], PHOTO]
        expected = program("classify", *photos, "--model", calibrated, "--json")
        model = dermake.load(calibrated)
        for answer, line in zip(model.classify(photos), expected):
            self.assertEqual(answer, line["predictions"])
            self.assertEqual((answer.certainty, answer.scale), (line["certainty"], line["scale"]))
        self.assertIn(True, [line["certainty"]["none_of_these"] for line in expected])
        copy = pickle.loads(pickle.dumps(answer))
        self.assertEqual((copy, copy.certainty, copy.scale), (answer, answer.certainty, answer.scale))
        other = model.classify(PHOTO, OWN)
        self.assertEqual((other.certainty, other.scale), (None, 100))

    def test_concepts_are_those_of_the_program(self):
        expected = [line["concepts"] for line in program("annotate", *PHOTOS, "--json")]
        self.assertEqual(self.model.annotate(PHOTOS), expected)
        expected = program("annotate", PHOTO, "--concepts", "bulla, Tattoo", "--json")[0]["concepts"]
        self.assertEqual(self.model.annotate(PHOTO, ["bulla", "tattoo"]), expected)
        self.assertEqual(self.model.annotate(PHOTO, "bulla, tattoo"), expected)
        expected = program("annotate", PHOTO, "--typical-of", "psoriasis", "--top-k", "2", "--json")[0]["concepts"]
        self.assertEqual(self.model.annotate(PHOTO, top_k=2, typical_of="psoriasis"), expected)
        self.assertGreaterEqual(sum(found["typical"] for found in expected), 3)
        with self.assertRaisesRegex(dermake.LabelError, "typical_of: .* did you mean psoriasis"):
            self.model.annotate(PHOTO, typical_of="psorasis")

    def test_features_are_those_of_the_program(self):
        for photo in PHOTOS:
            (self.folder / photo.name).write_bytes(photo.read_bytes())
        subprocess.run([BIN, "embed", self.folder, "--out", self.folder / "f.npy"], check=True, capture_output=True)
        features = self.model.embed_images(PHOTOS)
        np.testing.assert_array_equal(features, np.load(self.folder / "f.npy"))
        self.assertEqual((features.dtype, features.shape), (np.float32, (3, self.model.embed_dim)))
        np.testing.assert_array_equal(self.model.embed_image(PHOTOS[1]), features[1])
        np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, rtol=1e-6)

    def test_an_image_is_the_same_however_it_is_given(self):
        path = self.folder / "photo.png"
        Image.open(PHOTO).save(path)
        pixels = np.asarray(Image.open(path))
        expected = self.model.embed_image(path)
        with open(path, "rb") as file:
            forms = [str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), file, Image.open(path), pixels]
            forms += [np.asfortranarray(pixels), pixels[::-1][::-1], bytes(path.read_bytes())]
            for form in forms:
                np.testing.assert_array_equal(self.model.embed_image(form), expected, str(type(form)))
        many = self.model.embed_images(image for image in [path, pixels])
        np.testing.assert_array_equal(many, [expected, expected])
        np.testing.assert_array_equal(self.model.embed_images(np.stack([pixels, pixels])), many)

    def test_images_of_pillow_keep_orientation_profile_and_mode(self):
        photo = Image.open(PHOTO)
        exif = Image.Exif()
        exif[0x0112] = 6
        turned = self.folder / "turned.png"
        photo.save(turned, exif=exif)
        np.testing.assert_array_equal(self.model.embed_image(Image.open(turned)), self.model.embed_image(turned))
        self.assertFalse(np.array_equal(self.model.embed_image(turned), self.model.embed_image(photo)))
        for mode in ["1", "L", "LA", "P", "RGBA"]:
            path = self.folder / f"{mode}.png"
            photo.convert(mode).save(path)
            np.testing.assert_array_equal(self.model.embed_image(Image.open(path)), self.model.embed_image(path), mode)
        for mode in ["YCbCr", "HSV", "RGBX", "RGBa", "PA"]:
            self.assertEqual(self.model.embed_image(photo.convert(mode)).shape, (self.model.embed_dim,), mode)
        gray = np.asarray(photo.convert("L"))
        np.testing.assert_array_equal(self.model.embed_image(gray), self.model.embed_image(photo.convert("L")))
        self.assertEqual(self.model.classify(gray[:, :, None], top_k=1), self.model.classify(gray, top_k=1))

    def test_gray_images_of_16_bits_are_read_whatever_mode_pillow_gives_them(self):
        ramp = np.tile(np.arange(0, 65536, 256, dtype=np.int32), (200, 1))
        path = self.folder / "gray.png"
        Image.fromarray(ramp.astype(np.uint16)).save(path)
        expected = self.model.preprocess(path)
        self.assertGreater(len(np.unique(expected)), 50)
        opened = Image.open(path)
        for image in [opened, opened.convert("I"), Image.fromarray(ramp), Image.fromarray(ramp.astype(">u2"))]:
            np.testing.assert_array_equal(self.model.preprocess(image), expected, image.mode)
        for image, text in [
            (Image.fromarray(ramp - 1), "values -1 to 65279 in mode I"),
            (Image.fromarray(ramp * 2), "values 0 to 130560 in mode I"),
            (opened.convert("L").convert("I"), r'0 to 255 in mode I.*convert\("L"\)'),
            (opened.convert("F"), "fractions .mode F.*array of uint8"),
        ]:
            with self.raises(dermake.ImageError, text):
                self.model.preprocess(image)

    def test_inks_of_an_image_of_pillow_keep_their_profile(self):
        for name in ["cmyk.tif", "cmyk.jpg"]:
            path = SAMPLES.parents[1] / "tests" / "pictures" / "profiles" / name
            image = Image.open(path)
            self.assertEqual(image.mode, "CMYK")
            pixels = self.model.preprocess(path)
            np.testing.assert_allclose(self.model.preprocess(image), pixels, atol=0.1)  # decoders of JPEG round differently
            without = image.copy()
            del without.info["icc_profile"]
            self.assertGreater(np.abs(self.model.preprocess(without) - pixels).max(), 0.3)
        turned = image.transpose(Image.Transpose.ROTATE_90)
        turned.getexif()[0x0112] = 6  # back again
        np.testing.assert_allclose(self.model.preprocess(turned), self.model.preprocess(image), atol=1e-6)

    def test_preprocessing_is_that_of_the_other_calls(self):
        photo, exif = self.folder / "turned.jpg", Image.Exif()
        exif[0x0112] = 6
        Image.open(PHOTO).save(photo, exif=exif)
        for options in [{}, {"as_reference": True}]:
            features = self.model.encode_image(self.model.preprocess(photo, **options)[None])[0]
            self.assertAlmostEqual(features @ self.model.embed_image(photo, **options), 1, 4)
        turned = self.model.preprocess(photo, as_reference=True)
        self.assertFalse(np.array_equal(self.model.preprocess(photo), turned))

    def test_no_images_are_no_features(self):
        side = self.model.image_size
        none = np.zeros((0, 3, side, side), np.float32)
        self.assertEqual(self.model.encode_image(none).shape, (0, self.model.embed_dim))
        self.assertEqual(self.model.encode_text(np.zeros((0, 5), np.int64)).shape, (0, self.model.embed_dim))
        self.assertEqual((self.model.classify([]), self.model.annotate([])), ([], []))
        many = np.stack([self.model.preprocess(photo) for photo in PHOTOS * 12])
        features = self.model.encode_image(many)
        cosines = np.sum(features * np.tile(self.model.embed_images(PHOTOS), (12, 1)), axis=1)
        np.testing.assert_allclose(cosines, 1, atol=1e-4)

    def test_texts_are_encoded_one_by_one_and_together(self):
        rows = self.model.embed_text(OWN)
        self.assertEqual((rows.dtype, rows.shape), (np.float32, (3, self.model.embed_dim)))
        np.testing.assert_allclose(self.model.embed_text(OWN[2]), rows[2], atol=1e-6)
        np.testing.assert_allclose(self.model.encode_text(self.model.tokenize(OWN)), rows, atol=1e-6)
        self.assertEqual(self.model.embed_text([]).shape, (0, self.model.embed_dim))
        self.assertEqual(self.model.embed_images([]).shape, (0, self.model.embed_dim))

    def test_a_classifier_and_features_give_the_logits(self):
        weights = self.model.classifier(OWN)
        logits = 100 * self.model.embed_image(PHOTO) @ weights
        by_label = {answer["label"]: answer["logit"] for answer in self.model.classify(PHOTO, OWN, scale=100)}
        np.testing.assert_allclose(logits, [by_label[label] for label in OWN], atol=1e-4)

    def test_help_says_what_the_types_say(self):
        module = dermake._dermake
        stubs = ast.parse((pathlib.Path(module.__file__).parent / "_dermake.pyi").read_text())
        named = [(module, node) for node in stubs.body]
        named += [(module.Model, node) for _, model in named for node in getattr(model, "body", []) if model.name == "Model"]
        described = 0
        for owner, node in named:
            said = ast.get_docstring(node) if isinstance(node, (ast.ClassDef, ast.FunctionDef)) else None
            if said:
                helped = inspect.getdoc(getattr(owner, node.name))
                self.assertEqual(helped.split(), said.split(), node.name)
                described += 1
        self.assertGreater(described, 20)
        self.assertEqual(inspect.signature(dermake.load).parameters["model"].default, "demo")

    def test_types_are_there_when_it_runs_and_take_what_works(self):
        self.assertIn("use_cache", typing.get_type_hints(dermake.evaluate))
        typing.get_type_hints(dermake.Predictions)
        described = [dermake.evaluate, open_clip.Preprocess.__call__, open_clip.Tokenizer.__call__]
        described += [getattr(open_clip, name) for name in open_clip.__all__]
        described += [getattr(open_clip.CLIP, name) for name in ("__call__", "encode_image", "encode_text", "eval")]
        for function in described:
            hints = typing.get_type_hints(function)
            arguments = set(inspect.signature(function).parameters) - {"self"}
            self.assertEqual(arguments | {"return"}, set(hints), function)
        stubs = (pathlib.Path(dermake._dermake.__file__).parent / "_dermake.pyi").read_text()
        # A list of paths is neither a list[Image] nor a sequence with a generator.
        self.assertNotIn("list[Image]", stubs)
        self.assertNotIn("Sequence", stubs)

    def test_the_package_says_what_it_has(self):
        self.assertEqual(len(dermake.concepts()), 64)
        self.assertEqual({key: len(names) for key, names in dermake.label_sets().items()}["f17k"], 114)
        version = subprocess.run([BIN, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
        self.assertEqual(version.split(), ["dermake", dermake.__version__])
        self.assertIn("demo", repr(self.model))
        for name in dermake.__all__:
            self.assertTrue(hasattr(dermake, name))
        self.assertTrue(self.model.is_trained and "drawn" in self.model.notice)

"""What the package computes is what the program computes."""

import ast
import inspect
import io
import json
import pathlib
import pickle
import shutil
import subprocess

import numpy as np
from PIL import Image

import dermake
from case import BIN, OWN, PHOTO, PHOTOS, SAMPLES, PackageTest, program


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
        for mode in ["CMYK", "YCbCr", "HSV", "F", "I"]:
            self.assertEqual(self.model.embed_image(photo.convert(mode)).shape, (self.model.embed_dim,), mode)
        gray = np.asarray(photo.convert("L"))
        np.testing.assert_array_equal(self.model.embed_image(gray), self.model.embed_image(photo.convert("L")))
        self.assertEqual(self.model.classify(gray[:, :, None], top_k=1), self.model.classify(gray, top_k=1))

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

    def test_the_package_says_what_it_has(self):
        self.assertEqual(len(dermake.concepts()), 64)
        self.assertEqual({key: len(names) for key, names in dermake.label_sets().items()}["f17k"], 114)
        version = subprocess.run([BIN, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
        self.assertEqual(version.split(), ["dermake", dermake.__version__])
        self.assertIn("demo", repr(self.model))
        for name in dermake.__all__:
            self.assertTrue(hasattr(dermake, name))
        self.assertTrue(self.model.is_trained and "drawn" in self.model.notice)

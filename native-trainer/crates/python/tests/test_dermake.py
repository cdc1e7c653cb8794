"""Tests of the package `dermake` as it is installed, beside the program of the same sources.

Needs NumPy and Pillow; DERMAKE_BIN is the program, DERMAKE_SAMPLES a folder with sample-1.jpg to sample-3.jpg.
Run it with `just test-python`.
"""

import io
import json
import logging
import os
import pathlib
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

import numpy as np
from PIL import Image

import dermake
from dermake import open_clip

BIN = os.environ["DERMAKE_BIN"]
SAMPLES = pathlib.Path(os.environ["DERMAKE_SAMPLES"])
PHOTO = SAMPLES / "sample-1.jpg"
PHOTOS = [SAMPLES / f"sample-{n}.jpg" for n in (1, 2, 3)]
OWN = ["nevus", "melanoma", "a wheal, red"]


def program(*arguments):
    """Runs the program; returns the JSON of its lines."""
    done = subprocess.run([BIN, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


class TestDermake(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        logging.getLogger("dermake").setLevel(logging.ERROR)
        cls.model = dermake.load()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def raises(self, kind, text):
        return self.assertRaisesRegex(kind, text)

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

    def test_features_are_cached_where_the_variable_says(self):
        with mock.patch.dict(os.environ, DERMAKE_FEATURES=str(self.folder / "cache")):
            dermake.load().annotate(PHOTO, ["bulla"])
        self.assertTrue(any(file.is_file() for file in self.folder.glob("cache/**/*")))

    def test_concepts_are_those_of_the_program(self):
        expected = [line["concepts"] for line in program("annotate", *PHOTOS, "--json")]
        self.assertEqual(self.model.annotate(PHOTOS), expected)
        expected = program("annotate", PHOTO, "--concepts", "bulla, Tattoo", "--json")[0]["concepts"]
        self.assertEqual(self.model.annotate(PHOTO, ["bulla", "tattoo"]), expected)
        self.assertEqual(self.model.annotate(PHOTO, "bulla, tattoo"), expected)

    def test_features_are_those_of_the_program(self):
        for photo in PHOTOS:
            (self.folder / photo.name).write_bytes(photo.read_bytes())
        subprocess.run([BIN, "embed", self.folder, "--out", self.folder / "f.npy"], check=True, capture_output=True)
        features = self.model.embed_images(PHOTOS)
        np.testing.assert_array_equal(features, np.load(self.folder / "f.npy"))
        self.assertEqual((features.dtype, features.shape), (np.float32, (3, self.model.embed_dim)))
        np.testing.assert_array_equal(self.model.embed_image(PHOTOS[1]), features[1])
        np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, rtol=1e-6)

    def test_evaluations_are_those_of_the_program(self):
        subprocess.run([BIN, "synth", "--images", "24", "--image-size", "64", "--out", self.folder / "synth"], check=True)
        out = self.folder / "out"
        command = [BIN, "eval", "--data", self.folder / "synth", "--no-cache", "--out", out]
        subprocess.run(command, check=True, capture_output=True)
        expected = json.loads((out / "results.json").read_text())
        results = dermake.evaluate(self.model, self.folder / "synth", use_cache=False)
        self.assertGreater(len(results["benchmarks"]), 0)
        self.assertEqual(results["benchmarks"], expected.get("models", [expected])[0]["benchmarks"])
        for option, text in [
            ({"protocol": "mine"}, "expected all, released or dermfm-zero"),
            ({"scale": 10}, '"10", expected 100, own or calibrated'),
            ({"max_unreadable": float("nan")}, "NaN, expected a number from 0 to 1"),
        ]:
            with self.raises(dermake.Error, text):
                dermake.evaluate(self.model, self.folder / "synth", **option)

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

    def test_the_example_of_open_clip_runs(self):
        model, _, preprocess = open_clip.create_model_and_transforms("demo")
        tokenizer = open_clip.get_tokenizer("demo")
        image = preprocess(Image.open(PHOTO))
        image = image.unsqueeze(0) if open_clip.torch else image[None]
        image_features = np.asarray(model.eval().encode_image(image))
        text_features = np.asarray(model.encode_text(tokenizer(OWN)))
        image_features /= np.linalg.norm(image_features, axis=-1, keepdims=True)
        logits = (100.0 * image_features @ text_features.T)[0]
        answers = self.model.classify(PHOTO, OWN, templates="{}", scale=100, as_reference=True)
        by_label = {answer["label"]: answer["logit"] for answer in answers}
        np.testing.assert_allclose(logits, [by_label[label] for label in OWN], atol=0.1)
        with self.raises(dermake.Error, "unit length"):
            model.encode_text(tokenizer(OWN), normalize=False)
        # A model of a weights file is not given to those who name the architecture alone.
        open_clip._loaded["demo", "cpu"] = "weights.safetensors", None
        self.assertIsNotNone(open_clip.create_model_and_transforms("demo")[0].model)
        with self.raises(TypeError, "cache_dir is an option of open_clip"):
            open_clip.create_model_and_transforms("demo", cache_dir="x")

    def test_a_folder_is_named_as_in_open_clip(self):
        name = f"local-dir:{SAMPLES.parent / 'demo'}"
        model, _, _ = open_clip.create_model_and_transforms(name)
        self.assertIs(open_clip.create_model_from_pretrained(name)[0].model, model.model)
        ids = np.asarray(open_clip.get_tokenizer(name)(OWN))
        np.testing.assert_array_equal(np.asarray(model.encode_text(ids)), self.model.encode_text(ids))

    def test_the_script_beside_open_clip_runs_without_it(self):
        script = pathlib.Path(__file__).parents[1] / "examples" / "zero_shot.py"
        command = [sys.executable, script, SAMPLES, "--labels", *OWN, "--batch", "2", "--rounds", "1"]
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        lines = done.stdout.decode().splitlines()
        answers = self.model.classify(PHOTOS, OWN, templates="a photo of {}", scale=100, as_reference=True)
        for photo, answer, line in zip(PHOTOS, answers, lines):
            shares = ", ".join(f"{one['label']} {one['probability']:.3f}" for one in answer)
            self.assertEqual(line, f"{photo}: {shares}")
        self.assertTrue(any("open_clip" in line for line in lines[3:5]), lines)
        self.assertRegex(done.stdout.decode(), r"encode_image +dermake +[0-9.e+]+ \(")

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
            ({"scale": float("nan")}, ValueError, "positive number"),
            ({"scale": "mine"}, ValueError, '"own" or "calibrated"'),
        ]:
            with self.raises(kind, text):
                self.model.classify(PHOTO, **arguments)
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
        with self.raises(ValueError, "device: expected cpu"):
            dermake.load(device="tpu")
        with self.raises(dermake.ModelError, "quantized model has its own architecture"):
            dermake.load(arch="ViT-B-16")

    def test_warnings_go_to_the_log_of_python(self):
        with self.assertLogs("dermake", "WARNING") as log:
            dermake.load()
            self.model.classify(PHOTO, "acne, Acne")
        self.assertIn("drawn", log.output[0])
        self.assertGreater(len(log.output), 1)

    def test_threads_compute_at_the_same_time_and_python_goes_on(self):
        expected, found, ticks = self.model.classify(PHOTO), [], 0
        work = lambda: found.append(self.model.classify([PHOTO] * 40))
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            ticks += 1
            time.sleep(0.001)
        self.assertEqual(found, [[expected] * 40] * 3)
        self.assertGreater(ticks, 3)

    @unittest.skipUnless(os.name == "posix", "signals are different there")
    def test_ctrl_c_stops_long_work_and_the_next_call_works(self):
        # A shell starts what it runs in the background with the signal ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        with self.assertRaises(KeyboardInterrupt):
            self.model.embed_images([str(PHOTO)] * 20_000)
        self.assertEqual(len(self.model.classify(PHOTO)), 5)

    @unittest.skipUnless(hasattr(os, "fork"), "no fork there")
    def test_a_forked_process_is_told_to_spawn(self):
        code = (
            "import dermake, os, sys\n"
            f"m = dermake.load(); m.classify({str(PHOTO)!r})\n"
            "if os.fork() == 0:\n"
            "    try: m.embed_text('x')\n"
            "    except dermake.Error as error: print(error, flush=True)\n"
            "    os._exit(0)\n"
            "os.wait()\n"
        )
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, timeout=60, check=True)
        self.assertIn(b"spawn", done.stdout)

    def test_the_package_says_what_it_has(self):
        self.assertEqual(len(dermake.concepts()), 64)
        self.assertEqual({key: len(names) for key, names in dermake.label_sets().items()}["f17k"], 114)
        version = subprocess.run([BIN, "--version"], stdout=subprocess.PIPE, check=True).stdout.decode()
        self.assertEqual(version.split(), ["dermake", dermake.__version__])
        self.assertIn("demo", repr(self.model))
        for name in dermake.__all__:
            self.assertTrue(hasattr(dermake, name))
        self.assertTrue(self.model.is_trained and "drawn" in self.model.notice)


if __name__ == "__main__":
    unittest.main()

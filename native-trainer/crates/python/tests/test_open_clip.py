"""`dermake.open_clip` in place of open_clip."""

import gc
import multiprocessing
import pathlib
import pickle
import shutil
import subprocess
import sys
import weakref
from unittest import mock

import numpy as np
from PIL import Image

import dermake
from case import OWN, PHOTO, PHOTOS, SAMPLES, PackageTest
from dermake import open_clip


class TestOpenClip(PackageTest):
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
        with self.raises(TypeError, "cache_dir is an option of open_clip"):
            open_clip.create_model_and_transforms("demo", cache_dir="x")

    def test_a_folder_is_named_as_in_open_clip(self):
        name = f"local-dir:{SAMPLES.parent / 'demo'}"
        model, _, _ = open_clip.create_model_and_transforms(name)
        ids = np.asarray(open_clip.get_tokenizer(name)(OWN))
        np.testing.assert_array_equal(np.asarray(model.encode_text(ids)), self.model.encode_text(ids))

    def test_a_model_is_loaded_again_when_it_is_created_again(self):
        folder, name = self.folder / "model", f"local-dir:{self.folder / 'model'}"
        shutil.copytree(SAMPLES.parent / "demo", folder)
        first, _ = open_clip.create_model_from_pretrained(name)
        second, _ = open_clip.create_model_from_pretrained(name)
        self.assertIsNot(first.model, second.model)
        tokenizer = open_clip.get_tokenizer(name)
        self.assertIs(tokenizer._model, second.model)
        unused = weakref.ref(first.model)
        del first
        gc.collect()
        self.assertIsNone(unused(), "nothing holds it")
        shutil.rmtree(folder)
        with self.raises(dermake.ModelError, "no such file or folder"):
            open_clip.create_model_and_transforms(name)
        self.assertEqual(np.asarray(open_clip.get_tokenizer(name)("x")).shape, (1, second.model.context_length))

    def test_weights_are_of_the_architecture_that_was_named_with_them(self):
        def load(model, **options):
            loaded.append((model, options))
            return dermake.load()

        loaded, cpu = [], {"device": "cpu"}
        with mock.patch.object(open_clip._dermake, "load", load):
            model = open_clip.create_model_and_transforms("ViT-B-32", "weights.pt")
            tokenizer = open_clip.get_tokenizer("ViT-B-32")
            self.assertEqual(loaded, [("weights.pt", {"arch": "ViT-B-32", **cpu})])
            del model, tokenizer
            gc.collect()
            # The model is gone, but its weights are known.
            open_clip.get_tokenizer("ViT-B-32")
            self.assertEqual(loaded, [("weights.pt", {"arch": "ViT-B-32", **cpu})] * 2)
            # Who names the architecture alone is not given them.
            open_clip.create_model_and_transforms("ViT-B-32")
            self.assertEqual(loaded[2:], [("ViT-B-32", cpu)])
        with self.raises(dermake.ModelError, r"pretrained is 'laion2b_s34b_b79k', expected a weights file.*hf-hub:laion/"):
            open_clip.create_model_and_transforms("ViT-B-32", pretrained="laion2b_s34b_b79k")

    def test_preprocessing_works_in_other_processes(self):
        model, _, preprocess = open_clip.create_model_and_transforms("demo")
        expected = self.model.preprocess(PHOTO, as_reference=True)
        np.testing.assert_array_equal(np.asarray(preprocess(PHOTO)), expected)
        copy = pickle.loads(pickle.dumps(preprocess))
        np.testing.assert_array_equal(np.asarray(copy(PHOTO)), expected)
        self.assertIsNotNone(model.model)
        for method in set(multiprocessing.get_all_start_methods()) & {"fork", "spawn"}:
            with multiprocessing.get_context(method).Pool(2) as pool:
                found = pool.map_async(preprocess, [str(PHOTO)] * 4).get(timeout=60)
            for pixels in found:
                np.testing.assert_array_equal(np.asarray(pixels), expected, method)

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

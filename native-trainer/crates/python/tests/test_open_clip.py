"""`dermake.open_clip` in place of open_clip."""

import pathlib
import subprocess
import sys

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

"""Evaluations are those of `dermake eval`, with the same options."""

import csv
import inspect
import json
import os
import re
import shutil
import subprocess

import numpy as np

import dermake
from case import BIN, PHOTO, SAMPLES, PackageTest

# Options of the program that are another argument here, or none: a model has been loaded, and evaluates itself.
OTHERWISE = {
    "no_cache": "use_cache",
    "template": "templates",
    "arch": None,
    "device": None,
    "dtype": None,
    "from": None,
    "classes": None,
    "help": None,
}


class TestEvaluate(PackageTest):
    def draw(self, n_images):
        """Draws photos with a table of their conditions; returns their folder."""
        drawn = self.folder / "synth"
        subprocess.run([BIN, "synth", "--images", str(n_images), "--image-size", "64", "--out", drawn], check=True)
        return drawn

    def of_program(self, *options):
        """What the program writes to results.json."""
        out = self.folder / "of_program"
        command = [BIN, "eval", "--no-cache", "--out", out, *options]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
        return json.loads((out / "results.json").read_text())

    def test_evaluations_are_those_of_the_program(self):
        drawn = self.draw(24)
        expected = self.of_program("--data", drawn)
        results = dermake.evaluate(self.model, drawn, use_cache=False)
        self.assertGreater(len(results["benchmarks"]), 0)
        self.assertEqual(results["benchmarks"], expected["benchmarks"])

    def test_options_are_those_of_the_program(self):
        drawn, table = self.draw(24), self.folder / "table.csv"
        shutil.copy(drawn / "train.csv", table)  # not beside its images
        with open(table, newline="") as file:
            labels = sorted({row["condition"] for row in csv.DictReader(file)})
        templates = ["a photo of {}", "{} on skin"]
        options = {"images": drawn, "label_column": "condition", "labels": labels, "templates": templates, "scale": "own"}
        written = {name: self.folder / f"{name}.npy" for name in ("embeddings", "predictions")}
        out = self.folder / "out"
        results = dermake.evaluate(self.model, table, **options, **written, map="pca", out=out, use_cache=False)
        given = ["--images", drawn, "--label-column", "condition", "--labels", json.dumps(labels), "--scale", "own"]
        for template in templates:
            given += ["--template", template]
        expected = self.of_program("--data", table, *given)
        self.assertEqual(results["templates"], templates)
        self.assertEqual(results["benchmarks"], expected["benchmarks"])
        self.assertEqual(json.loads((out / "results.json").read_text())["benchmarks"], expected["benchmarks"])
        n_images = results["benchmarks"][0]["n_scored"]
        self.assertEqual(np.load(written["embeddings"]).shape, (n_images, self.model.embed_dim))
        self.assertEqual(np.load(written["predictions"]).shape[0], n_images)
        self.assertTrue(any("map" in file.name for file in (out / "figures").iterdir()))
        one = dermake.evaluate(self.model, table, **{**options, "templates": templates[0]}, use_cache=False)
        self.assertEqual(one["templates"], templates[:1])

    def test_scores_of_concepts_are_written(self):
        drawn, scores = self.draw(24), self.folder / "scores.csv"
        results = dermake.evaluate(self.model, drawn, concept_scores=scores, use_cache=False)
        n_images = [one["n_scored"] for one in results["benchmarks"] if one["details"]["task"] == "concepts"]
        with open(scores, newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([len(rows)], n_images)
        self.assertTrue(any(name.startswith("score_") for name in rows[0]))

    def test_models_are_compared(self):
        drawn, other = self.draw(24), self.folder / "other"
        shutil.copytree(SAMPLES.parent / "demo", other)
        results = dermake.evaluate([self.model, other], drawn, use_cache=False)
        alone = dermake.evaluate(other, drawn, use_cache=False)
        self.assertEqual([len(results["models"]), results["models"][1]["benchmarks"]], [2, alone["benchmarks"]])
        self.assertEqual({one["value"] for one in results["differences"]}, {0.0})
        with self.raises(ValueError, "at least one"):
            dermake.evaluate([], drawn)
        with self.raises(dermake.Error, "named twice"):
            dermake.evaluate([self.model, self.model], drawn, out=self.folder / "report")
        with self.raises(dermake.ModelError, "no/such/model"):
            dermake.evaluate([self.model, "no/such/model"], drawn, out=self.folder / "report")
        self.assertFalse((self.folder / "report").exists())

    def test_an_evaluation_without_a_score_is_an_error(self):
        photos = self.folder / "photos"
        for name in ["nevus/1.jpg", "melanoma/1.jpg"]:
            (photos / name).parent.mkdir(parents=True)
            shutil.copy(PHOTO, photos / name)
        (photos / "nevus" / "2.jpg").write_text("not a picture")
        with self.raises(dermake.Error, "no benchmark could be scored: .*1 of 3"):
            dermake.evaluate(self.model, photos, use_cache=False)
        self.assertEqual(len(dermake.evaluate(self.model, photos, max_unreadable=0.5, use_cache=False)["benchmarks"]), 1)

    def test_the_files_of_a_model_are_found_from_another_folder(self):
        drawn, model = self.draw(24), self.folder / "model"
        shutil.copytree(SAMPLES.parent / "demo", model)
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(self.folder)
        loaded = dermake.load("model")
        expected = dermake.evaluate(loaded, drawn, use_cache=False)
        os.chdir(here)
        self.assertEqual(dermake.evaluate(loaded, drawn, use_cache=False)["benchmarks"], expected["benchmarks"])

    def test_a_wrong_option_is_said(self):
        drawn = self.draw(24)
        for option, kind, text in [
            ({"protocol": "mine"}, dermake.Error, "expected all, released or dermfm-zero"),
            ({"scale": 10}, dermake.Error, '"10", expected 100, own or calibrated'),
            ({"max_unreadable": float("nan")}, dermake.Error, "NaN, expected a number from 0 to 1"),
            ({"templates": "a photo"}, dermake.LabelError, "one {} for the label"),
            ({"map": "umap", "out": "x"}, dermake.Error, 'map is "umap", expected tsne or pca'),
            ({"map": "pca"}, dermake.Error, "the folder `out`"),
            ({"predictions": "answers.xlsx"}, dermake.Error, "expected a name ending in .csv"),
            ({"max_unreadable": "a"}, TypeError, "^max_unreadable: expected a number, found str$"),
            ({"use_cache": 1}, TypeError, "^use_cache: expected True or False, found int$"),
            ({"templates": ["a {}", None]}, TypeError, "^templates: .*found NoneType in it, as item 2$"),
            ({"only": 3}, TypeError, "^only: expected a text or a list of texts, found int$"),
            ({"labels": ["a", 3]}, TypeError, "^labels: .*found int in it, as item 2$"),
            ({"split": 1}, TypeError, "^split: expected a text, found int$"),
            ({"protocol": None}, TypeError, "^protocol: expected a text, found NoneType$"),
            ({"out": b"x"}, TypeError, "^out: expected a path, found bytes$"),
        ]:
            with self.raises(kind, text):
                dermake.evaluate(self.model, drawn, **option)
        for data, found in [(b"x", "bytes"), (None, "NoneType")]:
            with self.raises(TypeError, f"^data: expected a path, found {found}$"):
                dermake.evaluate(self.model, data)
        with self.assertRaises(dermake.Error) as caught:
            dermake.evaluate(self.model, drawn, protocol="x")
        self.assertNotIn("dermfm_zero", str(caught.exception))
        with self.raises(dermake.Error, "--images names no folder: no/such/folder"):
            dermake.evaluate(self.model, drawn / "train.csv", images="no/such/folder")

    def test_every_option_of_the_program_is_an_argument(self):
        said = subprocess.run([BIN, "eval", "--help"], stdout=subprocess.PIPE, check=True).stdout.decode()
        options = {name.replace("-", "_") for name in re.findall(r"^ +(?:-\w, )?--([a-z-]+)", said, re.MULTILINE)}
        self.assertIn("caption_column", options)
        arguments = set(inspect.signature(dermake.evaluate).parameters)
        wanted = {OTHERWISE.get(name, name) for name in options} - {None}
        self.assertEqual(wanted - arguments, set())
        self.assertEqual(arguments - wanted, set())

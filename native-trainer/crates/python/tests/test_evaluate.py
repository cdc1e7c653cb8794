"""Evaluations are those of `dermake eval`."""

import json
import subprocess

import dermake
from case import BIN, PackageTest


class TestEvaluate(PackageTest):
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

"""Tests of `dermake.load("hf-hub:owner/name")` beside a stand-in for the hub on this machine.

DERMAKE_HUB is the stand-in (the example `standin_hub` of the crate dermake-hub), DERMAKE_SAMPLES a folder with sample-1.jpg
in the sources of shared-model. Run it with `just test-python`.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HUB = os.environ["DERMAKE_HUB"]
SAMPLES = pathlib.Path(os.environ["DERMAKE_SAMPLES"])
PHOTO = SAMPLES / "sample-1.jpg"
# A small model of random weights, as transformers publishes one.
MODEL = SAMPLES.parents[1] / "tests" / "fixtures" / "towers" / "hf_clip" / "openai"
NAME = "lab/tiny"

# What a user writes, in a Python of its own: the settings of the hub are read when a model is loaded first.
CODE = """
import json, sys
import dermake
kind, model, photo = sys.argv[1:]
try:
    if kind == "open_clip":
        from dermake import open_clip
        model = open_clip.create_model_from_pretrained(model)[0].model
    else:
        model = dermake.load(model)
    answers = model.classify(photo, ["scale", "bulla"], templates="a photo of {}")
    print(json.dumps({"name": model.name, "answers": answers}))
except dermake.Error as error:
    print(json.dumps({"kind": type(error).__name__, "message": str(error)}))
"""


class Hub:
    """The stand-in, with one model."""

    def __init__(self, root, *token):
        command = [HUB, str(root), *token]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = self.process.stdout.readline().decode().strip()

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class TestHub(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        shutil.copytree(MODEL, self.folder / "hub" / NAME)

    def hub(self, *token):
        hub = Hub(self.folder / "hub", *token)
        self.addCleanup(lambda: hub.process.poll() is None and hub.stop())
        return hub

    def load(self, url, model=f"hf-hub:{NAME}", kind="dermake", **variables):
        """Loads a model in a new process; returns what it printed, and its log."""
        unwanted = ("HF_", "HUGGING_FACE", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
        settings = {key: value for key, value in os.environ.items() if not key.startswith(unwanted)}
        settings.update(HF_HOME=str(self.folder / "home"), HF_ENDPOINT=url, **variables)
        command = [sys.executable, "-c", CODE, kind, str(model), str(PHOTO)]
        done = subprocess.run(command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return json.loads(done.stdout), done.stderr.decode()

    def cached(self):
        return [path for path in self.folder.glob("home/hub/models--lab--tiny/snapshots/*/*")]

    def test_a_model_is_downloaded_once_and_then_works_without_the_hub(self):
        local, _ = self.load("http://127.0.0.1:9", MODEL)
        hub = self.hub()
        first, _ = self.load(hub.url)
        self.assertEqual((first["name"], first["answers"]), (NAME, local["answers"]))
        self.assertIn("model.safetensors", {path.name for path in self.cached()})
        hub.stop()
        offline, _ = self.load(hub.url, HF_HUB_OFFLINE="1")
        self.assertEqual(offline, first)
        unreachable, log = self.load(hub.url)
        self.assertEqual(unreachable, first)
        self.assertIn(hub.url, log)
        self.assertEqual(self.load(hub.url, HF_HUB_OFFLINE="1", kind="open_clip")[0], first)

    def test_what_the_hub_does_not_have_is_a_model_error(self):
        hub = self.hub()
        for model, text in [
            ("hf-hub:lab/none", "no model of this name"),
            (f"hf-hub:{NAME}@v9", "no revision `v9`"),
            ("hf-hub:../tiny", "hf-hub:owner/name"),
        ]:
            for kind in ("dermake", "open_clip"):
                found, _ = self.load(hub.url, model, kind)
                self.assertEqual(found.get("kind"), "ModelError", found)
                self.assertIn(text, found["message"])
        hub.stop()
        for variables, text in [({}, hub.url), ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE is set")]:
            found, _ = self.load(hub.url, **variables)
            self.assertEqual(found.get("kind"), "ModelError", found)
            self.assertIn(text, found["message"])
        self.assertEqual(self.cached(), [])

    def test_a_model_for_those_with_a_token(self):
        hub = self.hub("secret")
        for variables in [{}, {"HF_TOKEN": "wrong"}]:
            found, log = self.load(hub.url, **variables)
            self.assertEqual(found.get("kind"), "ModelError", found)
            self.assertIn("HF_TOKEN", found["message"])
            self.assertNotIn("wrong", found["message"] + log, "a token is nobody's business")
        self.assertEqual(self.cached(), [])
        found, log = self.load(hub.url, HF_TOKEN="secret")
        self.assertEqual(found.get("name"), NAME, found)
        self.assertNotIn("secret", log)
        shutil.rmtree(self.folder / "home")
        (self.folder / "home").mkdir()
        (self.folder / "home" / "token").write_text("secret\n")
        self.assertEqual(self.load(hub.url)[0], found)

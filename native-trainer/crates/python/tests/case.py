"""What the tests share: the program, the sample photos and the demo model.

The tests are of the package `dermake` as it is installed, beside the program of the same sources. They need NumPy and
Pillow; DERMAKE_BIN is the program, DERMAKE_SAMPLES a folder with sample-1.jpg to sample-3.jpg. Run them with
`just test-python`.
"""

import json
import logging
import os
import pathlib
import subprocess
import tempfile
import unittest

import dermake

BIN = os.environ["DERMAKE_BIN"]
SAMPLES = pathlib.Path(os.environ["DERMAKE_SAMPLES"])
PHOTO = SAMPLES / "sample-1.jpg"
PHOTOS = [SAMPLES / f"sample-{n}.jpg" for n in (1, 2, 3)]
OWN = ["nevus", "melanoma", "a wheal, red"]


def program(*arguments):
    """Runs the program; returns the JSON of its lines."""
    done = subprocess.run([BIN, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


class PackageTest(unittest.TestCase):
    """A test with the demo model and an empty folder."""

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

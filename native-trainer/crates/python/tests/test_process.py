"""How the package runs in a process: cache, log, threads, Ctrl-C, forks."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest
from unittest import mock

import numpy as np

import dermake
from case import PHOTO, SAMPLES, PackageTest

# A small model of random weights.
TINY = SAMPLES.parents[1] / "tests" / "fixtures" / "towers" / "hf_clip" / "openai"


def change_weights(path):
    """Makes the text projection of a safetensors file another one, of the same size."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    begin, end = json.loads(content[8:start])["text_projection.weight"]["data_offsets"]
    weights = np.frombuffer(content[start + begin : start + end], np.float32)[::-1]
    path.write_bytes(content[: start + begin] + weights.tobytes() + content[start + end :])


class TestProcess(PackageTest):
    def test_features_are_cached_where_the_variable_says(self):
        with mock.patch.dict(os.environ, DERMAKE_FEATURES=str(self.folder / "cache")):
            dermake.load().annotate(PHOTO, ["bulla"])
        self.assertTrue(any(file.is_file() for file in self.folder.glob("cache/**/*")))

    def test_warnings_go_to_the_log_of_python(self):
        with self.assertLogs("dermake", "WARNING") as log:
            dermake.load()
            self.model.classify(PHOTO, "acne, Acne")
        self.assertIn("drawn", log.output[0])
        self.assertGreater(len(log.output), 1)

    @unittest.skipUnless(sys.platform == "linux", "the peak is in KiB there")
    def test_pixels_of_arrays_are_read_where_they_are(self):
        code = (
            "import dermake, numpy, resource\n"
            "peak_mib = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10\n"
            "model, pixels = dermake.load(), numpy.full((5000, 5000, 3), 99, numpy.uint8)\n"
            "model.embed_images([pixels[:500, :500]] * 4)\n"
            "before = peak_mib()\n"
            "model.embed_images([pixels] * 4)\n"
            "print(peak_mib() - before)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, timeout=120, check=True)
        self.assertLess(int(done.stdout), 70, "an array has 72 MiB")

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
        side, many = self.model.image_size, [f"a finding {n}" for n in range(4_000)]
        pixels = np.zeros((2_000, 3, side, side), np.float32)
        with mock.patch.dict(os.environ, DERMAKE_FEATURES=str(self.folder / "cache")):
            for work in [
                lambda: self.model.embed_images([str(PHOTO)] * 20_000),
                lambda: self.model.encode_image(pixels),
                lambda: self.model.classifier(many),
                lambda: self.model.annotate(PHOTO, many),
                lambda: self.model.embed_text([f"a text {n}" for n in range(30_000)]),
            ]:
                threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
                started = time.monotonic()
                with self.assertRaises(KeyboardInterrupt):
                    work()
                self.assertLess(time.monotonic() - started, 5)
        self.assertEqual(len(self.model.classify(PHOTO)), 5)

    @unittest.skipUnless(os.name == "posix", "signals are different there")
    def test_a_signal_stops_the_call_of_the_main_thread_alone(self):
        def ring(*_):
            raise TimeoutError

        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, ring))
        found = []
        work = lambda: found.append(self.model.embed_images([PHOTO] * 200).shape)
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with self.assertRaises(TimeoutError):
            self.model.embed_images([PHOTO] * 20_000)
        for thread in threads:
            thread.join()
        self.assertEqual(found, [(200, self.model.embed_dim)] * 2)

    def test_features_of_a_model_are_not_cached_for_the_one_that_takes_its_place(self):
        folder, concepts = self.folder / "model", ["ulcer", "scale", "zebra"]
        with mock.patch.dict(os.environ, DERMAKE_FEATURES=str(self.folder / "cache")):
            for name in ("1", "2"):
                shutil.copytree(TINY, self.folder / name)
            change_weights(self.folder / "2" / "model.safetensors")
            os.rename(self.folder / "1", folder)
            old = dermake.load(folder)
            expected = dermake.load(self.folder / "2").annotate(PHOTO, concepts)
        with mock.patch.dict(os.environ, DERMAKE_FEATURES=str(self.folder / "other cache")):
            os.rename(folder, self.folder / "1")
            os.rename(self.folder / "2", folder)
            scores = old.annotate(PHOTO, concepts)
            self.assertNotEqual(scores, expected)
            self.assertEqual(dermake.load(folder).annotate(PHOTO, concepts), expected)
            self.assertEqual(dermake.load(self.folder / "1").annotate(PHOTO, concepts), scores)

    def test_a_loaded_model_needs_its_files_no_more(self):
        here, folder = os.getcwd(), self.folder / "model"
        shutil.copytree(SAMPLES.parent / "demo", folder)
        self.addCleanup(os.chdir, here)
        os.chdir(self.folder)
        with mock.patch.dict(os.environ, DERMAKE_FEATURES=str(self.folder / "cache")):
            model = dermake.load("model")
            os.chdir(here)
            expected = self.model.annotate(PHOTO, ["one thing"])
            self.assertEqual(model.annotate(PHOTO, ["one thing"]), expected)
            shutil.rmtree(folder)
            expected = self.model.annotate(PHOTO, ["another"])
            self.assertEqual(model.annotate(PHOTO, ["another"]), expected)

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

    @unittest.skipUnless(hasattr(os, "fork"), "no fork there")
    def test_a_process_that_was_forked_before_the_first_call_works(self):
        code = (
            "import dermake, os\n"
            "if os.fork() == 0:\n"
            f"    print(len(dermake.load().classify({str(PHOTO)!r})), flush=True)\n"
            "    os._exit(0)\n"
            "os.wait()\n"
        )
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, timeout=60, check=True)
        self.assertEqual(done.stdout.strip(), b"5")

"""How the package runs in a process: cache, log, threads, Ctrl-C, forks."""

import os
import signal
import subprocess
import sys
import threading
import time
import unittest
from unittest import mock

import dermake
from case import PHOTO, PackageTest


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

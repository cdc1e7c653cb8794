"""Servers that run for as long as they are measured, and how much memory they have."""

import json
import os
import signal
import subprocess
import tempfile
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from measure import Failed, failure


class Server:
    """A server that runs, and how much memory it has."""

    def __init__(self, name, url, process):
        self.name, self.url, self.process = name, url, process

    def rss_mib(self, field="VmRSS"):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1]) / 1024
        raise Failed(f"the kernel does not tell {field}")

    def classify(self, photo):
        body, headers = photo.read_bytes(), {"Content-Type": "image/jpeg"}
        request = urllib.request.Request(f"{self.url}v1/classify?top_k=6", body, headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return {each["label"]: each["logit"] for each in json.load(answer)["predictions"]}


@contextmanager
def serving(name, command, threads):
    """Starts a server that prints its address; ends it again."""
    env = {**os.environ, "RAYON_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    with tempfile.TemporaryFile() as said:
        words = [str(part) for part in command]
        process = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=said, text=True)
        try:
            url = process.stdout.readline().strip()
            if not url:
                said.seek(0)
                raise failure(command[0], process.wait(), said.read().decode(errors="replace"))
            yield Server(name, url, process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def sample(server, memory, is_over):
    """The server's memory, each second."""
    while True:
        memory.append(server.rss_mib())
        if is_over.wait(1):
            return

"""Weights of 1 GiB fetched whole by many clients at once: how fast, and what memory the server has."""

import hashlib
import json
import shutil
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

DEMO = Path(__file__).resolve().parents[3] / "shared-model/data/demo"
SIZE_BYTES = 1 << 30
PATH = "/models/weights/vision.safetensors"


def write_model(folder):
    """The demo model with a vision tower of zeros."""
    shutil.copytree(DEMO, folder, dirs_exist_ok=True)
    with open(folder / "vision.safetensors", "wb") as file:
        file.truncate(SIZE_BYTES)
    sha256, zeros = hashlib.sha256(), bytes(1 << 20)
    for _ in range(SIZE_BYTES >> 20):
        sha256.update(zeros)
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["files"]:
        if entry["role"] == "vision":
            entry |= {"bytes": SIZE_BYTES, "sha256": sha256.hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def measure(server, n_clients):
    """All clients at once; each counts what comes."""
    address = urlsplit(server.url)
    received = [0] * n_clients
    before = server.rss_mib()
    started = time.monotonic()
    clients = [threading.Thread(target=fetch, args=(address, received, index)) for index in range(n_clients)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    secs = time.monotonic() - started
    return {
        "clients": n_clients,
        "whole": sum(n_bytes == SIZE_BYTES for n_bytes in received),
        "secs": secs,
        "mib_per_sec": sum(received) / secs / (1 << 20),
        "rss_mib_before": before,
        "rss_mib_peak": server.rss_mib("VmHWM"),
    }


def fetch(address, received, index):
    buffer = bytearray(1 << 20)
    with socket.create_connection((address.hostname, address.port)) as connection:
        head = f"GET {PATH} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        start = b""
        while b"\r\n\r\n" not in start:
            start += connection.recv(1 << 16)
        received[index] = len(start.split(b"\r\n\r\n", 1)[1])
        while n_bytes := connection.recv_into(buffer):
            received[index] += n_bytes

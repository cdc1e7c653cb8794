#!/usr/bin/env python3
"""file_lengths.py: fails if a source file that git knows has more than 300 lines."""

import subprocess
import sys
from pathlib import Path

MOST_LINES = 300
ENDINGS = {".rs", ".ts", ".js", ".mjs", ".py", ".sh", ".wgsl", ".cu", ".cuh", ".h", ".cpp", ".css"}
# Each with the reason.
EXEMPT = {
    "web/npm/types.d.ts",  # web/tests/npm_types.rs writes it
}

root = Path(__file__).parent.parent
listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, stdout=subprocess.PIPE).stdout.decode()
too_long = []
for name in filter(None, listed.split("\0")):
    file = root / name
    if file.suffix in ENDINGS and name not in EXEMPT and file.is_file():
        n_lines = file.read_bytes().count(b"\n")
        too_long += [f"{name} has {n_lines} lines"] if n_lines > MOST_LINES else []
if too_long:
    advice = f"expected {MOST_LINES} lines at most; move a concept into a file of its own, or long tests into tests.rs:"
    sys.exit("\n  ".join([advice, *too_long]))

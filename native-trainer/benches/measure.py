"""What the benches share: how a program is run and what it took, the machine, and how a bench ends."""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path


class Failed(Exception):
    """A program that ended with an error."""


def failure(program, code, said):
    """Says which program failed, and why, from what it said on stderr."""
    lines = said.strip().splitlines() or ["no message"]
    # Rust's message comes first, Python's exception last.
    what = next((line for line in lines if line.lower().startswith("error:")), lines[-1])
    return Failed(f"{Path(program).name} ended with code {code}: {what}")


def run(command, threads=None):
    """What a program prints, and the most memory it had in MiB; on as many cores as threads."""
    env = dict(os.environ)
    if threads:
        env["RAYON_NUM_THREADS"] = env["OMP_NUM_THREADS"] = str(threads)
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as said:
        bind = (lambda: os.sched_setaffinity(0, cores()[:threads])) if threads and cores() else None
        words = [str(part) for part in command]
        process = subprocess.Popen(words, env=env, stdout=printed, stderr=said, preexec_fn=bind)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0), said.seek(0)
        if process.returncode != 0:
            raise failure(command[0], process.returncode, said.read().decode(errors="replace"))
        kib = usage.ru_maxrss / 1024 if sys.platform == "darwin" else usage.ru_maxrss
        return printed.read().decode(), kib / 1024


def cores():
    """Those that this process may use; none where the system does not say."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values), "n": len(values)}


def machine():
    try:
        models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    except OSError:
        models = []
    cpu = models[0].split(":", 1)[1].strip() if models else platform.processor()
    return {"cpu": cpu, "cores": os.cpu_count(), "system": platform.platform()}


def finish(path, results, not_run, failures):
    """Writes the results and says what was not run; ends with an error if anything failed."""
    path.write_text(json.dumps({**results, "not_run": not_run}, indent=2) + "\n")
    for reason in not_run:
        print(f"not run: {reason}")
    print(f"written: {path}")
    if failures:
        sys.exit("\n".join(f"error: {message}" for message in failures))

"""`just bench-native`: our vision tower beside onnxruntime's and PyTorch's on this machine's CPU, in turn, in one run.

One photo, and photos in batches, on the same random weights and the same cores; every measurement is a process of its
own, and its first calls are not counted. For one photo ours is `dermake classify`, from the PNG's bytes to the ranked
label: some 2 ms of decoding are in it, and none in a rival's time. For batches ours is `dermake eval`, which makes its
own of up to 16 and reads files meanwhile; a rival gets batches of a tensor that is ready, in the process that did the
single photos, whose peak memory is told for both. Features must agree with PyTorch's in f32, or the bench fails. What
this machine cannot run is listed, and is no failure. Writes `native.json`.
"""

import argparse
import json
import math
import sys
import tempfile
from array import array
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import measure
from measure import Failed, machine, run, spread

REFERENCE = Path(__file__).with_name("reference.py")
LEAST_COSINE = 0.999
WARMUP = 2
# Engines of `reference.py`, and how many bits a weight has.
RIVALS = {"torch-f32": 32, "onnx-f32": 32, "torch-bf16": 16, "onnx-int8": 8, "onnx-uint8": 8}


class Ours:
    """`dermake` on one photo many times over, and on the pictures of an evaluation."""

    def __init__(self, bench, name, bits, model):
        self.bench, self.name, self.bits, self.model = bench, name, bits, model
        self.cosine = self.versions = None
        self.forget()

    def forget(self):
        self.millis, self.peak_mib = {"one": [], "batch": []}, {"one": 0, "batch": 0}

    def run(self, threads):
        a = self.bench.arguments
        photos = [a.inputs / "photos" / "00.png"] * (WARMUP + a.photos)
        # One label and one template: the time to read prompts is not in that of a photo, but it passes.
        question = ["--labels", "skin", "--template", "{}", "--json"]
        printed, peak_mib = run([a.ours, "classify", "--model", self.model, *question, *photos], threads)
        self.millis["one"] += [json.loads(line)["millis"] for line in printed.splitlines()][WARMUP:]
        self.peak_mib["one"] = max(self.peak_mib["one"], peak_mib)
        with tempfile.TemporaryDirectory(dir=a.out) as folder:
            out = Path(folder) / "report"
            options = ["--data", self.bench.data, "--only", "synth", "--no-cache", "--out", out]
            _, peak_mib = run([a.ours, "eval", "--model", self.model, *options], threads)
            effort = json.loads((out / "results.json").read_text())["effort"]
        self.millis["batch"].append(1e3 * effort["image_secs"] / effort["images_encoded"])
        self.peak_mib["batch"] = max(self.peak_mib["batch"], peak_mib)

    def compare_features(self):
        """With PyTorch's: `dermake embed` writes the features of a folder's photos one after the other, in f32."""
        a = self.bench.arguments
        with tempfile.TemporaryDirectory(dir=a.out) as folder:
            photos, index = Path(folder) / "photos", Path(folder) / "index"
            photos.mkdir()
            (photos / "00.png").write_bytes((a.inputs / "photos" / "00.png").read_bytes())
            run([a.ours, "embed", photos, "--model", self.model, "--index", index])
            found = array("f", (index / "features.f32").read_bytes())
        expected = array("f", (a.inputs / "features.f32").read_bytes())
        self.cosine = sum(x * y for x, y in zip(found, expected, strict=True)) / (norm(found) * norm(expected))


class Rival:
    """`reference.py` with one engine."""

    def __init__(self, bench, name, bits):
        self.bench, self.name, self.bits = bench, name, bits
        self.cosine = self.versions = None
        self.forget()

    forget = Ours.forget

    def run(self, threads):
        a = self.bench.arguments
        inputs = ["--model", a.model, "--inputs", a.inputs]
        calls = ["--batch", 1, a.batch, "--calls", a.photos, 1, "--warmup", WARMUP, "--threads", threads]
        printed, peak_mib = run([a.reference, "-B", REFERENCE, self.name, *inputs, *calls], threads)
        found = json.loads(printed.strip().splitlines()[-1])
        self.millis["one"] += found["millis"]["1"]
        self.millis["batch"] += [millis / a.batch for millis in found["millis"][str(a.batch)]]
        self.peak_mib = {kind: max(peak, peak_mib) for kind, peak in self.peak_mib.items()}
        self.cosine, self.versions = found["cosine"], found["versions"]


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.data = arguments.inputs / "pictures"
        self.ours = [Ours(self, "dermake-f32", 32, arguments.model), Ours(self, "dermake-int8", 8, arguments.int8)]
        self.rivals = [Rival(self, name, bits) for name, bits in RIVALS.items()]
        self.results = {"machine": machine(), "speed": []}
        self.not_run, self.failures = list(arguments.not_run), []

    def write_pictures(self):
        """Drawn ones, of the model's size; the first of them are enough."""
        a = self.arguments
        if self.data.exists():
            return
        with tempfile.TemporaryDirectory(dir=a.out) as folder:
            drawn = Path(folder) / "pictures"
            run([a.ours, "synth", "--images", 4, "--seed", 1, "--image-size", 224, "--out", drawn])
            table = drawn / "zeroshot" / "test.csv"
            table.write_text("".join(table.read_text().splitlines(keepends=True)[: 1 + a.pictures]))
            drawn.rename(self.data)

    def compare(self, threads):
        """Runs all in turn and reports them; a rival that cannot run is listed and left out."""
        for side in [*self.ours, *self.rivals]:
            side.forget()
        for _ in range(self.arguments.rounds):
            for side in [*self.ours, *self.rivals]:
                try:
                    side.run(threads)
                except Failed as error:
                    if side in self.ours:
                        raise
                    self.rivals.remove(side)
                    self.not_run.append(f"{side.name}: {error}")
        on_cores = f"CPU, {threads} thread{'s' * (threads > 1)}"
        self.report("one", f"ViT-B/16 vision tower, one photo, {on_cores}", threads)
        batches = f"a photo in batches of {self.arguments.batch}"
        self.report("batch", f"ViT-B/16 vision tower, {batches}, {on_cores}", threads)

    def report(self, kind, title, threads):
        sides = [summary(side, kind) for side in [*self.ours, *self.rivals]]
        print(title)
        for side in sides:
            print(f"  {side['name']:13} {line_of(side)}")
        n_ours = len(self.ours)
        ratios = {
            "f32": ratio(sides[:n_ours], sides[n_ours:], {32}),
            "8 bits": ratio(sides[:n_ours], sides[n_ours:], {8}),
            "any precision": ratio(sides[:n_ours], sides[n_ours:], {32, 16, 8}),
        }
        for label, found in ratios.items():
            if found:
                times = f"{found['rival']}'s time over {found['ours']}'s"
                print(f"  {'ratio':13} {found['ratio']:.2f} ({label}: {times})")
        entry = {"title": title, "kind": kind, "threads": threads, "sides": sides, "ratio": ratios}
        self.results["speed"].append(entry)

    def check(self):
        for side in [*self.ours, *self.rivals]:
            if side.cosine is not None and not side.cosine >= LEAST_COSINE:  # so that a NaN fails as well
                self.failures.append(f"{side.name}: cosine {side.cosine} to PyTorch, at least {LEAST_COSINE} is wanted")


def norm(values):
    return math.sqrt(sum(value * value for value in values))


def ratio(ours, rivals, bits):
    """The fastest rival's median time over our fastest one's, of those with so many bits."""
    sides = [[side for side in each if side["bits"] in bits] for each in (ours, rivals)]
    if not all(sides):
        return None
    best, fastest = (min(each, key=lambda side: side["millis"]["median"]) for each in sides)
    value = fastest["millis"]["median"] / best["millis"]["median"]
    return {"ratio": value, "rival": fastest["name"], "ours": best["name"]}


def summary(side, kind):
    return {
        "name": side.name,
        "bits": side.bits,
        "millis": spread(side.millis[kind]),
        "cosine": side.cosine,
        "peak_mib": side.peak_mib[kind],
        "versions": side.versions,
    }


def line_of(side):
    millis = side["millis"]
    cosine = "" if side["cosine"] is None else f", cosine {side['cosine']:.6f}"
    return (
        f"{millis['median']:7.1f} ms (min {millis['min']:.1f}, max {millis['max']:.1f}, n {millis['n']}), "
        f"peak {side['peak_mib']:.0f} MiB{cosine}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", type=Path, required=True, help="the program dermake, built")
    parser.add_argument("--reference", type=Path, required=True, help="a Python with open_clip and onnxruntime")
    parser.add_argument("--model", type=Path, required=True, help="a ViT-B-16 checkpoint in open_clip's layout")
    parser.add_argument("--int8", type=Path, required=True, help="the same from `dermake quantize`")
    parser.add_argument("--inputs", type=Path, required=True, help="folder that export.py wrote of the same")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--not-run", action="append", default=[], help="what is known to be missing, and why")
    parser.add_argument("--rounds", type=int, default=5, help="times that all take turns")
    parser.add_argument("--photos", type=int, default=5, help="timed in a round, one by one")
    parser.add_argument("--batch", type=int, default=8, help="of the rivals; one is timed in a round")
    parser.add_argument("--pictures", type=int, default=32, help="that ours evaluates in a round")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    bench = Bench(arguments)
    try:
        bench.write_pictures()
        for ours in bench.ours:
            ours.compare_features()
        for threads in arguments.threads:
            bench.compare(threads)
        bench.check()
    except Failed as error:
        bench.failures.append(str(error))
    measure.finish(arguments.out / "native.json", bench.results, bench.not_run, bench.failures)


if __name__ == "__main__":
    main()

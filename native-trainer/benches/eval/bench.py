"""`just bench-eval`: our zero-shot classification of a folder of photos beside open_clip's, in turn, in the same run.

Every measurement is a process of its own, on the same cores, with the same weights and pictures. Both sides must give
the same answers, or the bench fails: one run compares every logit, each of the others the confusion matrix. Time is
that of reading and encoding images. open_clip gets the batch size and the workers that suit it best here. What this
machine cannot run is listed, and is no failure. Writes `eval.json`; model and pictures are made where there are none.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import measure
from measure import Failed, machine, run, spread

REFERENCE = Path(__file__).with_name("reference.py")
TEMPLATES = Path(__file__).parents[3] / "static" / "prompts" / "skin_templates.json"
# Of a logit, 100 times a cosine. Pixels may differ by a level here and there: two decoders of JPEG.
TOLERANCE = 0.05


class Ours:
    """`dermake eval`, which tells its figures in results.json."""

    name = "ours"

    def __init__(self, bench, threads):
        self.bench, self.threads, self.runs = bench, threads, []

    def run(self):
        a = self.bench.arguments
        with tempfile.TemporaryDirectory(dir=a.out) as folder:
            out = Path(folder) / "report"
            inputs = ["--data", self.bench.data, "--model", self.bench.model]
            _, peak_mib = run([a.ours, "eval", *inputs, "--only", "synth", "--no-cache", "--out", out], self.threads)
            results = json.loads((out / "results.json").read_text())
        effort = results["effort"]
        self.runs.append({
            "images": effort["images_encoded"],
            "image_secs": effort["image_secs"],
            "peak_mib": peak_mib,
            "confusion": results["benchmarks"][0]["details"]["confusion"],
        })  # fmt: skip


class Theirs:
    """`reference.py`, with the settings that suit it best."""

    name = "open_clip"

    def __init__(self, bench, threads):
        self.bench, self.threads, self.runs = bench, threads, []
        self.setting = None

    def call(self, work, batches, workers, limit):
        limit = ["--limit", limit] if limit else []
        inputs = ["--model", self.bench.model, "--data", self.bench.data, "--templates", TEMPLATES]
        setting = ["--batch", *batches, "--workers", *workers, "--threads", self.threads, *limit]
        command = [self.bench.arguments.reference, "-B", REFERENCE, work, *inputs, *setting]
        printed, peak_mib = run(command, self.threads)
        return {**json.loads(printed.strip().splitlines()[-1]), "peak_mib": peak_mib}

    def tune(self):
        a = self.bench.arguments
        # On one core a worker only takes turns with the model.
        workers = a.workers if self.threads > 1 else [0]
        found = self.call("tune", a.batches, workers, a.tune_images)
        self.setting = found["best"]
        return found

    def run(self):
        found = self.call("classify", [self.setting["batch"]], [self.setting["workers"]], None)
        logits, labels = found["logits"], found["labels"]
        found["confusion"] = [[0] * len(logits[0]) for _ in logits[0]]
        for label, row in zip(labels, logits):
            found["confusion"][label][row.index(max(row))] += 1
        self.runs.append(found)


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.data, self.model = arguments.out / "eval" / "data", arguments.out / "eval" / arguments.arch
        self.results = {"machine": machine(), "arch": arguments.arch, "speed": [], "answers": []}
        self.not_run = list(arguments.not_run)
        self.failures = []

    def write_inputs(self):
        a = self.arguments
        if not self.data.exists():
            # The 140 pictures to classify come on top of those to train on.
            drawn = ["--images", 14, "--seed", 1, "--image-size", 512]
            run([a.ours, "synth", *drawn, "--out", self.data])
        if not self.model.exists():
            run([a.ours, "init", "--arch", a.arch, "--seed", 0, "--out", self.model])

    def compare(self, threads):
        """Runs rivals in turn and reports them; open_clip is listed and left out where it cannot run."""
        title = f"zero-shot classification, {self.arguments.arch}, CPU f32, {threads} thread{'s' * (threads > 1)}"
        print(title)
        ours, rivals, tuned = Ours(self, threads), [], None
        rivals.append(ours)
        if self.arguments.reference:
            theirs = Theirs(self, threads)
            try:
                tuned = theirs.tune()
                rivals.append(theirs)
            except Failed as error:
                self.not_run.append(f"open_clip, {title}: {error}")
        for _ in range(self.arguments.rounds):
            for rival in list(rivals):
                try:
                    rival.run()
                except Failed as error:
                    if rival is ours:
                        raise
                    rivals.remove(rival)
                    self.not_run.append(f"open_clip, {title}: {error}")
        sides = [summary(rival) for rival in rivals]
        for side in sides:
            print(f"  {side['name']:10} {line_of(side)}")
        entry = {"title": title, "threads": threads, "sides": sides, "tuned": tuned}
        if len(rivals) == 2:
            entry["ratio"] = sides[0]["images_per_sec"]["median"] / sides[1]["images_per_sec"]["median"]
            print(f"  {'ratio':10} {entry['ratio']:.2f} (our images/s over open_clip's)")
            entry["moved"] = self.check_confusion(title, rivals)
            if not self.results["answers"]:
                self.check_logits(theirs)
        self.results["speed"].append(entry)

    def check_confusion(self, title, rivals):
        """Images that the sides call differently; only those between two labels may be among them."""
        ours, theirs = (rival.runs[-1] for rival in rivals)
        rows = zip(ours["confusion"], theirs["confusion"])
        moved = sum(abs(a - b) for ours_row, theirs_row in rows for a, b in zip(ours_row, theirs_row)) / 2
        between = sum(lead(row) < 2 * TOLERANCE for row in theirs["logits"])
        first, second = (summary(rival)["top1_accuracy"] for rival in rivals)
        print(f"  {'answers':10} top-1 {first:.4f} and {second:.4f}; {moved:.0f} images are called otherwise", end="")
        print(f", {between} are so close between two labels that they may be")
        if ours["images"] != theirs["images"] or moved > between:
            self.failures.append(f"the answers differ: {title}")
        return moved

    def check_logits(self, theirs):
        """Every logit of every image, by `dermake classify`."""
        class_names = json.loads((self.data / "classes.json").read_text())
        expected = theirs.runs[-1]["logits"]
        rows = (self.data / "zeroshot" / "test.csv").read_text().splitlines()[1:]
        images = [self.data / "zeroshot" / row.split(",")[0] for row in rows]
        options = ["--labels", self.data / "classes.json", "--top-k", len(class_names), "--json", "--ignore-exif"]
        printed, _ = run([self.arguments.ours, "classify", "--model", self.model, *options, *images], theirs.threads)
        worst = n_changed = 0
        for line, logits in zip(printed.splitlines(), expected, strict=True):
            found = {each["label"]: each["logit"] for each in json.loads(line)["predictions"]}
            ours = [found[name] for name in class_names]
            worst = max([worst, *(abs(a - b) for a, b in zip(ours, logits))])
            n_changed += ours.index(max(ours)) != logits.index(max(logits))
        print(f"  {'logits':10} of {len(images)} images differ by at most {worst:.1e}; {n_changed} get another label")
        self.results["answers"].append({"largest_logit_difference": worst, "other_labels": n_changed})
        if not worst <= TOLERANCE:  # so that a NaN fails as well
            self.failures.append(f"logits differ by {worst:.1e}, at most {TOLERANCE} is allowed")

    def finish(self):
        measure.finish(self.arguments.out / "eval.json", self.results, self.not_run, self.failures)


def summary(rival):
    speeds = [run["images"] / run["image_secs"] for run in rival.runs]
    last = rival.runs[-1]
    n_right = sum(row[label] for label, row in enumerate(last["confusion"]))
    return {
        "name": rival.name,
        "images": last["images"],
        "images_per_sec": spread(speeds),
        "peak_mib": max(run["peak_mib"] for run in rival.runs),
        "top1_accuracy": n_right / sum(map(sum, last["confusion"])),
        **{key: last[key] for key in ("batch", "workers", "versions") if key in last},
    }


def line_of(side):
    speed = side["images_per_sec"]
    # A worker's memory is a process's of its own; the largest process is what is told.
    setting = f", batch {side['batch']}, {side['workers']} workers" if "batch" in side else ""
    return (
        f"{speed['median']:.2f} images/s (min {speed['min']:.2f}, max {speed['max']:.2f}, n {speed['n']}), "
        f"peak {side['peak_mib']:.0f} MiB{setting}"
    )


def lead(logits):
    """Of the first label over the second."""
    second, first = sorted(logits)[-2:]
    return first - second


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", type=Path, required=True, help="the program dermake, built")
    parser.add_argument("--reference", type=Path, help="a Python with open_clip")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--not-run", action="append", default=[], help="what is known to be missing, and why")
    parser.add_argument("--arch", default="ViT-B-16", help="ViT-B-32 takes a quarter of the time")
    parser.add_argument("--rounds", type=int, default=3, help="times that the rivals take turns")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batches", type=int, nargs="+", default=[4, 8, 16, 32], help="open_clip may choose")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2], help="likewise, beside one thread")
    parser.add_argument("--tune-images", type=int, default=32, help="on which it chooses")
    arguments = parser.parse_args()
    (arguments.out / "eval").mkdir(parents=True, exist_ok=True)
    bench = Bench(arguments)
    try:
        bench.write_inputs()
        for threads in arguments.threads:
            bench.compare(threads)
    except Failed as error:
        bench.failures.append(str(error))
    bench.finish()


if __name__ == "__main__":
    main()

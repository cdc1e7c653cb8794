"""`just bench-eval`: our zero-shot classification of a folder of photos beside Python's, in turn, in the same run.

The model is open_clip's ViT or, with `--family`, one of another family: a published layout of full size with random
weights, or `--small`, a small one of the fixtures. Every measurement is a process of its own, on the same cores, with
the same weights and pictures. Both sides must give the same answers, or the bench fails: features, probabilities and
labels of every image are compared. With `--int8`, our int8 of the same model takes turns, too; how near its answers are
is told, and no reason to fail. Time is that of reading and encoding images. The reference gets the batch size and
the workers that suit it best here. What this machine cannot run is listed, and is no failure. Writes `eval.json`, with
a family `eval-FAMILY.json`; model and pictures are made where there are none.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import answers
import measure
from families import FAMILIES, TOWERS
from measure import Failed, machine, run, spread

REFERENCE = Path(__file__).with_name("reference.py")
LAYOUTS = TOWERS / "full_size"
RANDOM = Path(__file__).parents[1] / "random_checkpoint.py"
PANDERM = Path(__file__).with_name("panderm.py")
TEMPLATES = Path(__file__).parents[3] / "shared-model" / "data" / "prompts" / "skin_templates.json"


class Ours:
    """`dermake eval`, which tells its figures in results.json."""

    def __init__(self, bench, threads, model, name="ours"):
        self.bench, self.threads, self.model, self.name, self.runs = bench, threads, model, name, []

    def run(self):
        a = self.bench.arguments
        with tempfile.TemporaryDirectory(dir=a.out) as folder:
            out = Path(folder) / "report"
            embeddings = Path(folder) / "features.csv"
            inputs = ["--data", self.bench.data, "--model", self.model, "--embeddings", embeddings]
            _, peak_mib = run([a.ours, "eval", *inputs, "--only", "synth", "--no-cache", "--out", out], self.threads)
            effort = json.loads((out / "results.json").read_text())["effort"]
            found = answers.ours(out, embeddings)
        self.runs.append({
            "images": effort["images_encoded"],
            "image_secs": effort["image_secs"],
            "peak_mib": peak_mib,
            "answers": found,
        })  # fmt: skip


class Theirs:
    """`reference.py`, with the settings that suit it best."""

    def __init__(self, bench, threads):
        self.name = bench.loader
        self.bench, self.threads, self.runs = bench, threads, []
        self.setting = None

    def call(self, work, batches, workers, limit):
        limit = ["--limit", limit] if limit else []
        inputs = ["--model", self.bench.model, "--data", self.bench.data, "--templates", TEMPLATES]
        inputs += ["--loader", self.bench.loader]
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
        found["answers"] = answers.theirs(found)
        self.runs.append(found)


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.family = FAMILIES.get(arguments.family)
        self.loader = self.family.reference if self.family else "open_clip"
        self.what = arguments.arch
        if self.family:
            self.what = f"{arguments.family}, " + ("small" if arguments.small else self.family.layout)
        name = arguments.family + "-small" * arguments.small if self.family else arguments.arch
        self.data, self.model = (arguments.out / "eval" / part for part in (f"data-{arguments.images}", name))
        self.int8 = self.model.with_name(f"{name}-int8")
        self.results = {"machine": machine(), "model": self.what, "speed": []}
        self.not_run = list(arguments.not_run)
        self.failures = []

    def write_inputs(self):
        a = self.arguments
        if not self.data.exists():
            self.write_data()
        if not self.model.exists():
            self.write_model()
        if a.int8 and not self.int8.exists():
            run([a.ours, "quantize", "--format", "int8", "--model", self.model, "--out", self.int8])

    def write_data(self):
        partial = self.data.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        # The 140 pictures to classify come on top of those to train on.
        drawn = ["--images", 14, "--seed", 1, "--image-size", 512]
        run([self.arguments.ours, "synth", *drawn, "--out", partial])
        table = partial / "zeroshot" / "test.csv"
        table.write_text("\n".join(table.read_text().splitlines()[: 1 + self.arguments.images]) + "\n")
        partial.rename(self.data)

    def write_model(self):
        a, family = self.arguments, self.family
        if not family:
            run([a.ours, "init", "--arch", a.arch, "--seed", 0, "--out", self.model])
            return
        partial = self.model.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        if not a.small:
            run([a.reference, "-B", RANDOM, LAYOUTS / f"{family.layout}.json", partial])
        elif family.small:
            shutil.copytree(TOWERS / family.small, partial)
            if family.tokenizer:
                shutil.copytree(TOWERS / family.tokenizer, partial, dirs_exist_ok=True)
        else:
            raise Failed(f"{a.family} has no small model that its reference loads as it is; leave out --small")
        partial.rename(self.model)

    def check_reference(self):
        """PanDerm's reference is a definition of our own: it must give those features of the fixtures."""
        if self.loader == "panderm":
            for case in sorted((TOWERS / "panderm").iterdir()):
                run([self.arguments.reference, "-B", PANDERM, case])
            print("panderm.py has the published code's features of the fixtures")

    def compare(self, threads):
        """Runs rivals in turn and reports them; the reference is listed and left out where it cannot run."""
        title = f"zero-shot classification, {self.what}, CPU f32, {threads} thread{'s' * (threads > 1)}"
        print(title)
        ours, int8, theirs, tuned = Ours(self, threads, self.model), None, None, None
        rivals = [ours]
        if self.arguments.int8:
            int8 = Ours(self, threads, self.int8, "ours, int8")
            rivals.append(int8)
        if self.arguments.reference:
            theirs = Theirs(self, threads)
            try:
                tuned = theirs.tune()
                rivals.append(theirs)
            except Failed as error:
                self.not_run.append(f"{self.loader}, {title}: {error}")
        for _ in range(self.arguments.rounds):
            for rival in list(rivals):
                try:
                    rival.run()
                except Failed as error:
                    if rival is not theirs:
                        raise
                    rivals.remove(rival)
                    self.not_run.append(f"{self.loader}, {title}: {error}")
        sides = {rival: summary(rival) for rival in rivals}
        for side in sides.values():
            print(f"  {side['name']:10} {line_of(side)}")
        entry = {"title": title, "threads": threads, "sides": list(sides.values()), "tuned": tuned}
        speed = {rival: side["images_per_sec"]["median"] for rival, side in sides.items()}
        if int8:
            entry["int8"] = answers.compare(ours.runs[-1]["answers"], int8.runs[-1]["answers"], answers.TOLERANCE)
            print(
                f"  {'int8':10} {speed[int8] / speed[ours]:.2f} times the images/s of f32; "
                f"{entry['int8']['other_labels']} of {entry['int8']['images']} images get another label, "
                f"least cosine {entry['int8']['least_cosine']:.6f}"
            )
        if theirs in rivals:
            entry["ratio"] = speed[ours] / speed[theirs]
            print(f"  {'ratio':10} {entry['ratio']:.2f} (our images/s over those of {self.loader})")
            entry["answers"] = self.check_answers(title, *(rival.runs[-1]["answers"] for rival in (ours, theirs)))
        self.results["speed"].append(entry)

    def check_answers(self, title, ours, theirs):
        """Compares every image's answers; only those between two labels may be called differently."""
        tolerance = answers.SMALL_TOLERANCE if self.arguments.small else answers.TOLERANCE
        found = answers.compare(ours, theirs, tolerance)
        print(
            f"  {'answers':10} {found['other_labels']} of {found['images']} images get another label, "
            f"{found['close']} are so close between two labels that they may"
        )
        print(
            f"  {'largest':10} difference of a feature {found['largest_feature_difference']:.1e}, "
            f"of a probability {found['largest_probability_difference']:.1e}, "
            f"of a logit {found['largest_logit_difference']:.1e}; least cosine {found['least_cosine']:.7f}"
        )
        if found["wrong"] or not found["largest_logit_difference"] <= tolerance:  # so that a NaN fails as well
            self.failures.append(f"the answers differ: {title}")
        return found

    def finish(self):
        name = f"eval-{self.arguments.family}.json" if self.family else "eval.json"
        measure.finish(self.arguments.out / name, self.results, self.not_run, self.failures)


def summary(rival):
    speeds = [run["images"] / run["image_secs"] for run in rival.runs]
    last = rival.runs[-1]
    return {
        "name": rival.name,
        "images": last["images"],
        "images_per_sec": spread(speeds),
        "peak_mib": max(run["peak_mib"] for run in rival.runs),
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", type=Path, required=True, help="the program dermake, built")
    parser.add_argument("--reference", type=Path, help="a Python with open_clip and transformers")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--not-run", action="append", default=[], help="what is known to be missing, and why")
    parser.add_argument("--arch", default="ViT-B-16", help="ViT-B-32 takes a quarter of the time")
    parser.add_argument("--family", choices=FAMILIES, help="another family of models, in place of --arch")
    parser.add_argument("--small", action="store_true", help="its small model of the fixtures, for the answers")
    parser.add_argument("--int8", action="store_true", help="also times our int8 of the model")
    parser.add_argument("--images", type=int, default=140, help="pictures to classify, at most 140")
    parser.add_argument("--rounds", type=int, default=3, help="times that the rivals take turns")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batches", type=int, nargs="+", default=[4, 8, 16, 32], help="the reference may choose")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2], help="likewise, beside one thread")
    parser.add_argument("--tune-images", type=int, default=32, help="on which it chooses")
    arguments = parser.parse_args()
    (arguments.out / "eval").mkdir(parents=True, exist_ok=True)
    if arguments.small and not arguments.family:
        parser.error("--small goes with --family")
    bench = Bench(arguments)
    try:
        if arguments.reference:
            bench.check_reference()
        if arguments.reference or not arguments.family:
            bench.write_inputs()
            for threads in arguments.threads:
                bench.compare(threads)
    except Failed as error:
        bench.failures.append(str(error))
    bench.finish()


if __name__ == "__main__":
    main()

"""`just bench-train`: our training step and objective beside the reference's arithmetic, in turn, in the same run.

Every measurement is a process of its own. On the same weights and batch both sides must give the same loss, or the
bench fails; what this machine cannot run is listed, and is no failure. Writes `train.json` beside the inputs.
"""

import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import cuda

sys.path.append(str(Path(__file__).parents[1]))
import measure
from measure import Failed, failure, machine, spread

REFERENCE = Path(__file__).with_name("reference.py")
N_KINDS = 11
TOLERANCE = 1e-3  # of a loss, relative
# Matrices of 11 B x 11 B that PyTorch holds at once in the objective: of each of two cross-entropies the logits and
# their log-softmax; backward reuses their room. Measured: 3.9, from the growth of the peak between batches 256 and 512.
N_COPIES = 4


def run_json(command, threads=None):
    """The last line that a program prints, parsed."""
    env = dict(os.environ)
    if threads:
        # Ours; PyTorch is told by a flag.
        env["RAYON_NUM_THREADS"] = str(threads)
    done = subprocess.run([str(part) for part in command], env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise failure(command[0], done.returncode, done.stderr)
    return json.loads(done.stdout.strip().splitlines()[-1])


class Rival:
    """One side: how it is started, and what it measured over all rounds."""

    def __init__(self, name, command, threads=None):
        self.name, self.command, self.threads = name, command, threads
        self.runs = []

    def run(self):
        self.runs.append(run_json(self.command, self.threads))

    def summary(self, n_samples):
        millis = [value for run in self.runs for value in run["millis"]]
        peaks, starts = ([run[key] or 0 for run in self.runs] for key in ("peak_mib", "start_mib"))
        return {
            "name": self.name,
            "millis": spread(millis),
            "samples_per_sec": 1e3 * n_samples / spread(millis)["median"],
            "peak_mib": max(peaks),
            "above_start_mib": max(peak - start for peak, start in zip(peaks, starts)),
            "first_loss": self.runs[0]["first_loss"],
            "last_loss": self.runs[0]["last_loss"],
            **{key: self.runs[0][key] for key in ("threads", "torch", "micro_batches", "distinct_captions")
               if key in self.runs[0]},
        }


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.out = arguments.out / "train"
        self.results = {"machine": machine(), "step": [], "loss": [], "cuda": [], "equal_losses": []}
        self.not_run = list(arguments.not_run)
        self.failures = []

    def ours(self, *words, threads=None):
        return Rival("ours", [self.arguments.ours, *words], threads)

    def reference(self, *words, threads=None):
        flags = ["--threads", threads] if threads else []
        return Rival("reference", [self.arguments.reference, REFERENCE, *words, *flags])

    def compare(self, kind, title, n_samples, rivals, n_rounds, **more):
        """Runs rivals in turn and reports them; a rival that cannot run is listed and left out."""
        rivals = list(rivals)
        for _ in range(n_rounds):
            for rival in list(rivals):
                try:
                    rival.run()
                except Failed as error:
                    rivals.remove(rival)
                    if rival.name == "ours":
                        raise
                    self.not_run.append(f"reference, {title}: {error}")
        found = [rival.summary(n_samples) for rival in rivals]
        print(title)
        for side in found:
            print(f"  {side['name']:10} {line_of(side)}")
        if len(found) == 2:
            ours, theirs = (side["millis"]["median"] for side in found)
            print(f"  {'ratio':10} {theirs / ours:.2f} (the reference's median time over ours)")
            if kind != "cuda":
                self.check_equal(title, found)
        self.results[kind].append({"title": title, "samples": n_samples, "sides": found, **more})
        return found

    def check_equal(self, title, sides):
        ours, theirs = (side["first_loss"] for side in sides)
        difference = worst(relative(ours[term], theirs[term]) for term in ours)
        last = relative(*(side["last_loss"]["total"] for side in sides))
        print(f"  {'loss':10} {ours['total']:.6f} and {theirs['total']:.6f}: terms differ by {difference:.1e}", end="")
        print(f"; after the timed steps totals differ by {last:.1e}")
        entry = {"title": title, "relative_difference": difference, "after_steps": last}
        self.results["equal_losses"].append(entry)
        if not difference <= TOLERANCE:  # so that a NaN fails as well
            self.failures.append(f"losses differ by {difference:.1e}, at most {TOLERANCE} is allowed: {title}")

    def steps(self):
        a = self.arguments
        write_inputs([a.ours, "inputs", "--out", self.out, "--batch", a.batch])
        for threads in dict.fromkeys([1, a.threads]):
            common = ["step", "--inputs", self.out, "--steps", a.steps]
            rivals = [self.ours(*common, threads=threads)]
            if a.reference:
                rivals.append(self.reference(*common, threads=threads))
            title = f"step, CPU f32, synth-demo's model, batch {a.batch}, {threads} thread{'s' * (threads > 1)}"
            self.compare("step", title, a.batch, rivals, a.rounds, variant="released")
        if a.reference:
            common = ["step", "--inputs", self.out, "--steps", 1, "--variant", "paper"]
            sides = [self.ours(*common), self.reference(*common)]
            for side in sides:
                side.run()
            print(f"step, variant paper, batch {a.batch}, for the loss alone")
            self.check_equal("step, variant paper", [side.summary(a.batch) for side in sides])

    def losses(self):
        a = self.arguments
        for batch in a.loss_batches:
            inputs = self.out / f"features-{batch}"
            write_inputs([a.ours, "features", "--out", inputs, "--batch", batch])
            common = ["loss", "--inputs", inputs, "--steps", a.steps]
            copy_mib = (N_KINDS * batch) ** 2 * 4 / 2**20
            rivals = [self.ours(*common)]
            needed, free = (N_COPIES + 2) * copy_mib + 1024, available_mib()
            if a.reference and (free is None or free > needed):
                rivals.append(self.reference(*common, threads=a.threads))
            elif a.reference:
                self.not_run.append(
                    f"reference, loss alone at batch {batch}: needs some {needed:.0f} MiB, {free:.0f} MiB are free"
                )
            title = f"loss alone, CPU f32, batch {batch}, E 512, {N_KINDS} captions, 45 % masked"
            found = self.compare("loss", title, batch, rivals, min(a.rounds, 3), reference_copy_mib=copy_mib)
            print(
                f"  memory     ours {found[0]['above_start_mib']:.0f} MiB above its inputs; the reference's logits "
                f"{copy_mib:.0f} MiB a copy as computed, {N_COPIES} copies {N_COPIES * copy_mib:.0f} MiB"
            )

    def finish(self):
        measure.finish(self.arguments.out / "train.json", self.results, self.not_run, self.failures)


def write_inputs(command):
    """Runs a program that writes files and prints nothing."""
    if subprocess.run([str(part) for part in command]).returncode != 0:
        raise Failed(f"inputs could not be written: {' '.join(map(str, command))}")


def worst(differences):
    """The largest; a NaN counts as larger than any."""
    return max(differences, key=lambda difference: math.inf if math.isnan(difference) else difference)


def relative(found, expected):
    return abs(found - expected) / max(abs(expected), 1e-12)


def line_of(side):
    millis = side["millis"]
    return (
        f"{millis['median']:.1f} ms a step (min {millis['min']:.1f}, max {millis['max']:.1f}, n {millis['n']}), "
        f"{side['samples_per_sec']:.1f} samples/s, peak {side['peak_mib']:.0f} MiB "
        f"({side['above_start_mib']:.0f} above its start)"
    )


def available_mib():
    """Memory that can be had without swapping; none where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("MemAvailable")), None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", type=Path, required=True, help="the example bench_train, built")
    parser.add_argument("--reference", type=Path, help="a Python with torch and safetensors")
    parser.add_argument("--cuda", type=Path, help="bench_train, built with CUDA")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--not-run", action="append", default=[], help="what is known to be missing, and why")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5, help="times that the rivals take turns")
    parser.add_argument("--steps", type=int, default=3, help="timed steps a round, after one that is not")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="beside one thread")
    parser.add_argument("--loss-batches", type=int, nargs="*", default=[512, 2048])
    parser.add_argument("--cuda-batch", type=int, default=2048)
    parser.add_argument("--device", choices=["all", "cpu", "cuda"], default="all", help="leave the other out")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    bench = Bench(arguments)
    parts = [bench.steps, bench.losses] if arguments.device != "cuda" else []
    if arguments.cuda and arguments.device != "cpu":
        parts.append(lambda: cuda.steps(bench))
    for part in parts:
        try:
            part()
        except Failed as error:
            bench.failures.append(str(error))
    bench.finish()


if __name__ == "__main__":
    main()

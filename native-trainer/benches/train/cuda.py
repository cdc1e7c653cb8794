"""The CUDA part of the bench: ViT-B/16 in bf16 at the paper's batch, the GPU's memory and the share of its peak."""

import json
import os
import pathlib
import subprocess
import threading

# Also read by the example step_cost of the trainer.
PEAKS = pathlib.Path(__file__).parent.parent / "peak_tflops.json"
SECONDS_BETWEEN_SAMPLES = 0.2


def query(field):
    """What nvidia-smi says of the first GPU."""
    command = ["nvidia-smi", "-i", "0", f"--query-gpu={field}", "--format=csv,noheader,nounits"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


class MemoryWatch:
    """The most memory in use on the GPU while it is open, beyond what was in use before, in MiB."""

    def __enter__(self):
        self.before = self.most = int(query("memory.used"))
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.ended.wait(SECONDS_BETWEEN_SAMPLES):
            self.most = max(self.most, int(query("memory.used")))

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.mib = self.most - self.before


def watched(rival):
    """The rival, with the GPU's memory noted as its peak."""
    run = rival.run

    def run_watched():
        with MemoryWatch() as memory:
            run()
        rival.runs[-1].update(peak_mib=memory.mib, start_mib=0)

    rival.run = run_watched
    return rival


def useful_flops(inputs):
    """Floating-point operations that a step needs: forward and backward, each distinct caption once, no padding."""
    config = json.loads((inputs / "config.json").read_text())["model_cfg"]
    lengths = json.loads((inputs / "lengths.json").read_text())
    vision, text = config["vision_cfg"], config["text_cfg"]

    def tower(tower, tokens, squared_lengths):
        width = tower["width"]
        weights = (4 + 2 * tower["mlp_ratio"]) * width * width
        return tower["layers"] * (2 * tokens * weights + 4 * squared_lengths * width)

    per_image = (vision["image_size"] // vision["patch_size"]) ** 2 + 1
    tokens = lengths["samples"] * per_image
    ends = 2 * tokens * vision["width"] * (3 * vision["patch_size"] ** 2 + config["embed_dim"])
    images = tower(vision, tokens, tokens * per_image) + ends
    return 3 * (images + tower(text, lengths["tokens"], lengths["squared_lengths"]))


def peak_tflops(name):
    """The GPU's peaks in TFLOP/s by what they are: its data sheet's, and the one that products of random data reach."""
    given = os.environ.get("DERMAKE_BENCH_PEAK_TFLOPS")
    if given:
        return {"given": float(given)}
    gpus = json.loads(PEAKS.read_text())["gpus"]
    known = next((gpu for gpu in gpus if gpu["name"] in name), {})
    return {what: peak for what, peak in known.items() if what != "name"}


def steps(bench):
    """Compares at the asked batch; where the reference does not fit, also at halves of it until it does."""
    a, batch = bench.arguments, bench.arguments.cuda_batch
    name = query("name")
    peaks = peak_tflops(name)
    bench.results["machine"]["gpu"] = name
    while batch:
        inputs = bench.out / f"vit-b-16-{batch}"
        made = [a.ours, "inputs", "--out", inputs, "--batch", batch, "--recipe", "pretrain-vit-b-16"]
        subprocess.run([str(part) for part in made], check=True)
        common = ["step", "--inputs", inputs, "--steps", a.steps, "--device", "cuda"]
        ours = bench.ours(*common, "--recipe", "pretrain-vit-b-16")
        ours.command[0] = a.cuda
        rivals = [watched(ours)]
        if a.reference:
            rivals.append(watched(bench.reference(*common, "--bf16", "--checkpoint")))
        flops = useful_flops(inputs)
        title = f"step, {name}, bf16, ViT-B/16, batch {batch}"
        found = bench.compare("cuda", title, batch, rivals, min(a.rounds, 3), useful_flops=flops)
        for side in found:
            rate = flops / side["millis"]["median"] / 1e9
            side["useful_tflops"] = rate
            side["share_of_peak"] = {what: rate / peak for what, peak in peaks.items()}
            shares = [f"{100 * rate / peak:.1f} % of {peak:g} ({what})" for what, peak in peaks.items()]
            shares = ", ".join(shares) or "its peak is not known here"
            print(f"  {side['name']:10} {rate:.1f} TFLOP/s of the work a step needs, {shares}")
        if len(found) == 2:
            totals = [side["first_loss"]["total"] for side in found]
            print(f"  loss       {totals[0]:.4f} and {totals[1]:.4f} in bf16")
        lacks_memory = bench.not_run and "out of memory" in bench.not_run[-1]
        if len(found) == 2 or not a.reference or not lacks_memory:
            return
        batch //= 2

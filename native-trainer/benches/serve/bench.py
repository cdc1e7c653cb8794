"""`just bench-serve`: `dermake serve --infer` under load, beside FastAPI servers around open_clip, in the same run: one
with PyTorch in f32, one whose image tower is an 8-bit export in onnxruntime.

Both answer `POST /v1/classify` for one photo with the same bell-shaped weights on the same cores; oha asks, over loopback,
from the same machine. A closed loop has a number of clients that each wait for their answer; an open loop asks at a rate, whatever
comes back, and its latencies count from when a request was due. Before anything is measured, both must give one photo
the same logits. The overload asks for ten times what the server can, then looks whether it is as fast as before. What
this machine cannot run is listed, and is no failure. Writes `serve.json`.
"""

import argparse
import itertools
import json
import os
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import hosting
import measure
from measure import Failed, machine, run
from servers import sample, serving

REFERENCE = Path(__file__).with_name("reference.py")
BELL_SHAPED = Path(__file__).parents[1] / "bell_shaped.py"
EXPORT = Path(__file__).parents[1] / "export.py"
MODEL_DATA = Path(__file__).parents[3] / "shared-model" / "data"
LABELS, TEMPLATES = MODEL_DATA / "labels" / "pad.json", MODEL_DATA / "prompts" / "skin_templates.json"
# Of a logit, 100 times a cosine: two decoders of JPEG, and eight bits where a model has them.
TOLERANCE = {"f32": 0.05, "int8": 1.0}
REQUEST_TIMEOUT_SECS = 60
# Of the time over the server's own limit in which the answer has to be back at the client.
DEADLINE_SLACK_SECS = 5
STEADY_SECS = 10


class Bench:
    def __init__(self, arguments):
        self.arguments = arguments
        self.folder = arguments.out / "serve"
        self.model, self.int8 = self.folder / arguments.arch, self.folder / f"{arguments.arch}-int8"
        self.photo, self.onnx = self.folder / "photo.jpg", self.folder / f"{arguments.arch}-onnx"
        self.results = {"machine": machine(), "arch": arguments.arch, "closed": [], "open": [], "answers": []}
        self.not_run, self.failures = list(arguments.not_run), []

    def write_inputs(self):
        ours = self.arguments.ours
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "app").mkdir(exist_ok=True)
        (self.folder / "app" / "index.html").write_text("<!DOCTYPE html>")
        if not self.model.exists():
            run([ours, "init", "--arch", self.arguments.arch, "--seed", 0, "--out", self.model])
            if self.arguments.reference:
                run([self.arguments.reference, "-B", BELL_SHAPED, self.model / "open_clip_model.safetensors"])
        if not self.int8.exists():
            run([ours, "quantize", "--model", self.model, "--format", "int8", "--out", self.int8])
        if not self.photo.exists():
            with tempfile.TemporaryDirectory(dir=self.folder) as drawn:
                run([ours, "synth", "--images", 14, "--seed", 1, "--image-size", 512, "--out", Path(drawn) / "drawn"])
                sorted(Path(drawn).rglob("*.jpg"))[0].rename(self.photo)
        if self.arguments.reference:
            inputs = ["--model", self.model, "--photo", self.photo, "--out", self.onnx]
            run([self.arguments.reference, "-B", EXPORT, *inputs])

    def ours(self, model, *options):
        limits = ["--rate-per-sec", 0, "--max-connections", 2048, "--max-connections-per-client", 2048]
        limits += ["--request-timeout-secs", REQUEST_TIMEOUT_SECS]
        where = ["--app", self.folder / "app", "--port", 0, "--infer", "cpu", "--infer-model", model]
        return [self.arguments.ours, "serve", *where, *limits, *options]

    def theirs(self, *options):
        inputs = ["--model", self.model, "--labels", LABELS, "--templates", TEMPLATES, *options]
        return [self.arguments.reference, "-B", REFERENCE, *inputs, "--threads", self.arguments.threads]

    def load(self, server, secs, clients, rate=None, wait=True):
        """One run of oha; latencies in ms."""
        limits = ["-z", f"{secs}s", "-c", clients, "-t", f"{REQUEST_TIMEOUT_SECS + DEADLINE_SLACK_SECS}s"]
        limits += ["-q", rate, "--latency-correction"] if rate else []
        limits += ["-w"] if wait else []
        asked = ["-m", "POST", "-T", "image/jpeg", "-D", self.photo, f"{server.url}v1/classify"]
        printed, _ = run([self.arguments.oha, "--no-tui", "--output-format", "json", *limits, *asked])
        return figures(json.loads(printed))

    def closed(self, servers):
        """More and more clients, the servers in turn for each number: a machine's speed may change within minutes."""
        for server in servers:
            self.load(server, 2, 2)  # warms up
        for clients, server in itertools.product(self.arguments.clients, servers):
            found = {"server": server.name, "clients": clients, **self.load(server, self.arguments.secs, clients)}
            found["rss_mib"] = server.rss_mib()
            self.results["closed"].append(found)
            print(f"  {server.name:16} {clients:3} clients: {line_of(found)}, {found['rss_mib']:.0f} MiB", flush=True)
            self.check_statuses(found)
        runs = self.results["closed"]
        return {server.name: max(run["per_sec"] for run in runs if run["server"] == server.name) for server in servers}

    def open(self, server, capacity):
        for share in self.arguments.shares:
            found = self.load(server, self.arguments.secs, 64, rate=max(1, round(share * capacity)))
            found = {"server": server.name, "share_of_capacity": share, **found}
            self.results["open"].append(found)
            print(f"  {server.name:16} open loop at {share:.0%} of its capacity: {line_of(found)}", flush=True)
            self.check_statuses(found)

    def check_statuses(self, found):
        if set(found["statuses"]) - {"200"} or found["errors"]:
            self.failures.append(f"{found['server']}: {found['statuses']}, {found['errors']}")

    def check_answers(self, servers):
        """Every server gives the photo the same logits as the last one, within its tolerance."""
        expected = servers[-1].classify(self.photo)
        for server in servers[:-1]:
            found = server.classify(self.photo)
            worst = max(abs(found[label] - expected[label]) for label in expected)
            self.results["answers"].append({"server": server.name, "largest_logit_difference": worst})
            print(f"  {server.name:16} its logits differ from {servers[-1].name}'s by at most {worst:.1e}")
            if not worst <= TOLERANCE["int8" if "int8" in server.name else "f32"]:
                self.failures.append(f"the answers of {server.name} differ by {worst:.1e}")

    def overload(self, server, capacity):
        """Ten times as much as it can, then the same as before."""
        before = self.load(server, STEADY_SECS, 8)
        memory, is_over = [], threading.Event()
        watch = threading.Thread(target=lambda: sample(server, memory, is_over))
        watch.start()
        secs, rate = self.arguments.overload_secs, round(10 * capacity)
        during = self.load(server, secs, 1024, rate=rate)
        is_over.set(), watch.join()
        time.sleep(10)
        after = self.load(server, STEADY_SECS, 8)
        half = len(memory) // 2
        found = {
            "server": server.name,
            "rate_per_sec": rate,
            "secs": secs,
            "before": before,
            "during": during,
            "after": after,
            "rss_mib": {"before": memory[0], "first_half": max(memory[:half]), "second_half": max(memory[half:])},
        }
        self.results["overload"] = found
        print(f"  overload, {rate}/s for {secs} s: {during['statuses']} {during['errors']}, {line_of(during)}")
        print(f"  memory, MiB: {found['rss_mib']}; before {before['per_sec']:.2f}/s, after {after['per_sec']:.2f}/s")
        if set(during["statuses"]) - {"200", "503", "504"} or during["errors"]:
            self.failures.append(f"overload: requests that were neither answered nor refused: {during}")
        if during["max_ms"] > 1000 * (REQUEST_TIMEOUT_SECS + DEADLINE_SLACK_SECS):
            self.failures.append(f"overload: an answer after {during['max_ms']:.0f} ms")
        if after["per_sec"] < 0.8 * before["per_sec"]:
            self.failures.append("overload: slower ten seconds after it")

    def hosting(self):
        """Large weights, to many clients at once."""
        model = self.folder / "weights"
        hosting.write_model(model)
        command = [self.arguments.ours, "serve", "--app", self.folder / "app", "--port", 0, "--models", model]
        with serving("hosting", command, self.arguments.threads) as server:
            found = hosting.measure(server, self.arguments.hosting_clients)
        self.results["hosting"] = found
        memory = f"memory {found['rss_mib_before']:.0f} MiB before, {found['rss_mib_peak']:.0f} MiB at most"
        print(f"  1 GiB to each of {found['clients']} clients at once: {found['mib_per_sec']:.0f} MiB/s, {memory}")
        if found["whole"] != found["clients"]:
            self.failures.append(f"hosting: {found['whole']} of {found['clients']} clients got the whole file")

    def compare(self):
        a = self.arguments
        commands = [("ours f32", self.ours(self.model)), ("ours int8", self.ours(self.int8))]
        single = ("ours int8 single", self.ours(self.int8, "--max-batch", 1, "--batch-wait-ms", 0))
        commands.append(single)
        if a.reference:
            rivals = [("FastAPI int8", self.theirs("--onnx", self.onnx / "int8.onnx")), ("FastAPI f32", self.theirs())]
            commands += rivals
        if a.hosting_clients:
            self.hosting()
        with ExitStack() as stack:
            servers = [stack.enter_context(serving(name, command, a.threads)) for name, command in commands]
            self.check_answers(servers)
            capacities = self.closed(servers)
            for server in servers:
                if server.name != single[0]:
                    self.open(server, capacities[server.name])
            self.results["peak_mib"] = {server.name: server.rss_mib("VmHWM") for server in servers}
        if a.reference:
            for (name, _), (rival, _) in itertools.product(commands[: -len(rivals)], rivals):
                self.at_equal_p95(name, rival)
        if a.overload_secs:
            with serving(*commands[1], a.threads) as server:
                self.overload(server, capacities["ours int8"])

    def at_equal_p95(self, name, rival):
        """Our best throughput with no worse a p95 than theirs, at each number of clients that they had."""
        runs = self.results["closed"]
        ours = [run for run in runs if run["server"] == name]
        ratios = {}
        for theirs in (run for run in runs if run["server"] == rival):
            fitting = [run["per_sec"] for run in ours if run["p95_ms"] <= theirs["p95_ms"]]
            ratios[round(theirs["p95_ms"])] = max(fitting) / theirs["per_sec"] if fitting else None
        peaks = self.results["peak_mib"]
        found = {"server": name, "rival": rival, "ratio_at_p95_ms": ratios, "memory_ratio": peaks[name] / peaks[rival]}
        self.results.setdefault("beside", []).append(found)
        shown = ", ".join(f"{ratio:.2f} at {ms} ms" if ratio else f"none at {ms} ms" for ms, ratio in ratios.items())
        print(f"  {name:16} times {rival}'s throughput at its p95: {shown}; {found['memory_ratio']:.2f} of its memory")

    def finish(self):
        measure.finish(self.arguments.out / "serve.json", self.results, self.not_run, self.failures)


def figures(report):
    """What counts of oha's report."""
    summary, percentiles = report["summary"], report["latencyPercentiles"]
    ms = lambda secs: None if secs is None else 1000 * secs
    n_answers = sum(report["statusCodeDistribution"].values())
    return {
        "answers": n_answers,
        "per_sec": report["statusCodeDistribution"].get("200", 0) / summary["total"],
        **{f"{name}_ms": ms(percentiles[name]) for name in ("p50", "p95", "p99")},
        "max_ms": ms(summary["slowest"]),
        "statuses": report["statusCodeDistribution"],
        "errors": report["errorDistribution"],
    }


def line_of(found):
    latencies = ", ".join(f"{name} {found[f'{name}_ms']:.0f}" for name in ("p50", "p95", "p99"))
    return f"{found['per_sec']:.2f} answers/s, {latencies} ms"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", type=Path, required=True, help="the program dermake, built")
    parser.add_argument("--oha", type=Path, required=True, help="the load generator")
    parser.add_argument("--reference", type=Path, help="a Python with FastAPI, uvicorn and open_clip")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--not-run", action="append", default=[], help="what is known to be missing, and why")
    parser.add_argument("--arch", default="ViT-B-16", help="ViT-B-32 takes a quarter of the time")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--shares", type=float, nargs="+", default=[0.5, 0.8], help="of its capacity, for the open loop")
    parser.add_argument("--secs", type=int, default=12, help="of one measurement")
    parser.add_argument("--overload-secs", type=int, default=120, help="0 leaves the overload out")
    parser.add_argument("--hosting-clients", type=int, default=50, help="0 leaves the large file out")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    bench = Bench(arguments)
    try:
        bench.write_inputs()
        bench.compare()
    except Failed as error:
        bench.failures.append(str(error))
    bench.finish()


if __name__ == "__main__":
    main()

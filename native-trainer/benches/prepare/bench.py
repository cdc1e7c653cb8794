"""`just bench-prepare`: `dermake prepare` by the lexicon on many captions, no two of which are equal.

A row is a caption of the example with two sentences of the example behind it. The example has m captions, which have n
different sentences. Row q m + c has caption c, sentence (c + q) mod n and sentence (2c + q + q div n + 1) mod n, so that no
caption has the same two twice. The bench checks that all rows differ. Every round is a process of its own. Writes
`prepare.json`.
"""

import argparse
import csv
import json
import re
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
import measure
from measure import Failed, machine, run, spread

EXAMPLE = Path(__file__).parents[2] / "crates/prepare/example/captions.csv"


def captions(n):
    """The captions, one after the other: this process must stay smaller than the one whose memory it measures."""
    with EXAMPLE.open(newline="", encoding="utf-8") as file:
        example = list(dict.fromkeys(row["caption"] for row in csv.DictReader(file)))
    sentences = list(dict.fromkeys(part for text in example for part in re.split(r"(?<=[.!?])\s+", text)))
    if n > len(example) * len(sentences) ** 2:
        raise Failed(f"expected {len(example) * len(sentences) ** 2:,} captions at most, got --captions {n}")
    for at in range(n):
        turn, caption = divmod(at, len(example))
        behind = [caption + turn, 2 * caption + turn + turn // len(sentences) + 1]
        yield " ".join([example[caption], *(sentences[index % len(sentences)] for index in behind)])


def write_table(path, n):
    hashes = set()
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["filename", "caption"])
        for at, caption in enumerate(captions(n)):
            hashes.add(hash(caption))
            table.writerow([f"case-{at + 1:07}.jpg", caption])
    if len(hashes) < n:
        raise Failed(f"expected {n} captions that differ, made {len(hashes)}")


def prepare(program, table, n):
    """Seconds and the most memory of one run, in MiB."""
    with tempfile.TemporaryDirectory(dir=table.parent) as out:
        started = time.perf_counter()
        _, peak_mib = run([program, "prepare", table, "--out", Path(out) / "train.csv"])
        secs = time.perf_counter() - started
        counts = json.loads((Path(out) / "prepare.json").read_text())
    if (counts["n_rows"], counts["left_out"]) != (n, {}):
        raise Failed(f"expected a table of {n} rows, got {counts['n_rows']}, without {counts['left_out']}")
    return secs, peak_mib


def measured(arguments):
    n = arguments.captions
    with tempfile.TemporaryDirectory(dir=arguments.out) as folder:
        table = Path(folder) / "captions.csv"
        write_table(table, n)
        table_mb = table.stat().st_size / 1e6
        print(f"{n:,} captions, {table_mb:.0f} MB; {machine()['cpu']}, {machine()['cores']} cores", flush=True)
        rounds = []
        for _ in range(arguments.rounds):
            secs, peak_mib = prepare(arguments.ours, table, n)
            print(f"{secs:.1f} s, {n / secs:,.0f} captions/s, {peak_mib:.0f} MiB at most", flush=True)
            rounds.append((secs, peak_mib))
    secs, peaks = zip(*rounds)
    return {"captions": n, "table_mb": table_mb, "secs": spread(secs), "peak_mib": max(peaks)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", type=Path, required=True, help="the program dermake, built")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--captions", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.captions < 1 or arguments.rounds < 1:
        parser.error("--captions and --rounds: expected 1 or more")
    arguments.out.mkdir(parents=True, exist_ok=True)
    results, failures = {"machine": machine()}, []
    try:
        results.update(measured(arguments))
    except Failed as error:
        failures.append(str(error))
    measure.finish(arguments.out / "prepare.json", results, [], failures)


if __name__ == "__main__":
    main()

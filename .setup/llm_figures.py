"""Captions for test_llm.sh, and the figures of what was read in them.

llm_figures.py captions N: prints the first N captions of those that are labeled by hand, which are also the first 200 of
the example, as CSV.
llm_figures.py figures N SECS BY_MODEL BY_LEXICON: prints the figures of two folders that `dermake prepare` wrote.
"""

import csv
import json
import sys
from pathlib import Path

LABELED = Path(__file__).parent.parent / "native-trainer/crates/prepare/tests/labeled/captions.psv"
ASPECTS = ["condition", "concepts", "negated"]


def labeled(n):
    return [line.split("|") for line in LABELED.read_text().splitlines()[1 : n + 1]]


def extracted(folder):
    return [json.loads(line) for line in (Path(folder) / "extracted.jsonl").read_text().splitlines()]


def names(row, aspect):
    value = row[aspect]
    return set(value) if isinstance(value, list) else {value} - {None}


def precision_and_recall(found, labels):
    correct = sum(len(a & b) for a, b in zip(found, labels, strict=True))
    share = lambda of: f"{100 * correct / of:.1f} %" if of else "n/a"
    return share(sum(map(len, found))), share(sum(map(len, labels)))


def figures(n, secs, by_model, by_lexicon):
    rows = extracted(by_model)
    counts = json.loads((Path(by_model) / "prepare.json").read_text())["llm"]
    n_by_model = sum(row["by"] == "llm" for row in rows)
    assert counts["n_requests"] > 0 and len(rows) == n, "the model was asked nothing"
    print(f"{len(rows)} captions in {secs} s: {n_by_model} read by the model, {len(rows) - n_by_model} by the lexicon")
    print(", ".join(f"{name.removeprefix('n_').replace('_', ' ')} {count}" for name, count in counts.items()))
    of_model = [at for at, row in enumerate(rows) if row["by"] == "llm"]
    for column, aspect in enumerate(ASPECTS, 2):
        labels = [set(filter(None, row[column].split(","))) for row in labeled(n)]
        found = [names(row, aspect) for row in rows]
        for who, found, labels in [
            ("model, else lexicon", found, labels),
            ("model alone", [found[at] for at in of_model], [labels[at] for at in of_model]),
            ("lexicon", [names(row, aspect) for row in extracted(by_lexicon)], labels),
        ]:
            precision, recall = precision_and_recall(found, labels)
            print(f"| {aspect} | {who} | {sum(map(len, labels))} | {precision} | {recall} |")


match sys.argv[1:]:
    case ["captions", n]:
        rows = [(f"{at}.jpg", row[1]) for at, row in enumerate(labeled(int(n)))]
        csv.writer(sys.stdout).writerows([("filename", "caption"), *rows])
    case ["figures", n, secs, by_model, by_lexicon]:
        figures(int(n), secs, by_model, by_lexicon)

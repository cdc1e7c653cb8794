"""Compares a table of `dermake prepare` with one that was published, cell by cell, and prints a line a row.

usage: published.py PUBLISHED.csv PREPARED.csv

Both have MAKE's columns; rows are found by their images. Sub-captions and masks are equal or not. Conditions and
concepts are sets, read from the sentences of the captions that hold them: `+` is ours only, `-` is theirs only.
"""

import csv
import json
import sys

N_SUB_CAPTIONS = 8
SENTENCES = {
    "ontology_caption": "This is a skin photo diagnosed as ",
    "visual_concept_caption": "This skin photo shows ",
}


def rows(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        return {row["filename"]: row for row in csv.DictReader(file)}


def terms(row, column):
    """The terms that the sentence of a column lists."""
    text = row[column].strip().removeprefix(SENTENCES[column]).rstrip(".")
    return [term.strip() for term in text.split(",") if term.strip()]


def sub_captions(row):
    texts = [row[f"subcaption_{index + 1}"] for index in range(N_SUB_CAPTIONS)]
    return [text.strip() for text in texts if text.strip()]


def difference(published, prepared):
    only_prepared = [f"+{term}" for term in prepared if term not in published]
    only_published = [f"-{term}" for term in published if term not in prepared]
    same_order = "same" if published == prepared else "other order"
    return ", ".join(only_published + only_prepared) or same_order


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    published, prepared = map(rows, sys.argv[1:])
    print("| row | sub-captions | masks | path | concepts |\n|---|---|---|---|---|")
    for number, (image, theirs) in enumerate(published.items(), 1):
        ours = prepared.get(image)
        if ours is None:
            print(f"| {number} | not in the prepared table | | | |")
            continue
        texts = sub_captions(theirs), sub_captions(ours)
        said = "same" if texts[0] == texts[1] else f"{len(texts[0])}, ours {len(texts[1])}"
        is_same_mask = all(
            json.loads(theirs[mask]) == json.loads(ours[mask]) for mask in ["sub_caption_mask", "knowledge_masks"]
        )
        sets = [difference(terms(theirs, column), terms(ours, column)) for column in SENTENCES]
        print(f"| {number} | {said} | {'same' if is_same_mask else 'differ'} | {' | '.join(sets)} |")


if __name__ == "__main__":
    main()

"""third_party.py OUT PACKAGE[:TARGET]...: writes the licenses of what is compiled into packages of the workspace.

Of each crate: name, version, license, source, and the license files that it comes with, those of C sources in it too. A
crate without one has those of another crate of its repository, or the text of the license that it names, with its authors.
Then what is no crate: `ASSETS`. Equal texts are there once. Fails for a crate whose license is not found.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IS_LICENSE = re.compile(r"(licen[cs]e|copying|notice|unlicense|copyright)\b[^/]*(?<!\.rs)$", re.IGNORECASE)
IS_OTHER_CHOICE = re.compile(r"apache|unlicense|boost|bsl|zlib|gpl|cc0|0bsd", re.IGNORECASE)
# Folders of a crate whose contents are not compiled.
NOT_COMPILED = {"tests", "test", "benches", "examples", "docs", "doc", "fuzz", "assets", ".git", "target"}

# What is compiled in and is no crate: name, source, file with its license, the packages that have it.
ASSETS = [
    (
        "DejaVu Sans, a part of its letters (Bitstream Vera license)",
        "https://dejavu-fonts.github.io",
        "native-trainer/crates/drawing/fonts/LICENSE",
        {"native-trainer", "dermake-python"},
    ),
    (
        "weights of YuNet, a face detector by Shiqi Yu (BSD 3-clause)",
        "https://github.com/ShiqiYu/libfacedetection",
        "native-trainer/crates/pictures/data/LICENSE-YUNET",
        {"native-trainer", "dermake-python"},
    ),
    (
        "byte-pair merges of OpenAI's CLIP (MIT)",
        "https://github.com/openai/CLIP",
        "shared-model/data/LICENSE-CLIP",
        {"native-trainer", "dermake-python", "web"},
    ),
    (
        "ftfy by Robyn Speer, ported to Rust (Apache-2.0)",
        "https://github.com/rspeer/python-ftfy",
        "LICENSE-APACHE",
        {"native-trainer", "dermake-python", "web"},
    ),
]


def run(*command):
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def compiled(package):
    """Name and version of each crate that becomes a part of a package."""
    name, _, target = package.partition(":")
    command = ["cargo", "tree", "--locked", "-p", name, "-e", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"]
    lines = run(*command, *(["--target", target] if target else [])).splitlines()
    words = [line.split() for line in lines if line.strip()]
    return {(word[0], word[1].removeprefix("v")) for word in words}


def license_files(crate):
    """The license files of a crate, in the order of their paths; where MIT can be chosen, without those of other licenses."""
    folder = Path(crate["manifest_path"]).parent
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name.lower() not in NOT_COMPILED)
        found += [Path(place, name) for name in sorted(files) if IS_LICENSE.match(name)]
        if re.fullmatch(r"licen[cs]es?", Path(place).name, re.IGNORECASE):
            found += [Path(place, name) for name in sorted(files) if not IS_LICENSE.match(name)]
    can_choose = "AND" not in crate["license"] and any("MIT" in path.name.upper() for path in found)
    return [path for path in found if not (can_choose and IS_OTHER_CHOICE.search(path.name))]


def stated_text(crate):
    """The text of the license that a crate names, with its authors."""
    authors = ", ".join(crate["authors"]) or f"the authors of {crate['name']}"
    if "MIT" in crate["license"]:
        permission = (ROOT / "LICENSE-MIT").read_text().split("\n\n", 2)[2]
        return f"MIT License\n\nCopyright (c) {authors}\n\n{permission}"
    if "Apache-2.0" in crate["license"]:
        return (ROOT / "LICENSE-APACHE").read_text()
    sys.exit(f"error: {crate['name']} {crate['version']} has no license file, and its license is {crate['license']}")


def parts(packages):
    """What is compiled in: a heading and the license texts of each part."""
    metadata = json.loads(run("cargo", "metadata", "--locked", "--format-version", "1"))["packages"]
    crates = {(crate["name"], crate["version"]): crate for crate in metadata if crate["source"]}
    for crate in crates.values():
        crate["license"] = crate["license"] or "a license of its own"
    files = {key: license_files(crate) for key, crate in crates.items()}
    names = {package.partition(":")[0] for package in packages}
    for name, source, license_file, of in ASSETS:
        if names & of:
            yield f"{name}\n{source}", [(ROOT / license_file).read_text()]
    rust = {"name": "rust", "version": "", "authors": ["The Rust Project Contributors"], "license": "MIT OR Apache-2.0"}
    yield "the Rust standard library (MIT OR Apache-2.0)\nhttps://github.com/rust-lang/rust", [stated_text(rust)]
    for key in sorted(set().union(*(compiled(package) for package in packages)) & crates.keys()):
        crate = crates[key]
        is_beside = lambda other: other["repository"] == crate["repository"] is not None
        beside = [files[at] for at, other in sorted(crates.items()) if files[at] and is_beside(other)]
        found = files[key] or (beside[0] if beside else [])
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in found] or [stated_text(crate)]
        source = crate["repository"] or f"https://crates.io/crates/{key[0]}"
        yield f"{key[0]} {key[1]} ({crate['license']})\n{source}", texts


def main(out, packages):
    numbers, bodies, headings = {}, [], []
    for heading, texts in parts(packages):
        used = []
        for text in texts:
            words = " ".join(text.split())
            if words not in numbers:
                numbers[words] = len(numbers) + 1
                bodies.append("\n".join(line.rstrip() for line in text.strip().splitlines()))
            if numbers[words] not in used:
                used.append(numbers[words])
        headings.append(f"{heading}\ntext {', '.join(map(str, used))}")
    rule = "=" * 80
    written = ["Dermake contains the work of others. Each part has its license and its source; the texts are below."]
    written += headings + [f"{rule}\nText {number}\n{rule}\n\n{body}" for number, body in enumerate(bodies, 1)]
    Path(out).write_text("\n\n".join(written) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

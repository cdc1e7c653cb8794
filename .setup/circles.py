#!/usr/bin/env python3
"""circles.py [ROOT...]: fails if files of a crate depend on each other in a circle.

ROOT is the first file of a library, program, test, bench or example; without one, those of the whole workspace.

A file depends on another one if its code, outside of tests, names an item that is defined there, by `use` or by a path.
A re-export is no dependency unless the file uses the name, too. Calls of methods are not seen.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

TEXT = r"""//[^\n]*|/\*.*?\*/|b?c?r(?P<marks>\#*)".*?"(?P=marks)|[bc]?"(?:\\.|[^"\\])*"|b?'(?:\\.[^']*|[^'\\])'"""
TOKEN = re.compile(TEXT + r"|(?P<code>'?[A-Za-z_]\w*|::|\S)", re.DOTALL)
DEFINES = {"fn", "struct", "enum", "trait", "type", "const", "static", "union", "macro_rules"}
IN_TESTS = re.compile(r"\[(test\]|cfg\((all\()?(test|doc)\b)")


def end_of(code, at):
    """The place behind the bracket that closes the one at `at`, or behind `at` if that is none."""
    depth = 0
    for place in range(at, len(code)):
        depth += (code[place] in "([{") - (code[place] in ")]}")
        if depth <= 0:
            return place + 1
    return len(code)


def imported(tree, path):
    """The names in the tree of a `use`, each with its path."""
    at = 0
    while at < len(tree):
        if tree[at] == "{":
            start = at = at + 1
            while at < len(tree):
                if tree[at] in ",}":
                    yield from imported(tree[start:at], path)
                    start = at + 1
                at = end_of(tree, at)
            return
        if tree[at] == "as":
            yield tree[at + 1], path
            return
        path = path if tree[at] == "::" or path and tree[at] == "self" else [*path, tree[at]]
        at += 1
    if tree:
        yield path[-1], path


class Module:
    def __init__(self, file, parent, folder, code=None):
        self.file, self.parent, self.root = file, parent, parent.root if parent else self
        self.children, self.items, self.uses, self.globs, self.code = {}, set(), {}, [], []
        code = code or [match["code"] for match in TOKEN.finditer(file.read_text()) if match["code"]]
        at = depth = 0
        while at < len(code):
            token, name, behind = [*code[at : at + 3], "", ""][:3]
            end = at + 1
            if token == "#" and name == "[" and IN_TESTS.match("".join(code[at + 1 : end_of(code, at + 1)])):
                while end < len(code) and code[end] not in "{;,":
                    end = end_of(code, end)
                end = end_of(code, end)
            elif token == "use" and name != "<":
                end = code.index(";", at) + 1
                for key, path in imported(code[at + 1 : end - 1], []):
                    self.uses[key] = (path, code[at - 1] in ("pub", ")"))
                    self.globs += [path[:-1]] if key == "*" else []
            elif token == "mod" and behind == "{":
                end = end_of(code, at + 2)
                self.children[name] = Module(file, self, folder / name, code[at + 3 : end - 1])
            elif token == "mod" and behind == ";":
                end = at + 3
                files = [path for path in (folder / f"{name}.rs", folder / name / "mod.rs") if path.exists()]
                self.children.update({name: Module(path, self, folder / name) for path in files})
            else:
                depth += (token in "([{") - (token in ")]}")
                self.items |= {behind if name == "!" else name} if token in DEFINES and depth == 0 else set()
                self.code.append(token)
            at = end

    def find(self, path, is_first=True, seen=()):
        """The module that a path means, or that has the item that it means; `None` for other crates."""
        if not path or (self, path, is_first) in seen:
            return None if path else self
        seen, head, rest = (*seen, (self, path, is_first)), path[0], path[1:]
        if is_first and head in ("crate", "self", "super"):
            start = {"crate": self.root, "self": self, "super": self.parent}[head]
            return start.find(rest, rest[:1] == ["super"], seen)
        if head in self.children:
            return self.children[head].find(rest, False, seen)
        if head in self.items:
            return self
        if head in self.uses:
            found = self.find(self.uses[head][0], True, seen)
            return found and (found.find(rest, False, seen) or found)
        globs = filter(None, (self.find(path, True, seen) for path in self.globs))
        return next(filter(None, (found.find(path, False, seen) for found in globs)), None)

    def add_to(self, graph):
        paths = [path for name, (path, is_public) in self.uses.items() if not is_public or name in self.code]
        paths += [path.split("::") for path in re.findall(r"\w+(?:::\w+)*", " ".join(self.code).replace(" :: ", "::"))]
        found = [(self.find(path), path) for path in paths if len(path) > 1 or self.globs]
        graph.setdefault(self.file, set()).update(at.file for at, path in found if at and not at.items.isdisjoint(path))
        for child in self.children.values():
            child.add_to(graph)


def roots():
    """The first file of each target of the workspace."""
    command = ["cargo", "metadata", "--no-deps", "--locked", "--format-version", "1"]
    packages = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)["packages"]
    return sorted({Path(target["src_path"]) for package in packages for target in package["targets"]})


found = []
for root in [Path(argument) for argument in sys.argv[1:]] or roots():
    graph, below = {}, {}
    Module(root, None, root.parent).add_to(graph)
    for file in graph:
        below[file], new = set(), {file}
        while new:
            new = set().union(*(graph[at] - {at} for at in new)) - below[file]
            below[file] |= new
    found += {frozenset(other for other in below[file] if file in below[other]) for file in graph if file in below[file]}
for circle in found:
    files = sorted(os.path.relpath(file) for file in circle)
    print("these files depend on each other; move what they share below them:", *files, sep="\n  ", file=sys.stderr)
sys.exit(bool(found))

#!/usr/bin/env python3
"""Which modules of a crate import each other?

usage: scripts/imports.py CRATE/src...

Reads `use crate::...` and inline paths in code outside of tests. Prints the pairs of top-level modules that import
each other, and the groups of files that reach each other by imports (strongly connected components). Exits with 1 if
there is such a pair of modules.
"""

import re
import sys
from pathlib import Path

TEST_MODULE = re.compile(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))? )?mod (\w+)\s*(;|\{)")
NAME = re.compile(r"\s*(r#)?(\w+)")


def code(text):
    """`text` without comments, texts and characters, so that what is left is code."""
    pattern = r'//[^\n]*|/\*.*?\*/|r(#*)".*?"\1|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\''
    return re.sub(pattern, " ", text, flags=re.DOTALL)


def closing(text, at):
    """The index behind the bracket that closes the one at `at`."""
    depth = 0
    for index in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            return index + 1
    return len(text)


def outside_tests(text):
    """`text` without the test modules in it, and the names of those that are in files of their own."""
    files = []
    while found := TEST_MODULE.search(text):
        name, kind = found.groups()
        if kind == ";":
            files.append(name)
            end = found.end()
        else:
            end = closing(text, found.end() - 1)
        text = text[: found.start()] + text[end:]
    return text, files


def paths(text, at):
    """The paths that begin at `at` in `text`, as lists of names: `a::{b, c::d}` is a, b and a, c, d."""
    names = []
    while True:
        if text[at : at + 1] == "{":
            inner = text[at + 1 : closing(text, at) - 1]
            found, start, depth = [], 0, 0
            for index, letter in enumerate(inner + ","):
                depth += {"{": 1, "}": -1}.get(letter, 0)
                if letter == "," and depth == 0:
                    part = inner[start:index].strip()
                    found += paths(part, 0) if part else []
                    start = index + 1
            return [names + rest for rest in found]
        name = NAME.match(text, at)
        if not name:
            return [names]
        names.append(name.group(2))
        at = name.end()
        if text[at : at + 2] != "::":
            return [names]
        at += 2


class Crate:
    def __init__(self, root):
        self.root = root
        self.files = {}
        tests = set()
        for path in sorted(root.rglob("*.rs")):
            text, modules = outside_tests(code(path.read_text()))
            module = self.module(path)
            self.files[module] = text
            tests |= {module + (name,) for name in modules}
        inside = lambda module: any(module[: len(test)] == test for test in tests)  # noqa: E731
        self.files = {module: text for module, text in self.files.items() if not inside(module)}

    def module(self, path):
        parts = path.relative_to(self.root).with_suffix("").parts
        return parts[:-1] if parts[-1] in ("mod", "lib", "main") else parts

    def target(self, names):
        """The file that holds what `names` leads to: the deepest module among its first names."""
        for length in range(len(names), 0, -1):
            if tuple(names[:length]) in self.files:
                return tuple(names[:length])
        return None

    def imports(self, module):
        found = set()
        text = self.files[module]
        for match in re.finditer(r"(?<![\w$])(crate|super|self)::", text):
            start = {"crate": (), "self": module, "super": module[:-1]}[match.group(1)]
            at = match.end()
            while text.startswith("super::", at):
                start, at = start[:-1], at + len("super::")
            for names in paths(text, at):
                target = self.target(list(start) + names)
                if target and target != module:
                    found.add(target)
        return found


def components(edges):
    """Tarjan's strongly connected components with more than one member."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in edges.get(node, ()):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    sys.setrecursionlimit(10_000)
    for node in edges:
        if node not in index:
            visit(node)
    return found


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    mutual = False
    for root in sys.argv[1:]:
        crate = Crate(Path(root))
        edges = {module: crate.imports(module) for module in crate.files if module}
        tops = {}
        for module, targets in edges.items():
            for target in targets:
                if target[0] != module[0]:
                    tops.setdefault((module[0], target[0]), []).append(("::".join(module), "::".join(target)))
        pairs = sorted((a, b) for a, b in tops if a < b and (b, a) in tops)
        print(f"{root}: {len(pairs)} pairs of modules import each other")
        for a, b in pairs:
            print(f"  {a} <-> {b}")
            for one, other in sorted(tops[a, b]) + sorted(tops[b, a]):
                print(f"    {one} imports {other}")
        # A folder's mod.rs names its files and its files what it defines: no circle to speak of.
        files = {module: {t for t in targets if not related(module, t)} for module, targets in edges.items()}
        for group in components(files):
            print(f"  circle of {len(group)} files: " + ", ".join("::".join(module) for module in group))
        mutual |= bool(pairs)
    sys.exit(mutual)


def related(a, b):
    """Whether one of two modules is inside the other."""
    short = min(len(a), len(b))
    return a[:short] == b[:short]


main()

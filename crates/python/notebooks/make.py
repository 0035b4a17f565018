#!/usr/bin/env python3
"""Makes the course's notebooks: four of each source, in English and French, with gaps and with solutions.

    python3 crates/python/notebooks/make.py            # writes them
    python3 crates/python/notebooks/make.py --check    # says which aren't what their sources make; exit status 1

A source is source/NAME.py in percent format, which editors run cell by cell. It makes NAME.ipynb, NAME.fr.ipynb,
NAME.solution.ipynb and NAME.solution.fr.ipynb. What a line may say:

    # %% WORDS            A cell begins. Words: `[markdown]` (its text is one string literal), `en` or `fr` (only in that
                          language), `gaps` or `solution` (only in that version), `include FILE` (the code of
                          source/FILE); others become tags. The tag `folded` folds the code away.
    # [en], # [fr]        The lines down to the next such mark are in that language only; `# [all]` ends that.
    # en: TEXT            A comment in English only; `# fr: TEXT` in French only.
    # [gap]               What follows is for the gaps: comments, and code as `# | CODE`;
    # [solution]          what follows is for the solution,
    # [end]               down to here.

A markdown image `![..](pictures/FILE)` is put into the notebook. Standard library only.
"""

import argparse
import ast
import base64
import hashlib
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LANGUAGES = ("en", "fr")
VERSIONS = ("gaps", "solution")
MARK = re.compile(r"# %%(.*)")
PICTURE = re.compile(r"!\[([^\]]*)\]\(pictures/([^)\s]+)\)")
TYPES = {".png": "image/png", ".jpg": "image/jpeg"}


class SourceError(Exception):
    """A source that isn't in the format above."""


def cells(path):
    """(words, text) of each cell of a source. What stands before the first cell is the source's own docstring."""
    found = []
    for line in path.read_text(encoding="utf8").splitlines():
        mark = MARK.fullmatch(line)
        if mark:
            found.append((mark[1].split(), []))
        elif found:
            found[-1][1].append(line)
    for words, lines in found:
        if words[:1] == ["include"]:
            yield words[2:], (path.parent / words[1]).read_text(encoding="utf8")
        else:
            yield words, "\n".join(lines)


def chosen(text, language, version, where):
    """The code of a cell in one language and version."""
    kept, only, part = [], None, None
    for line in text.splitlines():
        said = line.strip()
        indent = line[: len(line) - len(line.lstrip())]
        if said in ("# [en]", "# [fr]", "# [all]"):
            only = None if said == "# [all]" else said[3:5]
            # A formatter may have put a blank line between the two languages.
            if kept and not kept[-1]:
                kept.pop()
        elif said == "# [gap]":
            part = "gaps"
        elif said == "# [solution]":
            if part != "gaps":
                raise SourceError(f"{where}: `# [solution]` without a `# [gap]` before it")
            part = "solution"
        elif said == "# [end]":
            if part != "solution":
                raise SourceError(f"{where}: `# [end]` without a `# [solution]` before it")
            part = None
        elif (only or language) != language or (part or version) != version:
            continue
        elif re.match(r"# (en|fr): ", said):
            if said[2:4] == language:
                kept.append(f"{indent}# {said[6:]}")
        elif part == "gaps" and said.startswith("# | "):
            kept.append(indent + said[4:])
        else:
            kept.append(line)
    if part:
        raise SourceError(f"{where}: a `# [gap]` has no `# [end]`")
    return "\n".join(kept).strip("\n")


def attached(text):
    """A markdown text with its pictures as attachments, and these."""
    files = {}

    def take(found):
        file = HERE / "pictures" / found[2]
        files[file.name] = {TYPES[file.suffix]: base64.b64encode(file.read_bytes()).decode("ascii")}
        return f"![{found[1]}](attachment:{file.name})"

    return PICTURE.sub(take, text), files


def notebook(path, language, version):
    """The notebook of a source, in nbformat 4.5, without outputs. Ids follow from what a cell says."""
    made, seen = [], {}
    for number, (words, text) in enumerate(cells(path), 1):
        if any(word in LANGUAGES + VERSIONS and word not in (language, version) for word in words):
            continue
        tags = [word for word in words if word not in (*LANGUAGES, *VERSIONS, "[markdown]")]
        cell = {"cell_type": "code", "execution_count": None, "id": "", "metadata": {}, "outputs": []}
        where = f"{path.name}, cell {number}"
        if "[markdown]" in words:
            try:
                text = ast.literal_eval(text.strip()).strip()
            except (SyntaxError, ValueError):
                raise SourceError(f"{where}: its text isn't one string") from None
            text, files = attached(text)
            cell = {"cell_type": "markdown", "id": "", "metadata": {}}
            if files:
                cell["attachments"] = files
        else:
            text = chosen(text, language, version, where)
        if tags:
            cell["metadata"]["tags"] = tags
        if "folded" in tags:
            cell["metadata"]["jupyter"] = {"source_hidden": True}
        name = hashlib.sha256(text.encode()).hexdigest()[:8]
        seen[name] = seen.get(name, 0) + 1
        cell["id"] = name if seen[name] == 1 else f"{name}-{seen[name]}"
        cell["source"] = text.splitlines(keepends=True)
        made.append(dict(sorted(cell.items())))
    return {
        "cells": made,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def wanted():
    """Every notebook's file and text."""
    for path in sorted((HERE / "source").glob("*.py")):
        if path.name.startswith("_"):
            continue
        for version in VERSIONS:
            for language in LANGUAGES:
                name = path.stem + (".solution" if version == "solution" else "") + (".fr" if language == "fr" else "")
                text = json.dumps(notebook(path, language, version), indent=1, ensure_ascii=False)
                yield HERE / f"{name}.ipynb", text + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a notebook isn't up to date")
    check = parser.parse_args().check
    try:
        made = dict(wanted())
    except SourceError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    stale = [file for file, text in made.items() if not file.exists() or file.read_text(encoding="utf8") != text]
    left = sorted(set(HERE.glob("*.ipynb")) - set(made))
    if check:
        for file in stale:
            print(f"{file.name}: isn't what its source makes: run {Path(__file__).name}", file=sys.stderr)
        for file in left:
            print(f"{file.name}: has no source", file=sys.stderr)
        return 1 if stale or left else 0
    for file in stale:
        file.write_text(made[file], encoding="utf8")
    for file in left:
        file.unlink()
    print(f"{len(made)} notebooks, {len(stale)} written, {len(left)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())

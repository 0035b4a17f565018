"""The command from a program: `faussaire.cli(["judge", "runs/0001"])`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from . import notebook

__all__ = ["cli"]


def line(arguments: Sequence[str | os.PathLike[str]]) -> list[str]:
    """The command with these arguments."""
    return [sys.executable, "-m", "faussaire", *(os.fspath(argument) for argument in arguments)]


def cli(argv: Sequence[str | os.PathLike[str]] | None = None) -> int:
    """Runs the command in a process of its own; its exit status. Without arguments: those of this process."""
    arguments = sys.argv[1:] if argv is None else argv
    if not notebook.there():
        return subprocess.run(line(arguments)).returncode
    # A notebook doesn't show what processes print.
    with subprocess.Popen(line(arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        for text in process.stdout:
            print(text, end="")
    return process.returncode

"""The studio: runs in the browser, from a process of its own."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from html import escape
from typing import TypeAlias

from ._errors import RunError
from .command import line

__all__ = ["Studio", "studio"]

Path: TypeAlias = str | os.PathLike[str]


class Studio:
    """A running studio. A notebook shows it; `stop` ends it, as does the end of Python."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.address = address
        atexit.register(self.stop)

    def stop(self) -> None:
        """Ends the process. Trainings that were started in the studio go on."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        atexit.unregister(self.stop)

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Studio at {self.address}>"

    def _repr_html_(self) -> str:
        address = escape(self.address, quote=True)
        return (
            f'<iframe src="{address}" style="width:100%;height:48rem;border:0"></iframe>'
            f'<p><a href="{address}" target="_blank">open in a tab</a></p>'
        )


def studio(runs: Path = "runs", *, port: int | None = None, open: bool = False, token: bool = False) -> Studio:
    """Starts the studio on the runs in a folder, or one run.

    Without `token` every user of this machine may use it: a notebook's frame keeps no cookies. `port` 0 is any free one.
    """
    arguments = ["studio", os.fspath(runs)]
    arguments += [] if token else ["--no-token"]
    arguments += ["--open"] if open else []
    arguments += [] if port is None else ["--port", str(port)]
    process = subprocess.Popen(
        line(arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    said: list[str] = []
    errors = process.stderr
    reader = threading.Thread(target=lambda: said.extend(errors), daemon=True)
    reader.start()
    address = process.stdout.readline().strip()
    if not address:
        process.wait()
        reader.join(timeout=5)
        process.stdout.close()
        process.stderr.close()
        first = said or ["it ended at once"]
        raise RunError(
            f"the studio didn't start: {first[0].strip().removeprefix('error: ')}", "".join(first[1:]).strip()
        )
    print(f"studio: {address}", file=sys.stderr)
    return Studio(process, address)

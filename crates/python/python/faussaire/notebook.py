"""What is shown while a training runs: in a notebook by display handles, in a terminal in place."""

from __future__ import annotations

import base64
import shutil
import sys
from html import escape
from typing import Any

from .sheet import Sheet


def there() -> bool:
    """Whether this is a notebook."""
    shell = sys.modules.get("IPython")
    found = shell.get_ipython() if shell is not None else None
    return found is not None and type(found).__name__ == "ZMQInteractiveShell"


def picture(sheet: Sheet) -> str:
    """The sheet as HTML."""
    return f'<img alt="generated images" src="data:image/png;base64,{base64.b64encode(sheet._repr_png_()).decode()}"/>'


class Place:
    """A place in a notebook that shows the last of what it was given; elsewhere it shows nothing."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, what: Any) -> None:
        """Shows it in the place of what was there."""
        if not there():
            return
        from IPython.display import display

        if self._handle is None:
            self._handle = display(what, display_id=True)
        else:
            self._handle.update(what)


class _Html:
    def __init__(self, html: str, text: str) -> None:
        self.html, self.text = html, text

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


class Line:
    """A line with a bar that is redrawn in place."""

    WIDTH = 20

    def __init__(self) -> None:
        self._place = Place()
        self._open = False

    def show(self, head: str, share: float | None, tail: str) -> None:
        """Draws the bar at `share`, or none."""
        percent = f"{share:4.0%}" if share is not None else ""
        if there():
            bar = f"<progress value='{share}' max='1'></progress> {percent}" if share is not None else ""
            self._place.show(_Html(f"<div>{escape(head)} {bar} {escape(tail)}</div>", f"{head} {percent} {tail}"))
            return
        full = int(self.WIDTH * share) if share is not None else 0
        bar = "━" * full + "╌" * (self.WIDTH - full) if share is not None else ""
        try:
            bar.encode(sys.stderr.encoding or "ascii")
        except UnicodeEncodeError:
            bar = "#" * full + "-" * (self.WIDTH - full)
        text = f"{head}  {bar} {percent}  {tail}"
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{text[:width]:<{width}}")
        sys.stderr.flush()
        self._open = True

    def above(self, text: str) -> None:
        """A line of its own."""
        if self._open:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r{'':<{width}}\r")
        print(text, file=sys.stderr)

    def close(self) -> None:
        """Ends the line."""
        if self._open:
            sys.stderr.write("\n")
            self._open = False

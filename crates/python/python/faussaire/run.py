"""Runs: folders that trainings write, and that the command and the studio open."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterator
from pathlib import Path as _File
from typing import Any, TypeAlias

from . import _faussaire
from .history import Finding, History
from .recipe import Recipe
from .sheet import Sheet

__all__ = ["Run"]

Path: TypeAlias = str | os.PathLike[str]


class Run:
    """A run's folder."""

    def __init__(self, path: Path) -> None:
        self._native = _faussaire.Run(os.fspath(path))

    @classmethod
    def newest(cls, root: Path = "runs") -> Run:
        """The run with the highest number under `root`."""
        return cls(str(_faussaire.Run.newest(os.fspath(root)).path))

    @property
    def path(self) -> str:
        """Its folder."""
        return str(self._native.path)

    @property
    def recipe(self) -> Recipe:
        """Its recipe, with every key."""
        return Recipe._of(self._native.recipe)

    def events(self) -> Iterator[dict[str, Any]]:
        """The events of its log, oldest first."""
        yield from json.loads(self._native.events())

    def history(self) -> History:
        """Losses by epoch and step."""
        history = History()
        means: list[list[float]] = [[], [], [], []]
        for event in self.events():
            history.add(event)
            if event["event"] == "epoch":
                for column, key in zip(means, ("d_loss", "g_loss", "d_real", "d_fake")):
                    column.append(event["report"][key])
        history.epochs(means)
        return history

    def checkpoints(self) -> list[str]:
        """The names of its checkpoints."""
        return sorted(self._native.checkpoints())

    def sheets(self) -> list[Sheet]:
        """Its sheets, oldest first."""
        return [Sheet.read(path) for path in sorted((_File(self.path) / "samples").glob("*.png"))]

    def doctor(self) -> list[Finding]:
        """What the doctor found."""
        return [Finding.of(event) for event in self.events() if event["event"] == "finding"]

    @property
    def is_training(self) -> bool:
        """Whether a training writes here."""
        return self._native.is_training()

    def stop(self) -> None:
        """Asks the training in this folder, in whatever process, to save and stop."""
        self._native.stop()

    def report(self) -> str:
        """The run on one page of HTML."""
        return self._native.report()

    def __repr__(self) -> str:
        return f"Run({self.path!r})"

    def _repr_html_(self) -> str:
        page = html.escape(self.report(), quote=True)
        return f'<iframe srcdoc="{page}" style="width:100%;height:40rem;border:0"></iframe>'

"""Scores of images against real ones."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Literal, TypeAlias

import numpy as np

from . import _faussaire, data
from ._errors import UsageError
from .run import Run
from .sampler import Sampler

__all__ = ["Judgement", "Score", "judge"]

Path: TypeAlias = str | os.PathLike[str]


@dataclass(frozen=True)
class Score:
    """A score with its interval, and the score that real images have (`floor`)."""

    name: str
    value: float
    low: float
    high: float
    floor: float | None
    better: Literal["lower", "higher"]
    warning: str | None


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


class Judgement(Mapping[str, Score]):
    """Scores by the names of metrics: `judgement["frechet"].value`."""

    def __init__(self, text: str, about: str, neighbours: str | None = None) -> None:
        self._all: dict[str, Any] = json.loads(text)
        self.about = about
        self.neighbours = neighbours
        self._scores: dict[str, Score] = {}
        for score in self._all["scores"]:
            few = score.get("too_few")
            self._scores[score.get("metric", score["name"])] = Score(
                score["name"],
                _number(score["value"]),
                _number(score["low"]),
                _number(score["high"]),
                score.get("floor"),
                "lower" if score["better"] == "smaller" else "higher",
                f"too few images to tell ({few['images']}; needs about {few['needed']})"
                if few
                else score.get("warning"),
            )

    @property
    def classes(self) -> dict[str, int]:
        """How many images are taken for each class."""
        return dict(zip(self._all["classes"], self._all["histogram"]))

    @property
    def obeyed(self) -> dict[str, float | None]:
        """The share of the images asked to be of each class that are taken for it."""
        return dict(zip(self._all["classes"], self._all["obeyed"]))

    @property
    def notes(self) -> list[str]:
        """What a reader of the scores should know."""
        return list(self._all["notes"])

    def __getitem__(self, key: str) -> Score:
        return self._scores[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scores)

    def __len__(self) -> int:
        return len(self._scores)

    def to_dict(self) -> dict[str, Any]:
        """Everything, as the command writes it in JSON."""
        return dict(self._all)

    def __repr__(self) -> str:
        rows = [
            f"{key:<20} {s.value:>10.4g}  [{s.low:.4g}, {s.high:.4g}]  {s.warning or ''}" for key, s in self.items()
        ]
        return "\n".join([self.about, *rows, *self.notes])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(key)}</td><td>{s.value:.4g}</td><td>{s.low:.4g} to {s.high:.4g}</td>"
            f"<td>{'' if s.floor is None else f'{s.floor:.4g}'}</td><td>{s.better}</td><td>{escape(s.warning or '')}</td></tr>"
            for key, s in self.items()
        )
        head = "<tr><th>score</th><th>value</th><th>interval</th><th>real images</th><th>better</th><th></th></tr>"
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"<table><caption>{escape(self.about)}</caption>{head}{rows}</table>{notes}"


def judge(
    images: Any,
    against: Any = None,
    *,
    n: int = 10_000,
    class_name: str | None = None,
    inception: Path | None = None,
    checkpoint: str | None = None,
    seed: int = 0,
    neighbours: Path | None = None,
    test: Any = None,
) -> Judgement:
    """Judges a run, a sampler, or images (arrays, files) against real ones: a name, a path, arrays, a data set.

    A run is judged against its own data without `against`. Of real images in memory, `test` are those that were not trained on.
    With `neighbours` a page that shows each image with its nearest training images is written there.
    """
    with tempfile.TemporaryDirectory() as folder:
        of = _place(images, n, seed, folder)
        name = os.fspath(against) if isinstance(against, str | os.PathLike) else None
        real = None if against is None or name is not None else _real(against)
        held = None if test is None else data.native(test)
        text, about, page = _faussaire.judge(
            of,
            n,
            seed,
            against=name,
            reference=real,
            test=held,
            class_=class_name,
            inception=None if inception is None else os.fspath(inception),
            checkpoint=checkpoint,
            neighbours=neighbours is not None,
        )
    if neighbours is not None and page is not None:
        with open(neighbours, "w", encoding="utf-8") as file:
            file.write(page)
    return Judgement(text, about, page)


def _real(against: Any) -> _faussaire.Dataset:
    return against if isinstance(against, _faussaire.Dataset) else data.native(against)


def _place(images: Any, n: int, seed: int, folder: str) -> str:
    """The path of what is judged; images in memory are written into `folder`."""
    if isinstance(images, Run):
        return images.path
    if isinstance(images, str | os.PathLike):
        return os.fspath(images)
    if isinstance(images, Sampler):
        values = images(n, seed=seed, dtype="uint8")
    else:
        own = images if isinstance(images, data.Dataset) else data.Dataset(images)
        values = own.numpy()
    if len(values) == 0:
        raise UsageError("there are no images to judge", "give at least a few thousand")
    place = os.path.join(folder, "images.npy")
    np.save(place, values)
    return place

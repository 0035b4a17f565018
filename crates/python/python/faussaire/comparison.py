"""Comparisons: several recipes with several seeds each, and which is better."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path as _File
from typing import Any, TypeAlias

import numpy as np

from . import data
from ._errors import RunError, UsageError
from .command import line
from .recipe import Recipe
from .run import Run

__all__ = ["Comparison", "compare"]

Path: TypeAlias = str | os.PathLike[str]


class Comparison:
    """What a comparison found: `table` has a row for each variant, `runs` are its runs, `text` is the table to read."""

    def __init__(self, folder: Path) -> None:
        self.path = os.fspath(folder)
        self._all: dict[str, Any] = json.loads((_File(folder) / "table.json").read_text(encoding="utf-8"))
        self.text = (_File(folder) / "table.md").read_text(encoding="utf-8")

    @property
    def table(self) -> list[dict[str, Any]]:
        """A row for each variant and metric: mean, deviation, number of runs."""
        variants = [variant["name"] for variant in self._all["plan"]["variants"]]
        rows: list[dict[str, Any]] = []
        for metric in self._all["metrics"]:
            for at, (variant, summary) in enumerate(zip(variants, metric["summaries"])):
                row = {
                    "variant": variant,
                    "metric": metric["name"],
                    "better": metric["better"],
                    "best": metric["best"] == at,
                }
                rows.append(row | (summary or {}))
        return rows

    @property
    def runs(self) -> list[Run]:
        """The runs that were begun."""
        folder = _File(self.path) / "runs"
        return [
            Run(folder / run["name"]) for run in self._all["runs"] if (folder / run["name"] / "config.toml").exists()
        ]

    def to_dict(self) -> dict[str, Any]:
        """Everything, as the command writes it in JSON."""
        return dict(self._all)

    def to_pandas(self) -> Any:
        """The table as one of pandas."""
        import pandas as pd

        return pd.DataFrame(self.table)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        page = (_File(self.path) / "page.html").read_text(encoding="utf-8")
        return f'<iframe srcdoc="{escape(page, quote=True)}" style="width:100%;height:40rem;border:0"></iframe>'


def compare(
    x: Any = None,
    *,
    preset: str | Sequence[str] | None = None,
    recipes: Sequence[Recipe] = (),
    vary: Mapping[str, Sequence[Any]] | None = None,
    seeds: int | None = None,
    steps: int | None = None,
    epochs: int | None = None,
    time: str | float | None = None,
    folder: Path | None = None,
    n: int | None = None,
    jobs: int | None = None,
    verbose: bool = True,
) -> Comparison:
    """Trains each variant with each seed, in processes of their own, judges all runs and tests which is better.

    `vary={"loss": ["gan", "hinge"], "batch": [32, 64]}` tries all combinations. A `folder` that exists is gone on with; without
    it, it is the next number under `comparisons`.
    """
    place = _place(folder)
    arguments: list[str] = ["compare"]
    if x is not None:
        arguments.append(os.fspath(x) if isinstance(x, str | os.PathLike) else _written(x, place))
    for name in [preset] if isinstance(preset, str) else preset or []:
        arguments += ["--preset", name]
    for at, recipe in enumerate(recipes):
        place.parent.mkdir(parents=True, exist_ok=True)
        file = place.parent / f"{place.name}-recipe-{at}.toml"
        file.write_text(recipe.to_toml(), encoding="utf-8")
        arguments += ["--config", str(file)]
    for key, values in (vary or {}).items():
        if isinstance(values, str):
            raise UsageError(f"vary: {key} has one value", "give a list of values")
        arguments += ["--vary", f"{key}={','.join(_text(value) for value in values)}"]
    numbers = {"--seeds": seeds, "--steps": steps, "--epochs": epochs, "--time": time, "-n": n, "--jobs": jobs}
    for flag, value in numbers.items():
        if value is not None:
            arguments += [flag, str(value)]
    arguments += ["--run", str(place)] + ([] if verbose else ["--quiet"])
    done = subprocess.run(
        line(arguments), stdout=subprocess.PIPE, stderr=None if verbose else subprocess.PIPE, text=True
    )
    if done.returncode != 0:
        said = (done.stderr or "").strip().splitlines() or [f"it ended with {done.returncode}"]
        raise RunError(f"the comparison failed: {said[0].removeprefix('error: ')}", "\n".join(said[1:]) or "see above")
    return Comparison(place)


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _place(folder: Path | None) -> _File:
    if folder is not None:
        return _File(folder)
    root = _File("comparisons")
    taken = [int(path.name[:4]) for path in root.glob("[0-9][0-9][0-9][0-9]*") if path.name[:4].isdigit()]
    return root / f"{max(taken, default=0) + 1:04d}-python"


def _written(x: Any, place: _File) -> str:
    """Images in memory as a file that all trainings read, beside the comparison's folder."""
    own = x if isinstance(x, data.Dataset) else data.Dataset(x)
    images, labels = own.numpy(), own.labels
    digest = hashlib.sha256(images.tobytes()).hexdigest()[:12]
    place.parent.mkdir(parents=True, exist_ok=True)
    file = place.parent / f"images-{digest}.npz"
    if not file.exists():
        if labels is None:
            np.savez(file, x_train=images)
        else:
            np.savez(file, x_train=images, y_train=labels)
    return str(file.resolve())

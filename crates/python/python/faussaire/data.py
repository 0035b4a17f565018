"""Data sets: by name, from files, or from arrays."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from . import _arrays, _faussaire
from ._arrays import F32
from .sheet import Sheet

__all__ = ["Dataset", "data_sets", "load_data"]

Path: TypeAlias = str | os.PathLike[str]


class Dataset(Sequence[F32]):
    """Images of one shape, with labels where there are any. `dataset[i]` is an image, floats from 0 to 1."""

    def __init__(
        self, images: Any, labels: Any = None, *, classes: Sequence[str] | None = None, name: str = "images"
    ) -> None:
        values, shape = _arrays.images(images)
        numbers, found = (None, None) if labels is None else _arrays.classes(labels, len(values))
        make = _faussaire.Dataset.from_bytes if values.dtype == np.uint8 else _faussaire.Dataset.from_floats
        self._native = make(name, shape, values.tobytes(), numbers, list(classes) if classes is not None else found)

    @classmethod
    def _of(cls, native: _faussaire.Dataset) -> Dataset:
        dataset = cls.__new__(cls)
        dataset._native = native
        return dataset

    @property
    def name(self) -> str:
        """What errors and logs call it."""
        return self._native.name

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return self._native.shape

    @property
    def classes(self) -> list[str]:
        """The names of the classes, or of the attributes; empty without."""
        return self._native.classes or self._native.attributes

    @property
    def labels(self) -> NDArray[np.uint32] | None:
        """Each image's class; None where images have none."""
        labels = self._native.labels
        return None if labels is None or not self._native.classes else np.array(labels, dtype=np.uint32)

    @property
    def notes(self) -> list[str]:
        """What was taken for what when the files were read."""
        return self._native.notes

    def __len__(self) -> int:
        return len(self._native)

    @overload  # type: ignore[override]
    def __getitem__(self, i: int) -> F32: ...
    @overload
    def __getitem__(self, i: slice) -> F32: ...
    def __getitem__(self, i: int | slice) -> F32:
        if isinstance(i, slice):
            start, stop, step = i.indices(len(self))
            if step == 1:
                n = max(stop - start, 0)
                return _arrays.from_bytes(self._native.read(start, n), (n, *self.shape))
            chosen = [self[at] for at in range(start, stop, step)]
            return np.stack(chosen) if chosen else np.empty((0, *self.shape), dtype=np.float32)
        at = i + len(self) if i < 0 else i
        if not 0 <= at < len(self):
            raise IndexError(f"image {i} of {len(self)}")
        return _arrays.from_bytes(self._native.read(at, 1), self.shape)

    def numpy(self) -> NDArray[np.uint8]:
        """All images as bytes, 0 to 255."""
        n = len(self)
        return np.frombuffer(bytearray(self._native.read_bytes(0, n)), dtype=np.uint8).reshape((n, *self.shape))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.numpy().astype(dtype or np.uint8, copy=False)

    def preview(self, n: int = 40) -> Sheet:
        """The first `n` images as one picture."""
        count = max(min(n, len(self)), 1)
        columns = min(count, 10)
        return Sheet.of(self[: count // columns * columns], columns=columns)

    def check(self) -> list[tuple[str, str]]:
        """The files that can't be read, and why."""
        return self._native.skipped()

    def __repr__(self) -> str:
        classes = f", {len(self.classes)} classes" if self.classes else ""
        return f"<Dataset {self.name}: {len(self):,} images of {'x'.join(map(str, self.shape))}{classes}>"

    def _repr_png_(self) -> bytes:
        return self.preview()._repr_png_()


def _reporter() -> Callable[[str, int, int | None], None] | None:
    """Tells on stderr what is downloaded."""
    said: set[str] = set()

    def tell(file: str, received: int, total: int | None) -> None:
        if file not in said:
            said.add(file)
            size = f" ({total / 1e6:.1f} MB)" if total else ""
            print(f"downloading {file}{size}", file=sys.stderr)

    return tell


def load_data(
    source: Path,
    *,
    size: int | tuple[int, int] | None = None,
    channels: Literal[1, 3, 4] | None = None,
    split: Literal["train", "test"] = "train",
    fit: Literal["crop", "pad"] | None = None,
    count: int | None = None,
    data_dir: Path | None = None,
) -> Dataset:
    """Images by name ("mnist", "quickdraw:sheep", `faussaire.data_sets()`) or path; missing named sets are downloaded.

    `size` is a side or (height, width), `count` takes the first images only.
    """
    source = os.fspath(source)
    sides = (size, size) if isinstance(size, int) else size
    if split == "test":
        folder = None if data_dir is None else os.fspath(data_dir)
        found = Dataset._of(_faussaire.Dataset.open_test(source, sides, channels, fit, folder, _reporter()))
        if count is None:
            return found
        labels = found.labels
        kept = found.numpy()[:count]
        return Dataset(kept, None if labels is None else labels[:count], classes=found.classes or None, name=found.name)
    given = {
        "source": source,
        "dir": None if data_dir is None else os.fspath(data_dir),
        "size": None if sides is None else sides[0] if sides[0] == sides[1] else f"{sides[0]}x{sides[1]}",
        "channels": channels,
        "fit": fit,
        "count": count,
    }
    keys = [(key, json.dumps(value)) for key, value in given.items() if value is not None]
    return Dataset._of(_faussaire.Dataset.open(keys, _reporter()))


def data_sets(data_dir: Path | None = None) -> dict[str, str]:
    """The named data sets, and where each is."""
    return {name: f"{about} ({where})" for name, about, where in _faussaire.data_sets(data_dir)}


def native(
    x: Any, y: Any = None, class_names: Sequence[str] | None = None, settings: Mapping[str, Any] | None = None
) -> _faussaire.Dataset:
    """The images to train on: a data set, its name or path, or arrays. Files are read as `settings`, a recipe's, say; without
    `x` they are those that it names."""
    if isinstance(x, Dataset):
        return x._native if y is None else Dataset(x, y, classes=class_names, name=x.name)._native
    if x is None or isinstance(x, str | os.PathLike):
        named = {} if x is None else {"source": os.fspath(x)}
        keys = [(key, json.dumps(value)) for key, value in {**(settings or {}), **named}.items()]
        opened = _faussaire.Dataset.open(keys, _reporter())
        return opened if y is None else Dataset(Dataset._of(opened), y, classes=class_names, name=opened.name)._native
    return Dataset(x, y, classes=class_names)._native

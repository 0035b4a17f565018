"""A trained generator without its data."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import _arrays, _faussaire
from ._arrays import F32
from ._errors import UsageError
from .sheet import Sheet

__all__ = ["Sampler"]

Path: TypeAlias = str | os.PathLike[str]
Classes: TypeAlias = int | str | Sequence[int | str]


def names(classes: Any) -> list[str] | None:
    """Classes as the library takes them: names, or numbers as text."""
    if classes is None:
        return None
    if isinstance(classes, str | int | np.integer):
        return [str(classes)]
    return [str(one) for one in classes]


def drawn(seed: int | None) -> int:
    """The seed, or any other."""
    return secrets.randbits(32) if seed is None else seed


class Sampler:
    """The generator of a run's checkpoint, for many threads at once: `Sampler("runs/0001-mnist-tp")(10)`.

    In f32 it draws the same images on every machine; "auto" is faster where the processor multiplies bf16.
    """

    def __init__(
        self,
        run: Path,
        checkpoint: str = "latest",
        *,
        device: str = "cpu",
        precision: Literal["auto", "f32", "bf16"] = "f32",
    ) -> None:
        self._native = _faussaire.Sampler(os.fspath(run), checkpoint, device, precision)

    @classmethod
    def _of(cls, native: _faussaire.Sampler) -> Sampler:
        sampler = cls.__new__(cls)
        sampler._native = native
        return sampler

    @property
    def latent_dim(self) -> int:
        """The length of a noise vector."""
        return self._native.latent_dim

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of an image."""
        return self._native.shape

    @property
    def classes(self) -> list[str]:
        """The labels that images can be asked to have; empty for a generator that takes none."""
        return self._native.classes

    @property
    def step(self) -> int:
        """The step at which the generator was taken."""
        return self._native.step

    def noise(self, n: int, seed: int | None = None) -> F32:
        """`n` noise vectors."""
        return _arrays.from_bytes(self._native.noise(drawn(seed), 0, n), (n, self.latent_dim))

    def __call__(
        self,
        n: int,
        *,
        seed: int | None = None,
        classes: Classes | None = None,
        dtype: Literal["float32", "uint8"] = "float32",
    ) -> NDArray[Any]:
        """`n` images, floats from 0 to 1 or bytes from 0 to 255: those of `faussaire sample` under the same seed."""
        seed = drawn(seed)
        z, y = self._native.noise(seed, 0, n), self._native.labels(names(classes), seed, n)
        images = _arrays.from_bytes(self._native.unit(bytes(z), bytes(y)), (n, *self.shape))
        if dtype == "float32":
            return images
        if dtype != "uint8":
            raise UsageError(f"images of type {dtype}", "expected float32 or uint8")
        whole: NDArray[np.uint8] = np.rint(images * 255).clip(0, 255).astype(np.uint8)
        return whole

    def decode(self, z: Any, *, classes: Classes | None = None, seed: int | None = None, out: Any | None = None) -> F32:
        """The images of the noise vectors `z`, as the generator makes them (within its last layer's bounds)."""
        values, n = _arrays.batch(z, (self.latent_dim,), "z")
        y = bytes(self._native.labels(names(classes), drawn(seed), n))
        images = _arrays.from_bytes(self._native.values(values, y), (n, *self.shape))
        if out is None:
            return images
        out[...] = images
        return out  # type: ignore[no-any-return]

    def walk(self, stops: int = 8, frames: int = 96, seed: int = 0) -> F32:
        """`frames` noise vectors on a closed walk through `stops` of them, to be decoded."""
        return _arrays.from_bytes(self._native.walk(stops, frames, seed), (frames, self.latent_dim))

    def sheet(self, rows: int = 4, columns: int = 10, seed: int = 0) -> Sheet:
        """Images in rows and columns."""
        return Sheet.of(self(rows * columns, seed=seed), columns)

    def __repr__(self) -> str:
        return (
            f"<Sampler: images of {'x'.join(map(str, self.shape))} from {self.latent_dim} values, step {self.step:,}>"
        )

    def _repr_png_(self) -> bytes:
        return self.sheet()._repr_png_()

"""Keras's data sets under Keras's names: `datasets.mnist.load_data()` gives `(x_train, y_train), (x_test, y_test)`.

They are read where `load_data` finds them, and downloaded where they are missing. Grey images have no axis for channels.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .data import load_data as _load

__all__ = ["cifar10", "fashion_mnist", "mnist"]

_Part: TypeAlias = tuple[NDArray[np.uint8], NDArray[Any]]


class _Set:
    def __init__(self, name: str, rows: bool) -> None:
        self._name, self._rows = name, rows

    def load_data(self, path: str | None = None) -> tuple[_Part, _Part]:
        """Training and test images with their labels."""
        return self._part("train"), self._part("test")

    def _part(self, split: Any) -> _Part:
        part = _load(self._name, split=split)
        images, labels = part.numpy(), part.labels
        assert labels is not None
        numbers = labels.astype(np.uint8)
        return (images, numbers[:, None]) if self._rows else (images[..., 0], numbers)


mnist = _Set("mnist", False)
fashion_mnist = _Set("fashion-mnist", False)
cifar10 = _Set("cifar10", True)

"""Helpers under the names of `keras.utils`."""

from __future__ import annotations

import os
import random
from typing import Any

import numpy as np

from .sheet import Sheet

__all__ = ["save_img", "set_random_seed"]


def set_random_seed(seed: int) -> None:
    """Seeds Python's and NumPy's random numbers. Nets have seeds of their own: `Sequential(..., seed=)`, `DCGAN(..., seed=)`."""
    random.seed(seed)
    np.random.seed(seed)


def save_img(path: str | os.PathLike[str], x: Any) -> None:
    """Writes one image `[height, width, channels]`: bytes, or floats from 0 to 1."""
    image = np.asarray(x)
    Sheet.of(image[None] / 255 if image.dtype.kind in "iu" else image[None], columns=1, scale=1).save(path)

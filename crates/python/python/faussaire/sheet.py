"""Pictures of images in rows and columns."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _arrays, _faussaire

__all__ = ["Sheet"]


class Sheet:
    """A picture of images in rows and columns. A notebook shows it."""

    def __init__(self, png: bytes, pixels: NDArray[np.uint8]) -> None:
        self._png = png
        self._pixels = pixels

    @classmethod
    def of(
        cls, images: Any, columns: int = 10, bounds: tuple[float, float] = (0.0, 1.0), scale: int | None = None
    ) -> Sheet:
        """The images `[n, h, w, c]`, whose values are within `bounds`, each pixel as `scale` ones."""
        values = _arrays.numbers(images, "the images")
        if values.ndim == 3:
            values = values[..., None]
        rows = -(-len(values) // columns)
        if missing := rows * columns - len(values):
            blank = np.full((missing, *values.shape[1:]), bounds[1], dtype=np.float32)
            values = np.concatenate([values, blank])
        h, w, c = values.shape[1:]
        png, pixels, shape = _faussaire.sheet(values.tobytes(), (h, w, c), bounds, rows, columns, scale)
        return cls(png, np.frombuffer(pixels, dtype=np.uint8).reshape(shape))

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Sheet:
        """A PNG file, as it is."""
        return cls(Path(path).read_bytes(), np.empty((0, 0, 0), dtype=np.uint8))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a PNG file, or what else the ending says (with Pillow; without it, a PNG file of that name)."""
        path = Path(path)
        if path.suffix.lower() not in ("", ".png"):
            try:
                self.to_pil().convert("RGB").save(path)
                return
            except ImportError:
                path = path.with_suffix(".png")
        path.write_bytes(self._png)

    def numpy(self) -> NDArray[np.uint8]:
        """The pixels `[height, width, channels]`."""
        return self._pixels.copy() if self._pixels.size else np.asarray(self.to_pil())

    def to_pil(self) -> Any:
        """The picture as one of Pillow."""
        from PIL import Image

        return Image.open(io.BytesIO(self._png))

    def _repr_png_(self) -> bytes:
        return self._png

    def __repr__(self) -> str:
        return f"<Sheet: {len(self._png):,} bytes of PNG>"

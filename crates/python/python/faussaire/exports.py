"""Nets as files for other programs: ONNX, PyTorch, a web page. Each is read back and compared before it is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from . import _faussaire

if TYPE_CHECKING:
    from .model import Model

__all__ = ["Exported", "export"]

Path: TypeAlias = str | os.PathLike[str]
Net: TypeAlias = Literal["generator", "discriminator"]
Pixels: TypeAlias = Literal["float", "uint8"]
Layout: TypeAlias = Literal["nhwc", "nchw"]


@dataclass(frozen=True)
class Exported:
    """The files that were written, and the largest difference between their outputs and the nets'."""

    files: list[str]
    difference: float

    @classmethod
    def _of(cls, written: tuple[list[Any], float]) -> Exported:
        return cls([str(path) for path in written[0]], written[1])


def export(
    run: Path,
    path: Path,
    *,
    checkpoint: str = "latest",
    net: Net | None = None,
    pixels: Pixels = "float",
    layout: Layout = "nhwc",
    half: bool = False,
) -> Exported:
    """Writes the nets of a run to `path`: .onnx, .safetensors (with a module of PyTorch beside it) or .html."""
    path = os.fspath(path)
    return Exported._of(_faussaire.export_run(os.fspath(run), checkpoint, path, net, pixels, layout, half))


def export_model(
    model: Model, path: Path, *, net: Net | None = None, pixels: Pixels = "float", layout: Layout = "nhwc"
) -> Exported:
    """The same of one model."""
    kind = net or ("generator" if len(model._makes) == 3 else "discriminator")
    return Exported._of(_faussaire.export_model(model._native, kind, os.fspath(path), pixels, layout, False))

"""What tests share: small nets, small images, a clean folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import faussaire as fa
import numpy as np
import pytest

GENERATOR = ["dense 4*4*4", "reshape 4 4 4", "relu", "upsample 2", "conv 1 3x3", "sigmoid"]
DISCRIMINATOR = ["conv 4 3x3 stride 2", "leakyrelu 0.2", "flatten", "dense 1", "sigmoid"]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written into the repository."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def images() -> Iterator[np.ndarray]:
    """64 grey images of 8x8, all different."""
    at = np.arange(64 * 64).reshape(64, 8, 8)
    yield (at * 7919 % 251).astype(np.uint8)


def generator(latent: int = 4) -> fa.Model:
    return fa.Sequential(GENERATOR, latent, name="generator")


def discriminator() -> fa.Model:
    return fa.Sequential(DISCRIMINATOR, (8, 8, 1), name="discriminator")


def gan(**more: object) -> fa.DCGAN:
    made = fa.DCGAN(discriminator(), generator(), **more)  # type: ignore[arg-type]
    made.compile(fa.Adam(1e-3), fa.Adam(1e-3), batch=8, ema=0.5)
    return made

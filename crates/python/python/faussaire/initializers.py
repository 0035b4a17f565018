"""Initial weights under Keras's names, for `kernel_initializer=`."""

from __future__ import annotations

__all__ = ["GlorotUniform", "HeNormal", "RandomNormal", "Zeros"]


class _Initializer:
    def get_config(self) -> dict[str, float]:
        """Its settings."""
        return dict(vars(self))


class RandomNormal(_Initializer):
    """Normal, `stddev` wide: 0.02 in DCGAN."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev = mean, stddev


class GlorotUniform(_Initializer):
    """The default."""

    def __init__(self, seed: int | None = None) -> None:
        pass


class HeNormal(_Initializer):
    """He et al. 2015."""

    def __init__(self, seed: int | None = None) -> None:
        pass


class Zeros(_Initializer):
    """All zero."""

"""Models under the names of `keras.models`."""

from __future__ import annotations

import os
from typing import Any, NoReturn

from ._errors import UsageError
from .model import Composed, Model, Sequential

__all__ = ["Composed", "Model", "Sequential", "clone_model", "load_model"]


def load_model(path: str | os.PathLike[str], **_: Any) -> Model:
    """What `model.save(path)` wrote, whatever its ending. A file of Keras is read by Keras, then `Model.from_keras`."""
    return Model.load(path)


def clone_model(model: Model) -> NoReturn:
    """Refused: a clone has weights of its own, which no training would ever reach."""
    raise UsageError(
        "a clone of a discriminator has weights of its own: the generator would learn to deceive a net that never learns",
        "a copy that shares them: faussaire.Model(discriminator.inputs, discriminator.outputs)",
    )

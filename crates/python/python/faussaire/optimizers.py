"""The optimizer: Adam, in Keras's words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from ._errors import UsageError
from ._missing import missing

__all__ = ["Adam"]


class Adam:
    """Adam. What isn't given has Keras's value.

    >>> Adam(2e-4, beta_1=0.5)
    Adam(learning_rate=0.0002, beta_1=0.5)
    """

    def __init__(
        self,
        learning_rate: float | None = None,
        beta_1: float | None = None,
        beta_2: float | None = None,
        epsilon: float | None = None,
        *,
        clipnorm: float | None = None,
        warmup_steps: int | None = None,
        decay: Literal["linear", "cosine"] | None = None,
        decay_steps: int | None = None,
    ) -> None:
        self.learning_rate, self.beta_1, self.beta_2, self.epsilon = learning_rate, beta_1, beta_2, epsilon
        self.clipnorm, self.warmup_steps, self.decay, self.decay_steps = clipnorm, warmup_steps, decay, decay_steps

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if value is not None)
        return f"Adam({given})"


_KEYS = {
    "learning_rate": "learning_rate",
    "beta_1": "beta1",
    "beta_2": "beta2",
    "epsilon": "epsilon",
    "clipnorm": "clip",
    "warmup_steps": "warmup",
    "decay": "decay",
    "decay_steps": "decay_updates",
}


def settings(optimizer: Any) -> dict[str, Any]:
    """The keys of a recipe's `adam` that `optimizer` gives: ours, Keras's, a rate, or a name."""
    if isinstance(optimizer, bool):
        raise UsageError(f"the optimizer is {optimizer}", "give faussaire.Adam(2e-4), or the learning rate alone")
    if isinstance(optimizer, int | float):
        return {"learning_rate": float(optimizer)}
    if isinstance(optimizer, str):
        if optimizer.lower() != "adam":
            raise UsageError(
                f"there is no optimizer {optimizer}", "nets learn by Adam: faussaire.Adam(2e-4, beta_1=0.5)"
            )
        return {}
    if not isinstance(optimizer, Adam) and type(optimizer).__name__ != "Adam":
        raise UsageError(
            f"the optimizer is a {type(optimizer).__name__}", "nets learn by Adam: faussaire.Adam(2e-4, beta_1=0.5)"
        )
    # Keras's own has the same names; its rate may be a variable.
    given = {key: getattr(optimizer, name, None) for name, key in _KEYS.items()}
    return {
        key: value if isinstance(value, str | int) else float(value)
        for key, value in given.items()
        if value is not None
    }


def text(optimizer: Any) -> str:
    """The same in JSON."""
    return json.dumps(settings(optimizer))


if not TYPE_CHECKING:

    def __getattr__(name):
        only = "both nets learn by Adam; beta_1=0 makes it RMSprop with corrected means"
        raise missing("faussaire.optimizers", name, dict.fromkeys(("RMSprop", "SGD", "AdamW"), only), __all__)

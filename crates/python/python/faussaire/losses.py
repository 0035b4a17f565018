"""Losses under Keras's names."""

from __future__ import annotations

__all__ = ["BinaryCrossentropy"]


class BinaryCrossentropy:
    """Binary cross-entropy. It is computed on logits: those under a last sigmoid, or the output of a net without one, so that
    `from_logits` has no effect."""

    def __init__(self, from_logits: bool = False, name: str | None = None) -> None:
        self.from_logits = from_logits

    def get_config(self) -> dict[str, object]:
        """As in Keras."""
        return {"from_logits": self.from_logits}

"""What comes back from `fit`."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Finding", "History"]

Ending = Literal["complete", "time", "stopped", "interrupted"]


@dataclass(frozen=True)
class Finding:
    """What the doctor found: what was measured, what it usually means, what to try."""

    step: int
    name: str
    seen: str
    means: str
    advice: str
    set: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, event: dict[str, Any]) -> Finding:
        """From an event of a log."""
        changes = dict(change.split("=", 1) for change in event.get("set", []))
        return cls(event["step"], event["name"], event["seen"], event["means"], event["advice"], changes)

    def __str__(self) -> str:
        return f"step {self.step}, {self.name}: {self.seen}; {self.means}; {self.advice}"

    def _repr_html_(self) -> str:
        return f"<p><b>{escape(self.name)}</b> (step {self.step}): {escape(f'{self.seen}; {self.means}; {self.advice}')}</p>"


class History:
    """Losses and accuracies: `history` by epoch, `steps` by logged step."""

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {"d_loss": [], "g_loss": [], "d_real": [], "d_fake": []}
        self.epoch: list[int] = []
        self.scores: list[dict[str, Any]] = []
        self.findings: list[Finding] = []
        self.heals: list[dict[str, Any]] = []
        self.ending: Ending = "complete"
        self._steps: dict[str, list[float]] = {}

    @property
    def steps(self) -> dict[str, NDArray[np.float32]]:
        """What was measured at each logged step, `step` among it."""
        return {key: np.array(values, dtype=np.float32) for key, values in self._steps.items()}

    def add(self, event: dict[str, Any]) -> None:
        """Takes note of an event of a training."""
        match event["event"]:
            case "step" if event["step"] == 1 or event["step"] % 10 == 0:
                for key in ("step", "d_loss", "g_loss", "d_norm", "g_norm", "d_real", "d_fake", "train_s"):
                    value = event.get(key)
                    self._steps.setdefault(key, []).append(float("nan") if value is None else value)
            case "score":
                self.scores.append(event)
            case "finding":
                self.findings.append(Finding.of(event))
            case "heal":
                self.heals.append(event)

    def epochs(self, means: list[list[float]]) -> None:
        """Takes over the means of all epochs."""
        self.history.update(zip(("d_loss", "g_loss", "d_real", "d_fake"), means))
        self.epoch = list(range(len(means[0])))

    def plot(self, ax: Any | None = None) -> Any:
        """The losses of both nets by epoch, on axes of matplotlib."""
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots(figsize=(7, 3), facecolor="white")[1]
        by_epoch = len(self.epoch) > 1
        for key, label in (("d_loss", "discriminator"), ("g_loss", "generator")):
            if by_epoch:
                ax.plot([epoch + 1 for epoch in self.epoch], self.history[key], label=label)
            else:
                ax.plot(self.steps.get("step", []), self.steps.get(key, []), label=label)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_xlabel("epoch" if by_epoch else "step")
        ax.set_ylabel("loss")
        ax.legend()
        return ax

    def to_pandas(self) -> Any:
        """The epochs as a table of pandas."""
        import pandas as pd

        return pd.DataFrame(self.history, index=pd.Index(self.epoch, name="epoch"))

    def __repr__(self) -> str:
        last = (
            f", D loss {self.history['d_loss'][-1]:.4f}, G loss {self.history['g_loss'][-1]:.4f}" if self.epoch else ""
        )
        return f"<History: {len(self.epoch)} epochs{last}, {self.ending}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{epoch + 1}</td>"
            + "".join(f"<td>{values[epoch]:.4f}</td>" for values in self.history.values())
            + "</tr>"
            for epoch in self.epoch
        )
        head = "<tr><th>epoch</th>" + "".join(f"<th>{escape(key)}</th>" for key in self.history) + "</tr>"
        found = "".join(finding._repr_html_() for finding in self.findings)
        return f"<table>{head}{rows}</table>{found}"

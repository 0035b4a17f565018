"""Callbacks, with Keras's names. One of Keras's own works as well, if it uses what there is: `logs`, `self.model.predict`,
`self.model.stop_training`."""

from __future__ import annotations

import contextlib
import csv
import importlib
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from . import notebook
from ._scratch import scratch
from .history import Finding
from .sheet import Sheet

if TYPE_CHECKING:
    from .gan import DCGAN

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "Images",
    "ImagesCallback",
    "LambdaCallback",
    "ProgressBar",
    "TensorBoard",
]

Logs = dict[str, Any]


class Callback:
    """What happens at the times that Keras names. `self.model` is the GAN; it may be drawn from, and be told to stop by
    `self.model.stop_training = True`."""

    model: DCGAN
    params: dict[str, Any]

    def set_model(self, model: DCGAN) -> None:
        """Called first."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Called second, with `epochs` and `steps`, None where only time limits them."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Before the first step."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """After the last step."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Before an epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """After an epoch, with its mean losses and accuracies, and the last `score` if there is one."""

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """After a step, with what was measured."""

    def on_finding(self, finding: Finding) -> None:
        """When the doctor has found something."""


class Several:
    """Calls each callback that answers to a name."""

    def __init__(self, callbacks: Sequence[Any], model: DCGAN) -> None:
        self.callbacks = list(callbacks)
        self.call("set_model", model)

    def call(self, name: str, *values: Any) -> None:
        """Calls `name` of each, where it has it."""
        for callback in self.callbacks:
            method = getattr(callback, name, None)
            if method is not None:
                method(*values)


def shown(verbose: Literal["auto", 0, 1, 2], doctor: bool) -> list[Callback]:
    """What shows the training: a bar in a terminal or a notebook, a line per epoch elsewhere."""
    if verbose == 0:
        return []
    if verbose == 2 or (verbose == "auto" and not (sys.stderr.isatty() or notebook.there())):
        return [_Lines(doctor)]
    return [ProgressBar(doctor=doctor)]


def _figures(logs: Logs) -> str:
    keys = ("d_loss", "g_loss", "score")
    return "  ".join(f"{key} {logs[key]:.4f}" for key in keys if isinstance(logs.get(key), float))


class _Lines(Callback):
    """A line per epoch on stderr."""

    def __init__(self, doctor: bool = True) -> None:
        self.doctor = doctor
        self.began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        of = f"/{self.params['epochs']}" if self.params.get("epochs") else ""
        spent = time.monotonic() - self.began
        print(f"epoch {epoch + 1}{of}  {_figures(logs or {})}  {_clock(spent)}", file=sys.stderr, flush=True)

    def on_finding(self, finding: Finding) -> None:
        if self.doctor:
            print(f"doctor: {finding}", file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


class ProgressBar(Callback):
    """A bar that is redrawn in place, in a terminal or a notebook."""

    def __init__(self, every: float = 0.1, *, doctor: bool = True) -> None:
        self.every, self.doctor = every, doctor
        self._line = notebook.Line()
        self._drawn = 0.0
        self._began = 0.0
        self._epoch = 0
        self._done = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._began, self._drawn, self._done = time.monotonic(), 0.0, 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._done += 1
        now = time.monotonic()
        if now - self._drawn >= self.every:
            self._drawn = now
            self._draw(logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._draw(logs or {})

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._draw(logs or {})
        self._line.close()

    def on_finding(self, finding: Finding) -> None:
        if self.doctor:
            self._line.above(f"doctor: {finding}")

    def _draw(self, logs: Logs) -> None:
        spent = time.monotonic() - self._began
        total, epochs = self.params.get("steps"), self.params.get("epochs")
        share = min(self._done / total, 1.0) if total else None
        of = f"/{epochs}" if epochs else ""
        head = f"epoch {self._epoch + 1}{of}"
        left = f"{_clock(spent / share * (1 - share))} left" if share else _clock(spent)
        self._line.show(head, share, f"{_figures(logs)}  {left}")


class Images(Callback):
    """A sheet of images after each epoch, from the same noise, redrawn in place; with `run_dir` written there as well."""

    def __init__(self, num_img: int = 40, run_dir: str | os.PathLike[str] | None = None, every: int = 1) -> None:
        self.num_img, self.run_dir, self.every = num_img, run_dir, every
        self._place = notebook.Place()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if (epoch + 1) % self.every:
            return
        columns = min(self.num_img, 10)
        sheet = self.model.sheet(max(self.num_img // columns, 1), columns)
        self._place.show(sheet)
        if self.run_dir is not None:
            folder = Path(self.run_dir)
            folder.mkdir(parents=True, exist_ok=True)
            sheet.save(folder / f"epoch-{epoch + 1:04d}.png")


class ImagesCallback(Callback):
    """After each epoch `num_img` images as files of their own in `run_dir`, of noise that stays the same: Fidle's callback.
    Grey ones are dark on white, as it writes them. Without Pillow they are PNG files, whatever `filename` says."""

    def __init__(
        self,
        num_img: int = 3,
        latent_dim: int | None = None,
        filename: str = "image-{epoch:03d}-{i:02d}.jpg",
        run_dir: str | os.PathLike[str] = "./run",
        invert: bool = True,
    ) -> None:
        self.num_img, self.latent_dim, self.filename, self.run_dir = num_img, latent_dim, filename, Path(run_dir)
        self.invert = invert

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.run_dir.mkdir(parents=True, exist_ok=True)
        for i, image in enumerate(self.model.sample(self.num_img, seed=0)):
            shown = 1.0 - image if self.invert and image.shape[-1] == 1 else image
            Sheet.of(shown[None], columns=1, scale=1).save(self.run_dir / self.filename.format(epoch=epoch, i=i))


class EarlyStopping(Callback):
    """Stops once what is monitored hasn't improved for `patience` epochs, and goes back to the best epoch."""

    def __init__(
        self,
        monitor: str = "score",
        patience: int = 5,
        mode: Literal["min", "max"] = "min",
        restore_best: bool = True,
    ) -> None:
        self.monitor, self.patience, self.mode, self.restore_best = monitor, patience, mode, restore_best

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._best, self._since = math.inf, 0
        self._folder = scratch(self)

    _best: float
    _since: int
    _folder: str

    @property
    def _kept(self) -> Path:
        return Path(self._folder) / "best"

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = (logs or {}).get(self.monitor)
        if value is None:
            return
        value = -value if self.mode == "max" else value
        if value < self._best:
            self._best, self._since = value, 0
            if self.restore_best:
                self.model.save(self._kept)
            return
        self._since += 1
        if self._since >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.restore_best and self._since and self._kept.exists():
            self.model.go_back(self._kept)


class LambdaCallback(Callback):
    """Functions by the names of callbacks: `LambdaCallback(on_epoch_end=lambda epoch, logs: print(logs))`."""

    def __init__(self, **on: Callable[..., Any]) -> None:
        for name, function in on.items():
            if not hasattr(Callback, name):
                raise TypeError(f"there is no callback {name}")
            setattr(self, name, function)


class CSVLogger(Callback):
    """A row per epoch."""

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename, self.separator, self.append = Path(filename), separator, append
        self._keys: list[str] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._keys = []
        if not self.append:
            self.filename.write_text("")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        with self.filename.open("a", newline="") as file:
            writer = csv.writer(file, delimiter=self.separator)
            if not self._keys:
                self._keys = list(logs)
                if file.tell() == 0:
                    writer.writerow(["epoch", *self._keys])
            writer.writerow([epoch, *(logs.get(key, "") for key in self._keys)])


class TensorBoard(Callback):
    """Losses and images for TensorBoard; needs `tensorboardX` or PyTorch."""

    def __init__(self, log_dir: str | os.PathLike[str] = "logs", images: bool = True) -> None:
        self.log_dir, self.images = log_dir, images
        self._writer: Any = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._writer = _summary_writer()(os.fspath(self.log_dir))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        for key, value in (logs or {}).items():
            self._writer.add_scalar(key, value, epoch)
        if self.images:
            self._writer.add_image("images", self.model.sheet().numpy(), epoch, dataformats="HWC")

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._writer.close()


def _summary_writer() -> Any:
    """tensorboardX's, or PyTorch's."""
    for module in ("tensorboardX", "torch.utils.tensorboard"):
        with contextlib.suppress(ImportError):
            return importlib.import_module(module).SummaryWriter
    raise ImportError("TensorBoard's files are written by tensorboardX or PyTorch: pip install tensorboardX")

"""Callbacks: ours, a user's own, and ones of Keras by their names."""

from __future__ import annotations

import csv
import struct
import sys
from pathlib import Path
from typing import Any

import faussaire as fa
import numpy as np
import pytest
from conftest import gan
from faussaire import callbacks


def test_all_are_called_at_their_times(images: np.ndarray) -> None:
    class Keras:
        """As a callback of Keras, which knows nothing of this package."""

        def __init__(self) -> None:
            self.told: list[str] = []

        def set_model(self, model: Any) -> None:
            self.model = model

        def set_params(self, params: dict[str, Any]) -> None:
            self.told.append(f"params {params['epochs']}")

        def on_train_begin(self, logs: Any = None) -> None:
            self.told.append("begin")

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.told.append(f"epoch {epoch}")

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            assert logs["d_loss"] > 0 and logs["g_loss"] > 0
            assert self.model.predict(np.ones((1, 4))).shape == (1, 8, 8, 1)
            assert self.model.generator.predict(np.ones((1, 4)), verbose=0).shape == (1, 8, 8, 1)
            self.told.append(f"end {epoch}")

        def on_train_end(self, logs: Any = None) -> None:
            self.told.append("over")

    keras = Keras()
    model = gan()
    model.fit(images, epochs=2, callbacks=[keras], verbose=0)
    assert keras.told == ["params 2", "begin", "epoch 0", "end 0", "epoch 1", "end 1", "over"]


def test_one_may_stop_the_training(images: np.ndarray) -> None:
    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
            assert logs is not None
            if logs["step"] == 3:
                self.model.stop_training = True

    model = gan()
    assert model.fit(images, epochs=2, callbacks=[Stop()], verbose=0).ending == "stopped"
    assert model.step == 3
    assert model.fit(images, steps=2, verbose=0).ending == "complete" and model.step == 5


def test_what_one_raises_reaches_the_caller(images: np.ndarray) -> None:
    def fail(epoch: int, logs: Any) -> None:
        raise KeyError("mine")

    model = gan()
    with pytest.raises(KeyError, match="mine"):
        model.fit(images, epochs=3, callbacks=[callbacks.LambdaCallback(on_epoch_end=fail)], verbose=0)
    assert model.step == 8
    model.fit(images, steps=1, verbose=0)
    assert model.step == 9
    with pytest.raises(TypeError, match="no callback on_lunch"):
        callbacks.LambdaCallback(on_lunch=fail)


def test_files(images: np.ndarray, tmp_path: Path) -> None:
    log = callbacks.CSVLogger(tmp_path / "log.csv")
    model = gan()
    history = model.fit(
        images, epochs=3, callbacks=[log, callbacks.Images(20, tmp_path / "sheets", every=2)], verbose=0
    )
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert [float(row["g_loss"]) for row in rows] == history.history["g_loss"]
    sheets = list((tmp_path / "sheets").iterdir())
    assert [sheet.name for sheet in sheets] == ["epoch-0002.png"] and sheets[0].read_bytes().startswith(b"\x89PNG")


def test_early_stopping_goes_back_to_the_best_epoch(images: np.ndarray) -> None:
    values = iter([5.0, 1.0, 2.0, 3.0, 4.0])

    class Scores(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
            assert logs is not None
            logs["score"] = next(values)

    model = gan()
    model.fit(images, epochs=5, callbacks=[Scores(), callbacks.EarlyStopping(patience=2)], verbose=0)
    assert model.step == 16
    again = gan()
    again.fit(images, epochs=2, verbose=0)
    np.testing.assert_array_equal(model.predict(np.ones((2, 4))), again.predict(np.ones((2, 4))))


def test_tensorboard(images: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = pytest.importorskip("tensorboardX.proto.event_pb2")
    history = gan().fit(images, epochs=2, callbacks=[callbacks.TensorBoard(tmp_path)], verbose=0)
    (file,) = tmp_path.iterdir()
    written, losses, pictures = file.read_bytes(), [], 0
    while written:  # a record: length, checksum, an event, checksum
        (length,) = struct.unpack("<Q", written[:8])
        event, written = events.Event.FromString(written[12 : 12 + length]), written[16 + length :]
        losses += [value.simple_value for value in event.summary.value if value.tag == "d_loss"]
        pictures += sum(value.image.height > 8 for value in event.summary.value)
    np.testing.assert_allclose(losses, history.history["d_loss"], rtol=1e-6)
    assert pictures == 2

    for module in ("tensorboardX", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match="pip install tensorboardX"):
        gan().fit(images, epochs=1, callbacks=[callbacks.TensorBoard(tmp_path)], verbose=0)


@pytest.mark.parametrize("verbose", [1, 2])
def test_what_is_shown(images: np.ndarray, verbose: Any, capfd: pytest.CaptureFixture[str]) -> None:
    gan().fit(images, epochs=2, verbose=verbose)
    out, err = capfd.readouterr()
    assert out == "" and "epoch 2/2" in err and "d_loss" in err
    gan().fit(images, epochs=1, verbose=0)
    assert capfd.readouterr() == ("", "")


def test_a_finding_of_the_doctor_is_told(images: np.ndarray) -> None:
    found: list[fa.Finding] = []
    model = gan()
    model.compile(fa.Adam(1.0), fa.Adam(1.0))
    history = model.fit(
        images,
        steps=300,
        verbose=0,
        callbacks=[callbacks.LambdaCallback(on_finding=lambda finding: found.append(finding))],
    )
    assert found == history.findings
    assert found and found[0].advice and found[0].step > 0

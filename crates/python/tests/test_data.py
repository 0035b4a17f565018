"""Data sets from arrays, names and files."""

from __future__ import annotations

from pathlib import Path

import faussaire as fa
import numpy as np
import pytest

BYTES = (np.arange(12 * 8 * 8).reshape(12, 8, 8, 1) * 7 % 256).astype(np.uint8)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_that_are_bytes_become_bytes_again(dtype: str) -> None:
    values = (BYTES.astype(dtype) / np.dtype(dtype).type(255)).astype(dtype)
    made = fa.Dataset(values)
    np.testing.assert_array_equal(made.numpy(), BYTES)
    assert made._native.fingerprint() == fa.Dataset(BYTES)._native.fingerprint()
    other = values.copy()
    other[0, 0, 0, 0] += np.dtype(dtype).type(0.001)
    assert fa.Dataset(other)._native.fingerprint() != made._native.fingerprint()


@pytest.mark.parametrize(
    "given",
    [
        BYTES[..., 0],
        BYTES.reshape(12, 64),
        np.asfortranarray(BYTES),
        np.repeat(BYTES, 2, axis=0)[::2],
        BYTES.astype(int),
        BYTES.tolist(),
    ],
    ids=["grey", "flat", "Fortran", "stride", "int64", "list"],
)
def test_shapes_orders_and_types(given: object) -> None:
    made = fa.Dataset(given)
    assert (len(made), made.shape, made.classes, made.labels) == (12, (8, 8, 1), [], None)
    np.testing.assert_array_equal(made.numpy(), BYTES)
    np.testing.assert_allclose(made[3], BYTES[3] / 255, atol=1e-7)
    assert made[2:5].shape == (3, 8, 8, 1) and made[-1].shape == (8, 8, 1) and made[::5].shape == (3, 8, 8, 1)
    with pytest.raises(IndexError):
        made[12]
    assert len(list(made)) == 12 and np.asarray(made).dtype == np.uint8


def test_read_only_and_bool() -> None:
    frozen = BYTES.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(fa.Dataset(frozen).numpy(), BYTES)
    np.testing.assert_array_equal(fa.Dataset(BYTES > 99).numpy(), np.where(BYTES > 99, 255, 0))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (BYTES[:0], "no images"),
        (BYTES.astype(float), "from 0 to 252|from 0 to 255"),
        (BYTES / 127.5 - 1, r"\(x \+ 1\) / 2"),
        (np.where(BYTES == 7, np.nan, 0.3), "NaN"),
        (BYTES.astype(int) - 1, "from -1"),
        (BYTES.transpose(0, 3, 1, 2), r"transpose\(0, 2, 3, 1\)"),
        (BYTES.reshape(12, 4, 16, 1)[..., [0, 0]], "shape"),
        (BYTES.reshape(-1), "shape"),
        (np.array(["a.png"]), "expected uint8"),
        (BYTES.astype(complex), "complex128"),
    ],
)
def test_what_is_no_image_is_refused(given: np.ndarray, said: str) -> None:
    with pytest.raises(fa.FaussaireError, match=said) as caught:
        fa.Dataset(given)
    assert caught.value.hint


def test_labels_in_all_forms() -> None:
    numbers = np.arange(12) % 3
    for labels in (numbers, numbers.tolist(), numbers.astype(float), numbers[:, None], np.eye(3)[numbers]):
        made = fa.Dataset(BYTES, labels)
        assert made.labels is not None and made.labels.tolist() == numbers.tolist()
        assert made.classes == ["0", "1", "2"]
    named = fa.Dataset(BYTES, np.array(["cat", "ant", "bee"])[numbers])
    assert (
        named.classes == ["ant", "bee", "cat"] and named.labels is not None and named.labels[:3].tolist() == [2, 0, 1]
    )
    assert fa.Dataset(BYTES, numbers, classes=["x", "y", "z"]).classes == ["x", "y", "z"]
    for wrong in (numbers[:5], numbers - 1, numbers / 2, np.ones((12, 3))):
        with pytest.raises(fa.FaussaireError):
            fa.Dataset(BYTES, wrong)
    with pytest.raises(fa.DataError, match="2 classes"):
        fa.Dataset(BYTES, numbers, classes=["x", "y"])


def test_named_sets_and_files(tmp_path: Path) -> None:
    strokes = fa.load_data("strokes", count=40)
    assert (len(strokes), strokes.shape, len(strokes.classes)) == (40, (28, 28, 1), 10)
    assert strokes._repr_png_().startswith(b"\x89PNG") and "40 images of 28x28x1" in repr(strokes)
    small = fa.load_data("strokes", count=8, size=16)
    assert small.shape == (16, 16, 1)
    test = fa.load_data("strokes", split="test", count=5)
    assert len(test) == 5 and test.labels is not None
    np.save(tmp_path / "mine.npy", BYTES)
    np.testing.assert_array_equal(fa.load_data(tmp_path / "mine.npy").numpy(), BYTES)
    with pytest.raises(fa.UsageError) as caught:
        fa.load_data("strkes")
    assert "did you mean strokes" in caught.value.hint
    assert "strokes" in fa.data_sets()


def test_a_set_is_trained_under_its_name(tmp_path: Path) -> None:
    model = fa.GAN(preset="quick")
    model.compile(batch=8)
    model.fit(fa.load_data("strokes", count=32), steps=1, run=tmp_path / "run", verbose=0)
    recipe = fa.Run(tmp_path / "run").recipe
    assert (recipe["data.source"], recipe["data.count"]) == ("strokes", 32)


def test_sheets(tmp_path: Path) -> None:
    sheet = fa.Dataset(BYTES).preview(6)
    sheet.save(tmp_path / "sheet.png")
    assert fa.Sheet.read(tmp_path / "sheet.png")._repr_png_() == sheet._repr_png_()
    assert sheet.numpy().ndim == 3
    assert fa.Sheet.of(np.zeros((7, 8, 8)), columns=4).numpy().shape[0] > 8

"""Scores, exports, comparisons, the studio."""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path

import faussaire as fa
import numpy as np
import pytest
from conftest import gan


def test_a_training_is_judged_against_its_images(images: np.ndarray) -> None:
    model = gan()
    model.fit(images, steps=2, verbose=0)
    judged = model.judge(n=40)
    assert "frechet" in judged and judged["frechet"].better == "lower"
    assert judged["frechet"].low <= judged["frechet"].value <= judged["frechet"].high
    assert "frechet" in repr(judged) and "<table>" in judged._repr_html_()
    same = fa.judge(images, images, n=64)
    worse = fa.judge(np.zeros_like(images), images, n=64)
    assert same["frechet"].value < worse["frechet"].value
    with pytest.raises(fa.FaussaireError):
        fa.judge(images[:3], images)


def test_exports(images: np.ndarray, tmp_path: Path) -> None:
    model = gan()
    model.fit(images, steps=1, verbose=0)
    for name in ("net.onnx", "net.html", "net.safetensors"):
        written = model.export(tmp_path / name)
        assert written.difference < 1e-4 and all(Path(file).stat().st_size > 0 for file in written.files)
    alone = model.discriminator.export(tmp_path / "critic.onnx")
    assert alone.files == [str(tmp_path / "critic.onnx")]
    with pytest.raises(fa.FaussaireError):
        model.export(tmp_path / "net.bin")


def test_to_torch(images: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    model = gan()
    model.fit(images, steps=1, verbose=0)
    generator, discriminator = model.to_torch()
    z = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    with torch.no_grad():
        theirs = generator(torch.from_numpy(z))
        answers = discriminator(theirs)
    np.testing.assert_allclose(theirs.numpy().transpose(0, 2, 3, 1), model.generator.predict(z), atol=1e-5)
    assert answers.shape[0] == 3


def test_from_keras() -> None:
    """On objects that have what Keras's have; with Keras itself the same."""

    class Layer:
        def __init__(self, config: dict[str, object], weights: list[np.ndarray]) -> None:
            self.config, self.weights = config, weights

        def get_config(self) -> dict[str, object]:
            return self.config

        def get_weights(self) -> list[np.ndarray]:
            return self.weights

    def layer(kind: str, weights: tuple[np.ndarray, ...] = (), **config: object) -> object:
        return type(kind, (Layer,), {})({"name": "x", "dtype": "float32", **config}, list(weights))

    rng = np.random.default_rng(0)
    kernel, bias = rng.standard_normal((3, 3, 1, 2)), rng.standard_normal(2)

    class Sequential:
        name, input_shape = "critic", (None, 8, 8, 1)
        layers = [
            layer("InputLayer"),
            layer(
                "Conv2D",
                (kernel, bias),
                filters=2,
                kernel_size=(3, 3),
                strides=(2, 2),
                padding="same",
                groups=1,
                dilation_rate=(1, 1),
                activation="linear",
                use_bias=True,
            ),
            layer("LeakyReLU", negative_slope=0.2),
            layer("Dropout", rate=0.3, seed=None, noise_shape=None),
            layer("Flatten", data_format="channels_last"),
            layer("Dense", (np.ones((32, 1)), np.zeros(1)), units=1, activation="sigmoid", use_bias=True),
        ]

    model = fa.Model.from_keras(Sequential())
    assert model.layers == [
        "conv 2 3x3 stride 2x2",
        "leakyrelu 0.2",
        "dropout 0.3",
        "flatten",
        "dense 1",
        "sigmoid",
    ] or model.layers[0].startswith("conv 2 3x3 stride 2")
    np.testing.assert_allclose(model.get_weights()[0], kernel, rtol=1e-6)
    assert model.name == "critic"
    Sequential.layers = [layer("LSTM")]
    with pytest.raises(fa.RecipeError):
        fa.Model.from_keras(Sequential())
    with pytest.raises(fa.UsageError, match="not a sequential model"):
        fa.Model.from_keras(object())


def test_a_comparison(tmp_path: Path) -> None:
    found = fa.compare(
        preset="ring", vary={"batch": [8, 16]}, seeds=2, steps=4, n=100, folder=tmp_path / "compared", verbose=False
    )
    assert {row["variant"] for row in found.table} and len(found.runs) == 4
    assert len({row["variant"] for row in found.table}) == 2
    assert "|" in repr(found) and "srcdoc" in found._repr_html_()
    with pytest.raises(fa.RunError, match="failed"):
        fa.compare(preset="absent", folder=tmp_path / "other", verbose=False)


def test_the_studio(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("terminate() is abrupt there")
    with fa.studio(tmp_path, port=0) as studio:
        with urllib.request.urlopen(studio.address, timeout=10) as page:
            assert page.status == 200
        assert "iframe" in studio._repr_html_()
    assert studio.process.poll() is not None
    with pytest.raises(fa.RunError, match="studio"):
        fa.studio(tmp_path, port=1 << 20)


def test_errors_can_be_told_apart_and_pickled() -> None:
    import pickle

    with pytest.raises(ValueError) as caught:
        fa.Recipe("latent = 0")
    error = caught.value
    assert isinstance(error, fa.RecipeError) and error.what and error.hint
    assert str(error) == f"{error.what}\nhint: {error.hint}"
    again = pickle.loads(pickle.dumps(error))
    assert (again.what, again.hint) == (error.what, error.hint)

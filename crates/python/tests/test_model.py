"""`Model`: built, predicting, training, saved."""

from __future__ import annotations

import pickle
from pathlib import Path

import faussaire as fa
import numpy as np
import pytest
from conftest import DISCRIMINATOR, discriminator, generator
from faussaire import layers


def test_layers_of_keras_are_the_lines_of_recipes() -> None:
    model = fa.Sequential(
        [
            layers.Input(shape=(28, 28, 1)),
            layers.Conv2D(64, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(8, (3, 3), activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    assert model.layers == [
        "conv 64 4 stride 2",
        "leakyrelu 0.2",
        "conv 8 3x3 padding valid",
        "relu",
        "flatten",
        "dropout 0.3",
        "dense 1",
        "sigmoid",
    ]
    assert (model.input_shape, model.output_shape) == ((None, 28, 28, 1), (None, 1))
    assert model.count_params() == 64 * 16 + 64 + 64 * 9 * 8 + 8 + 12 * 12 * 8 + 1


def test_other_spellings_of_keras() -> None:
    first = fa.Sequential([layers.Dense(3, input_dim=2, activation=layers.LeakyReLU(alpha=0.2))])
    assert first.layers == ["dense 3", "leakyrelu 0.2"] and first.layers[0].name == "dense"
    init = fa.initializers.RandomNormal(stddev=0.02)
    second = fa.models.Sequential([layers.Conv2D(4, 3, input_shape=(8, 8, 1), kernel_initializer=init, name="c")])
    assert second.layers[0].endswith("init normal 0.02")
    labelled = fa.Sequential([layers.Input(2), layers.Embedding(3, 4), layers.Dense(1)])
    assert labelled.layers[0] == "embedding 4" and labelled.predict((np.ones((2, 2)), [0, 2])).shape == (2, 1)
    assert fa.optimizers.Adam is fa.Adam and fa.losses.BinaryCrossentropy(from_logits=True)


def test_a_model_grows_by_add_and_is_summarised() -> None:
    model = fa.Sequential(name="critic")
    model.add(layers.Dense(3))
    with pytest.raises(fa.UsageError, match="shape of the inputs of critic is not known"):
        model.summary()
    model.build((None, 2))
    said: list[str] = []
    model.summary(said.append)
    assert "dense 3" in said[0]
    with pytest.raises(fa.UsageError, match="critic is built"):
        model.add(layers.Dense(1))
    assert "dense 3" in model._repr_html_()


def test_an_unknown_layer_is_refused_with_a_hint() -> None:
    with pytest.raises(fa.RecipeError, match="dens 3") as caught:
        fa.Sequential(["dens 3"], 2)
    assert "dense" in caught.value.what + caught.value.hint
    with pytest.raises(fa.UsageError, match="a layer is a int"):
        fa.Sequential([3], 2)  # type: ignore[list-item]


def test_predicts_any_number_of_examples() -> None:
    model = generator()
    z = np.random.default_rng(1).standard_normal((70, 4))
    images = model.predict(z)
    assert (images.shape, images.dtype) == ((70, 8, 8, 1), np.float32)
    assert images.flags.writeable and images.flags.c_contiguous
    np.testing.assert_array_equal(images[66:67], model(z[66:67]))
    assert model.predict_on_batch(np.empty((0, 4))).shape == (0, 8, 8, 1)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "bool"])
def test_numbers_of_any_type_and_order(dtype: str) -> None:
    model = discriminator()
    x = (np.arange(2 * 64).reshape(2, 8, 8, 1) % 5 // 3).astype(dtype)
    expected = model.predict(x.astype(np.float32))
    np.testing.assert_array_equal(model.predict(x), expected)
    np.testing.assert_array_equal(model.predict(np.asfortranarray(x)), expected)
    np.testing.assert_array_equal(model.predict(x[..., 0]), expected)
    np.testing.assert_array_equal(model.predict(np.repeat(x, 2, axis=0)[::2]), expected)
    x.flags.writeable = False
    np.testing.assert_array_equal(model.predict(x), expected)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.zeros((8, 8, 1)), r"one example is x\[None\]"),
        (np.zeros((2, 1, 8, 8)), r"transpose\(0, 2, 3, 1\)"),
        (np.zeros((2, 8, 9, 1)), r"expected \(n, 8, 8, 1\)"),
        (np.zeros(3), "has the shape"),
        (np.array(["a"]), "expected numbers"),
        (np.full((1, 8, 8, 1), np.nan), "not a finite number"),
    ],
)
def test_wrong_inputs_are_refused(x: np.ndarray, said: str) -> None:
    model = discriminator()
    model.compile()
    with pytest.raises(fa.UsageError, match=said):
        model.predict(x)
    with pytest.raises(fa.UsageError):
        model.train_on_batch(x, np.zeros(len(x)))


def test_learns_and_says_how_well() -> None:
    model = discriminator()
    x = np.concatenate([np.zeros((8, 8, 8, 1)), np.ones((8, 8, 8, 1))])
    y = np.repeat([0.0, 1.0], 8)
    with pytest.raises(fa.UsageError, match="no optimizer"):
        model.train_on_batch(x, y)
    model.compile(optimizer=fa.Adam(1e-2), loss="binary_crossentropy", metrics=["accuracy"])
    first = model.train_on_batch(x, y)
    for _ in range(30):
        last = model.train_on_batch(x, y[:, None])
    assert last[0] < first[0] and last[1] == 1.0 and model.metrics_names == ["loss", "accuracy"]
    assert set(model.train_on_batch(x, y, return_dict=True)) == {"loss", "accuracy"}
    before = model.get_weights()[0]
    assert model.evaluate(x, y)[1] == 1.0
    np.testing.assert_array_equal(before, model.get_weights()[0])
    model.compile("adam")
    assert isinstance(model.train_on_batch(x, y), float) and model.optimizer == "adam"
    with pytest.raises(fa.UsageError, match="no metric"):
        model.compile("adam", metrics=["auc"])
    with pytest.raises(fa.UsageError, match="y has the shape"):
        model.train_on_batch(x, y[:3])
    with pytest.raises(fa.UsageError, match="no examples"):
        model.train_on_batch(x[:0], y[:0])


def test_a_loss_that_is_not_finite_leaves_the_weights() -> None:
    model = discriminator()
    model.compile(1e-3)
    model.set_weights([weight * 1e4 for weight in model.get_weights()])
    before = model.get_weights()
    with pytest.raises(fa.Diverged) as caught:
        model.train_on_batch(np.full((2, 8, 8, 1), 3e38), np.array([0, 1]))
    assert isinstance(caught.value, ArithmeticError) and caught.value.hint
    for old, new in zip(before, model.get_weights()):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("wrong", [-1.0, 0.0, float("nan"), "sgd", True, object()])
def test_wrong_optimizers_are_refused(wrong: object) -> None:
    with pytest.raises(fa.UsageError):
        discriminator().compile(wrong)  # type: ignore[arg-type]


def test_an_optimizer_of_keras_is_taken() -> None:
    class Adam:
        learning_rate, beta_1, beta_2, epsilon, clipnorm = np.float32(0.1), 0.5, 0.999, 1e-7, None

    ours, theirs = discriminator(), discriminator()
    ours.compile(fa.Adam(float(np.float32(0.1)), beta_1=0.5))
    theirs.compile(Adam())  # type: ignore[arg-type]
    x, y = np.ones((2, 8, 8, 1)), np.array([1.0, 0.0])
    for model in (ours, theirs):
        model.train_on_batch(x, y)
    np.testing.assert_array_equal(ours.predict(x), theirs.predict(x))


def test_only_cross_entropy_trains_a_model_alone() -> None:
    with pytest.raises(fa.UsageError, match="not by hinge"):
        discriminator().compile(loss="hinge")

    class BinaryCrossentropy:
        def get_config(self) -> dict[str, object]:
            return {}

    discriminator().compile(loss=BinaryCrossentropy())  # type: ignore[arg-type]


def test_weights_have_the_layouts_of_keras() -> None:
    model = fa.Sequential(["conv 5 3x4", "convtranspose 6 2x2", "batchnorm", "flatten", "dense 7"], (8, 8, 2))
    shapes = [weight.shape for weight in model.get_weights()]
    assert shapes == [(3, 4, 2, 5), (5,), (2, 2, 6, 5), (6,), (6,), (6,), (6,), (6,), (384, 7), (7,)]
    other = fa.Sequential(model.layers, (8, 8, 2), seed=5)
    x = np.ones((1, 8, 8, 2))
    assert not np.array_equal(model.predict(x), other.predict(x))
    other.set_weights(model.get_weights())
    np.testing.assert_array_equal(model.predict(x), other.predict(x))
    with pytest.raises(fa.UsageError, match="9 weights"):
        other.set_weights(model.get_weights()[:-1])
    with pytest.raises(fa.UsageError, match=r"has the shape \(7, 384\), ?.*|dense.weight"):
        other.set_weights([*model.get_weights()[:-2], np.zeros((7, 384)), np.zeros(7)])


def test_seed_and_name_are_the_weights() -> None:
    def weights(**more: object) -> np.ndarray:
        return fa.Sequential(DISCRIMINATOR, (8, 8, 1), **more).get_weights()[0]  # type: ignore[arg-type]

    np.testing.assert_array_equal(weights(name="a"), weights(name="a"))
    assert not np.array_equal(weights(name="a"), weights(name="b"))
    assert not np.array_equal(weights(name="a"), weights(name="a", seed=1))
    assert not np.array_equal(weights(), weights())


def _trained(steps: int) -> fa.Model:
    model = fa.Sequential([*DISCRIMINATOR[:3], "dropout 0.3", "dense 1"], (8, 8, 1), name="critic")
    model.compile(1e-2)
    return _on(model, range(steps))


def _on(model: fa.Model, turns: range) -> fa.Model:
    for turn in turns:
        model.train_on_batch(np.full((4, 8, 8, 1), turn / 8), np.array([0, 1, 0, 1]))
    return model


def test_a_saved_or_pickled_model_goes_on_bit_for_bit(tmp_path: Path) -> None:
    whole, half = _trained(4), _trained(2)
    half.save(tmp_path / "critic.safetensors")
    for copy in (fa.Model.load(tmp_path / "critic.safetensors"), pickle.loads(pickle.dumps(half))):
        assert copy.name == "critic"
        for ours, theirs in zip(whole.get_weights(), _on(copy, range(2, 4)).get_weights()):
            np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(fa.UsageError, match="exists"):
        half.save(tmp_path / "critic.safetensors", overwrite=False)
    (tmp_path / "other").write_bytes(b"nothing")
    with pytest.raises(fa.RunError, match="not a saved model"):
        fa.Model.load(tmp_path / "other")
    with pytest.raises(OSError, match="can't read") as caught:
        fa.Model.load(tmp_path / "absent")
    assert isinstance(caught.value, fa.FaussaireError) and caught.value.hint


def test_labels_are_the_second_of_a_pair() -> None:
    model = fa.Sequential(["embedding 4", "dense 3", "relu", "dense 1"], 2, labels=3)
    x = np.ones((3, 2))
    rows = model.predict((x, np.eye(3)))
    np.testing.assert_array_equal(model.predict((x, [0, 1, 2])), rows)
    assert len(np.unique(rows)) == 3
    with pytest.raises(fa.UsageError, match="3 labels for each"):
        model.predict(x)
    with pytest.raises(fa.UsageError, match="expected 0 to 2"):
        model.predict((x, [0, 1, 3]))
    model.compile(1e-2)
    assert model.train_on_batch((x, [0, 1, 2]), np.ones(3)) > 0


def test_arrays_of_other_libraries() -> None:
    class Tensor:
        """As one of PyTorch that has a gradient."""

        def __init__(self, values: np.ndarray) -> None:
            self.values = values

        def detach(self) -> np.ndarray:
            return self.values

    class Capsule:
        """As one that knows DLPack alone."""

        def __init__(self, values: np.ndarray) -> None:
            self.values = values

        def __dlpack__(self, **more: object) -> object:
            return self.values.__dlpack__(**more)  # type: ignore[arg-type]

        def __dlpack_device__(self) -> tuple[int, int]:
            return self.values.__dlpack_device__()

    model = discriminator()
    x = np.ones((2, 8, 8, 1), dtype=np.float32)
    for given in (Tensor(x), Capsule(x), x.tolist()):
        np.testing.assert_array_equal(model.predict(given), model.predict(x))
    assert np.from_dlpack(model.predict(x)).shape == (2, 1)


@pytest.mark.parametrize(
    ("module", "name", "said"),
    [
        (layers, "Concatenate", "layers.Embedding"),
        (layers, "Conv2d", "did you mean Conv2D?"),
        (layers, "LSTM", "there are Activation, AveragePooling2D, BatchNormalization, "),
        (fa.optimizers, "RMSprop", "beta_1=0"),
    ],
)
def test_names_that_are_missing_are_told_with_what_there_is(module: object, name: str, said: str) -> None:
    with pytest.raises(AttributeError) as error:
        getattr(module, name)
    assert f"has no {name}\nhint: " in str(error.value) and said in str(error.value)
    assert not hasattr(module, "__path__")

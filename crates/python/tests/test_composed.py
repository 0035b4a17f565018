"""`Composed`: the generator learns, the frozen discriminator doesn't."""

from __future__ import annotations

import faussaire as fa
import numpy as np
import pytest
from conftest import discriminator, generator


def _composed() -> fa.Composed:
    d = discriminator()
    d.trainable = False
    gan = fa.Sequential([generator(), d])
    gan.compile(fa.Adam(1e-2), loss="binary_crossentropy")
    return gan


def test_only_the_generator_learns() -> None:
    gan = _composed()
    before = [model.get_weights() for model in (gan.generator, gan.discriminator)]
    z = np.random.default_rng(0).standard_normal((6, 4))
    first = gan.train_on_batch(z, np.ones(6))
    for _ in range(20):
        last = gan.train_on_batch(z, np.ones((6, 1)))
    assert last < first
    assert any(not np.array_equal(a, b) for a, b in zip(before[0], gan.generator.get_weights()))
    for a, b in zip(before[1], gan.discriminator.get_weights()):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(gan.predict(z), gan.discriminator.predict(gan.generator.predict(z)))
    assert set(gan.train_on_batch(z, np.ones(6), return_dict=True)) == {"loss"}


def test_a_trainable_discriminator_is_refused() -> None:
    gan = fa.Sequential([generator(), discriminator()])
    with pytest.raises(fa.UsageError, match="trainable") as caught:
        gan.compile()
    assert "discriminator.trainable = False" in caught.value.hint


def test_the_functional_form() -> None:
    g, d = generator(), discriminator()
    copy = fa.Model(inputs=d.inputs, outputs=d.outputs)
    copy.trainable = False
    assert d.trainable, "the copy shares the weights, not the flag"
    z = fa.Input(shape=(4,))
    gan = fa.Model(z, copy(g(z)))
    assert isinstance(gan, fa.Composed)
    gan.compile(1e-2)
    noise = np.ones((2, 4))
    before = gan.predict(noise)
    d.compile(1e-1)
    d.train_on_batch(g.predict(noise), np.zeros(2))
    assert not np.array_equal(gan.predict(noise), before), "what D learns, the composed model knows"
    x = fa.Input((4,))
    dense = fa.Model(x, fa.layers.Dense(3)(fa.layers.ReLU()(x)))
    assert dense.layers == ["relu", "dense 3"]


def test_an_empty_sequential_grows_into_one() -> None:
    g, d = generator(), discriminator()
    gan = fa.Sequential()
    gan.add(g)
    gan.add(d)
    assert isinstance(gan, fa.Composed) and gan.layers == [g, d]
    with pytest.raises(fa.UsageError, match="shares them|clone") as caught:
        fa.models.clone_model(d)
    assert "discriminator.inputs" in caught.value.hint


def test_what_does_not_fit() -> None:
    g, d = generator(), discriminator()
    with pytest.raises(fa.UsageError, match="their shapes|makes"):
        fa.Sequential([d, d])
    with pytest.raises(fa.UsageError, match="compose two"):
        fa.Sequential([g, d, d])
    with pytest.raises(fa.UsageError, match="models and layers"):
        fa.Sequential([g, fa.layers.Flatten()])  # type: ignore[list-item]
    one = fa.Sequential(["dense 4"], 4)
    one.trainable = False
    same = fa.Composed(one, one)
    same.compile(1e-2)
    with pytest.raises(fa.UsageError, match="with itself"):
        same.predict(np.ones((1, 4)))

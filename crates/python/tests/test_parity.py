"""Three steps of the lab's verbs give the numbers that Keras gave (`bench/parity`)."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import faussaire as fa
import numpy as np
import pytest

PARITY = Path(__file__).parents[3] / "bench" / "parity"


def _cases() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cases", PARITY / "cases.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["cases"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["tp-small", "fidle-small", "tp-odd"])
def test_three_steps_as_in_keras(name: str) -> None:
    cases = _cases()
    case = next(case for case in cases.CASES if case.name == name)
    expected = json.loads((PARITY / "numbers" / f"{name}.json").read_text())
    g = fa.Sequential(list(case.generator), case.latent, name="generator")
    d = fa.Sequential(list(case.discriminator), case.image, name="discriminator")
    k = 0
    for model in (g, d):
        weights = model.get_weights()
        for at, weight in enumerate(weights):
            if weight.ndim > 1:
                weights[at] = cases.kernel(case, k, weight.shape)
                k += 1
        model.set_weights(weights)
    assert [m.count_params() for m in (g, d)] == [expected["parameters"][m.name][0] for m in (g, d)]
    d.compile(fa.Adam(case.rate))
    d.trainable = False
    gan = fa.Sequential([g, d])
    gan.compile(fa.Adam(case.rate))
    for step, numbers in enumerate(expected["steps"]):
        fakes = g.predict_on_batch(cases.latents(case, step, "d"))
        x = np.concatenate([cases.real_images(case, step), fakes])
        y = np.repeat([1.0, 0.0], case.batch)
        answers = d.predict_on_batch(x)[:, 0]
        np.testing.assert_allclose(answers, numbers["d_real"] + numbers["d_fake"], atol=1e-5)
        d_loss = d.train_on_batch(x, y)
        g_loss = gan.train_on_batch(cases.latents(case, step, "g"), np.ones(case.batch))
        np.testing.assert_allclose([d_loss, g_loss], [numbers["d_loss"], numbers["g_loss"]], atol=1e-5)
    ours = [weight for model in (g, d) for weight in model.get_weights()]
    told = expected["float64"]["tensors"]
    assert len(ours) == len(expected["weights"])
    for weight, (key, known) in zip(ours, expected["weights"].items()):
        values, about = np.array(known["values"]).reshape(known["shape"]), told[key]
        assert weight.shape == values.shape, key
        if about["moved"] > 1e-9:
            off = np.linalg.norm(weight - values)
            assert off <= 1e-6 * about["norm"] + 1e-3 * about["moved"], key

"""`DCGAN`, `WGANGP`, `GAN`: compile, fit, history, predict, save, load, reload."""

from __future__ import annotations

import pickle
from pathlib import Path

import faussaire as fa
import numpy as np
import pytest
from conftest import discriminator, gan, generator


def _weights(model: fa.Model) -> list[np.ndarray]:
    return list(model.get_weights())


def _same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_the_published_notebook_runs(images: np.ndarray) -> None:
    x_data = (images / 255).reshape(-1, 8, 8, 1)
    assert x_data.dtype == np.float64
    g, d = generator(), discriminator()
    model = fa.DCGAN(discriminator=d, generator=g, latent_dim=4)
    model.compile(
        discriminator_optimizer=fa.Adam(1e-3), generator_optimizer=fa.Adam(1e-3), loss_function="binary_crossentropy"
    )
    before = _weights(g)
    history = model.fit(x_data, epochs=3, batch_size=16, callbacks=[], verbose=0)
    assert len(history.history["d_loss"]) == len(history.history["g_loss"]) == 3
    assert history.epoch == [0, 1, 2] and history.ending == "complete"
    assert model.step == 12 and "3 epochs" in repr(history)
    assert not _same(before, _weights(g)), "the models have learned"
    drawn = model.predict(np.random.default_rng(0).standard_normal((5, 4)))
    assert drawn.shape == (5, 8, 8, 1) and 0 <= drawn.min() <= drawn.max() <= 1
    np.testing.assert_array_equal(model.generator.predict(np.ones((2, 4))), g.predict(np.ones((2, 4))))
    assert model._repr_html_().startswith("<img")


def test_models_that_learned_nothing_begin_as_the_recipe_says(images: np.ndarray) -> None:
    fresh = gan()
    fresh.fit(images, steps=2, verbose=0)
    named = fa.GAN(recipe=fresh.recipe)
    named.fit(images, steps=2, verbose=0)
    assert _same(_weights(fresh.discriminator), _weights(named.discriminator))
    g = generator()
    g.set_weights([weight * 0.5 for weight in g.get_weights()])
    kept = fa.DCGAN(discriminator(), g)
    kept.compile(fa.Adam(1e-3), fa.Adam(1e-3), batch=8, ema=0.5)
    kept.fit(images, steps=2, verbose=0)
    assert not _same(_weights(kept.discriminator), _weights(fresh.discriminator))


def test_a_second_fit_goes_on_exactly(images: np.ndarray) -> None:
    whole, parts = gan(), gan()
    whole.fit(images, steps=6, verbose=0)
    parts.fit(images, steps=2, verbose=0)
    parts.fit(images, steps=4, verbose=0)
    assert parts.step == 6 and _same(_weights(whole.generator), _weights(parts.generator))
    parts.fit(images, epochs=1, verbose=0)
    assert parts.step == 14
    other = 255 - images
    before = _weights(parts.discriminator)
    parts.fit(other, steps=1, verbose=0)
    assert parts.step == 1 and not _same(before, _weights(parts.discriminator))


def test_saved_loaded_reloaded_pickled(images: np.ndarray, tmp_path: Path) -> None:
    whole, half = gan(), gan()
    whole.fit(images, steps=6, verbose=0)
    half.fit(images, steps=2, verbose=0)
    half.save(tmp_path / "half")
    half.save(tmp_path / "half")
    with pytest.raises(fa.UsageError, match="exists"):
        half.save(tmp_path / "half", overwrite=False)
    z = np.random.default_rng(0).standard_normal((3, 4))
    loaded, ready = fa.DCGAN.load(tmp_path / "half"), fa.DCGAN.load(tmp_path / "half", images)
    unpickled = pickle.loads(pickle.dumps(half))
    reloaded = gan()
    reloaded.reload(tmp_path / "half")
    for copy in (loaded, ready, unpickled, reloaded):
        assert copy.step == 2
        np.testing.assert_array_equal(copy.predict(z), half.predict(z))
        copy.fit(images, steps=4, verbose=0)
        assert copy.step == 6 and _same(_weights(copy.discriminator), _weights(whole.discriminator))
    with pytest.raises(fa.RunError, match="there is no run"):
        fa.DCGAN.load(tmp_path / "absent")
    with pytest.raises(fa.RunError, match="not empty"):
        half.save(tmp_path)


def test_the_newest_run(images: np.ndarray, tmp_path: Path) -> None:
    for name in ("0002-b", "0010-c", "0001-a"):
        gan().fit(images, steps=1, verbose=0, run=tmp_path / name)
    assert fa.Run.newest(tmp_path).path == str(tmp_path / "0010-c")


def test_a_fit_in_a_folder_is_a_run(images: np.ndarray, tmp_path: Path) -> None:
    model = gan()
    model.fit(images, steps=4, verbose=0, run=tmp_path / "run")
    run = model.run
    assert run is not None and run.path == str(tmp_path / "run")
    assert [event["event"] for event in run.events()][0] == "start"
    assert run.checkpoints() == ["best", "latest"] and len(run.sheets()) >= 1
    assert "<html" in run.report() and run.recipe["data.source"] == "memory:images"
    with pytest.raises(fa.RunError, match="not empty"):
        gan().fit(images, steps=1, verbose=0, run=tmp_path / "run")
    del model
    resumed = gan()
    history = resumed.fit(images, steps=6, verbose=0, run=tmp_path / "run", resume=True)
    assert resumed.step == 6 and history.ending == "complete"
    whole = gan()
    whole.fit(images, steps=6, verbose=0)
    assert _same(_weights(whole.generator), _weights(resumed.generator))


def test_presets_recipes_and_keys() -> None:
    assert {"tp", "fidle", "quick"} <= set(fa.presets())
    model = fa.GAN(preset="tp", seed=3)
    assert model.recipe["train.seed"] == 3 and model.latent_dim == model.recipe["latent"]
    model.compile(fa.Adam(1e-4), n_critic=2, gradient_penalty={"r1": 5}, label_flip=0.1)
    told = model.recipe
    assert (told["train.n_critic"], told["train.penalties"], told["discriminator.adam.learning_rate"]) == (
        2,
        {"r1": 5.0},
        1e-4,
    )
    with pytest.raises(fa.RecipeError, match="did you mean"):
        model.compile(bacth=3)
    with pytest.raises(fa.RecipeError, match="made for a data set") as caught:
        fa.GAN(preset="auto")
    assert "faussaire.Recipe.auto(x)" in caught.value.hint
    with pytest.raises(fa.RecipeError, match="no preset"):
        fa.GAN(preset="tpp")
    with pytest.raises(fa.UsageError, match="given twice"):
        fa.GAN()
    critic = fa.WGANGP(fa.Sequential(["flatten", "dense 1"], (8, 8, 1)), generator())
    assert (critic.recipe["train.loss"], critic.recipe["train.penalties"]["wgan-gp"]) == ("wasserstein", 10.0)
    said: list[str] = []
    critic.summary(said.append)
    assert len(said) == 2


def test_a_recipe_for_images_of_any_size(images: np.ndarray) -> None:
    wide = np.repeat(images[:32], 2, axis=2)
    made = fa.Recipe.auto(wide)
    model = fa.GAN(recipe=made)
    model.fit(wide, steps=1, verbose=0)
    assert model.sample(2).shape == (2, 8, 16, 1)
    assert fa.Recipe.auto("strokes")["data.source"] == "strokes"


def test_what_is_wrong_is_told_before_the_first_step(images: np.ndarray) -> None:
    with pytest.raises(fa.UsageError, match="latent_dim is 9"):
        fa.DCGAN(discriminator(), generator(), 9)
    with pytest.raises(fa.UsageError, match="one of the two models"):
        fa.DCGAN(discriminator())
    with pytest.raises(fa.FaussaireError, match="batch"):
        gan().fit(images, steps=1, batch_size=100, verbose=0)
    with pytest.raises(fa.RecipeError, match="8x8x1.*4x4x1|4x4x1"):
        gan().fit(images[:, :4, :4], steps=1, verbose=0)
    with pytest.raises(fa.UsageError, match="give run=FOLDER|resume"):
        gan().fit(images, steps=1, resume=True)
    with pytest.raises(fa.UsageError, match="not limited|length"):
        gan().fit(images, verbose=0)
    with pytest.raises(fa.UsageError, match="nothing is trained yet"):
        gan().save("x")
    with pytest.raises(fa.UsageError, match="the time"):
        gan().fit(images, time="soon")


def test_time_steps_and_own_loops(images: np.ndarray) -> None:
    model = gan()
    assert model.fit(images, time="0.05s", verbose=0).ending == "time"
    model = gan()
    reports = list(model.steps(images, steps=3))
    assert [report["step"] for report in reports] == [1, 2, 3] and reports[0]["d_loss"] > 0
    for report in model.steps(images, steps=5):
        if report["step"] == 4:
            break
    assert model.step == 4
    assert [model.train_step()["step"] for _ in range(2)] == [5.0, 6.0]
    with pytest.raises(fa.UsageError, match="no images to train on"):
        gan().train_step()


def test_nets_that_take_labels_learn_those_of_the_images(images: np.ndarray) -> None:
    labels = np.arange(64) % 2
    embedding = fa.layers.Embedding(2, 4)
    g = fa.Sequential([embedding, "dense 8*8*1", "reshape 8 8 1", "sigmoid"], 4)
    d = fa.Sequential([embedding, "flatten", "dense 1"], (8, 8, 1))
    model = fa.DCGAN(d, g)
    model.fit(images, labels, steps=2, batch_size=8, verbose=0)
    assert model.sampler().classes == ["0", "1"] and g._native.labels == 2
    np.testing.assert_array_equal(
        model.predict(np.ones((2, 4)), classes=[0, 1]), model.generator.predict((np.ones((2, 4)), [0, 1]))
    )


def test_the_second_notebook(images: np.ndarray, tmp_path: Path) -> None:
    critic = fa.Sequential(["conv 4 3x3 stride 2", "leakyrelu 0.2", "flatten", "dense 1"], (8, 8, 1))
    model = fa.WGANGP(discriminator=critic, generator=generator(), latent_dim=4, n_critic=2)
    model.compile(discriminator_optimizer=fa.Adam(2e-4, beta_1=0.5), generator_optimizer=fa.Adam(2e-4, beta_1=0.5))
    told = model.recipe
    assert (told["train.n_critic"], told["train.loss"]) == (2, "wasserstein")
    shown = fa.callbacks.ImagesCallback(
        num_img=2, latent_dim=4, run_dir=tmp_path / "images", filename="{epoch:03d}-{i:02d}.png"
    )
    model.fit(images / 255, epochs=1, batch_size=16, callbacks=[shown], verbose=0)
    assert sorted(file.name for file in (tmp_path / "images").iterdir()) == ["000-00.png", "000-01.png"]
    model.save(tmp_path / "run" / "models" / "model.h5")
    model.reload(tmp_path / "run" / "models" / "model.h5")
    assert model.predict(np.ones((3, 4)), verbose=0).shape == (3, 8, 8, 1)


def test_images_by_class(images: np.ndarray) -> None:
    labels = np.arange(64) % 2
    model = gan(conditional="concat")
    model.fit(images, labels, steps=2, verbose=0, class_names=["dark", "light"])
    assert model.sampler().classes == ["dark", "light"]
    one = model.sample(2, classes="light", seed=1)
    np.testing.assert_array_equal(one, model.sample(2, classes=[1, "light"], seed=1))
    assert not np.array_equal(one, model.sample(2, classes=0, seed=1))
    with pytest.raises(fa.FaussaireError, match="grey"):
        model.sample(1, classes="grey")
    with pytest.raises(fa.UsageError, match="3 classes for 2 images"):
        model.sample(2, classes=[0, 1, 0])

"""The command in the package: the same trainings, bit for bit, through both doors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import faussaire as fa
import pytest

TENSORS = ["average", "discriminator", "discriminator.adam", "generator", "generator.adam"]
LENGTH = ["--set", "data.count=256", "--set", "train.batch=16", "--set", "train.precision=f32"]


def _command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "faussaire", *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


def _checkpoint(run: Path) -> dict[str, bytes]:
    files = sorted((run / "checkpoints" / "latest").glob("*.safetensors"))
    return {file.name: file.read_bytes() for file in files}


def _model() -> fa.GAN:
    model = fa.GAN(preset="ring")
    model.compile(batch=16, precision="f32")
    return model


def _trained(folder: Path, steps: int, resume: bool = False) -> fa.GAN:
    model = _model()
    model._recipe = model.recipe.set(data={"count": 256})
    model.fit(steps=steps, run=folder, resume=resume, verbose=0)
    return model


def test_version_help_and_misuse() -> None:
    told = _command("--version")
    assert told.returncode == 0 and told.stdout == f"faussaire {fa.__version__}\n"
    wrong = _command("trian")
    assert wrong.returncode == 2 and "train" in wrong.stderr
    assert fa.cli(["presets", "tp"]) == 0 and fa.cli(["sample", "absent", "-o", "x.png"]) == 1


def test_fit_is_the_command_bit_for_bit_and_each_resumes_the_other(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    done = _command("train", "--preset", "ring", *LENGTH, "--steps", 12, "--run", theirs, "--quiet")
    assert done.returncode == 0, done.stderr
    del done
    _trained(ours, 12)
    expected = _checkpoint(theirs)
    assert len(expected) >= 4 and _checkpoint(ours) == expected
    configs = [(folder / "config.toml").read_text() for folder in (ours, theirs)]
    assert configs[0] == configs[1]
    # Each goes on with what the other has begun.
    done = _command("train", "--resume", ours, "--steps", 20, "--quiet")
    assert done.returncode == 0, done.stderr
    _trained(theirs, 20, resume=True)
    assert _checkpoint(ours) == _checkpoint(theirs) != expected
    whole = tmp_path / "whole"
    _trained(whole, 20)
    assert _checkpoint(whole) == _checkpoint(ours)


def test_images_of_a_program_are_not_mistaken(tmp_path: Path, images: object) -> None:
    from conftest import gan

    gan().fit(images, steps=1, run=tmp_path / "run", verbose=0)
    done = _command("train", "--resume", tmp_path / "run", "--steps", 2)
    assert done.returncode != 0 and "memory" in done.stderr


def test_the_sampler_draws_what_the_command_draws(tmp_path: Path) -> None:
    np = pytest.importorskip("numpy")
    model = fa.GAN(preset="quick")
    model.compile(precision="f32", batch=8)
    model._recipe = model.recipe.set(data={"count": 64})
    model.fit(steps=1, run=tmp_path / "run", verbose=0)
    done = _command("sample", tmp_path / "run", "-n", 4, "--seed", 7, "-o", tmp_path / "images.npy")
    assert done.returncode == 0, done.stderr
    sampler = fa.Sampler(tmp_path / "run", precision="f32")
    drawn = sampler(4, seed=7, dtype="uint8")
    theirs = np.load(tmp_path / "images.npy")
    if theirs.dtype == np.uint8:
        np.testing.assert_array_equal(drawn, theirs.reshape(drawn.shape))
    else:
        np.testing.assert_allclose(sampler(4, seed=7), theirs.reshape(drawn.shape), atol=1e-6)
    assert sampler.step == 1 and sampler.walk(3, 12).shape == (12, sampler.latent_dim)

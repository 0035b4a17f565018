"""The whole game: `DCGAN(...)`, `compile`, `fit`, `predict`, `save`, `load`."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias, TypeVar

from . import _arrays, _faussaire, data, notebook, optimizers
from . import callbacks as _callbacks
from ._arrays import F32
from ._errors import UsageError
from ._scratch import scratch
from .history import History
from .model import Model, _loss_name
from .optimizers import Adam
from .recipe import Recipe
from .run import Run
from .sampler import Classes, Sampler, drawn
from .sheet import Sheet

if TYPE_CHECKING:
    from .exports import Exported
    from .judging import Judgement

__all__ = ["DCGAN", "GAN", "WGANGP"]

Path: TypeAlias = str | os.PathLike[str]
Verbose: TypeAlias = Literal["auto", 0, 1, 2]
_Self = TypeVar("_Self", bound="DCGAN")


class DCGAN:
    """A generator and a discriminator in training.

    The nets are two models, those of a preset, or those of a recipe. Models that were neither trained nor given weights begin as
    the recipe's seed says, so that the run can be repeated from its folder; others keep theirs. After `fit` both models have
    learned.
    """

    # What a class of its own sets before `compile`.
    _first: ClassVar[Mapping[str, Any]] = {}

    def __init__(
        self,
        discriminator: Model | None = None,
        generator: Model | None = None,
        latent_dim: int | None = None,
        *,
        preset: str | None = None,
        recipe: Recipe | Path | None = None,
        seed: int | None = None,
        device: str = "cpu",
        precision: Literal["auto", "f32", "bf16"] | None = None,
        conditional: Literal["concat", "projection", "auxiliary"] | None = None,
        **more: Any,
    ) -> None:
        if unknown := set(more) - {"name"}:
            raise TypeError(f"unexpected keyword argument '{min(unknown)}'")
        given = [discriminator is not None or generator is not None, preset is not None, recipe is not None]
        if sum(given) != 1:
            raise UsageError("the nets are not known, or given twice", "give both models, or a preset, or a recipe")
        self._models: tuple[Model, Model] | None = None
        if preset is not None:
            self._recipe = Recipe.preset(preset)
        elif recipe is not None:
            self._recipe = recipe if isinstance(recipe, Recipe) else Recipe.read(recipe)
        else:
            self._recipe = self._of_models(generator, discriminator, latent_dim)
        train = {"seed": seed, "precision": precision}
        self._recipe = self._recipe.set(train={key: value for key, value in train.items() if value is not None})
        self._device, self._condition = device, conditional
        self._trainer: _faussaire.Trainer | None = None
        self._loaded: tuple[Run, str] | None = None
        self._trained_on: str | None = None
        self._data: _faussaire.Dataset | None = None
        self.history = History()
        self.stop_training = False

    def _of_models(self, generator: Model | None, discriminator: Model | None, latent_dim: int | None) -> Recipe:
        if generator is None or discriminator is None:
            raise UsageError("one of the two models is missing", "give generator= and discriminator=")
        size = generator._takes[-1]
        if latent_dim is not None and latent_dim != size:
            raise UsageError(
                f"latent_dim is {latent_dim}, but the generator takes {size} values",
                "leave latent_dim out, or build the generator for it",
            )
        self._models = (generator, discriminator)
        recipe = Recipe(latent=size, generator=generator.layers, discriminator=discriminator.layers)
        return recipe.set(**self._first) if self._first else recipe

    # -- what it is ------------------------------------------------------------------------------------------------

    @property
    def recipe(self) -> Recipe:
        """All that the training depends on."""
        return self._recipe if self._trainer is None else Recipe._of(self._trainer.recipe)

    @property
    def latent_dim(self) -> int:
        """The length of a noise vector."""
        return int(self._recipe["latent"])

    @property
    def step(self) -> int:
        """Updates of the generator so far."""
        if self._trainer is not None:
            return self._trainer.step_count
        return Sampler(self._loaded[0].path, self._loaded[1]).step if self._loaded else 0

    @property
    def run(self) -> Run | None:
        """The run's folder, if it has one."""
        folder = None if self._trainer is None else self._trainer.folder
        return None if folder is None else Run(folder)

    @property
    def generator(self) -> Model:
        """The generator as it is now, averaged over its updates: what one looks at. A copy, if the nets are a recipe's."""
        return self._net(0)

    @property
    def discriminator(self) -> Model:
        """The discriminator as it is now. A copy, if the nets are a recipe's."""
        return self._net(1)

    def _net(self, which: int) -> Model:
        if self._models is not None:
            self._teach_models()
            return self._models[which]
        if self._trainer is not None:
            return Model._of(self._trainer.discriminator() if which else self._trainer.generator())
        if self._loaded is not None:
            run, checkpoint = self._loaded
            return Model._of(run._native.models(checkpoint)[which])
        return self._fresh(which)

    def _fresh(self, which: int) -> Model:
        name = ("generator", "discriminator")[which]
        shape: Any = self.latent_dim if which == 0 else self._fresh(0)._makes
        labels = len(self._recipe["labels.names"])
        return Model(self._recipe[f"{name}.layers"], shape, name=name, seed=self._recipe["train.seed"], labels=labels)

    def _teach_models(self) -> None:
        """The program's own models get the weights that were learned."""
        if self._trainer is not None and self._models is not None:
            self._models[0]._native.adopt(self._trainer.generator())
            self._models[1]._native.adopt(self._trainer.discriminator())

    def summary(self, print_fn: Callable[[str], object] | None = None) -> None:
        """Prints the layers of both nets as tables."""
        for table in self._recipe._native.summaries():
            (print_fn or print)(table)

    # -- training --------------------------------------------------------------------------------------------------

    def compile(
        self,
        discriminator_optimizer: Adam | float | None = None,
        generator_optimizer: Adam | float | None = None,
        loss_function: Any = None,
        *,
        n_critic: int | None = None,
        gradient_penalty: float | Mapping[str, float] | None = None,
        **train: Any,
    ) -> None:
        """Sets how both nets learn; what isn't given stays as it is. `train` are keys of the recipe: `ema=0`, `label_flip=0.05`.

        A training that goes on after it begins anew with the weights that were learned.
        """
        changes: dict[str, Any] = {}
        if discriminator_optimizer is not None:
            changes["discriminator.adam"] = optimizers.settings(discriminator_optimizer)
        if generator_optimizer is not None:
            changes["generator.adam"] = optimizers.settings(generator_optimizer)
        if loss_function is not None:
            changes["train.loss"] = _loss_name(loss_function)
        if n_critic is not None:
            changes["train.n_critic"] = n_critic
        if gradient_penalty is not None:
            weights = gradient_penalty if isinstance(gradient_penalty, Mapping) else {"wgan-gp": gradient_penalty}
            changes["train.penalties"] = dict(weights)
        changes.update({f"train.{key}": value for key, value in train.items()})
        self._recipe = self._recipe.set(**changes)
        self._trained_on = None

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        *,
        epochs: int | None = None,
        steps: int | None = None,
        time: str | float | None = None,
        batch_size: int | None = None,
        callbacks: Sequence[Any] = (),
        verbose: Verbose = "auto",
        run: Path | None = None,
        resume: bool = False,
        judge: bool = False,
        heal: bool | int = False,
        doctor: bool = True,
        class_names: Sequence[str] | None = None,
    ) -> History:
        """Trains on images: arrays, a data set, its name or its path, or what the recipe names; `y` are their classes.

        A second call goes on for as much more. With `run` the training writes that folder, as `faussaire train` does, and with
        `resume` goes on from there up to `epochs` or `steps` in all. Ctrl-C ends it after its step; the model is then usable.
        """
        settings = {
            "batch": batch_size,
            "judge": True if judge else None,
            "heal": (1 if heal is True else int(heal)) if heal else None,
        }
        changed = self._recipe.set(train={key: value for key, value in settings.items() if value is not None})
        seconds = _faussaire.duration(time) if isinstance(time, str) else time
        images = data.native(x, y, class_names, self._recipe["data"])
        trainer = self._begin(changed, images, epochs, steps, seconds, run, resume)
        try:
            return self._train(trainer, callbacks, verbose, doctor)
        finally:
            self._teach_models()

    def _begin(
        self,
        recipe: Recipe,
        images: _faussaire.Dataset,
        epochs: int | None,
        steps: int | None,
        seconds: float | None,
        run: Path | None,
        resume: bool,
    ) -> _faussaire.Trainer:
        """The training to go on with, or a new one."""
        limits = (epochs, steps, seconds)
        folder = None if run is None else os.fspath(run)
        on = images.fingerprint()
        same = self._trainer is not None and self._trained_on == on and recipe == self._recipe
        if resume:
            if folder is None:
                raise UsageError("resume goes on with a run's folder", "give run=FOLDER")
            self._trainer = None  # gives the folder's lock back
            changes = _length(epochs, steps)
            self._trainer = _faussaire.Trainer.resume(folder, images, self._device, changes, *limits, None)
        elif same and self._trainer is not None and folder in (None, self._folder()):
            self._trainer.extend(*limits)
        elif self._loaded is not None and recipe == self._recipe and folder is None:
            saved, checkpoint = self._loaded
            self._trainer = _faussaire.Trainer.resume(
                saved.path, images, self._device, [], None, None, None, checkpoint
            )
            self._trainer.extend(*limits)
        else:
            nets = self._beginning()
            self._trainer = None
            native = recipe._native
            for key, value in (change.split("=") for change in _length(epochs, steps)):
                native = native.set(key, value)
            labelled = self._models is not None and any(model._native.labels for model in self._models)
            how = self._condition or ("concat" if labelled else None)
            self._trainer = _faussaire.Trainer(native, images, self._device, *limits, how, folder, *nets)
        self._recipe, self._trained_on, self._data, self._loaded = recipe, on, images, None
        if self._models is not None and self._trainer.generator().layers != self._models[0].layers:
            self._models = None  # the labels of the images are part of the nets now
        return self._trainer

    def _folder(self) -> str | None:
        folder = None if self._trainer is None else self._trainer.folder
        return None if folder is None else str(folder)

    def _beginning(self) -> tuple[_faussaire.Model | None, _faussaire.Model | None]:
        """The nets whose weights a new training begins with; None for those of the recipe's seed."""
        if self._trainer is not None:
            return self._trainer.generator(False), self._trainer.discriminator()
        if self._loaded is not None:
            return self._loaded[0]._native.models(self._loaded[1])
        if self._models is None:
            return None, None
        generator, discriminator = (model._native if model._has_own_weights() else None for model in self._models)
        return generator, discriminator

    def _train(self, trainer: _faussaire.Trainer, given: Sequence[Any], verbose: Verbose, doctor: bool) -> History:
        self.stop_training = False
        history = self.history = History()
        before = len(trainer.history()[0])
        shown = _callbacks.shown(verbose, doctor)
        every = _callbacks.Several([*shown, *given], self)
        for remark in trainer.remarks() if shown else []:
            # A notebook shows stderr as a failure.
            print(remark, file=sys.stdout if notebook.there() else sys.stderr)
        per_epoch, total = trainer.length()
        done = trainer.step_count
        left = None if total is None else max(total - done, 0)
        epochs = None if left is None or per_epoch == 0 else max(round(left / per_epoch), 1)
        first = int(done / per_epoch) if per_epoch else 0
        every.call("set_params", {"epochs": epochs, "steps": left, "verbose": verbose})
        every.call("on_train_begin", {})
        every.call("on_epoch_begin", 0, {})
        batch = 0
        score: dict[str, float] = {}
        with _interrupts() as interrupted:
            while not (self.stop_training or interrupted()):
                told = trainer.step()
                if told is None:
                    break
                for event in json.loads(told):
                    history.add(event)
                    match event["event"]:
                        case "step":
                            every.call("on_train_batch_end", batch, event)
                            batch += 1
                        case "epoch":
                            means = trainer.history()
                            history.epochs([column[before:] for column in means])
                            logs = {key: values[-1] for key, values in history.history.items()} | score
                            at = event["epoch"] - 1 - first
                            every.call("on_epoch_end", at, logs)
                            if left is None or trainer.step_count < done + left:
                                every.call("on_epoch_begin", at + 1, {})
                            batch = 0
                        case "score":
                            score = {"score": event["value"]}
                            every.call("on_score", event)
                        case "finding":
                            every.call("on_finding", history.findings[-1])
                        case "heal":
                            every.call("on_heal", event)
                        case "end":
                            history.ending = event["reason"]
            if self.stop_training or interrupted():
                for event in json.loads(trainer.finish()):
                    history.add(event)
                history.ending = "interrupted" if interrupted() else "stopped"
        self._teach_models()
        every.call("on_train_end", {key: values[-1] for key, values in history.history.items() if values})
        return history

    def train_step(self) -> dict[str, float]:
        """One more step of both nets, and what was measured: for loops of one's own, after a `fit` or `load(path, x)`."""
        if self._trainer is None:
            raise UsageError(
                "there are no images to train on yet", "call fit(x, ...) first, or iterate over steps(x, ...)"
            )
        self._trainer.extend(None, 1, None)
        told = json.loads(self._trainer.step() or "[]")
        report: dict[str, float] = next((event for event in told if event["event"] == "step"), {})
        return report

    def steps(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int | None = None,
        steps: int | None = None,
        time: str | float | None = None,
        batch_size: int | None = None,
        run: Path | None = None,
    ) -> Iterator[dict[str, Any]]:
        """The same training as `fit`, step by step: yields what was measured at each."""
        recipe = self._recipe if batch_size is None else self._recipe.set(train={"batch": batch_size})
        seconds = _faussaire.duration(time) if isinstance(time, str) else time
        trainer = self._begin(recipe, data.native(x, y, None, self._recipe["data"]), epochs, steps, seconds, run, False)
        try:
            while (told := trainer.step()) is not None:
                yield from (event for event in json.loads(told) if event["event"] == "step")
        finally:
            trainer.finish()

    # -- images ----------------------------------------------------------------------------------------------------

    def sampler(self) -> Sampler:
        """The averaged generator as it is now, which doesn't follow when training goes on."""
        if self._trainer is not None:
            return Sampler._of(self._trainer.sampler())
        if self._loaded is not None:
            return Sampler(self._loaded[0].path, self._loaded[1], device=self._device)
        raise UsageError("nothing is trained yet", "call fit(x, ...) first, or load a run")

    def predict(
        self, z: Any, *, classes: Classes | None = None, seed: int | None = None, verbose: int | str = 0
    ) -> F32:
        """The images of the noise vectors `z`, or of `z` new ones, as the generator makes them: within 0 and 1 behind a sigmoid,
        within -1 and 1 behind a tanh, as in Keras. `sample` gives 0 to 1."""
        count = z if isinstance(z, int) else None
        if self._trainer is None and self._loaded is None:
            model = self.generator
            if count is not None:
                import numpy as np

                z = np.random.default_rng(seed).standard_normal((count, self.latent_dim), dtype=np.float32)
            return model.predict(z if classes is None else (z, classes))
        sampler = self.sampler()
        seed = drawn(seed)
        if count is not None:
            z = sampler.noise(count, seed)
        return sampler.decode(z, classes=classes, seed=seed)

    __call__ = predict

    def sample(self, n: int, *, seed: int | None = None, classes: Classes | None = None) -> F32:
        """`n` images, from 0 to 1."""
        images: F32 = self.sampler()(n, seed=seed, classes=classes)
        return images

    def sheet(self, rows: int = 4, columns: int = 10) -> Sheet:
        """Images of the noise that stays the same in the whole training."""
        if self._trainer is None:
            return self.sampler().sheet(rows, columns)
        sampler = self._trainer.sampler()
        n = rows * columns
        images = _arrays.from_bytes(self._trainer.fixed_images(n), (n, *sampler.shape))
        return Sheet.of(images, columns, sampler.bounds)

    def judge(
        self,
        against: Any = None,
        n: int = 10_000,
        *,
        inception: Path | None = None,
        seed: int = 0,
    ) -> Judgement:
        """Scores of `n` images against real ones: those it was trained on, or `against`."""
        from .judging import judge

        real = against if against is not None else self._data
        if self.run is not None:
            return judge(self.run, real, n=n, inception=inception, seed=seed)
        with tempfile.TemporaryDirectory() as folder:
            place = os.path.join(folder, "run")
            self.save(place)
            return judge(Run(place), real, n=n, inception=inception, seed=seed)

    # -- files -----------------------------------------------------------------------------------------------------

    def save(self, path: Path, overwrite: bool = True) -> None:
        """Saves the training as a run folder, which the command and the studio open; `load` goes on from there."""
        path = os.fspath(path)
        if self._trainer is not None:
            if not overwrite and os.path.exists(path):
                raise UsageError(f"{path} exists", "give overwrite=True, or another name")
            if os.path.abspath(path) == os.path.abspath(self._folder() or os.devnull):
                return  # it is there: a run saves itself
            self._trainer.save(path)
        elif self._loaded is not None:
            import shutil

            if os.path.abspath(path) != os.path.abspath(self._loaded[0].path):
                shutil.copytree(self._loaded[0].path, path, dirs_exist_ok=False)
        else:
            raise UsageError("nothing is trained yet", "call fit(x, ...) first")

    @classmethod
    def load(cls: type[_Self], path: Path, x: Any = None, *, checkpoint: str = "latest") -> _Self:
        """What `save` or a run has written. `fit(x)` goes on from there, exactly; with `x` at once ready for `train_step`."""
        gan = object.__new__(cls)
        gan._device, gan._condition, gan._models = "cpu", None, None
        gan._trainer, gan._trained_on, gan._data = None, None, None
        gan.stop_training = False
        gan.reload(path, checkpoint=checkpoint)
        if x is not None:
            images = data.native(x, None, None, gan._recipe["data"])
            gan._trainer = _faussaire.Trainer.resume(os.fspath(path), images, "cpu", [], None, None, None, checkpoint)
            gan._trained_on, gan._data, gan._loaded = images.fingerprint(), images, None
        return gan

    def reload(self, path: Path, *, checkpoint: str = "latest") -> None:
        """Takes over what `save` has written at `path`."""
        run = Run(path)
        self._recipe, self._loaded, self._trainer, self._trained_on = run.recipe, (run, checkpoint), None, None
        self.history = run.history()
        run._native.models(checkpoint)
        if self._models is not None:
            for model, saved in zip(self._models, run._native.models(checkpoint)):
                model._native.adopt(saved)

    def go_back(self, path: Path) -> None:
        """Goes back to what `save` has written at `path` of this same training, which can go on from there."""
        if self._data is None:
            self.reload(path)
            return
        self._trainer = _faussaire.Trainer.resume(
            os.fspath(path), self._data, self._device, [], None, None, None, "latest"
        )

    def export(self, path: Path, **choices: Any) -> Exported:
        """Writes .onnx, .safetensors (PyTorch) or .html (a page that draws), by the ending; verified before it is kept."""
        from .exports import export

        with self._as_run() as folder:
            return export(folder, path, **choices)

    def to_torch(self) -> tuple[Any, Any]:
        """Both nets as modules of PyTorch: generator, discriminator."""
        return self.generator.to_torch(), self.discriminator.to_torch()

    @contextmanager
    def _as_run(self) -> Iterator[str]:
        """A run's folder with what is there now."""
        with tempfile.TemporaryDirectory() as folder:
            place = os.path.join(folder, "run")
            self.save(place)
            yield place

    def __getstate__(self) -> dict[str, Any]:
        files: dict[str, bytes] = {}
        if self._trainer is not None or self._loaded is not None:
            with self._as_run() as folder:
                for root, _, inside in os.walk(folder):
                    for name in inside:
                        file = os.path.join(root, name)
                        with open(file, "rb") as opened:
                            files[os.path.relpath(file, folder)] = opened.read()
        kept = ("_recipe", "_device", "_condition", "_models", "history")
        return {"files": files, **{key: getattr(self, key) for key in kept}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        files = state.pop("files")
        self.__dict__.update(state)
        self._trainer, self._loaded, self._trained_on, self._data = None, None, None, None
        self.stop_training = False
        if files:
            # Lives as long as the object: the run is opened when it is used.
            kept = scratch(self)
            for name, content in files.items():
                place = os.path.join(kept, name)
                os.makedirs(os.path.dirname(place), exist_ok=True)
                with open(place, "wb") as opened:
                    opened.write(content)
            self._loaded = (Run(kept), "latest")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.latent_dim} values to images, step {self.step:,}>"

    def _repr_html_(self) -> str:
        if self._trainer is None and self._loaded is None:
            return "".join(model._repr_html_() for model in (self.generator, self.discriminator))
        return notebook.picture(self.sheet()) + self.history._repr_html_()


class WGANGP(DCGAN):
    """The same with the Wasserstein loss and a gradient penalty (Gulrajani et al. 2017)."""

    def __init__(
        self,
        discriminator: Model | None = None,
        generator: Model | None = None,
        latent_dim: int | None = None,
        *,
        n_critic: int | None = None,
        lambda_gp: float | None = None,
        **more: Any,
    ) -> None:
        super().__init__(discriminator, generator, latent_dim, **more)
        self.compile(n_critic=n_critic, gradient_penalty=lambda_gp)

    _first: ClassVar[Mapping[str, Any]] = {
        "train.loss": "wasserstein",
        "train.penalties": {"wgan-gp": 10.0},
        "train.n_critic": 5,
    }


class GAN(DCGAN):
    """The nets and the settings of a recipe: `GAN(preset="tp")`, `GAN(recipe="mine.toml")`."""


def _length(epochs: int | None, steps: int | None) -> list[str]:
    """The keys of the length, as the command sets them: of two limits, one that is given replaces the other of the recipe."""
    if epochs is None and steps is None:
        return []
    return [f"train.epochs={epochs or 0}", f"train.steps={steps or 0}"]


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C came. The first one is noted, so that a step is never cut; the second one is raised, as usual."""
    came = False
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield lambda: False
        return

    def note(number: int, frame: Any) -> None:
        nonlocal came
        if came:
            raise KeyboardInterrupt
        came = True
        print("\nstopping after this step; press Ctrl-C again to end at once", file=sys.stderr)

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: came
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)

"""Nets that are built, compiled and trained by hand, as the lab does: `Sequential`, `Model`, `Composed`."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, overload

from . import _arrays, _faussaire, optimizers
from ._arrays import F32
from ._errors import UsageError
from .layers import Layer
from .optimizers import Adam

if TYPE_CHECKING:
    from .exports import Exported

__all__ = ["Composed", "Model", "Sequential"]

Path: TypeAlias = str | os.PathLike[str]
_Self = TypeVar("_Self", bound="Model")

_numbers = itertools.count()


class Symbolic:
    """What `Input` and layers give in the functional form: a shape, and what follows it."""

    def __init__(self, shape: tuple[int, ...], items: tuple[Model | Layer | str, ...]) -> None:
        self.shape = shape
        self.items = items

    def then(self, item: Model | Layer | str) -> Symbolic:
        return Symbolic(self.shape, (*self.items, item))


def _sizes(shape: Sequence[Any]) -> tuple[int, ...]:
    if not all(isinstance(size, int) for size in shape):
        raise UsageError(f"the input shape is {shape!r}", "expected (features,) or (height, width, channels)")
    return tuple(shape)


def _lines(items: Iterable[Layer | str]) -> list[str]:
    return [line for item in items for line in ([item] if isinstance(item, str) else item.lines())]


def _made(told: tuple[float, float], metrics: Sequence[str], return_dict: bool) -> Any:
    """What Keras returns: the loss, or the loss and what else was asked for when the model was compiled."""
    if return_dict:
        return dict(zip(("loss", *metrics), told))
    return list(told) if metrics else told[0]


class Line(str):
    """A layer as a line of a recipe."""

    @property
    def name(self) -> str:
        """Its keyword."""
        return self.split(" ")[0]


class _Learning:
    """What `compile` has set, under Keras's names."""

    optimizer: Any = None
    loss: str | None = None
    _metrics: tuple[str, ...] = ()

    @property
    def metrics_names(self) -> list[str]:
        """What `train_on_batch` returns."""
        return ["loss", *self._metrics]

    def _compiled(self, optimizer: Any, loss: str, metrics: Sequence[Any]) -> None:
        unknown = [metric for metric in metrics if _metric(metric) != "accuracy"]
        if unknown:
            raise UsageError(f"there is no metric {unknown[0]}", 'expected metrics=["accuracy"], or none')
        self.optimizer, self.loss, self._metrics = optimizer, loss, ("accuracy",) if metrics else ()


def _metric(metric: Any) -> str:
    name = metric if isinstance(metric, str) else getattr(metric, "name", str(metric))
    return "accuracy" if name in ("accuracy", "acc", "binary_accuracy") else name


def _given(x: Any, native: _faussaire.Model) -> tuple[bytes, bytes | None, int]:
    """Examples and labels for a net: `x`, or the pair of `x` and the labels."""
    labels = native.labels
    y = None
    if isinstance(x, tuple | list) and len(x) == 2 and labels:
        x, y = x
    values, n = _arrays.batch(x, tuple(native.input_shape), "x")
    return values, None if y is None else _arrays.rows(y, n, labels, "the labels"), n


class Model(_Learning):
    """A net of layers: objects of `faussaire.layers`, or lines of a recipe.

    It predicts and, once compiled, trains. Two models of one name and seed begin with the same weights: without a name each
    has its own.
    """

    trainable: bool
    _native_model: _faussaire.Model | None
    _own: bool
    _first: Model

    def __new__(cls, *given: Any, **named: Any) -> Any:
        end = named.get("outputs", given[1] if len(given) > 1 else None)
        end = end[0] if isinstance(end, list) and end else end
        if isinstance(end, Symbolic) and any(isinstance(item, Model) for item in end.items):
            return _of_models([item for item in end.items], named.get("name"))
        return super().__new__(cls)

    def __init__(
        self,
        layers: Sequence[Layer | str | Symbolic] | Symbolic | Layer | str | None = None,
        input_shape: int | tuple[int, ...] | Symbolic | list[Symbolic] | None = None,
        *,
        name: str | None = None,
        seed: int = 0,
        labels: int = 0,
        inputs: Any = None,
        outputs: Any = None,
    ) -> None:
        if hasattr(self, "_name"):
            return  # a shared one, made by __new__
        self.trainable = True
        self._native_model = None
        self._own = False
        self._items: list[Layer | str] = []
        self._input: tuple[int, ...] | None = None
        number = next(_numbers)
        self._name = name if name is not None else f"sequential_{number}" if number else "sequential"
        self._seed, self._labels = seed, labels
        end: Any = outputs if outputs is not None else input_shape
        end = end[0] if isinstance(end, list) and end else end
        if isinstance(end, Symbolic):
            self._input = end.shape
            for item in end.items:
                if not isinstance(item, Model):
                    self.add(item)
        else:
            if isinstance(input_shape, int | tuple | list):
                self._input = (input_shape,) if isinstance(input_shape, int) else _sizes(input_shape)
            first = [] if layers is None else [layers] if isinstance(layers, Layer | str | Symbolic) else layers
            for layer in first:
                self.add(layer)
        if self._input is not None and self._items:
            self.build()

    @classmethod
    def _of(cls: type[_Self], native: _faussaire.Model) -> _Self:
        model = object.__new__(cls)
        model.trainable = True
        model._native_model = native
        model._own = True
        model._items, model._input = list(native.layers), tuple(native.input_shape)
        model._name, model._seed, model._labels = native.name, 0, native.labels
        if native.compiled:
            model.optimizer, model.loss = "adam", "binary_crossentropy"
        return model

    def add(self, layer: Layer | str | Symbolic | Model) -> None:
        """Appends a layer. Of two models, a generator and a discriminator, it becomes the composed one."""
        if isinstance(layer, Model):
            self._add_model(layer)
            return
        if self._native_model is not None:
            raise UsageError(f"{self.name} is built", "add layers before it is first used")
        if isinstance(layer, Symbolic):
            if self._items or layer.items:
                raise UsageError("an Input that is not the first layer", "put it first")
            self._input = layer.shape
        elif isinstance(layer, Layer):
            if layer.input_shape is not None and not self._items and self._input is None:
                self._input = layer.input_shape
            self._labels = layer.labels or self._labels
            self._items.append(layer)
        elif isinstance(layer, str):
            self._items.append(layer)
        else:
            raise UsageError(
                f"a layer is a {type(layer).__name__}",
                'give layers such as faussaire.layers.Dense(128), or recipe lines such as "dense 128"; '
                "a model of Keras becomes one of these by faussaire.Model.from_keras(model)",
            )

    def _add_model(self, model: Model) -> None:
        if self._items or self._native_model is not None:
            raise UsageError(
                "models and layers in one list", "compose models alone: Sequential([generator, discriminator])"
            )
        first = self.__dict__.get("_first")
        if first is None:
            self._first = model
            return
        composed = Composed(first, model, self._name)
        self.__class__ = Composed  # type: ignore[assignment]
        self.__dict__ = composed.__dict__

    def build(self, input_shape: int | tuple[int | None, ...] | None = None) -> None:
        """Makes the weights for inputs of this shape; without it the shape is that of `Input` or `input_shape`."""
        if input_shape is not None:
            shape = (input_shape,) if isinstance(input_shape, int) else input_shape
            self._input = tuple(size for size in shape if size is not None)
        if self._input is None:
            raise UsageError(
                f"the shape of the inputs of {self.name} is not known",
                "begin with faussaire.layers.Input(shape=...), or give input_shape=",
            )
        lines = _lines(self._items)
        self._native_model = _faussaire.Model(self._name, lines, list(self._input), self._labels, self._seed)

    @property
    def _native(self) -> _faussaire.Model:
        if self._native_model is None:
            self.build()
        assert self._native_model is not None
        return self._native_model

    @property
    def name(self) -> str:
        """What errors call it; weights and dropout are drawn by seed and name."""
        return self._name

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of a batch, `(None, 28, 28, 1)`: any number of examples."""
        return (None, *self._native.input_shape)

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of the output for a batch."""
        return (None, *self._native.output_shape)

    @property
    def _takes(self) -> tuple[int, ...]:
        return tuple(self._native.input_shape)

    @property
    def _makes(self) -> tuple[int, ...]:
        return tuple(self._native.output_shape)

    @property
    def input(self) -> Symbolic:
        """Its input, for the functional form."""
        return Symbolic(self._takes, ())

    @property
    def output(self) -> Symbolic:
        """Its output, for the functional form."""
        return Symbolic(self._takes, (self,))

    @property
    def inputs(self) -> list[Symbolic]:
        """Its input in a list."""
        return [self.input]

    @property
    def outputs(self) -> list[Symbolic]:
        """Its output in a list."""
        return [self.output]

    @property
    def layers(self) -> list[Line]:
        """Its layers as lines of a recipe."""
        return [Line(line) for line in self._native.layers]

    def count_params(self) -> int:
        """The number of parameters, those that aren't trained included."""
        return self._native.parameters()[0]

    def summary(self, print_fn: Callable[[str], object] | None = None) -> None:
        """Prints the layers as a table."""
        (print_fn or print)(self._native.summary())

    def compile(
        self,
        optimizer: Adam | float | str = "adam",
        loss: str = "binary_crossentropy",
        metrics: Sequence[Any] = (),
        **more: Any,
    ) -> None:
        """Gives the model a new optimizer. With `metrics=["accuracy"]`, accuracies are returned beside losses."""
        if unknown := set(more) - {"run_eagerly", "jit_compile", "steps_per_execution"}:
            raise TypeError(f"compile() got an unexpected keyword argument '{min(unknown)}'")
        name = _loss_name(loss)
        self._native.compile(optimizers.text(optimizer), name)
        self._compiled(optimizer, name, metrics)

    def predict_on_batch(self, x: Any) -> F32:
        """The output for a batch at inference; with labels, `x` is the pair of examples and labels."""
        values, labels, n = _given(x, self._native)
        return _arrays.from_bytes(self._native.predict(values, labels), (n, *self._makes))

    def predict(self, x: Any, batch_size: int | None = None, verbose: int | str = 0) -> F32:
        """The output for any number of examples."""
        return self.predict_on_batch(x)

    @overload
    def __call__(self, x: Symbolic) -> Symbolic: ...
    @overload
    def __call__(self, x: Any, training: bool = False) -> F32: ...
    def __call__(self, x: Any, training: bool = False) -> Any:
        """The functional form of composing, or `predict_on_batch`."""
        if isinstance(x, Symbolic):
            return x.then(self)
        if training:
            raise UsageError("a model can't be called in training", "train_on_batch makes an update")
        return self.predict_on_batch(x)

    def train_on_batch(self, x: Any, y: Any, *, return_dict: bool = False) -> Any:
        """One update towards `y` (1 real, 0 generated): the loss on the batch before it, a number; `[loss, accuracy]` where the
        model was compiled with `metrics=["accuracy"]`; by name with `return_dict`."""
        values, labels, n = _given(x, self._native)
        targets = _arrays.rows(y, n, 1, "y")
        return _made(self._native.train(values, labels, targets), self._metrics, return_dict)

    def evaluate(self, x: Any, y: Any, *, return_dict: bool = False, verbose: int | str = 0) -> Any:
        """What `train_on_batch` returns, for any number of examples at inference and without an update."""
        values, labels, n = _given(x, self._native)
        told = self._native.evaluate(values, labels, _arrays.rows(y, n, 1, "y"))
        return _made(told, self._metrics, return_dict)

    def get_weights(self) -> list[F32]:
        """All weights, in the order and the layouts of Keras."""
        shapes = self._native.weight_shapes()
        return [_arrays.from_bytes(own, shape) for own, (_, shape) in zip(self._native.weights(), shapes)]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replaces all weights, in the order and the layouts of Keras."""
        shapes = self._native.weight_shapes()
        given = [_arrays.numbers(values, f"weight {at}") for at, values in enumerate(weights)]
        if len(given) != len(shapes):
            raise UsageError(f"{len(given)} weights for {self.name}, which has {len(shapes)}", "see get_weights()")
        for values, (name, shape) in zip(given, shapes):
            if values.shape != tuple(shape):
                raise UsageError(f"the weight {name} has the shape {values.shape}", f"expected {tuple(shape)}")
        self._own = True
        self._native.set_weights([values.tobytes() for values in given])

    def _has_own_weights(self) -> bool:
        """Whether it was trained, loaded or given weights, rather than drawn by seed and name."""
        return self._own or self._native.updates > 0

    def save_weights(self, path: Path, overwrite: bool = True) -> None:
        """As `save`."""
        self.save(path, overwrite)

    def load_weights(self, path: Path) -> None:
        """Takes over the weights of what `save` or `save_weights` wrote of the same layers."""
        self._native.adopt(_faussaire.Model.load(path))
        self._own = True

    def save(self, path: Path, overwrite: bool = True) -> None:
        """Writes layers, weights and optimizer to a file, in the format safetensors whatever its ending; a loaded model goes on
        bit for bit."""
        if not overwrite and os.path.exists(path):
            raise UsageError(f"{os.fspath(path)} exists", "give overwrite=True, or another name")
        self._native.save(path)

    @classmethod
    def load(cls: type[_Self], path: Path) -> _Self:
        """Reads what `save` wrote."""
        return cls._of(_faussaire.Model.load(path))

    def export(
        self,
        path: Path,
        *,
        net: Literal["generator", "discriminator"] | None = None,
        pixels: Literal["float", "uint8"] = "float",
        layout: Literal["nhwc", "nchw"] = "nhwc",
    ) -> Exported:
        """Writes .onnx, .safetensors (PyTorch) or .html, by the ending. `net` is what the model is; without it, one that makes
        images is a generator."""
        from .exports import export_model

        return export_model(self, path, net=net, pixels=pixels, layout=layout)

    @classmethod
    def from_keras(cls, model: Any) -> Model:
        """The same net as a sequential model of Keras, with its weights."""
        from .keras import from_keras

        return from_keras(model)

    def to_torch(self) -> Any:
        """The same net as a `torch.nn.Module`, with its weights."""
        from .torch import to_torch

        return to_torch(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self._native.to_bytes(), "trainable": self.trainable, "_metrics": self._metrics}

    def __setstate__(self, state: dict[str, Any]) -> None:
        native = _faussaire.Model.from_bytes(state["model"])
        self.__dict__.update(Model._of(native).__dict__)
        self.trainable, self._metrics = state["trainable"], state["_metrics"]

    def __repr__(self) -> str:
        built = self._native_model is not None
        return f"<Model {self.name}: {self.count_params():,} parameters>" if built else f"<Model {self.name}>"

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><td>{escape(line)}</td><td>{'x'.join(map(str, shape))}</td><td style='text-align:right'>{count:,}</td></tr>"
            for line, shape, count in self._native.rows()
        )
        head = "<tr><th>layer</th><th>output</th><th>parameters</th></tr>"
        total, trained = self._native.parameters()
        return (
            f"<table><caption>{escape(self.name)}</caption>{head}{cells}</table>"
            f"<p>{total:,} parameters, {trained:,} trainable</p>"
        )


def _loss_name(loss: Any) -> str:
    """The name of a loss, which Keras also gives as an object."""
    if isinstance(loss, str):
        return loss
    name = type(loss).__name__ if not callable(loss) or hasattr(loss, "get_config") else getattr(loss, "__name__", "")
    return {"BinaryCrossentropy": "binary_crossentropy"}.get(name, name)


class Composed(_Learning):
    """A generator behind which is a frozen discriminator. It shares both."""

    def __init__(self, generator: Model, discriminator: Model, name: str | None = None) -> None:
        self.generator = generator
        self.discriminator = discriminator
        self.name = name or "gan"
        made, asked = generator._makes, discriminator._takes
        if made != asked:
            raise UsageError(
                f"{generator.name} makes {made}, but {discriminator.name} takes {asked}",
                "their shapes must be the same",
            )

    @property
    def layers(self) -> list[Model]:
        """The two models."""
        return [self.generator, self.discriminator]

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of a batch of noise vectors."""
        return self.generator.input_shape

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """The shape of the discriminator's answers."""
        return self.discriminator.output_shape

    @property
    def _makes(self) -> tuple[int, ...]:
        return self.discriminator._makes

    def count_params(self) -> int:
        """The number of parameters of both."""
        return self.generator.count_params() + self.discriminator.count_params()

    def summary(self, print_fn: Callable[[str], object] | None = None) -> None:
        """Prints both tables."""
        self.generator.summary(print_fn)
        self.discriminator.summary(print_fn)

    def compile(
        self,
        optimizer: Adam | float | str = "adam",
        loss: str = "binary_crossentropy",
        metrics: Sequence[Any] = (),
        **more: Any,
    ) -> None:
        """Gives the generator a new optimizer. The discriminator must be frozen by then."""
        if self.discriminator.trainable:
            raise UsageError(
                f"{self.discriminator.name} is trainable: the generator's update would train it, towards calling "
                "generated images real",
                f"freeze it first: {self.discriminator.name}.trainable = False",
            )
        self.generator.compile(optimizer, loss, metrics, **more)
        self._compiled(optimizer, _loss_name(loss), metrics)

    def predict_on_batch(self, z: Any) -> F32:
        """What the discriminator says of what the generator makes."""
        values, labels, n = _given(z, self.generator._native)
        both = self.generator._native, self.discriminator._native
        return _arrays.from_bytes(_faussaire.composed_predict(*both, values, labels), (n, *self._makes))

    def predict(self, z: Any, batch_size: int | None = None, verbose: int | str = 0) -> F32:
        """The same for any number of noise vectors."""
        return self.predict_on_batch(z)

    def __call__(self, z: Any) -> F32:
        """The same."""
        return self.predict_on_batch(z)

    def train_on_batch(self, z: Any, y: Any, *, return_dict: bool = False) -> Any:
        """One update of the generator towards `y` of the discriminator, which stays as it is. Returns what a model's does."""
        values, labels, n = _given(z, self.generator._native)
        targets = _arrays.rows(y, n, 1, "y")
        both = self.generator._native, self.discriminator._native
        return _made(_faussaire.composed_train(*both, values, labels, targets), self._metrics, return_dict)

    def __repr__(self) -> str:
        return f"<Composed {self.generator.name} -> {self.discriminator.name}, frozen>"

    def _repr_html_(self) -> str:
        return self.generator._repr_html_() + self.discriminator._repr_html_()


def _of_models(items: Sequence[Any], name: str | None) -> Model | Composed:
    """A model that shares the weights of one, or two composed."""
    if not all(isinstance(item, Model) for item in items):
        raise UsageError(
            "models and layers in one list",
            "compose models alone, Sequential([generator, discriminator]), and put layers into them",
        )
    match items:
        case [model]:
            shared = Model._of(model._native)
            shared._name = name or model.name
            return shared
        case [generator, discriminator]:
            return Composed(generator, discriminator, name)
    raise UsageError(f"{len(items)} models in a row", "compose two: a generator and a discriminator")


@overload
def Sequential(
    models: Sequence[Layer | str | Symbolic] | None = None,
    input_shape: int | tuple[int, ...] | None = None,
    *,
    name: str | None = None,
    seed: int = 0,
    labels: int = 0,
) -> Model: ...
@overload
def Sequential(models: Sequence[Model], *, name: str | None = None) -> Composed: ...
def Sequential(
    models: Sequence[Any] | None = None,
    input_shape: int | tuple[int, ...] | None = None,
    *,
    name: str | None = None,
    seed: int = 0,
    labels: int = 0,
) -> Model | Composed:
    """A model of these layers, or `Sequential([generator, discriminator])`: both composed, the discriminator frozen."""
    if models and any(isinstance(item, Model) for item in models):
        return _of_models([item for item in models if not isinstance(item, Symbolic)], name)
    return Model(models, input_shape, name=name, seed=seed, labels=labels)

"""Layers with Keras's names, arguments and defaults. Each is a line of a recipe; lines can be written instead:
`"conv 64 4x4 stride 2"`. What an argument means, and which are possible, the library decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from ._missing import missing

if TYPE_CHECKING:
    from .model import Symbolic

Pair: TypeAlias = int | tuple[int, int]
Padding: TypeAlias = Literal["same", "valid"]
Activated: TypeAlias = "str | Layer | None"


class Layer:
    """A layer, as the call that makes it in Keras."""

    def __init__(
        self,
        call: str,
        *,
        behind: Layer | None = None,
        input_shape: tuple[int, ...] | None = None,
        labels: int = 0,
    ) -> None:
        self.call, self.behind = call, behind
        self.input_shape, self.labels = input_shape, labels

    def lines(self) -> list[str]:
        """Its lines in a recipe."""
        return [self.call, *(self.behind.lines() if self.behind is not None else [])]

    @overload
    def __call__(self, x: Symbolic) -> Symbolic: ...
    @overload
    def __call__(self, x: Any) -> Any: ...
    def __call__(self, x: Any) -> Any:
        """The functional form: the net up to `x`, followed by this layer."""
        from .model import Symbolic

        if not isinstance(x, Symbolic):
            raise TypeError(f"a layer is called with what Input or another layer gave, not with {type(x).__name__}")
        return x.then(self)

    def __repr__(self) -> str:
        return self.call

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layer) and self.lines() == other.lines()

    def __hash__(self) -> int:
        return hash(self.call)


class _Block(Layer):
    def __init__(self, layers: tuple[Layer | str, ...]) -> None:
        super().__init__(f"Residual({', '.join(map(str, layers))})")
        self.layers = layers

    def lines(self) -> list[str]:
        inner = [line for layer in self.layers for line in (layer.lines() if isinstance(layer, Layer) else [layer])]
        return ["residual", *inner, "add"]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        value = tuple(value)
    if isinstance(value, str | int | float | tuple):
        return repr(value)
    # An initializer: its name and settings.
    config = value.get_config() if hasattr(value, "get_config") else {}
    told = ", ".join(f"{key}={config[key]}" for key in ("mean", "stddev") if key in config)
    return f"{type(value).__name__}({told})"


def _layer(kind: str, /, *given: Any, **named: Any) -> Layer:
    # A first layer may say what it is given, and an activation may be a layer.
    shape = named.pop("input_shape", None)
    size = named.pop("input_dim", None)
    shape = (size,) if size is not None else tuple(shape) if shape is not None else None
    behind = named.get("activation")
    if isinstance(behind, Layer):
        del named["activation"]
        made = _layer(kind, *given, **named)
        made.behind, made.input_shape = behind, shape
        return made
    if callable(behind) and hasattr(behind, "__name__"):
        named["activation"] = behind.__name__
    values = [_shown(value) for value in given]
    values += [f"{key}={_shown(value)}" for key, value in named.items() if value is not None]
    return Layer(f"{kind}({', '.join(values)})", input_shape=shape)


def Dense(units: int, activation: Activated = None, use_bias: bool = True, **more: Any) -> Layer:
    """A fully connected layer."""
    return _layer("Dense", units, activation=activation, use_bias=None if use_bias else False, **more)


def Conv2D(
    filters: int,
    kernel_size: Pair,
    strides: Pair | None = None,
    padding: Padding | None = None,
    *,
    activation: Activated = None,
    **more: Any,
) -> Layer:
    """A convolution; padding "valid" without `padding`, as in Keras."""
    return _layer("Conv2D", filters, kernel_size, strides=strides, padding=padding, activation=activation, **more)


def Conv2DTranspose(
    filters: int,
    kernel_size: Pair,
    strides: Pair | None = None,
    padding: Padding | None = None,
    *,
    activation: Activated = None,
    **more: Any,
) -> Layer:
    """A transposed convolution; padding "valid" without `padding`, as in Keras."""
    return _layer(
        "Conv2DTranspose", filters, kernel_size, strides=strides, padding=padding, activation=activation, **more
    )


def UpSampling2D(
    size: Pair | None = None, *, interpolation: Literal["nearest", "bilinear"] | None = None, **more: Any
) -> Layer:
    """Repeats rows and columns."""
    return _layer("UpSampling2D", size=size, interpolation=interpolation, **more)


def AveragePooling2D(pool_size: Pair | None = None, **more: Any) -> Layer:
    """The mean of each square."""
    return _layer("AveragePooling2D", pool_size=pool_size, **more)


def MaxPooling2D(pool_size: Pair | None = None, **more: Any) -> Layer:
    """The largest value of each square."""
    return _layer("MaxPooling2D", pool_size=pool_size, **more)


def GlobalAveragePooling2D(**more: Any) -> Layer:
    """The mean of each channel."""
    return _layer("GlobalAveragePooling2D", **more)


def ZeroPadding2D(padding: int | tuple[Any, ...] = 1, **more: Any) -> Layer:
    """Zeros around the image."""
    return _layer("ZeroPadding2D", padding, **more)


def Reshape(target_shape: tuple[int, ...], **more: Any) -> Layer:
    """The same values in another shape."""
    return _layer("Reshape", tuple(target_shape), **more)


def Flatten(**more: Any) -> Layer:
    """All values as a vector."""
    return _layer("Flatten", **more)


def Dropout(rate: float, **more: Any) -> Layer:
    """Drops values in training."""
    return _layer("Dropout", rate, **more)


def SpatialDropout2D(rate: float, **more: Any) -> Layer:
    """Drops channels in training."""
    return _layer("SpatialDropout2D", rate, **more)


def GaussianNoise(stddev: float, **more: Any) -> Layer:
    """Adds noise in training."""
    return _layer("GaussianNoise", stddev, **more)


def BatchNormalization(*, momentum: float | None = None, epsilon: float | None = None, **more: Any) -> Layer:
    """Normalises each channel over the batch."""
    return _layer("BatchNormalization", momentum=momentum, epsilon=epsilon, **more)


def GroupNormalization(groups: int = 32, *, epsilon: float | None = None, **more: Any) -> Layer:
    """Normalises groups of channels of each image."""
    return _layer("GroupNormalization", groups, epsilon=epsilon, **more)


def LayerNormalization() -> Layer:
    """Normalises each image as a whole. (Keras's normalises the channels of each pixel alone.)"""
    return Layer("layernorm")


def LeakyReLU(negative_slope: float | None = None, **more: Any) -> Layer:
    """A rectifier that lets a share of negative values pass; also `alpha`, its former name."""
    return _layer("LeakyReLU", negative_slope=negative_slope, **more)


def ReLU(**more: Any) -> Layer:
    """A rectifier."""
    return _layer("ReLU", **more)


def Softmax(**more: Any) -> Layer:
    """Shares that sum up to one."""
    return _layer("Softmax", **more)


def Activation(activation: str, **more: Any) -> Layer:
    """relu, tanh, sigmoid, leaky_relu, softmax."""
    return _layer("Activation", activation, **more)


def Embedding(input_dim: int, output_dim: int, **more: Any) -> Layer:
    """Appends `output_dim` channels for the image's class, one of `input_dim`. The net then takes pairs, `(x, classes)`."""
    return Layer(f"embedding {output_dim}", labels=input_dim)


def SelfAttention() -> Layer:
    """Self-attention (Zhang et al. 2019)."""
    return Layer("attention")


def Residual(*layers: Layer | str) -> Layer:
    """A block whose input is added to its output."""
    return _Block(layers)


def Input(shape: int | tuple[int, ...], **more: Any) -> Symbolic:
    """The input of a net: the first of a list of layers, or what the first layer is called with."""
    from .model import Symbolic

    unknown = set(more) - {"name", "batch_size", "dtype"}
    if unknown:
        raise TypeError(f"Input() got an unexpected keyword argument '{min(unknown)}'")
    return Symbolic((shape,) if isinstance(shape, int) else tuple(shape), ())


# What Keras has and a chain of layers can't be.
_INSTEAD = {
    "Concatenate": "a model is a chain of layers; labels go in by layers.Embedding(classes, size), or DCGAN(conditional=...)",
    "Add": "layers.Residual(...) adds what goes into its layers to what comes out",
    "Multiply": "a model is a chain of layers; labels go in by layers.Embedding(classes, size)",
    "Lambda": "a layer is data here, no code of Python's; layers of your own are written in Rust",
    "PReLU": "LeakyReLU has a fixed slope",
}

if not TYPE_CHECKING:

    def __getattr__(name):
        kinds = (kind for kind, value in globals().items() if callable(value) and kind not in _OTHERS)
        raise missing("faussaire.layers", name, _INSTEAD, kinds)


_OTHERS = {"Layer", "Literal", "TypeAlias", "Padding", "Activated"}

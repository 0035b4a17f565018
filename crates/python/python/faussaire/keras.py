"""From Keras: a sequential model's layers as lines, and its weights. Nothing of Keras is imported."""

from __future__ import annotations

from typing import Any

from . import _arrays
from ._errors import UsageError
from .layers import Layer, _shown
from .model import Model

# What of a layer's settings is written down, by class; everything else has no effect on the net.
_SETTINGS: dict[str, tuple[str, ...]] = {
    "Dense": ("units", "activation", "use_bias"),
    "Conv2D": ("filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "activation", "use_bias"),
    "Conv2DTranspose": (
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "output_padding",
        "dilation_rate",
        "activation",
        "use_bias",
    ),
    "UpSampling2D": ("size", "interpolation"),
    "AveragePooling2D": ("pool_size", "strides", "padding"),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "GlobalAveragePooling2D": ("keepdims",),
    "ZeroPadding2D": ("padding",),
    "BatchNormalization": ("momentum", "epsilon", "center", "scale"),
    "GroupNormalization": ("groups", "epsilon", "center", "scale"),
    "LeakyReLU": ("negative_slope", "alpha"),
    "ReLU": ("max_value", "negative_slope", "threshold"),
    "Softmax": ("axis",),
    "Activation": ("activation",),
    "Dropout": ("rate",),
    "SpatialDropout2D": ("rate",),
    "GaussianNoise": ("stddev",),
    "Reshape": ("target_shape",),
    "Flatten": (),
}


def _line(layer: Any) -> Layer:
    kind = type(layer).__name__
    if kind not in _SETTINGS:
        # The library says what can be used in its place, or that there is nothing.
        return Layer(f"{kind}()")
    config = layer.get_config()
    told = [
        f"{key}={_plain(config[key])}"
        for key in _SETTINGS[kind]
        if config.get(key) is not None and not (key == "activation" and config[key] == "linear")
    ]
    return Layer(f"{kind}({', '.join(told)})")


def _plain(value: Any) -> str:
    if isinstance(value, dict):  # an activation that is a layer, serialised
        return repr(str(value.get("class_name", value)).lower())
    return _shown(value)


def _flat(model: Any) -> list[Any]:
    """All layers, those of models inside among them, but inputs."""
    layers: list[Any] = []
    for layer in model.layers:
        if hasattr(layer, "layers"):
            layers += _flat(layer)
        elif type(layer).__name__ != "InputLayer":
            layers.append(layer)
    return layers


def from_keras(model: Any) -> Model:
    """The same net, with the weights of `model`, which is sequential: each layer takes what the one before gives."""
    shape = getattr(model, "input_shape", None)
    if not hasattr(model, "layers") or shape is None or isinstance(shape, list):
        raise UsageError(
            f"{type(model).__name__} is not a sequential model of Keras", "build it and give its shape first"
        )
    if type(model).__name__ != "Sequential" and not _is_chain(model):
        raise UsageError("the model is not a chain of layers", "nets here are lists of layers, each after the other")
    made = Model([_line(layer) for layer in _flat(model)], tuple(shape[1:]), name=str(model.name))
    weights = [_arrays.numbers(values, "a weight") for layer in _flat(model) for values in layer.get_weights()]
    # The state of random numbers of dropout is no weight of the net.
    made.set_weights([values for values in weights if values.dtype.kind == "f"])
    return made


def _is_chain(model: Any) -> bool:
    nodes = [getattr(layer, "_inbound_nodes", ()) for layer in model.layers]
    return all(len(inbound) <= 1 and all(len(node.input_tensors) <= 1 for node in inbound) for inbound in nodes)

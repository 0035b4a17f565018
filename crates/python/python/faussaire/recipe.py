"""Recipes: all that a training depends on."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from . import _faussaire

__all__ = ["Recipe", "presets"]

_Self = TypeVar("_Self", bound="Recipe")


def presets() -> list[str]:
    """The names of the recipes that come along; `faussaire presets` tells what each is for."""
    return [name for name, _ in _faussaire.presets()]


class Recipe(Mapping[str, Any]):
    """A recipe: `Recipe.preset("tp")`, a text in TOML, or `Recipe(latent=32, generator={...}, ...)`.

    Keys have dots, `recipe["train.batch"]`. A recipe never changes: `recipe.set(train={"batch": 32})` is another one.
    """

    def __init__(self, toml: str | None = None, **keys: Any) -> None:
        if toml is not None:
            native = _faussaire.Recipe.parse(toml)
        else:
            layers = [_layers(keys.get(net)) for net in ("generator", "discriminator")]
            native = _faussaire.Recipe(int(keys.pop("latent", 1)), *layers)
        self._native = _changed(native, keys)

    @classmethod
    def _of(cls: type[_Self], native: _faussaire.Recipe) -> _Self:
        recipe = cls.__new__(cls)
        recipe._native = native
        return recipe

    @classmethod
    def preset(cls: type[_Self], name: str) -> _Self:
        """The recipe called `name`."""
        return cls._of(_faussaire.Recipe.preset(name))

    @classmethod
    def auto(cls: type[_Self], x: Any, verbose: bool = False) -> _Self:
        """A recipe made by rule for images: their name or path, a data set, arrays. With `verbose` it says why it is so."""
        from . import data

        if isinstance(x, str | os.PathLike):
            made, reasons = _faussaire.Recipe.for_data([f"data.source={json.dumps(os.fspath(x))}"])
        else:
            made, reasons = _faussaire.Recipe.for_images(data.native(x))
        for reason in reasons if verbose else []:
            print(reason)
        return cls._of(made)

    @classmethod
    def read(cls: type[_Self], path: str | os.PathLike[str]) -> _Self:
        """The recipe in a file."""
        return cls._of(_faussaire.Recipe.read(path))

    def set(self: _Self, **keys: Any) -> _Self:
        """A changed recipe: `set(latent=64, train={"batch": 32})`; dotted keys by `set(**{"train.batch": 32})`."""
        return self._of(_changed(self._native, keys))

    def to_toml(self) -> str:
        """The file with every key."""
        return self._native.to_toml()

    def to_dict(self) -> dict[str, Any]:
        """All keys, in groups."""
        read: dict[str, Any] = json.loads(self._native.to_json())
        return read

    def __getitem__(self, key: str) -> Any:
        at: Any = self.to_dict()
        for part in _faussaire.Recipe.key(key).split("."):
            at = at[part]
        return at

    def __iter__(self) -> Iterator[str]:
        return _flat("", self.to_dict())

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipe) and self._native.same_as(other._native)

    def __hash__(self) -> int:
        return hash(self.to_toml())

    def __reduce__(self) -> Any:
        return Recipe, (self.to_toml(),)

    def __repr__(self) -> str:
        return self.to_toml()


def _layers(net: Any) -> list[str]:
    lines = net.get("layers", []) if isinstance(net, Mapping) else net or []
    from .layers import Layer

    return [line for layer in lines for line in (layer.lines() if isinstance(layer, Layer) else [layer])]


def _changed(native: _faussaire.Recipe, keys: Mapping[str, Any], above: str = "") -> _faussaire.Recipe:
    for key, value in keys.items():
        name = f"{above}{key}"
        if key in ("generator", "discriminator") and not isinstance(value, Mapping):
            value = {"layers": value}
        if isinstance(value, Mapping) and name in (
            "data",
            "labels",
            "generator",
            "discriminator",
            "train",
            "train.augment",
        ):
            native = _changed(native, value, f"{name}.")
            continue
        native = native.set(name, json.dumps(_layers(value) if key == "layers" else _plain(value)))
    return native


def _plain(value: Any) -> Any:
    """`value` for JSON: NumPy's numbers as Python's, an optimizer as its settings."""
    from .optimizers import Adam, settings

    if isinstance(value, Adam):
        return settings(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.item() if hasattr(value, "item") else value


def _flat(above: str, group: Mapping[str, Any]) -> Iterator[str]:
    for key, value in group.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(f"{above}{key}.", value)
        else:
            yield above + key

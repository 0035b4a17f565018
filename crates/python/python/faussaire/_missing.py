"""Names of Keras's that this package lacks: what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches


def missing(module: str, name: str, instead: Mapping[str, str], here: Iterable[str]) -> AttributeError:
    """The error for `name` that `module` lacks, which has the names of `here`."""
    if name.startswith("_"):
        return AttributeError(f"module {module!r} has no attribute {name!r}")
    names = sorted(known for known in here if known[:1].isupper() and known not in {"TYPE_CHECKING", "Any"})
    near = get_close_matches(name, names, 1)
    hint = instead.get(name) or (f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}")
    return AttributeError(f"{module} has no {name}\nhint: {hint}")

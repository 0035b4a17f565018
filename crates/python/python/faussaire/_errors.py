"""Errors: what happened, and what to do about it. The native module raises them with the library's own words."""

from __future__ import annotations

# What hints name by the library's items, and what that is here.
_WORDS = {
    "Trainer::at": "fit(run=FOLDER)",
    "Trainer::resume": "fit(run=FOLDER, resume=True)",
    "Sampler::open": "checkpoint=NAME",
    "Subject::open": "checkpoint=NAME",
    "Recipe::conditioned": "conditional=NAME",
    "Recipe::for_data": "faussaire.Recipe.auto(x)",
    "device::named": "device=NAME",
    "trainer::Options": "fit(epochs=, steps=, time=)",
    "judging::Options": "faussaire.judge",
    "judging::Options::against": "against=",
    "compare::Axis": "vary={KEY: [VALUE, ...]}",
    "Sampler::noise": "sampler.noise(n)",
    "Sampler::encode_label": "classes=",
    "Sampler::sample_labels": "classes=None",
    "Model::save": "model.save",
    "set_threads": "faussaire.set_threads",
}


def _in_python(text: str) -> str:
    for ours, here in _WORDS.items():
        text = text.replace(f"`{ours}`", f"`{here}`")
    return text


class FaussaireError(Exception):
    """What the library refuses or can't do: `what` happened, and a `hint` on what to do."""

    what: str
    hint: str

    def __init__(self, what: str, hint: str = "") -> None:
        self.what, self.hint = _in_python(what), _in_python(hint)
        super().__init__(self.what, self.hint)

    def __str__(self) -> str:
        return f"{self.what}\nhint: {self.hint}" if self.hint else self.what


class RecipeError(FaussaireError, ValueError):
    """An invalid recipe: a key, a layer, nets that don't fit."""


class UsageError(FaussaireError, ValueError):
    """An invalid request: an argument out of range, an array of another shape."""


class DataError(FaussaireError, ValueError):
    """An unusable data set."""


class RunError(FaussaireError, RuntimeError):
    """An unusable run folder or checkpoint."""


class Diverged(FaussaireError, ArithmeticError):
    """A loss is no longer finite; the weights are those before the step."""


class FileError(FaussaireError, OSError):
    """The system refused to read or write a file."""

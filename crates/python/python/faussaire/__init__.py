"""GANs on plain processors, with Keras's verbs on NumPy.

>>> import faussaire as fa
>>> gan = fa.GAN(preset="quick")
>>> history = gan.fit(fa.load_data("strokes"), epochs=1)
>>> images = gan.sample(10)
"""

from __future__ import annotations

from . import callbacks, datasets, initializers, layers, losses, models, optimizers, utils
from ._errors import DataError, Diverged, FaussaireError, FileError, RecipeError, RunError, UsageError
from ._faussaire import __version__, release_memory, set_threads
from .command import cli
from .comparison import Comparison, compare
from .data import Dataset, data_sets, load_data
from .exports import Exported, export
from .gan import DCGAN, GAN, WGANGP
from .history import Finding, History
from .judging import Judgement, Score, judge
from .layers import Input, Layer
from .model import Composed, Model, Sequential
from .optimizers import Adam
from .recipe import Recipe, presets
from .run import Run
from .sampler import Sampler
from .sheet import Sheet
from .studio_process import Studio, studio

__all__ = [
    "DCGAN",
    "GAN",
    "WGANGP",
    "Adam",
    "Comparison",
    "Composed",
    "DataError",
    "Dataset",
    "Diverged",
    "FaussaireError",
    "FileError",
    "Exported",
    "Finding",
    "History",
    "Input",
    "Judgement",
    "Layer",
    "Model",
    "Recipe",
    "RecipeError",
    "Run",
    "RunError",
    "Sampler",
    "Score",
    "Sequential",
    "Sheet",
    "Studio",
    "UsageError",
    "__version__",
    "callbacks",
    "cli",
    "compare",
    "data_sets",
    "datasets",
    "export",
    "initializers",
    "judge",
    "layers",
    "load_data",
    "losses",
    "models",
    "optimizers",
    "presets",
    "release_memory",
    "set_threads",
    "studio",
    "utils",
]

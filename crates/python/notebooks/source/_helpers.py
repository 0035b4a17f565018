# en: Checks and pictures, used below. Nothing to change here.
# fr: Vérifications et images, utilisées plus bas. Rien à modifier ici.
import math
import time

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from PIL import Image


class NotYet(Exception):
    # [en]
    """A step that isn't done, or not right. It is shown as one line."""

    # [fr]
    """Une étape qui n'est pas faite, ou pas juste. Elle s'affiche en une ligne."""
    # [all]

    def _render_traceback_(self):
        return [f"✗ {self}"]


def done(step, **values):
    for name, value in values.items():
        if value is ...:
            # [en]
            raise NotYet(f"step {step}: `{name}` is still `...`: write the line marked TO DO above")
            # [fr]
            raise NotYet(
                f"étape {step} : `{name}` vaut encore `...` : écrivez la ligne marquée À COMPLÉTER ci-dessus"
            )
            # [all]


def equal(what, found, expected, hint=""):
    if found != expected:
        # [en]
        raise NotYet(f"{what}: found {found}, expected {expected}. {hint}")
        # [fr]
        raise NotYet(f"{what} : obtenu {found}, attendu {expected}. {hint}")
        # [all]
    print("✓", what, found)


def near(what, found, expected, within, hint=""):
    if not abs(found - expected) <= within:
        # [en]
        raise NotYet(
            f"{what}: found {found:.3f}, expected {expected:.3f}, give or take {within}. {hint}"
        )
        # [fr]
        raise NotYet(
            f"{what} : obtenu {found:.3f}, attendu {expected:.3f}, à {within} près. {hint}"
        )
        # [all]
    print("✓", what, f"{found:.3f}")


def same(weights, others):
    return all(np.array_equal(a, b) for a, b in zip(weights, others))


def picture(images, columns=10, scale=2):
    # [en]
    """Images of values in [0, 1], side by side."""
    # [fr]
    """Des images à valeurs dans [0, 1], côte à côte."""
    # [all]
    images = np.clip(np.asarray(images), 0, 1)
    rows = math.ceil(len(images) / columns)
    blank = np.ones((rows * columns - len(images), *images.shape[1:]))
    tiles = np.pad(
        np.concatenate([images, blank]), ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=1
    )
    _, height, width, channels = tiles.shape
    sheet = tiles.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    sheet = np.uint8(255 * sheet.reshape(rows * height, columns * width, channels))
    drawn = Image.fromarray(sheet[..., 0] if channels == 1 else sheet)
    return drawn.resize((drawn.width * scale, drawn.height * scale), Image.Resampling.NEAREST)


def minutes(seconds):
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"

"""Arrays on their way to the native module, as bytes, and back, without a copy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ._errors import UsageError

F32: TypeAlias = NDArray[np.float32]

# Values that are looked at at a time.
_PART = 1 << 24


def array(x: Any) -> NDArray[Any]:
    """`x` as an array: an array, a list, or what other libraries call one (`__array__`, `__dlpack__`)."""
    if isinstance(x, np.ndarray):
        return x
    if hasattr(x, "detach"):  # a tensor of PyTorch that has a gradient is no array otherwise
        x = x.detach()
        if hasattr(x, "cpu"):
            x = x.cpu()
    if hasattr(x, "__dlpack__") and not hasattr(x, "__array__"):
        return np.from_dlpack(x)
    return np.asarray(x)


def numbers(x: Any, what: str) -> F32:
    """`x` as 32-bit floats in C order."""
    values = array(x)
    if values.dtype.kind not in "fiub":
        raise UsageError(f"{what} has values of type {values.dtype}, expected numbers", "convert it with astype(float)")
    return np.ascontiguousarray(values, dtype=np.float32)


def batch(x: Any, shape: tuple[int, ...], what: str) -> tuple[bytes, int]:
    """A batch of examples of `shape`, and their number."""
    values = numbers(x, what)
    grey = len(shape) == 3 and shape[2] == 1
    if values.ndim < 1 or values.shape[1:] not in ((shape, shape[:2]) if grey else (shape,)):
        hint = f"expected {('n', *shape)}, n examples".replace("'", "")
        if values.shape == shape:
            hint += ": one example is x[None]"
        elif len(shape) == 3 and values.shape[1:] == (shape[2], *shape[:2]):
            hint += ": channels come last, x.transpose(0, 2, 3, 1)"
        raise UsageError(f"{what} has the shape {values.shape}", hint)
    return values.tobytes(), len(values)


def rows(y: Any, n: int, width: int, what: str) -> bytes:
    """`n` rows of `width` values; class numbers become rows of zeros and a one."""
    values = array(y)
    if width > 1 and values.dtype.kind in "iu" and values.size == n and values.ndim <= 2:
        classes = values.reshape(n)
        if n and not 0 <= int(classes.min()) <= int(classes.max()) < width:
            raise UsageError(
                f"{what} has classes from {classes.min()} to {classes.max()}", f"expected 0 to {width - 1}"
            )
        one_hot: F32 = np.eye(width, dtype=np.float32)[classes]
        return one_hot.tobytes()
    if values.size != n * width or values.ndim == 0 or len(values) != n:
        raise UsageError(f"{what} has the shape {values.shape}", f"expected {(n, width) if width > 1 else (n,)}")
    return numbers(values, what).tobytes()


def from_bytes(buffer: bytearray, shape: Sequence[int]) -> F32:
    """The array in `buffer`, which it keeps."""
    return np.frombuffer(buffer, dtype=np.float32).reshape(shape)


def images(x: Any) -> tuple[NDArray[Any], tuple[int, int, int]]:
    """Images as bytes (0 to 255) or 32-bit floats (0 to 1), in C order, and the shape of one.

    Floats that are bytes over 255, as notebooks make them, become these bytes again: they take a quarter of the memory.
    """
    values = array(x)
    if values.dtype.kind not in "fiub":
        raise UsageError(
            f"the images have values of type {values.dtype}", "expected uint8 (0 to 255) or floats (0 to 1)"
        )
    shape = _image_shape(values.shape)
    if values.size == 0:
        raise UsageError(f"there are no images in an array of the shape {values.shape}", "expected at least one")
    if values.dtype.kind == "b":
        return np.ascontiguousarray(values).view(np.uint8) * np.uint8(255), shape
    if values.dtype.kind in "iu":
        least, most = int(values.min()), int(values.max())
        if least < 0 or most > 255:
            raise UsageError(
                f"the images have whole values from {least} to {most}", "expected 0 to 255, or floats from 0 to 1"
            )
        return np.ascontiguousarray(values, dtype=np.uint8), shape
    exact = _exact_bytes(values)
    if exact is not None:
        return exact, shape
    low, high = float(values.min()), float(values.max())
    if math.isnan(low):
        raise UsageError("the images have values that are not numbers (NaN)", "find them with numpy.isnan")
    if not 0.0 <= low <= high <= 1.0:
        if low >= -1.0 and high <= 1.0:
            hint = "expected 0 to 1: (x + 1) / 2; the generator's last layer says how they are given to the nets"
        else:
            hint = "expected 0 to 1: x / 255, or the bytes as they are: x.astype('uint8')"
        raise UsageError(f"the images have values from {low:g} to {high:g}", hint)
    return np.ascontiguousarray(values, dtype=np.float32), shape


def _exact_bytes(values: NDArray[Any]) -> NDArray[np.uint8] | None:
    """The bytes that over 255 are `values` exactly; None where there are none."""
    out = np.empty(values.shape, dtype=np.uint8)
    per_image = max(values[0].size, 1)
    step = max(_PART // per_image, 1)
    for start in range(0, len(values), step):
        part = values[start : start + step]
        with np.errstate(invalid="ignore"):
            whole = np.rint(part * part.dtype.type(255))
            if not ((whole >= 0) & (whole <= 255)).all():
                return None
        if not np.array_equal((whole / part.dtype.type(255)).astype(part.dtype), part):
            return None
        out[start : start + step] = whole
    return out


def _image_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    match shape:
        case (_, h, w, c) if c in (1, 3, 4):
            return h, w, c
        case (_, c, h, w) if c in (1, 3, 4):
            raise UsageError(f"the images have the shape {shape}", "channels come last: x.transpose(0, 2, 3, 1)")
        case (_, h, w):
            return h, w, 1
        case (_, size) if math.isqrt(size) ** 2 == size and size > 0:
            return math.isqrt(size), math.isqrt(size), 1
    hint = "expected (n, height, width), (n, height, width, channels) or, of square grey images, (n, height * width)"
    raise UsageError(f"the images have the shape {shape}", hint)


def classes(y: Any, n: int) -> tuple[list[int], list[str] | None]:
    """The class of each of `n` images, and the classes' names where `y` has them."""
    values = array(y)
    if values.ndim == 2 and values.shape[1] > 1:
        hot = (values == 1).sum(axis=1) + (values != 0).sum(axis=1)
        if not (hot == 2).all():
            raise UsageError(
                f"the labels have the shape {values.shape}", "expected a class for each image, or rows with a one"
            )
        values = values.argmax(axis=1)
    if values.size != n:
        raise UsageError(f"{n} images, but {values.size} labels", "give one label for each image")
    values = values.reshape(n)
    if values.dtype.kind in "US":
        names, places = np.unique(values.astype(str), return_inverse=True)
        return places.reshape(n).tolist(), names.tolist()
    if values.dtype.kind == "f" and (values == np.rint(values)).all():
        values = values.astype(np.int64)
    if values.dtype.kind not in "iub" or values.min() < 0:
        raise UsageError(
            f"the labels are {values.dtype} from {values.min()}", "expected whole numbers from 0, or names"
        )
    return values.astype(np.int64).tolist(), None

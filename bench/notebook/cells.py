"""What the labs of this folder share: a clock of cells that starts with the process, the images, a picture, the report.

The lab's numbers: codes of 32, batches of 64, Adam 2e-4 with beta1 0.5, the nets of the recipe `tp`.
"""

import argparse
import gzip
import json
import os
import struct
import time
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np

LATENT, BATCH, RATE, BETA = 32, 64, 2e-4, 0.5
PARAMETERS = (1770625, 660929)  # of G and D, in all


class Clock:
    """Seconds per cell, and since the process was started at the time that its parent gives in LAB_STARTED."""

    def __init__(self):
        self.started = float(os.environ.get("LAB_STARTED", time.time()))
        self.cells, self.at = {"start of Python": time.time() - self.started}, {}

    @contextmanager
    def cell(self, name):
        began = time.perf_counter()
        yield
        self.cells[name] = self.cells.get(name, 0.0) + time.perf_counter() - began

    def mark(self, name):
        """Notes when this was reached first."""
        self.at.setdefault(name, time.time() - self.started)

    def report(self, **more):
        """Prints the one line of JSON."""
        rounded = {name: round(seconds, 3) for name, seconds in self.cells.items()}
        at = {name: round(seconds, 3) for name, seconds in self.at.items()}
        print(json.dumps({"cells": rounded, "at": at, "total_s": round(time.time() - self.started, 3), **more}))


def parse(description, *choices):
    """The command line; `choices` are further arguments, as (name, settings)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help="folder with train-images-idx3-ubyte.gz")
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    for name, settings in choices:
        parser.add_argument(name, **settings)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)  # read when the framework is imported
    return arguments


def mnist(folder, count):
    """The first images: float32, [n, 28, 28, 1], in [0, 1]."""
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(16 + 784 * count), np.uint8, offset=16)
    return pixels.reshape(-1, 28, 28, 1).astype("float32") / 255


def train(clock, epochs, x_train, step, draw, random):
    """The lab's loop, timed: a picture, one step, then every epoch's steps with a picture after them.

    `step(reals)` updates D and G and returns their losses, `draw()` writes a picture. Returns the last losses.
    """
    with clock.cell("step 6: the first picture"):
        draw()
    clock.mark("first picture")
    with clock.cell("steps 5 to 10, once"):
        losses = step(x_train[:BATCH])
    assert 0.4 < losses[0] < 1.0, losses
    for epoch in range(1, epochs + 1):
        with clock.cell("the loop"):
            order = random.permutation(len(x_train))
            for start in range(0, len(x_train) - BATCH + 1, BATCH):
                losses = step(x_train[order[start : start + BATCH]])
        with clock.cell("a picture per epoch"):
            draw()
        clock.mark(f"picture of epoch {epoch}")
    return losses


def picture(images, name="strip.png"):
    """Writes images of values in [0, 1], [n, 28, 28, 1], side by side to a PNG file."""
    strip = np.hstack(np.uint8(np.clip(255 * np.asarray(images)[..., 0], 0, 255)))
    lines = b"".join(b"\0" + line.tobytes() for line in strip)
    height, width = strip.shape

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b""))
    Path(name).write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))

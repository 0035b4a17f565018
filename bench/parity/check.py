"""A second opinion on numbers/*.json from numpy alone: what D says, and D's loss, before any update.

Every layer is written straight from its definition, in float64 and loops over kernel taps, so it shares
no code with Keras. It covers padding, transposed convolutions, upsampling, BatchNorm by moving statistics
and the seed rules; what follows (gradients, Adam) is Keras' word alone.
"""

import json

import numpy as np

from cases import CASES, kernel, latents, real_images


def same_padding(n, k, s):
    """Pixels before and after, and the output size; the odd pixel goes to the end."""
    out = -(-n // s)
    total = max((out - 1) * s + k - n, 0)
    return total // 2, total - total // 2, out


def conv(x, w, s):
    (top, bottom, height), (left, right, width) = (same_padding(x.shape[a], w.shape[a - 1], s) for a in (1, 2))
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    out = np.zeros((len(x), height, width, w.shape[3]))
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            out += x[:, i : i + s * height : s, j : j + s * width : s][:, :height, :width] @ w[i, j]
    return out


def conv_transpose(x, w, s):
    """The input gradient of `conv` on an image s times as large: scatter every tap, then cut the padding off."""
    b, h, v, _ = x.shape
    (top, bottom, _), (left, right, _) = (same_padding(n * s, k, s) for n, k in ((h, w.shape[0]), (v, w.shape[1])))
    out = np.zeros((b, h * s + top + bottom, v * s + left + right, w.shape[2]))
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            out[:, i : i + s * h : s, j : j + s * v : s][:, :h, :v] += x @ w[i, j].T
    return out[:, top : top + h * s, left : left + v * s]


class Net:
    """One net in inference mode with its initial weights; `k` is the number of its first weight tensor."""

    def __init__(self, case, lines, k):
        self.case, self.lines, self.k = case, lines, k

    def forward(self, x):
        """Returns the output, and the parameters met on the way as [total, trainable]."""
        self.next, self.count = self.k, np.array([0, 0])
        for line in self.lines:
            x = self.layer(line.split(), x)
        return x

    def weight(self, shape, outputs):
        w = kernel(self.case, self.next, shape).astype(np.float64)
        self.next += 1
        self.count += w.size + outputs  # the bias is 0
        return w

    def layer(self, words, x):
        kind, channels = words[0], x.shape[-1]
        stride = int(words[4]) if len(words) == 5 else 1
        if kind == "dense":
            outputs = int(np.prod([int(n) for n in words[1].split("*")]))
            return x @ self.weight((channels, outputs), outputs)
        if kind in ("conv", "convtranspose"):
            outputs, size = int(words[1]), tuple(int(n) for n in words[2].split("x"))
            if kind == "conv":
                return conv(x, self.weight((*size, channels, outputs), outputs), stride)
            return conv_transpose(x, self.weight((*size, outputs, channels), outputs), stride)
        if kind == "batchnorm":
            self.count += [4 * channels, 2 * channels]
            return x / np.sqrt(1 + 0.001)  # gamma 1, beta 0, mean 0, variance 1
        return {
            "reshape": lambda: x.reshape(len(x), *(int(n) for n in words[1:])),
            "flatten": lambda: x.reshape(len(x), -1),
            "upsample": lambda: x.repeat(int(words[1]), 1).repeat(int(words[1]), 2),
            "relu": lambda: np.maximum(x, 0),
            "leakyrelu": lambda: np.where(x > 0, x, x * float(words[1])),
            "dropout": lambda: x,
            "sigmoid": lambda: 1 / (1 + np.exp(-x)),
        }[kind]()


def check(case, stored):
    """Largest difference of D's outputs, difference of the first D loss, and whether the counts agree."""
    generator = Net(case, case.generator, 0)
    fake = generator.forward(latents(case, 0, "d").astype(np.float64))
    discriminator = Net(case, case.discriminator, generator.next)
    scores = discriminator.forward(np.concatenate([real_images(case, 0), fake]))[:, 0]
    first = stored["steps"][0]
    real, fake = scores[: case.batch], scores[case.batch :]
    loss = -np.concatenate([np.log(real), np.log(1 - fake)]).mean()
    counts = {"generator": generator.count.tolist(), "discriminator": discriminator.count.tolist()}
    difference = np.abs(scores - np.array(first["d_real"] + first["d_fake"])).max()
    return difference, abs(loss - first["d_loss"]), counts == stored["parameters"]


def check_all(folder):
    """Print a line per case; 0 if all agree within float32 rounding, else 1."""
    status = 0
    for case in (case for case in CASES if case.step == "lab"):
        outputs, loss, counts = check(case, json.loads((folder / f"{case.name}.json").read_text()))
        good = outputs < 1e-5 and loss < 1e-5 and counts
        words = "equal" if counts else "DIFFER", "ok" if good else "WRONG"
        print(f"{case.name}: outputs {outputs:.1e}, first d_loss {loss:.1e}, counts {words[0]}: {words[1]}")
        status |= not good
    return status

"""The nets of a recipe in PyTorch, in double precision: the layer lines, and every number that goes in.

Weights have Keras's layouts and images are channels-last, as in Faussaire; inside, images are NCHW for PyTorch's own
functions, which do the work wherever there is one. A vector is a tensor [batch, features].
"""

import numpy as np
import torch
import torch.nn.functional as F


def uniform(seed, count):
    """splitmix64's top 24 bits as numbers in [0, 1)."""
    mask = (1 << 64) - 1
    state, numbers = seed, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        z ^= z >> 31
        numbers.append((z >> 40) / 16777216.0)
    return np.array(numbers)


def signed(seed, shape):
    return torch.tensor((2 * uniform(seed, int(np.prod(shape))) - 1).reshape(shape))


def single(value):
    """A setting as Faussaire reads it: in single precision."""
    return float(np.float32(value))


def labels_of(batch, labels):
    """One label each, but the first image has two and the third none."""
    given = np.zeros((batch, labels))
    for i in range(batch):
        if i != 2 and labels > 0:
            given[i, i % labels] = 1
    if labels > 1:
        given[0, 1] = 1
    return torch.tensor(given)


class Net:
    """Layers read off `lines`; `weights` holds (name, tensor) in Faussaire's order."""

    def __init__(self, lines, shape, labels):
        self.lines, self.labels, self.weights, self.plan = lines, labels, [], []
        opened, shape = [], tuple(shape)
        for index, line in enumerate(lines):
            word, *rest = line.split()
            start = len(self.weights)
            before = shape
            if word == "residual":
                opened.append(shape)
            elif word == "add":
                before = opened.pop()
            shape = self.place(f"discriminator.{index}.{word}", word, rest, before, shape)
            self.plan.append((word, rest, range(start, len(self.weights))))

    def weight(self, prefix, name, shape):
        centre = 1.0 if name in ("gamma", "variance") else 0.0
        k = len(self.weights)
        values = (centre + 0.5 * signed(1000 + k, shape)).to(torch.float32).to(torch.float64)
        self.weights.append((f"{prefix}.{name}", values))

    def place(self, prefix, word, rest, before, shape):
        """Adds the layer's weights; returns the shape after it."""
        weight = lambda name, *dims: self.weight(prefix, name, dims)
        c = shape[-1]
        if word == "dense":
            weight("weight", c, int(rest[0]))
            weight("bias", int(rest[0]))
            return (*shape[:-1], int(rest[0]))
        if word == "conv":
            filters, (kh, kw), stride = int(rest[0]), pair(rest[1]), stride_of(rest)
            weight("weight", kh, kw, c, filters)
            weight("bias", filters)
            return (-(-shape[0] // stride[0]), -(-shape[1] // stride[1]), filters)
        if word in ("groupnorm", "layernorm", "instancenorm"):
            weight("gamma", c)
            weight("beta", c)
        elif word == "conditionalbatchnorm":
            weight("gamma", self.labels, c)
            weight("beta", self.labels, c)
            weight("mean", c)
            weight("variance", c)
        elif word == "attention":
            for name, dims in (
                ("query", (c, c // 8)),
                ("key", (c, c // 8)),
                ("value", (c, c // 2)),
                ("output", (c // 2, c)),
            ):
                weight(name, *dims)
            weight("gamma", 1)
        elif word == "projection":
            weight("weight", c, 1)
            weight("bias", 1)
            weight("table", self.labels, c)
            return (1,)
        elif word == "add" and before[-1] != c:
            weight("weight", before[-1], c)
        elif word == "flatten":
            return (int(np.prod(shape)),)
        elif word == "globalpool":
            return (c,)
        elif word == "avgpool":
            return (shape[0] // int(rest[0]), shape[1] // int(rest[0]), c)
        elif word == "upsample":
            return (shape[0] * int(rest[0]), shape[1] * int(rest[0]), c)
        elif word == "pixelshuffle":
            r = int(rest[0])
            return (shape[0] * r, shape[1] * r, c // r**2)
        elif word == "crop":
            return (int(rest[0]), int(rest[1]), c)
        elif word == "minibatchstd":
            return (*shape[:-1], c + 1)
        return shape

    def __call__(self, x, given, train):
        """The output for `x`, channels-last; a final sigmoid is left out."""
        x = x.permute(0, 3, 1, 2) if x.dim() == 4 else x
        opened = []
        for number, (word, rest, indices) in enumerate(self.plan):
            w = [self.weights[i][1] for i in indices]
            if word == "residual":
                opened.append(x)
            elif word == "add":
                x = x + shortcut(opened.pop(), x, w)
            elif not (word == "sigmoid" and number == len(self.plan) - 1):
                x = apply(word, rest, x, w, given, train)
        return x.permute(0, 2, 3, 1) if x.dim() == 4 else x


def pair(word):
    sides = [int(n) for n in word.split("x")]
    return (sides[0], sides[-1])


def stride_of(rest):
    return pair(rest[rest.index("stride") + 1]) if "stride" in rest else (1, 1)


def option(rest, name, default):
    return single(rest[rest.index(name) + 1] if name in rest else default)


def channels(x, row):
    """A row of channels, to multiply or add to `x`."""
    return row.reshape(1, -1, *[1] * (x.dim() - 2))


def conv(x, rest, weight, bias):
    (kh, kw), (sh, sw) = pair(rest[1]), stride_of(rest)
    pad = []
    for n, k, s in ((x.shape[3], kw, sw), (x.shape[2], kh, sh)):
        total = max((-(-n // s) - 1) * s + k - n, 0)
        pad += [total // 2, total - total // 2]
    return F.conv2d(F.pad(x, pad), weight.permute(3, 2, 0, 1), bias, stride=(sh, sw))


def shortcut(x, branch, w):
    down = x.shape[2] // branch.shape[2]
    if down > 1:
        x = F.avg_pool2d(x, down)
    if w:
        x = F.conv2d(x, w[0].t()[:, :, None, None])
    up = branch.shape[2] // x.shape[2]
    return F.interpolate(x, scale_factor=up) if up > 1 else x


def minibatch_std(x, size, epsilon):
    groups = max(len(x) // size, 1)
    bounds = [size * i for i in range(groups)] + [len(x)]
    parts = []
    for start, end in zip(bounds, bounds[1:]):
        deviation = torch.sqrt(torch.var(x[start:end], dim=0, unbiased=False) + epsilon).mean()
        parts.append(deviation.expand(end - start, 1, *x.shape[2:]))
    return torch.cat([x, torch.cat(parts)], dim=1)


def conditional_batchnorm(x, rest, w, given, train):
    gamma, beta, mean, variance = w
    # A row of shares per image: its labels', or everybody's where it has none.
    held = torch.where(given.sum(1, keepdim=True) == 0, torch.ones_like(given), given)
    shares = held / held.sum(1, keepdim=True)
    y = F.batch_norm(x, mean.clone(), variance.clone(), training=train, eps=option(rest, "epsilon", 1e-3))
    row = lambda table: (shares @ table).reshape(len(x), -1, *[1] * (x.dim() - 2))
    return y * row(gamma) + row(beta)


def attention(x, w):
    batch, c, height, width = x.shape
    pixels = x.flatten(2).transpose(1, 2)
    query, key, value = (pixels @ w[i] for i in range(3))
    seen = torch.softmax(query @ key.transpose(1, 2), dim=2) @ value
    return x + w[4] * (seen @ w[3]).transpose(1, 2).reshape(batch, c, height, width)


def apply(word, rest, x, w, given, train):
    number = lambda: int(rest[0])
    match word:
        case "conv":
            return conv(x, rest, *w)
        case "dense":
            return x @ w[0] + w[1]
        case "flatten":
            return x.permute(0, 2, 3, 1).flatten(1)
        case "leakyrelu":
            return F.leaky_relu(x, single(rest[0] if rest else 0.3))
        case "relu" | "tanh" | "sigmoid":
            return getattr(torch, word)(x)
        case "avgpool":
            return F.avg_pool2d(x, number())
        case "globalpool":
            return x.sum((2, 3)) if "sum" in rest else x.mean((2, 3))
        case "upsample" if "bilinear" in rest:
            return F.interpolate(x, scale_factor=number(), mode="bilinear", align_corners=False)
        case "upsample":
            return F.interpolate(x, scale_factor=number())
        case "pixelshuffle":
            return F.pixel_shuffle(x, number())
        case "crop":
            h, w = map(int, rest)
            top, left = (x.shape[2] - h) // 2, (x.shape[3] - w) // 2
            return x[:, :, top : top + h, left : left + w]
        case "instancenorm":
            return F.instance_norm(x, weight=w[0], bias=w[1], eps=option(rest, "epsilon", 1e-5))
        case "groupnorm":
            return F.group_norm(x, number(), w[0], w[1], option(rest, "epsilon", 1e-5))
        case "layernorm":
            y = F.layer_norm(x, x.shape[1:], eps=option(rest, "epsilon", 1e-5))
            return y * channels(x, w[0]) + channels(x, w[1])
        case "pixelnorm":
            return x / torch.sqrt((x**2).mean(1, keepdim=True) + option(rest, "epsilon", 1e-8))
        case "minibatchstd":
            size = int(rest[0]) if rest and rest[0].isdigit() else 4
            return minibatch_std(x, size, option(rest, "epsilon", 1e-8))
        case "conditionalbatchnorm":
            return conditional_batchnorm(x, rest, w, given, train)
        case "attention":
            return attention(x, w)
        case "projection":
            return x @ w[0] + w[1] + (x * (given @ w[2])).sum(1, keepdim=True)
    raise ValueError(f"no layer {word}")

"""Gradient penalties and their gradients by PyTorch's double backward, so that Faussaire's can be held to them.

    python reference.py [FILE]    write FILE (default: reference.json beside this script); double precision throughout

The numbers that go in come from a formula (../layers/net.py): real images from seed 1, generated ones from seed 3, the
interpolation weights from seed 4, weight number k from seed 1000 + k. With g the gradient of the sum of the scores with
respect to the images:

    r1       5 * mean |g|^2 on the real images (gamma = 10)
    r2       the same on the generated ones
    wgan-gp  10 * mean (|g| - 1)^2 on a * real + (1 - a) * generated, one a per image
"""

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "layers"))
from net import Net, labels_of, signed, uniform  # noqa: E402

BATCH = 6
SHAPE = (8, 8, 2)
CRITICS = {
    "leakyrelu": ("conv 4 4x4 stride 2 | leakyrelu 0.2 | conv 5 4x4 stride 2 | leakyrelu 0.2 | flatten | dense 1", 0),
    "layernorm": (
        "conv 4 4x4 stride 2 | leakyrelu 0.2 | conv 5 4x4 stride 2 | layernorm | leakyrelu 0.2 | flatten | dense 1",
        0,
    ),
    "instancenorm": (
        "conv 4 4x4 stride 2 | instancenorm | leakyrelu 0.2 | conv 5 4x4 stride 2 | leakyrelu 0.2 | flatten | dense 1",
        0,
    ),
    "groupnorm": (
        "conv 4 4x4 stride 2 | groupnorm 2 | leakyrelu 0.2 | conv 6 4x4 stride 2 | groupnorm 3 | tanh | flatten | dense 1",
        0,
    ),
    "tanh": ("conv 4 4x4 stride 2 | tanh | conv 5 4x4 stride 2 | tanh | flatten | dense 1 | sigmoid", 0),
    "residual": (
        "residual | conv 4 3x3 | leakyrelu 0.2 | conv 4 3x3 | avgpool 2 | add | residual | leakyrelu 0.2 | conv 4 3x3 | add | leakyrelu 0.2 | globalpool sum | dense 1",
        0,
    ),
    "attention": (
        "conv 8 4x4 stride 2 | leakyrelu 0.2 | attention | conv 5 4x4 stride 2 | leakyrelu 0.2 | flatten | dense 1",
        0,
    ),
    "minibatchstd": (
        "conv 4 4x4 stride 2 | leakyrelu 0.2 | minibatchstd 3 | conv 5 4x4 stride 2 | leakyrelu 0.2 | flatten | dense 1",
        0,
    ),
    "projection": ("conv 4 4x4 stride 2 | leakyrelu 0.2 | conv 5 4x4 stride 2 | tanh | flatten | projection", 3),
}


def images():
    real, fake = signed(1, (BATCH, *SHAPE)), signed(3, (BATCH, *SHAPE))
    a = torch.tensor(uniform(4, BATCH)).reshape(-1, 1, 1, 1)
    return {"r1": real, "r2": fake, "wgan-gp": a * real + (1 - a) * fake}


def penalty(kind, net, x, labels):
    x = x.clone().requires_grad_()
    scores = net(x, labels_of(BATCH, labels), True)
    (g,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    length2 = g.reshape(BATCH, -1).pow(2).sum(1)
    if kind == "wgan-gp":
        return 10 * (length2.sqrt() - 1).pow(2).mean()
    return 5 * length2.mean()


def listed(gradient, weight):
    """A gradient's values, 0 where there is none, to 11 digits."""
    whole = torch.zeros_like(weight) if gradient is None else gradient
    return [float(f"{v:.11g}") for v in whole.reshape(-1).tolist()]


def main():
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("reference.json")
    cases = []
    for name, (lines, labels) in CRITICS.items():
        net = Net([line.strip() for line in lines.split("|")], SHAPE, labels)
        leaves = {weight: w.requires_grad_() for weight, w in net.weights}
        for kind, x in images().items():
            value = penalty(kind, net, x, labels)
            gradients = torch.autograd.grad(value, list(leaves.values()), allow_unused=True)
            cases.append(
                {
                    "critic": name,
                    "lines": lines,
                    "labels": labels,
                    "penalty": kind,
                    "value": value.item(),
                    "gradients": {weight: listed(g, w) for (weight, w), g in zip(leaves.items(), gradients)},
                }
            )
    header = {"torch": torch.__version__.split("+")[0], "batch": BATCH, "input": SHAPE}
    text = ",\n".join(json.dumps(c) for c in cases)
    file.write_text(json.dumps(header)[:-1] + ', "cases": [\n' + text + "\n]}\n")


main()

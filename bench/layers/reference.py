"""What PyTorch makes of each layer and of its gradients, written down so that Faussaire's can be held to it.

    python reference.py [FILE]    write FILE (default: reference.json beside this script); double precision throughout

The numbers that go in come from a formula (net.py): x from seed 1, the gradient of the loss with respect to the output
from seed 9, weight number k from seed 1000 + k.
"""

import json
import sys
from pathlib import Path

import torch

from net import Net, labels_of, signed

BATCH = 7
CASES = [  # layers, input, labels
    ("avgpool 2", (4, 6, 3), 0),
    ("globalpool", (3, 4, 5), 0),
    ("globalpool sum", (3, 4, 5), 0),
    ("upsample 2 bilinear", (3, 2, 2), 0),
    ("upsample 3 bilinear", (2, 1, 3), 0),
    ("upsample 2 bilinear | conv 2 3x3", (3, 2, 2), 0),
    ("pixelshuffle 2", (2, 3, 8), 0),
    ("pixelshuffle 3", (1, 2, 9), 0),
    ("crop 3 2", (5, 4, 3), 0),
    ("crop 1 3", (4, 3, 2), 0),
    ("instancenorm", (4, 3, 5), 0),
    ("layernorm", (4, 3, 5), 0),
    ("layernorm", (6,), 0),
    ("groupnorm 3", (4, 3, 6), 0),
    ("groupnorm 2 epsilon 0.1 | leakyrelu 0.2", (2, 3, 4), 0),
    ("pixelnorm", (2, 3, 5), 0),
    ("minibatchstd", (2, 3, 3), 0),
    ("minibatchstd 3 epsilon 0.01", (2, 3, 3), 0),
    ("minibatchstd 8", (5,), 0),
    ("conditionalbatchnorm", (2, 3, 4), 3),
    ("conditionalbatchnorm | relu", (5,), 3),
    ("attention", (3, 4, 9), 0),
]


def case(lines, shape, labels, train):
    net = Net([line.strip() for line in lines.split("|")], shape, labels)
    x = signed(1, (BATCH, *shape)).requires_grad_()
    leaves = {name: w.requires_grad_() for name, w in net.weights if not name.endswith((".mean", ".variance"))}
    y = net(x, labels_of(BATCH, labels), train)
    gradients = torch.autograd.grad((y * signed(9, tuple(y.shape))).sum(), [x, *leaves.values()])
    flat = lambda t: [float(f"{v:.11g}") for v in t.detach().reshape(-1).tolist()]
    return {
        "lines": lines,
        "input": shape,
        "labels": labels,
        "train": train,
        "output": flat(y),
        "gradients": {name: flat(g) for name, g in zip(["x", *leaves], gradients)},
    }


def main():
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("reference.json")
    cases = []
    for lines, shape, labels in CASES:
        modes = (True, False) if "batchnorm" in lines else (True,)
        cases += [case(lines, shape, labels, train) for train in modes]
    header = {"torch": torch.__version__.split("+")[0], "batch": BATCH}
    text = ",\n".join(json.dumps(c) for c in cases)
    file.write_text(json.dumps(header)[:-1] + ', "cases": [\n' + text + "\n]}\n")


main()

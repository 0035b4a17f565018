"""The lab's ten steps, cell by cell, in PyTorch as one writes them there: a loop over both halves of the step.

python torch_lab.py --data MNIST [--images 6000] [--epochs 3] [--threads 2] [--channels-last]
"""

import sys
from pathlib import Path

import numpy as np

from cells import BATCH, BETA, LATENT, PARAMETERS, RATE, Clock, mnist, parse, picture, train

CLOCK = Clock()
ARGUMENTS = parse(
    __doc__.splitlines()[0],
    ("--channels-last", {"action": "store_true", "help": "memory format of images and kernels"}),
)

with CLOCK.cell("import"):
    import torch
    from torch import nn

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))
    from torch_nets import discriminator, generator

    torch.set_num_threads(ARGUMENTS.threads)


def main():
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    with CLOCK.cell("data"):
        x_train = torch.from_numpy(mnist(ARGUMENTS.data, ARGUMENTS.images)).permute(0, 3, 1, 2).contiguous()
    with CLOCK.cell("steps 1, 2: build"):
        g, d = generator("tp"), discriminator("tp")
        counts = [sum(t.numel() for t in net.state_dict().values() if t.dim()) for net in (g, d)]
        assert tuple(counts) == PARAMETERS
        if ARGUMENTS.channels_last:
            g, d = (net.to(memory_format=torch.channels_last) for net in (g, d))
            x_train = x_train.to(memory_format=torch.channels_last)
    with CLOCK.cell("steps 3, 4: compile, compose"):
        g_adam, d_adam = (torch.optim.Adam(net.parameters(), lr=RATE, betas=(BETA, 0.999), eps=1e-7) for net in (g, d))
        cross_entropy = nn.BCEWithLogitsLoss()
    ones = torch.ones(BATCH, 1)
    labels = torch.cat([ones, 0 * ones])
    fixed = torch.randn(10, LATENT)

    def drawn():
        g.eval()
        with torch.no_grad():
            images = g(fixed)
        g.train()
        picture(images.permute(0, 2, 3, 1).numpy())

    def step(reals):
        g.eval()
        with torch.no_grad():
            fakes = g(torch.randn(BATCH, LATENT))
        g.train()
        d.requires_grad_(True)
        d_adam.zero_grad()
        d_loss = cross_entropy(d(torch.cat([reals, fakes])), labels)
        d_loss.backward()
        d_adam.step()
        d.requires_grad_(False)
        g_adam.zero_grad()
        g_loss = cross_entropy(d(g(torch.randn(BATCH, LATENT))), ones)
        g_loss.backward()
        g_adam.step()
        return float(d_loss), float(g_loss)

    d_loss, g_loss = train(CLOCK, ARGUMENTS.epochs, x_train, step, drawn, random)
    CLOCK.report(d_loss=round(d_loss, 4), g_loss=round(g_loss, 4), versions={"torch": torch.__version__})


if __name__ == "__main__":
    main()

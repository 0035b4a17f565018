"""Train `tp` or `fidle` on MNIST in PyTorch exactly as the preset does, and leave 10,000 images for `faussaire judge`.

    python torch_gan.py --net tp --data DIR -o OUT [--seed 0] [--epochs 3] [--threads 2]

Same nets, first weights (Glorot uniform, biases zero), Adam, batch, loss, steps, mixed batch of real and generated
images, and averaged generator as Faussaire's recipe. Leaves OUT/last.npy (the generator as it stands) and
OUT/average.npy (the averaged one, BatchNorm's statistics measured for it), both uint8 [10000, 28, 28]. OUT/state.pt is
written every few minutes: run again after an interruption, it goes on. DIR holds MNIST's idx files, gzipped.
"""

import argparse
import copy
import gzip
import json
import os
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--net", choices=("fidle", "tp"), required=True)
parser.add_argument("--data", type=Path, required=True)
parser.add_argument("-o", type=Path, required=True, dest="out")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--threads", type=int, default=2)
A = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(A.threads)  # read when torch is imported
sys.path.insert(0, str(Path(__file__).parent.parent / "peers"))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

from torch_nets import LATENT, discriminator, generator  # noqa: E402

# What the presets say.
RECIPE = {
    "tp": {"batch": 64, "g_rate": 2e-4, "d_rate": 2e-4, "average": 0.999},
    "fidle": {"batch": 32, "g_rate": 4e-4, "d_rate": 1e-4, "average": 0.995},
}[A.net]
SAVE_EVERY_S = 180


def images():
    with gzip.open(A.data / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16)
    return torch.from_numpy(pixels.reshape(-1, 1, 28, 28).astype(np.float32) / 255)


def keras_start(net):
    for module in net.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)


def adam(net, rate):
    return torch.optim.Adam(net.parameters(), lr=rate, betas=(0.5, 0.999), eps=1e-7, fused=True)


@torch.no_grad()
def averaged(average, g, step):
    """As train/average.rs: the decay grows with the steps, up to the recipe's."""
    decay = min(RECIPE["average"], (1 + step) / (10 + step))
    for slow, fast in zip(average.parameters(), g.parameters()):
        slow.lerp_(fast, 1 - decay)


@torch.no_grad()
def settle(average):
    """BatchNorm's statistics for the averaged weights: the mean of four batches of noise."""
    average.train()
    norms = [m for m in average.modules() if isinstance(m, nn.BatchNorm2d)]
    for i in range(4 if norms else 0):
        for m in norms:
            m.momentum = 1 / (i + 1)
        average(torch.randn(64, LATENT[A.net]))


@torch.no_grad()
def write(net, path, n=10_000):
    net.eval()
    made = [net(torch.randn(250, LATENT[A.net])) for _ in range(n // 250)]
    pixels = (torch.cat(made).squeeze(1).clamp(0, 1) * 255).round().to(torch.uint8)
    np.save(path, pixels.numpy())


def main():
    torch.set_num_threads(A.threads)
    torch.manual_seed(A.seed)
    A.out.mkdir(parents=True, exist_ok=True)
    real, m = images(), RECIPE["batch"]
    g, d = generator(A.net), discriminator(A.net)
    for net in (g, d):
        keras_start(net)
        net.to(memory_format=torch.channels_last)
    average = copy.deepcopy(g)
    g_adam, d_adam = adam(g, RECIPE["g_rate"]), adam(d, RECIPE["d_rate"])
    loss = nn.BCEWithLogitsLoss()
    ones = torch.ones(m, 1)
    labels = torch.cat([ones, 0 * ones])
    parts = {"g": g, "d": d, "average": average, "g_adam": g_adam, "d_adam": d_adam}
    per_epoch = len(real) // m
    step, seconds = 0, 0.0
    if (A.out / "state.pt").exists():
        state = torch.load(A.out / "state.pt")
        step, seconds = state["step"], state["seconds"]
        torch.set_rng_state(state["random"])
        for name, part in parts.items():
            part.load_state_dict(state[name])

    start = saved = time.monotonic()
    while step < per_epoch * A.epochs:
        order = torch.randperm(len(real), generator=torch.Generator().manual_seed(A.seed * 1000 + step // per_epoch))
        rows = order[step % per_epoch * m :][:m]
        x = real[rows].to(memory_format=torch.channels_last)
        # D: fakes by batch statistics that leave the moving ones alone, as Faussaire's default.
        g.train()
        moving = [b.clone() for b in g.buffers()]
        with torch.no_grad():
            fake = g(torch.randn(m, LATENT[A.net]))
            for buffer, before in zip(g.buffers(), moving):
                buffer.copy_(before)
        d.train()
        d.requires_grad_(True)
        d_adam.zero_grad()
        d_loss = loss(d(torch.cat([x, fake])), labels)
        d_loss.backward()
        d_adam.step()
        # G, through D's weights as they are now.
        d.requires_grad_(False)
        g_adam.zero_grad()
        g_loss = loss(d(g(torch.randn(m, LATENT[A.net]))), ones)
        g_loss.backward()
        g_adam.step()
        step += 1
        averaged(average, g, step)
        now = time.monotonic()
        if step % 50 == 0:
            line = {"step": step, "d_loss": d_loss.item(), "g_loss": g_loss.item()}
            print(json.dumps({**line, "train_s": round(seconds + now - start, 1)}), flush=True)
        if now - saved > SAVE_EVERY_S or step == per_epoch * A.epochs:
            state = {name: part.state_dict() for name, part in parts.items()}
            state |= {"step": step, "seconds": seconds + now - start, "random": torch.get_rng_state()}
            torch.save(state, A.out / "state.part")
            os.replace(A.out / "state.part", A.out / "state.pt")
            saved = now
    torch.manual_seed(A.seed + 1)
    settle(average)
    write(g, A.out / "last.npy")
    write(average, A.out / "average.npy")


if __name__ == "__main__":
    main()

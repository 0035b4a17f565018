"""Time the alternating GAN step of the course nets in PyTorch on the CPU.

    python torch_train.py --net tp [--batch 64] [--precision f32|bf16] [--threads 2] [--seconds 10]
                          [--channels-last] [--compile]
"""

from timing import LATENT, PARAMETERS, RATE, measure, parse, pool, report

ARGUMENTS = parse(__doc__.splitlines()[0], channels_last=True)

import torch  # noqa: E402  (after the settings it reads)
from torch import nn  # noqa: E402


def norm(channels):
    """BatchNorm with Keras' settings (PyTorch counts the momentum from the other end)."""
    return nn.BatchNorm2d(channels, eps=0.001, momentum=0.01)


def generator(net):
    if net == "fidle":
        return nn.Sequential(
            nn.Linear(LATENT[net], 7 * 7 * 64), nn.Unflatten(1, (64, 7, 7)),
            nn.Upsample(scale_factor=2), nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(),
            nn.Upsample(scale_factor=2), nn.Conv2d(128, 256, 3, padding=1), nn.ReLU(),
            nn.Conv2d(256, 1, 5, padding=2), nn.Sigmoid(),
        )  # fmt: skip
    return nn.Sequential(
        nn.Linear(LATENT[net], 14 * 14 * 128), nn.Unflatten(1, (128, 14, 14)), norm(128), nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(128, 128, 5, padding=2), norm(128), nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(128, 256, 4, stride=2, padding=1), norm(256), nn.LeakyReLU(0.2),
        nn.Conv2d(256, 1, 5, padding=2), nn.Sigmoid(),
    )  # fmt: skip


def discriminator(net):
    """Up to the logit: PyTorch's stable loss takes the sigmoid in."""
    last = 128 if net == "fidle" else 256
    return nn.Sequential(
        nn.Conv2d(1, 64, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
        nn.Conv2d(64, 128, 4, stride=2, padding=1), nn.LeakyReLU(0.2),
        nn.ZeroPad2d((1, 2, 1, 2)),  # Keras' "same" from 7 to 4
        nn.Conv2d(128, last, 4, stride=2), nn.LeakyReLU(0.2),
        nn.Flatten(), nn.Dropout(0.2) if net == "fidle" else nn.Identity(), nn.Linear(16 * last, 1),
    )  # fmt: skip


def make_step(g, d):
    """The step as a function of (real, z_d, z_g); G and D each have an Adam, in its fused CPU form."""
    rate = RATE[ARGUMENTS.net]
    g_adam, d_adam = (torch.optim.Adam(net.parameters(), lr=rate, eps=1e-7, fused=True) for net in (g, d))
    loss = nn.BCEWithLogitsLoss()
    ones = torch.ones(ARGUMENTS.batch, 1)
    labels = torch.cat([ones, 0 * ones])
    bf16 = ARGUMENTS.precision == "bf16"
    run_g, run_d = (torch.compile(net) if ARGUMENTS.compile else net for net in (g, d))

    def autocast():
        return torch.autocast("cpu", torch.bfloat16, enabled=bf16)

    def step(real, z_d, z_g):
        d.requires_grad_(True)
        g.eval()
        with torch.no_grad(), autocast():
            fake = run_g(z_d).float()
        g.train()
        d_adam.zero_grad()
        with autocast():
            logits = run_d(torch.cat([real, fake]))
        d_loss = loss(logits.float(), labels)
        d_loss.backward()
        d_adam.step()
        d.requires_grad_(False)  # no gradients of D's weights in G's half
        g_adam.zero_grad()
        with autocast():
            logits = run_d(run_g(z_g))
        g_loss = loss(logits.float(), ones)
        g_loss.backward()
        g_adam.step()
        return d_loss.detach(), g_loss.detach()

    return step


def main():
    torch.set_num_threads(ARGUMENTS.threads)
    torch.manual_seed(0)
    g, d = generator(ARGUMENTS.net), discriminator(ARGUMENTS.net)
    batches = [tuple(torch.from_numpy(a) for a in batch) for batch in pool(ARGUMENTS.net, ARGUMENTS.batch)]
    batches = [(real.permute(0, 3, 1, 2).contiguous(), z_d, z_g) for real, z_d, z_g in batches]
    # BatchNorm's moving statistics count as parameters in Keras; PyTorch keeps them, and a counter each, as buffers.
    counts = [sum(t.numel() for t in net.state_dict().values() if t.dim()) for net in (g, d)]
    assert tuple(counts) == PARAMETERS[ARGUMENTS.net]
    if ARGUMENTS.channels_last:
        g, d = (net.to(memory_format=torch.channels_last) for net in (g, d))
        batches = [(real.to(memory_format=torch.channels_last), *z) for real, *z in batches]
    measured = measure(make_step(g, d), batches, ARGUMENTS.seconds)
    report("torch", ARGUMENTS, measured, {"torch": torch.__version__})


if __name__ == "__main__":
    main()

"""Time the alternating GAN step of the course nets in PyTorch on the CPU.

python torch_train.py --net tp [--batch 64] [--precision f32|bf16] [--threads 2] [--seconds 10]
                      [--channels-last] [--compile]
"""

from timing import PARAMETERS, RATE, measure, parse, pool, report

ARGUMENTS = parse(__doc__.splitlines()[0], channels_last=True)

import torch  # noqa: E402  (after the settings it reads)
from torch import nn  # noqa: E402

from torch_nets import discriminator, generator  # noqa: E402


def make_step(g, d):
    """The step as a function of (real, z_d, z_g); G and D each have an Adam, in its fused CPU form."""
    rate = RATE[ARGUMENTS.net]
    g_adam, d_adam = (torch.optim.Adam(net.parameters(), lr=rate, eps=1e-7, fused=True) for net in (g, d))
    loss = nn.BCEWithLogitsLoss()
    ones = torch.ones(ARGUMENTS.batch, 1)
    labels = torch.cat([ones, 0 * ones])
    bf16 = ARGUMENTS.precision == "bf16"
    # One program for each batch size that a net sees: programs for any size are slower.
    run_g, run_d = (torch.compile(net, dynamic=False) if ARGUMENTS.compile else net for net in (g, d))

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

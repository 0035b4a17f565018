"""The course nets in PyTorch, layer for layer as in tp.toml and fidle.toml of crates/faussaire/presets."""

from torch import nn

LATENT = {"tp": 32, "fidle": 128}


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

"""The lab's ten steps, as a sheet of the course asks for them, with this package in the place of Keras."""

from __future__ import annotations

import faussaire as fa
import numpy as np
from faussaire.layers import (
    BatchNormalization,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Flatten,
    Input,
    LeakyReLU,
    Reshape,
)


def test_ten_steps() -> None:
    latent, side = 8, 28
    x_train = fa.load_data("strokes", count=64).numpy().astype("float32") / 255
    rng = np.random.default_rng(0)

    # 1 The generator.
    generator = fa.Sequential(
        [
            Input(shape=(latent,)),
            Dense(7 * 7 * 8),
            Reshape((7, 7, 8)),
            BatchNormalization(),
            LeakyReLU(0.2),
            Conv2DTranspose(8, 5, strides=2, padding="same"),
            LeakyReLU(0.2),
            Conv2DTranspose(4, 4, strides=2, padding="same"),
            LeakyReLU(0.2),
            Conv2D(1, 5, padding="same", activation="sigmoid"),
        ],
        name="generator",
    )
    # 2 The discriminator, and a summary of both.
    discriminator = fa.Sequential(
        [
            Input(shape=(side, side, 1)),
            Conv2D(8, 4, strides=2, padding="same"),
            LeakyReLU(0.2),
            Conv2D(16, 4, strides=2, padding="same"),
            LeakyReLU(0.2),
            Flatten(),
            Dense(1, activation="sigmoid"),
        ],
        name="discriminator",
    )
    generator.summary(lambda text: None)
    # 3 Its loss and optimizer.
    discriminator.compile(loss="binary_crossentropy", optimizer=fa.Adam(2e-4, beta_1=0.5))
    # 4 The GAN, behind whose generator is a frozen copy of the discriminator.
    frozen = fa.Model(discriminator.inputs, discriminator.outputs)
    frozen.trainable = False
    gan_input = Input(shape=(latent,))
    gan = fa.Model(inputs=gan_input, outputs=frozen(generator(gan_input)))
    gan.compile(loss="binary_crossentropy", optimizer=fa.Adam(2e-4, beta_1=0.5))

    for _ in range(2):
        for batch in np.split(rng.permutation(x_train), 4):
            n = len(batch)
            # 5 Noise. 6 Images. 7 Both mixed, with labels. 8 The discriminator learns.
            z = rng.normal(0, 1, (n, latent))
            fakes = generator.predict(z, verbose=0)
            x = np.concatenate([batch, fakes])
            y = np.concatenate([np.ones(n), np.zeros(n)])
            d_loss = discriminator.train_on_batch(x, y)
            before = discriminator.get_weights()
            # 9 New noise, called real. 10 The generator learns.
            z = rng.normal(0, 1, (n, latent))
            g_loss = gan.train_on_batch(z, np.ones(n))
            for ours, theirs in zip(before, discriminator.get_weights()):
                np.testing.assert_array_equal(ours, theirs)
    text = f"D {d_loss:.4f}, GAN {g_loss:.4f}"
    assert "D 0." in text and np.isfinite(d_loss)
    assert "%.2f" % g_loss == f"{g_loss:.2f}"  # noqa: UP031 (sheets write it so)

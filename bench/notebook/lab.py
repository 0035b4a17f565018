"""The lab's ten steps, cell by cell, in Keras or in Faussaire: the same lines, another import.

python lab.py --framework keras|faussaire --data MNIST [--way steps|fit] [--images 6000] [--epochs 3] [--threads 2]

`steps` is the lab's loop: predict_on_batch, train_on_batch twice. `fit` hides it in `DCGAN.fit`; in Keras that is a class
with a `train_step`, as the Fidle course has it.
"""

import os

import numpy as np

from cells import BATCH, BETA, LATENT, PARAMETERS, RATE, Clock, mnist, parse, picture, train

CLOCK = Clock()
ARGUMENTS = parse(
    __doc__.splitlines()[0],
    ("--framework", {"choices": ("keras", "faussaire"), "required": True}),
    ("--way", {"choices": ("steps", "fit"), "default": "steps"}),
    ("--precision", {"choices": ("f32", "auto"), "default": "f32", "help": "for ours, with --way fit"}),
)
OURS = ARGUMENTS.framework == "faussaire"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["FAUSSAIRE_THREADS"] = str(ARGUMENTS.threads)

with CLOCK.cell("import"):
    if OURS:
        import faussaire as keras
    else:
        os.environ["KERAS_BACKEND"] = "tensorflow"
        import keras
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(ARGUMENTS.threads)
        tf.config.threading.set_inter_op_parallelism_threads(ARGUMENTS.threads)
    layers = keras.layers


def nets():
    generator = keras.Sequential(
        [
            keras.Input((LATENT,)),
            layers.Dense(14 * 14 * 128),
            layers.Reshape((14, 14, 128)),
            layers.BatchNormalization(),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2DTranspose(128, 5, padding="same"),
            layers.BatchNormalization(),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2DTranspose(256, 4, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(1, 5, padding="same", activation="sigmoid"),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(64, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(128, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(256, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    assert (generator.count_params(), discriminator.count_params()) == PARAMETERS
    return generator, discriminator


def adam():
    return keras.optimizers.Adam(RATE, beta_1=BETA)


def compiled(generator, discriminator):
    """Steps 3 and 4. In Keras D is compiled while it is trainable, and frozen in the composition."""
    discriminator.compile(loss="binary_crossentropy", optimizer=adam(), metrics=["accuracy"])
    discriminator.trainable = False
    gan = keras.Sequential([generator, discriminator])
    gan.compile(loss="binary_crossentropy", optimizer=adam())
    return gan


def by_steps(x_train, generator, discriminator, random):
    with CLOCK.cell("steps 3, 4: compile, compose"):
        gan = compiled(generator, discriminator)
    ones = np.ones((BATCH, 1), "float32")
    labels = np.concatenate([ones, 0 * ones])
    fixed = random.standard_normal((10, LATENT), "float32")

    def step(reals):
        fakes = generator.predict_on_batch(random.standard_normal((BATCH, LATENT), "float32"))
        discriminator.trainable = True
        d_loss, _ = discriminator.train_on_batch(np.concatenate([reals, fakes]), labels)
        discriminator.trainable = False
        g_loss = gan.train_on_batch(random.standard_normal((BATCH, LATENT), "float32"), ones)
        return float(d_loss), float(g_loss)

    return train(CLOCK, ARGUMENTS.epochs, x_train, step, lambda: picture(generator.predict_on_batch(fixed)), random)


class Picture(keras.callbacks.Callback):
    """A picture per epoch."""

    def __init__(self, fixed):
        super().__init__()
        self.fixed = fixed

    def on_epoch_end(self, epoch, logs=None):
        with CLOCK.cell("a picture per epoch"):
            drawn = self.model.predict(self.fixed) if OURS else self.model.generator.predict_on_batch(self.fixed)
            picture(drawn)
        CLOCK.mark(f"picture of epoch {epoch + 1}")


def of_keras(generator, discriminator):
    """The GAN as a Keras model whose train_step updates D, then G."""
    cross_entropy = keras.losses.BinaryCrossentropy()

    class Gan(keras.Model):
        def __init__(self):
            super().__init__()
            self.generator, self.discriminator = generator, discriminator
            self.d_adam, self.g_adam = adam(), adam()

        def train_step(self, reals):
            n = tf.shape(reals)[0]
            ones = tf.ones((n, 1))
            fakes = self.generator(tf.random.normal((n, LATENT)), training=True)
            with tf.GradientTape() as tape:
                answers = self.discriminator(tf.concat([reals, fakes], 0), training=True)
                d_loss = cross_entropy(tf.concat([ones, 0 * ones], 0), answers)
            weights = self.discriminator.trainable_weights
            self.d_adam.apply_gradients(zip(tape.gradient(d_loss, weights), weights))
            with tf.GradientTape() as tape:
                answers = self.discriminator(
                    self.generator(tf.random.normal((n, LATENT)), training=True), training=True
                )
                g_loss = cross_entropy(ones, answers)
            weights = self.generator.trainable_weights
            self.g_adam.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
            return {"d_loss": d_loss, "g_loss": g_loss}

    gan = Gan()
    gan.compile()
    return gan


def by_fit(x_train, generator, discriminator, random):
    with CLOCK.cell("steps 3, 4: compile, compose"):
        if OURS:
            gan = keras.DCGAN(discriminator, generator, LATENT, precision=ARGUMENTS.precision)
            gan.compile(discriminator_optimizer=adam(), generator_optimizer=adam())
        else:
            gan = of_keras(generator, discriminator)
    fixed = random.standard_normal((10, LATENT), "float32")
    with CLOCK.cell("step 6: the first picture"):
        picture(generator.predict_on_batch(fixed))
    CLOCK.mark("first picture")
    with CLOCK.cell("fit"):
        # Whole batches, as in the other ways.
        whole = x_train[: len(x_train) // BATCH * BATCH]
        told = gan.fit(whole, epochs=ARGUMENTS.epochs, batch_size=BATCH, callbacks=[Picture(fixed)], verbose=0)
    return told.history["d_loss"][-1], told.history["g_loss"][-1]


def main():
    with CLOCK.cell("data"):
        x_train = mnist(ARGUMENTS.data, ARGUMENTS.images)
    with CLOCK.cell("steps 1, 2: build"):
        generator, discriminator = nets()
    way = by_steps if ARGUMENTS.way == "steps" else by_fit
    d_loss, g_loss = way(x_train, generator, discriminator, np.random.default_rng(0))
    versions = {ARGUMENTS.framework: keras.__version__}
    CLOCK.report(d_loss=round(float(d_loss), 4), g_loss=round(float(g_loss), 4), versions=versions)


if __name__ == "__main__":
    main()

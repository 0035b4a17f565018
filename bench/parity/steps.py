"""The steps that are not the lab's own: dropout and batch normalisation in D, a conditional GAN, WGAN-GP.

Keras's layers and Adam under a GradientTape where its `fit` and `train_on_batch` have no such step. README.md says what each
one does.
"""

import numpy as np

from cases import alphas, labels, latents, real_images
from chacha import kept


def layer_of_embedding(keras, case, line, x, y):
    """`embedding N`: a table of N channels per class, beside what comes in.

    A dense layer on a one-hot label is the same table as `Embedding` on the class's number, without what README.md says of
    Adam on the latter.
    """
    channels, shape = int(line.split()[1]), x.shape[1:]
    table = keras.layers.Dense(int(np.prod(shape[:-1], dtype=int)) * channels, use_bias=False)
    table.is_table = True
    one_hot = keras.layers.CategoryEncoding(case.classes, output_mode="one_hot")(y)
    plane = keras.layers.Reshape((*shape[:-1], channels))(table(one_hot))
    return table, keras.layers.Concatenate()([x, plane])


def functional(keras, case, shape, lines, plain):
    """A net of two inputs, images or latents and classes, and the layers of its lines. `plain` makes all but embeddings."""
    x, y = keras.Input(shape), keras.Input((1,), dtype="int32")
    given, layers = x, []
    for line in lines:
        if line.startswith("embedding"):
            layer, x = layer_of_embedding(keras, case, line, x, y)
        else:
            layer = plain(keras, line)
            x = layer(x)
        layers.append(layer)
    return keras.Model([given, y], x), layers


def masked(keras, rate):
    """Dropout whose mask is set before each pass, as `dropout R` draws it; without a mask it does nothing."""

    class Masked(keras.layers.Layer):
        kept = None

        def call(self, x):
            if self.kept is None:
                return x
            return x * self.kept * keras.ops.cast(1 / (np.float32(1) - np.float32(rate)), x.dtype)

        def draw(self, turn, batch, dtype):
            features = int(np.prod(self.output.shape[1:]))
            self.kept = kept(turn, 1, (batch, features), rate).astype(dtype)

    return Masked()


def adam(keras, case):
    first, second = case.betas
    return keras.optimizers.Adam(case.rate, beta_1=first, beta_2=second, epsilon=1e-7)


class Tape:
    """Steps on two Sequential nets under a GradientTape."""

    def __init__(self, keras, tensorflow, case, dtype, generator, discriminator):
        self.keras, self.tf, self.case, self.dtype = keras, tensorflow, case, dtype
        self.generator, self.discriminator = generator, discriminator
        self.optimizers = {"d": adam(keras, case), "g": adam(keras, case)}
        self.dropout = [layer for layer in discriminator.layers if hasattr(layer, "draw")]

    def cast(self, values):
        return self.tf.convert_to_tensor(values.astype(self.dtype))

    def masks(self, turn, batch):
        for layer in self.dropout:
            layer.draw(turn, batch, self.dtype)

    def update(self, which, net, tape, loss):
        gradients = tape.gradient(loss, net.trainable_variables)
        self.optimizers[which].apply_gradients(zip(gradients, net.trainable_variables, strict=True))

    def mean_bce(self, target, probability):
        return self.tf.reduce_mean(self.keras.losses.binary_crossentropy(target, probability))

    def judge(self, z, score):
        """G's update by `score` of its images; D in training mode, its weights and moving statistics as before."""
        before = self.discriminator.get_weights()
        with self.tf.GradientTape() as tape:
            loss = score(self.discriminator(self.generator(z, training=True), training=True))
        self.update("g", self.generator, tape, loss)
        self.discriminator.set_weights(before)
        return float(loss)

    def mixed(self, t):
        """The lab's step, with D's layers in training mode in both halves."""
        case, batch = self.case, self.case.batch
        fake = self.generator(self.cast(latents(case, t, "d")), training=False)
        x = self.tf.concat([self.cast(real_images(case, t)), fake], 0)
        target = self.cast(np.repeat([[1.0], [0.0]], batch, axis=0))
        self.masks(2 * t, 2 * batch)
        with self.tf.GradientTape() as tape:
            scores = self.discriminator(x, training=True)
            loss = self.mean_bce(target, scores)
        self.update("d", self.discriminator, tape, loss)
        self.masks(2 * t + 1, batch)
        ones = self.cast(np.ones((batch, 1)))
        g_loss = self.judge(self.cast(latents(case, t, "g")), lambda score: self.mean_bce(ones, score))
        scores = scores.numpy()[:, 0]
        return {"d_loss": float(loss), "g_loss": g_loss, "real": scores[:batch], "fake": scores[batch:]}

    def wgan_gp(self, t):
        """`n_critic` updates of D on the same real batch, as the notebook has it, then one of G."""
        case, real = self.case, self.cast(real_images(self.case, t))
        for j in range(case.n_critic):
            turn = case.n_critic * t + j
            fake = self.generator(self.cast(latents(case, turn, "d")), training=True)
            alpha = self.cast(alphas(case, turn))
            points = fake + alpha * (real - fake)
            with self.tf.GradientTape() as tape:
                scores = [self.discriminator(x, training=True) for x in (real, fake)]
                loss = self.tf.reduce_mean(scores[1]) - self.tf.reduce_mean(scores[0])
                with self.tf.GradientTape() as inner:
                    inner.watch(points)
                    between = self.discriminator(points, training=True)
                norms = self.tf.norm(self.tf.reshape(inner.gradient(between, points), (case.batch, -1)), axis=1)
                penalty = 10 * self.tf.reduce_mean((norms - 1) ** 2)
                total = loss + penalty
            self.update("d", self.discriminator, tape, total)
        g_loss = self.judge(self.cast(latents(case, t, "g")), lambda score: -self.tf.reduce_mean(score))
        real, fake = (score.numpy()[:, 0] for score in scores)
        return {"d_loss": float(loss), "penalty": float(penalty), "g_loss": g_loss, "real": real, "fake": fake}


class Conditional:
    """The lab's step with a class beside every image and every z, through `train_on_batch`."""

    def __init__(self, keras, case, dtype, generator, discriminator):
        self.case, self.dtype, self.generator, self.discriminator = case, dtype, generator, discriminator
        settings = lambda: {"loss": "binary_crossentropy", "optimizer": adam(keras, case)}  # noqa: E731
        discriminator.compile(**settings())
        discriminator.trainable = False
        z, y = keras.Input((case.latent,)), keras.Input((1,), dtype="int32")
        self.gan = keras.Model([z, y], discriminator([generator([z, y]), y]))
        self.gan.compile(**settings())

    def step(self, t):
        case, discriminator = self.case, self.discriminator
        y = labels(case, t, "d")
        fake = self.generator.predict_on_batch([latents(case, t, "d").astype(self.dtype), y])
        x = np.concatenate([real_images(case, t).astype(self.dtype), fake])
        target = np.repeat([[1.0], [0.0]], case.batch, axis=0).astype(self.dtype)
        both = np.concatenate([y, y])
        scores = discriminator.predict_on_batch([x, both])[:, 0]
        discriminator.trainable = True
        d_loss = float(discriminator.train_on_batch([x, both], target))
        discriminator.trainable = False
        before = discriminator.get_weights()
        z = latents(case, t, "g").astype(self.dtype)
        g_loss = float(self.gan.train_on_batch([z, labels(case, t, "g")], target[: case.batch]))
        assert all(np.array_equal(a, b) for a, b in zip(discriminator.get_weights(), before, strict=True)), "D moved"
        return {"d_loss": d_loss, "g_loss": g_loss, "real": scores[: case.batch], "fake": scores[case.batch :]}

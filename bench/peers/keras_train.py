"""Time the alternating GAN step of the course nets in Keras on TensorFlow, as the course lab writes it.

python keras_train.py --net tp [--batch 64] [--precision f32|bf16] [--threads 2] [--seconds 10] [--compile]
"""

import os

from timing import LATENT, PARAMETERS, RATE, measure, parse, pool, report

ARGUMENTS = parse(__doc__.splitlines()[0], channels_last=False)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras  # noqa: E402  (after the settings it reads)
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402


def generator(net):
    model = keras.Sequential([keras.Input((LATENT[net],))])
    if net == "fidle":
        model.add(layers.Dense(7 * 7 * 64))
        model.add(layers.Reshape((7, 7, 64)))
        for filters in (128, 256):
            model.add(layers.UpSampling2D())
            model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
    else:
        model.add(layers.Dense(14 * 14 * 128))
        model.add(layers.Reshape((14, 14, 128)))
        model.add(layers.BatchNormalization())
        model.add(layers.LeakyReLU(negative_slope=0.2))
        for filters, size, stride in ((128, 5, 1), (256, 4, 2)):
            model.add(layers.Conv2DTranspose(filters, size, strides=stride, padding="same"))
            model.add(layers.BatchNormalization())
            model.add(layers.LeakyReLU(negative_slope=0.2))
    model.add(layers.Conv2D(1, 5, padding="same"))
    model.add(layers.Activation("sigmoid"))
    return model


def discriminator(net):
    model = keras.Sequential([keras.Input((28, 28, 1))])
    for filters in (64, 128, 128 if net == "fidle" else 256):
        model.add(layers.Conv2D(filters, 4, strides=2, padding="same"))
        model.add(layers.LeakyReLU(negative_slope=0.2))
    model.add(layers.Flatten())
    if net == "fidle":
        model.add(layers.Dropout(0.2))
    model.add(layers.Dense(1))
    model.add(layers.Activation("sigmoid"))
    return model


def main():
    tf.config.threading.set_intra_op_parallelism_threads(ARGUMENTS.threads)
    tf.config.threading.set_inter_op_parallelism_threads(ARGUMENTS.threads)
    if ARGUMENTS.precision == "bf16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    g, d = generator(ARGUMENTS.net), discriminator(ARGUMENTS.net)
    assert (g.count_params(), d.count_params()) == PARAMETERS[ARGUMENTS.net]
    rate, jit = RATE[ARGUMENTS.net], True if ARGUMENTS.compile else "auto"
    d.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(rate), jit_compile=jit)
    d.trainable = False
    gan = keras.Sequential([keras.Input((LATENT[ARGUMENTS.net],)), g, d])
    gan.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(rate), jit_compile=jit)
    g.compile(jit_compile=jit)  # for predict_on_batch
    ones = np.ones((ARGUMENTS.batch, 1), np.float32)
    labels = np.concatenate([ones, 0 * ones])

    def step(real, z_d, z_g):
        fake = g.predict_on_batch(z_d)
        d.trainable = True
        d_loss = d.train_on_batch(np.concatenate([real, fake]), labels)
        d.trainable = False
        return d_loss, gan.train_on_batch(z_g, ones)

    measured = measure(step, pool(ARGUMENTS.net, ARGUMENTS.batch), ARGUMENTS.seconds)
    report("keras", ARGUMENTS, measured, {"keras": keras.__version__, "tensorflow": tf.__version__})


if __name__ == "__main__":
    main()

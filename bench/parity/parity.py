"""Three alternating GAN steps in Keras, written down so that Faussaire's can be held to them.

    python parity.py [FOLDER]     write FOLDER/<case>.json for every case (default: numbers/ beside this file)
    python parity.py --check      no Keras: recompute what the first D step sees with numpy, compare with numbers/

The step is the course lab's: D on real and generated images in one batch, then G through a frozen D.
Inputs and initial weights come from cases.py; README.md says what the files hold.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np

from cases import CASES, STEPS, kernel, latents, real_images, table
from steps import Conditional, Tape, functional, masked

HERE = Path(__file__).parent
SEED_RULE = {
    "weight": "S*1000 + k, k counting the tensors called weight, generator first",
    "real": "S*1000 + 500 + t",
    "z_d": "S*1000 + 600 + t",
    "z_g": "S*1000 + 700 + t",
    "table": "S*1000 + 800, D's + 801",
    "alpha": "S*1000 + 900 + t",
}
TENSORS = {  # in the order of Keras' get_weights()
    "dense": ("weight", "bias"),
    "conv": ("weight", "bias"),
    "convtranspose": ("weight", "bias"),
    "batchnorm": ("gamma", "beta", "mean", "variance"),
    "embedding": ("table",),
}


def start_keras():
    """Import Keras with everything that could blur the numbers switched off."""
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import tensorflow

    tensorflow.config.experimental.enable_op_determinism()
    tensorflow.get_logger().setLevel("ERROR")  # every case traces its own graphs: no need to warn of it
    return keras, tensorflow


def keras_layer(keras, line):
    """The Keras layer that one recipe line names."""
    kind, *words = line.split()
    layers = keras.layers
    if kind in ("conv", "convtranspose"):
        make = layers.Conv2D if kind == "conv" else layers.Conv2DTranspose
        size = tuple(int(n) for n in words[1].split("x"))
        stride = int(words[3]) if words[2:3] == ["stride"] else 1
        return make(int(words[0]), size, strides=stride, padding="same")
    return {
        "dense": lambda: layers.Dense(int(np.prod([int(n) for n in words[0].split("*")]))),
        "reshape": lambda: layers.Reshape(tuple(int(n) for n in words)),
        "upsample": lambda: layers.UpSampling2D(int(words[0]), interpolation="nearest"),
        "batchnorm": lambda: layers.BatchNormalization(momentum=0.99, epsilon=0.001),
        "leakyrelu": lambda: layers.LeakyReLU(negative_slope=float(words[0])),
        "relu": layers.ReLU,
        "flatten": layers.Flatten,
        "dropout": lambda: masked(keras, float(words[0])) if float(words[0]) > 0 else layers.Dropout(0),
        "sigmoid": lambda: layers.Activation("sigmoid"),
    }[kind]()


def build(keras, case):
    """G and D with the case's initial weights (biases 0 and BatchNorm 1, 0, 0, 1 are Keras' own), and the layers of each."""

    def net(shape, lines):
        if case.classes:
            return functional(keras, case, shape, lines, keras_layer)
        model = keras.Sequential([keras.Input(shape)] + [keras_layer(keras, line) for line in lines])
        return model, model.layers

    nets = net((case.latent,), case.generator), net(case.image, case.discriminator)
    (generator, _), (discriminator, _) = nets
    assert generator.output_shape[1:] == case.image
    layers = [layers for _, layers in nets]
    is_table = lambda layer: getattr(layer, "is_table", False)  # noqa: E731
    with_kernel = [layer for layer in layers[0] + layers[1] if hasattr(layer, "kernel") and not is_table(layer)]
    for k, layer in enumerate(with_kernel):
        layer.kernel.assign(kernel(case, k, layer.kernel.shape))
    for net, own in enumerate(layers):
        for layer in filter(is_table, own):
            layer.kernel.assign(table(case, net, layer.kernel.shape))
    return generator, discriminator, layers


def named_weights(case, layers):
    """{"generator.0.dense.weight": array, ...}: the number is the place in the layer list."""
    named = {}
    nets = ("generator", case.generator, layers[0]), ("discriminator", case.discriminator, layers[1])
    for net, lines, own in nets:
        for place, (line, layer) in enumerate(zip(lines, own, strict=True)):
            kind = line.split()[0]
            for tensor, value in zip(TENSORS.get(kind, ()), layer.get_weights(), strict=True):
                named[f"{net}.{place}.{kind}.{tensor}"] = value
    return named


def parameter_counts(model):
    """[total, trainable]"""
    return [int(sum(np.prod(w.shape) for w in weights)) for weights in (model.weights, model.trainable_weights)]


def bce(probability, label):
    """Binary cross-entropy by hand, to check what Keras returns."""
    p = np.asarray(probability, np.float64)
    return float(-np.mean(label * np.log(p) + (1 - label) * np.log(1 - p)))


def unchanged(model, before):
    return all(np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True))


def d_step(case, t, dtype, generator, discriminator):
    """Train D on B real, then B generated images, labels 1 and 0. Returns the loss and D's outputs, both before it."""
    real = real_images(case, t).astype(dtype)
    fake = generator.predict_on_batch(latents(case, t, "d").astype(dtype))  # BatchNorm by its moving statistics
    x = np.concatenate([real, fake])
    y = np.concatenate([np.ones((case.batch, 1)), np.zeros((case.batch, 1))]).astype(dtype)
    scores = discriminator.predict_on_batch(x)[:, 0]
    g_before = generator.get_weights()
    d_loss = float(discriminator.train_on_batch(x, y))
    assert abs(d_loss - bce(scores, y[:, 0])) < 2e-6, "Keras did not return the loss of this batch"
    assert unchanged(generator, g_before), "the D step changed G"
    return d_loss, scores


def g_step(case, t, dtype, generator, discriminator, gan):
    """Train G, BatchNorm in training mode, through a frozen D with the labels "real"."""
    z = latents(case, t, "g").astype(dtype)
    before = generator.get_weights()
    by_hand = bce(discriminator(generator(z, training=True)), 1)
    generator.set_weights(before)  # that pass had moved the moving statistics
    d_before = discriminator.get_weights()
    g_loss = float(gan.train_on_batch(z, np.ones((case.batch, 1), dtype)))
    assert abs(g_loss - by_hand) < 2e-6, "Keras did not return the loss of this batch"
    assert unchanged(discriminator, d_before), "the G step changed D"
    assert not unchanged(generator, before)
    return g_loss


def compiled(keras, case, generator, discriminator):
    """Compile D and the frozen D composed with G, as the lab does; each has its own Adam."""

    def settings():
        adam = keras.optimizers.Adam(case.rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
        return {"loss": "binary_crossentropy", "optimizer": adam}

    discriminator.compile(**settings())
    discriminator.trainable = False
    gan = keras.Sequential([keras.Input((case.latent,)), generator, discriminator])
    gan.compile(**settings())
    return gan


def run(keras, tensorflow, case, dtype):
    """The three steps in `dtype`. Returns (steps, first and last named weights, parameter counts)."""
    keras.backend.clear_session()
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    keras.utils.set_random_seed(case.seed)  # nothing that is recorded draws from it
    generator, discriminator, layers = build(keras, case)
    counts = {"generator": parameter_counts(generator), "discriminator": parameter_counts(discriminator)}
    assert case.parameters in (None, counts), f"{counts} is not the design's table"
    first = named_weights(case, layers)
    assert all(value.dtype == dtype for value in first.values())
    step = stepper(keras, tensorflow, case, dtype, generator, discriminator)
    steps = [step(t) for t in range(STEPS)]
    return steps, first, named_weights(case, layers), counts


def stepper(keras, tensorflow, case, dtype, generator, discriminator):
    """The function that makes step t of the case's kind."""
    if case.step == "cgan":
        return Conditional(keras, case, dtype, generator, discriminator).step
    if case.step != "lab":
        steps = Tape(keras, tensorflow, case, dtype, generator, discriminator)
        return {"mixed": steps.mixed, "wgan-gp": steps.wgan_gp}[case.step]
    gan = compiled(keras, case, generator, discriminator)

    def lab(t):
        discriminator.trainable = True
        d_loss, scores = d_step(case, t, dtype, generator, discriminator)
        discriminator.trainable = False
        g_loss = g_step(case, t, dtype, generator, discriminator, gan)
        real, fake = scores[: case.batch], scores[case.batch :]
        return {"d_loss": d_loss, "g_loss": g_loss, "real": real, "fake": fake}

    return lab


LOSSES = ("d_loss", "penalty", "g_loss")


def norm(value):
    return float(np.linalg.norm(np.asarray(value, np.float64).ravel()))


def rounding(single, double):
    """What float32 costs: the largest difference of a loss, and per tensor the norms that make a tolerance.

    `norm` is the final tensor's, `moved` that of its change over the three steps, `error` that of
    float32 minus float64.
    """
    losses = [abs(a[name] - b[name]) for a, b in zip(single[0], double[0]) for name in LOSSES if name in a]
    tensors = {
        name: {"norm": norm(value), "moved": norm(value - double[1][name]), "error": norm(single[2][name] - value)}
        for name, value in double[2].items()
    }
    return max(losses), tensors


def shortest(values):
    """The shortest decimals that give back the same float32."""
    return [float(str(v)) for v in np.asarray(values, np.float32).ravel()]


def digits(value):
    return float(f"{value:.3g}")


def step_entry(step, bounded):
    """The losses, D's outputs before the last update and, where they are probabilities, its accuracy."""
    real, fake = step["real"], step["fake"]
    entry = {name: shortest(step[name])[0] for name in LOSSES if name in step}
    if bounded:
        entry |= {"d_accuracy_real": float(np.mean(real > 0.5)), "d_accuracy_fake": float(np.mean(fake <= 0.5))}
    return entry | {"d_real": shortest(real), "d_fake": shortest(fake)}


def record(case, versions, single, double):
    """The JSON object of one case."""
    loss, tensors = rounding(single, double)
    entry = {
        "case": case.name,
        "versions": versions,
        "latent": case.latent,
        "batch": case.batch,
        "rate": case.rate,
        "image": case.image,
        "generator": case.generator,
        "discriminator": case.discriminator,
        "parameters": single[3],
        "seed": case.seed,
        "seeds": SEED_RULE
        if case.step != "lab"
        else {name: SEED_RULE[name] for name in ("weight", "real", "z_d", "z_g")},
        "steps": [step_entry(step, case.discriminator[-1] == "sigmoid") for step in single[0]],
        "float64": {
            "steps": [{name: step[name] for name in LOSSES if name in step} for step in double[0]],
            "largest_loss_difference": digits(loss),
        },
    }
    if case.step != "lab":
        entry |= {"step": case.step, "betas": case.betas, "classes": case.classes, "n_critic": case.n_critic}
    if case.keep_weights:
        entry["float64"]["tensors"] = {
            name: {key: digits(value) for key, value in row.items()} for name, row in tensors.items()
        }
        entry["weights"] = {
            name: {"shape": value.shape, "values": shortest(value)} for name, value in single[2].items()
        }
    return entry


NESTED = ("steps", "float64", "tensors", "weights")


def text_of(value, key=None, depth=1):
    """JSON with one line per member, and per member of the members named above, so that a diff can be read."""
    if key is not None and key not in NESTED:
        return json.dumps(value)
    margin = " " * depth
    if isinstance(value, dict):
        rows = [f"{margin}{json.dumps(k)}: {text_of(v, k, depth + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{margin[1:]}}}"
    return "[\n" + ",\n".join(margin + json.dumps(v) for v in value) + f"\n{margin[1:]}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=HERE / "numbers")
    parser.add_argument("--only", nargs="+", metavar="CASE", help="these cases alone")
    parser.add_argument("--check", action="store_true", help="compare the files with numpy's own forward pass")
    arguments = parser.parse_args()
    if arguments.check:
        from check import check_all

        sys.exit(check_all(arguments.folder))
    keras, tensorflow = start_keras()
    versions = {"keras": keras.__version__, "tensorflow": tensorflow.__version__, "numpy": np.__version__}
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        if arguments.only and case.name not in arguments.only:
            continue
        single, double = (run(keras, tensorflow, case, dtype) for dtype in ("float32", "float64"))
        entry = record(case, versions, single, double)
        (arguments.folder / f"{case.name}.json").write_text(text_of(entry) + "\n")
        losses = ", ".join(f"{step['d_loss']:.6f} {step['g_loss']:.6f}" for step in entry["steps"])
        print(f"{case.name}: d and g losses {losses}; float64 within {entry['float64']['largest_loss_difference']}")


if __name__ == "__main__":
    main()

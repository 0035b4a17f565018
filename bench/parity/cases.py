"""What is computed: the nets, and every number that goes in (weights, images, latents).

Needs numpy only, so that check.py can start from the same definitions without Keras.
README.md states the same rules in words, for the Rust test that repeats them.
"""

from dataclasses import dataclass

import numpy as np

STEPS = 3


@dataclass(frozen=True)
class Case:
    """One pair of nets and the settings of its three steps."""

    name: str
    seed: int
    latent: int
    batch: int
    rate: float
    image: tuple  # height, width, channels
    generator: tuple  # layer lines, in the recipes' syntax
    discriminator: tuple
    parameters: dict | None = None  # the design's [total, trainable], full nets only
    keep_weights: bool = True  # small nets only: the full ones would fill 7 MB
    step: str = "lab"  # or "mixed", "cgan", "wgan-gp" (steps.py)
    betas: tuple = (0.9, 0.999)
    classes: int = 0
    n_critic: int = 1


def lines(text):
    return tuple(line.strip() for line in text.split(";"))


BLOCK = "batchnorm; leakyrelu 0.2"


def critic(a, b, c, end="flatten"):
    convs = "; ".join(f"conv {n} 4x4 stride 2; leakyrelu 0.2" for n in (a, b, c))
    return lines(f"{convs}; {end}; dense 1; sigmoid")


def fidle_generator(side, base, first, second):
    return lines(
        f"dense {side}*{side}*{base}; reshape {side} {side} {base}; upsample 2; conv {first} 3x3; relu;"
        f"upsample 2; conv {second} 3x3; relu; conv 1 5x5; sigmoid"
    )


def tp_generator(side, base, first, second):
    """`first` and `second` are the filters, size and stride of the transposed convolutions."""
    return lines(
        f"dense {side}*{side}*{base}; reshape {side} {side} {base}; {BLOCK};"
        f"convtranspose {first}; {BLOCK}; convtranspose {second}; {BLOCK}; conv 1 5x5; sigmoid"
    )


CASES = (
    Case("tp-small", 1, 8, 6, 2e-4, (8, 8, 1), tp_generator(4, 6, "5 5x5", "4 4x4 stride 2"), critic(4, 6, 8)),
    Case("fidle-small", 2, 8, 6, 1e-4, (12, 12, 1), fidle_generator(3, 4, 5, 6), critic(4, 6, 6, "flatten; dropout 0")),
    # 7 -> 4 with size 4, stride 2: the odd padding pixel. Also a stride-1 transpose of even size.
    Case("tp-odd", 3, 5, 6, 2e-4, (7, 7, 1), tp_generator(7, 3, "4 5x5", "3 4x4"), critic(4, 5, 6)),
    Case(
        "tp",
        4,
        32,
        16,
        2e-4,
        (28, 28, 1),
        tp_generator(14, 128, "128 5x5", "256 4x4 stride 2"),
        critic(64, 128, 256),
        {"generator": [1770625, 1769601], "discriminator": [660929, 660929]},
        False,
    ),
    Case(
        "fidle",
        5,
        128,
        16,
        1e-4,
        (28, 28, 1),
        fidle_generator(7, 64, 128, 256),
        critic(64, 128, 128, "flatten; dropout 0"),
        {"generator": [779969, 779969], "discriminator": [396609, 396609]},
        False,
    ),
    Case(
        "dropout-small",
        6,
        8,
        6,
        1e-4,
        (12, 12, 1),
        fidle_generator(3, 4, 5, 6),
        critic(4, 6, 6, "flatten; dropout 0.2"),
        step="mixed",
    ),
    Case(
        "batchnorm-small",
        7,
        8,
        6,
        2e-4,
        (8, 8, 1),
        tp_generator(4, 6, "5 5x5", "4 4x4 stride 2"),
        lines(f"conv 4 4x4 stride 2; leakyrelu 0.2; conv 6 4x4 stride 2; {BLOCK}; flatten; dense 1; sigmoid"),
        step="mixed",
    ),
    Case(
        "cgan-small",
        8,
        8,
        6,
        2e-4,
        (8, 8, 1),
        ("embedding 3", *tp_generator(4, 6, "5 5x5", "4 4x4 stride 2")),
        ("embedding 1", *critic(4, 6, 8)),
        step="cgan",
        classes=4,
    ),
    Case(
        "wgan-gp-small",
        9,
        8,
        6,
        2e-4,
        (12, 12, 1),
        fidle_generator(3, 4, 5, 6),
        critic(4, 6, 6)[:-1],
        step="wgan-gp",
        betas=(0.5, 0.9),
        n_critic=2,
    ),
)


def uniform(seed, shape):
    """splitmix64 from `seed`; the top 24 bits of each output give a float32 in [0, 1), exactly."""
    count = np.uint64(int(np.prod(shape)))
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + np.uint64(1), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return ((z >> np.uint64(40)).astype(np.float32) / np.float32(2**24)).reshape(shape)


def symmetric(seed, shape):
    """The same in [-1, 1), also exact in float32."""
    return 2 * uniform(seed, shape) - 1


def kernel(case, k, shape):
    """Initial value of the case's k-th weight tensor: Glorot uniform, one float32 product per value.

    Dense [in, out]; conv [kh, kw, in, out]; convtranspose [kh, kw, out, in]: the limit is the same
    whichever of the last two axes is called in.
    """
    taps = int(np.prod(shape[:-2]))
    limit = np.float32(np.sqrt(6.0 / (taps * (shape[-2] + shape[-1]))))
    return symmetric(case.seed * 1000 + k, shape) * limit


def table(case, net, shape):
    """Initial value of an `embedding` table; `net` is 0 for the generator's, 1 for the discriminator's."""
    return symmetric(case.seed * 1000 + 800 + net, shape) * np.float32(0.5)


def labels(case, step, half):
    """A class for each image; real and generated images of one step have the same."""
    offset = {"d": 0, "g": 2}[half]
    return ((np.arange(case.batch) + step + offset) % case.classes).astype(np.int32)[:, None]


def alphas(case, turn):
    """Where on the line from a generated image (0) to a real one (1) the gradient penalty is taken."""
    return uniform(case.seed * 1000 + 900 + turn, (case.batch, 1, 1, 1))


def real_images(case, step):
    return uniform(case.seed * 1000 + 500 + step, (case.batch, *case.image))


def latents(case, step, half):
    """`half` is "d" or "g": each half of the step draws its own z."""
    offset = {"d": 600, "g": 700}[half]
    return symmetric(case.seed * 1000 + offset + step, (case.batch, case.latent))

"""Runs that nobody tuned the doctor on: failures and healthy trainings on data, nets and seeds that its thresholds were not
set with. Each list was written, and committed, before any of its runs was made. After the first one three rules were
changed, after the second three again (docs/results/doctor.md), so that the third is the one that nothing was fitted to.

    FAUSSAIRE_DATA=DIR python unseen.py --list 3 --binary target/release/faussaire -o FOLDER [--only WORD]

A failure must be named by the right word first, by a fifth of the run's steps (failing runs are stopped after three
tenths); a healthy run must end without a finding. Runs that are there already are not made again. Prints a Markdown table.
"""

import argparse
import json
import signal
import subprocess
import time
from pathlib import Path

BASES = {
    # 28x28, grey: transposed convolutions, tanh, dropout; unlike the nets of crates/cli/tests/doctor.
    "grey": """
latent = 24
[generator]
layers = ["dense 7*7*24", "reshape 7 7 24", "batchnorm", "relu", "convtranspose 16 4x4 stride 2", "batchnorm", "relu",
          "convtranspose 1 4x4 stride 2", "tanh"]
adam = { learning_rate = 1e-3, beta1 = 0.5 }
[discriminator]
layers = ["conv 12 5x5 stride 2", "leakyrelu 0.2", "dropout 0.2", "conv 24 5x5 stride 2", "leakyrelu 0.2", "dropout 0.2",
          "flatten", "dense 1"]
adam = { learning_rate = 5e-4, beta1 = 0.5 }
[train]
batch = 32
steps = 800
ema = 0.99
sheet_every = 1
""",
    # 32x32, colour, no batch normalisation in D nor G.
    "colour": """
latent = 40
[generator]
layers = ["dense 8*8*16", "reshape 8 8 16", "leakyrelu 0.2", "upsample 2", "conv 16 3x3", "pixelnorm", "leakyrelu 0.2",
          "upsample 2", "conv 12 3x3", "pixelnorm", "leakyrelu 0.2", "conv 3 3x3", "sigmoid"]
adam = { learning_rate = 1e-3, beta1 = 0.5 }
[discriminator]
layers = ["conv 12 4x4 stride 2", "leakyrelu 0.2", "conv 24 4x4 stride 2", "leakyrelu 0.2", "conv 24 4x4 stride 2",
          "leakyrelu 0.2", "flatten", "dense 1"]
adam = { learning_rate = 7e-4, beta1 = 0.5 }
[train]
batch = 24
steps = 800
ema = 0.99
sheet_every = 1
""",
    # 32x32, colour, faces: transposed convolutions, batch normalisation in both nets, each half of the batch on its own.
    "faces": """
latent = 20
[data]
size = 32
[generator]
layers = ["dense 4*4*32", "reshape 4 4 32", "batchnorm", "relu", "convtranspose 24 4x4 stride 2", "batchnorm", "relu",
          "convtranspose 16 4x4 stride 2", "batchnorm", "relu", "convtranspose 3 4x4 stride 2", "tanh"]
adam = { learning_rate = 8e-4, beta1 = 0.5 }
[discriminator]
layers = ["conv 12 4x4 stride 2", "leakyrelu 0.2", "conv 24 4x4 stride 2", "batchnorm", "leakyrelu 0.2",
          "conv 24 4x4 stride 2", "batchnorm", "leakyrelu 0.2", "flatten", "dense 1"]
adam = { learning_rate = 4e-4, beta1 = 0.5 }
[train]
batch = 20
steps = 900
joint_batch = false
ema = 0.99
sheet_every = 1
""",
    # 28x28 drawings: dense nets throughout.
    "dense": """
latent = 12
[generator]
layers = ["dense 128", "leakyrelu 0.2", "dense 256", "leakyrelu 0.2", "dense 784", "reshape 28 28 1", "sigmoid"]
adam = { learning_rate = 5e-4, beta1 = 0.5 }
[discriminator]
layers = ["flatten", "dense 128", "leakyrelu 0.2", "dropout 0.3", "dense 64", "leakyrelu 0.2", "dropout 0.3", "dense 1"]
adam = { learning_rate = 3e-4, beta1 = 0.5 }
[train]
batch = 48
steps = 1100
ema = 0.99
sheet_every = 1
""",
    # Points: tanh nets, large batch, cross-entropy.
    "tanh": """
latent = 3
[generator]
layers = ["dense 80 init normal 2", "tanh", "dense 80 init he", "tanh", "dense 2"]
adam = { learning_rate = 2e-3, beta1 = 0.5, beta2 = 0.99 }
[discriminator]
layers = ["dense 80 init he", "leakyrelu 0.2", "dense 80 init he", "leakyrelu 0.2", "dense 1"]
adam = { learning_rate = 2e-3, beta1 = 0.5, beta2 = 0.99 }
[train]
penalties = { r1 = 0.003 }
batch = 128
steps = 2400
ema = 0.99
sheet_every = 1
""",
    # 28x28: a residual generator, a discriminator with layer normalisation, least squares.
    "residual": """
latent = 16
[generator]
layers = ["dense 7*7*16 init he", "reshape 7 7 16", "residual", "leakyrelu 0.2", "conv 16 3x3 init he", "add", "upsample 2",
          "conv 16 3x3 init he", "leakyrelu 0.2", "upsample 2", "conv 1 5x5", "sigmoid"]
adam = { learning_rate = 1e-3, beta1 = 0.0, beta2 = 0.99 }
[discriminator]
layers = ["conv 12 4x4 stride 2", "leakyrelu 0.2", "conv 24 4x4 stride 2", "groupnorm 4", "leakyrelu 0.2", "conv 32 4x4 stride 2",
          "leakyrelu 0.2", "flatten", "dense 1"]
adam = { learning_rate = 5e-4, beta1 = 0.0, beta2 = 0.99 }
[train]
loss = "least-squares"
batch = 24
steps = 1000
ema = 0.99
sheet_every = 1
""",
    # 24x24, colour, small drawings of faces: wide and shallow.
    "shallow": """
latent = 28
[data]
size = 24
[generator]
layers = ["dense 6*6*32", "reshape 6 6 32", "batchnorm", "relu", "upsample 4", "conv 16 5x5", "batchnorm", "relu", "conv 3 3x3", "tanh"]
adam = { learning_rate = 1e-3, beta1 = 0.5 }
[discriminator]
layers = ["conv 24 6x6 stride 3", "leakyrelu 0.2", "conv 32 4x4 stride 2", "leakyrelu 0.2", "flatten", "dropout 0.2", "dense 1"]
adam = { learning_rate = 4e-4, beta1 = 0.5 }
[train]
batch = 28
steps = 900
ema = 0.99
sheet_every = 1
""",
    # Points: relu nets, latents of 4, hinge with R1.
    "points": """
latent = 4
[generator]
layers = ["dense 96 init he", "relu", "dense 96 init he", "relu", "dense 2"]
adam = { learning_rate = 1e-3, beta1 = 0.5, beta2 = 0.99 }
[discriminator]
layers = ["dense 96 init he", "leakyrelu 0.1", "dense 96 init he", "leakyrelu 0.1", "dense 1"]
adam = { learning_rate = 1e-3, beta1 = 0.5, beta2 = 0.99 }
[train]
loss = "hinge"
penalties = { r1 = 0.01 }
batch = 96
steps = 3000
ema = 0.99
sheet_every = 1
""",
}

PLAIN_GREY = (
    'generator.layers=["dense 7*7*24", "reshape 7 7 24", "relu", "convtranspose 16 4x4 stride 2", "relu", '
    '"convtranspose 1 4x4 stride 2", "tanh"]'
)
DEAF_GREY = (
    'generator.layers=["dense 7*7*24 init zeros", "reshape 7 7 24", "batchnorm", "relu", "convtranspose 16 4x4 stride 2 init zeros", '
    '"batchnorm", "relu", "convtranspose 1 4x4 stride 2", "tanh"]'
)
DEAF_COLOUR = (
    'generator.layers=["dense 8*8*16 init zeros", "reshape 8 8 16", "leakyrelu 0.2", "upsample 2", "conv 16 3x3 init zeros", '
    '"leakyrelu 0.2", "upsample 2", "conv 12 3x3", "leakyrelu 0.2", "conv 3 3x3", "sigmoid"]'
)
DEAF_POINTS = 'generator.layers=["dense 96 init zeros", "relu", "dense 96 init zeros", "relu", "dense 2"]'
TEN = ["data.count=10", "train.batch=10", "train.sheet_every=40", "train.steps=6000"]
TEN_DENSE = [
    'generator.layers=["dense 160", "leakyrelu 0.2", "dense 784", "reshape 28 28 1", "sigmoid"]',
    'discriminator.layers=["flatten", "dense 96", "leakyrelu 0.2", "dense 1"]',
    "train.penalties={ r1 = 0.2 }",
]

# name, base, data, expected first finding, changes
FAILING_1 = [
    ("D far too strong", "grey", "fashion-mnist", "overpowering-discriminator",
     ["discriminator.adam.learning_rate=2e-2", "generator.adam.learning_rate=5e-5"]),
    ("D far too strong", "colour", "cifar10", "overpowering-discriminator",
     ["discriminator.adam.learning_rate=5e-3", "generator.adam.learning_rate=2e-5", "train.n_critic=2"]),
    ("D far too strong", "points", "grid", "overpowering-discriminator",
     ["train.loss=nonsaturating", "train.penalties={}", "discriminator.adam.learning_rate=1e-2", "generator.adam.learning_rate=2e-6"]),
    ("D far too weak", "grey", "quickdraw:apple", "helpless-discriminator", ["discriminator.adam.learning_rate=3e-8"]),
    ("D far too weak", "colour", "cifar10", "helpless-discriminator", ["discriminator.adam.learning_rate=3e-8"]),
    ("G's rate too high", "grey", "fashion-mnist", "restless-generator", ["generator.adam.learning_rate=0.15", PLAIN_GREY]),
    ("G's rate too high", "points", "grid", "restless-generator", ["generator.adam.learning_rate=0.3"]),
    ("latent of 1", "grey", "fashion-mnist", "narrow-latent", ["latent=1"]),
    ("latent of 1", "grey", "quickdraw:cat", "narrow-latent", ["latent=1"]),
    ("latent of 1", "colour", "cifar10", "narrow-latent", ["latent=1"]),
    ("no noise", "grey", "fashion-mnist", "collapse", [DEAF_GREY]),
    ("no noise", "colour", "cifar10", "collapse", [DEAF_COLOUR]),
    ("no noise", "points", "grid", "collapse", [DEAF_POINTS]),
    ("NaN on purpose", "grey", "quickdraw:apple", "diverged",
     ["train.loss=least-squares", "generator.adam.learning_rate=5", "discriminator.adam.learning_rate=5"]),
    ("NaN on purpose", "colour", "cifar10", "diverged",
     ["train.loss=wasserstein", "train.penalties={ wgan-gp = 10.0 }", "generator.adam.learning_rate=5", "discriminator.adam.learning_rate=5"]),
    ("ten images", "grey", "fashion-mnist", "copying", TEN + TEN_DENSE),
    ("ten images", "grey", "quickdraw:bicycle", "copying", TEN + TEN_DENSE),
]  # fmt: skip

HEALTHY_1 = [
    ("as it is", "grey", "fashion-mnist", []),
    ("as it is", "grey", "quickdraw:apple", []),
    ("as it is", "grey", "quickdraw:cat", []),
    ("as it is", "grey", "mnist", []),
    ("relativistic, R1 and R2", "grey", "fashion-mnist", ["train.loss=relativistic", "train.penalties={ r1 = 1.0, r2 = 1.0 }"]),
    ("wgan-gp", "grey", "quickdraw:apple", ["train.loss=wasserstein", "train.penalties={ wgan-gp = 10.0 }",
                                            "train.n_critic=2", "discriminator.adam.beta2=0.9"]),
    ("hinge, spectral", "grey", "mnist", ["train.loss=hinge", "discriminator.spectral=true"]),
    ("augmented, a fifth held out", "grey", "fashion-mnist", ["train.augment.kinds=[\"translation\", \"cutout\"]", "train.held_out=0.2"]),
    ("as it is", "colour", "cifar10", []),
    ("least squares", "colour", "cifar10", ["train.loss=least-squares"]),
    ("relativistic, R1 and R2", "colour", "cifar10", ["train.loss=relativistic", "train.penalties={ r1 = 1.0, r2 = 1.0 }"]),
    ("as it is", "points", "ring", []),
    ("as it is", "points", "grid", []),
    ("relativistic, R1 and R2", "points", "grid", ["train.loss=relativistic", "train.penalties={ r1 = 0.001, r2 = 0.001 }"]),
]  # fmt: skip

DEAF_FACES = (
    'generator.layers=["dense 4*4*32 init zeros", "reshape 4 4 32", "batchnorm", "relu", "convtranspose 24 4x4 stride 2 init zeros", '
    '"batchnorm", "relu", "convtranspose 16 4x4 stride 2", "batchnorm", "relu", "convtranspose 3 4x4 stride 2", "tanh"]'
)
DEAF_DENSE = (
    'generator.layers=["dense 128 init zeros", "leakyrelu 0.2", "dense 256 init zeros", "leakyrelu 0.2", "dense 784", '
    '"reshape 28 28 1", "sigmoid"]'
)
TEN_AGAIN = ["data.count=10", "train.batch=10", "train.sheet_every=50", "train.steps=8000"]

FAILING_2 = [
    ("D far too strong", "faces", "celeba", "overpowering-discriminator",
     ["discriminator.adam.learning_rate=3e-3", "generator.adam.learning_rate=1e-5", "train.n_critic=4"]),
    ("D far too strong", "dense", "quickdraw:eye", "overpowering-discriminator",
     ["discriminator.adam.learning_rate=5e-3", "generator.adam.learning_rate=1e-6"]),
    ("D far too strong", "tanh", "ring", "overpowering-discriminator",
     ["train.penalties={}", "discriminator.adam.learning_rate=2e-2", "generator.adam.learning_rate=2e-6", "train.n_critic=3"]),
    ("D far too weak", "dense", "fashion-mnist", "helpless-discriminator", ["discriminator.adam.learning_rate=1e-8"]),
    ("D far too weak", "tanh", "grid", "helpless-discriminator", ["discriminator.adam.learning_rate=1e-8"]),
    ("G's rate too high", "dense", "quickdraw:duck", "restless-generator", ["generator.adam.learning_rate=0.3"]),
    ("G's rate too high", "dense", "fashion-mnist", "restless-generator", ["generator.adam.learning_rate=0.1"]),
    ("G's rate too high", "tanh", "ring", "restless-generator", ["generator.adam.learning_rate=0.4"]),
    ("latent of 1", "faces", "celeba", "narrow-latent", ["latent=1"]),
    ("latent of 1", "dense", "quickdraw:eye", "narrow-latent", ["latent=1"]),
    ("no noise", "faces", "celeba", "collapse", [DEAF_FACES]),
    ("no noise", "dense", "quickdraw:duck", "collapse", [DEAF_DENSE]),
    ("NaN on purpose", "dense", "fashion-mnist", "diverged",
     ["train.loss=least-squares", "generator.adam.learning_rate=8", "discriminator.adam.learning_rate=8"]),
    ("NaN on purpose", "tanh", "ring", "diverged",
     ["train.loss=least-squares", "train.penalties={}", "generator.adam.learning_rate=9", "discriminator.adam.learning_rate=9"]),
    ("ten images", "dense", "mnist", "copying", TEN_AGAIN),
    ("ten images", "dense", "quickdraw:duck", "copying", TEN_AGAIN),
]  # fmt: skip

HEALTHY_2 = [
    ("as it is", "faces", "celeba", []),
    ("relativistic, R1 and R2", "faces", "celeba",
     ["train.loss=relativistic", "train.penalties={ r1 = 1.0, r2 = 1.0 }", "discriminator.layers=[\"conv 12 4x4 stride 2\", "
      "\"leakyrelu 0.2\", \"conv 24 4x4 stride 2\", \"leakyrelu 0.2\", \"flatten\", \"dense 1\"]"]),
    ("as it is", "dense", "mnist", []),
    ("as it is", "dense", "fashion-mnist", []),
    ("as it is", "dense", "quickdraw:duck", []),
    ("smoothed, a tenth held out", "dense", "mnist", ["train.smoothing=0.1", "train.held_out=0.1"]),
    ("hinge", "dense", "quickdraw:eye", ["train.loss=hinge"]),
    ("wgan-gp", "dense", "fashion-mnist", ["train.loss=wasserstein", "train.penalties={ wgan-gp = 10.0 }", "train.n_critic=3"]),
    ("as it is", "tanh", "ring", []),
    ("relativistic, R1 and R2", "tanh", "ring", ["train.loss=relativistic", "train.penalties={ r1 = 0.001, r2 = 0.001 }"]),
    ("relativistic, R1 and R2", "tanh", "grid", ["train.loss=relativistic", "train.penalties={ r1 = 0.001, r2 = 0.001 }"]),
]  # fmt: skip

DEAF_RESIDUAL = (
    'generator.layers=["dense 7*7*16 init zeros", "reshape 7 7 16", "leakyrelu 0.2", "upsample 2", "conv 16 3x3 init he", "leakyrelu 0.2", '
    '"upsample 2", "conv 1 5x5", "sigmoid"]'
)
DEAF_SHALLOW = (
    'generator.layers=["dense 6*6*32 init zeros", "reshape 6 6 32", "relu", "upsample 4", "conv 16 5x5 init zeros", "relu", '
    '"conv 3 3x3", "tanh"]'
)

FAILING_3 = [
    ("D far too strong", "residual", "quickdraw:frog", "overpowering-discriminator",
     ["discriminator.adam.learning_rate=5e-3", "generator.adam.learning_rate=1e-6", "train.n_critic=2"]),
    ("D far too strong", "shallow", "celeba", "overpowering-discriminator",
     ["discriminator.adam.learning_rate=1e-2", "generator.adam.learning_rate=2e-6", "train.n_critic=3"]),
    ("D far too strong", "dense", "mnist", "overpowering-discriminator",
     ["discriminator.adam.learning_rate=4e-3", "generator.adam.learning_rate=3e-6"]),
    ("D far too weak", "residual", "mnist", "helpless-discriminator", ["discriminator.adam.learning_rate=2e-8"]),
    ("D far too weak", "shallow", "cifar10", "helpless-discriminator", ["discriminator.adam.learning_rate=2e-8"]),
    ("G's rate too high", "residual", "quickdraw:rainbow", "restless-generator", ["generator.adam.learning_rate=0.2"]),
    ("G's rate too high", "dense", "quickdraw:frog", "restless-generator", ["generator.adam.learning_rate=0.2"]),
    ("G's rate too high", "tanh", "grid", "restless-generator", ["generator.adam.learning_rate=0.3"]),
    ("latent of 1", "residual", "quickdraw:frog", "narrow-latent", ["latent=1"]),
    ("latent of 1", "shallow", "celeba", "narrow-latent", ["latent=1"]),
    ("no noise", "residual", "quickdraw:rainbow", "collapse", [DEAF_RESIDUAL]),
    ("no noise", "shallow", "celeba", "collapse", [DEAF_SHALLOW]),
    ("no noise", "points", "ring", "collapse", [DEAF_POINTS]),
    ("NaN on purpose", "residual", "mnist", "diverged", ["generator.adam.learning_rate=6", "discriminator.adam.learning_rate=6"]),
    ("NaN on purpose", "shallow", "celeba", "diverged",
     ["train.loss=wasserstein", "train.penalties={ r1 = 10.0 }", "generator.adam.learning_rate=6", "discriminator.adam.learning_rate=6"]),
    ("ten images", "dense", "fashion-mnist", "copying", TEN_AGAIN),
    ("ten images", "dense", "quickdraw:frog", "copying", TEN_AGAIN),
]  # fmt: skip

HEALTHY_3 = [
    ("as it is", "residual", "mnist", []),
    ("as it is", "residual", "quickdraw:frog", []),
    ("relativistic, R1 and R2", "residual", "fashion-mnist", ["train.loss=relativistic", "train.penalties={ r1 = 1.0, r2 = 1.0 }"]),
    ("hinge", "residual", "quickdraw:rainbow", ["train.loss=hinge"]),
    ("as it is", "shallow", "celeba", []),
    ("as it is", "shallow", "cifar10", []),
    ("wgan-gp", "shallow", "celeba", ["train.loss=wasserstein", "train.penalties={ wgan-gp = 10.0 }", "train.n_critic=2"]),
    ("augmented", "shallow", "cifar10", ["train.augment.kinds=[\"colour\", \"translation\"]"]),
    # None with the dense nets: on the second list they turned out to be no healthy recipe, all their images are one.
    ("smoothed", "residual", "mnist", ["train.loss=nonsaturating", "train.smoothing=0.1"]),
    ("as it is", "shallow", "quickdraw:rainbow", ["data.channels=3"]),
    ("least squares", "tanh", "ring", ["train.loss=least-squares"]),
    ("wgan-gp", "points", "ring", ["train.loss=wasserstein", "train.penalties={ wgan-gp = 1.0 }", "train.n_critic=3"]),
]  # fmt: skip

LISTS = {1: (FAILING_1, HEALTHY_1, [10, 11]), 2: (FAILING_2, HEALTHY_2, [20, 21]), 3: (FAILING_3, HEALTHY_3, [30, 31])}


def events(run):
    log = run / "events.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def train(binary, run, base, data, changes, seed, stop_at):
    """Trains `run`, unless it is there; one that is to fail is stopped after `stop_at` of its steps."""
    done = run / "done"
    if done.exists():
        return
    recipe = run.parent / f"{base}.toml"
    recipe.write_text(BASES[base])
    command = [
        binary,
        "train",
        data,
        "--config",
        recipe,
        "--run",
        run,
        "--seed",
        str(seed),
        "--threads",
        "1",
        "--quiet",
    ]
    command += [word for change in changes for word in ("--set", change)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        time.sleep(0.3)
        log = events(run)
        steps = log[0]["steps"] if log else 0
        if steps and max((e.get("step", 0) for e in log), default=0) > stop_at * steps:
            process.send_signal(signal.SIGINT)
            process.wait()
    error = process.stderr.read()
    if process.returncode != 0 and "loss is" not in error:
        raise SystemExit(f"{command}: {error}")
    done.touch()


def outcome(run):
    log = events(run)
    steps = log[0]["steps"]
    return steps, [(e["name"], e["step"]) for e in log if e["event"] == "finding"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", type=int, choices=LISTS, required=True)
    parser.add_argument("--binary", required=True)
    parser.add_argument("-o", type=Path, required=True, dest="out")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    failing, healthy, seeds = LISTS[options.list]
    failing = [(*case[:3], case[4], case[3]) for case in failing]
    right = {True: 0, False: 0}
    print(
        "| recipe | data | expected | first finding at step (share), a seed each | also |\n| --- | --- | --- | --- | --- |"
    )
    for number, (name, base, data, changes, expected) in enumerate(failing + [(*case, None) for case in healthy]):
        if options.only not in f"{name} {base} {data}":
            continue
        cells, also = [], set()
        for seed in seeds:
            run = options.out / f"{number:02}-{seed}"
            train(options.binary, run, base, data, changes, seed, 0.3 if expected else 2.0)
            steps, found = outcome(run)
            first = found[0] if found else None
            good = (
                first is None
                if expected is None
                else first is not None and first[0] == expected and 5 * first[1] <= steps
            )
            right[good] += 1
            also |= {name for name, _ in found[1:]}
            cells.append(
                ("" if good else "**wrong:** ")
                + (f"`{first[0]}` {first[1]} ({first[1] / steps:.0%})" if first else "nothing")
            )
        wanted = f"`{expected}`" if expected else "nothing"
        print(
            f"| {name} ({base}) | {data} | {wanted} | {', '.join(cells)} | {', '.join(f'`{a}`' for a in sorted(also))} |",
            flush=True,
        )
    print(f"\n{right[True]} right, {right[False]} wrong.")


if __name__ == "__main__":
    main()

"""Fifteen failures that no rule of the doctor was written for. The list, with what ought to be said, was written and committed before
any of its runs was made; each is made once, to its end (docs/results/doctor.md).

    FAUSSAIRE_DATA=DIR python strange.py --binary target/release/faussaire -o FOLDER [--only WORD]

Prints a Markdown table: the remarks before step 1, the findings, what is said at the end, and the last score beside that of the
healthy recipe. Runs that are there already are not made again.
"""

import argparse
import json
import re
import subprocess
from pathlib import Path

from unseen import BASES

LAYERS = {
    "linear": 'generator.layers=["dense 7*7*24", "reshape 7 7 24", "batchnorm", "convtranspose 16 4x4 stride 2", "batchnorm", '
    '"convtranspose 1 4x4 stride 2", "tanh"]',
    "dropped": 'discriminator.layers=["conv 12 5x5 stride 2", "leakyrelu 0.2", "dropout 0.95", "conv 24 5x5 stride 2", '
    '"leakyrelu 0.2", "dropout 0.95", "flatten", "dense 1"]',
    "relu": 'generator.layers=["dense 7*7*24", "reshape 7 7 24", "batchnorm", "relu", "convtranspose 16 4x4 stride 2", "batchnorm", '
    '"relu", "convtranspose 1 4x4 stride 2", "relu"]',
    "wide_g": 'generator.layers=["dense 7*7*24 init normal 20", "reshape 7 7 24", "relu", "convtranspose 16 4x4 stride 2 init normal 20", '
    '"relu", "convtranspose 1 4x4 stride 2 init normal 20", "tanh"]',
    "wide_d": 'discriminator.layers=["conv 12 5x5 stride 2 init normal 20", "leakyrelu 0.2", "conv 24 5x5 stride 2 init normal 20", '
    '"leakyrelu 0.2", "flatten", "dense 1 init normal 20"]',
}
ADAM = ["generator.adam", "discriminator.adam"]
CRITIC = ["train.loss=wasserstein", "train.n_critic=2"]

# name, data, what ought to be found ("" is nothing), changes to the base "grey"
RUNS = [
    ("healthy", "fashion-mnist", "", []),
    ("beta1 0.99, beta2 0.9999", "fashion-mnist", "any of restless, erratic, past-best, collapse",
     [f"{net}.{beta}" for net in ADAM for beta in ("beta1=0.99", "beta2=0.9999")]),
    ("D updated 20 times per step", "fashion-mnist", "overpowering-discriminator", ["train.n_critic=20"]),
    ("G without activations", "fashion-mnist", "", [LAYERS["linear"]]),
    ("one image, 300 times", "one", "", []),
    ("all images black", "black", "", []),
    ("noise 9.9 times the range", "fashion-mnist", "helpless or dead discriminator", ["train.noise=9.9"]),
    ("dropout 0.95 twice in D", "fashion-mnist", "helpless or dead discriminator", [LAYERS["dropped"]]),
    ("rates of G and D exchanged", "fashion-mnist", "",
     ["generator.adam.learning_rate=5e-4", "discriminator.adam.learning_rate=1e-3"]),
    ("WGAN-GP, weight 1000", "fashion-mnist", "", [*CRITIC, "train.penalties={ wgan-gp = 1000.0 }"]),
    ("WGAN-GP, weight 1e-6", "fashion-mnist", "any of diverged, erratic, restless", [*CRITIC, "train.penalties={ wgan-gp = 1e-6 }"]),
    ("latent of 10,000", "fashion-mnist", "", ["latent=10000"]),
    ("G ends in relu", "fashion-mnist", "refused, or a remark", [LAYERS["relu"]]),
    ("EMA decay 0.9999999", "fashion-mnist", "a remark, or what a look at the images shows", ["train.ema=0.9999999"]),
    ("labels exchanged at random", "shuffled", "", ["--conditional"]),
    ("weights of standard deviation 20", "fashion-mnist", "any of diverged, overpowering, restless, erratic",
     [LAYERS["wide_g"], LAYERS["wide_d"]]),
]  # fmt: skip


def make_data(folder):
    """Images as .npy and .npz: one image 300 times, black ones, and three kinds of bars with labels that tell nothing."""
    import numpy as np

    random = np.random.default_rng(0)
    one = np.zeros((28, 28), np.uint8)
    one[8:20, 10:14] = 255
    bars = np.zeros((3000, 28, 28), np.uint8)
    for image in bars:
        at = random.integers(4, 22)
        image[at : at + 3, 2:26] = random.integers(100, 255)
    np.save(folder / "one.npy", np.repeat(one[None], 300, 0))
    np.save(folder / "black.npy", np.zeros((300, 28, 28), np.uint8))
    np.savez(folder / "shuffled.npz", x_train=bars, y_train=random.integers(0, 3, 3000).astype(np.uint8))


def train(options, number, data, changes):
    """Makes the run unless it is there; gives its log and what was printed."""
    run = options.out / f"{number:02}"
    said = options.out / f"{number:02}.txt"
    if not said.exists():
        made = {path.stem: path for path in options.out.glob("*.np?")}
        recipe = options.out / "grey.toml"
        recipe.write_text(BASES["grey"])
        command = [options.binary, "train", made.get(data, data), "--config", recipe, "--run", run, "--seed", "40"]
        command += ["--threads", "1", "--precision", "f32"]
        for change in changes:
            command += [change] if change.startswith("--") else ["--set", change]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        said.write_text(result.stderr + result.stdout)
    log = run / "events.jsonl"
    events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return events, said.read_text()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("-o", type=Path, required=True, dest="out")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if not (options.out / "one.npy").exists():
        make_data(options.out)
    print(
        "| failure | ought to be found | remarks | found, at step | at the end | score |\n| --- | --- | --- | --- | --- | --- |"
    )
    for number, (name, data, expected, changes) in enumerate(RUNS):
        if options.only not in name:
            continue
        events, said = train(options, number, data, changes)
        remarks = re.findall(r"^(?:remark|error): (.{0,70})", said, re.M)
        found = [f"{e['name']} {e['step']}" for e in events if e["event"] == "finding"]
        scores = [e["value"] for e in events if e["event"] == "score" and e["name"].startswith("sliced")]
        end = re.search(r"^  doctor +(.*)", said, re.M)
        score = f"{scores[-1]:.3f}" if scores else ""
        cells = [name, expected or "nothing", "; ".join(remarks), ", ".join(found), end.group(1) if end else "", score]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()

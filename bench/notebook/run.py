#!/usr/bin/env python3
"""The lab of the course, cell by cell, in Faussaire's Python package, Keras and PyTorch on the same cores: three epochs over
6,000 images of MNIST, each in a process of its own, from its start to its end. Prints a table, as Markdown.

    python3 bench/notebook/run.py --faussaire PYTHON --data MNIST-FOLDER > table.md

PYTHON is an interpreter of an environment with the wheel (`pip install faussaire`). Makes the peers' environments if they are
missing (see bench/peers/environments.py), or takes --keras PYTHON and --torch PYTHON. Python 3.11 or newer, standard library
only; Linux. Nothing else should run meanwhile: a row that others disturbed is marked.
"""

import argparse
import datetime
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "peers"))
import child  # noqa: E402
import environments  # noqa: E402
from machine import describe  # noqa: E402
from table import BUSY  # noqa: E402

# Row: whose interpreter, the script and its words. The first of a pair of ways is what the others are compared with.
ROWS = {
    "Faussaire, steps": ("faussaire", ["lab.py", "--framework", "faussaire", "--way", "steps"]),
    "Keras, steps": ("keras", ["lab.py", "--framework", "keras", "--way", "steps"]),
    "PyTorch, loop": ("torch", ["torch_lab.py"]),
    "PyTorch, loop, channels last": ("torch", ["torch_lab.py", "--channels-last"]),
    "Faussaire, fit": ("faussaire", ["lab.py", "--framework", "faussaire", "--way", "fit"]),
    "Faussaire, fit, precision auto": (
        "faussaire",
        ["lab.py", "--framework", "faussaire", "--way", "fit", "--precision", "auto"],
    ),
    "Keras, fit": ("keras", ["lab.py", "--framework", "keras", "--way", "fit"]),
}


def parse():
    # fmt: off
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faussaire", required=True, metavar="PYTHON", help="an interpreter that has the wheel")
    parser.add_argument("--keras", metavar="PYTHON", help="an interpreter that has Keras and TensorFlow")
    parser.add_argument("--torch", metavar="PYTHON", help="an interpreter that has PyTorch")
    parser.add_argument("--env", type=Path, default=environments.default_folder(), metavar="DIR",
                        help="where the peers' environments are or will be, also $FAUSSAIRE_BENCH_ENV [%(default)s]")
    parser.add_argument("--data", type=Path, required=True, help="folder with train-images-idx3-ubyte.gz")
    parser.add_argument("--peers", default="faussaire,keras,torch", help="with commas between [%(default)s]")
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single measurement")
    # fmt: on
    return parser.parse_args()


def measured(arguments):
    """Every row in turn, for as many rounds: what its line of JSON says, and how it ended."""
    wanted = arguments.peers.split(",")
    pythons = {"faussaire": arguments.faussaire}
    for peer in {"keras", "torch"} & set(wanted):
        pythons[peer] = getattr(arguments, peer) or environments.interpreter(peer, arguments.env)
    taken = {row: [] for row, (peer, _) in ROWS.items() if peer in wanted}
    amounts = ["--data", str(arguments.data.resolve()), "--images", str(arguments.images)]
    amounts += ["--epochs", str(arguments.epochs), "--threads", str(arguments.threads)]
    with tempfile.TemporaryDirectory(prefix="faussaire-bench-") as folder:
        for number in range(arguments.rounds):
            for row in taken:
                peer, (script, *words) = ROWS[row]
                print(f"round {number + 1}: {row}", file=sys.stderr)
                environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
                environment["LAB_STARTED"] = str(time.time())
                line = ["env", "-C", folder, pythons[peer], str(HERE / script), *words, *amounts]
                ended = child.run(line, environment)
                if ended.status:
                    sys.exit(f"error: {row} ended with status {ended.status}\n{ended.err[-2000:]}")
                said = json.loads(ended.out.strip().splitlines()[-1])
                taken[row].append({**said, "memory_mb": round(ended.memory_mb), "others": ended.others})
    return taken


def span(values):
    """`median (smallest to largest)`; the median alone where there is but one."""
    middle = f"{median(values):.1f}"
    return middle if len(values) < 2 else f"{middle} ({min(values):.1f} to {max(values):.1f})"


def ours(row):
    """The row of ours that a peer's is compared with."""
    return "Faussaire, fit" if "fit" in row else "Faussaire, steps"


def table(arguments, taken, machine):
    """The record as Markdown."""
    yield f"{machine['processor']} ({', '.join(machine['instruction_sets'])}), {machine['cores']} cores; {machine['system']};"
    yield f"{arguments.threads} threads; {arguments.images:,} images of MNIST, {arguments.epochs} epochs, batches of 64; f32 unless"
    yield f"the row says otherwise; {arguments.rounds} rounds in turn; {datetime.date.today().isoformat()}. Seconds, medians (all)."
    yield ""
    yield "| | whole process | it / ours | first picture | it / ours | picture of epoch 1 | peak MB | losses D, G | remarks |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |"
    for row, several in taken.items():
        whole = [one["total_s"] for one in several]
        first = [one["at"]["first picture"] for one in several]
        epoch = [one["at"]["picture of epoch 1"] for one in several]
        ratios = ["", ""]
        if ours(row) in taken and ours(row) != row:
            mine = taken[ours(row)]
            ratios[0] = span([a / b["total_s"] for a, b in zip(whole, mine)])
            ratios[1] = span([a / b["at"]["first picture"] for a, b in zip(first, mine)])
        busy = max(one["others"] for one in several)
        remark = f"BUSY: others had up to {busy:.1f} cores" if busy > BUSY else ""
        losses = f"{several[-1]['d_loss']:.2f}, {several[-1]['g_loss']:.2f}"
        cells = [row, span(whole), ratios[0], span(first), ratios[1], span(epoch)]
        yield "| " + " | ".join([*cells, str(max(one["memory_mb"] for one in several)), losses, remark]) + " |"
    yield ""
    names = list(dict.fromkeys(name for several in taken.values() for name in several[0]["cells"]))
    yield "| cell | " + " | ".join(taken) + " |"
    yield "| --- |" + " ---: |" * len(taken)
    for name in names:
        cells = [
            span([one["cells"][name] for one in several]) if name in several[0]["cells"] else ""
            for several in taken.values()
        ]
        yield f"| {name} | " + " | ".join(cells) + " |"
    yield ""
    versions = {name: version for several in taken.values() for name, version in several[0]["versions"].items()}
    yield "Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + "."


def main():
    arguments = parse()
    machine = describe()
    taken = measured(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": machine, "measured": taken}, indent=1))
    print("\n".join(table(arguments, taken, machine)))


if __name__ == "__main__":
    main()

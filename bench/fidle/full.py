#!/usr/bin/env python3
"""The Fidle notebook "draw me a sheep" at its full scale: 117,555 drawings, the ten epochs that go with scale 1.
The notebook says: 5 to 6 minutes on a V100, over 2 hours on a CPU. Reports minutes.

    python3 bench/fidle/full.py --faussaire target/release/faussaire --drawings aaron_sheep_28x28.npy -o full-sheep

The drawings are a .npy file of bytes, [n, 784] or [n, 28, 28]: where there are fewer than 117,555 they are repeated,
which changes what is learnt but nothing in the work. Leaves drawings, run and report in the folder; `--steps 20` is a
trial. Python 3.11 or newer, standard library only; Linux.
"""

import argparse
import ast
import datetime
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "peers"))
import child  # noqa: E402
from machine import describe  # noqa: E402
from table import BUSY  # noqa: E402

MAGIC = b"\x93NUMPY\x01\x00"


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faussaire", type=Path, required=True, help="the release binary")
    parser.add_argument("--drawings", type=Path, required=True, metavar="FILE.npy")
    parser.add_argument("-o", type=Path, required=True, dest="folder", help="a folder that isn't there yet")
    parser.add_argument("--count", type=int, default=117555, help="drawings in all")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--steps", type=int, help="stop after so many: a trial")
    parser.add_argument("--precision", choices=("f32", "bf16", "auto"), help="handed on, if given")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.folder.exists():
        parser.error(f"-o {arguments.folder}: is there already")
    return arguments


def drawings(path):
    """The bytes of the images, and their number."""
    data = path.read_bytes()
    if not data.startswith(MAGIC):
        raise SystemExit(f"error: {path} is no .npy file of version 1.0")
    start = 10 + int.from_bytes(data[8:10], "little")
    header = ast.literal_eval(data[10:start].decode("latin1"))
    count, *image = header["shape"]
    if header["descr"] not in ("|u1", "u1", "<u1") or header["fortran_order"] or image not in ([784], [28, 28]):
        raise SystemExit(f"error: {path} holds {header}, expected bytes [n, 784] or [n, 28, 28]")
    return data[start : start + 784 * count], count


def repeat(source, target, wanted):
    """Writes `wanted` images to `target`: those of `source`, again and again in their order."""
    pixels, count = drawings(source)
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({wanted}, 784), }}"
    before = len(MAGIC) + 2
    # The pixels begin at a multiple of 64.
    header = header.ljust(-(-(before + len(header) + 1) // 64) * 64 - before - 1) + "\n"
    whole, rest = divmod(wanted, count)
    with open(target, "wb") as file:
        file.write(MAGIC + len(header).to_bytes(2, "little") + header.encode("latin1"))
        for _ in range(whole):
            file.write(pixels)
        file.write(pixels[: 784 * rest])
    return count


def command(arguments, images, run):
    length = ["--steps", arguments.steps] if arguments.steps else ["--epochs", arguments.epochs]
    line = [arguments.faussaire, "train", images, "--preset", "fidle", *length]
    line += ["--threads", arguments.threads, "--run", run]
    if arguments.precision:
        line += ["--precision", arguments.precision]
    return [str(word) for word in line]


def report(arguments, drawn, machine, ended):
    """What came of it, as Markdown."""
    with open(arguments.folder / "run" / "events.jsonl", encoding="utf8") as log:
        events = [json.loads(line) for line in log]
    last = [event for event in events if event["event"] == "step"][-1]
    seen, steps, seconds = last["images"], last["step"], last["train_s"]
    yield f"{arguments.count:,} drawings ({drawn:,} different ones), {last['epoch']:.3f} epochs,"
    yield f"{steps:,} steps of {seen // steps}, {seen:,} images."
    yield f"**{ended.seconds / 60:.2f} minutes** from start to end, {seconds / 60:.2f} of them in steps:"
    yield f"{seen / seconds:.0f} images/s. Peak memory {ended.memory_mb:.0f} MB."
    yield f"Losses at the end: D {last['d_loss']:.3f}, G {last['g_loss']:.3f}."
    yield f"{events[0]['machine']} ({', '.join(machine['instruction_sets'])}); {machine['system']};"
    yield f"{arguments.threads} threads, precision {arguments.precision or 'as by default'};"
    yield f"{datetime.date.today().isoformat()}. Load average at the start {machine['load_average'][0]:.2f};"
    yield f"others used {ended.others:.2f} cores meanwhile{' (BUSY)' if ended.others > BUSY else ''}."
    if arguments.steps:
        yield "A trial, not the full length."


def main():
    arguments = parse()
    arguments.faussaire = arguments.faussaire.resolve(strict=True)
    arguments.folder.mkdir(parents=True)
    images = arguments.folder / "sheep.npy"
    drawn, machine = repeat(arguments.drawings, images, arguments.count), describe()
    line = command(arguments, images, arguments.folder / "run")
    print(" ".join(line), file=sys.stderr)
    ended = child.run(line, shown=True)
    if ended.status:
        print(f"error: the training ended with status {ended.status}", file=sys.stderr)
        return 1
    text = "\n".join(report(arguments, drawn, machine, ended)) + "\n"
    (arguments.folder / "report.md").write_text(text)
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())

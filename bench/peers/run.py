#!/usr/bin/env python3
"""Faussaire beside its peers on this machine: the same nets, batch, precision and threads in Keras, PyTorch and
Faussaire, all rows in turn for several rounds; prints medians and pairwise ratios beside the goals, as Markdown.

    cargo build --release
    python3 bench/peers/run.py --faussaire target/release/faussaire > table.md

Makes the peers' environments if they are missing (several GB, once; see environments.py), or takes --torch PYTHON and
--keras PYTHON. Python 3.11 or newer, standard library only; Linux. Nothing else should run meanwhile: a row that
others disturbed is marked. `--list` shows the rows and why some of them can't run here.
"""

import argparse
import datetime
import fnmatch
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import child
import environments
from faussaire_train import knows_precision
from machine import describe
from rows import rows
from table import markdown

HERE = Path(__file__).resolve().parent
# What a row takes beyond its seconds: imports, compilation, the sheets of a slow machine.
PATIENCE_S = 1800
# Settings in the caller's environment that would change what is measured.
FOREIGN = ("FAUSSAIRE_ISA", "ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "OMP_NUM_THREADS", "OMP_WAIT_POLICY",
           "GOMP_SPINCOUNT", "OMP_PROC_BIND", "TF_ENABLE_ONEDNN_OPTS", "KERAS_BACKEND", "TF_XLA_FLAGS",
           "RAYON_NUM_THREADS", "PYTHONPATH", "MKL_ENABLE_INSTRUCTIONS", "MKL_NUM_THREADS", "KMP_AFFINITY",
           "KMP_BLOCKTIME", "LD_PRELOAD", "GLIBC_TUNABLES", "MALLOC_CONF", "MALLOC_ARENA_MAX",
           "MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")  # fmt: skip

# What the record keeps of a script's line of JSON.
KEPT = ("images_per_s", "cores_used", "steps", "steps_share", "batch_chosen", "seconds_with_start", "versions", "says")


def parse():
    # fmt: off
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faussaire", type=Path, help="the release binary")
    parser.add_argument("--torch", metavar="PYTHON", help="an interpreter that has PyTorch")
    parser.add_argument("--keras", metavar="PYTHON", help="an interpreter that has Keras and TensorFlow")
    parser.add_argument("--env", type=Path, default=environments.default_folder(), metavar="DIR",
                        help="where the peers' environments are or will be, also $FAUSSAIRE_BENCH_ENV [%(default)s]")
    parser.add_argument("--rows", default="*", help="patterns with commas between, such as 'tp/*,*/torch-cl'")
    parser.add_argument("--net", choices=("fidle", "tp"), help="rows of this net only")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0, help="of training per row and round, after the warm-up")
    parser.add_argument("--sample-images", type=int, default=10000, help="a multiple of 250")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cpus", help="keep everything on these cores, such as 0,1")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for ours: change the recipe")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single measurement, after each one")
    parser.add_argument("--show", type=Path, metavar="FILE", help="print the table of such a file, and measure nothing")
    parser.add_argument("--list", action="store_true", help="list the rows, and measure nothing")
    # fmt: on
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.seconds, arguments.sample_images, arguments.batch, arguments.threads) <= 0:
        parser.error("--rounds, --seconds, --sample-images, --batch and --threads must be positive")
    for name in ("faussaire", "torch", "keras"):
        given = getattr(arguments, name)
        if given and not shutil.which(given):
            parser.error(f"--{name} {given}: no such program (hint: cargo build --release makes faussaire)")
    return arguments


def chosen(settings):
    patterns = settings.rows.split(",")
    of_net = [row for row in rows() if settings.net in (None, row.net)]
    return [row for row in of_net if any(fnmatch.fnmatch(row.name, pattern) for pattern in patterns)]


def obstacle(row, machine, settings):
    """Why `row` can't be measured here, or nothing."""
    if reason := row.obstacle(machine):
        return reason
    if row.peer == "faussaire":
        if not settings.faussaire:
            return "no --faussaire BINARY was given"
        if row.precision != "f32" and not knows_precision(settings.faussaire, "train"):
            return "this binary has no --precision"
    if row.peer == "torch" and "--compile" in row.flags and not (shutil.which("g++") or os.environ.get("CXX")):
        return "torch.compile needs a C++ compiler (g++)"
    return None


def interpreters(wanted, settings, skipped):
    """Peer -> Python; rows of a peer that has none go to `skipped`."""
    found = {"faussaire": sys.executable}
    for peer in ("keras", "torch"):
        theirs = [row.name for row in wanted if row.peer == peer]
        if not theirs:
            continue
        try:
            found[peer] = getattr(settings, peer) or environments.interpreter(peer, settings.env)
        except (OSError, subprocess.CalledProcessError) as error:
            reason = f"its environment could not be made ({error}); --{peer} PYTHON names another"
            skipped.update(dict.fromkeys(theirs, reason))
    return found


def measure(row, python, settings):
    """One measurement, or the reason why there is none."""
    environment = {key: value for key, value in os.environ.items() if key not in FOREIGN} | row.environment()
    command = [python, str(HERE / row.script), *row.options(settings)]
    ended = child.run(command, environment, PATIENCE_S + settings.seconds)
    if ended.status:
        said = ended.err.strip().splitlines() or [""]
        return None, f"exit status {ended.status}: {said[-1]}"
    found = json.loads(ended.out.strip().splitlines()[-1])
    if row.sampling and "batch" in found:
        found["batch_chosen"] = found.pop("batch")
    found = {key: found[key] for key in KEPT if key in found}
    found |= {"memory_mb": round(ended.memory_mb, 1), "others": ended.others, "took_s": round(ended.seconds, 1)}
    return found, None


def rounds(wanted, pythons, settings, record):
    """Measures all rows in turn, round after round; a row that fails is not tried again."""
    for number in range(1, settings.rounds + 1):
        for row in wanted:
            if row.name in record["skipped"] or row.name in record["failed"]:
                continue
            taken, reason = measure(row, pythons[row.peer], settings)
            if reason:
                record["failed"][row.name] = reason
                print(f"round {number}: {row.name}: {reason}", file=sys.stderr)
            else:
                note(record, row, {"round": number, **taken})
            if settings.json:
                settings.json.write_text(json.dumps(record, indent=1) + "\n")


def note(record, row, taken):
    record["versions"].update(taken.pop("versions"))
    if (says := taken.pop("says", None)) and says not in record["says"]:
        record["says"].append(says)
    record["measured"].setdefault(row.name, []).append(taken)
    said = f"{taken['images_per_s']:.1f} images/s, {taken['others']} cores busy with others, {taken['took_s']:.0f} s"
    print(f"round {taken['round']}: {row.name}: {said}", file=sys.stderr)


def main():
    settings = parse()
    if settings.show:
        print("\n".join(markdown(json.loads(settings.show.read_text()))))
        return 0
    if settings.cpus:
        os.sched_setaffinity(0, {int(number) for number in settings.cpus.split(",")})
    if settings.faussaire:
        settings.faussaire = settings.faussaire.resolve()
    machine, wanted = describe(), chosen(settings)
    skipped = {row.name: reason for row in wanted if (reason := obstacle(row, machine, settings))}
    if not wanted:
        print(f"error: no row is called {settings.rows}\nhint: --list shows the rows", file=sys.stderr)
        return 2
    if settings.list:
        print("\n".join(f"{row.name}: {skipped.get(row.name, 'can run')}" for row in wanted))
        return 0
    wanted = [row for row in wanted if row.name not in skipped]
    pythons = interpreters(wanted, settings, skipped)
    shown = {key: value for key, value in vars(settings).items() if not isinstance(value, Path)}
    date = datetime.date.today().isoformat()
    # Described again: making environments is load too.
    record = {"date": date, "machine": describe(), "settings": shown, "versions": {}, "says": [], "skipped": skipped,
              "failed": {}, "measured": {}}  # fmt: skip
    rounds(wanted, pythons, settings, record)
    print("\n".join(markdown(record)))
    return 1 if record["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

"""Time the alternating GAN step of a preset through the `faussaire` program itself.

    python faussaire_train.py --faussaire target/release/faussaire --net tp [--batch 64] [--precision f32|auto]
                              [--threads 2] [--seconds 10] [--set KEY=VALUE]...

Trains on `strokes`, which it draws as it goes, and reads the run's log: `images` (real ones seen) over `train_s`
(seconds in steps). Steps hold all that a user's have: drawing the batch, the averaged generator, and at every tenth
step the figures for the doctor. Sheets, scores and checkpoints stand outside `train_s`; `steps_share` says how much of
the clock's time between the first and the last step counted is in it.

In `tp`, the images that D learns from are made with the batch's statistics, where the lab and so the peers take the
moving ones: a little more work, which `--set train.fake_batchnorm=moving` does without. Prints a line of JSON like the peers'.
Standard library only.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WARM_UP_S = 2.0  # of training that isn't counted, but at least the first step
POLL_S = 0.02


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faussaire", required=True, help="the program")
    parser.add_argument("--net", required=True, help="a preset")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--precision", choices=("f32", "bf16", "auto"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to measure, after the warm-up")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="handed on")
    return parser.parse_args()


def knows_precision(program, command):
    """Whether this version of `faussaire COMMAND` has --precision; without it, everything is f32."""
    asked = subprocess.run([program, command, "--help"], capture_output=True, text=True, check=True)
    return "--precision" in asked.stdout


def processor_seconds(pid):
    """Core seconds that the process has used; nothing where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watched(command, log):
    """Runs the training; returns its step events, each with the clock and the processor time at which it was seen."""
    steps, read = [], 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        time.sleep(POLL_S)
        text = log.read_bytes() if log.exists() else b""
        fresh, now, used = text[read : text.rfind(b"\n") + 1], time.perf_counter(), processor_seconds(process.pid)
        read += len(fresh)
        events = [json.loads(line) for line in fresh.splitlines()]
        steps += [{**event, "clock": now, "used": used} for event in events if event["event"] == "step"]
    if process.returncode:
        sys.exit(f"{' '.join(command)}: exit status {process.returncode}")
    return steps


def speed(steps):
    """Images per second after the warm-up, and what shows whether to believe it."""
    if len(steps) < 2:
        sys.exit("error: fewer than two steps were logged\nhint: raise --seconds")
    first = [step for step in steps if step["step"] == 1 or step["train_s"] <= WARM_UP_S][-1]
    last = steps[-1]
    if first is last:
        sys.exit("error: nothing was trained after the warm-up\nhint: raise --seconds")
    images, seconds, clock = (last[key] - first[key] for key in ("images", "train_s", "clock"))
    # By the clock, as the peers: the log and the watchers between steps count.
    found = {"images_per_s": round(images / clock, 2), "steps": last["step"] - first["step"]}
    found["steps_share"] = round(seconds / clock, 3)
    if first["used"] is not None and last["used"] is not None:
        found["cores_used"] = round((last["used"] - first["used"]) / clock, 2)
    return found


def report(arguments, found):
    """Prints the one line of JSON."""
    asked = subprocess.run([arguments.faussaire, "--version"], capture_output=True, text=True, check=True)
    versions = {"faussaire": asked.stdout.split()[-1]}
    print(json.dumps({"peer": "faussaire", **vars(arguments), **found, "versions": versions}))


def main():
    arguments = parse()
    program = arguments.faussaire
    with tempfile.TemporaryDirectory(prefix="faussaire-bench-") as folder:
        run = Path(folder, "run")
        command = [program, "train", "strokes", "--preset", arguments.net, "--batch", str(arguments.batch)]
        command += ["--threads", str(arguments.threads), "--time", f"{arguments.seconds + WARM_UP_S}s", "--quiet"]
        # One sheet at the start and one at the end, no checkpoint in between.
        command += ["--run", str(run), "--set", "train.sheet_every=0", "--set", "train.save_every=1000000"]
        if arguments.precision and knows_precision(program, "train"):
            command += ["--precision", arguments.precision]
        elif arguments.precision == "bf16":
            sys.exit("error: this version of the program has no --precision")
        for change in arguments.set:
            command += ["--set", change]
        found = speed(watched(command, run / "events.jsonl"))
        with open(run / "events.jsonl", encoding="utf8") as log:
            machine = json.loads(log.readline())["machine"]
    report(arguments, {**found, "says": machine})


if __name__ == "__main__":
    main()

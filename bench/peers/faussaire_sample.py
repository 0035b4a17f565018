"""Time `faussaire sample RUN -n N -o FILE.npy`: noise, generator, bytes, file.

    python faussaire_sample.py --faussaire target/release/faussaire --net tp [--images 10000] [--precision f32|auto]
                               [--threads 2]

The run is one of a single step, since the arithmetic doesn't depend on the weights. A few images are made first and
their time is taken off, so that starting and loading drop out, as they do in torch_sample.py. Prints a line of JSON
like the peers'. Standard library only.
"""

import argparse
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from faussaire_train import knows_precision, report

FEW = 250


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faussaire", required=True, help="the program")
    parser.add_argument("--net", required=True, help="a preset")
    parser.add_argument("--images", type=int, default=10000)
    parser.add_argument("--precision", choices=("f32", "bf16", "auto"))
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def timed(command):
    """Seconds by the clock, and of all cores."""

    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before, began = used(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began, used() - before


def main():
    arguments = parse()
    program = arguments.faussaire

    def precision(command):
        wanted = arguments.precision and knows_precision(program, command)
        return ["--precision", arguments.precision] if wanted else []

    with tempfile.TemporaryDirectory(prefix="faussaire-bench-") as folder:
        run, images = Path(folder, "run"), Path(folder, "images.npy")
        train = [program, "train", "strokes", "--preset", arguments.net, "--steps", "1", "--batch", "8", "--quiet"]
        train += ["--run", run, "--set", "data.count=1000", *precision("train")]
        subprocess.run(train, check=True, stdout=subprocess.DEVNULL)
        sample = [program, "sample", run, "-o", images, "--threads", str(arguments.threads), *precision("sample")]
        few, few_used = timed([*sample, "-n", str(FEW)])
        all_, all_used = timed([*sample, "-n", str(FEW + arguments.images)])
    seconds = all_ - few
    found = {"images_per_s": round(arguments.images / seconds, 2), "seconds": round(seconds, 2)}
    found |= {"cores_used": round((all_used - few_used) / seconds, 2), "seconds_with_start": round(all_, 2)}
    report(arguments, found)


if __name__ == "__main__":
    main()

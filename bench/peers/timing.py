"""What both peer scripts share: the arguments, the random data, the clock and the line of JSON they print.

images_per_s counts real images: a step with --batch 64 shows D 64 real and 64 generated images in one batch,
then trains G on 64 fresh latents, and counts as 64. Data is random: the arithmetic doesn't depend on it.
"""

import argparse
import json
import os
import time

import numpy as np

LATENT = {"tp": 32, "fidle": 128}
RATE = {"tp": 2e-4, "fidle": 1e-4}
PARAMETERS = {"tp": (1770625, 660929), "fidle": (779969, 396609)}  # total, G and D
POOL = 8  # distinct batches, used in turn: drawing them is no part of what is timed
WARM_UP = 3  # steps before the clock starts: tracing, compilation, first allocations


def parse(description, channels_last, sampling=False):
    """The command line; `channels_last` says whether the peer has that choice, `sampling` that nothing is trained."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--net", choices=("fidle", "tp"), required=True)
    if sampling:
        parser.add_argument("--images", type=int, default=10000)
    else:
        parser.add_argument("--batch", type=int, default=64)
        parser.add_argument("--seconds", type=float, default=10.0, help="how long to measure, after the warm-up")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="Keras: XLA; PyTorch: torch.compile")
    if channels_last:
        parser.add_argument("--channels-last", action="store_true", help="memory format of images and kernels")
    arguments = parser.parse_args()
    if any(value <= 0 for value in vars(arguments).values() if type(value) in (int, float)):
        parser.error("--batch, --images, --threads and --seconds must be positive")
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)  # read when the framework is imported
    return arguments


def pool(net, batch):
    """POOL triples (real images [batch, 28, 28, 1], z for D's half, z for G's half), float32."""
    random = np.random.default_rng(0)
    return [
        (
            random.random((batch, 28, 28, 1), np.float32),
            random.standard_normal((batch, LATENT[net]), np.float32),
            random.standard_normal((batch, LATENT[net]), np.float32),
        )
        for _ in range(POOL)
    ]


def measure(step, batches, seconds):
    """Repeat `step(real, z_d, z_g)`, which must return its (d_loss, g_loss), for about `seconds`.

    Returns images per second, and how many cores the process really had: well under --threads means that
    other programs were in the way, and the figure is worth little.
    """
    for i in range(WARM_UP):
        step(*batches[i % POOL])
    count, start, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        losses = [float(loss) for loss in step(*batches[count % POOL])]
        assert np.isfinite(losses).all(), losses
        count += 1
    elapsed = time.perf_counter() - start
    return count * len(batches[0][0]) / elapsed, (time.process_time() - cpu) / elapsed


def report(peer, arguments, measured, versions, **more):
    """Print the one line of JSON."""
    images_per_s, cores = measured
    line = {"images_per_s": round(images_per_s, 2), "cores_used": round(cores, 2), "versions": versions}
    print(json.dumps({"peer": peer, **vars(arguments), **line, **more}))

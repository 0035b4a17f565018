"""Time drawing images from a course net's generator in PyTorch on the CPU, as well as PyTorch can.

    python torch_sample.py --net tp [--images 10000] [--precision f32|bf16] [--threads 2] [--channels-last] [--compile]

Noise, generator, bytes [n, 28, 28] in memory: what `faussaire sample -o FILE.npy` does but for the file. Inference
mode, batch normalisation folded into the transposed convolution or dense layer before it, activations in place, and the batch size
that proves fastest in a short trial; --compile adds torch.compile with frozen weights.
"""

import copy
import os
import time

from timing import LATENT, parse, report

ARGUMENTS = parse(__doc__.splitlines()[0], channels_last=True, sampling=True)
os.environ["TORCHINDUCTOR_FREEZING"] = "1"  # read when torch is imported

import numpy as np  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn.utils.fusion import fuse_conv_bn_eval  # noqa: E402

from torch_nets import generator  # noqa: E402

BATCHES = (50, 100, 250)


def scaled(linear, norm):
    """`linear` with what `norm` does to the channels that its outputs are unflattened to."""
    linear = copy.deepcopy(linear)
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    shift = norm.bias - norm.running_mean * scale
    pixels = linear.out_features // len(scale)
    scale, shift = (values.repeat_interleave(pixels) for values in (scale, shift))
    linear.weight.data = linear.weight * scale[:, None]
    linear.bias.data = linear.bias * scale + shift
    return linear


def folded(net):
    """The same function with fewer passes over memory."""
    modules = []
    for module in net:
        if isinstance(module, nn.BatchNorm2d) and isinstance(modules[-1], nn.Unflatten):
            modules[-2] = scaled(modules[-2], module)
            continue
        if isinstance(module, nn.BatchNorm2d) and isinstance(modules[-1], nn.ConvTranspose2d):
            modules[-1] = fuse_conv_bn_eval(modules[-1], module, transpose=True)
            continue
        if isinstance(module, (nn.ReLU, nn.LeakyReLU)):
            module.inplace = True
        modules.append(module)
    return nn.Sequential(*modules)


def draw(net, count, batch):
    """`count` images as bytes."""
    images = np.empty((count, 28, 28), np.uint8)
    for start in range(0, count, batch):
        z = torch.randn(min(batch, count - start), LATENT[ARGUMENTS.net])
        with torch.autocast("cpu", torch.bfloat16, enabled=ARGUMENTS.precision == "bf16"):
            values = net(z)
        images[start : start + batch] = (values.float() * 255).round_().to(torch.uint8)[:, 0].numpy()
    return images


def fastest_batch(net):
    def seconds_per_image(batch):
        draw(net, batch, batch)  # compilation, first allocations
        began = time.perf_counter()
        draw(net, batch, batch)
        return (time.perf_counter() - began) / batch

    return min(BATCHES, key=seconds_per_image)


def main():
    if ARGUMENTS.images % BATCHES[-1]:
        raise SystemExit(f"--images {ARGUMENTS.images}: expected a multiple of {BATCHES[-1]}, for full batches")
    torch.set_num_threads(ARGUMENTS.threads)
    torch.manual_seed(0)
    with torch.inference_mode():
        plain = generator(ARGUMENTS.net).eval()
        net = folded(plain).eval()
        z = torch.randn(4, LATENT[ARGUMENTS.net])
        assert torch.allclose(net(z), plain(z), atol=1e-5)
        if ARGUMENTS.channels_last:
            net = net.to(memory_format=torch.channels_last)
        if ARGUMENTS.compile:
            net = torch.compile(net, dynamic=False)
        batch = fastest_batch(net)
        began, used = time.perf_counter(), time.process_time()
        draw(net, ARGUMENTS.images, batch)
        seconds = time.perf_counter() - began
    measured = ARGUMENTS.images / seconds, (time.process_time() - used) / seconds
    report("torch", ARGUMENTS, measured, {"torch": torch.__version__}, batch=batch, seconds=round(seconds, 2))


if __name__ == "__main__":
    main()

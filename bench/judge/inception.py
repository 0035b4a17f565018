"""Reference features of InceptionV3 with weights that are drawn by formula, on torchvision's graph with pytorch-fid's two
changes (average pooling without its padding, maximum pooling in the last block), for `crates/metrics/src/features/inception/reference.rs`.

    pip install torch torchvision safetensors numpy
    python inception.py > inception.json

`python inception.py --weights FILE.safetensors` writes the weights themselves.
"""

import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torchvision.models import inception as tv


def draws(name, count):
    """Uniform numbers in [0, 1): SplitMix64 on the name's FNV-1a hash plus the index."""
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    with np.errstate(over="ignore"):
        z = np.uint64(h) + (np.arange(1, count + 1, dtype=np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float32) / np.float32(1 << 24)


def values(name, shape):
    u = draws(name, int(np.prod(shape)))
    if name.endswith("conv.weight"):
        # He uniform keeps the signal's size through 20 layers.
        u = (2 * u - 1) * np.float32(np.sqrt(6 / np.prod(shape[1:])))
    elif name.endswith(("bn.weight", "running_var")):
        u = np.float32(0.5) + u
    else:
        u = np.float32(0.2) * u - np.float32(0.1)
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def without_padding(x, *args, **kwargs):
    return POOL(x, *args, **{**kwargs, "count_include_pad": False})


def largest(x, *args, **kwargs):
    return F.max_pool2d(x, kernel_size=3, stride=1, padding=1)


POOL = F.avg_pool2d

net = torchvision.models.inception_v3(weights=None, aux_logits=False, init_weights=False, transform_input=False).eval()
state = net.state_dict()
drawn = {k: values(k, v.shape) for k, v in state.items() if ".conv." in k or ".bn." in k and "num_batches" not in k}
net.load_state_dict({**state, **drawn})
if "--weights" in sys.argv:
    from safetensors.torch import save_file

    save_file(drawn, sys.argv[sys.argv.index("--weights") + 1])
    sys.exit()

images = torch.from_numpy(draws("images", 2 * 20 * 24 * 3).reshape(2, 20, 24, 3)).permute(0, 3, 1, 2)
x = 2 * F.interpolate(images, size=(299, 299), mode="bilinear", align_corners=False) - 1
with torch.no_grad():
    x = net.maxpool1(net.Conv2d_2b_3x3(net.Conv2d_2a_3x3(net.Conv2d_1a_3x3(x))))
    x = net.maxpool2(net.Conv2d_4a_3x3(net.Conv2d_3b_1x1(x)))
    tv.F.avg_pool2d = without_padding
    for name in ["5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b"]:
        x = getattr(net, f"Mixed_{name}")(x)
    tv.F.avg_pool2d = largest
    features = net.Mixed_7c(x).mean((2, 3))
reference = {
    "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__},
    "norms": [float(v) for v in features.norm(dim=1)],
    "every": 16,
    "features": [[round(float(v), 7) for v in row] for row in features[:, ::16]],
}
json.dump(reference, sys.stdout, indent=1)
print()

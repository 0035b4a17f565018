"""{{about}}

Written by faussaire {{version}}; {{weights}} beside this file has the weights. Needs these packages:

    pip install torch safetensors pillow

    python {{file}} 16 images.png      # draws 16 images

    from {{module}} import load, save{{rename}}
    nets = load()                      # {{nets}}
    save("mine.safetensors", nets)     # faussaire train --init mine.safetensors goes on from there
{{notes}}"""

import math
import os
import sys

import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

LATENT = {{latent}}
LABELS = {{labels}}
BOUNDS = {{bounds}}
WEIGHTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), {{weights_text}})
{{modules}}{{classes}}

NETS = {{table}}


def load(path=WEIGHTS):
    """The nets with their weights, ready for use: `.eval()` is already called."""
    tensors = load_file(path)
    nets = {}
    for name, net in NETS.items():
        nets[name] = net = net()
        start = name + "."
        net.load_state_dict({k[len(start):]: v for k, v in tensors.items() if k.startswith(start)})
        net.eval()
    return nets


def save(path, nets):
    """Writes the nets' weights as safetensors."""
    states = {name: net.state_dict() for name, net in nets.items()}
    save_file({f"{name}.{key}": value for name, state in states.items() for key, value in state.items()}, path)


def latents(n, seed=0):
    """What a generator makes images of: noise{{latents_about}}."""
    torch.manual_seed(seed)
    {{latents}}


def png(path, images, columns):
    """Writes images [n, channels, height, width] as one picture."""
    low, high = BOUNDS
    n, c, h, w = images.shape
    rows = math.ceil(n / columns)
    sheet = torch.zeros(rows * columns, c, h, w)
    sheet[:n] = (images - low) / (high - low)
    sheet = sheet.view(rows, columns, c, h, w).permute(0, 3, 1, 4, 2).reshape(rows * h, columns * w, c)
    values = (sheet * 255).round().clamp(0, 255).to(torch.uint8)
    Image.frombytes({1: "L", 3: "RGB", 4: "RGBA"}[c], (columns * w, rows * h), bytes(values.flatten().tolist())).save(path)


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    path = sys.argv[2] if len(sys.argv) > 2 else "images.png"
    nets = load()
    for name, net in nets.items():
        print(f"{name}: {sum(p.numel() for p in net.parameters()):,} trainable parameters")
    if "generator" in nets:
        with torch.no_grad():
            made = nets["generator"](*latents(n))
        if made.dim() == 4 and made.shape[1] in (1, 3, 4):
            png(path, made, math.ceil(math.sqrt(n)))
            print(f"{path}: {n} images")
        else:
            print(made)


if __name__ == "__main__":
    main()

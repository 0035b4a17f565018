"""{{about}}

Written by faussaire {{version}}; {{weights}} beside this file has the weights. Needs PyTorch and nothing else.

    python {{file}} 16 images.png      # draws 16 images

    from {{module}} import load, save{{rename}}
    nets = load()                      # {{nets}}
    save("mine.safetensors", nets)     # faussaire train --init mine.safetensors goes on from there
{{notes}}"""

import ctypes
import json
import math
import os
import struct
import sys
import zlib

import torch
import torch.nn.functional as F
from torch import nn

LATENT = {{latent}}
LABELS = {{labels}}
BOUNDS = {{bounds}}
WEIGHTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), {{weights_text}})
{{modules}}{{classes}}

NETS = {{table}}


def load(path=WEIGHTS):
    """The nets with their weights, ready for use: `.eval()` is already called."""
    tensors = read(path)
    nets = {}
    for name, net in NETS.items():
        nets[name] = net = net()
        start = name + "."
        net.load_state_dict({k[len(start):]: v for k, v in tensors.items() if k.startswith(start)})
        net.eval()
    return nets


def save(path, nets):
    """Writes the nets' weights as safetensors."""
    header, parts, end = {}, [], 0
    for name, net in nets.items():
        for key, value in net.state_dict().items():
            value = value.detach().cpu().contiguous()
            kind = {torch.float32: "F32", torch.int64: "I64"}[value.dtype]
            part = ctypes.string_at(value.data_ptr(), value.numel() * value.element_size())
            header[f"{name}.{key}"] = {"dtype": kind, "shape": list(value.shape), "data_offsets": [end, end + len(part)]}
            parts.append(part)
            end += len(part)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def read(path):
    """A safetensors file as a dictionary of tensors."""
    with open(path, "rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(size)), bytearray(file.read())
    kinds = {"F32": (torch.float32, 4), "I64": (torch.int64, 8)}
    tensors = {}
    for name, about in header.items():
        if name != "__metadata__":
            kind, width = kinds[about["dtype"]]
            begin, end = about["data_offsets"]
            tensors[name] = torch.frombuffer(data, dtype=kind, count=(end - begin) // width, offset=begin).view(about["shape"])
    return tensors


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
    sheet = sheet.view(rows, columns, c, h, w).permute(0, 3, 1, 4, 2).reshape(rows * h, columns * w * c)
    lines = (sheet * 255).round().clamp(0, 255).to(torch.uint8)
    raw = b"".join(b"\0" + bytes(line.tolist()) for line in lines)

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", columns * w, rows * h, 8, 0 if c == 1 else 2, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    path = sys.argv[2] if len(sys.argv) > 2 else "images.png"
    nets = load()
    for name, net in nets.items():
        print(f"{name}: {sum(p.numel() for p in net.parameters()):,} trainable parameters")
    if "generator" in nets:
        with torch.no_grad():
            made = nets["generator"](*latents(n))
        if made.dim() == 4 and made.shape[1] in (1, 3):
            png(path, made, math.ceil(math.sqrt(n)))
            print(f"{path}: {n} images")
        else:
            print(made)


if __name__ == "__main__":
    main()

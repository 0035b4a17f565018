"""The library's random streams (crates/data/src/random.rs) in numpy, so that Keras drops what Faussaire drops.

A stream is ChaCha8 with the key SHA-256(seed as 8 bytes, little end first, then the stream's name); the index is its
64-bit stream number, the block counter has 64 bits.
"""

import hashlib

import numpy as np

LAYERS = 64  # indices of dropout layers in one pass (crates/nn/src/net/pass.rs)


def quarter(x, a, b, c, d):
    for into, other, at, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        x[into] += x[other]
        x[at] ^= x[into]
        x[at] = (x[at] << np.uint32(bits)) | (x[at] >> np.uint32(32 - bits))


def words(seed, name, index, count):
    """The first `count` words of the stream at `index`."""
    key = np.frombuffer(hashlib.sha256(seed.to_bytes(8, "little") + name.encode()).digest(), "<u4")
    blocks = np.arange(-(-count // 16), dtype=np.uint64)
    state = np.empty((16, len(blocks)), np.uint32)
    state[:4] = np.frombuffer(b"expand 32-byte k", "<u4")[:, None]
    state[4:12] = key[:, None]
    state[12:14] = blocks & np.uint64(0xFFFFFFFF), blocks >> np.uint64(32)
    state[14:] = np.array([[index & 0xFFFFFFFF], [index >> 32]], np.uint32)
    x = state.copy()
    for _ in range(4):
        for column in range(4):
            quarter(x, column, 4 + column, 8 + column, 12 + column)
        for column in range(4):
            quarter(x, column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4)
    return (x + state).T.ravel()[:count]


def kept(turn, layer, shape, rate):
    """What dropout layer number `layer` of D (from 1) keeps in pass number `turn`: 1, or 0 where it drops."""
    limit = np.ceil(float(np.float32(rate)) * 2**24)
    drawn = words(0, "dropout.discriminator", turn * LAYERS + layer, int(np.prod(shape)))
    return ((drawn >> np.uint32(8)) >= limit).astype(np.float32).reshape(shape)

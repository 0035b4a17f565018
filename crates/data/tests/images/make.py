"""Makes the small images that the tests decode, and prints what Pillow sees in them.

    pip install pillow numpy tifffile imagecodecs && python make.py     # also cjpeg, of libjpeg-turbo

Run with Pillow 13.0. For the first images, of 12x10 pixels, the corners are printed as top left, top right, bottom left,
bottom right, transparency laid over white; for the others the CRC-32 of all their pixels in RGB.
"""

import io
import subprocess
import zlib
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image

W, H = 12, 10
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack([x * 20, y * 25, (x + y) * 10], -1).astype(np.uint8)
colour = Image.fromarray(rgb)
alpha = np.where(x < 6, 255, 51).astype(np.uint8)
names = []


def put(name, image, **options):
    image.save(name, **options)
    names.append(name)


# JPEG: baseline, progressive, grey, turned by its EXIF note, and the four-colour forms of the printing trade.
put("baseline.jpg", colour, quality=95, subsampling=0)
put("progressive.jpg", colour, quality=95, subsampling=0, progressive=True)
put("grey.jpg", Image.fromarray(rgb[..., 0]), quality=95)
note = Image.Exif()
note[0x112] = 6
put("turned.jpg", colour, quality=95, subsampling=0, exif=note)
ink = np.stack([x * 20, y * 25, (x + y) * 8, np.full((H, W), 40)], -1).astype(np.uint8)
put("cmyk.jpg", Image.fromarray(ink, "CMYK"), quality=95)
# Adobe's YCCK: cyan, magenta, yellow as Y, Cb, Cr; Pillow can't write it, so the marker's last byte is set by hand.
ycc = np.asarray(Image.fromarray(ink[..., :3]).convert("YCbCr"))
buffer = io.BytesIO()
Image.fromarray(np.dstack([255 - ycc, ink[..., 3]]), "CMYK").save(buffer, "JPEG", quality=95, subsampling=0)
ycck = bytearray(buffer.getvalue())
ycck[ycck.index(b"Adobe") + 11] = 2
Path("ycck.jpg").write_bytes(ycck)
names.append("ycck.jpg")
# Arithmetic coding: a JPEG that no decoder here can read. Only its frame marker says so.
broken = bytearray(Path("baseline.jpg").read_bytes())
broken[broken.index(b"\xff\xc0") + 1] = 0xC9
Path("arithmetic.jpg").write_bytes(broken)

# PNG: every colour type, 16 bits, palettes with and without transparency, one bit.
put("rgb.png", colour)
put("rgba.png", Image.fromarray(np.dstack([rgb, alpha])))
put("grey-alpha.png", Image.fromarray(np.dstack([rgb[..., 0], alpha])))
put("grey16.png", Image.fromarray((x * 5000 + y * 700).astype(np.uint16)))
put("palette.png", colour.quantize(16))
put("palette-alpha.png", colour.quantize(4), transparency=0)
put("bit.png", Image.fromarray(((x + y) % 2 * 255).astype(np.uint8)).convert("1"))

put("lossless.webp", colour, lossless=True)
put("lossy.webp", colour, quality=95)
put("alpha.webp", Image.fromarray(np.dstack([rgb, alpha])), lossless=True)
put("frames.gif", colour.quantize(16), save_all=True, append_images=[Image.new("P", (W, H), 3)])
put("rgb.bmp", colour)
put("palette.bmp", colour.quantize(16))

for name in names:
    image = Image.open(name)
    exif = image.getexif().get(0x112)
    if image.mode.startswith("I"):
        image = Image.fromarray(((np.asarray(image).astype(int) + 128) // 257).astype(np.uint8))
    elif image.mode in ("CMYK", "1", "L"):
        image = image.convert("RGB")
    else:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    image = image.convert("RGB")
    if exif == 6:
        image = image.transpose(Image.Transpose.ROTATE_270)
    a = np.asarray(image)
    corners = [a[0, 0], a[0, -1], a[-1, 0], a[-1, -1]]
    print(f'("{name}", {[list(map(int, c)) for c in corners]}),')

# Forms that are decoded by programs of our own, in an odd size: every pixel must be that of Pillow.
W, H = 37, 21
y, x = np.mgrid[0:H, 0:W]
rgb = np.stack(
    [127 + 120 * np.sin(x / 5 + y / 9), 127 + 120 * np.cos(x / 7 - y / 3), (x * 9 + y * 5) % 256], -1
).astype(np.uint8)
colour = Image.fromarray(rgb)
grey = rgb[..., 0].copy()
pixmap = io.BytesIO()
colour.save(pixmap, "PPM")
Path("scans.txt").write_text("0;1;2;")
exact = {}


def jpeg(name, *options):
    made = subprocess.run(
        ["cjpeg", "-quality", "85", *options], input=pixmap.getvalue(), capture_output=True, check=True
    )
    Path(name).write_bytes(made.stdout)
    exact[name] = np.asarray(Image.open(name).convert("RGB"))


for factors, name in [("2x1", "422"), ("2x2", "420"), ("1x2", "440"), ("4x1", "411"), ("2x2,2x1,1x2", "mixed")]:
    jpeg(f"{name}.jpg", "-sample", factors)
jpeg("420-progressive.jpg", "-progressive")
jpeg("420-restart.jpg", "-restart", "1B")
jpeg("420-progressive-restart.jpg", "-progressive", "-restart", "1")
jpeg("420-scans.jpg", "-scans", "scans.txt")
jpeg("grey-odd.jpg", "-grayscale", "-optimize")
jpeg("rgb.jpg", "-rgb")
Path("scans.txt").unlink()


def tiff(name, pixels, seen, **options):
    """`seen` as Pillow sees it, which gets some forms wrong: 16 bits of which 0 is white, floats, some tiles in planes."""
    tifffile.imwrite(name, pixels, **options)
    exact[name] = seen if seen.ndim == 3 else np.dstack([seen] * 3)


wide = rgb.astype(np.uint16) * 257
tiff("lzw.tif", rgb, rgb, compression="lzw", predictor=True, photometric="rgb", rowsperstrip=5)
tiff("big-endian.tif", wide, rgb, byteorder=">", photometric="rgb", compression="zlib", predictor=True)
tiff(
    "tiles.tif",
    np.moveaxis(wide, -1, 0),
    rgb,
    photometric="rgb",
    planarconfig="separate",
    tile=(16, 32),
    compression="zlib",
)
tiff("white-is-zero.tif", 65535 - grey.astype(np.uint16) * 257, grey, photometric="miniswhite", compression="packbits")
tiff("float.tif", (grey / 255).astype(np.float32), grey, compression="zlib", predictor=3)
tiff("half.tif", (grey / 255).astype(np.float16), grey)
tiff("bigtiff.tif", rgb, rgb, photometric="rgb", bigtiff=True)
opacity = (np.arange(H * W).reshape(H, W) % 2 * 255).astype(np.uint8)
tiff(
    "opacity.tif",
    np.dstack([rgb, opacity]),
    np.where(opacity[..., None] > 0, rgb, 255),
    photometric="rgb",
    extrasamples=["unassalpha"],
)
for name, mode, compression in [
    ("palette.tif", "P", "tiff_lzw"),
    ("bilevel.tif", "1", "packbits"),
    ("cmyk.tif", "CMYK", "tiff_adobe_deflate"),
    ("jpeg.tif", "RGB", "jpeg"),
]:
    image = colour.quantize(32) if mode == "P" else colour.convert(mode)
    image.save(name, compression=compression)
    exact[name] = np.asarray(Image.open(name).convert("RGB"))

for name, pixels in exact.items():
    print(f'("{name}", 0x{zlib.crc32(np.ascontiguousarray(pixels.astype(np.uint8)).tobytes()):08x}),')

//! PNG, GIF, BMP and PNM files of every kind, made here, against what their standards say. Pillow differs from these where it
//! clips 16-bit grey, compares transparent colours in 8 bits, or fills the frame around an offset GIF with colour 0.

use std::io::Write;

use super::*;

const SIZES: [(usize, usize); 3] = [(13, 9), (1, 1), (3, 20)];

/// A number from 0 to `most`, by place.
fn value(seed: usize, most: usize) -> usize {
    ((seed as u64 + 17).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % (most + 1)
}

/// Values of so many bits, the first ones in the highest bits of a byte.
fn packed(values: &[usize], bits: usize) -> Vec<u8> {
    let mut bytes = vec![0; (values.len() * bits).div_ceil(8)];
    for (k, value) in values.iter().enumerate() {
        for bit in 0..bits {
            let at = k * bits + bit;
            bytes[at / 8] |= ((value >> (bits - 1 - bit) & 1) as u8) << (7 - at % 8);
        }
    }
    bytes
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut sum = flate2::Crc::new();
    sum.update(kind);
    sum.update(content);
    [&(content.len() as u32).to_be_bytes(), &kind[..], content, &sum.sum().to_be_bytes()].concat()
}

/// A PNG file of `values`, row after row, with more chunks before its pixels.
struct Png<'a> {
    size: (usize, usize),
    kind: u8,
    channels: usize,
    bits: usize,
    interlaced: bool,
    values: &'a [usize],
}

impl Png<'_> {
    fn rows(&self, start: (usize, usize), step: (usize, usize)) -> Vec<u8> {
        let (width, height) = self.size;
        let mut rows = Vec::new();
        for y in (start.1..height).step_by(step.1) {
            let pixel = |x: usize| &self.values[(y * width + x) * self.channels..][..self.channels];
            let row: Vec<usize> = (start.0..width).step_by(step.0).flat_map(pixel).copied().collect();
            if !row.is_empty() {
                rows.push(0);
                rows.extend(packed(&row, self.bits));
            }
        }
        rows
    }

    fn file(&self, before: &[u8], end: bool) -> Vec<u8> {
        const PASSES: [[usize; 4]; 7] =
            [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
        let rows = match self.interlaced {
            true => PASSES.iter().flat_map(|&[x, y, dx, dy]| self.rows((x, y), (dx, dy))).collect(),
            false => self.rows((0, 0), (1, 1)),
        };
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&rows).unwrap();
        let sides = [self.size.0, self.size.1].map(|side| (side as u32).to_be_bytes()).concat();
        let about = [self.bits as u8, self.kind, 0, 0, u8::from(self.interlaced)];
        let pixels = chunk(b"IDAT", &encoder.finish().unwrap());
        let end = if end { chunk(b"IEND", &[]) } else { Vec::new() };
        [b"\x89PNG\r\n\x1a\n", &chunk(b"IHDR", &[&sides[..], &about].concat())[..], before, &pixels, &end].concat()
    }
}

/// A value of so many bits as a byte.
fn byte(value: usize, bits: usize) -> u8 {
    (value as f64 * 255.0 / ((1usize << bits) - 1) as f64).round() as u8
}

/// `ink` over white.
fn over(ink: u8, alpha: u8) -> u8 {
    255 - ((255.0 - f64::from(ink)) * f64::from(alpha) / 255.0).round() as u8
}

#[test]
fn png_of_every_colour_and_depth() {
    for (kind, channels, depths) in
        [(0, 1, &[1, 2, 4, 8, 16][..]), (2, 3, &[8, 16]), (3, 1, &[1, 2, 4, 8]), (4, 2, &[8, 16]), (6, 4, &[8, 16])]
    {
        for ((&bits, size), interlaced) in
            depths.iter().flat_map(|b| SIZES.map(|s| (b, s))).flat_map(|c| [(c, false), (c, true)])
        {
            let most = (1 << bits) - 1;
            let values: Vec<usize> = (0..size.0 * size.1 * channels).map(|k| value(k, most)).collect();
            let colours: Vec<u8> = (0..3 * (most + 1).min(256)).map(|k| value(k + 99, 255) as u8).collect();
            let opacities: Vec<u8> = (0..most.min(200)).map(|k| value(k + 9, 255) as u8).collect();
            let png = Png { size, kind, channels, bits, interlaced, values: &values };
            // With a colour that is transparent, and with a gamma, which nobody applies.
            let key: Vec<u8> = values[..channels].iter().flat_map(|&value| (value as u16).to_be_bytes()).collect();
            let keyed = match kind {
                0 | 2 => chunk(b"tRNS", &key),
                3 => chunk(b"tRNS", &opacities),
                _ => chunk(b"gAMA", &100_000u32.to_be_bytes()),
            };
            let palette = if kind == 3 { chunk(b"PLTE", &colours) } else { Vec::new() };
            for has_key in [false, true] {
                let seen = |pixel: &[usize]| -> [u8; 3] {
                    let clear = has_key && pixel == &values[..channels];
                    match kind {
                        0 | 2 if clear => [255; 3],
                        0 => [byte(pixel[0], bits); 3],
                        2 => [0, 1, 2].map(|c| byte(pixel[c], bits)),
                        3 => {
                            let alpha = if has_key { opacities.get(pixel[0]).copied().unwrap_or(255) } else { 255 };
                            [0, 1, 2].map(|c| over(colours[3 * pixel[0] + c], alpha))
                        }
                        4 => [over(byte(pixel[0], bits), byte(pixel[1], bits)); 3],
                        _ => [0, 1, 2].map(|c| over(byte(pixel[c], bits), byte(pixel[3], bits))),
                    }
                };
                let expected: Vec<u8> = values.chunks_exact(channels).flat_map(seen).collect();
                let before = if has_key { [&palette[..], &keyed].concat() } else { palette.clone() };
                for end in [true, false] {
                    let (shape, pixels) = read(&png.file(&before, end), Some(3)).unwrap();
                    let name = format!("kind {kind}, {bits} bits, {size:?}, {interlaced}, key {has_key}, end {end}");
                    assert_eq!((shape.width, shape.height), size, "{name}");
                    let near = pixels.iter().zip(&expected).all(|(a, b)| a.abs_diff(*b) <= 1);
                    assert!(near, "{name}: {pixels:?} is not {expected:?}");
                }
            }
        }
    }
}

#[test]
fn a_png_without_its_end_must_have_all_pixels() {
    let values: Vec<usize> = (0..40 * 40).map(|k| value(k, 255)).collect();
    let png = Png { size: (40, 40), kind: 0, channels: 1, bits: 8, interlaced: false, values: &values };
    let whole = png.file(&[], false);
    assert!(read(&whole, None).is_ok());
    // The pixels in two chunks, of which the second is lost.
    let start = whole.windows(4).position(|name| name == b"IDAT").unwrap() + 4;
    let half = [&whole[..start - 8], &chunk(b"IDAT", &whole[start..start + 700])].concat();
    assert!(read(&half, None).is_err());
}

/// A GIF file with one frame of 10x6 pixels of 8 colours at (x, y) on a screen of this size.
fn gif(screen: (u8, u8), at: (u8, u8), clear: Option<u8>, rows: &[usize], colours: &[u8]) -> Vec<u8> {
    let mut file = [b"GIF89a", &[screen.0, 0, screen.1, 0, 0x82, 4, 0][..], colours].concat();
    if let Some(clear) = clear {
        file.extend([0x21, 0xf9, 4, 1, 0, 0, clear, 0]);
    }
    let interlaced = if rows.is_sorted() { 0 } else { 0x40 };
    file.extend([b',', at.0, 0, at.1, 0, 10, 0, 6, 0, interlaced, 3]);
    // Codes of 4 bits: "clear" before each colour, so that they never grow.
    let codes: Vec<u8> =
        rows.iter().flat_map(|y| (0..10).flat_map(move |x| [8, value(10 * y + x, 7) as u8])).chain([9, 0]).collect();
    for block in codes.chunks_exact(2).map(|pair| pair[0] | pair[1] << 4).collect::<Vec<_>>().chunks(255) {
        file.push(block.len() as u8);
        file.extend(block);
    }
    file.extend([0, b';']);
    file
}

#[test]
fn gif_frames_lie_where_they_belong() {
    let colours: Vec<u8> = (0..24).map(|k| value(k + 50, 255) as u8).collect();
    for (screen, at, clear, rows) in [
        ((10, 6), (0, 0), None, [0, 1, 2, 3, 4, 5]),
        ((10, 6), (0, 0), Some(2), [0, 4, 2, 1, 3, 5]),
        ((14, 9), (3, 2), None, [0, 1, 2, 3, 4, 5]),
        ((14, 9), (3, 2), Some(5), [0, 4, 2, 1, 3, 5]),
    ] {
        let (shape, pixels) = read(&gif(screen, at, clear, &rows, &colours), Some(3)).unwrap();
        assert_eq!((shape.width, shape.height), (usize::from(screen.0), usize::from(screen.1)));
        for (index, pixel) in pixels.chunks_exact(3).enumerate() {
            let (x, y) = (index % shape.width, index / shape.width);
            let inside = (x.wrapping_sub(usize::from(at.0)), y.wrapping_sub(usize::from(at.1)));
            let colour = (inside.0 < 10 && inside.1 < 6).then(|| value(10 * inside.1 + inside.0, 7));
            // What no frame covers is transparent, as in browsers.
            let expected = match colour.filter(|colour| clear != Some(*colour as u8)) {
                Some(colour) => &colours[3 * colour..][..3],
                None => &[255; 3],
            };
            assert_eq!(pixel, expected, "{screen:?} {clear:?} at {x}, {y}");
        }
    }
}

/// A BMP file of 13x7 pixels with these rows, from the bottom.
fn bmp(bits: u16, compression: u32, masks: &[u32], colours: &[u8], top_down: bool, data: &[u8]) -> Vec<u8> {
    let height = if top_down { -7i32 } else { 7 };
    let masks: Vec<u8> = masks.iter().flat_map(|mask| mask.to_le_bytes()).collect();
    let start = (54 + masks.len() + colours.len()) as u32;
    let mut file = b"BM".to_vec();
    [start + data.len() as u32, 0, start, 40, 13].iter().for_each(|number| file.extend(number.to_le_bytes()));
    file.extend(height.to_le_bytes());
    [1, bits].iter().for_each(|number| file.extend(number.to_le_bytes()));
    let colour_count = colours.len() as u32 / 4;
    [compression, data.len() as u32, 0, 0, colour_count, 0].iter().for_each(|number| file.extend(number.to_le_bytes()));
    [&file[..], &masks, colours, data].concat()
}

#[test]
fn bmp_of_every_depth() {
    let colours: Vec<u8> = (0..64).map(|k| if k % 4 == 3 { 0 } else { value(k, 255) as u8 }).collect();
    let colour = |index: usize| [colours[4 * index + 2], colours[4 * index + 1], colours[4 * index]];
    let at = |x: usize, y: usize, most| value(13 * y + x, most);
    for top_down in [false, true] {
        let row = |k: usize| if top_down { k } else { 6 - k };
        let rows = |one: &dyn Fn(usize) -> Vec<u8>| -> Vec<u8> {
            let padded = |k: usize| {
                let mut bytes = one(row(k));
                bytes.resize(bytes.len().next_multiple_of(4), 0);
                bytes
            };
            (0..7).flat_map(padded).collect()
        };
        let indices = |bits: usize| {
            rows(&|y| packed(&(0..13).map(|x| at(x, y, (1 << bits.min(4)) - 1)).collect::<Vec<_>>(), bits))
        };
        let words = rows(&|y| (0..13).flat_map(|x| (at(x, y, 65_535) as u16).to_le_bytes()).collect());
        let bytes = |count: usize| rows(&|y| (0..13 * count).map(|k| value(1000 * y + k, 255) as u8).collect());
        let of_bytes = |count: usize, x: usize, y: usize| [2, 1, 0].map(|c| value(1000 * y + count * x + c, 255) as u8);
        let part = |word: usize, shift: usize, bits: usize| byte(word >> shift & ((1 << bits) - 1), bits);
        for (name, file, seen) in [
            (
                "1 bit",
                bmp(1, 0, &[], &colours[..8], top_down, &indices(1)),
                &(|x, y| colour(at(x, y, 1))) as &dyn Fn(usize, usize) -> [u8; 3],
            ),
            ("4 bits", bmp(4, 0, &[], &colours, top_down, &indices(4)), &|x, y| colour(at(x, y, 15))),
            ("8 bits", bmp(8, 0, &[], &colours, top_down, &indices(8)), &|x, y| colour(at(x, y, 15))),
            ("555", bmp(16, 0, &[], &[], top_down, &words), &|x, y| {
                let word = at(x, y, 65_535);
                [part(word, 10, 5), part(word, 5, 5), part(word, 0, 5)]
            }),
            ("565", bmp(16, 3, &[0xf800, 0x7e0, 0x1f], &[], top_down, &words), &|x, y| {
                let word = at(x, y, 65_535);
                [part(word, 11, 5), part(word, 5, 6), part(word, 0, 5)]
            }),
            ("24 bits", bmp(24, 0, &[], &[], top_down, &bytes(3)), &|x, y| of_bytes(3, x, y)),
            ("32 bits", bmp(32, 0, &[], &[], top_down, &bytes(4)), &|x, y| of_bytes(4, x, y)),
        ] {
            let (shape, pixels) = read(&file, Some(3)).unwrap_or_else(|reason| panic!("{name}: {reason}"));
            assert_eq!((shape.width, shape.height), (13, 7), "{name}");
            for (index, pixel) in pixels.chunks_exact(3).enumerate() {
                let expected = seen(index % 13, index / 13);
                let near = pixel.iter().zip(&expected).all(|(a, b)| a.abs_diff(*b) <= 1);
                assert!(near, "{name}, {top_down}, pixel {index}: {pixel:?} is not {expected:?}");
            }
        }
    }
}

#[test]
fn bmp_in_runs() {
    let colours: Vec<u8> = (0..64).map(|k| if k % 4 == 3 { 0 } else { value(k, 255) as u8 }).collect();
    // Rows of 13 pixels: five of colour k, then four as they are, then four of colour 9.
    let row8 = |k: u8| [5, k, 0, 4, 1, 2, 3, 4, 4, 9, 0, 0];
    let row4 = |k: u8| [5, 16 * k + k, 0, 4, 0x12, 0x34, 4, 0x99, 0, 0];
    let rows8: Vec<u8> = (0..7).flat_map(row8).chain([0, 1]).collect();
    let rows4: Vec<u8> = (0..7).flat_map(row4).chain([0, 1]).collect();
    for (bits, compression, rows) in [(8, 1, rows8), (4, 2, rows4)] {
        let (_, pixels) = read(&bmp(bits, compression, &[], &colours, false, &rows), Some(3)).unwrap();
        for (index, pixel) in pixels.chunks_exact(3).enumerate() {
            let (x, k) = (index % 13, 6 - index / 13);
            let colour = [k, k, k, k, k, 1, 2, 3, 4, 9, 9, 9, 9][x];
            assert_eq!(pixel, [2, 1, 0].map(|c| colours[4 * colour + c]), "{bits} bits, pixel {index}");
        }
    }
}

#[test]
fn pnm_with_any_largest_value() {
    let grey = |head: &str, data: &[u8]| read(&[head.as_bytes(), data].concat(), None).unwrap().1;
    assert_eq!(grey("P5\n3 1\n255\n", &[0, 7, 255]), [0, 7, 255]);
    assert_eq!(grey("P5\n# a remark\n3 1\n15\n", &[0, 3, 15]), [0, 51, 255]);
    assert_eq!(grey("P2\n3 1\n15\n0 3 15\n", &[]), [0, 51, 255]);
    assert_eq!(grey("P5\n3 1\n4095\n", &[0, 0, 0x08, 0, 0x0f, 0xff]), [0, 128, 255]);
    assert_eq!(grey("P4\n8 1\n", &[0b1010_0001]), [0, 255, 0, 255, 255, 255, 255, 0]);
    assert_eq!(grey("P6\n1 1\n255\n", &[1, 2, 3]), [1, 2, 3]);
    assert!(read(b"P5\n3 4\n255\n12", None).is_err());
}

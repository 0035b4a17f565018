//! Pixels from the samples of components, as libjpeg computes them: triangle filters for components of half the resolution,
//! BT.601.

use super::frame::{Component, Frame};

/// How the components are to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    Grey,
    Rgb,
    YCbCr,
    /// Inverted, as Adobe writes them and everybody reads them.
    Cmyk,
    /// Cyan, magenta and yellow as brightness and colour differences.
    Ycck,
}

/// The pixels of a frame: bytes, in grey or RGB.
pub fn pixels(frame: &Frame, colours: Colours) -> Vec<u8> {
    let channels = if colours == Colours::Grey { 1 } else { 3 };
    let mut pixels = vec![0; frame.width * frame.height * channels];
    let mut planes: Vec<Plane> = frame.components.iter().map(|component| Plane::new(frame, component)).collect();
    for (y, out) in pixels.chunks_exact_mut(frame.width * channels).enumerate() {
        planes.iter_mut().for_each(|plane| plane.fill(y));
        match (colours, &planes[..]) {
            (Colours::Rgb, [r, g, b, ..]) => joined(out, [r, g, b], |r, g, b| [r, g, b]),
            (Colours::YCbCr, [y, cb, cr, ..]) => joined(out, [y, cb, cr], rgb),
            (Colours::Cmyk, [c, m, y, k]) => {
                joined(out, [c, m, y], |c, m, y| [c, m, y]);
                under(out, &k.row);
            }
            (Colours::Ycck, [y, cb, cr, k]) => {
                joined(out, [y, cb, cr], |y, cb, cr| rgb(y, cb, cr).map(|value| 255 - value));
                under(out, &k.row);
            }
            (_, [first, ..]) => out.iter_mut().zip(&first.row).for_each(|(out, value)| *out = *value),
            (_, []) => {}
        }
    }
    pixels
}

/// Pixels that are computed before they are interleaved, so that the computation uses vector instructions.
const TOGETHER: usize = 16;

#[inline(always)]
fn joined(out: &mut [u8], planes: [&Plane; 3], pixel: impl Fn(u8, u8, u8) -> [u8; 3]) {
    let [a, b, c] = planes.map(|plane| plane.row.chunks(TOGETHER));
    for (((out, a), b), c) in out.chunks_mut(3 * TOGETHER).zip(a).zip(b).zip(c) {
        let mut joined = [[0; TOGETHER]; 3];
        if let (Ok(a), Ok(b), Ok(c)) = (a.try_into(), b.try_into(), c.try_into()) {
            let (a, b, c): (&[u8; TOGETHER], &[u8; TOGETHER], &[u8; TOGETHER]) = (a, b, c);
            for k in 0..TOGETHER {
                [joined[0][k], joined[1][k], joined[2][k]] = pixel(a[k], b[k], c[k]);
            }
        } else {
            for (k, ((&a, &b), &c)) in a.iter().zip(b).zip(c).enumerate() {
                [joined[0][k], joined[1][k], joined[2][k]] = pixel(a, b, c);
            }
        }
        let [first, second, third] = joined;
        for (k, out) in out.chunks_exact_mut(3).enumerate() {
            out.copy_from_slice(&[first[k], second[k], third[k]]);
        }
    }
}

/// Puts black ink over colours; both are inverted.
fn under(pixels: &mut [u8], black: &[u8]) {
    for (pixel, &black) in pixels.chunks_exact_mut(3).zip(black) {
        for value in pixel {
            *value = ((u32::from(*value) * u32::from(black) + 127) / 255) as u8;
        }
    }
}

#[inline(always)]
fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    // 1.402, 0.34414, 0.71414 and 1.772 in units of 1 / 65536.
    let red = y + ((91_881 * cr + HALF) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    [red, green, blue].map(|value| value.clamp(0, 255) as u8)
}

/// A component in the frame's size, row by row.
struct Plane<'a> {
    rows: Vec<&'a [u8]>,
    /// How many times the frame has its width and height, where that is a whole number.
    ratio: (Option<usize>, Option<usize>),
    /// The sampling factors of the component and of the frame.
    sampling: [(usize, usize); 2],
    /// The current row.
    row: Vec<u8>,
    /// A row in twice the number of rows, times 4.
    sums: Vec<u16>,
}

impl<'a> Plane<'a> {
    fn new(frame: &Frame, component: &'a Component) -> Self {
        let (width, height) = component.size;
        let rows =
            component.samples.chunks_exact(8 * component.blocks.0).take(height).map(|row| &row[..width]).collect();
        let ratio = |whole: usize, part: usize| whole.is_multiple_of(part).then_some(whole / part);
        let (part, whole) = (component.sampling, frame.sampling);
        let ratio = (ratio(whole.0, part.0), ratio(whole.1, part.1));
        Self { rows, ratio, sampling: [part, whole], row: vec![0; frame.width], sums: vec![0; width] }
    }

    /// Computes row `y` of the frame.
    fn fill(&mut self, y: usize) {
        let narrow = self.sums.len() <= 2;
        match self.ratio {
            (Some(1), Some(1)) => self.row.copy_from_slice(self.rows[y]),
            (Some(1), Some(2)) => {
                let bias = if y.is_multiple_of(2) { 1 } else { 2 };
                self.between(y);
                self.row.iter_mut().zip(&self.sums).for_each(|(out, sum)| *out = ((sum + bias) >> 2) as u8);
            }
            (Some(2), Some(1)) if !narrow => {
                self.sums.iter_mut().zip(self.rows[y]).for_each(|(sum, &value)| *sum = u16::from(value));
                wider(&self.sums, [1, 2], 2, &mut self.row);
            }
            (Some(2), Some(2)) if !narrow => {
                self.between(y);
                wider(&self.sums, [8, 7], 4, &mut self.row);
            }
            _ => {
                let [part, whole] = self.sampling;
                let row = self.rows[(y * part.1 / whole.1).min(self.rows.len() - 1)];
                let last = row.len() - 1;
                let value = |x: usize| row[(x * part.0 / whole.0).min(last)];
                self.row.iter_mut().enumerate().for_each(|(x, out)| *out = value(x));
            }
        }
    }

    /// Row `y` of twice as many rows: three parts of the nearer row and one of the other.
    fn between(&mut self, y: usize) {
        let near = y / 2;
        let other = if y.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(self.rows.len() - 1) };
        for ((sum, &near), &other) in self.sums.iter_mut().zip(self.rows[near]).zip(self.rows[other]) {
            *sum = 3 * u16::from(near) + u16::from(other);
        }
    }
}

/// A row of twice as many values: three parts of the nearer value and one of the other, divided by `1 << shift`, which
/// `bias` rounds for the left and the right half.
#[inline(always)]
fn wider(values: &[u16], bias: [u16; 2], shift: u32, out: &mut [u8]) {
    let pair = |near: u16, left: u16, right: u16| {
        [((3 * near + left + bias[0]) >> shift) as u8, ((3 * near + right + bias[1]) >> shift) as u8]
    };
    let last = values.len() - 1;
    for x in [0, last] {
        let [left, right] = pair(values[x], values[x.saturating_sub(1)], values[(x + 1).min(last)]);
        out[2 * x] = left;
        if let Some(out) = out.get_mut(2 * x + 1) {
            *out = right;
        }
    }
    for (near, out) in values.windows(3).zip(out[2..].chunks_exact_mut(2)) {
        out.copy_from_slice(&pair(near[1], near[0], near[2]));
    }
}

//! A hand: from a digit to the way of the pen, with all that makes one writing of it differ from the next. A style is
//! chosen; its points are moved, each one a little and the sheet as a whole (slant, turn, aspect, bend); a smooth
//! curve is led through them with a pen whose width changes on the way; and the result is framed.
//!
//! Only `+ - * /` and square roots are used, which every machine rounds alike; so every machine draws the same digits.

use rand::Rng;

use super::curve::{self, Knot};
use super::glyphs::{DIGITS, Style};
use super::raster::Dot;
use crate::random::unit;

/// A written digit: its strokes, how soft their edges are and how bright the ink is.
pub(super) struct Writing {
    /// One list of dots per stroke, in pixels.
    pub strokes: Vec<Vec<Dot>>,
    /// Width of the soft edge, in pixels.
    pub softness: f32,
    /// The value of full ink, up to 1.
    pub ink: f32,
}

/// Writes `digit` (0 to 9) once.
pub(super) fn write(digit: usize, rng: &mut impl Rng) -> Writing {
    let style = choose_style(&DIGITS[digit], rng);
    let sheet = Sheet::draw(digit, rng);
    let pen = Pen::draw(digit, rng);
    // Between the style's extremes, or slightly beyond.
    let blend = 0.5 + 0.32 * bell(rng);
    let mut strokes: Vec<Vec<Dot>> = (style.from.iter().zip(&style.to))
        .map(|(from, to)| curve::lead(&knots(from, to, blend, &sheet, &pen, rng), pen.haste))
        .collect();
    for dot in strokes.iter_mut().flatten() {
        dot.radius *= 1.0 + pen.grain * bell(rng);
    }
    let size = 19.5 + 0.3 * bell(rng);
    let middle = (14.0 + 0.35 * bell(rng), 14.0 + 0.35 * bell(rng));
    curve::frame(&mut strokes, size, middle);
    Writing { strokes, softness: pen.softness, ink: pen.ink }
}

fn choose_style<'a>(styles: &'a [Style], rng: &mut impl Rng) -> &'a Style {
    let total: f32 = styles.iter().map(|style| style.share).sum();
    let mut left = total * unit(rng);
    for style in styles {
        left -= style.share;
        if left < 0.0 {
            return style;
        }
    }
    &styles[styles.len() - 1]
}

/// How far each digit's top leans to the right on average (per height), and the width of its line relative to the
/// pen's: set so that the ink of each digit has MNIST's average slant and weight.
const LEAN: [f32; 10] = [0.20, 0.25, 0.17, 0.07, 0.23, 0.07, 0.09, 0.05, 0.07, 0.11];
const WEIGHT: [f32; 10] = [1.11, 1.09, 0.97, 0.97, 0.94, 0.95, 0.95, 1.03, 0.90, 0.90];

/// What happens to every point of a digit alike: a slow deformation of the sheet under it.
struct Sheet {
    width: f32,
    lean: f32,
    turn: f32,
    bend: [f32; 6],
}

impl Sheet {
    fn draw(digit: usize, rng: &mut impl Rng) -> Self {
        Self {
            width: 1.07 + 0.19 * mild(rng),
            lean: LEAN[digit] + 0.26 * mild(rng),
            turn: 0.05 * mild(rng),
            bend: std::array::from_fn(|_| 0.145 * mild(rng)),
        }
    }

    fn place(&self, (x, y): (f32, f32)) -> (f32, f32) {
        let (u, v) = (x - 0.35, y - 0.5);
        let [a, b, c, d, e, f] = self.bend;
        let across = self.width * u + a * v * v + b * u * v + c * u * u;
        let down = v + d * u * u + e * u * v + f * v * v;
        let across = across - self.lean * down;
        // A rotation by 2 atan(turn), without trigonometry.
        let square = self.turn * self.turn;
        let (cosine, sine) = ((1.0 - square) / (1.0 + square), 2.0 * self.turn / (1.0 + square));
        (cosine * across - sine * down, sine * across + cosine * down)
    }
}

/// What the pen and its user's manner are like.
struct Pen {
    radius: f32,
    swell: f32,
    grain: f32,
    tremor: f32,
    haste: usize,
    softness: f32,
    ink: f32,
}

impl Pen {
    fn draw(digit: usize, rng: &mut impl Rng) -> Self {
        Self {
            radius: WEIGHT[digit] * (1.32 + 0.37 * bell(rng)).max(0.7),
            swell: 0.04 + 0.12 * unit(rng),
            grain: 0.08,
            tremor: 0.015 + 0.025 * unit(rng),
            haste: (7.0 * unit(rng)) as usize,
            softness: 0.85 + 0.3 * unit(rng),
            ink: 1.0 - 0.1 * unit(rng) * unit(rng) * unit(rng),
        }
    }
}

/// The points that one stroke passes through, between the extremes of its style.
fn knots(
    from: &[(f32, f32)],
    to: &[(f32, f32)],
    blend: f32,
    sheet: &Sheet,
    pen: &Pen,
    rng: &mut impl Rng,
) -> Vec<Knot> {
    let mut knots: Vec<Knot> = Vec::with_capacity(from.len());
    let mut drift = (0.0, 0.0);
    for (index, (a, b)) in from.iter().zip(to).enumerate() {
        if index > 0 && from[index - 1] == *a {
            // A corner: the same point again, wherever it went.
            knots.push(knots[index - 1]);
            continue;
        }
        let (x, y) = (a.0 + blend * (b.0 - a.0), a.1 + blend * (b.1 - a.1));
        let (x, y) = sheet.place((x, y));
        let radius = (pen.radius * (1.0 + pen.swell * bell(rng))).max(0.5);
        // Each point strays much as the one before it: a slow wobble, not a zigzag.
        drift = (0.6 * drift.0 + 0.8 * bell(rng), 0.6 * drift.1 + 0.8 * bell(rng));
        knots.push(Knot { x: x + pen.tremor * drift.0, y: y + pen.tremor * drift.1, radius });
    }
    knots
}

/// A draw with mean 0 and variance 1, shaped like a bell that ends at 3.5: the sum of four uniform draws.
fn bell(rng: &mut impl Rng) -> f32 {
    let bits = rng.next_u64();
    let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
    (sum as f32 / 65536.0 - 2.0) * 1.732_050_8
}

/// A bell without its ends: what is added up over a whole digit must leave it readable.
fn mild(rng: &mut impl Rng) -> f32 {
    bell(rng).clamp(-2.0, 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn bell_draws_have_unit_variance() {
        let mut rng = Stream::new(1, "bell").at(0);
        let draws: Vec<f32> = (0..100_000).map(|_| bell(&mut rng)).collect();
        let mean = draws.iter().sum::<f32>() / 1e5;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 1e5;
        assert!(mean.abs() < 0.015, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.02, "variance {variance}");
    }

    #[test]
    fn corners_stay_corners() {
        let mut rng = Stream::new(1, "corner").at(0);
        let (sheet, pen) = (Sheet::draw(7, &mut rng), Pen::draw(7, &mut rng));
        let path: &[(f32, f32)] = &[(0.0, 0.0), (0.6, 0.0), (0.6, 0.0), (0.3, 1.0)];
        let knots = knots(path, path, 0.5, &sheet, &pen, &mut rng);
        assert_eq!((knots[1].x, knots[1].y), (knots[2].x, knots[2].y));
        assert_ne!((knots[0].x, knots[0].y), (knots[1].x, knots[1].y));
    }
}

//! The pen's way: a smooth curve through a stroke's points, and its frame, which is MNIST's: the longer side of the
//! ink is 20 pixels, and the centre of mass is in the middle of the picture.

use super::raster::Dot;

/// Dots between two knots.
const STEPS: usize = 6;

/// A point that the pen passes through: place in units of the digit's height, and half the line's width in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Knot {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
    /// Half the width of the line here.
    pub radius: f32,
}

/// A Catmull-Rom curve through `knots`; a knot given twice is a corner, which `haste` rounds (0: sharp).
pub(super) fn lead(knots: &[Knot], haste: usize) -> Vec<Dot> {
    let mut dots = Vec::with_capacity(knots.len() * STEPS);
    let last = knots.len().saturating_sub(1);
    for (index, pair) in knots.windows(2).enumerate() {
        let (from, to) = (pair[0], pair[1]);
        if (from.x, from.y) == (to.x, to.y) {
            continue;
        }
        let (before, after) = (knots[index.saturating_sub(1)], knots[(index + 2).min(last)]);
        for step in 0..STEPS {
            let t = step as f32 / STEPS as f32;
            dots.push(Dot {
                x: catmull_rom([before.x, from.x, to.x, after.x], t),
                y: catmull_rom([before.y, from.y, to.y, after.y], t),
                radius: from.radius + t * (to.radius - from.radius),
            });
        }
    }
    dots.extend(knots.last().map(|knot| Dot { x: knot.x, y: knot.y, radius: knot.radius }));
    for _ in 0..haste {
        smooth(&mut dots);
    }
    dots
}

fn catmull_rom([before, from, to, after]: [f32; 4], t: f32) -> f32 {
    let linear = to - before;
    let square = 2.0 * before - 5.0 * from + 4.0 * to - after;
    let cube = 3.0 * (from - to) + after - before;
    from + 0.5 * t * (linear + t * (square + t * cube))
}

/// Moves each dot but the first and the last towards its neighbours, as a quick hand cuts its corners.
fn smooth(dots: &mut [Dot]) {
    let Some(mut before) = dots.first().copied() else {
        return;
    };
    for index in 1..dots.len().saturating_sub(1) {
        let (here, after) = (dots[index], dots[index + 1]);
        dots[index].x = 0.25 * before.x + 0.5 * here.x + 0.25 * after.x;
        dots[index].y = 0.25 * before.y + 0.5 * here.y + 0.25 * after.y;
        before = here;
    }
}

/// Sizes the strokes so that the longer side of their ink is `size` pixels, and moves their centre of mass to `middle`.
pub(super) fn frame(strokes: &mut [Vec<Dot>], size: f32, middle: (f32, f32)) {
    let (mut low, mut high) = ((f32::MAX, f32::MAX), (f32::MIN, f32::MIN));
    let (mut thickness, mut count) = (0.0, 0);
    for dot in strokes.iter().flatten() {
        low = (low.0.min(dot.x), low.1.min(dot.y));
        high = (high.0.max(dot.x), high.1.max(dot.y));
        thickness += 2.0 * dot.radius;
        count += 1;
    }
    if count == 0 {
        return;
    }
    let extent = (high.0 - low.0).max(high.1 - low.1).max(1e-3);
    let scale = (size - thickness / count as f32) / extent;
    let centre = centre_of_mass(strokes);
    for dot in strokes.iter_mut().flatten() {
        dot.x = (dot.x - centre.0) * scale + middle.0;
        dot.y = (dot.y - centre.1) * scale + middle.1;
    }
}

/// The centre of the strokes, each piece weighed by its length and width.
fn centre_of_mass(strokes: &[Vec<Dot>]) -> (f32, f32) {
    let (mut x, mut y, mut mass) = (0.0, 0.0, 0.0);
    for pair in strokes.iter().flat_map(|stroke| stroke.windows(2)) {
        let (a, b) = (pair[0], pair[1]);
        let (dx, dy) = (b.x - a.x, b.y - a.y);
        let weight = (dx * dx + dy * dy).sqrt() * (a.radius + b.radius);
        x += weight * 0.5 * (a.x + b.x);
        y += weight * 0.5 * (a.y + b.y);
        mass += weight;
    }
    let mass: f32 = mass;
    (x / mass.max(1e-9), y / mass.max(1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knot(x: f32, y: f32) -> Knot {
        Knot { x, y, radius: 1.0 }
    }

    #[test]
    fn the_curve_passes_through_its_knots() {
        let knots = [knot(0.0, 0.0), knot(0.5, 0.3), knot(0.2, 0.9), knot(0.7, 1.0)];
        let dots = lead(&knots, 0);
        assert_eq!(dots.len(), 3 * STEPS + 1);
        for (index, knot) in knots.iter().enumerate() {
            let dot = dots[index * STEPS];
            assert!((dot.x - knot.x).abs() < 1e-6 && (dot.y - knot.y).abs() < 1e-6);
        }
        // Halfway between two knots of an even arc, the curve bulges beyond the chord.
        let arc = [knot(0.0, 0.0), knot(1.0, 1.0), knot(2.0, 1.0), knot(3.0, 0.0)];
        let top = lead(&arc, 0)[STEPS + STEPS / 2];
        assert!((top.x - 1.5).abs() < 1e-6 && (top.y - 1.125).abs() < 1e-6, "{top:?}");
    }

    #[test]
    fn haste_rounds_a_corner_and_keeps_the_ends() {
        let knots = [knot(0.0, 0.0), knot(1.0, 0.0), knot(1.0, 0.0), knot(1.0, 1.0)];
        let (sharp, round) = (lead(&knots, 0), lead(&knots, 5));
        let nearest = |dots: &[Dot]| dots.iter().map(|dot| (dot.x - 1.0).hypot(dot.y)).fold(f32::MAX, f32::min);
        assert!(nearest(&sharp) < 1e-6);
        assert!(nearest(&round) > 0.05, "{}", nearest(&round));
        assert_eq!((sharp[0], sharp.last()), (round[0], round.last()));
    }

    #[test]
    fn the_frame_sets_size_and_centre() {
        // An L of unequal arms: its centre of mass isn't the centre of its box.
        let mut strokes = vec![lead(&[knot(0.0, 0.0), knot(0.0, 1.0)], 0)];
        strokes.push(lead(&[knot(0.0, 1.0), knot(0.5, 1.0)], 0));
        frame(&mut strokes, 20.0, (14.0, 13.0));
        let xs = || strokes.iter().flatten().map(|dot| dot.x);
        let ys = || strokes.iter().flatten().map(|dot| dot.y);
        let height = ys().fold(f32::MIN, f32::max) - ys().fold(f32::MAX, f32::min);
        assert!((height - 18.0).abs() < 1e-3, "height {height}");
        // Masses 18 at x = 0 and 9 at x = 4.5 have their centre at x = 1.5.
        let left = xs().fold(f32::MAX, f32::min);
        assert!((left - 12.5).abs() < 1e-3, "left {left}");
        let centre = centre_of_mass(&strokes);
        assert!((centre.0 - 14.0).abs() < 1e-3 && (centre.1 - 13.0).abs() < 1e-3, "{centre:?}");
    }
}

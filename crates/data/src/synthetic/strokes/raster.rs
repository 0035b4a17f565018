//! Ink on a small grey canvas: thick lines with soft edges, by the distance from each pixel to the line.

/// Pixels along each side of the canvas.
pub(super) const SIDE: usize = 28;

/// A point of a pen's way, in pixels (the centre of the top left pixel is `(0, 0)`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dot {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
    /// Half the width of the line here.
    pub radius: f32,
}

/// Draws the line through `dots` on `canvas` (`SIDE * SIDE` values); where lines cross, the stronger ink counts.
/// `softness` is the width in pixels of the edge, on which the ink falls from 1 to 0.
pub(super) fn draw_line(dots: &[Dot], softness: f32, canvas: &mut [f32]) {
    for pair in dots.windows(2) {
        if let [start, end] = pair {
            draw_segment(*start, *end, softness, canvas);
        }
    }
}

fn draw_segment(start: Dot, end: Dot, softness: f32, canvas: &mut [f32]) {
    let reach = start.radius.max(end.radius) + 0.5 * softness;
    let (left, right) = pixels(start.x.min(end.x) - reach, start.x.max(end.x) + reach);
    let (top, bottom) = pixels(start.y.min(end.y) - reach, start.y.max(end.y) + reach);
    let (dx, dy) = (end.x - start.x, end.y - start.y);
    // A segment of no length is a dot.
    let per_square = 1.0 / (dx * dx + dy * dy).max(1e-12);
    let swell = end.radius - start.radius;
    let per_softness = 1.0 / softness;
    for (row, line) in canvas.chunks_exact_mut(SIDE).enumerate().take(bottom).skip(top) {
        let y = row as f32 - start.y;
        let columns = line.get_mut(left..right).unwrap_or_default();
        for (column, value) in columns.iter_mut().enumerate() {
            let x = (left + column) as f32 - start.x;
            let along = ((x * dx + y * dy) * per_square).clamp(0.0, 1.0);
            let (away_x, away_y) = (x - along * dx, y - along * dy);
            let distance = (away_x * away_x + away_y * away_y).sqrt();
            let inside = start.radius + along * swell - distance;
            let ink = (0.5 + inside * per_softness).clamp(0.0, 1.0);
            *value = value.max(ink);
        }
    }
}

/// The pixels (first, one past the last) whose centres lie in `[low, high]`.
fn pixels(low: f32, high: f32) -> (usize, usize) {
    let side = SIDE as f32;
    (low.ceil().clamp(0.0, side) as usize, (high.floor() + 1.0).clamp(0.0, side) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[(f32, f32, f32)]) -> Vec<f32> {
        let dots: Vec<Dot> = points.iter().map(|&(x, y, radius)| Dot { x, y, radius }).collect();
        let mut canvas = vec![0.0; SIDE * SIDE];
        draw_line(&dots, 1.0, &mut canvas);
        canvas
    }

    #[test]
    fn a_level_line_inks_its_rows() {
        let canvas = line(&[(5.0, 10.0, 1.25), (20.0, 10.0, 1.25)]);
        let column: Vec<f32> = (7..14).map(|row| canvas[row * SIDE + 12]).collect();
        assert_eq!(column, [0.0, 0.0, 0.75, 1.0, 0.75, 0.0, 0.0]);
        // Round ends: the pixel beyond the end is as far as the row beside the line.
        assert_eq!(canvas[10 * SIDE + 21], 0.75);
        assert_eq!(canvas[10 * SIDE + 22], 0.0);
        // Width 2.5 over a length of 15, and two half discs.
        let ink: f32 = canvas.iter().sum();
        assert!((ink - (2.5 * 15.0 + 4.91)).abs() < 0.6, "ink {ink}");
    }

    #[test]
    fn the_line_swells_from_one_radius_to_the_other() {
        let canvas = line(&[(5.0, 10.0, 0.5), (20.0, 10.0, 2.5)]);
        let ink = |column: usize| (0..SIDE).map(|row| canvas[row * SIDE + column]).sum::<f32>();
        assert!((ink(8) - 2.0 * 0.9).abs() < 0.15, "ink {}", ink(8));
        assert!((ink(17) - 2.0 * 2.1).abs() < 0.15, "ink {}", ink(17));
    }

    #[test]
    fn lines_outside_the_canvas_leave_it_alone() {
        assert_eq!(line(&[(-9.0, -9.0, 2.0), (-9.0, 60.0, 2.0), (60.0, 60.0, 2.0)]), [0.0; SIDE * SIDE]);
        let clipped = line(&[(13.0, -40.0, 1.0), (13.0, 70.0, 1.0)]);
        assert!((0..SIDE).all(|row| clipped[row * SIDE + 13] == 1.0));
    }
}

//! Where source pixels are placed so that tiles of 16 neighbouring ones can be read with one stride, at any tap, without
//! im2col. Destination pixels get *positions*: number `j` of line `i` of an image is at `(image * rows + i) * pitch +
//! j`, the same for every phase. Source pixels are placed likewise, with zeros between lines and between images, as many as the
//! taps reach; the zeros after one line are also those before the next. So tap by tap, destination position `p` reads
//! source index `p + offset`, whatever line and image it is in. Where the plan steps over pixels, those that one tap can
//! read make a class of their own, `(y % step, x % step)`, with its own stretch of indices.

use super::{ROWS, STEP};
use crate::plan::{Phase, Plan, Tap};
use std::ops::Range;

/// The stored coordinates along one axis of a class.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// The first one.
    first: isize,
    /// Number with pixels.
    count: usize,
    /// Number including the trailing zeros.
    pitch: usize,
    /// Where destination 0 of the block would read at offset 0, counted from `first`.
    shift: isize,
}

impl Span {
    /// Destinations `to` read at the offsets `reach` (smallest and largest) from `data` coordinates.
    fn new(reach: (isize, isize), to: &Range<usize>, data: usize) -> Self {
        let (low, high) = (to.start as isize + reach.0, to.end as isize - 1 + reach.1);
        let first = low.max(0);
        let end = (high + 1).min(data as isize);
        let (first, count) = if end > first { (first, (end - first) as usize) } else { (low, 0) };
        let before = (first - low).max(0) as usize;
        let after = (high + 1 - first - count as isize).max(0) as usize;
        let pitch = (count + before.max(after)).max(to.len());
        Self { first, count, pitch, shift: to.start as isize - first }
    }
}

/// The places of some lines of some images.
pub(super) struct Grid {
    lines: Range<usize>,
    images: usize,
    y: Span,
    x: Span,
    step: [usize; 2],
    /// Class coordinates of each class that is read.
    pub(super) classes: Vec<[usize; 2]>,
    /// Indices before the first pixel of a class.
    front: usize,
    /// Indices of one class.
    pub(super) class_len: usize,
}

impl Grid {
    /// For destination `lines` of `phases`, which all share the grid, and `images` images.
    pub(super) fn new(plan: &Plan, phases: &[Phase], lines: Range<usize>, images: usize) -> Self {
        let [step_y, step_x] = plan.step;
        let taps = || phases.iter().flat_map(|p| &p.taps);
        let reach = |of: &dyn Fn(&Tap) -> isize| {
            let offsets = || taps().map(of);
            (offsets().min().unwrap_or(0), offsets().max().unwrap_or(0))
        };
        let cols = phases.iter().map(|p| p.cols).max().unwrap_or(0);
        let y = Span::new(reach(&|t| t.y.div_euclid(step_y as isize)), &lines, plan.from.h.div_ceil(step_y));
        let x = Span::new(reach(&|t| t.x.div_euclid(step_x as isize)), &(0..cols), plan.from.w.div_ceil(step_x));
        let mut classes: Vec<[usize; 2]> = taps().map(|t| class(plan.step, t)).collect();
        classes.sort_unstable();
        classes.dedup();
        if classes.is_empty() {
            classes.push([0, 0]);
        }
        let mut grid = Self { lines, images, y, x, step: plan.step, classes, front: 0, class_len: 0 };
        let offsets = || taps().map(|t| grid.relative(t));
        let front = (-offsets().min().unwrap_or(0)).max(0) as usize;
        let behind = offsets().max().unwrap_or(0).max(0) as usize;
        grid.front = front;
        // The last tile may begin at the last position; steps over positions are whole.
        grid.class_len = front + grid.positions().next_multiple_of(STEP) + behind + ROWS;
        grid
    }

    /// For pixels that im2col has brought into the order of the destination's: one class without borders.
    pub(super) fn of_columns(phase: &Phase, lines: Range<usize>, images: usize) -> Self {
        let span = |to: Range<usize>| Span { first: 0, count: to.len(), pitch: to.len(), shift: 0 };
        let (y, x) = (span(lines.clone()), span(0..phase.cols));
        let mut grid = Self { lines, images, y, x, step: [1, 1], classes: vec![[0, 0]], front: 0, class_len: 0 };
        grid.class_len = grid.positions().next_multiple_of(STEP) + ROWS;
        grid
    }

    /// Images that it has places for.
    pub(super) fn images(&self) -> usize {
        self.images
    }

    /// Positions from the first one to the last one's successor.
    pub(super) fn positions(&self) -> usize {
        self.images * self.y.pitch * self.x.pitch
    }

    /// The position of pixel `j` of line `i`.
    pub(super) fn position(&self, image: usize, i: usize, j: usize) -> usize {
        (image * self.y.pitch + i - self.lines.start) * self.x.pitch + j
    }

    /// The image, line and column of the phase's pixel at `position`, if there is one.
    pub(super) fn pixel_at(&self, phase: &Phase, position: usize) -> Option<[usize; 3]> {
        let (row, j) = (position / self.x.pitch, position % self.x.pitch);
        let (image, i) = (row / self.y.pitch, row % self.y.pitch + self.lines.start);
        (image < self.images && i < phase.rows.min(self.lines.end) && j < phase.cols).then_some([image, i, j])
    }

    /// What is added to a position to get the index that the tap reads.
    pub(super) fn offset(&self, tap: &Tap) -> usize {
        let class = class(self.step, tap);
        let nth = self.classes.iter().position(|c| *c == class).unwrap_or(0);
        (nth * self.class_len + self.front).wrapping_add_signed(self.relative(tap))
    }

    fn relative(&self, tap: &Tap) -> isize {
        let y = tap.y.div_euclid(self.step[0] as isize) + self.y.shift;
        let x = tap.x.div_euclid(self.step[1] as isize) + self.x.shift;
        y * self.x.pitch as isize + x
    }

    /// The stored lines of class number `nth`: where each begins, and which source pixels are there.
    pub(super) fn stored<'a>(&'a self, plan: &'a Plan, nth: usize) -> impl Iterator<Item = Line> + 'a {
        let [class_y, class_x] = self.classes[nth];
        let first_x = self.step[1].wrapping_mul(self.x.first as usize).wrapping_add(class_x);
        let wanted = self.x.count;
        let inside = plan.from.w.saturating_sub(first_x).div_ceil(self.step[1]);
        (0..self.images).flat_map(move |image| {
            (0..self.y.count).filter_map(move |row| {
                let y = self.step[0].wrapping_mul((self.y.first + row as isize) as usize).wrapping_add(class_y);
                (y < plan.from.h).then(|| Line {
                    index: self.front + (image * self.y.pitch + row) * self.x.pitch,
                    image,
                    y,
                    x: first_x,
                    count: wanted.min(inside),
                })
            })
        })
    }
}

/// Source pixels `x`, `x + step`, ... of line `y`, `count` of them, which are at `index` and behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) index: usize,
    pub(super) image: usize,
    pub(super) y: usize,
    pub(super) x: usize,
    pub(super) count: usize,
}

/// The residues of the pixels that a tap reads.
pub(super) fn class([step_y, step_x]: [usize; 2], tap: &Tap) -> [usize; 2] {
    [tap.y.rem_euclid(step_y as isize) as usize, tap.x.rem_euclid(step_x as isize) as usize]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Geometry;
    use crate::reference::geometries;
    use proptest::prelude::*;

    /// What is at every index: `(image, y, x)`, or nothing.
    fn contents(grid: &Grid, plan: &Plan) -> Vec<Option<(usize, usize, usize)>> {
        let mut all = vec![None; grid.classes.len() * grid.class_len];
        for nth in 0..grid.classes.len() {
            for line in grid.stored(plan, nth) {
                for n in 0..line.count {
                    let at = &mut all[nth * grid.class_len + line.index + n];
                    assert!(at.is_none(), "two pixels at one index");
                    *at = Some((line.image, line.y, line.x + n * plan.step[1]));
                }
            }
        }
        all
    }

    fn check(plan: &Plan, phases: &[Phase], lines: Range<usize>) {
        let grid = Grid::new(plan, phases, lines.clone(), 2);
        let contents = contents(&grid, plan);
        for phase in phases {
            let mut seen = 0;
            for (image, i) in (0..2).flat_map(|m| (lines.start..lines.end.min(phase.rows)).map(move |i| (m, i))) {
                for j in 0..phase.cols {
                    let position = grid.position(image, i, j);
                    assert_eq!(grid.pixel_at(phase, position), Some([image, i, j]));
                    seen += 1;
                    for tap in &phase.taps {
                        let y = (plan.step[0] * i) as isize + tap.y;
                        let x = (plan.step[1] * j) as isize + tap.x;
                        let inside = y >= 0 && x >= 0 && y < plan.from.h as isize && x < plan.from.w as isize;
                        let want = inside.then_some((image, y as usize, x as usize));
                        assert_eq!(contents[position + grid.offset(tap)], want, "line {i}, column {j}");
                    }
                }
            }
            let all = (0..grid.positions()).filter(|p| grid.pixel_at(phase, *p).is_some()).count();
            assert_eq!(all, seen);
            let last = grid.positions().next_multiple_of(STEP);
            assert!(phase.taps.iter().all(|t| last + grid.offset(t) <= contents.len()));
        }
    }

    proptest! {
        #![proptest_config(crate::reference::cases(300))]

        #[test]
        fn every_tap_reads_its_pixel_or_a_zero(g in geometries(), factor in 1..4usize) {
            let g = Geometry { batch: 2, in_h: g.in_h * factor, in_w: g.in_w * factor, ..g };
            for plan in [Plan::forward(&g, factor), Plan::input_grad(&g, factor)] {
                let rows = plan.phases.iter().map(|p| p.rows).max().unwrap_or(0);
                if rows > 0 {
                    check(&plan, &plan.phases, 0..rows);
                    check(&plan, &plan.phases, rows / 3..(rows / 3 + 2).min(rows));
                }
                for phase in plan.phases.iter().filter(|p| p.rows > 0 && !p.taps.is_empty()) {
                    check(&plan, std::slice::from_ref(phase), 0..phase.rows);
                    check(&plan, std::slice::from_ref(phase), phase.rows / 3..(phase.rows / 3 + 2).min(phase.rows));
                }
            }
        }
    }

    #[test]
    fn neighbours_share_their_border() {
        // A 5x5 kernel reaches two pixels to each side of 14: 16 positions per line, not 18.
        let plan = Plan::forward(&Geometry::same(1, 14, 14, 32, 32, [5, 5], [1, 1]), 1);
        let grid = Grid::new(&plan, &plan.phases, 0..14, 4);
        assert_eq!(grid.positions(), 4 * 16 * 16);
    }
}

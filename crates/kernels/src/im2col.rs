//! im2col in f32: the source pixels that each destination pixel of a phase reads, side by side in one row, so that a
//! convolution becomes a matrix product. Also the order in which the pixels of a phase are counted ([`Position`]).
//! The bf16 engine has its own form, `engines/amx/im2col.rs`.

use crate::plan::{Phase, Plan};

/// Pixel number `r` of a phase over a block of images: which image, row and column.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    pub(crate) image: usize,
    pub(crate) i: usize,
    pub(crate) j: usize,
}

impl Position {
    pub(crate) fn new(phase: &Phase, r: usize) -> Self {
        let (line, j) = (r / phase.cols, r % phase.cols);
        Self { image: line / phase.rows, i: line % phase.rows, j }
    }

    /// The next pixel of the phase.
    pub(crate) fn advance(&mut self, phase: &Phase) {
        self.j += 1;
        if self.j == phase.cols {
            self.j = 0;
            self.i += 1;
            if self.i == phase.rows {
                self.i = 0;
                self.image += 1;
            }
        }
    }

    /// Index of the first value of the destination pixel.
    pub(crate) fn to(self, plan: &Plan, phase: &Phase) -> usize {
        plan.destination(phase, self.image, self.i, self.j)
    }
}

/// im2col: the source pixels that destination pixels `first..` of the phase read, one row of taps each, zero
/// outside the image. Positions count from image `image`.
pub(crate) fn fill_columns(plan: &Plan, phase: &Phase, image: usize, first: usize, x: &[f32], columns: &mut [f32]) {
    let (c, steps) = (plan.from.c, phase.taps.len() * plan.from.c);
    let mut position = Position::new(phase, first);
    let mut rest = columns;
    while !rest.is_empty() {
        // The pixels up to the end of a line.
        let count = (phase.cols - position.j).min(rest.len() / steps);
        let (line, tail) = rest.split_at_mut(count * steps);
        let image = &x[(image + position.image) * plan.from.len()..][..plan.from.len()];
        for (t, tap) in phase.taps.iter().enumerate() {
            let y = (plan.step[0] * position.i) as isize + tap.y;
            let source = if y >= 0 && y < plan.from.h as isize {
                &image[y as usize * plan.from.w * c..][..plan.from.w * c]
            } else {
                &[]
            };
            let left = (plan.step[1] * position.j) as isize + tap.x;
            fill_tap(source, left, plan.step[1], c, &mut line[t * c..], steps);
        }
        position.j += count - 1;
        position.advance(phase);
        rest = tail;
    }
}

/// Copies the `c` values of pixels `left`, `left + step`, ... of a line of the source to every `steps`-th value of
/// `target`, zeros outside the line.
fn fill_tap(source: &[f32], left: isize, step: usize, c: usize, target: &mut [f32], steps: usize) {
    let mut x = left;
    for row in target.chunks_mut(steps) {
        if x < 0 || x as usize * c >= source.len() {
            row[..c].fill(0.0);
        } else if c == 1 {
            row[0] = source[x as usize];
        } else {
            row[..c].copy_from_slice(&source[x as usize * c..][..c]);
        }
        x += step as isize;
    }
}

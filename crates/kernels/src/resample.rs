//! Upsampling and downsampling of images by a whole factor, and the transposes of these, which are the gradients. Every
//! function is linear in `x`; nearest-neighbour enlarging and summing squares are each other's transposes.

use crate::vectorise::vectorised;
use rayon::prelude::*;

/// What is done to each image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Resample {
    /// Every pixel becomes a square of equal pixels, times the scale.
    Spread {
        /// The square's side.
        factor: usize,
        /// Multiplies every value.
        scale: f32,
    },
    /// Every square of pixels becomes their sum, times the scale.
    Collect {
        /// The square's side, which divides height and width.
        factor: usize,
        /// Multiplies every sum.
        scale: f32,
    },
    /// Every pixel becomes a square of weighted means of the pixels around; what is outside repeats the edge.
    Blend {
        /// The square's side.
        factor: usize,
    },
    /// The transpose of [`Resample::Blend`].
    Unblend {
        /// The square's side, which divides height and width.
        factor: usize,
    },
}

impl Resample {
    /// Height and width of what it makes of an image of `h` x `w`.
    pub fn size(self, [h, w]: [usize; 2]) -> [usize; 2] {
        match self {
            Self::Spread { factor, .. } | Self::Blend { factor } => [h * factor, w * factor],
            Self::Collect { factor, .. } | Self::Unblend { factor } => [h / factor, w / factor],
        }
    }

    /// What takes the gradient back.
    pub fn transpose(self) -> Self {
        match self {
            Self::Spread { factor, scale } => Self::Collect { factor, scale },
            Self::Collect { factor, scale } => Self::Spread { factor, scale },
            Self::Blend { factor } => Self::Unblend { factor },
            Self::Unblend { factor } => Self::Blend { factor },
        }
    }

    /// Applies it to the images `x`, `[batch, h, w, c]`; `y` has the size that [`Self::size`] says.
    pub fn apply(self, x: &[f32], [batch, h, w, c]: [usize; 4], y: &mut [f32]) {
        let [rows, columns] = self.size([h, w]);
        assert!(x.len() == batch * h * w * c, "x has {} values, no {batch} images of {h}x{w}x{c}", x.len());
        assert!(y.len() == batch * rows * columns * c, "y has {} values, no {rows}x{columns}x{c}", y.len());
        if x.is_empty() || y.is_empty() {
            return;
        }
        let images = y.par_chunks_mut(rows * columns * c).zip(x.par_chunks(h * w * c));
        match self {
            Self::Spread { factor, scale } => images.for_each(|(y, x)| spread(x, y, w * c, c, factor, scale)),
            Self::Collect { factor, scale } => images.for_each(|(y, x)| collect(x, y, columns * c, c, factor, scale)),
            Self::Blend { factor } => images.for_each(|(y, x)| blend(x, y, [h, w, c], factor)),
            Self::Unblend { factor } => images.for_each(|(y, x)| unblend(x, y, [rows, columns, c], factor)),
        }
    }
}

vectorised! {
    /// `row` is the length of a row of `x`.
    fn spread(x: &[f32], y: &mut [f32], row: usize, c: usize, factor: usize, scale: f32) {
        let wide = row * factor;
        for (x, y) in x.chunks_exact(row).zip(y.chunks_exact_mut(wide * factor)) {
            let (first, others) = y.split_at_mut(wide);
            for (x, y) in x.chunks_exact(c).zip(first.chunks_exact_mut(c * factor)) {
                for y in y.chunks_exact_mut(c) {
                    y.iter_mut().zip(x).for_each(|(y, x)| *y = x * scale);
                }
            }
            others.chunks_exact_mut(wide).for_each(|y| y.copy_from_slice(first));
        }
    }
}

vectorised! {
    /// `row` is the length of a row of `y`.
    fn collect(x: &[f32], y: &mut [f32], row: usize, c: usize, factor: usize, scale: f32) {
        let wide = row * factor;
        for (x, y) in x.chunks_exact(wide * factor).zip(y.chunks_exact_mut(row)) {
            y.fill(0.0);
            for x in x.chunks_exact(wide) {
                for (x, y) in x.chunks_exact(c * factor).zip(y.chunks_exact_mut(c)) {
                    for x in x.chunks_exact(c) {
                        y.iter_mut().zip(x).for_each(|(y, x)| *y += x * scale);
                    }
                }
            }
        }
    }
}

/// The two of `length` pixels between which pixel `i` of the upsampled line is, and the weight of the second.
fn neighbours(i: usize, length: usize, factor: usize) -> (usize, usize, f32) {
    let place = ((i as f64 + 0.5) / factor as f64 - 0.5).max(0.0);
    let first = place as usize;
    (first, (first + 1).min(length - 1), (place - first as f64) as f32)
}

vectorised! {
    fn blend(x: &[f32], y: &mut [f32], size: [usize; 3], factor: usize) {
        let [h, w, c] = size;
        let mut row = vec![0.0f32; w * c];
        for (i, y) in y.chunks_exact_mut(w * factor * c).enumerate() {
            let (a, b, share) = neighbours(i, h, factor);
            let (a, b) = (&x[a * w * c..][..w * c], &x[b * w * c..][..w * c]);
            for ((r, a), b) in row.iter_mut().zip(a).zip(b) {
                *r = a * (1.0 - share) + b * share;
            }
            for (j, y) in y.chunks_exact_mut(c).enumerate() {
                let (a, b, share) = neighbours(j, w, factor);
                let (a, b) = (&row[a * c..][..c], &row[b * c..][..c]);
                for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
                    *y = a * (1.0 - share) + b * share;
                }
            }
        }
    }
}

vectorised! {
    /// `size` is that of `y`, the small image.
    fn unblend(x: &[f32], y: &mut [f32], size: [usize; 3], factor: usize) {
        let [h, w, c] = size;
        let mut row = vec![0.0f32; w * c];
        y.fill(0.0);
        for (i, x) in x.chunks_exact(w * factor * c).enumerate() {
            row.fill(0.0);
            for (j, x) in x.chunks_exact(c).enumerate() {
                let (a, b, share) = neighbours(j, w, factor);
                row[a * c..][..c].iter_mut().zip(x).for_each(|(r, x)| *r += x * (1.0 - share));
                row[b * c..][..c].iter_mut().zip(x).for_each(|(r, x)| *r += x * share);
            }
            let (a, b, share) = neighbours(i, h, factor);
            y[a * w * c..][..w * c].iter_mut().zip(&row).for_each(|(y, r)| *y += r * (1.0 - share));
            y[b * w * c..][..w * c].iter_mut().zip(&row).for_each(|(y, r)| *y += r * share);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::{assert_close, assert_same_on_any_pool, values};

    const ALL: [Resample; 4] = [
        Resample::Spread { factor: 2, scale: 0.5 },
        Resample::Collect { factor: 3, scale: 1.0 },
        Resample::Blend { factor: 2 },
        Resample::Blend { factor: 3 },
    ];

    fn applied(kind: Resample, x: &[f32], [batch, h, w, c]: [usize; 4]) -> Vec<f32> {
        let [rows, columns] = kind.size([h, w]);
        let mut y = vec![f32::NAN; batch * rows * columns * c];
        kind.apply(x, [batch, h, w, c], &mut y);
        y
    }

    #[test]
    fn small_images_by_hand() {
        let x = [1.0, 10.0, 2.0, 20.0]; // One row of two pixels of two channels.
        let y = applied(Resample::Spread { factor: 2, scale: 3.0 }, &x, [1, 1, 2, 2]);
        assert_eq!(y, [3.0, 30.0, 3.0, 30.0, 6.0, 60.0, 6.0, 60.0].repeat(2));
        assert_eq!(applied(Resample::Collect { factor: 2, scale: 0.25 }, &y, [1, 2, 4, 2]), [3.0, 30.0, 6.0, 60.0]);
        let y = applied(Resample::Blend { factor: 2 }, &[0.0, 4.0, 8.0, 12.0], [1, 2, 2, 1]);
        let rows = [0.0, 2.0, 6.0, 8.0].map(|r| [r, r + 1.0, r + 3.0, r + 4.0]);
        assert_eq!(y, rows.concat());
    }

    #[test]
    fn transposes_are_transposes() {
        for kind in ALL {
            for dims in [[2, 6, 3, 5], [1, 3, 9, 1], [3, 3, 3, 8]] {
                let [batch, h, w, c] = dims;
                let x = values(batch * h * w * c, 1);
                let y = applied(kind, &x, dims);
                let r = values(y.len(), 2);
                let [rows, columns] = kind.size([h, w]);
                let back = applied(kind.transpose(), &r, [batch, rows, columns, c]);
                let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                let (there, here): (f64, f64) = (product(&y, &r), product(&x, &back));
                assert_close("<A x, r> = <x, A' r>", &[there as f32], &[here]);
                assert_eq!(kind.transpose().transpose(), kind);
            }
        }
    }

    #[test]
    fn same_bits_on_any_number_of_threads() {
        let x = values(7 * 6 * 6 * 5, 1);
        assert_same_on_any_pool(|| ALL.map(|kind| applied(kind, &x, [7, 6, 6, 5])).concat());
    }
}

//! Exact distances between all rows of two sets at the speed of a 32-bit matrix product. The product gives `|a|^2 +
//! |b|^2 - 2ab` with a bounded error, hence a lower and an upper bound of every squared distance; only pairs that the
//! bounds leave undecided are computed in 64-bit floats from the features. So duplicates have distance 0, and equal
//! distances compare equal. Sets are centred and scaled by a power of two first, so that neither an offset nor very
//! large or small features loosen the bounds.

use crate::stats::matrix::Features;
use faussaire_kernels::{Activation, Geometry, Precision, conv};
use rayon::prelude::*;
use std::ops::Range;

/// Number of rows and columns whose products are computed at a time; a task has all columns of one block of rows.
const ROWS: usize = 256;
const COLUMNS: usize = 1024;
/// Columns whose bounds are checked together before any is visited.
const CHUNK: usize = 32;

/// The centre of the coordinates, and the power of two that scales the largest value to about 1.
pub(crate) struct Frame {
    centre: Vec<f64>,
    scale: f64,
}

impl Frame {
    /// Around the mean of the first of `sets`, wide enough for all of them.
    pub(crate) fn around(first: &Features, others: &[&Features]) -> Self {
        let mut centre = vec![0.0; first.dims()];
        for row in first.values().chunks_exact(first.dims()) {
            centre.iter_mut().zip(row).for_each(|(c, &v)| *c += f64::from(v));
        }
        centre.iter_mut().for_each(|c| *c /= first.rows() as f64);
        let reach = |set: &Features| {
            let rows = set.values().chunks_exact(set.dims());
            rows.flat_map(|row| row.iter().zip(&centre).map(|(&v, c)| (f64::from(v) - c).abs())).fold(0.0, f64::max)
        };
        let reach = others.iter().map(|set| reach(set)).fold(reach(first), f64::max);
        let scale = if reach > 0.0 { (-reach.log2().ceil()).exp2() } else { 1.0 };
        Self { centre, scale }
    }

    /// A squared distance of features, in the frame's units.
    pub(crate) fn squared(&self, distance: f64) -> f64 {
        distance * self.scale * self.scale
    }
}

/// A set of rows in the coordinates of a frame.
pub(crate) struct Points<'a> {
    features: &'a Features,
    frame: &'a Frame,
    values: Vec<f32>,
    /// The squared norm, less the largest error that it can add to a squared distance.
    lower: Vec<f32>,
    /// Twice that error: from the lower to the upper bound.
    width: Vec<f32>,
}

impl<'a> Points<'a> {
    pub(crate) fn new(features: &'a Features, frame: &'a Frame) -> Self {
        let place = |row: &[f32]| -> Vec<f32> {
            row.iter().zip(&frame.centre).map(|(&v, c)| ((f64::from(v) - c) * frame.scale) as f32).collect()
        };
        let values: Vec<f32> = features.values().chunks_exact(features.dims()).flat_map(place).collect();
        // A product of d terms errs by at most d u |a| |b| (u = 2^-24, in any order of summation), so 2ab errs by
        // d u (|a|^2 + |b|^2); rounding to 32 bits of values, norms and sums adds under 16 u of the same.
        let error = (features.dims() as f64 + 32.0) * f64::from(f32::EPSILON) / 2.0;
        let norm = |row: &[f32]| row.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        let norms: Vec<f64> = values.chunks_exact(features.dims()).map(norm).collect();
        // Products of values that are tiny beside the largest underflow to 0.
        let underflow = features.dims() as f64 * f64::from(f32::MIN_POSITIVE);
        let lower = norms.iter().map(|n| (n * (1.0 - error) - underflow) as f32).collect();
        let width = norms.iter().map(|n| (2.0 * (n * error + underflow)) as f32).collect();
        Self { features, frame, values, lower, width }
    }

    pub(crate) fn rows(&self) -> usize {
        self.features.rows()
    }

    pub(crate) fn frame(&self) -> &Frame {
        self.frame
    }

    fn block(&self, rows: &Range<usize>) -> &[f32] {
        &self.values[rows.start * self.features.dims()..rows.end * self.features.dims()]
    }
}

/// Products of a block of rows with a block of columns.
pub(crate) struct Tile<'t> {
    from: &'t Points<'t>,
    to: &'t Points<'t>,
    /// Rows of the first set.
    pub(crate) rows: Range<usize>,
    /// Rows of the second set.
    pub(crate) columns: Range<usize>,
    products: &'t [f32],
}

impl Tile<'_> {
    /// Calls `visit(column)` for every column of `row` whose lower bound is at most `limit(column)` at that moment
    /// (in the frame's units); the limit must be rounded up where it comes from 64 bits: [`ceil`].
    pub(crate) fn within<S>(
        &self,
        state: &mut S,
        row: usize,
        limit: impl Fn(&S, usize) -> f32,
        mut visit: impl FnMut(&mut S, usize),
    ) {
        let own = self.from.lower[row];
        let width = self.columns.len();
        let products = &self.products[(row - self.rows.start) * width..][..width];
        let norms = &self.to.lower[self.columns.clone()];
        for (chunk, (products, norms)) in products.chunks(CHUNK).zip(norms.chunks(CHUNK)).enumerate() {
            let first = self.columns.start + chunk * CHUNK;
            let near = |state: &S, i: usize| own + norms[i] - 2.0 * products[i] <= limit(state, first + i);
            let mut any = false;
            for i in 0..products.len().min(norms.len()) {
                any |= near(state, i);
            }
            if any {
                for i in 0..products.len() {
                    if near(state, i) {
                        visit(state, first + i);
                    }
                }
            }
        }
    }

    /// The bounds of a pair's squared distance, which is computed exactly only where they don't decide.
    pub(crate) fn pair(&self, row: usize, column: usize) -> Pair<'_> {
        let product = self.products[(row - self.rows.start) * self.columns.len() + column - self.columns.start];
        let lower = self.from.lower[row] + self.to.lower[column] - 2.0 * product;
        let upper = lower + self.from.width[row] + self.to.width[column];
        Pair { tile: self, row, column, lower: f64::from(lower), upper: f64::from(upper), exact: None }
    }
}

/// A row and a column, with bounds of their squared distance.
pub(crate) struct Pair<'t> {
    tile: &'t Tile<'t>,
    row: usize,
    column: usize,
    lower: f64,
    upper: f64,
    exact: Option<f64>,
}

impl Pair<'_> {
    /// Whether the pair's squared distance is below `radius` (squared, in the frame's units), or equal if `closed`.
    pub(crate) fn inside(&mut self, radius: f64, closed: bool) -> bool {
        if self.upper < radius || self.lower > radius {
            return self.upper < radius;
        }
        let distance = self.squared();
        distance < radius || (closed && distance == radius)
    }

    /// The squared distance in the frame's units: the middle of the bounds where they are within 1e-4 of it, else
    /// exact.
    pub(crate) fn nearly(&mut self) -> f64 {
        if self.upper - self.lower < 1e-4 * self.lower { (self.lower + self.upper) / 2.0 } else { self.squared() }
    }

    fn squared(&mut self) -> f64 {
        let (from, to) = (self.tile.from, self.tile.to);
        *self.exact.get_or_insert_with(|| {
            from.frame.squared(squared(from.features.row(self.row), to.features.row(self.column)))
        })
    }
}

/// Computes all products of `from` with `to`. Each block of rows has a state, made by `start`; `visit` receives the
/// block's tiles in the order of the columns. Returns the states in the order of the blocks.
pub(crate) fn for_tiles<S: Send>(
    from: &Points,
    to: &Points,
    start: impl Fn(Range<usize>) -> S + Sync,
    visit: impl Fn(&mut S, &Tile) + Sync,
) -> Vec<S> {
    let dims = from.features.dims();
    let block = |block: usize| {
        let rows = block * ROWS..((block + 1) * ROWS).min(from.rows());
        let mut state = start(rows.clone());
        let mut products = vec![0.0; rows.len() * COLUMNS.min(to.rows())];
        for first in (0..to.rows()).step_by(COLUMNS) {
            let columns = first..(first + COLUMNS).min(to.rows());
            let products = &mut products[..rows.len() * columns.len()];
            multiply(from.block(&rows), to.block(&columns), dims, products);
            visit(&mut state, &Tile { from, to, rows: rows.clone(), columns, products });
        }
        state
    };
    (0..from.rows().div_ceil(ROWS)).into_par_iter().map(block).collect()
}

/// `products = rows columns^T`: each row with each column, `dims` values long, 32 bits.
pub(crate) fn multiply(rows: &[f32], columns: &[f32], dims: usize, products: &mut [f32]) {
    // A dense layer's input gradient is the product with the transposed weights.
    let shape = Geometry::dense(rows.len() / dims, columns.len() / dims, dims);
    conv::input_grad(&shape, Precision::F32, rows, columns, None, Activation::Identity, products);
}

/// The squared distance of two rows, summed in a fixed order in 64 bits.
pub(crate) fn squared(a: &[f32], b: &[f32]) -> f64 {
    let mut lanes = [0.0; 8];
    let (a_tail, b_tail) = (a.chunks_exact(8).remainder(), b.chunks_exact(8).remainder());
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for (lane, (&a, &b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            let difference = f64::from(a) - f64::from(b);
            *lane += difference * difference;
        }
    }
    let tail: f64 = a_tail.iter().zip(b_tail).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    lanes.iter().sum::<f64>() + tail
}

/// `value` as 32 bits, rounded up.
pub(crate) fn ceil(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) < value { near.next_up() } else { near }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{fake_set, moved, real_set};

    /// Every pair's true distance lies between its bounds, and they are tight.
    fn check_bounds(a: &Features, b: &Features, tightness: f64) {
        let frame = Frame::around(a, &[b]);
        let (from, to) = (Points::new(a, &frame), Points::new(b, &frame));
        let seen = for_tiles(
            &from,
            &to,
            |_| 0,
            |seen, tile| {
                for row in tile.rows.clone() {
                    for column in tile.columns.clone() {
                        let pair = tile.pair(row, column);
                        let exact = frame.squared(squared(a.row(row), b.row(column)));
                        assert!(pair.lower <= exact && exact <= pair.upper, "{} {exact} {}", pair.lower, pair.upper);
                        assert!(pair.upper - pair.lower < tightness * exact.max(1e-3), "{} {}", pair.lower, pair.upper);
                        *seen += 1;
                    }
                }
            },
        );
        assert_eq!(seen.iter().sum::<usize>(), a.rows() * b.rows());
    }

    #[test]
    fn bounds_hold_for_any_offset_and_scale() {
        let (a, b) = (real_set(1, 300, 24), fake_set(2, 1100, 24));
        check_bounds(&a, &b, 1e-4);
        for (shift, scale) in [(1000.0, 1.0), (0.0, 2f32.powi(100)), (3.0, 2f32.powi(-100))] {
            check_bounds(&moved(&a, shift, scale), &moved(&b, shift, scale), 1e-4);
        }
        // One row far out makes the others' products tiny.
        let far = Features::new([a.values(), &[3e18; 24]].concat(), 301, 24).unwrap();
        let frame = Frame::around(&far, &[]);
        let points = Points::new(&far, &frame);
        for_tiles(
            &points,
            &points,
            |_| (),
            |(), tile| {
                for (row, column) in tile.rows.clone().flat_map(|r| tile.columns.clone().map(move |c| (r, c))) {
                    let pair = tile.pair(row, column);
                    let exact = frame.squared(squared(far.row(row), far.row(column)));
                    assert!(pair.lower <= exact && exact <= pair.upper);
                }
            },
        );
    }

    #[test]
    fn equal_rows_touch_and_rounding_up_is_up() {
        let set = real_set(1, 10, 5);
        let frame = Frame::around(&set, &[]);
        let points = Points::new(&set, &frame);
        for_tiles(
            &points,
            &points,
            |_| (),
            |(), tile| {
                assert!(tile.pair(3, 3).inside(0.0, true) && !tile.pair(3, 3).inside(0.0, false));
                let between = frame.squared(squared(set.row(3), set.row(4)));
                assert!(tile.pair(3, 4).inside(between, true) && !tile.pair(4, 3).inside(between, false));
                assert!(
                    tile.pair(3, 4).inside(between * 1.0001, false) && !tile.pair(3, 4).inside(between * 0.9999, true)
                );
            },
        );
        assert!(ceil(0.1) >= 0.1f32 && f64::from(ceil(1.0 + 1e-12)) > 1.0 && ceil(1.0) == 1.0);
    }
}

//! Exact k nearest neighbours: the distance of every candidate that a cheap lower bound doesn't rule out is computed in
//! 64 bits, and the k-th smallest rules out more. Equal distances are ordered by row.

use crate::stats::matrix::Features;
use crate::stats::pairwise::{Frame, Points, ceil, for_tiles, squared};
use rayon::prelude::*;

/// A row and its squared distance in the features' own units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Neighbour {
    pub(crate) squared: f64,
    pub(crate) row: u32,
}

/// For each row of `rows`, its `k` nearest rows of `among`, nearest first; `k` must not exceed their number.
pub(crate) fn nearest(rows: &Features, among: &Features, k: usize) -> Vec<Vec<Neighbour>> {
    let frame = Frame::around(among, &[rows]);
    search(&Points::new(rows, &frame), &Points::new(among, &frame), [rows, among], k, false)
}

/// For each row of `set`, its `k` nearest other rows; `k` must be below the number of rows.
pub(crate) fn nearest_others(set: &Features, k: usize) -> Vec<Vec<Neighbour>> {
    let frame = Frame::around(set, &[]);
    let points = Points::new(set, &frame);
    search(&points, &points, [set, set], k, true)
}

fn search(from: &Points, to: &Points, [rows, among]: [&Features; 2], k: usize, others: bool) -> Vec<Vec<Neighbour>> {
    let found = for_tiles(
        from,
        to,
        |rows| rows.map(|_| Search::new(k)).collect::<Vec<_>>(),
        |searches, tile| {
            for (search, row) in searches.iter_mut().zip(tile.rows.clone()) {
                let take = |search: &mut Search, column: usize| {
                    if !(others && column == row) {
                        search.candidates.push(column as u32);
                        if search.candidates.len() == search.batch {
                            search.measure(rows.row(row), among, from);
                        }
                    }
                };
                tile.within(search, row, |search, _| search.bound, take);
            }
        },
    );
    let mut found: Vec<Search> = found.into_iter().flatten().collect();
    found.par_iter_mut().enumerate().for_each(|(row, search)| search.measure(rows.row(row), among, from));
    found.into_iter().map(|search| search.best).collect()
}

/// One row's search.
struct Search {
    k: usize,
    best: Vec<Neighbour>,
    candidates: Vec<u32>,
    /// Number of candidates to collect before their distances are computed.
    batch: usize,
    /// No row with a lower bound above this can be among the nearest; in the frame's units.
    bound: f32,
}

impl Search {
    fn new(k: usize) -> Self {
        let batch = (2 * k).max(16);
        Self { k, best: Vec::new(), candidates: Vec::with_capacity(batch), batch, bound: f32::INFINITY }
    }

    /// Computes the candidates' distances and keeps the nearest.
    fn measure(&mut self, row: &[f32], among: &Features, points: &Points) {
        let found = |&at: &u32| Neighbour { squared: squared(row, among.row(at as usize)), row: at };
        self.best.extend(self.candidates.iter().map(found));
        self.candidates.clear();
        self.best.sort_by(|a, b| a.squared.total_cmp(&b.squared).then(a.row.cmp(&b.row)));
        self.best.truncate(self.k);
        if let Some(last) = self.best.get(self.k - 1) {
            // Later rows can't be nearer than 0, and come after those found.
            let closed = last.squared == 0.0;
            self.bound = if closed { f32::NEG_INFINITY } else { ceil(points.frame().squared(last.squared)) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fake_set, moved, real_set, sets};

    /// By sorting all distances.
    fn plain(rows: &Features, among: &Features, k: usize, others: bool) -> Vec<Vec<Neighbour>> {
        let of = |row: usize| {
            let candidates = (0..among.rows()).filter(|&at| !(others && at == row));
            let found = |at| Neighbour { squared: squared(rows.row(row), among.row(at)), row: at as u32 };
            let mut all: Vec<Neighbour> = candidates.map(found).collect();
            all.sort_by(|a, b| a.squared.total_cmp(&b.squared).then(a.row.cmp(&b.row)));
            all.truncate(k);
            all
        };
        (0..rows.rows()).map(of).collect()
    }

    #[test]
    fn equals_sorting_all_distances() {
        let (a, b) = (fake_set(2, 400, 12), real_set(1, 2300, 12));
        for k in [1, 5, 40] {
            assert_eq!(nearest(&a, &b, k), plain(&a, &b, k, false), "{k}");
        }
        assert_eq!(nearest_others(&b, 3), plain(&b, &b, 3, true));
        assert_eq!(nearest(&moved(&a, 500.0, 1.0), &moved(&b, 500.0, 1.0), 4), {
            plain(&moved(&a, 500.0, 1.0), &moved(&b, 500.0, 1.0), 4, false)
        });
    }

    #[test]
    fn duplicates_come_in_order_at_distance_zero() {
        let (real, fake) = sets("duplicates");
        assert_eq!(nearest_others(&real, 7), plain(&real, &real, 7, true));
        assert_eq!(nearest(&fake, &real, 7), plain(&fake, &real, 7, false));
        assert_eq!(nearest(&real, &fake, 45), plain(&real, &fake, 45, false));
        let collapsed = fake.select(&[30; 3000]).unwrap_or(fake);
        let found = nearest_others(&collapsed, 5);
        assert_eq!(
            found[1234].iter().map(|f| (f.row, f.squared)).collect::<Vec<_>>(),
            [0, 1, 2, 3, 4].map(|r| (r, 0.0))
        );
    }
}

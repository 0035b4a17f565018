//! One of several shares of some work, counted from 0, as a task of a cluster does it. Shares are fixed beforehand, so that tasks on
//! several machines need no locks.

use std::ops::Range;

/// Share `index` of `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// From 0 to `count - 1`.
    pub index: usize,
    /// Number of shares.
    pub count: usize,
}

impl Share {
    /// All of the work.
    pub const ALL: Self = Self { index: 0, count: 1 };

    /// Whether number `at` of a list is in it: every Nth is.
    pub fn has(self, at: usize) -> bool {
        at % self.count.max(1) == self.index
    }

    /// Its part of `n` things, which follow each other.
    pub fn part(self, n: usize) -> Range<usize> {
        let at = |index: usize| (n as u128 * index as u128 / self.count.max(1) as u128) as usize;
        at(self.index)..at(self.index + 1)
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_all_of_the_work_and_no_more() {
        for count in 1..9 {
            let shares: Vec<Share> = (0..count).map(|index| Share { index, count }).collect();
            for n in [0, 1, 7, 8, 100] {
                let parts: Vec<usize> = shares.iter().flat_map(|share| share.part(n)).collect();
                assert_eq!(parts, (0..n).collect::<Vec<_>>());
                assert!((0..n).all(|at| shares.iter().filter(|share| share.has(at)).count() == 1));
            }
        }
        assert_eq!(Share::ALL.part(5), 0..5);
        assert_eq!(Share { index: 3, count: 8 }.to_string(), "3/8");
    }
}

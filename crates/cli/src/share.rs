//! `--share K/N`: one of N shares of some work, counted from 0, as a task of a cluster does it. Shares are fixed beforehand, so that
//! tasks on several machines need no locks.

use std::ops::Range;

/// Share `index` of `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub index: usize,
    pub count: usize,
}

impl Share {
    /// All of the work.
    pub const ALL: Self = Self { index: 0, count: 1 };

    /// Whether number `at` of a list is in it: every Nth is.
    pub fn has(self, at: usize) -> bool {
        at % self.count == self.index
    }

    /// Its part of `n` things, which follow each other.
    pub fn part(self, n: usize) -> Range<usize> {
        let at = |index: usize| (n as u128 * index as u128 / self.count as u128) as usize;
        at(self.index)..at(self.index + 1)
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// `3/8`
pub fn parse(text: &str) -> Result<Share, String> {
    let parsed = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
    match parsed {
        Some((index, count)) if (1..=1_000_000).contains(&count) && index < count => Ok(Share { index, count }),
        Some((index, count)) if (1..=1_000_000).contains(&count) => {
            let last = count - 1;
            Err(format!(
                "share {index} of {count}: shares count from 0 to {last} (for a Slurm array: --array=0-{last})"
            ))
        }
        _ => Err("expected a share such as 0/8: the first of 8".into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_all_of_the_work_and_no_more() {
        for count in 1..9 {
            let shares: Vec<Share> = (0..count).map(|index| parse(&format!("{index}/{count}")).unwrap()).collect();
            for n in [0, 1, 7, 8, 100] {
                let parts: Vec<usize> = shares.iter().flat_map(|share| share.part(n)).collect();
                assert_eq!(parts, (0..n).collect::<Vec<_>>());
                assert!((0..n).all(|at| shares.iter().filter(|share| share.has(at)).count() == 1));
            }
        }
        assert_eq!(Share::ALL.part(5), 0..5);
    }

    #[test]
    fn others_are_refused() {
        assert!(parse("8/8").unwrap_err().contains("--array=0-7"));
        assert!(["3", "/", "1/0", "-1/2", "1/2/3", "a/b", ""].iter().all(|text| parse(text).is_err()));
        assert_eq!(parse("3/8").unwrap().to_string(), "3/8");
    }
}

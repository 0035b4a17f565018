//! A reader with a byte limit, for lists and names whose declared length can't be trusted.

use std::cell::Cell;
use std::io::{Error, Read, Result, Seek, SeekFrom};

/// Reads from `reader` until the budget is used up.
pub struct Budgeted<'a, R> {
    /// The underlying reader.
    pub reader: R,
    /// Remaining bytes.
    pub left: &'a Cell<u64>,
    /// The error message when the budget is exceeded.
    pub over_budget: &'static str,
}

impl<R: Read> Read for Budgeted<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let most = out.len().min(usize::try_from(self.left.get()).unwrap_or(usize::MAX));
        if most == 0 && !out.is_empty() {
            return Err(Error::other(self.over_budget));
        }
        let got = self.reader.read(&mut out[..most])?;
        self.left.set(self.left.get() - got as u64);
        Ok(got)
    }
}

impl<R: Seek> Seek for Budgeted<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        self.reader.seek(to)
    }
}

//! A reader that gives no more bytes than are allowed: lists and names are read whole, however long they claim to be.

use std::cell::Cell;
use std::io::{Error, Read, Result, Seek, SeekFrom};

/// Reads from `reader` until nothing is left of the budget.
pub struct Budgeted<'a, R> {
    /// What is read.
    pub reader: R,
    /// Bytes that may still be read.
    pub left: &'a Cell<u64>,
    /// The error where more are asked for.
    pub beyond: &'static str,
}

impl<R: Read> Read for Budgeted<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize> {
        let most = out.len().min(usize::try_from(self.left.get()).unwrap_or(usize::MAX));
        if most == 0 && !out.is_empty() {
            return Err(Error::other(self.beyond));
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

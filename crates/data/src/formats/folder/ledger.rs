//! Which image files were found good and which bad, so that a bad one is tried once, told once, and counted.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::dataset::BadFile;

/// With fewer files tried than this, bad ones are not yet too many.
const ENOUGH_TRIED: usize = 16;

const UNTRIED: u8 = 0;
const GOOD: u8 = 1;
const BAD: u8 = 2;

/// What is known about each file.
pub(super) struct Ledger {
    states: Box<[AtomicU8]>,
    tried: AtomicUsize,
    bad: Mutex<Vec<BadFile>>,
}

impl Ledger {
    /// Nothing known about `count` files.
    pub fn new(count: usize) -> Self {
        let states = (0..count).map(|_| AtomicU8::new(UNTRIED)).collect();
        Self { states, tried: AtomicUsize::new(0), bad: Mutex::default() }
    }

    /// Whether file `index` is known to be bad.
    pub fn is_bad(&self, index: usize) -> bool {
        self.states[index].load(Ordering::Acquire) == BAD
    }

    /// Notes a good file.
    pub fn note_good(&self, index: usize) {
        if self.states[index].swap(GOOD, Ordering::AcqRel) == UNTRIED {
            self.tried.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Notes a bad file; one that was noted before is not listed again. A good one may turn bad: it may be removed.
    pub fn note_bad(&self, index: usize, file: impl FnOnce() -> BadFile) {
        let before = self.states[index].swap(BAD, Ordering::AcqRel);
        if before == UNTRIED {
            self.tried.fetch_add(1, Ordering::AcqRel);
        }
        if before != BAD {
            self.bad.lock().unwrap_or_else(PoisonError::into_inner).push(file());
        }
    }

    /// The bad files so far, in the order in which they were found.
    pub fn bad(&self) -> Vec<BadFile> {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many files were bad and how many tried, where the bad ones are more than half and enough were tried.
    pub fn too_many_bad(&self) -> Option<(usize, usize)> {
        let bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner).len();
        let tried = self.tried.load(Ordering::Acquire);
        (tried >= ENOUGH_TRIED && 2 * bad > tried).then_some((bad, tried))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn bad(name: &str) -> BadFile {
        BadFile { path: name.into(), reason: "broken".to_owned() }
    }

    #[test]
    fn each_bad_file_is_listed_once() {
        let ledger = Ledger::new(3);
        ledger.note_good(0);
        for _ in 0..2 {
            ledger.note_bad(2, || bad("c"));
        }
        assert_eq!(ledger.bad(), [bad("c")]);
        ledger.note_bad(1, || bad("b"));
        ledger.note_good(0);
        ledger.note_bad(0, || bad("a"));
        assert_eq!(ledger.bad(), [bad("c"), bad("b"), bad("a")]);
        assert!(ledger.is_bad(0) && !Ledger::new(1).is_bad(0));
    }

    #[test]
    fn half_may_be_bad_but_no_more() {
        let ledger = Ledger::new(40);
        for index in 0..15 {
            ledger.note_bad(index, || bad("x"));
            assert_eq!(ledger.too_many_bad(), None, "too few tried");
        }
        ledger.note_good(15);
        assert_eq!(ledger.too_many_bad(), Some((15, 16)));
        for index in 15..30 {
            ledger.note_good(index);
        }
        assert_eq!(ledger.too_many_bad(), None);
    }
}

//! The state of each image file: untried, good or bad. A bad file is read once, reported once and counted.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::dataset::BadFile;

/// Minimum number of files read before bad ones count as too many.
pub(super) const MIN_TRIED: usize = 16;

const UNTRIED: u8 = 0;
const GOOD: u8 = 1;
const BAD: u8 = 2;

/// The state of each file.
pub(super) struct FileStates {
    states: Box<[AtomicU8]>,
    tried: AtomicUsize,
    bad: Mutex<Vec<BadFile>>,
}

impl FileStates {
    /// `count` untried files.
    pub fn new(count: usize) -> Self {
        let states = (0..count).map(|_| AtomicU8::new(UNTRIED)).collect();
        Self { states, tried: AtomicUsize::new(0), bad: Mutex::default() }
    }

    /// Whether file `index` is known to be bad.
    pub(crate) fn is_bad(&self, index: usize) -> bool {
        self.states[index].load(Ordering::Acquire) == BAD
    }

    /// Marks a file as good.
    pub(crate) fn mark_good(&self, index: usize) {
        if self.states[index].swap(GOOD, Ordering::AcqRel) == UNTRIED {
            self.tried.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Marks a file as bad and lists it, unless it was marked before. A good file may become bad, for example when it is removed.
    pub(crate) fn mark_bad(&self, index: usize, file: impl FnOnce() -> BadFile) {
        let before = self.states[index].swap(BAD, Ordering::AcqRel);
        if before == UNTRIED {
            self.tried.fetch_add(1, Ordering::AcqRel);
        }
        if before != BAD {
            self.bad.lock().unwrap_or_else(PoisonError::into_inner).push(file());
        }
    }

    /// The bad files so far, in the order found.
    pub fn bad(&self) -> Vec<BadFile> {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The numbers of bad and of read files, if more than half are bad and enough were read.
    pub(crate) fn too_many_bad(&self) -> Option<(usize, usize)> {
        let bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner).len();
        let tried = self.tried.load(Ordering::Acquire);
        (tried >= MIN_TRIED && 2 * bad > tried).then_some((bad, tried))
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
        let file_states = FileStates::new(3);
        file_states.mark_good(0);
        for _ in 0..2 {
            file_states.mark_bad(2, || bad("c"));
        }
        assert_eq!(file_states.bad(), [bad("c")]);
        file_states.mark_bad(1, || bad("b"));
        file_states.mark_good(0);
        file_states.mark_bad(0, || bad("a"));
        assert_eq!(file_states.bad(), [bad("c"), bad("b"), bad("a")]);
        assert!(file_states.is_bad(0) && !FileStates::new(1).is_bad(0));
    }

    #[test]
    fn half_may_be_bad_but_no_more() {
        let file_states = FileStates::new(40);
        for index in 0..15 {
            file_states.mark_bad(index, || bad("x"));
            assert_eq!(file_states.too_many_bad(), None, "too few tried");
        }
        file_states.mark_good(15);
        assert_eq!(file_states.too_many_bad(), Some((15, 16)));
        for index in 15..30 {
            file_states.mark_good(index);
        }
        assert_eq!(file_states.too_many_bad(), None);
    }
}

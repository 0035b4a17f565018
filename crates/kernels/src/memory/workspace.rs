//! Scratch memory that outlives a call. Every thread keeps the buffers it has used and hands them out again, so
//! that in steady state a kernel neither allocates nor pays page faults for fresh memory. A buffer is taken out
//! of the thread's list while in use, so kernels may nest and rayon may run another task on the same thread.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// Buffers start at a multiple of this many bytes: a cache line, so that no vector load straddles two.
const ALIGNMENT: usize = 64;
const SPARE: usize = ALIGNMENT / size_of::<f32>();

thread_local! {
    static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Calls `work` with a buffer of `len` values. The contents are whatever an earlier use left: write before reading.
pub(crate) fn with<R>(len: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut buffer = take(len + SPARE);
    if buffer.len() < len + SPARE {
        // Growing by replacement rather than by copy: the old contents mean nothing.
        drop(buffer);
        buffer = vec![0.0; len + SPARE];
    }
    // An offset that cannot be had costs speed only.
    let skip = buffer.as_ptr().align_offset(ALIGNMENT).min(SPARE);
    let result = work(&mut buffer[skip..skip + len]);
    FREE.with_borrow_mut(|free| free.push(buffer));
    result
}

/// The smallest free buffer that holds `len` values; else the largest there is (to be replaced), or an empty one.
fn take(len: usize) -> Vec<f32> {
    FREE.with_borrow_mut(|free| {
        let best = (0..free.len())
            .filter(|&i| free[i].len() >= len)
            .min_by_key(|&i| free[i].len())
            .or_else(|| (0..free.len()).max_by_key(|&i| free[i].len()));
        best.map(|i| free.swap_remove(i)).unwrap_or_default()
    })
}

/// Frees this thread's buffers that are not in use.
pub(super) fn clear() {
    FREE.take();
}

/// A few values that begin at a cache line, such as one for each channel: loops pass over them once per pixel, and every
/// access that straddles two lines costs as much as two.
#[derive(Clone, Debug)]
pub(crate) struct Aligned {
    lines: Vec<Line>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; SPARE]);

impl Aligned {
    /// Zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        Self { lines: vec![Line([0.0; SPARE]); len.div_ceil(SPARE)], len }
    }

    pub(crate) fn of(values: impl ExactSizeIterator<Item = f32>) -> Self {
        let mut new = Self::zeros(values.len());
        new.iter_mut().zip(values).for_each(|(to, value)| *to = value);
        new
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: the lines are `len` values at least, one behind the other.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`, borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

/// Fills the free buffers of all threads of the pool with NaN, so that a read before a write shows in the results.
#[cfg(test)]
pub(crate) fn spoil() {
    rayon::broadcast(|_| FREE.with_borrow_mut(|free| free.iter_mut().for_each(|buffer| buffer.fill(f32::NAN))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_and_nested_uses_differ() {
        let first = with(100, |a| {
            let outer = a.as_ptr();
            with(50, |b| assert_ne!(outer, b.as_ptr()));
            outer
        });
        with(100, |a| assert_eq!(first, a.as_ptr()));
        with(10, |a| assert_eq!(a.len(), 10));
    }

    #[test]
    fn clearing_spares_what_is_in_use() {
        with(100, |a| {
            a.fill(1.0);
            clear();
            assert!(FREE.with_borrow(Vec::is_empty) && a.iter().all(|v| *v == 1.0));
        });
        assert_eq!(FREE.with_borrow(Vec::len), 1);
        clear();
        assert!(FREE.with_borrow(Vec::is_empty));
    }

    #[test]
    fn buffers_are_aligned() {
        for len in [1, 17, 1000] {
            with(len, |a| assert_eq!(a.as_ptr() as usize % ALIGNMENT, 0));
        }
    }
}

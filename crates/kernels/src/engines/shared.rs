//! A slice that several tasks write at the same time, each its own part.

use std::marker::PhantomData;

/// An exclusive borrow of values, shared among the tasks of one call.
#[derive(Clone, Copy)]
pub(crate) struct Shared<'a, T = f32> {
    start: *mut T,
    len: usize,
    values: PhantomData<&'a mut [T]>,
}

// SAFETY: plain data; whoever takes values out of it answers for disjointness.
unsafe impl<T: Send> Send for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    pub(crate) fn new(values: &'a mut [T]) -> Self {
        Self { start: values.as_mut_ptr(), len: values.len(), values: PhantomData }
    }

    /// `len` values from `first` on.
    ///
    /// # Safety
    /// They must be within bounds, and no other task may use them during the lifetime of the result.
    #[inline(always)]
    pub(crate) unsafe fn values(self, first: usize, len: usize) -> &'a mut [T] {
        debug_assert!(first + len <= self.len, "values {first}..{} of {}", first + len, self.len);
        // SAFETY: from the contract.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(first), len) }
    }

    /// A part of `len` values from `first` on, itself shared.
    pub(crate) fn part(self, first: usize, len: usize) -> Self {
        assert!(first + len <= self.len, "part {first}..{} of {}", first + len, self.len);
        // SAFETY: inside the slice that `new` had.
        Self { start: unsafe { self.start.add(first) }, len, values: PhantomData }
    }

    /// Where `rows` rows of `width` values, `stride` values apart, start.
    ///
    /// # Safety
    /// They must be within bounds.
    #[inline(always)]
    pub(crate) unsafe fn rows(self, first: usize, rows: usize, stride: usize, width: usize) -> *mut T {
        let end = first + rows.saturating_sub(1) * stride + width;
        debug_assert!(end <= self.len, "rows end at {end} of {}", self.len);
        // SAFETY: from the contract.
        unsafe { self.start.add(first) }
    }
}

//! Memory: the buffers that the kernels keep for their next calls, how to free them, and how freed memory is kept from
//! being returned to the system at every step.
//!
//! The kernels keep two kinds of buffers: those of large results (`pool`), and scratch memory of each thread (`workspace`).
//! [`release`] frees both. Nothing here changes the whole process unless a program asks for it with [`keep_freed_memory`].

mod pool;
pub(crate) mod workspace;

pub use pool::PooledBuffer;

use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Tells the allocator to keep large freed blocks for the next request, for the whole process: for programs to call, not for
/// libraries, and best before they start threads, which stay with the arena they have. Where the allocator isn't glibc's,
/// this does nothing.
///
/// A training step frees and asks again for the same large buffers; glibc's allocator returns such blocks to the system each
/// time, and the next step pays for fresh pages, a sixth of its time on small nets. Threads other than the first have arenas
/// of their own, which return their memory whatever the thresholds say, so all share one: 20 steps of the `tp` lab had 94,000
/// page faults instead of 610,000.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const LARGEST: libc::c_int = 1 << 30;
        // What older versions take at most. To refuse the first and take the others would be worse than nothing:
        // any accepted threshold ends the allocator's own adjustment of them.
        const LARGEST_OF_OLD: libc::c_int = 32 << 20;
        static ONCE: std::sync::Once = std::sync::Once::new();
        // SAFETY: mallopt takes two integers, holds the allocator's own lock, and refuses, with 0, values it doesn't accept.
        ONCE.call_once(|| unsafe {
            if libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST) == 0 {
                libc::mallopt(libc::M_MMAP_THRESHOLD, LARGEST_OF_OLD);
            }
            libc::mallopt(libc::M_TRIM_THRESHOLD, LARGEST);
            libc::mallopt(libc::M_ARENA_MAX, 1);
        });
    }
}

/// Frees the memory that the kernels keep for their next calls: buffers of results that wait for their next owner, and scratch
/// memory of this thread and of the threads of rayon's current pool. Where the allocator is glibc's, all freed memory of the
/// process then goes back to the system. Buffers in use stay as they are, and later calls work as before; the next one of
/// each kind pays for fresh memory.
pub fn release() {
    pool::clear();
    workspace::clear();
    rayon::broadcast(|_| workspace::clear());
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim takes an integer and holds the allocator's own locks; it only returns pages that nothing uses.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Asks the system to back memory that was not touched yet by large pages, where whole ones fit into it: a tensor of 25
/// MB takes 6,000 small ones, whose addresses the processor has to look up again in every pass. Where the system has none,
/// this does nothing.
pub(crate) fn in_large_pages(memory: &mut [f32]) {
    #[cfg(target_os = "linux")]
    {
        /// The system's own pages are this large at most.
        const PAGE: usize = 1 << 16;
        let skip = memory.as_ptr().align_offset(PAGE).min(memory.len());
        let whole = &mut memory[skip..];
        let length = size_of_val(whole) / PAGE * PAGE;
        // SAFETY: the range lies inside `memory`; the advice changes which pages hold it, not what they hold. A system that
        // doesn't know it refuses.
        unsafe { libc::madvise(whole.as_mut_ptr().cast(), length, libc::MADV_HUGEPAGE) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}

/// Values that one task zeroes: a quarter of a megabyte.
const PART: usize = 1 << 16;

/// `len` zeros. Memory that was kept has to be zeroed again, 50 MB at a time in a step of the `tp` lab: all threads do it.
pub fn zeros<T: Copy + Default + Send>(len: usize) -> Vec<T> {
    if len <= PART {
        return vec![T::default(); len];
    }
    let mut values = Vec::with_capacity(len);
    let room = &mut values.spare_capacity_mut()[..len];
    room.par_chunks_mut(PART).for_each(|part| part.fill(MaybeUninit::new(T::default())));
    // SAFETY: the capacity is at least `len`, and the chunks above covered the first `len` places without gaps.
    unsafe { values.set_len(len) };
    values
}

#[cfg(test)]
mod tests {
    #[test]
    fn zeros_are_zeros_everywhere() {
        super::keep_freed_memory();
        for len in [0, 1, super::PART, super::PART + 1, 3 * super::PART - 1] {
            // What an earlier owner left must be overwritten.
            drop(std::hint::black_box(vec![1.0f32; len]));
            let values = super::zeros::<f32>(len);
            assert_eq!(values.len(), len);
            assert!(values.iter().all(|v| v.to_bits() == 0), "{len}");
        }
        assert_eq!(super::zeros::<u16>(super::PART + 3), vec![0u16; super::PART + 3]);
    }

    #[test]
    fn memory_still_comes_and_goes() {
        super::keep_freed_memory();
        super::keep_freed_memory();
        for _ in 0..3 {
            let block = vec![7u8; 64 << 20];
            assert_eq!((block[0], block[block.len() - 1]), (7, 7));
        }
    }
}

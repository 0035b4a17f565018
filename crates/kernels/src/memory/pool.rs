//! A pool of buffers for large results. A training step asks for the same large tensors every time and writes every value of
//! each; zeroing them first passed as many bytes through memory again as the results themselves, a tenth of a step. So a
//! freed block is kept, with what its last owner left in it, for the next result of about its size.

use super::in_large_pages;
use crate::bf16;
use std::sync::{Mutex, PoisonError};

/// Blocks begin at a multiple of this many bytes, a cache line, so that no vector's store straddles two. The allocator isn't
/// asked for that: what it aligned and got back would not fit the next such request.
const ALIGNMENT: usize = 64;
const SPARE: usize = ALIGNMENT / size_of::<f32>();
/// Blocks that are asked for until a kept one that was not used again goes back to the allocator: several steps of a net of a
/// hundred layers.
const KEPT_FOR: u64 = 2000;

/// A block that waits for its next owner.
struct Kept {
    memory: Vec<f32>,
    /// When it was freed, counted in blocks asked for.
    since: u64,
}

struct Pool {
    kept: Vec<Kept>,
    asked: u64,
    /// Values in use, and the most that ever were.
    used: usize,
    most: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool::new());

impl Pool {
    const fn new() -> Self {
        Self { kept: Vec::new(), asked: 0, used: 0, most: 0 }
    }

    /// The smallest block of `len` values at least, and a quarter more at most. Where there is none, a new one will be
    /// made: then blocks are given up, those first that wait the longest, until the new one fits into what was once in
    /// use at a time, and an eighth more.
    fn take(&mut self, len: usize) -> Option<Vec<f32>> {
        self.asked += 1;
        let asked = self.asked;
        self.kept.retain(|block| block.since + KEPT_FOR > asked);
        let fits = |block: &Kept| (len..=len + len / 4).contains(&block.memory.len());
        let best = (0..self.kept.len()).filter(|&i| fits(&self.kept[i])).min_by_key(|&i| self.kept[i].memory.len());
        let taken = best.map(|best| self.kept.remove(best).memory);
        self.used += taken.as_ref().map_or(len, Vec::len);
        self.most = self.most.max(self.used);
        if taken.is_none() {
            let mut idle: usize = self.kept.iter().map(|block| block.memory.len()).sum();
            while idle > 0 && self.used + idle > self.most + self.most / 8 {
                // Blocks are in the order in which they were freed.
                idle -= self.kept.remove(0).memory.len();
            }
        }
        taken
    }

    /// Gives up all blocks that wait, and forgets how much was once in use.
    fn clear(&mut self) -> Vec<Kept> {
        self.most = self.used;
        std::mem::take(&mut self.kept)
    }

    fn keep(&mut self, memory: Vec<f32>) {
        self.used -= memory.len();
        self.kept.push(Kept { since: self.asked, memory });
    }
}

/// Frees all blocks that wait for their next owner.
pub(super) fn clear() {
    let kept = POOL.lock().unwrap_or_else(PoisonError::into_inner).clear();
    // Freed here, after the lock was given back.
    drop(kept);
}

/// A block of values, 0 or what a former owner left: write before reading. Its memory is kept when it is dropped.
pub struct PooledBuffer {
    memory: Vec<f32>,
    /// Values before the block begins.
    skip: usize,
    /// Bytes in use.
    len: usize,
}

impl PooledBuffer {
    /// Bytes from which a result is worth it: below, the allocator is fast enough.
    pub const MIN_BYTES: usize = 1 << 16;

    /// Bytes from which large pages are worth asking for.
    const LARGE: usize = 1 << 22;

    /// A block of `bytes` bytes.
    pub fn new(bytes: usize) -> Self {
        let wanted = bytes.div_ceil(size_of::<f32>()) + SPARE;
        let kept = POOL.lock().unwrap_or_else(PoisonError::into_inner).take(wanted);
        let memory = kept.unwrap_or_else(|| {
            let mut memory = vec![0.0; wanted];
            if bytes >= Self::LARGE {
                in_large_pages(&mut memory);
            }
            memory
        });
        // An offset that cannot be had costs speed only.
        let skip = memory.as_ptr().align_offset(ALIGNMENT).min(SPARE);
        Self { memory, skip, len: bytes }
    }

    /// Its values as f32: as many as fit.
    pub fn f32(&mut self) -> &mut [f32] {
        &mut self.memory[self.skip..][..self.len / size_of::<f32>()]
    }

    /// Its values as bf16 bits: as many as fit.
    pub fn bf16(&mut self) -> &mut [u16] {
        let values = self.len / size_of::<u16>();
        &mut bf16::as_halves(&mut self.memory[self.skip..])[..values]
    }
}

impl AsRef<[u8]> for PooledBuffer {
    fn as_ref(&self) -> &[u8] {
        let memory = &self.memory[self.skip..];
        // SAFETY: f32 values are four bytes each, of any value, and less strictly aligned as bytes.
        let bytes = unsafe { std::slice::from_raw_parts(memory.as_ptr().cast::<u8>(), size_of_val(memory)) };
        &bytes[..self.len]
    }
}

impl Drop for PooledBuffer {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        POOL.lock().unwrap_or_else(PoisonError::into_inner).keep(memory);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A size that no other test of this process asks for.
    const OWN: usize = 7_654_321;

    #[test]
    fn a_freed_block_comes_back_as_it_was_and_as_any_type() {
        let mut first = PooledBuffer::new(OWN);
        assert!(first.as_ref().iter().all(|b| *b == 0));
        assert_eq!((first.f32().len(), first.bf16().len(), first.as_ref().len()), (OWN / 4, OWN / 2, OWN));
        first.f32().fill(1.0);
        let place = first.as_ref().as_ptr();
        assert_eq!(place as usize % ALIGNMENT, 0);
        let other = PooledBuffer::new(OWN);
        assert_ne!(other.as_ref().as_ptr(), place);
        drop(first);
        // A little smaller is served by it too.
        let mut again = PooledBuffer::new(OWN - OWN / 10);
        assert_eq!(again.as_ref().as_ptr(), place);
        assert!(again.bf16()[1..].chunks_exact(2).all(|pair| pair == [0x3F80, 0]));
    }

    #[test]
    fn what_is_not_used_again_goes_back_to_the_allocator() {
        let mut pool = Pool { kept: vec![Kept { memory: vec![1.0; 8], since: 0 }], used: 1, most: 100, ..Pool::new() };
        for _ in 1..KEPT_FOR {
            assert!(pool.take(0).is_none());
            assert_eq!(pool.kept.len(), 1);
        }
        assert!(pool.take(0).is_none() && pool.kept.is_empty());
    }

    #[test]
    fn a_cleared_pool_begins_anew() {
        let mut pool = Pool::new();
        assert!(pool.take(60).is_none() && pool.take(40).is_none());
        pool.keep(vec![0.0; 60]);
        assert_eq!(pool.clear().len(), 1);
        assert_eq!((pool.kept.len(), pool.used, pool.most), (0, 40, 40));
        // The block in use comes back as ever.
        pool.keep(vec![0.0; 40]);
        assert_eq!(pool.take(40).map(|memory| memory.len()), Some(40));
    }

    #[test]
    fn blocks_of_other_sizes_make_room() {
        let block = |len| vec![0.0f32; len];
        let mut pool = Pool::new();
        assert!(pool.take(60).is_none() && pool.take(40).is_none());
        pool.keep(block(60));
        pool.keep(block(40));
        // 100 were in use at a time: 70 and the 40 are within an eighth more, with the older 60 they are not.
        assert!(pool.take(70).is_none());
        assert_eq!(pool.kept.iter().map(|kept| kept.memory.len()).collect::<Vec<_>>(), [40]);
        assert_eq!(pool.take(35).map(|memory| memory.len()), Some(40));
        assert_eq!((pool.used, pool.most), (110, 110));
    }
}

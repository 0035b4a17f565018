//! The AVX2 + FMA kernels: the gather of a plan without im2col (`gather`), the product of its columns form
//! (`columns`), its weight gradient (`outer`), the packing of weights (`panels`), the blocking (`multiply`), and the
//! innermost loops (`tiles`): 6 rows x 16 columns of sums in twelve registers, fed by six broadcasts and two loads.

pub(crate) mod columns;
pub(crate) mod gather;
mod multiply;
pub(crate) mod outer;
mod panels;
pub(crate) mod tiles;

/// Rows of a tile: what is broadcast (pixels of a gather, source channels of a weight gradient).
pub(crate) const ROWS: usize = 6;
/// Columns of a tile: two vectors of eight.
pub(crate) const COLS: usize = 16;
/// Sums of a tile, row after row.
const TILE: usize = ROWS * COLS;
/// Source channels below which a gather or weight gradient takes the way through im2col: the loop over the
/// channels of one tap would be too short.
const FEW_CHANNELS: usize = 16;

/// A pointer that tasks share. Each task writes its own part of what it points to.
#[derive(Clone, Copy)]
pub(crate) struct Shared(pub(crate) *mut f32);

// SAFETY: the pointer itself is plain data; whoever dereferences it answers for disjointness.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// The pointer (by method, so that closures capture the whole wrapper).
    pub(crate) fn get(self) -> *mut f32 {
        self.0
    }
}

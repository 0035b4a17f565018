//! Process-wide counts of work done, so that a test can show that work was skipped: the weight gradients of a
//! frozen network, for example.

use std::sync::atomic::{AtomicU64, Ordering};

static WEIGHT_GRADIENTS: AtomicU64 = AtomicU64::new(0);

/// Calls of `conv::weight_grad` and `upsample_conv::weight_grad` since the process started, over all threads.
pub fn weight_gradients() -> u64 {
    WEIGHT_GRADIENTS.load(Ordering::Relaxed)
}

/// Notes one weight gradient.
pub(crate) fn count_weight_gradient() {
    WEIGHT_GRADIENTS.fetch_add(1, Ordering::Relaxed);
}

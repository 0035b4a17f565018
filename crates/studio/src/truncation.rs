//! The truncation trick: less variety for more typical images.

use crate::errors::{Answer, Failure};

/// Scales noise toward 0: a factor of 1 keeps it, 0 gives the same central image every time.
pub(crate) fn truncate(noise: &mut [Vec<f32>], truncation: Option<f32>) -> Answer<()> {
    let Some(factor) = truncation else { return Ok(()) };
    if !(0.0..=1.0).contains(&factor) {
        return Err(Failure::bad(format!("truncation is {factor}, expected 0 to 1"), "use 1 for full variety"));
    }
    noise.iter_mut().flatten().for_each(|value| *value *= factor);
    Ok(())
}

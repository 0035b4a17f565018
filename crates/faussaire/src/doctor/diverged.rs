//! A loss that is infinite or no number: nothing can be learnt from it, so the run ends there or is healed.

use super::{Observation, Remedy, Vitals};

pub(super) fn examine(vitals: &Vitals) -> Option<Observation> {
    Some(Observation {
        seen: vitals.diverged()?.to_owned(),
        means: "an update was so large that the numbers left the range of 32 bits, mostly because a learning rate is too high",
        remedies: vec![Remedy::GentlerBoth, Remedy::PenaliseSlope],
    })
}

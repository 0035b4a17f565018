//! A discriminator that does worse than guessing: the generator changes faster than it can follow. Guessing alone is no
//! symptom, since a good generator leaves D nothing else.

use super::vitals::{figure, mean};
use super::{Observation, Remedy, Vitals};

/// D's loss as a share of what guessing costs, above which it is plainly wrong. Healthy runs reach 1.4 in their first steps.
const WRONG: f32 = 1.5;

pub(super) fn examine(vitals: &Vitals) -> Option<Observation> {
    let guessing = vitals.case.recipe.train.loss.of_guessing()?;
    let share = mean(vitals.recent(3)?, |p| p.d_loss) / guessing;
    (share > WRONG).then(|| Observation {
        seen: format!("the discriminator's loss is {} times what guessing would cost", figure(share)),
        means: "it learns too slowly to follow the generator, or is too small for the task, so it is of no use to it",
        remedies: vec![Remedy::EagerDiscriminator, Remedy::GentlerGenerator],
    })
}

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

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only};
    use crate::recipe::Preset;
    use crate::train::StepReport;

    #[test]
    fn worse_than_guessing_is_not_guessing() {
        let (name, slow) = (Symptom::HelplessDiscriminator, ["discriminator.adam.rate=1e-7"]);
        let worse = |r: &mut StepReport| r.d_loss = 1.4;
        let seen = only(name, Preset::Quick, &slow, worse);
        assert!(seen.seen.contains("is 2.0 times"), "{seen:?}");
        let vitals = after(Preset::Quick, &slow, 300, worse);
        assert_eq!(first_change(&vitals, &seen), ["discriminator.adam.rate=0.001"]);
        assert_eq!(name.examine(&after(Preset::Quick, &slow, 300, |r| r.d_loss = 0.71)), None);
        assert_eq!(name.examine(&after(Preset::FidleWganGp, &[], 300, |r| r.d_loss = 30.0)), None);
    }
}

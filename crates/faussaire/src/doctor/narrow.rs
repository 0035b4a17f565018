//! A latent of very few numbers: the generator can only make images along a curve or on a surface, so that
//! near-duplicates are unavoidable.

use super::collapse::FEW_IMAGES;
use super::history::{mean, two_digits};
use super::{Observation, Remedy, RunHistory};

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    let nearest = mean(history.recent(2)?, |p| p.nearest);
    if !history.context.has_narrow_latent() || nearest >= FEW_IMAGES {
        return None;
    }
    Some(Observation {
        seen: format!(
            "with latent = {}, the distance between generated images and their nearest neighbours is {} times that of real images",
            history.context.recipe.latent,
            two_digits(nearest)
        ),
        means: "a latent this small cannot distinguish that many images",
        causes: &[],
        remedies: vec![Remedy::LargerLatent],
    })
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only};
    use crate::recipe::Preset;
    use crate::train::StepReport;

    #[test]
    fn only_a_narrow_latent_is_blamed() {
        let near = |r: &mut StepReport| r.variety.iter_mut().for_each(|v| v.fake_nearest = 0.03);
        let seen = only(Symptom::NarrowLatent, Preset::Quick, &["latent=2"], near);
        assert!(seen.seen.starts_with("with latent = 2") && seen.seen.contains("0.15 times"), "{seen:?}");
        assert_eq!(first_change(&after(Preset::Quick, &["latent=2"], 300, near), &seen), ["latent=32"]);
        assert_eq!(Symptom::NarrowLatent.examine(&after(Preset::Quick, &["latent=8"], 300, near)), None);
    }
}

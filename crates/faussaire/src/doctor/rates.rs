//! Learning rates of both nets that are far above the usual ones, in a run that shows it in any way: images or scores that
//! jump, a D that separates everything or nothing, images that are all alike. These are effects, and come in any order.

use super::history::{mean, mean_of};
use super::{Observation, Remedy, RunHistory, collapse, erratic, helpless, overpowering, restless};

/// Name of the remark on the recipe.
pub(super) const REMARK: &str = "high-rates";

pub(super) fn examine(history: &RunHistory) -> Option<Observation> {
    history.context.remark(REMARK)?;
    let recent = history.recent(1)?;
    let shift = mean(recent, |p| p.shift);
    let jump = mean_of(recent, |p| p.score_shift.map(f32::abs)).unwrap_or(0.0);
    let seen = if shift >= restless::MAX_SHIFT {
        restless::seen(shift)
    } else if jump >= erratic::LIKELY_JUMP * erratic::unit(history, recent) {
        erratic::seen(history, recent, jump)
    } else if let Some(spread) = collapse::one_image(history) {
        collapse::seen(spread)
    } else {
        overpowering::examine(history).or_else(|| helpless::examine(history))?.seen
    };
    Some(Observation {
        seen,
        means: "the learning rates of both nets are too high: their updates overshoot",
        causes: &[REMARK],
        remedies: vec![Remedy::LowerBothRates],
    })
}

#[cfg(test)]
mod tests {
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, first_change, only};
    use crate::recipe::Preset;
    use crate::train::StepReport;

    #[test]
    fn any_effect_counts_where_both_rates_are_high() {
        let name = Symptom::RatesTooHigh;
        let rates = ["generator.adam.learning_rate=0.1", "discriminator.adam.learning_rate=0.1"];
        let jump = |r: &mut StepReport| r.score_shift = Some(-4.0);
        let seen = only(name, Preset::Quick, &rates, jump);
        let changed = "one update of the discriminator changed its scores of generated images by 4.0, where a";
        assert!(seen.seen.starts_with(changed), "{seen:?}");
        let history = after(Preset::Quick, &rates, 300, jump);
        let usual = ["generator.adam.learning_rate=0.001", "discriminator.adam.learning_rate=0.001"];
        assert_eq!(first_change(&history, &seen), usual);
        let examine = |rates: &[&str], change: fn(&mut StepReport)| {
            name.examine(&after(Preset::Quick, rates, 300, change)).map(|seen| seen.seen)
        };
        assert!(examine(&rates, |r| r.d_loss = 0.01).unwrap().contains("loss is 0.01, where guessing gives 0.69"));
        assert!(examine(&rates, |r| r.d_loss = 30.0).unwrap().contains("loss is 30, where guessing gives 0.69"));
        let alike = |r: &mut StepReport| r.variety.iter_mut().for_each(|v| v.fake_spread = 0.001);
        assert!(examine(&rates, alike).unwrap().contains("times as much as real images"));
        assert_eq!(examine(&rates, |_| {}), None, "it learns all the same");
        assert_eq!(examine(&rates[..1], jump), None, "one rate is another symptom");
    }
}

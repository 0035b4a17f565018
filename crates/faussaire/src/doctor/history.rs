//! What the doctor knows of a run: the pulse of every logged step since it began or was last healed, the scores, and
//! those facts of recipe and data without which the figures mean nothing.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::metrics::{Metric, ScoreName};
use crate::recipe::Recipe;
use crate::train::{Event, StepReport};

/// A window is this share of the run. Four of them pass within the first 20% of the steps, the time in which a planned
/// failure must have been named.
const WINDOWS: u64 = 20;
/// Fewer steps would be five log lines: one unlucky batch among them must not decide.
const SHORTEST: u64 = 50;
/// In a run of a million steps a failure should not have to last for a day.
const LONGEST: u64 = 2000;
/// The window where time alone ends the run, so that nobody knows its length.
const UNKNOWN: u64 = 200;

/// Facts of the recipe and the data.
#[derive(Clone, Debug)]
pub struct RunContext {
    /// The recipe.
    pub recipe: Recipe,
    /// Whether the "images" are points in the plane.
    pub points: bool,
    /// Whether D can pay a gradient penalty.
    pub takes_penalty: bool,
}

/// One logged step, as far as symptoms look at it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepMetrics {
    /// The step.
    pub step: u64,
    /// D's loss.
    pub d_loss: f32,
    /// G's loss.
    pub g_loss: f32,
    /// Lengths of the gradients.
    pub d_norm: f32,
    /// Lengths of the gradients.
    pub g_norm: f32,
    /// Share of all images about which D is right.
    pub right: f32,
    /// Mean score of real images.
    pub real_score: f32,
    /// The same minus that of generated ones.
    pub gap: f32,
    /// Mean score of real images minus that of images held back; 0 where there are none.
    pub held_out_gap: f32,
    /// Spread of the generated images over that of the real ones.
    pub spread: f32,
    /// The generated images' distance to their nearest over the real images'.
    pub nearest: f32,
    /// How far an update of G moves its images, over the spread of the real ones.
    pub shift: f32,
}

/// What is known of a run.
#[derive(Clone, Debug)]
pub struct RunHistory {
    /// Facts that don't change.
    pub context: RunContext,
    /// Steps that the run is to make; 0 where nobody knows.
    steps: u64,
    /// Steps per pass over the data; 0 where nobody knows.
    steps_per_epoch: f64,
    /// The step at which it began, or went on after it was healed.
    begun: u64,
    pulses: Vec<StepMetrics>,
    scores: BTreeMap<ScoreName, Vec<(u64, f32)>>,
    diverged: Option<(u64, String)>,
}

impl RunContext {
    /// The facts of `recipe`.
    ///
    /// # Errors
    /// Nets that don't fit each other.
    pub fn of(recipe: &Recipe) -> Result<Self> {
        let (generator, discriminator) = recipe.networks()?;
        Ok(Self {
            recipe: recipe.clone(),
            points: generator.output().dims()[..2] == [1, 1],
            takes_penalty: discriminator.penalty_obstacle().is_none(),
        })
    }
}

impl From<&StepReport> for StepMetrics {
    fn from(report: &StepReport) -> Self {
        let variety = report.variety.unwrap_or_default();
        let ratio = |fake: f32, real: f32| if real > 0.0 { fake / real } else { 1.0 };
        Self {
            step: report.step,
            d_loss: report.d_loss,
            g_loss: report.g_loss,
            d_norm: report.d_norm,
            g_norm: report.g_norm,
            right: 0.5 * (report.d_real + report.d_fake),
            real_score: report.real_score,
            gap: report.real_score - report.fake_score,
            held_out_gap: report.held_out_score.map_or(0.0, |held| report.real_score - held),
            spread: ratio(variety.fake_spread, variety.real_spread),
            nearest: ratio(variety.fake_nearest, variety.real_nearest),
            shift: if variety.real_spread > 0.0 { variety.fake_shift / variety.real_spread } else { 0.0 },
        }
    }
}

impl RunHistory {
    /// Of a run that has not begun.
    pub fn new(context: RunContext) -> Self {
        Self {
            context,
            steps: 0,
            steps_per_epoch: 0.0,
            begun: 0,
            pulses: Vec::new(),
            scores: BTreeMap::new(),
            diverged: None,
        }
    }

    /// Takes in an event; true where it says something new.
    pub fn observe(&mut self, event: &Event) -> bool {
        match event {
            Event::Start { steps, steps_per_epoch, .. } => {
                (self.steps, self.steps_per_epoch) = (*steps, *steps_per_epoch);
                return false;
            }
            Event::Step(report) if StepReport::is_logged(report.step) => self.pulses.push(report.into()),
            // Rounded, because a number that comes back from the log may differ in its last bit.
            Event::Score { step, name, value } => {
                self.scores.entry(name.clone()).or_default().push((*step, *value as f32));
            }
            Event::Diverged { step, what } => self.diverged = Some((*step, what.clone())),
            Event::Heal(heal) => {
                // A recipe that was refused would not have been logged.
                let changed = self.context.recipe.changed(&heal.set).and_then(|recipe| RunContext::of(&recipe));
                let context = changed.unwrap_or_else(|_| self.context.clone());
                let (steps, steps_per_epoch) = (self.steps, self.steps_per_epoch);
                *self = Self { begun: heal.back_to, steps, steps_per_epoch, ..Self::new(context) };
                return false;
            }
            _ => return false,
        }
        true
    }

    /// The last step that was seen.
    pub fn step(&self) -> u64 {
        let logged = self.pulses.last().map_or(self.begun, |pulse| pulse.step);
        self.diverged.as_ref().map_or(logged, |(step, _)| logged.max(*step))
    }

    /// About how many images it learns from, if known.
    pub fn images(&self) -> Option<u64> {
        let train = &self.context.recipe.train;
        let images = self.steps_per_epoch * (train.n_critic * train.batch as u64) as f64;
        (images > 0.0).then_some(images as u64)
    }

    /// All that was logged of the run since it began, or began again.
    pub fn pulses(&self) -> &[StepMetrics] {
        &self.pulses
    }

    /// Steps in a window.
    pub fn window(&self) -> u64 {
        match self.steps {
            0 => UNKNOWN,
            steps => (steps / WINDOWS).clamp(SHORTEST, LONGEST),
        }
    }

    /// The pulses of the last `windows` windows, once the run is older than that.
    pub fn recent(&self, windows: u64) -> Option<&[StepMetrics]> {
        let span = self.window() * windows;
        let first = self.step().checked_sub(span).filter(|first| *first >= self.begun)?;
        let from = self.pulses.partition_point(|pulse| pulse.step <= first);
        Some(&self.pulses[from..]).filter(|pulses| !pulses.is_empty())
    }

    /// The last `count` windows one by one, oldest first, once the run is older than these.
    pub fn windows(&self, count: u64) -> Option<Vec<&[StepMetrics]>> {
        let recent = self.recent(count)?;
        let first = self.step() - self.window() * count;
        let place = |at: u64| recent.partition_point(|pulse| pulse.step <= first + at * self.window());
        Some((0..count).map(|at| &recent[place(at)..place(at + 1)]).collect())
    }

    /// All scores by `metric`, with their steps, oldest first; those of one setting where there are several.
    pub fn scores(&self, metric: Metric) -> &[(u64, f32)] {
        self.scores.iter().find(|(name, _)| name.metric == metric).map_or(&[], |(_, scores)| scores)
    }

    /// What was no longer finite, if anything.
    pub fn diverged(&self) -> Option<&str> {
        self.diverged.as_ref().map(|(_, what)| what.as_str())
    }
}

/// The mean of `what` over `pulses`.
pub(super) fn mean(pulses: &[StepMetrics], what: impl Fn(&StepMetrics) -> f32) -> f32 {
    pulses.iter().map(what).sum::<f32>() / pulses.len().max(1) as f32
}

/// A factor or share with two significant digits, as one says it.
pub(super) fn two_digits(value: f32) -> String {
    match value.abs() {
        v if v >= 1e5 => format!("{value:.1e}"),
        v if v >= 10.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.1}"),
        v if v >= 0.01 => format!("{value:.2}"),
        _ => "less than 0.01".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Heal;
    use crate::doctor::Symptom;
    use crate::doctor::testing::{after, healthy};
    use crate::recipe::Preset;

    #[test]
    fn windows_grow_with_the_run() {
        let mut history = after(Preset::Quick, &[], 0, |_| {});
        for (steps, window) in [(0, 200), (300, 50), (6000, 300), (10_000_000, 2000)] {
            history.observe(&Event::Start {
                step: 0,
                steps,
                steps_per_epoch: 1.0,
                machine: String::new(),
                precision: String::new(),
            });
            assert_eq!(history.window(), window, "{steps}");
        }
    }

    #[test]
    fn a_window_must_have_passed_and_holds_its_steps_only() {
        let steps = |made: u64, windows| {
            let history = after(Preset::Quick, &[], made, |_| {});
            history.recent(windows).map(|pulses| pulses.iter().map(|p| p.step).collect::<Vec<_>>())
        };
        assert_eq!(steps(49, 1), None);
        assert_eq!(steps(50, 1).unwrap(), [1, 10, 20, 30, 40, 50]);
        assert_eq!(steps(125, 1).unwrap(), [80, 90, 100, 110, 120]);
        assert_eq!((steps(99, 2), steps(100, 2).unwrap().len()), (None, 11));
        let history = after(Preset::Quick, &[], 105, |_| {});
        let each: Vec<_> = history.windows(2).unwrap().iter().map(|w| (w[0].step, w.len())).collect();
        assert_eq!(each, [(1, 6), (60, 5)]);
    }

    #[test]
    fn a_heal_wipes_the_slate_and_changes_the_recipe() {
        let mut history = after(Preset::Quick, &[], 300, |_| {});
        history.observe(&Event::Heal(Heal {
            step: 300,
            name: Symptom::Collapse,
            back_to: 100,
            checkpoint: None,
            remedy: String::new(),
            set: vec!["latent=7".into()],
        }));
        assert_eq!((history.context.recipe.latent, history.step()), (7, 100));
        history.observe(&Event::Step(healthy(140)));
        assert!(history.recent(1).is_none());
        history.observe(&Event::Step(healthy(150)));
        assert_eq!(history.recent(1).map(<[_]>::len), Some(2));
    }

    #[test]
    fn figures_have_two_digits() {
        let shown = [0.0004, 0.123, 1.26, 12.6, -0.5, 3.14e6].map(two_digits);
        assert_eq!(shown, ["less than 0.01", "0.12", "1.3", "13", "-0.50", "3.1e6"]);
    }
}

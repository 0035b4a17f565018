//! The history of a run as the doctor examines it: metrics of every logged step since the run began or was last healed,
//! the scores, and the facts of recipe and data by which they are interpreted.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::metrics::{Metric, ScoreName};
use crate::recipe::{Images, Recipe, Remark};
use crate::train::{Event, StepReport};

/// A window takes one of as many parts of the steps so far. The planned length of a run has no say: a run that is stopped and
/// made longer must have the findings, and so the heals, of one that was that long from the start.
const PARTS: u64 = 10;
/// Fewest steps of a window: it holds five log lines, so that one unlucky batch does not decide.
const MIN_WINDOW: u64 = 50;
/// Most steps of a window: in a run of a million steps, a failure should be named within hours.
const MAX_WINDOW: u64 = 2000;

/// The largest latent that is narrow for images, which vary in more ways; with a larger one, near-duplicates have
/// another cause.
const NARROW: usize = 3;
/// Number of windows after which every failure of a run's beginning has been examined.
const EXAMINED_AFTER: u64 = 4;

/// Facts of recipe and data that don't change during a run.
///
/// The doctor needs them to interpret the metrics.
#[derive(Clone, Debug)]
pub struct RunContext {
    /// The recipe.
    pub recipe: Recipe,
    /// Whether the "images" are 2-D points.
    pub points: bool,
    /// Whether D's layers allow a gradient penalty.
    pub takes_penalty: bool,
    /// What is unusual in the recipe, where the cause of a failure is looked for first.
    pub remarks: Vec<Remark>,
}

/// Metrics of one logged step, as the symptoms use them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepMetrics {
    /// The step.
    pub step: u64,
    /// D's loss.
    pub d_loss: f32,
    /// G's loss.
    pub g_loss: f32,
    /// Norm of D's gradient.
    pub d_norm: f32,
    /// Norm of G's gradient.
    pub g_norm: f32,
    /// Mean score of real images.
    pub real_score: f32,
    /// Mean score of real images minus that of generated ones.
    pub gap: f32,
    /// Standard deviation of the scores of either kind; none where a batch has one score, nor in logs of an earlier
    /// checkout.
    pub score_spread: Option<f32>,
    /// Change of the scores of generated images by D's update; none in logs of an earlier checkout.
    pub score_shift: Option<f32>,
    /// Mean score of real images minus that of held-out ones; 0 where there are none.
    pub held_out_gap: f32,
    /// Whether the variety of the images was measured, and the real ones have any; if not, what follows is as in a healthy
    /// run, and nothing moves.
    pub measured: bool,
    /// Whether the real images were measured to be all the same, as those of a batch of one are.
    pub alike: bool,
    /// Spread of the generated images divided by that of the real ones.
    pub spread: f32,
    /// Distance of generated images to their nearest neighbour, divided by that of real images.
    pub nearest: f32,
    /// Change of G's images by one update, divided by the spread of the real ones.
    pub shift: f32,
}

/// What a run has logged since it began or was last healed.
#[derive(Clone, Debug)]
pub struct RunHistory {
    /// Facts of recipe and data.
    pub context: RunContext,
    /// Planned steps of the run; 0 if unknown.
    total_steps: u64,
    /// Steps per epoch; 0 if unknown.
    steps_per_epoch: f64,
    /// The step at which it began, or continued after it was healed.
    start: u64,
    steps: Vec<StepMetrics>,
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
            remarks: recipe.remarks(Images::Unknown)?,
        })
    }

    /// Whether the latent is too small for images; 2-D points need no more than two numbers.
    pub(super) fn has_narrow_latent(&self) -> bool {
        self.recipe.latent <= NARROW && !self.points
    }

    /// Number of scores of each kind in a batch.
    fn scores(&self) -> usize {
        self.recipe.train.batch / self.recipe.train.pac.max(1)
    }

    /// The remark called `name`, if it applies to the recipe.
    pub(super) fn remark(&self, name: &str) -> Option<&Remark> {
        self.remarks.iter().find(|remark| remark.name == name)
    }

    /// Whether any of the remarks called `names` applies to the recipe.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.remark(name).is_some())
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
            real_score: report.real_score,
            gap: report.real_score - report.fake_score,
            score_spread: report.score_spread,
            score_shift: report.score_shift,
            held_out_gap: report.held_out_score.map_or(0.0, |held| report.real_score - held),
            measured: variety.real_spread > 0.0,
            alike: report.variety.is_some_and(|variety| variety.real_spread <= 0.0),
            spread: ratio(variety.fake_spread, variety.real_spread),
            nearest: ratio(variety.fake_nearest, variety.real_nearest),
            shift: if variety.real_spread > 0.0 { variety.fake_shift / variety.real_spread } else { 0.0 },
        }
    }
}

impl RunHistory {
    /// The history of a run that has not begun.
    pub fn new(context: RunContext) -> Self {
        Self {
            context,
            total_steps: 0,
            steps_per_epoch: 0.0,
            start: 0,
            steps: Vec::new(),
            scores: BTreeMap::new(),
            diverged: None,
        }
    }

    /// Adds an event; returns whether symptoms should be examined again.
    pub fn observe(&mut self, event: &Event) -> bool {
        match event {
            Event::Start { steps, steps_per_epoch, .. } => {
                (self.total_steps, self.steps_per_epoch) = (*steps, *steps_per_epoch);
                return false;
            }
            Event::Step(report) if StepReport::is_logged(report.step) => {
                let mut metrics = StepMetrics::from(report);
                if self.context.scores() < 2 {
                    metrics.score_spread = None;
                }
                self.steps.push(metrics);
            }
            // As f32, because a number read from the log may differ in its last bit.
            Event::Score { step, name, value, .. } => {
                self.scores.entry(name.clone()).or_default().push((*step, *value as f32));
            }
            Event::Diverged { step, what } => self.diverged = Some((*step, what.clone())),
            Event::Heal(heal) => {
                // A heal is logged only if its recipe was accepted.
                let changed = self.context.recipe.changed(&heal.set).and_then(|recipe| RunContext::of(&recipe));
                let context = changed.unwrap_or_else(|_| self.context.clone());
                let (total_steps, steps_per_epoch) = (self.total_steps, self.steps_per_epoch);
                *self = Self { start: heal.back_to, total_steps, steps_per_epoch, ..Self::new(context) };
                return false;
            }
            _ => return false,
        }
        true
    }

    /// The last step in the history.
    pub fn step(&self) -> u64 {
        let logged = self.steps.last().map_or(self.start, |metrics| metrics.step);
        self.diverged.as_ref().map_or(logged, |(step, _)| logged.max(*step))
    }

    /// Approximate number of training images, if known.
    pub fn images(&self) -> Option<u64> {
        let train = &self.context.recipe.train;
        let images = self.steps_per_epoch * (train.n_critic * train.batch as u64) as f64;
        (images > 0.0).then_some(images as u64)
    }

    /// Metrics of all logged steps since the run began or was last healed.
    pub fn steps(&self) -> &[StepMetrics] {
        &self.steps
    }

    /// Number of steps in a window, at the last step.
    pub fn window(&self) -> u64 {
        (self.step() / PARTS).clamp(MIN_WINDOW, MAX_WINDOW)
    }

    /// The step from which no finding means that nothing was found; none once the run has reached it. Some failures are
    /// named earlier.
    pub fn examined_from(&self) -> Option<u64> {
        // Until then the windows grow, but those of a long run.
        let grown = (self.start * PARTS).div_ceil(PARTS - EXAMINED_AFTER).min(self.start + EXAMINED_AFTER * MAX_WINDOW);
        let first = grown.max(self.start + EXAMINED_AFTER * MIN_WINDOW);
        self.recent(EXAMINED_AFTER).is_none().then_some(first)
    }

    /// Why a collapse can't be told, if it can't: the real images don't differ, with which generated ones are compared.
    pub fn blind(&self) -> Option<&'static str> {
        let alike = !self.steps.is_empty() && self.steps.iter().all(|metrics| metrics.alike);
        alike.then_some(match self.context.recipe.train.batch {
            1 => "batches of one image don't show how much images differ",
            _ => "the training images don't differ, so a collapse can't be told",
        })
    }

    /// Planned steps of the run; 0 if unknown.
    pub fn total_steps(&self) -> u64 {
        self.total_steps
    }

    /// Metrics of the last `windows` windows; none until the run has passed that many.
    pub fn recent(&self, windows: u64) -> Option<&[StepMetrics]> {
        let span = self.window() * windows;
        let first = self.step().checked_sub(span).filter(|first| *first >= self.start)?;
        let from = self.steps.partition_point(|metrics| metrics.step <= first);
        Some(&self.steps[from..]).filter(|steps| !steps.is_empty())
    }

    /// The last `count` windows one by one, oldest first; none until the run has passed that many.
    pub fn windows(&self, count: u64) -> Option<Vec<&[StepMetrics]>> {
        let recent = self.recent(count)?;
        let first = self.step() - self.window() * count;
        let place = |at: u64| recent.partition_point(|metrics| metrics.step <= first + at * self.window());
        Some((0..count).map(|at| &recent[place(at)..place(at + 1)]).collect())
    }

    /// All scores by `metric`, with their steps, oldest first; those of one setting where there are several.
    pub fn scores(&self, metric: Metric) -> &[(u64, f32)] {
        self.scores.iter().find(|(name, _)| name.metric == metric).map_or(&[], |(_, scores)| scores)
    }

    /// All scores by `metric`, divided into earlier ones and those of the last window, of which there are `least` or more:
    /// several scores of a few steps are no more than one. None until two windows have passed and there are so many. Those
    /// of the first steps are left out, since G has not learned yet.
    pub fn divided_scores(&self, metric: Metric, least: usize) -> Option<[&[(u64, f32)]; 2]> {
        let window = self.window();
        let first = self.step().checked_sub(2 * window).filter(|first| *first >= self.start)? + window;
        let scores = self.scores(metric);
        let learned = &scores[scores.partition_point(|(step, _)| *step < self.start + MIN_WINDOW)..];
        let recent = learned.iter().filter(|(step, _)| *step > first).count().max(least);
        let (earlier, recent) = learned.split_at(learned.len().checked_sub(recent)?);
        Some([earlier, recent])
    }

    /// Which value was no longer finite, if any.
    pub fn diverged(&self) -> Option<&str> {
        self.diverged.as_ref().map(|(_, what)| what.as_str())
    }
}

/// The mean of `measure` over `steps`.
pub(super) fn mean(steps: &[StepMetrics], measure: impl Fn(&StepMetrics) -> f32) -> f32 {
    steps.iter().map(measure).sum::<f32>() / steps.len().max(1) as f32
}

/// The mean of `measure` over those of `steps` that have it; none where none has.
pub(super) fn mean_of(steps: &[StepMetrics], measure: impl Fn(&StepMetrics) -> Option<f32>) -> Option<f32> {
    let values: Vec<f32> = steps.iter().filter_map(measure).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f32>() / values.len() as f32)
}

/// A factor or share as text, with two significant digits.
pub(super) fn two_digits(value: f32) -> String {
    match value.abs() {
        v if v >= 1e5 => format!("{value:.1e}"),
        v if v >= 10.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.1}"),
        v if v >= 0.00995 => format!("{value:.2}"),
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
    fn windows_grow_with_the_steps_whatever_is_planned() {
        for (made, window) in [(0, 50), (500, 50), (3000, 300), (30_000, 2000)] {
            let mut history = after(Preset::Quick, &[], 0, |_| {});
            history.observe(&Event::Step(healthy(made)));
            assert_eq!(history.window(), window, "{made}");
            history.observe(&Event::Start {
                step: made,
                steps: 1_000_000,
                steps_per_epoch: 1.0,
                machine: String::new(),
                precision: String::new(),
            });
            assert_eq!(history.window(), window, "{made}");
        }
    }

    #[test]
    fn the_first_examined_step_is_known_before() {
        for back_to in [0, 90, 3000, 50_000] {
            let mut history = after(Preset::Quick, &[], 0, |_| {});
            let heal = Heal {
                step: back_to + 10,
                name: Symptom::Collapse,
                back_to,
                checkpoint: None,
                remedy: String::new(),
                set: vec!["latent=7".into()],
            };
            history.observe(&Event::Heal(heal));
            let first = history.examined_from().unwrap();
            history.observe(&Event::Step(healthy(first - 10)));
            assert_eq!(history.examined_from(), Some(first), "{back_to}");
            history.observe(&Event::Step(healthy(first.next_multiple_of(10))));
            assert_eq!(history.examined_from(), None, "{back_to}");
        }
    }

    #[test]
    fn without_a_number_of_steps_windows_grow_as_the_run_does() {
        let mut history = after(Preset::Quick, &[], 0, |_| {});
        history.observe(&Event::Start {
            step: 0,
            steps: 0,
            steps_per_epoch: 1.0,
            machine: String::new(),
            precision: String::new(),
        });
        let mut seen = Vec::new();
        for step in 1..=3000 {
            history.observe(&Event::Step(healthy(step)));
            if [100, 190, 200, 3000].contains(&step) {
                seen.push((history.window(), history.recent(2).map(<[_]>::len), history.examined_from()));
            }
        }
        assert_eq!(
            seen,
            [(50, Some(11), Some(200)), (50, Some(10), Some(200)), (50, Some(10), None), (300, Some(60), None)]
        );
    }

    #[test]
    fn a_window_must_have_passed_and_holds_its_steps_only() {
        let steps = |made: u64, windows| {
            let history = after(Preset::Quick, &[], made, |_| {});
            history.recent(windows).map(|steps| steps.iter().map(|s| s.step).collect::<Vec<_>>())
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
    fn scores_of_the_last_window_are_one_opinion() {
        let divided = |every: usize, made: u64| {
            let mut history = after(Preset::Quick, &[], made, |_| {});
            for step in (1..=made).step_by(every) {
                let name = ScoreName::parse("missing-modes-2500-ring");
                history.observe(&Event::Score { step, name, value: 1.0, error: None });
            }
            history
                .divided_scores(Metric::MissingModes, 2)
                .map(|both| both.map(|part| (part.first().map(|s| s.0), part.len())))
        };
        assert_eq!(divided(1, 99), None, "two windows");
        assert_eq!(divided(1, 110), Some([(Some(50), 11), (Some(61), 50)]));
        assert_eq!(divided(100, 200), None, "one score since the first window");
        assert_eq!(divided(100, 300), Some([(None, 0), (Some(101), 2)]));
        assert_eq!(divided(100, 450), Some([(Some(101), 2), (Some(301), 2)]));
    }

    #[test]
    fn a_heal_clears_the_history_and_changes_the_recipe() {
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
        let shown = [0.0004, 0.01, 0.123, 1.26, 12.6, -0.5, 3.14e6].map(two_digits);
        assert_eq!(shown, ["less than 0.01", "0.01", "0.12", "1.3", "13", "-0.50", "3.1e6"]);
    }
}

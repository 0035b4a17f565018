//! The comparison as numbers: mean and spread over the runs for every metric and variant, and which of these differ
//! significantly.

use serde::Serialize;

use super::outcome::{Outcome, State};
use super::plan::Plan;
use super::statistics::{Pair, Summary, Verdict, pairs};
use crate::metrics::{Better, ScoreName};

/// A plan with its outcomes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// The plan.
    pub plan: Plan,
    /// All runs, in the order of variants, then seeds.
    pub runs: Vec<Entry>,
    /// All metrics; the first decides.
    pub metrics: Vec<Column>,
}

/// A run in the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Index of the variant in the plan.
    pub variant: usize,
    /// Its seed.
    pub seed: u64,
    /// The run's name.
    pub name: String,
    /// Its outcome.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// One metric over all variants.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// Metric and setting.
    #[serde(flatten)]
    pub name: ScoreName,
    /// Which way it improves.
    pub better: Better,
    /// The score of real images against real images.
    pub floor: Option<f64>,
    /// Why the values are not to be trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// Mean and spread of each variant; none for a variant without a finished run.
    pub summaries: Vec<Option<Summary>>,
    /// The variant with the best mean, among those with the most finished runs.
    pub best: Option<usize>,
    /// The tests of all pairs of variants.
    pub pairs: Vec<Pair>,
}

impl Table {
    /// The table of all runs with an outcome.
    pub fn new(plan: Plan, mut runs: Vec<Entry>) -> Self {
        runs.sort_by_key(|run| (run.variant, run.seed));
        let finished = || runs.iter().filter(|run| run.outcome.ending == State::Finished);
        let mut names: Vec<&ScoreName> = Vec::new();
        for measure in finished().flat_map(|run| &run.outcome.measures) {
            if !names.contains(&&measure.name) {
                names.push(&measure.name);
            }
        }
        let metrics = names.iter().filter_map(|name| Column::new(name, &plan, &runs)).collect();
        Self { plan, runs, metrics }
    }

    /// The runs of a variant.
    pub fn of(&self, variant: usize) -> impl Iterator<Item = &Entry> {
        self.runs.iter().filter(move |run| run.variant == variant)
    }
}

impl Column {
    fn new(name: &ScoreName, plan: &Plan, runs: &[Entry]) -> Option<Self> {
        let measure = |run: &Entry| {
            let finished = run.outcome.ending == State::Finished;
            run.outcome.measures.iter().find(|m| finished && m.name == *name).cloned()
        };
        let first = runs.iter().find_map(measure)?;
        let values = |variant: usize| -> Vec<f64> {
            runs.iter().filter(|run| run.variant == variant).filter_map(measure).map(|m| m.value).collect()
        };
        let summaries: Vec<_> = (0..plan.variants.len()).map(|v| Summary::of(&values(v))).collect();
        let sign = if first.better == Better::Smaller { 1.0 } else { -1.0 };
        // Failed runs must not make a variant the best: only those with the most finished runs compete.
        let most = summaries.iter().flatten().map(|s| s.count).max();
        let complete = |s: &Summary| Some(s.count) == most;
        let means = summaries.iter().enumerate().filter_map(|(v, s)| s.filter(complete).map(|s| (v, sign * s.mean)));
        let best = means.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(v, _)| v);
        let pairs = pairs(&summaries);
        let (name, better, floor, remark) = (name.clone(), first.better, first.floor, first.remark);
        Some(Self { name, better, floor, remark, summaries, best, pairs })
    }

    /// The result of the test of two variants.
    pub fn verdict(&self, a: usize, b: usize) -> Option<Verdict> {
        self.pairs.iter().find(|p| (p.a, p.b) == (a.min(b), a.max(b))).map(|p| p.verdict)
    }

    /// The comparison of `variant` with the best as text: `best mean`, `worse, p = 0.003`, ...
    pub(crate) fn against_best(&self, variant: usize) -> String {
        let Some(best) = self.best.filter(|_| self.summaries[variant].is_some()) else { return String::new() };
        if best == variant {
            let alone = self.summaries.iter().flatten().count() < 2;
            return if alone { "the only one".into() } else { "best mean".into() };
        }
        match self.verdict(variant, best) {
            Some(Verdict::Differs { p }) if self.leads(variant, best) => {
                format!("better in fewer runs, p = {}", probability(p))
            }
            Some(Verdict::Differs { p }) => format!("worse, p = {}", probability(p)),
            Some(Verdict::NotShown { p }) => format!("no significant difference, p = {}", probability(p)),
            Some(Verdict::NoSpread) => "no spread, so no test".into(),
            Some(Verdict::TooFew) | None => format!("too few runs, at least {} needed", super::statistics::MIN_RUNS),
        }
    }

    /// Whether `variant` is significantly worse than the best.
    pub(crate) fn is_worse(&self, variant: usize) -> bool {
        let verdict = self.best.and_then(|best| self.verdict(variant, best));
        let leads = self.best.is_some_and(|best| self.leads(variant, best));
        self.best != Some(variant) && !leads && matches!(verdict, Some(Verdict::Differs { .. }))
    }

    /// Whether `variant` has a better mean than the best, which is possible if some of its runs failed.
    fn leads(&self, variant: usize, best: usize) -> bool {
        let [Some(a), Some(b)] = [variant, best].map(|v| self.summaries[v].map(|s| s.mean)) else { return false };
        if self.better == Better::Smaller { a < b } else { a > b }
    }
}

/// A probability with two significant digits.
fn probability(p: f64) -> String {
    match p {
        p if p < 0.0001 => "<0.0001".into(),
        p if p < 0.01 => format!("{p:.4}"),
        p => format!("{p:.2}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;
    use crate::compare::outcome::Measure;
    use crate::compare::plan::Length;

    /// Three variants with three seeds of two metrics, one run of `b` diverged, and a fourth that is refused.
    pub fn example() -> Table {
        let length = Length { steps: Some(100), ..Length::default() };
        let title = "ring, preset <ring>".into();
        let mut plan = Plan { title, seeds: vec![0, 1, 2], length, samples: 2500, ..Plan::default() };
        for name in ["a", "b|x", "<c>"] {
            plan.add(name, vec![format!("train.loss={name}")], None);
        }
        plan.add("d", vec![], Some("it makes \"no\" sense".into()));
        let values = [[1.0, 1.1, 0.9], [5.0, 5.2, 5.1], [1.0, 1.3, 0.8]];
        let run = |variant: usize, seed: usize| {
            let measure = |name: &str, value: f64, better| {
                let name = ScoreName::parse(name);
                Measure { name, value, better, floor: None, remark: None }
            };
            let value = values[variant][seed];
            let measures =
                vec![measure("fid-9", value, Better::Smaller), measure("recall-9", 1.0 / value, Better::Larger)];
            let mut outcome = Outcome::new(State::Finished, length, std::path::Path::new("nowhere"));
            (outcome.step, outcome.images, outcome.train_s) = (100, 6400, 2.5);
            (outcome.samples, outcome.measures) = (2500, measures);
            let names = ["a", "b-x", "c"];
            Entry { variant, seed: seed as u64, name: format!("{}-seed{seed}", names[variant]), outcome }
        };
        let mut runs: Vec<Entry> = (0..9).map(|i| run(i % 3, i / 3)).collect();
        let last = &mut runs[7].outcome;
        (last.ending, last.measures) = (State::Failed("the loss is NaN".into()), vec![]);
        Table::new(plan, runs)
    }

    #[test]
    fn means_and_the_best_by_each_metrics_direction() {
        let table = example();
        assert_eq!(table.metrics.len(), 2);
        let fid = &table.metrics[0];
        assert_eq!(fid.best, Some(0));
        assert_eq!(fid.summaries[1].map(|s| (s.count, s.mean)), Some((2, 5.1)));
        assert_eq!(fid.summaries[3], None);
        assert_eq!(table.metrics[1].best, Some(0), "larger is better: {:?}", table.metrics[1].summaries);
        assert_eq!(fid.against_best(0), "best mean");
        assert_eq!(fid.against_best(1), "too few runs, at least 3 needed");
        assert!(fid.against_best(2).starts_with("no significant difference, p = 0."), "{}", fid.against_best(2));
        assert_eq!(fid.against_best(3), "");
    }

    #[test]
    fn a_variant_is_not_the_best_for_having_lost_its_bad_runs() {
        let table = example();
        let mut runs = table.runs.clone();
        // `b` gets the best value, in one of its two runs that are left.
        runs[3].outcome.measures[0].value = -50.0;
        let fid = &Table::new(table.plan, runs).metrics[0];
        assert!(fid.summaries[1].is_some_and(|s| s.mean < -20.0), "{:?}", fid.summaries);
        assert_eq!(fid.best, Some(0));
    }

    #[test]
    fn what_is_better_in_fewer_runs_is_not_called_worse() {
        let table = example();
        let mut plan = table.plan;
        plan.seeds = (0..5).collect();
        let entry = |variant: usize, seed: u64, value: f64| {
            let mut entry = table.runs[0].clone();
            (entry.variant, entry.seed, entry.outcome.measures[0].value) = (variant, seed, value);
            entry
        };
        let noise = [0.0, 0.1, -0.1, 0.05, -0.05];
        let of = |variant, mean: f64, n| noise[..n].iter().enumerate().map(move |(i, d)| (variant, i as u64, mean + d));
        let runs = of(0, 10.0, 5).chain(of(1, 1.0, 4)).chain(of(2, 20.0, 5)).map(|(v, s, x)| entry(v, s, x)).collect();
        let fid = &Table::new(plan, runs).metrics[0];
        assert_eq!(fid.best, Some(0));
        assert!(fid.against_best(1).starts_with("better in fewer runs, p = <0.0001"), "{}", fid.against_best(1));
        assert!(!fid.is_worse(1) && fid.is_worse(2));
        assert!(fid.against_best(2).starts_with("worse, p = "), "{}", fid.against_best(2));
    }

    #[test]
    fn a_shown_difference_is_said() {
        let table = example();
        let mut runs = table.runs.clone();
        let (from, to) = (runs[3].outcome.measures.clone(), &mut runs[5].outcome);
        (to.ending, to.measures) = (State::Finished, from);
        let fid = &Table::new(table.plan, runs).metrics[0];
        assert!(fid.is_worse(1) && !fid.is_worse(0) && !fid.is_worse(2));
        assert!(fid.against_best(1).starts_with("worse, p = "), "{}", fid.against_best(1));
        assert_eq!(
            (probability(0.00001), probability(0.0031), probability(0.2)),
            ("<0.0001".into(), "0.0031".into(), "0.20".into())
        );
    }
}

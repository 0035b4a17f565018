//! Synthetic runs for the symptoms' tests: a healthy one, which each test changes.

use super::{Observation, RunContext, RunHistory, Symptom};
use crate::metrics::ScoreName;
use crate::recipe::{Preset, Recipe};
use crate::train::{Event, StepReport, Variety};

/// A step of a healthy run.
pub fn healthy(step: u64) -> StepReport {
    let variety =
        Variety { real_spread: 0.3, fake_spread: 0.28, real_nearest: 0.2, fake_nearest: 0.19, fake_shift: 0.01 };
    StepReport {
        step,
        epoch: step as f64 / 100.0,
        images: step * 32,
        train_s: step as f64,
        d_loss: 0.65,
        g_loss: 0.8,
        penalty: None,
        d_norm: 0.5,
        g_norm: 0.5,
        d_real: 0.6,
        d_fake: 0.6,
        real_score: 0.1,
        fake_score: -0.1,
        variety: Some(variety),
        score_spread: Some(0.5),
        score_shift: Some(0.02),
        held_out_score: None,
    }
}

/// The history after `made` of 1,000 steps of `preset`, each changed by `change`.
pub fn after(preset: Preset, changes: &[&str], made: u64, change: impl Fn(&mut StepReport)) -> RunHistory {
    let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let recipe = Recipe::parse(preset.text(), preset.name(), &changes).unwrap();
    let mut history = RunHistory::new(RunContext::of(&recipe).unwrap());
    history.observe(&Event::Start {
        step: 0,
        steps: 1000,
        steps_per_epoch: 100.0,
        machine: String::new(),
        precision: String::new(),
    });
    for step in 1..=made {
        let mut report = healthy(step);
        change(&mut report);
        history.observe(&Event::Step(report));
    }
    history
}

/// Adds scores, one every hundred steps.
pub fn score(history: &mut RunHistory, name: &str, values: &[f64]) {
    for (at, value) in values.iter().enumerate() {
        let (step, name) = (100 * (at as u64 + 1), ScoreName::parse(name));
        history.observe(&Event::Score { step, name, value: *value, error: None });
    }
}

/// What `symptom` reports; checks that it reports nothing of a healthy run of the same recipe.
pub fn only(symptom: Symptom, preset: Preset, changes: &[&str], change: impl Fn(&mut StepReport)) -> Observation {
    assert_eq!(symptom.examine(&after(preset, changes, 300, |_| {})), None);
    assert_eq!(symptom.examine(&after(preset, changes, 40, &change)), None, "too early");
    symptom.examine(&after(preset, changes, 300, change)).unwrap()
}

/// The changes of the first applicable remedy; the recipe's own cause has it.
pub fn first_change(history: &RunHistory, observation: &Observation) -> Vec<String> {
    let changes = observation.all_remedies(&history.context).into_iter().map(|remedy| remedy.changes(&history.context));
    changes.into_iter().find(|changes| !changes.is_empty()).unwrap_or_default()
}

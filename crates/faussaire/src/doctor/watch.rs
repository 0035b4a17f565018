//! The doctor as a watcher: after every logged event it examines the run for every symptom not found before.

use std::collections::BTreeSet;

use super::changes::Changes;
use super::{Finding, Heal, RunContext, RunHistory, Symptom};
use crate::error::Result;
use crate::recipe::Remark;
use crate::train::{Event, Gan, Request, Watcher};

/// Watches a run, reports symptoms and requests that it be healed.
#[derive(Clone, Debug)]
pub struct Doctor {
    history: RunHistory,
    /// Symptoms found since the run began or was last healed.
    found: BTreeSet<Symptom>,
    /// The changes of all remedies that were advised or made.
    changes: Changes,
    /// All findings, in order.
    findings: Vec<Finding>,
    heals: Vec<Heal>,
    pending: Vec<Event>,
    /// The finding of which the run should be healed.
    to_treat: Option<Finding>,
}

impl Doctor {
    /// For a run that began with the recipe of `context`; `log` are its events so far, none for a new run.
    pub fn new(context: RunContext, log: &[Event]) -> Self {
        let mut doctor = Self {
            history: RunHistory::new(context),
            found: BTreeSet::new(),
            changes: Changes::default(),
            findings: Vec::new(),
            heals: Vec::new(),
            pending: Vec::new(),
            to_treat: None,
        };
        log.iter().for_each(|event| doctor.examine(event));
        // Findings in the log are not logged again; the others were lost when the run was killed.
        doctor.pending.retain(|finding| !log.contains(finding));
        doctor
    }

    /// All findings so far.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// All heals so far.
    pub fn heals(&self) -> &[Heal] {
        &self.heals
    }

    /// The step from which no finding means that nothing was found; none once the run has reached it.
    pub fn examined_from(&self) -> Option<u64> {
        self.history.examined_from()
    }

    /// Number of steps that the run's limits allow; 0 if only time ends it.
    pub fn planned_steps(&self) -> u64 {
        self.history.total_steps()
    }

    /// Remarks on the recipe, as far as they don't depend on the images.
    pub fn remarks(&self) -> &[Remark] {
        &self.history.context.remarks
    }

    /// Why it can't tell a collapse, if it can't: the real images don't differ, with which generated ones are compared.
    pub fn blind(&self) -> Option<&'static str> {
        self.history.blind()
    }

    /// The finding of which the run should be healed, if any.
    pub(crate) fn to_treat(&self) -> Option<&Finding> {
        self.to_treat.as_ref()
    }

    /// Whether the run of `gan` should go back now: its recipe allows it, and there is a remedy.
    pub(crate) fn is_heal_due(&self, gan: &Gan) -> bool {
        let allowed = self.heals.len() < gan.recipe.train.heal as usize;
        allowed && self.to_treat.as_ref().is_some_and(|finding| !finding.set.is_empty())
    }

    /// The run's history.
    pub(crate) fn history(&self) -> &RunHistory {
        &self.history
    }

    /// Records that the run was healed.
    pub(crate) fn healed(&mut self, heal: Heal) {
        self.examine(&Event::Heal(heal.clone()));
        self.pending.push(Event::Heal(heal));
    }

    fn examine(&mut self, event: &Event) {
        if let Event::Heal(heal) = event {
            self.heals.push(heal.clone());
            self.changes.add(&self.history.context.recipe, &heal.set);
            self.found.clear();
            self.to_treat = None;
        }
        if !self.history.observe(event) {
            return;
        }
        for symptom in Symptom::ALL {
            let explained = |cause: &Symptom| cause.explains().contains(&symptom);
            if self.found.contains(&symptom) || self.found.iter().any(explained) {
                continue;
            }
            if let Some(finding) = self.finding(symptom) {
                self.found.insert(symptom);
                self.changes.add(&self.history.context.recipe, &finding.set);
                self.findings.push(finding.clone());
                self.pending.push(Event::Finding(finding.clone()));
                if symptom.is_fatal() && self.to_treat.is_none() {
                    self.to_treat = Some(finding);
                }
            }
        }
    }

    fn finding(&self, name: Symptom) -> Option<Finding> {
        let observation = name.examine(&self.history)?;
        let context = &self.history.context;
        let cause = observation.cause(context).and_then(|cause| context.remark(cause));
        // A heal may have added further changes behind those of its remedy.
        let tried = |set: &Vec<String>| self.heals.iter().any(|heal| heal.set.starts_with(set));
        let fits = |set: &Vec<String>| !set.is_empty() && !tried(set) && !self.changes.are_undone(&context.recipe, set);
        let remedies = observation.all_remedies(context);
        let (advice, set) = match cause {
            // No key changes it, and other remedies would miss it.
            Some(cause) if cause.set.is_empty() => (cause.advice.clone(), Vec::new()),
            _ => {
                let changes = remedies.into_iter().map(|remedy| (remedy, remedy.changes(context)));
                let first = changes.into_iter().find(|(_, set)| fits(set));
                first.map_or_else(Default::default, |(remedy, set)| (remedy.advice(context), set))
            }
        };
        let means = match cause {
            Some(cause) => format!("{}; the likely cause: {}", observation.means, cause.fact),
            None => observation.means.to_owned(),
        };
        Some(Finding { step: self.history.step(), name, seen: observation.seen, means, advice, set })
    }
}

impl Watcher for Doctor {
    fn on(&mut self, event: &Event, gan: &Gan) -> Result<Request> {
        // It has emitted heals itself.
        if !matches!(event, Event::Heal(_)) {
            self.examine(event);
        }
        Ok(if self.is_heal_due(gan) { Request::RollBack } else { Request::Continue })
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::testing::healthy;
    use crate::recipe::{Preset, Recipe};
    use crate::train::StepReport;

    /// Names, means and changes of what the doctor finds in 300 of 1,000 steps, each changed by `change`.
    fn found(
        preset: Preset,
        changes: &[&str],
        change: impl Fn(&mut StepReport),
    ) -> Vec<(&'static str, String, String)> {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let recipe = Recipe::parse(preset.text(), preset.name(), &changes).unwrap();
        let mut events = vec![Event::Start {
            step: 0,
            steps: 1000,
            steps_per_epoch: 100.0,
            machine: String::new(),
            precision: String::new(),
        }];
        events.extend((1..=300).map(|step| {
            let mut report = healthy(step);
            change(&mut report);
            Event::Step(report)
        }));
        let doctor = Doctor::new(RunContext::of(&recipe).unwrap(), &events);
        doctor.findings().iter().map(|f| (f.name.name(), f.means.clone(), f.set.join(" "))).collect()
    }

    #[test]
    fn effects_are_not_reported_beside_their_cause() {
        // What rates of 0.1 did: losses of hundreds, then a D that is right about everything, then one image.
        let rates = ["generator.adam.learning_rate=0.1", "discriminator.adam.learning_rate=0.1"];
        let wild = |r: &mut StepReport| match r.step {
            0..100 => (r.d_loss, r.score_shift) = (650.0, Some(30.0)),
            100..200 => (r.d_loss, r.real_score) = (0.001, 90.0),
            _ => r.variety.iter_mut().for_each(|v| v.fake_spread = 0.0),
        };
        let all = found(Preset::Quick, &rates, wild);
        assert_eq!(all.len(), 1, "{all:#?}");
        let (name, means, set) = &all[0];
        assert_eq!(*name, "rates-too-high");
        assert!(means.contains("the likely cause: both learning rates are 0.1, 100 times"), "{means}");
        assert_eq!(set, "generator.adam.learning_rate=0.001 discriminator.adam.learning_rate=0.001");
        // The same with usual rates: the first of the two that exclude each other.
        let names: Vec<_> = found(Preset::Quick, &[], wild).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["erratic-discriminator"]);
        let swinging = |r: &mut StepReport| r.d_loss = if r.step < 160 { 0.001 } else { 20.0 };
        let names: Vec<_> = found(Preset::Quick, &[], swinging).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["overpowering-discriminator"]);
    }

    #[test]
    fn images_that_do_not_differ_hide_a_collapse() {
        let recipe = |batch: &str| Recipe::parse(Preset::Quick.text(), "quick", &[batch.to_owned()]).unwrap();
        let doctor = |batch: &str, real_spread: f32| {
            let steps = (1..=200).map(|step| {
                let mut report = healthy(step);
                report.variety.iter_mut().for_each(|v| (v.real_spread, v.fake_spread) = (real_spread, 0.0));
                Event::Step(report)
            });
            Doctor::new(RunContext::of(&recipe(batch)).unwrap(), &steps.collect::<Vec<_>>())
        };
        let one = doctor("train.batch=1", 0.0);
        assert!(one.findings().is_empty() && one.blind().is_some_and(|why| why.contains("of one image")));
        let alike = doctor("train.batch=8", 0.0);
        assert!(alike.findings().is_empty() && alike.blind().is_some_and(|why| why.contains("images don't differ")));
        let different = doctor("train.batch=8", 0.3);
        assert!(different.findings().len() == 1 && different.blind().is_none());
    }

    #[test]
    fn a_remedy_does_not_undo_an_earlier_one() {
        // A G that jumps is slowed down; nothing that is found later speeds it up.
        let rates = ["generator.adam.learning_rate=1e-3", "discriminator.adam.learning_rate=1e-3"];
        let all = found(Preset::Quick, &rates, |r| {
            r.variety.iter_mut().for_each(|v| v.fake_shift = 0.6);
            r.d_loss = 3.0;
        });
        assert_eq!(all.iter().map(|(name, ..)| *name).collect::<Vec<_>>(), ["restless-generator"]);
        assert_eq!(all[0].2, "generator.adam.learning_rate=0.0005");
    }

    #[test]
    fn advice_without_a_key_is_given_too() {
        let small =
            "discriminator.layers=[\"conv 1 4x4 stride 2\",\"leakyrelu 0.2\",\"flatten\",\"dense 1\",\"sigmoid\"]";
        let all = found(Preset::Quick, &[small], |r| r.d_loss = 2.0);
        let (name, means, set) = &all[0];
        assert_eq!((*name, set.as_str()), ("helpless-discriminator", ""));
        assert!(means.contains("the likely cause: the discriminator has 214 parameters"), "{means}");
    }
}

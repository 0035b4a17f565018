//! The doctor as a watcher: after every logged event it examines the run for every symptom not found before.

use std::collections::BTreeSet;

use super::{Finding, Heal, RunContext, RunHistory, Symptom};
use crate::error::Result;
use crate::train::{Event, Gan, Request, Watcher};

/// Watches a run, reports symptoms and requests that it be healed.
#[derive(Clone, Debug)]
pub struct Doctor {
    history: RunHistory,
    /// Symptoms found since the run began or was last healed.
    found: BTreeSet<Symptom>,
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

    /// The step from which the doctor examines the run; none once the run has reached it. Before, no finding means
    /// nothing.
    pub fn examined_from(&self) -> Option<u64> {
        self.history.examined_from()
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
            self.found.clear();
            self.to_treat = None;
        }
        if !self.history.observe(event) {
            return;
        }
        for symptom in Symptom::ALL {
            // After a divergence no other symptom can be told.
            if self.found.contains(&symptom) || self.found.contains(&Symptom::Diverged) {
                continue;
            }
            if let Some(finding) = self.finding(symptom) {
                self.found.insert(symptom);
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
        // A heal may have added further changes behind those of its remedy.
        let tried = |set: &Vec<String>| self.heals.iter().any(|heal| heal.set.starts_with(set));
        let remedy = observation.remedies.iter().map(|remedy| (remedy, remedy.changes(context)));
        let remedy = remedy.into_iter().find(|(_, set)| !set.is_empty() && !tried(set));
        let (advice, set) = remedy.map_or_else(Default::default, |(remedy, set)| (remedy.advice().to_owned(), set));
        let step = self.history.step();
        Some(Finding { step, name, seen: observation.seen, means: observation.means.into(), advice, set })
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

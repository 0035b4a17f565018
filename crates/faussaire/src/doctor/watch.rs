//! The doctor as a watcher: every new figure is examined for every symptom that was not found before.

use std::collections::BTreeSet;

use super::{Finding, Heal, RunContext, RunHistory, Symptom};
use crate::error::Result;
use crate::train::{Event, Gan, Request, Watcher};

/// Watches a run.
#[derive(Debug)]
pub struct Doctor {
    history: RunHistory,
    /// Found since the run began or was last healed.
    found: BTreeSet<Symptom>,
    /// Everything found, in order.
    findings: Vec<Finding>,
    heals: Vec<Heal>,
    pending: Vec<Event>,
    /// What the run should be healed of.
    to_treat: Option<Finding>,
}

impl Doctor {
    /// For a run that began with the recipe of `context` and has the events `log` behind it, none for a new one.
    pub fn new(context: RunContext, log: &[Event]) -> Self {
        let mut doctor = Self {
            history: RunHistory::new(context),
            found: BTreeSet::new(),
            findings: Vec::new(),
            heals: Vec::new(),
            pending: Vec::new(),
            to_treat: None,
        };
        log.iter().for_each(|event| doctor.see(event));
        // What the log already says need not be said again; a kill may have come before the rest was written.
        doctor.pending.retain(|finding| !log.contains(finding));
        doctor
    }

    /// All findings so far.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// All returns so far.
    pub fn heals(&self) -> &[Heal] {
        &self.heals
    }

    /// What the run should be healed of, if anything.
    pub(crate) fn to_treat(&self) -> Option<&Finding> {
        self.to_treat.as_ref()
    }

    /// What is known of the run.
    pub(crate) fn history(&self) -> &RunHistory {
        &self.history
    }

    /// The run was healed: it begins anew.
    pub(crate) fn healed(&mut self, heal: Heal) {
        self.see(&Event::Heal(heal.clone()));
        self.pending.push(Event::Heal(heal));
    }

    fn see(&mut self, event: &Event) {
        if let Event::Heal(heal) = event {
            self.heals.push(heal.clone());
            self.found.clear();
            self.to_treat = None;
        }
        if !self.history.observe(event) {
            return;
        }
        for symptom in Symptom::ALL {
            // Of numbers that have left their range nothing else can be said.
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
        // A heal may have added to its remedy's changes what these bring with them.
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
        // Healed events are its own.
        if !matches!(event, Event::Heal(_)) {
            self.see(event);
        }
        let allowed = self.heals.len() < gan.recipe.train.heal as usize;
        let helps = self.to_treat.as_ref().is_some_and(|finding| !finding.set.is_empty());
        Ok(if allowed && helps { Request::RollBack } else { Request::Continue })
    }

    fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.pending)
    }
}

//! A run's log, arranged for a report: curves, scores, sheets, findings.

use std::collections::BTreeMap;

use crate::doctor::{Finding, Heal};
use crate::metrics::ScoreName;
use crate::train::{Event, StepReport};

/// Largest number of points per curve; of more steps, groups are averaged.
const POINTS: usize = 300;

/// Values over steps.
pub type Curve = Vec<(u64, f64)>;

/// A run's log. Steps that a heal or a resume took back are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The steps that were logged.
    pub steps: Vec<StepReport>,
    /// Every metric's values.
    pub scores: BTreeMap<ScoreName, Curve>,
    /// The standard errors of those scores that have one, by score and step.
    pub errors: BTreeMap<(ScoreName, u64), f64>,
    /// Step and file of every sheet.
    pub sheets: Vec<(u64, String)>,
    /// What the doctor found.
    pub findings: Vec<Finding>,
    /// The heals that were applied.
    pub heals: Vec<Heal>,
    /// Step of the checkpoint called `best`.
    pub best: Option<u64>,
    /// Why training ended last; none while it runs, or after a kill.
    pub ending: Option<String>,
    /// The loss that was NaN or infinite, if one was.
    pub diverged: Option<String>,
    /// The machines that it was trained on, with the precision.
    pub machines: Vec<String>,
    /// Total number of steps planned; 0 where time is the limit.
    pub planned: u64,
}

impl Record {
    /// Of a log's events, oldest first.
    pub fn of(events: &[Event]) -> Self {
        let mut record = Self::default();
        events.iter().for_each(|event| record.take(event));
        record
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::Start { step, steps, machine, precision, .. } => {
                self.forget_after(*step);
                (self.planned, self.ending, self.diverged) = (*steps, None, None);
                let words = [machine.as_str(), precision.as_str()].into_iter().filter(|word| !word.is_empty());
                let machine = words.collect::<Vec<_>>().join(", ");
                if !machine.is_empty() && !self.machines.contains(&machine) {
                    self.machines.push(machine);
                }
            }
            Event::Step(report) => self.steps.push(*report),
            Event::Epoch { .. } => {}
            Event::Sheet { step, file } => self.sheets.push((*step, file.clone())),
            Event::Score { step, name, value, error } => {
                self.scores.entry(name.clone()).or_default().push((*step, *value));
                self.errors.extend(error.map(|error| ((name.clone(), *step), error)));
            }
            Event::Checkpoint { step, name } if name == "best" => self.best = Some(*step),
            Event::Checkpoint { .. } => {}
            Event::Diverged { what, .. } => self.diverged = Some(what.clone()),
            Event::Finding(finding) => self.findings.push(finding.clone()),
            Event::Heal(heal) => {
                self.heals.push(heal.clone());
                self.forget_after(heal.back_to);
                self.diverged = None;
            }
            Event::End { reason, .. } => self.ending = Some(reason.clone()),
        }
    }

    fn forget_after(&mut self, last: u64) {
        self.steps.retain(|report| report.step <= last);
        self.sheets.retain(|(step, _)| *step <= last);
        self.scores.values_mut().for_each(|curve| curve.retain(|(step, _)| *step <= last));
        self.scores.retain(|_, curve| !curve.is_empty());
        self.errors.retain(|(_, step), _| *step <= last);
        self.best = self.best.filter(|step| *step <= last);
    }

    /// One number of every logged step that has it, in at most 300 points.
    pub fn curve(&self, number: impl Fn(&StepReport) -> Option<f32>) -> Curve {
        let all: Curve = self
            .steps
            .iter()
            .filter_map(|report| Some((report.step, f64::from(number(report)?))))
            .filter(|(_, value)| value.is_finite())
            .collect();
        let each = all.len().div_ceil(POINTS).max(1);
        let mean = |part: &[(u64, f64)]| {
            let sum = part.iter().map(|(_, value)| value).sum::<f64>();
            Some((part.last()?.0, sum / part.len() as f64))
        };
        all.chunks(each).filter_map(mean).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn step(step: u64) -> Event {
        let line = format!(
            r#"{{"event":"step","step":{step},"epoch":0.1,"images":64,"train_s":1,"d_loss":{step},"g_loss":1,"d_real":1,"d_fake":1}}"#
        );
        serde_json::from_str(&line).unwrap()
    }

    fn start(step: u64) -> Event {
        Event::Start { step, steps: 9, steps_per_epoch: 2.0, machine: "a".into(), precision: "bf16".into() }
    }

    #[test]
    fn what_was_taken_back_does_not_count() {
        let score = |step| Event::Score { step, name: ScoreName::parse("swd"), value: 0.5, error: None };
        let best = |step| Event::Checkpoint { step, name: "best".into() };
        let events = [start(0), step(1), step(2), score(2), best(2), step(3), score(3), start(2), step(3)];
        let record = Record::of(&events);
        assert_eq!(record.steps.iter().map(|r| r.step).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(record.scores[&ScoreName::parse("swd")], [(2, 0.5)]);
        let machines = ["a, bf16".to_owned()];
        assert_eq!((record.best, record.machines.as_slice(), record.ending), (Some(2), &machines[..], None));
        assert_eq!(Record::of(&[start(0), score(1), start(0)]).scores.len(), 0);
    }

    #[test]
    fn long_curves_are_means_of_neighbours() {
        let events: Vec<Event> = (1..=900).map(step).collect();
        let curve = Record::of(&events).curve(|report| Some(report.d_loss));
        assert_eq!((curve.len(), curve[0], curve[299]), (300, (3, 2.0), (900, 899.0)));
        assert_eq!(Record::of(&events).curve(|report| report.penalty), []);
    }
}

//! The doctor's findings, and remarks on recipes, as text.

use console::Style;
use faussaire::doctor::{Doctor, Finding, Heal};
use faussaire::recipe::Remark;

use crate::print::Line;
use crate::report::{count, counted};

/// Three lines: what was measured, what it means, what to try.
pub fn text(finding: &Finding) -> Line {
    let advice = advice(&finding.advice, &finding.flags());
    said(finding.step, &format!("{}\n  {}{advice}", finding.seen, finding.means))
}

/// Two lines: what is unusual in the recipe, what to try.
pub fn remark(remark: &Remark) -> Line {
    let text = format!("{}{}", remark.what, advice(&remark.advice, &remark.flags()));
    Line::headed("remark:", Style::new().yellow(), text)
}

/// The line of what to try; nothing where there is nothing.
fn advice(advice: &str, flags: &str) -> String {
    match (advice, flags) {
        ("", _) => String::new(),
        (advice, "") => format!("\n  try: {advice}"),
        (advice, flags) => format!("\n  try: {advice}: {flags}"),
    }
}

/// What the doctor says of a step.
fn said(step: u64, text: &str) -> Line {
    Line::headed(&format!("doctor, step {}:", count(step)), Style::new().yellow(), text)
}

/// What is said where `doctor` found nothing: that, or from which step on it can tell.
pub fn none(doctor: &Doctor) -> String {
    let Some(first) = doctor.examined_from() else {
        let unseen = doctor.blind().map_or(String::new(), |why| format!("; {why}"));
        return match doctor.remarks().iter().filter(|remark| !remark.is_note()).count() {
            0 => format!("nothing to report{unseen}"),
            1 => format!("nothing to report about the run{unseen}; there is a remark on its recipe"),
            many => format!("nothing to report about the run{unseen}; there are {many} remarks on its recipe"),
        };
    };
    let (planned, first_step) = (doctor.planned_steps(), count(first));
    if (1..first).contains(&planned) {
        let steps = counted(planned, "step");
        return format!("too short for the doctor: it can tell from step {first_step} on, and the run has {steps}");
    }
    format!("the doctor has not seen enough yet: it can tell from step {first_step} on")
}

/// A line about a healing step.
pub fn healed(heal: &Heal) -> Line {
    let back = match &heal.checkpoint {
        Some(name) => format!("back to the {name} checkpoint, step {}", count(heal.back_to)),
        None => "restarted".into(),
    };
    said(heal.step, &format!("healing {}: {back}, to {}: {}", heal.name.name(), heal.remedy, heal.flags()))
}

/// The findings' names and steps in one line; none if there are no findings.
pub fn summary(findings: &[Finding], heals: &[Heal]) -> Option<String> {
    if findings.is_empty() {
        return None;
    }
    let names: Vec<String> = findings.iter().map(|f| format!("{} (step {})", f.name.name(), count(f.step))).collect();
    let healed = match heals.len() {
        0 => String::new(),
        1 => "; healed once".into(),
        times => format!("; healed {times} times"),
    };
    Some(names.join(", ") + &healed)
}

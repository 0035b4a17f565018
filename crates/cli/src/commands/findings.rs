//! The doctor's findings as text.

use console::Style;
use faussaire::doctor::{Finding, Heal};

use crate::print::Line;
use crate::report::count;

/// Three lines: what was measured, what it means, what to try.
pub fn text(finding: &Finding) -> Line {
    let flags = match finding.flags() {
        flags if flags.is_empty() => String::new(),
        flags => format!("\n  try: {}: {flags}", finding.advice),
    };
    said(finding.step, &format!("{}\n  {}{flags}", finding.seen, finding.means))
}

/// What the doctor says of a step.
fn said(step: u64, text: &str) -> Line {
    Line::headed(&format!("doctor, step {}:", count(step)), Style::new().yellow(), text)
}

/// What is said where nothing was found: that, or from which step on the run is examined.
pub fn none(examined_from: Option<u64>) -> String {
    match examined_from {
        Some(first) => format!("the doctor has not seen enough yet: it speaks from step {}", count(first)),
        None => "nothing to report".into(),
    }
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

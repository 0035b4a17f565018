//! What the doctor found, as a person reads it.

use faussaire::doctor::{Finding, Heal};

use crate::report::count;

/// Three lines: what is seen, what it means, what to try.
pub fn text(finding: &Finding) -> String {
    let flags = match finding.flags() {
        flags if flags.is_empty() => String::new(),
        flags => format!("\n  try: {}: {flags}", finding.advice),
    };
    format!("doctor, step {}: {}\n  {}{flags}", count(finding.step), finding.seen, finding.means)
}

/// What was done about it.
pub fn healed(heal: &Heal) -> String {
    let back = match &heal.checkpoint {
        Some(name) => format!("back to the {name} checkpoint, step {}", count(heal.back_to)),
        None => "begun again".into(),
    };
    format!(
        "doctor, step {}: healing {}: {back}, to {}: {}",
        count(heal.step),
        heal.name.name(),
        heal.remedy,
        heal.flags()
    )
}

/// The findings' names and steps in one line; nothing where there are none.
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

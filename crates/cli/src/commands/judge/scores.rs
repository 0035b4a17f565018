//! The scores of a judgement, as a person reads them.

use faussaire::Result;
use faussaire::judging::Judged;

use crate::report::{count, say};

/// A table of the scores, and of the classes where they are few.
pub fn print(judged: &Judged) -> Result<()> {
    let Judged { judgement, of, real, split, .. } = judged;
    say!("{of}, against {real} ({split} images)\n");
    let width = judgement.scores.iter().map(|s| s.name.len()).max().unwrap_or(0);
    say!("{:<width$}  {:>10}  {:>23}  {:>10}", "score", "value", "95% interval", "real images");
    for score in &judgement.scores {
        let floor = score.floor.map_or(String::new(), |f| format!("{f:>10.4}"));
        // A count of what was seen has none.
        let counted = score.low == score.value && score.high == score.value;
        let interval = if counted { String::new() } else { format!("{:.4} to {:.4}", score.low, score.high) };
        say!("{:<width$}  {:>10.4}  {:>23}  {}", score.name, score.value, interval, floor);
        if let Some(warning) = &score.warning {
            eprintln!("warning: {warning}");
        }
    }
    say!(
        "\nIntervals are for the choice of the images that are counted; the kernel distance's is the range of its subsets."
    );
    let half = count(judgement.floor_images as u64);
    say!("Real images: {half} of them against {half} others.");
    if judgement.classes.len() > 20 {
        let found = judgement.histogram.iter().filter(|n| **n > 0).count();
        say!("\n{} of {} classes were found", count(found as u64), count(judgement.classes.len() as u64));
    }
    if !judgement.classes.is_empty() && judgement.classes.len() <= 20 {
        say!("\n{:<16}  {:>8}  {:>16}", "class", "images", "as asked");
        for (i, name) in judgement.classes.iter().enumerate() {
            let obeyed =
                judgement.obeyed.get(i).copied().flatten().map_or(String::new(), |o| format!("{:.1}%", 100.0 * o));
            say!("{:<16}  {:>8}  {:>16}", name, count(judgement.histogram[i]), obeyed);
        }
    }
    Ok(())
}

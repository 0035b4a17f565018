//! What is said when a training ends.

use std::path::Path;

use faussaire::train::{Ending, Limits};
use faussaire::{Result, Trainer};

use crate::commands::findings;
use crate::report::{count, say};

/// Says how the training ended, what it left, and which commands come next. `judged` is the share of the time that scoring
/// took.
pub fn conclude(trainer: &Trainer, ending: Ending, judged: f64) -> Result<()> {
    let (gan, Some(run)) = (trainer.gan(), trainer.run_folder()) else { return Ok(()) };
    let path = quoted(run.path());
    let step = gan.progress.step;
    let rate = gan.progress.images as f64 / gan.progress.train_s.max(1e-9);
    let how = match ending {
        Ending::Complete => "complete",
        Ending::Time => "out of time",
        Ending::Stopped | Ending::RolledBack => "stopped",
    };
    let (steps, images) = (count(step), count(gan.progress.images));
    say!("{path}: {how} at {steps} steps, {images} images at {rate:.0} images/s");
    say!("  sheet       {path}/samples/{step:06}.png");
    say!("  checkpoint  {path}/checkpoints/latest");
    say!("  report      {path}/report.html");
    say!("  log         {path}/events.jsonl");
    say!("  scores      took {:.1} % of the time", 100.0 * judged);
    if let Some(findings) = findings::summary(trainer.findings(), trainer.heals()) {
        say!("  doctor      {findings}; what they mean: faussaire doctor {path}");
    }
    say!("next:");
    let train = &gan.recipe.train;
    let planned = Limits { epochs: train.epochs, steps: train.steps, time: None }.total_steps(gan);
    if ending != Ending::Complete && planned.is_none_or(|planned| step < planned) {
        say!("  faussaire train --resume {path}");
    } else {
        say!("  faussaire train --resume {path} --steps {}", 2 * step);
    }
    say!("  faussaire sample {path} --grid 8x8 -o images.png");
    say!("  faussaire sample {path} -o walk.gif");
    Ok(())
}

/// `path` as one word of a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

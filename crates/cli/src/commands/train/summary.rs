//! What is printed when a training ends: how it ended, the files it left, and the commands that may come next.

use std::path::Path;

use faussaire::train::{Ending, Limits};
use faussaire::{Gan, Trainer};

use super::RUNS;
use crate::commands::findings;
use crate::print::tell;
use crate::report::{count, counted, quoted, rate};

/// Prints the summary of a training that ended with `ending`.
pub fn conclude(trainer: &Trainer, ending: Ending) {
    let (gan, Some(run)) = (trainer.gan(), trainer.run_folder()) else { return };
    let path = quoted(&run.path().display().to_string());
    let (step, images) = (gan.progress.step, gan.progress.images);
    let how = match ending {
        Ending::Complete => "complete",
        Ending::Time => "stopped by --time",
        _ => "stopped",
    };
    let (steps, speed) = (counted(step, "step"), rate(images, gan.progress.train_s));
    tell!("{path}: {how} after {steps} ({} real images, {speed})", count(images));
    tell!("  sheet       {path}/samples/{step:06}.png");
    tell!("  checkpoint  {path}/checkpoints/latest");
    tell!("  report      {path}/report.html");
    tell!("  log         {path}/events.jsonl");
    match findings::summary(trainer.findings(), trainer.heals()) {
        Some(findings) => tell!("  doctor      {findings}; details: faussaire doctor {path}"),
        None => tell!("  doctor      {}", findings::none(trainer.doctor())),
    }
    tell!("next:");
    for command in next(gan, run.path(), ending) {
        tell!("  {command}");
    }
}

/// Commands to try on the run in `folder`.
fn next(gan: &Gan, folder: &Path, ending: Ending) -> Vec<String> {
    let (path, step) = (quoted(&folder.display().to_string()), gan.progress.step);
    let of_images = gan.image_shape().height > 1;
    let mut commands = vec![match folder.parent() {
        Some(parent) if parent == Path::new(RUNS) => "faussaire studio --open".into(),
        _ => format!("faussaire studio {path} --open"),
    }];
    if of_images {
        commands.push(format!("faussaire sample {path} --grid 8x8 -o images.png"));
        if let (Some(label), true) = (gan.recipe.labels.names.first(), gan.generator.net.labels() > 0) {
            commands.push(format!("faussaire sample {path} --class {} -o class.png", quoted(label)));
        }
        commands.push(format!("faussaire sample {path} -o walk.gif"));
        commands.push(format!("faussaire export {path} -o page.html"));
    }
    let train = &gan.recipe.train;
    let planned = Limits::epochs(train.epochs).with_steps(train.steps).total_steps(gan);
    let unfinished = ending != Ending::Complete && planned.is_none_or(|planned| step < planned);
    let more = if unfinished { String::new() } else { format!(" --steps {}", 2 * step) };
    commands.push(format!("faussaire train --resume {path}{more}"));
    commands
}

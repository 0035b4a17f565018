//! The flags of `faussaire train` that are no recipe keys: the device, the limits, `--conditional`.

use faussaire::recipe::Conditional;
use faussaire::train::Limits;
use faussaire::trainer::Options;
use faussaire::{Device, Error, Recipe, Result};

use super::Train;
use super::changes;

/// The trainer's options, from the flags.
pub fn how(recipe: &Recipe, device: Device, options: &Train) -> Result<Options> {
    let mut how = Options::default().device(device).new_classes(options.dataset.is_some());
    how.limits = Some(limits(recipe, options)?);
    // A new run's recipe has them already.
    if options.resume.is_some() {
        how.changes = changes::of(options);
    }
    how.conditional = options.conditional.as_deref().map(conditional).transpose()?;
    Ok(how)
}

fn conditional(kind: &str) -> Result<Conditional> {
    Conditional::ALL.into_iter().find(|how| how.name() == kind).ok_or_else(|| {
        let names = Conditional::ALL.map(Conditional::name);
        let near = faussaire::data::did_you_mean(kind, names);
        let what = format!("--conditional={kind}: {near}expected one of {}", names.join(", "));
        Error::usage(what, "--conditional alone means concat")
    })
}

/// Command-line limits, then the recipe's; something must end the training.
fn limits(recipe: &Recipe, options: &Train) -> Result<Limits> {
    let mut limits = Limits::epochs(recipe.train.epochs).with_steps(recipe.train.steps);
    limits.time = options.time;
    if options.time.is_some() && options.epochs.is_none() && options.steps.is_none() {
        // With --time alone, the recipe's own length does not end the training earlier.
        (limits.epochs, limits.steps) = (0, 0);
    }
    if limits == Limits::default() {
        return Err(Error::usage(
            "no limit is set: training would not end",
            "give --epochs N, --steps N or --time 10m, or set train.epochs in the recipe",
        ));
    }
    Ok(limits)
}

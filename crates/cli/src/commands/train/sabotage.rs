//! The mistakes of `--sabotage`, as a table and as a run's key.

use faussaire::recipe::sabotage::{About, MISTAKES};
use faussaire::{Error, Recipe, Result};

use crate::print::say;

/// Prints all mistakes.
///
/// # Errors
/// A table that can't be written.
pub fn list() -> Result<()> {
    for About { name, changes, .. } in MISTAKES {
        say!("{name:<17} {changes}");
    }
    say!("{:<17} one of those with which a training begins; `faussaire doctor RUN --key` says which", "random:SEED");
    Ok(())
}

/// Prints which mistake was built into a run's `recipe`, and what is said of it.
///
/// # Errors
/// A run without one.
pub fn key(recipe: &Recipe) -> Result<()> {
    let Some(About { name, changes, said, .. }) = recipe.train.sabotage.about()? else {
        return Err(Error::usage(
            "no mistake was built into this run",
            "a run that has one is begun with train --sabotage",
        ));
    };
    say!("{name}: {changes}");
    if !said.is_empty() {
        say!("  said of it: {said}");
    }
    Ok(())
}

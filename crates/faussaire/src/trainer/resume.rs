//! The state from which a run is resumed: its recipe with all heals, its latest checkpoint, the log up to that.

use super::heal;
use crate::error::{Error, Result};
use crate::recipe::{Difference, Recipe, differences};
use crate::run::{self, Run, State};
use crate::train::{Event, Gan};

/// The recipe with which `run` is resumed, with `changes` as `key=value`, which must not affect the training. It
/// includes the changes of a heal that were not written to config.toml because the run was killed.
///
/// # Errors
/// A damaged config.toml, one that was changed since the checkpoint was saved, or changes that would change the training.
pub fn resumed_recipe(run: &Run, changes: &[String]) -> Result<Recipe> {
    let latest = run.checkpoint("latest");
    let state = if run::exists(&latest) { Some(run::state(&latest)?.1) } else { None };
    let mut was = run.recipe(&[])?;
    if let Some(state) = state {
        // A heal may not have been written to config.toml.
        was = heal::changed_by(&was, &run.readable_events(state.resumed_bytes())?)?;
        refuse_edited(run, state.recipe.as_deref(), &was)?;
    }
    let is = was.changed(changes)?;
    let found = differences(&was, &is)?;
    if found.is_empty() {
        return Ok(is);
    }
    Err(Error::usage(
        format!("{} was started with another recipe:{}", run.path().display(), lines(&found)),
        "resume without these changes, or start a new run with them",
    ))
}

/// Refuses a `recipe` that is not that of the latest checkpoint, which has it as text.
fn refuse_edited(run: &Run, text: Option<&str>, recipe: &Recipe) -> Result<()> {
    let Some(text) = text else { return Ok(()) };
    let found = differences(&Recipe::parse(text, "the recipe of the checkpoint", &[])?, recipe)?;
    if found.is_empty() {
        return Ok(());
    }
    let config = run.path().join("config.toml");
    Err(Error::usage(
        format!("{} was changed since its latest checkpoint was saved:{}", config.display(), lines(&found)),
        format!("undo these changes to resume, or start a new run with them (--config {})", config.display()),
    ))
}

/// Differences, a line each.
fn lines(found: &[Difference]) -> String {
    found.iter().map(|difference| format!("\n  {difference}")).collect()
}

/// Loads the latest checkpoint into `gan`; none if the run was killed before its first one, though it may have saved a best one or
/// a permanent one by then. Where the log isn't what the checkpoint knows, it is mended; what was lost is returned.
///
/// # Errors
/// A checkpoint that is damaged or belongs to other data, one that is missing while there are others, or a log that can't be
/// mended.
pub(super) fn load(run: &Run, gan: &mut Gan) -> Result<(Option<State>, Vec<String>)> {
    let latest = run.checkpoint("latest");
    if run::exists(&latest) {
        let mut state = run::load(&latest, gan)?;
        let remarks = run.mend_log(&run::state(&latest)?.0, &mut state)?;
        return Ok((Some(state), remarks));
    }
    if run.checkpoint_names()?.is_empty() || !was_saved(run)? {
        return Ok((None, Vec::new()));
    }
    Err(Error::run(
        format!("{} is missing, but there are other checkpoints", latest.display()),
        "to resume from one of them, copy its folder (checkpoints/best, ...) to checkpoints/latest",
    ))
}

/// Whether the log says that a latest checkpoint was ever written; without a log, one may have been.
fn was_saved(run: &Run) -> Result<bool> {
    let log = run.readable_events(u64::MAX)?;
    let tells = |event: &Event| match event {
        Event::Checkpoint { name, .. } => name == "latest",
        // A resume cuts the line of the checkpoint that it goes on from.
        Event::Start { step, .. } => *step > 0,
        _ => false,
    };
    Ok(log.is_empty() || log.iter().any(tells))
}

/// The events of `run` up to the checkpoint `state`; none for a new run.
///
/// # Errors
/// As [`Run::events`].
pub(super) fn log(run: &Run, state: Option<&State>) -> Result<Vec<Event>> {
    state.map_or_else(|| Ok(Vec::new()), |state| run.events(Some(state.resumed_bytes())))
}

/// Whether the checkpoint `state` was saved while its training went on, rather than at its end. Earlier versions kept the end in
/// the log that they resumed.
pub(super) fn lacks_end(state: &State, log: &[Event]) -> bool {
    let is_end = |event: &Event| matches!(event, Event::End { step, .. } if *step == state.step);
    state.bytes_before_end.is_none() && !log.iter().any(is_end)
}

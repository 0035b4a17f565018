//! Healing: returning to an earlier state with a changed recipe. The order of writing makes a kill at any moment
//! harmless: the first recipe is saved before anything else, the heal is logged before the checkpoint that depends on
//! it, and the checkpoint is written before the recipe, which can be reconstructed from the log.

use super::Recorder;
use super::recorder::BEST;
use crate::doctor::Doctor;
use crate::error::{Error, Result};
use crate::recipe::{PrecisionChoice, Recipe};
use crate::run::{self, Run};
use crate::train::{Event, Finding, Gan, Heal};

/// The recipe of a run that began with `recipe` and has the events `log`: with the changes of all heals.
///
/// # Errors
/// Never for a log that belongs to the recipe.
pub(super) fn changed_by(recipe: &Recipe, log: &[Event]) -> Result<Recipe> {
    let heals = log.iter().filter_map(|event| if let Event::Heal(heal) = event { Some(heal) } else { None });
    heals.into_iter().try_fold(recipe.clone(), |recipe, heal| recipe.changed(&heal.set))
}

/// Heals a training of the finding of `doctor`: it returns to the best checkpoint of its `folder` if that precedes the
/// failure and was not returned to before, else to the beginning. Neither depends on the speed of the machine, nor on where the
/// run was stopped, so that the healed run can be repeated. The recipe that the run began with is kept next to the new one.
///
/// # Errors
/// No finding with a remedy, a changed recipe that is invalid, or files that can't be read or written.
pub(super) fn heal(gan: &Gan, folder: Option<(&Run, &mut Recorder)>, doctor: &mut Doctor) -> Result<Gan> {
    let Some(mut finding) = doctor.to_treat().cloned() else {
        return Err(Error::usage("healing was requested without a finding", "report this"));
    };
    let recipe = changed(gan, &mut finding)?;
    let mut healed = gan.under(recipe)?;
    let best = match &folder {
        Some((run, _)) if same_nets(&healed.recipe, &gan.recipe) => usable_best(run, doctor, &finding)?,
        _ => None,
    };
    let mut heal = Heal {
        step: finding.step,
        name: finding.name,
        back_to: 0,
        checkpoint: None,
        remedy: finding.advice,
        set: finding.set,
    };
    if let (Some(step), Some((run, _))) = (best, &folder) {
        run::load(&run.checkpoint(BEST), &mut healed)?;
        (heal.back_to, heal.checkpoint) = (step, Some(BEST.into()));
    } else {
        super::init::initialise(&mut healed)?;
    }
    if let Some((run, recorder)) = folder {
        run.save_first_recipe()?;
        recorder.healed(&heal, &healed)?;
        run.write_recipe(&healed.recipe)?;
        if heal.checkpoint.is_none() {
            run.remove_checkpoint(BEST)?;
        }
    }
    doctor.healed(heal);
    Ok(healed)
}

/// The recipe of `gan` with the changes of `finding`, to which it adds the changes that these require.
fn changed(gan: &Gan, finding: &mut Finding) -> Result<Recipe> {
    let mut recipe = gan.recipe.changed(&finding.set)?;
    if !same_nets(&recipe, &gan.recipe) && !recipe.train.init.is_empty() {
        // The initial weights fit the former nets only.
        finding.set.push("train.init=[]".into());
        recipe = gan.recipe.changed(&finding.set)?;
    }
    let rounded = recipe.train.precision == PrecisionChoice::Bf16;
    if rounded && gan.recipe.allows_bf16()? && !recipe.allows_bf16()? {
        // A run that began with this change would be computed in f32.
        finding.set.push("train.precision=f32".into());
        recipe = gan.recipe.changed(&finding.set)?;
    }
    Ok(recipe)
}

/// Whether the weights of one recipe's nets fit those of the other.
fn same_nets(a: &Recipe, b: &Recipe) -> bool {
    a.latent == b.latent && a.generator.layers == b.generator.layers
}

/// The step of the best checkpoint, if the run can return to it.
fn usable_best(run: &Run, doctor: &Doctor, finding: &Finding) -> Result<Option<u64>> {
    let place = run.checkpoint(BEST);
    if !run::exists(&place) {
        return Ok(None);
    }
    let step = run::state(&place)?.1.step;
    let healthy = step + doctor.history().window() <= finding.step;
    let tried = doctor.heals().iter().any(|heal| heal.checkpoint.is_some() && heal.back_to == step);
    Ok((healthy && !tried).then_some(step))
}

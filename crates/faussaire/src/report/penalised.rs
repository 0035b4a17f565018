//! What a gradient penalty sees: real images, generated ones, and between them the images at which the slope of D is
//! penalised.

use std::sync::Arc;

use super::curves;
use crate::Device;
use crate::data::{Dataset, fill};
use crate::error::Result;
use crate::ops::{host, tensor};
use crate::penalty::Penalty;
use crate::random::Stream;
use crate::recipe::Recipe;
use crate::render::{Images, Picture, sheet};
use crate::run::{Run, Sampler};

/// Images per row.
const COLUMNS: usize = 10;

/// Three rows of images, and what they show; none for a run without a penalty at images of its own.
///
/// # Errors
/// Data that can't be opened, or a checkpoint that is missing or damaged.
pub(super) fn of(
    run: &Run,
    recipe: &Recipe,
    open: impl FnOnce(&Recipe) -> Result<Arc<dyn Dataset>>,
) -> Result<Option<(Picture, String)>> {
    // The others are at real or at generated images as they are.
    let between = [Penalty::WganGp, Penalty::Dragan];
    let Some(penalty) = recipe.train.penalties.keys().copied().find(|penalty| between.contains(penalty)) else {
        return Ok(None);
    };
    let sampler = Sampler::open(run, "latest", &Device::cpu())?;
    if sampler.shape().height == 1 {
        return Ok(None);
    }
    let data = open(recipe)?;
    let count = COLUMNS.min(data.len());
    let mut real = Vec::new();
    fill(data.as_ref(), &(0..count).collect::<Vec<_>>(), &mut real)?;
    sampler.range().from_unit(&mut real);
    let seed = recipe.train.seed;
    let fake = sampler.values(&sampler.noise(seed, 0, count), Some(&sampler.sample_labels(seed, 0, count)))?;
    let shape = sampler.shape();
    let dims = [count, shape.height, shape.width, shape.channels];
    let batch = |values: &[f32]| tensor(values.to_vec(), dims, sampler.device());
    let draws = Stream::new(seed, &format!("penalty.{penalty:?}"));
    let points = host(&penalty.points(&batch(&real), &batch(&fake), &draws, 0));
    let images = Images::from_values(&[real, points, fake].concat(), shape, sampler.bounds())?;
    let picture = sheet::sheet(&images, 3, count, &sheet::Options::default())?;
    let about = format!(
        "above real images, below generated ones of step {}, between them those at which {} penalises D's slope",
        sampler.step,
        curves::penalty_name(penalty)
    );
    Ok(Some((picture, about)))
}

//! The preset `auto`: a recipe made by rule for images of any size, grey, RGB or RGBA, from their number and shape alone. The
//! result is an ordinary recipe.

mod cost;
mod nets;
mod reading;

use super::Recipe;
use crate::augment::Augmentation;
use crate::data::ImageShape;
use crate::error::{Error, Result};
use crate::net::summary::grouped;
use crate::optimizer::AdamSettings;
use crate::penalty::Penalty;
use cost::{duration, seconds_per_step};
use nets::Nets;
pub(crate) use reading::reading;

/// Sides of images that nets are made for.
const SIDES: std::ops::RangeInclusive<usize> = 8..=256;
/// Fewest images to learn from.
const MIN_IMAGES: usize = 8;
/// A batch is at most this part of the images.
const BATCH_SHARE: usize = 4;
/// Sets with fewer images are augmented, those with fewer than the second number more strongly.
const FEW: usize = 5000;
const VERY_FEW: usize = 1000;
/// The width is the largest of these with which a step takes at most this long.
const WIDTHS: [usize; 5] = [32, 24, 16, 12, 8];
const STEP_SECONDS: f64 = 0.4;
/// The training takes about this long, within these numbers of steps and epochs.
const TRAINING_SECONDS: f64 = 1800.0;
const STEPS: [f64; 2] = [2000.0, 10_000.0];
const MAX_EPOCHS: usize = 500;
/// Sheets of a whole training.
const SHEETS: f64 = 20.0;
/// Weight of the R1 penalty per pixel: the norm of D's gradient at an image falls with the number of its pixels.
const R1: f64 = 2e-5;

/// A recipe made by rule, with the reasons.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Auto {
    /// The recipe.
    pub recipe: Recipe,
    /// The recipe as the rule has it, without the changes that were asked for.
    pub unchanged: Recipe,
    /// What was chosen and why, one line each.
    pub reasons: Vec<String>,
}

impl Auto {
    /// Its name among the presets.
    pub const NAME: &str = "auto";

    /// How the rule works: a line, then a paragraph.
    pub const ABOUT: &str = "\
Nets made for your images: any size from 8x8 to 256x256, grey, RGB or RGBA
The generator starts from a grid of 4 to 8 pixels along the shorter side and doubles it until the image fits in, then crops the
rest; the discriminator halves the image, at least twice, until that side has 4 pixels or fewer. Widths: the largest with which a
step takes at most 0.4 s on two cores; at 256x256 even the smallest takes 0.7 s. Batch: 64 images, 32 above 32x32 pixels, 16 above
64x64, 8 above 128x128, at most a quarter of the set. Non-saturating loss, R1 penalty in every 16th step, averaged generator. Sets
of fewer than 5,000 images are augmented at random before the discriminator sees them (colour, translation, cutout), the more the
discriminator memorises them. Images with transparency keep it. Images of several sizes, or with sides outside of 8 to 256 pixels,
are resized: the shorter side to 16, 32 or 64, the longer one to at most 128. Length: about half an hour on two cores, 2,000 to
10,000 steps, at most 500 epochs. All of it is written into the run's recipe.";
}

impl Recipe {
    /// A recipe for `count` images of `shape`: the preset `auto`. Its data set is still to be named (`data.source`).
    ///
    /// ```
    /// use faussaire::Recipe;
    /// use faussaire::data::ImageShape;
    ///
    /// # fn main() -> faussaire::Result<()> {
    /// let auto = Recipe::for_images(ImageShape { height: 37, width: 53, channels: 3 }, 40)?;
    /// let (generator, _) = auto.recipe.networks()?;
    /// assert_eq!((generator.output().dims(), auto.recipe.train.batch), ([37, 53, 3], 10));
    /// println!("{}", auto.reasons.join("\n"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Sides outside of 8 to 256 pixels, points of the plane, or fewer than 8 images.
    pub fn for_images(shape: ImageShape, count: usize) -> Result<Auto> {
        check(shape, count)?;
        let batch = batch(shape, count);
        let sized = |width: usize| {
            let nets = Nets::new(shape, width);
            let recipe = recipe(nets, batch, count);
            seconds_per_step(&recipe).map(|seconds| (nets, recipe, seconds))
        };
        let mut chosen = sized(WIDTHS[0])?;
        for width in &WIDTHS[1..] {
            if chosen.2 <= STEP_SECONDS {
                break;
            }
            chosen = sized(*width)?;
        }
        let (nets, mut recipe, seconds) = chosen;
        let per_epoch = count / batch;
        let steps = (TRAINING_SECONDS / seconds).clamp(STEPS[0], STEPS[1]);
        let steps = ((steps / 500.0).round() as u64 * 500).min((per_epoch * MAX_EPOCHS) as u64);
        recipe.train.steps = steps;
        recipe.train.sheet_every = (steps as f64 / per_epoch as f64 / SHEETS).round().max(1.0) as u64;
        recipe.validate()?;
        let reasons = reasons(nets, &recipe, count);
        Ok(Auto { unchanged: recipe.clone(), recipe, reasons })
    }
}

/// Refuses what no nets can be made for.
fn check(shape: ImageShape, count: usize) -> Result<()> {
    if !shape.is_picture() {
        return Err(Error::recipe(
            "the preset `auto` makes nets for images, and these are points of the plane",
            "the presets ring and grid have nets for points",
        ));
    }
    if !SIDES.contains(&shape.height) || !SIDES.contains(&shape.width) {
        return Err(Error::recipe(
            format!("the preset `auto` makes nets for images of 8x8 to 256x256 pixels, not of {shape}"),
            "resize the images (`data.size`)",
        ));
    }
    if count < MIN_IMAGES {
        return Err(Error::recipe(
            format!("the preset `auto` needs at least {MIN_IMAGES} images to learn from, got {count}"),
            "add images",
        ));
    }
    Ok(())
}

fn batch(shape: ImageShape, count: usize) -> usize {
    let most = match shape.height * shape.width {
        ..=1024 => 64,
        1025..=4096 => 32,
        4097..=16_384 => 16,
        _ => 8,
    };
    most.min(count / BATCH_SHARE)
}

/// The recipe, but for its length.
fn recipe(nets: Nets, batch: usize, count: usize) -> Recipe {
    let mut recipe = Recipe::new(64, nets.generator(), nets.discriminator())
        .generator_adam(AdamSettings::new(1e-3).betas(0.5, 0.99))
        .discriminator_adam(AdamSettings::new(5e-4).betas(0.5, 0.99))
        .penalty(Penalty::R1, two_digits(R1 * (nets.shape.height * nets.shape.width) as f64))
        .batch(batch)
        .ema(0.998);
    recipe.train.penalty_every = 16;
    if count < FEW {
        let augment = &mut recipe.train.augment;
        augment.kinds = vec![Augmentation::Colour, Augmentation::Translation, Augmentation::Cutout];
        augment.probability = if count < VERY_FEW { 0.5 } else { 0.2 };
        augment.target = 0.6;
        augment.reach = 2000 * batch as u64;
    }
    recipe
}

/// `x` with two significant digits.
fn two_digits(x: f64) -> f64 {
    format!("{x:.1e}").parse().unwrap_or(x)
}

fn reasons(nets: Nets, recipe: &Recipe, count: usize) -> Vec<String> {
    let (shape, train) = (nets.shape, &recipe.train);
    let sides = |(height, width): (usize, usize)| format!("{height}x{width}");
    let crop = match nets.uncropped() {
        whole if whole == (shape.height, shape.width) => String::new(),
        whole => format!(" to {}, of which it keeps {}", sides(whole), sides((shape.height, shape.width))),
    };
    let times = |n: u32| if n == 1 { "once".into() } else { format!("{n} times") };
    let widths = (nets.generator_width(nets.doublings), nets.generator_width(0));
    let mut lines = vec![
        format!("nets for {} images of {shape}", grouped(count as u64)),
        format!(
            "generator: starts from {} and doubles {}{crop}; {} to {} channels",
            sides(nets.first_grid()),
            times(nets.doublings),
            widths.0,
            widths.1,
        ),
        format!(
            "discriminator: halves {}, to {}; {} to {} channels",
            times(nets.halvings),
            sides(nets.last_grid()),
            nets.discriminator_width(1),
            nets.discriminator_width(nets.halvings),
        ),
    ];
    let batch = if train.batch == count / BATCH_SHARE { ", a quarter of the images" } else { "" };
    lines.push(format!("batch: {} images{batch}", train.batch));
    if !train.augment.kinds.is_empty() {
        let what = "augmented at random (colour, translation, cutout), the more the discriminator memorises them";
        lines.push(format!("few images: {what}"));
    }
    lines
}

/// The length of `recipe` on `count` images, and its estimated duration, in a line; none if it can't be known.
pub(crate) fn length(recipe: &Recipe, count: usize) -> Option<String> {
    let seconds = seconds_per_step(recipe).ok()?;
    let train = &recipe.train;
    let by_epochs = train.epochs.saturating_mul((count / train.batch.max(1)) as u64) / train.n_critic;
    let steps = [train.steps, by_epochs].into_iter().filter(|steps| *steps > 0).min()?;
    Some(format!(
        "length: {} {} of about {} on two cores, {} in all",
        grouped(steps),
        if steps == 1 { "step" } else { "steps" },
        duration(seconds),
        duration(seconds * steps as f64),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Shape;

    fn shape(height: usize, width: usize, channels: usize) -> ImageShape {
        ImageShape { height, width, channels }
    }

    #[test]
    fn every_size_and_depth_has_nets() {
        let sides = (8..=40).chain([47, 53, 64, 65, 96, 100, 127, 128, 200, 255, 256]);
        for (nth, side) in sides.enumerate() {
            for other in [8, 16, 37, 64, 131, 256, side] {
                let shape = shape(side, other, [1, 3, 4][nth % 3]);
                let Auto { recipe, reasons, .. } = Recipe::for_images(shape, 300).unwrap();
                let (generator, discriminator) = recipe.networks().unwrap();
                assert_eq!(generator.output().dims(), [side, other, shape.channels], "{shape}");
                assert_eq!(discriminator.output(), Shape::Flat(1), "{shape}");
                assert!(reasons.iter().all(|line| !line.is_empty()));
                // Never more to crop than the last doublings make necessary.
                let grid = Nets::new(shape, 8);
                let (height, width) = grid.uncropped();
                assert!(height - side < 1 << grid.doublings && width - other < 1 << grid.doublings, "{shape}");
                let (short, least) = (grid.first_grid().0.min(grid.first_grid().1), side.min(other));
                assert!((4..=8).contains(&short) || least < 8, "{shape}: starts from {:?}", grid.first_grid());
                let again = Recipe::parse(&recipe.to_toml().unwrap(), "again", &[]).unwrap();
                assert_eq!(again, recipe);
            }
        }
    }

    #[test]
    fn the_nets_are_as_the_rule_says() {
        let auto = Recipe::for_images(shape(37, 53, 3), 40).unwrap();
        let layers = &auto.recipe.generator.layers;
        assert!(layers[0].starts_with("dense 5*7*") && layers.contains(&"crop 37 53".to_owned()), "{layers:?}");
        let said = auto.reasons.join("\n");
        assert!(said.contains("starts from 5x7 and doubles 3 times to 40x56, of which it keeps 37x53"), "{said}");
        assert!(said.contains("halves 4 times, to 3x4") && said.contains("batch: 10 images, a quarter"), "{said}");
        let whole = Recipe::for_images(shape(64, 64, 3), 60_000).unwrap();
        assert!(!whole.recipe.generator.layers.iter().any(|line| line.starts_with("crop")));
        assert!(whole.recipe.train.augment.kinds.is_empty() && !whole.reasons.join("").contains("few"));
        assert_eq!(whole.recipe.train.penalties[&Penalty::R1], 0.082);
    }

    #[test]
    fn steps_stay_affordable_and_batches_small() {
        for side in [8, 16, 28, 32, 48, 64, 96, 128, 192, 256] {
            for count in [8, 20, 300, 4999, 60_000] {
                let recipe = Recipe::for_images(shape(side, side, 3), count).unwrap().recipe;
                let seconds = seconds_per_step(&recipe).unwrap();
                assert!(seconds <= 0.7, "{side} {count}: {seconds}");
                let batch = recipe.train.batch;
                assert!((2..=64).contains(&batch) && 4 * batch <= count.max(8), "{side} {count}: {batch}");
                let epochs = recipe.train.steps as usize * batch / count;
                assert!(epochs <= 500 && (500..=10_000).contains(&recipe.train.steps), "{side} {count}: {epochs}");
                assert!(length(&recipe, count).unwrap().starts_with("length: "));
            }
        }
    }

    #[test]
    fn what_no_nets_are_made_for_is_refused() {
        let error = |height, width, channels, count| {
            let error = Recipe::for_images(shape(height, width, channels), count).unwrap_err();
            assert!(!error.hint().is_empty());
            error.to_string()
        };
        assert!(error(7, 64, 3, 100).contains("not of 7x64x3") && error(64, 257, 1, 100).contains("64x257x1"));
        assert!(error(1, 1, 2, 100).contains("points"));
        assert!(error(64, 64, 3, 7).contains("at least 8 images to learn from, got 7"));
    }
}

//! The numbered steps of the course's lab as checks: what each of them should have come to, found by doing it with the nets of
//! a recipe. `faussaire summary RECIPE --check N` prints them.

use crate::data::ImageShape;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::model::Trained;
use crate::net::summary::grouped;
use crate::net::{Network, Shape};
use crate::ops::{host, tensor};
use crate::pixel_range::PixelRange;
use crate::random::Stream;
use crate::recipe::{Preset, Recipe};
use crate::{Device, Model, Tensor};

/// What the sheet's steps are called, from step 1.
pub const STEPS: [&str; 10] = [
    "build the generator",
    "build the discriminator",
    "compile the discriminator",
    "compose the GAN, with the discriminator frozen",
    "draw z",
    "generate images",
    "mix real and generated images, with labels",
    "train the discriminator on the batch",
    "draw a new z, labelled real",
    "train the GAN on it",
];

/// Images of a kind in a batch.
const BATCH: usize = 8;
/// The loss of a D that knows nothing is ln 2; a new one is near it.
const FIRST_LOSS: std::ops::Range<f32> = 0.55..0.85;

/// Something that a step should have come to.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Check {
    /// What was looked at.
    pub what: &'static str,
    /// What it is.
    pub found: String,
    /// What it should be.
    pub expected: String,
    /// Whether it is.
    pub holds: bool,
}

fn check(what: &'static str, found: impl ToString, expected: impl ToString) -> Check {
    let (found, expected) = (found.to_string(), expected.to_string());
    Check { what, holds: found == expected, found, expected }
}

fn near(what: &'static str, found: f32) -> Check {
    Check { what, found: format!("{found:.3}"), expected: "about 0.693".into(), holds: FIRST_LOSS.contains(&found) }
}

/// Does step `number` of the sheet, and those that it needs, with the nets of `recipe`, and checks it. Steps 1 and 2 compare the
/// nets with the sheet's (preset `tp`); the others hold for any nets. Real images are random pixels: nothing is read.
///
/// # Errors
/// A step that the sheet doesn't have, nets that can't be built, that take labels or don't fit each other.
pub fn checks(recipe: &Recipe, number: usize) -> Result<Vec<Check>> {
    if !(1..=STEPS.len()).contains(&number) {
        return Err(Error::usage(
            format!("the lab has no step {number}"),
            format!("its steps are 1 to {}: 1 is to {}, 10 to {}", STEPS.len(), STEPS[0], STEPS[9]),
        ));
    }
    let (generator, discriminator) = recipe.networks()?;
    let (g, d) = Preset::Tp.recipe()?.networks()?;
    match number {
        1 => return Ok([of_net(&generator, &g), vec![ending(&generator)]].concat()),
        2 => return Ok([of_net(&discriminator, &d), vec![ending(&discriminator)]].concat()),
        _ => {}
    }
    if generator.labels() > 0 {
        return Err(Error::usage(
            "the sheet's steps 3 to 10 are those of nets without labels",
            "check the nets of `tp`; the bonus, a conditional GAN, has no numbers",
        ));
    }
    let mut lab = Lab::new(recipe, generator, discriminator)?;
    match number {
        3 => lab.compiled(recipe),
        4 => lab.composed(),
        5 => Ok(lab.drawn()),
        6 => lab.generated(),
        7 => lab.mixed(),
        8 => lab.trained(),
        9 => Ok(lab.drawn_again()),
        _ => lab.composed_trained(),
    }
}

/// Shapes and parameters beside the sheet's.
fn of_net(net: &Network, sheets: &Network) -> Vec<Check> {
    let counts = |net: &Network| {
        let (all, trained) = net.parameters();
        format!("{}, of which {} are trained", grouped(all as u64), grouped(trained as u64))
    };
    vec![
        check("input", net.input(), sheets.input()),
        check("output", net.output(), sheets.output()),
        check("parameters", counts(net), counts(sheets)),
    ]
}

/// The last layer, which makes pixels or a probability of logits.
fn ending(net: &Network) -> Check {
    check("last layer", net.layers().last().map_or("none", |entry| entry.line.as_str()), "sigmoid")
}

/// The lab with new nets.
struct Lab {
    generator: Model,
    discriminator: Model,
    latent: usize,
    image: ImageShape,
    range: PixelRange,
    noise: Stream,
    device: Device,
}

impl Lab {
    fn new(recipe: &Recipe, g: Network, d: Network) -> Result<Self> {
        let [height, width, channels] = g.output().dims();
        let (seed, device) = (recipe.train.seed, Device::cpu());
        let range = PixelRange::of(&g)?;
        let mut generator = Model::from_network(g, seed, &device);
        let mut discriminator = Model::from_network(d, seed, &device);
        generator.compile(recipe.generator.adam);
        discriminator.compile(recipe.discriminator.adam);
        Ok(Self {
            generator,
            discriminator,
            latent: recipe.latent,
            image: ImageShape { height, width, channels },
            range,
            noise: Stream::new(seed, "lab"),
            device,
        })
    }

    fn z(&self, index: u64) -> Tensor<4> {
        tensor(self.noise.normal(index, BATCH * self.latent), [BATCH, 1, 1, self.latent], &self.device)
    }

    fn column(&self, value: f32) -> Tensor<4> {
        tensor(vec![value; BATCH], [BATCH, 1, 1, 1], &self.device)
    }

    /// Real images, then generated ones, with their labels.
    fn batch(&self) -> Result<(Tensor<4>, Tensor<4>)> {
        let ImageShape { height, width, channels } = self.image;
        let (low, high) = self.range.bounds();
        let pixels = Stream::new(0, "lab.images").uniform(0, BATCH * self.image.len(), low, high);
        let real = tensor(pixels, [BATCH, height, width, channels], &self.device);
        let fake = self.generator.predict_on_batch(&self.z(0))?;
        Ok((Tensor::cat(vec![real, fake], 0), Tensor::cat(vec![self.column(1.0), self.column(0.0)], 0)))
    }

    fn compiled(&mut self, recipe: &Recipe) -> Result<Vec<Check>> {
        let loss = if recipe.train.loss == Loss::Nonsaturating { "binary cross-entropy" } else { "another" };
        let (batch, labels) = self.batch()?;
        let adam = self.discriminator.optimizer.as_ref().map_or(0.0, |optimizer| optimizer.settings().learning_rate);
        let trained = self.discriminator.train_on_batch(&batch, &labels)?;
        Ok(vec![
            check("loss", loss, "binary cross-entropy"),
            Check {
                what: "Adam's learning rate",
                found: format!("{adam}"),
                expected: "1e-5 to 1e-2".into(),
                holds: (1e-5..=1e-2).contains(&adam),
            },
            near("first loss", trained.loss),
        ])
    }

    fn composed(&mut self) -> Result<Vec<Check>> {
        let (g, d) = (&self.generator.net, &self.discriminator.net);
        let mut found = vec![
            check("input of the GAN", g.input(), Shape::Flat(self.latent)),
            check("output of G, input of D", g.output(), d.input()),
            check("output of the GAN", d.output(), Shape::Flat(1)),
        ];
        found.extend(self.composed_trained()?.into_iter().filter(|check| check.what != "first loss of the GAN"));
        Ok(found)
    }

    fn drawn(&self) -> Vec<Check> {
        let z = host(&self.z(0));
        let mean = z.iter().sum::<f32>() / z.len().max(1) as f32;
        let deviation = (z.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / z.len().max(1) as f32).sqrt();
        vec![
            check("size of z", format!("{} x {}", BATCH, z.len() / BATCH), format!("{BATCH} x {}", self.latent)),
            Check {
                what: "mean and deviation",
                found: format!("{mean:.2} and {deviation:.2}"),
                expected: "about 0 and 1".into(),
                holds: mean.abs() < 0.5 && (0.5..1.5).contains(&deviation),
            },
        ]
    }

    fn generated(&self) -> Result<Vec<Check>> {
        let images = self.generator.predict_on_batch(&self.z(0))?;
        let ImageShape { height, width, channels } = self.image;
        let dims = images.dims();
        let (low, high) = self.range.bounds();
        let inside = host(&images).iter().all(|v| (low..=high).contains(v));
        Ok(vec![
            check("images", format!("{dims:?}"), format!("{:?}", [BATCH, height, width, channels])),
            check("pixels", if inside { "in range" } else { "out of range" }, "in range"),
        ])
    }

    fn mixed(&self) -> Result<Vec<Check>> {
        let (batch, labels) = self.batch()?;
        let ones = host(&labels).iter().filter(|label| **label > 0.5).count();
        let ImageShape { height, width, channels } = self.image;
        Ok(vec![
            check("batch", format!("{:?}", batch.dims()), format!("{:?}", [2 * BATCH, height, width, channels])),
            check(
                "labels",
                format!("{ones} real, {} generated", 2 * BATCH - ones),
                format!("{BATCH} real, {BATCH} generated"),
            ),
        ])
    }

    fn trained(&mut self) -> Result<Vec<Check>> {
        let (batch, labels) = self.batch()?;
        let before = self.weights();
        let Trained { loss, .. } = self.discriminator.train_on_batch(&batch, &labels)?;
        let [g, d] = self.moved(&before);
        Ok(vec![near("first loss of D", loss), check("D", d, "moved"), check("G", g, "unmoved")])
    }

    fn drawn_again(&self) -> Vec<Check> {
        let new = host(&self.z(0)) != host(&self.z(1));
        vec![
            check("z", if new { "new" } else { "that of step 5" }, "new"),
            check("labels", format!("{} real", host(&self.column(1.0)).len()), format!("{BATCH} real")),
        ]
    }

    fn composed_trained(&mut self) -> Result<Vec<Check>> {
        let before = self.weights();
        let (z, real) = (self.z(1), self.column(1.0));
        let Trained { loss, .. } = self.generator.then(self.discriminator.frozen()).train_on_batch(&z, &real)?;
        let [g, d] = self.moved(&before);
        Ok(vec![near("first loss of the GAN", loss), check("G", g, "moved"), check("D", d, "unmoved")])
    }

    fn weights(&self) -> [Vec<f32>; 2] {
        [&self.generator, &self.discriminator].map(|net| net.weights.tensors().iter().flat_map(host).collect())
    }

    /// Whether G and D have other weights than `before`.
    fn moved(&self, before: &[Vec<f32>; 2]) -> [&'static str; 2] {
        let [g, d] = self.weights();
        [g != before[0], d != before[1]].map(|moved| if moved { "moved" } else { "unmoved" })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The lab's nets with few channels.
    fn small(changes: &[(&str, &str)]) -> Recipe {
        let small = [("128", "4"), ("256", "4"), ("conv 64", "conv 4")];
        let text =
            small.iter().chain(changes).fold(Preset::Tp.text().to_owned(), |text, (from, to)| text.replace(from, to));
        Recipe::parse(&text, "small", &[]).unwrap()
    }

    fn failed(recipe: &Recipe, number: usize) -> Vec<&'static str> {
        checks(recipe, number).unwrap().iter().filter(|check| !check.holds).map(|check| check.what).collect()
    }

    #[test]
    fn every_step_holds_for_the_sheets_own_nets() {
        let tp = Preset::Tp.recipe().unwrap();
        for number in [1, 2] {
            assert!(failed(&tp, number).is_empty(), "step {number}: {:?}", checks(&tp, number));
        }
        let small = small(&[]);
        for number in 3..=10 {
            let found = checks(&small, number).unwrap();
            assert!(found.len() >= 2 && failed(&small, number).is_empty(), "step {number}: {found:?}");
        }
        assert_eq!(failed(&small, 1), ["parameters"]);
        assert!(checks(&tp, 0).unwrap_err().to_string().contains("has no step 0") && checks(&tp, 11).is_err());
    }

    #[test]
    fn what_is_wrong_is_found_at_its_step() {
        let other_loss = small(&[("batch = 64", "batch = 64\nloss = \"hinge\"")]);
        assert_eq!(failed(&other_loss, 3), ["loss"]);
        let high = small(&[("learning_rate = 2e-4", "learning_rate = 0.1")]);
        assert_eq!(failed(&high, 3), ["Adam's learning rate"]);
        let no_sigmoid = small(&[("\"dense 1\", \"sigmoid\"", "\"dense 1\"")]);
        assert_eq!(failed(&no_sigmoid, 2), ["parameters", "last layer"]);
    }
}

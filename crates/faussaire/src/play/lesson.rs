//! A lesson: trains on a 2-D toy phase by phase, with a picture of both nets after each. It is the same training as
//! that of the command line, stopped in the middle of a step.

use crate::data::{Coverage, OpenOptions, Points, Toy, open};
use crate::error::{Error, Result};
use crate::loss::{Loss, Scores};
use crate::net::Pass;
use crate::ops::host;
use crate::ops::tensor;
use crate::recipe::Recipe;
use crate::train::{DiscriminatorStep, Gan, Latents, StepReport};
use crate::{Device, Tensor};

/// Number of real and of generated points of a picture.
const POINTS: usize = 400;

/// Points of the heat map, and of the latent mesh, along a side.
const HEAT: usize = 41;
const MESH: usize = 21;

/// Values between two layers of the points that are computed at a time.
const VALUES_AT_ONCE: usize = 1 << 21;

/// Cost of a forward and backward pass, in forward passes: gradients of the input and of the weights cost one each.
const FORWARD_BACKWARD: u64 = 3;
/// Cost of a gradient penalty: forward, the gradient of the input, and the backward pass through both.
const GRADIENT_PENALTY: u64 = 6;

/// The mesh covers latents from minus this to this, which contain most noise.
const MESH_REACH: f32 = 2.0;

/// A phase of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The discriminator is updated.
    Discriminator,
    /// The generator is updated.
    Generator,
}

/// A training on a toy.
#[derive(Debug)]
pub struct Lesson {
    gan: Gan,
    toy: Toy,
    first: Option<DiscriminatorStep>,
    last: Option<StepReport>,
}

/// D's scores over the plane, row by row from the lowest: `side * side` probabilities of being real.
#[derive(Clone, Debug, PartialEq)]
pub struct Heat {
    /// Points along a side.
    pub side: usize,
    /// Probabilities; for losses whose scores have no zero, relative to the mean score of the points shown.
    pub values: Vec<f32>,
}

/// G's outputs for a square grid of latents: `side * side` points of the plane, row by row. In latents of more than two
/// numbers, the first two vary.
#[derive(Clone, Debug, PartialEq)]
pub struct Mesh {
    /// Points along a side.
    pub side: usize,
    /// Coordinates.
    pub points: Vec<[f32; 2]>,
}

/// The state of both nets.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Completed steps.
    pub step: u64,
    /// Whether the next step's first phase is complete.
    pub half_done: bool,
    /// D's loss before its last update.
    pub d_loss: Option<f32>,
    /// G's loss before its last update.
    pub g_loss: Option<f32>,
    /// D's accuracy on real and on generated points.
    pub accuracies: Option<[f32; 2]>,
    /// Both coordinates are shown from `-window` to `window`.
    pub window: f32,
    /// Real points.
    pub real: Vec<[f32; 2]>,
    /// G's points of fixed noise, with its current weights: no moving average, since a lesson shows the effect of an
    /// update.
    pub fake: Vec<[f32; 2]>,
    /// D's scores over the plane; none if it takes several points at once.
    pub heat: Option<Heat>,
    /// G's map of the latent space.
    pub mesh: Mesh,
    /// Coverage of the clusters by `fake`.
    pub coverage: Coverage,
}

/// What a lesson takes, estimated from its recipe before any of it is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Operations of a step's longer phase.
    pub phase: u64,
    /// Operations of a picture.
    pub picture: u64,
    /// Memory in bytes: weights, what training keeps, a picture.
    pub bytes: u64,
}

impl Cost {
    /// The cost of a lesson with `recipe`.
    ///
    /// # Errors
    /// Nets that can't be built.
    pub fn of(recipe: &Recipe) -> Result<Self> {
        let (generator, discriminator) = recipe.networks()?;
        let train = &recipe.train;
        let batch = train.batch as u64;
        let (g, d) = (generator.operations(), discriminator.operations());
        let penalties = train.penalties.len() as u64;
        let times = |count: u64, flops: u64| count.saturating_mul(flops);
        // D's update sees real and generated examples; G's goes through D, too.
        let first = g.saturating_add(times(2 * FORWARD_BACKWARD + penalties * GRADIENT_PENALTY, d));
        let second = times(FORWARD_BACKWARD, g.saturating_add(d));
        let phase = times(batch, times(train.n_critic, first).max(second));
        let (points, mesh) = (POINTS as u64, (MESH * MESH) as u64);
        let heat = (HEAT * HEAT) as u64;
        let picture = times(points + mesh, g).saturating_add(times(heat + 2 * points, d));
        let [values_g, values_d] = [&generator, &discriminator].map(|net| net.activations() as u64);
        // A penalty keeps the tangent of each value, and the gradients of both.
        let kept = times(batch, times(2, values_g).saturating_add(times(4 + 4 * penalties, values_d)));
        let weights = [&generator, &discriminator].map(|net| net.parameters().0 as u64).iter().sum::<u64>();
        let at_once = |widest: usize, n: usize| times(2 * at_once(widest).min(n) as u64, widest as u64);
        let drawn =
            at_once(generator.widest(), POINTS.max(MESH * MESH)).max(at_once(discriminator.widest(), HEAT * HEAT));
        // Scratch memory of a convolution is at most its operations over those of eight channels, on each of two threads.
        let scratch = generator.flops().max(discriminator.flops()) / 8;
        let values = times(6, weights).saturating_add(kept).saturating_add(drawn).saturating_add(scratch);
        Ok(Self { phase, picture, bytes: times(size_of::<f32>() as u64, values) })
    }
}

/// The number of points that a net with this number of values between two layers computes at a time.
fn at_once(widest: usize) -> usize {
    (VALUES_AT_ONCE / widest.max(1)).max(1)
}

impl Lesson {
    /// Begins a lesson with `recipe`, whose data must be a toy.
    ///
    /// # Errors
    /// Data that isn't a toy, or nets that don't fit.
    pub fn new(recipe: Recipe, device: &Device) -> Result<Self> {
        let options = recipe.open_options(OpenOptions::default());
        let set = Toy::ALL.iter().any(|toy| toy.name() == recipe.data.source);
        let toys = Toy::ALL.map(Toy::name).join(", ");
        let refuse = || {
            Error::usage(
                format!("{} is not a set of 2-D points", recipe.data.source),
                format!(
                    "{}expected one of the toys: {toys}",
                    crate::data::did_you_mean(&recipe.data.source, Toy::ALL.map(Toy::name))
                ),
            )
        };
        if !set {
            return Err(refuse());
        }
        let data = open(&recipe.data.source, &options, &mut |_| ())?;
        let toy = data.toy().ok_or_else(refuse)?;
        Ok(Self { gan: Gan::new(recipe, data.into(), device)?, toy, first: None, last: None })
    }

    /// Completed steps.
    pub fn steps(&self) -> u64 {
        self.gan.progress.step
    }

    /// The next phase.
    pub fn next(&self) -> Phase {
        if self.first.is_none() { Phase::Discriminator } else { Phase::Generator }
    }

    /// Makes the next phase, and returns which it was.
    ///
    /// # Errors
    /// As [`Gan::step`].
    pub fn advance(&mut self) -> Result<Phase> {
        match self.first.take() {
            None => {
                self.first = Some(self.gan.discriminator_step()?);
                Ok(Phase::Discriminator)
            }
            Some(first) => {
                self.last = Some(self.gan.generator_step(first)?);
                Ok(Phase::Generator)
            }
        }
    }

    /// The current state of both nets.
    ///
    /// # Errors
    /// Where real points can't be read.
    pub fn picture(&self) -> Result<Picture> {
        let fake = self.generated(&self.gan.fixed_latents(POINTS));
        let real = self.real()?;
        let accuracies =
            self.first.as_ref().map(DiscriminatorStep::accuracies).or(self.last.map(|last| [last.d_real, last.d_fake]));
        Ok(Picture {
            step: self.steps(),
            half_done: self.first.is_some(),
            d_loss: self.first.as_ref().map(DiscriminatorStep::loss).or(self.last.map(|last| last.d_loss)),
            g_loss: self.last.map(|last| last.g_loss),
            accuracies,
            window: self.toy.window(),
            heat: (self.gan.recipe.train.pac == 1).then(|| self.heat(&real, &fake)),
            mesh: self.mesh(),
            coverage: self.toy.coverage(&fake),
            real,
            fake,
        })
    }

    fn real(&self) -> Result<Vec<[f32; 2]>> {
        let set = Points::new(self.toy, self.gan.recipe.train.seed, POINTS);
        let indices: Vec<usize> = (0..POINTS).collect();
        let mut values = Vec::new();
        crate::data::fill(&set, &indices, &mut values)?;
        Ok(self.toy.to_plane(&values))
    }

    fn generated(&self, latents: &Latents) -> Vec<[f32; 2]> {
        let generator = &self.gan.generator;
        let (n, stride) = (latents.z.dims()[0], at_once(generator.net.widest()));
        let mut values = Vec::with_capacity(2 * n);
        for first in (0..n).step_by(stride) {
            let part = |t: &Tensor<4>| t.clone().narrow(0, first, stride.min(n - first));
            let mut pass = Pass::infer().given(latents.y.as_ref().map(part));
            values.extend(host(&generator.net.apply(&generator.weights, part(&latents.z), &mut pass)));
        }
        self.gan.range().to_unit(&mut values);
        self.toy.to_plane(&values)
    }

    fn scores(&self, points: &[[f32; 2]]) -> Vec<f32> {
        // From the plane to the nets' own range.
        let window = self.toy.window();
        let mut values: Vec<f32> = points.iter().flatten().map(|v| 0.5 * (v / window + 1.0)).collect();
        self.gan.range().from_unit(&mut values);
        let critic = &self.gan.discriminator;
        let mut scores = Vec::with_capacity(points.len());
        for values in values.chunks(2 * at_once(critic.net.widest())) {
            let x = tensor(values.to_vec(), [values.len() / 2, 1, 1, 2], &Device::cpu());
            scores.extend(host(&Scores::of(critic.net.apply_to_logits(&critic.weights, x, &mut Pass::infer()))));
        }
        scores
    }

    fn heat(&self, real: &[[f32; 2]], fake: &[[f32; 2]]) -> Heat {
        let window = self.toy.window();
        let scores = self.scores(&square(HEAT, window));
        let shown = self.scores(&[real, fake].concat());
        let (middle, scale) = zero(self.gan.recipe.train.loss, &shown);
        let probability = |score: &f32| 1.0 / (1.0 + (-(score - middle) / scale).exp());
        Heat { side: HEAT, values: scores.iter().map(probability).collect() }
    }

    fn mesh(&self) -> Mesh {
        let latent = self.gan.recipe.latent;
        let z = square(MESH, MESH_REACH).into_iter().flat_map(|[x, y]| {
            let mut z = vec![0.0; latent];
            z.iter_mut().zip([x, y]).for_each(|(slot, value)| *slot = value);
            z
        });
        let z = tensor(z.collect(), [MESH * MESH, 1, 1, latent], &Device::cpu());
        Mesh { side: MESH, points: self.generated(&Latents { z, y: None }) }
    }
}

/// The score of probability 1/2 and the unit of scores: those of the loss, if it has any, else mean and standard
/// deviation of the scores `shown`.
fn zero(loss: Loss, shown: &[f32]) -> (f32, f32) {
    let n = shown.len().max(1) as f32;
    let mean = shown.iter().sum::<f32>() / n;
    let spread = || (shown.iter().map(|s| (s - mean) * (s - mean)).sum::<f32>() / n).sqrt().max(1e-6);
    let scale = loss.scale();
    (scale.middle.unwrap_or(mean), scale.unit.unwrap_or_else(spread))
}

/// A square grid of points from `-reach` to `reach`, row by row from the lowest.
fn square(side: usize, reach: f32) -> Vec<[f32; 2]> {
    let at = |i: usize| reach * (2.0 * i as f32 / (side - 1) as f32 - 1.0);
    (0..side * side).map(|i| [at(i % side), at(i / side)]).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Preset;

    fn recipe(changes: &[&str]) -> Recipe {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        Recipe::parse(Preset::named("ring").unwrap().text(), "ring", &changes).unwrap()
    }

    #[test]
    fn two_phases_are_a_step_of_the_command_line() {
        let mut lesson = Lesson::new(recipe(&[]), &Device::cpu()).unwrap();
        let data = open("ring", &recipe(&[]).open_options(OpenOptions::default()), &mut |_| ()).unwrap();
        let mut gan = Gan::new(recipe(&[]), data.into(), &Device::cpu()).unwrap();
        for step in 0..3 {
            assert_eq!(lesson.next(), Phase::Discriminator);
            let before = host(&lesson.gan.generator.weights.tensors()[0]);
            lesson.advance().unwrap();
            assert_eq!(before, host(&lesson.gan.generator.weights.tensors()[0]), "G is constant in the first phase");
            let picture = lesson.picture().unwrap();
            assert!(picture.half_done && picture.step == step);
            assert_eq!(lesson.advance().unwrap(), Phase::Generator);
            gan.step().unwrap();
        }
        for (ours, theirs) in [(&lesson.gan.generator, &gan.generator), (&lesson.gan.discriminator, &gan.discriminator)]
        {
            for (a, b) in ours.weights.tensors().iter().zip(theirs.weights.tensors()) {
                assert_eq!(host(a), host(b));
            }
        }
    }

    #[test]
    fn a_cost_counts_all_that_a_lesson_does() {
        let cost = |changes: &[&str]| Cost::of(&recipe(changes)).unwrap();
        let usual = cost(&[]);
        assert!(usual.phase < 1 << 30 && usual.picture < 1 << 30 && usual.bytes < 32 << 20, "{usual:?}");
        assert_eq!(cost(&["train.batch=128"]).phase, 2 * cost(&["train.batch=64"]).phase);
        assert!(cost(&["train.penalties={}"]).phase < usual.phase);
        // Nearly no weights: much memory, or many operations.
        let large = |middle: &str| {
            let lines = format!("discriminator.layers=[\"reshape 1 1 2\", {middle}, \"globalpool\", \"dense 1\"]");
            cost(&["train.batch=1", &lines])
        };
        let pixels = large("\"upsample 16\", \"upsample 16\", \"upsample 4\", \"relu\"");
        assert!(pixels.bytes > 4 * 2 * (1 << 21) && pixels.bytes < 4 * 64 * (1 << 21), "{pixels:?}");
        let moved = large("\"upsample 16\", \"upsample 16\", \"upsample 4\"");
        assert!(moved.picture > 2481 * 2 * (1 << 20), "{moved:?}");
        let kernels = large("\"upsample 16\", \"upsample 2\", \"conv 1 99x99\", \"conv 1 99x99\", \"conv 1 99x99\"");
        assert!(kernels.picture > 2481 * 3 * 2 * 1024 * 9801 && kernels.picture < u64::MAX, "{kernels:?}");
    }

    #[test]
    fn points_computed_in_parts_are_the_same() {
        // 4096 values between two layers: 512 points at a time.
        let wide = "discriminator.layers=[\"dense 16\", \"dense 4096\", \"relu\", \"dense 1\"]";
        let lesson = Lesson::new(recipe(&[wide]), &Device::cpu()).unwrap();
        assert_eq!(at_once(lesson.gan.discriminator.net.widest()), 512);
        let all = square(HEAT, 3.0);
        let parts: Vec<f32> = all.chunks(7).flat_map(|part| lesson.scores(part)).collect();
        let whole = lesson.scores(&all);
        assert!(parts.iter().zip(&whole).all(|(a, b)| (a - b).abs() <= 1e-5 * (1.0 + b.abs())));
    }

    #[test]
    fn the_picture_shows_what_the_nets_do() {
        let mut lesson =
            Lesson::new(recipe(&["train.loss=nonsaturating", "train.penalties={}"]), &Device::cpu()).unwrap();
        for _ in 0..2 * 60 {
            lesson.advance().unwrap();
        }
        let picture = lesson.picture().unwrap();
        assert_eq!((picture.real.len(), picture.fake.len(), picture.step), (400, 400, 60));
        let heat = picture.heat.unwrap();
        assert_eq!((heat.values.len(), picture.mesh.points.len()), (41 * 41, 21 * 21));
        // The mesh's middle is what G makes of 0.
        let z = Latents { z: tensor(vec![0.0; 2], [1, 1, 1, 2], &Device::cpu()), y: None };
        assert_eq!(picture.mesh.points[21 * 21 / 2], lesson.generated(&z)[0]);
        // The heat at the middle is D's probability of the plane's middle.
        let score = lesson.scores(&[[0.0, 0.0]])[0];
        assert!((heat.values[41 * 41 / 2] - 1.0 / (1.0 + (-score).exp())).abs() < 1e-6);
        assert!(heat.values.iter().all(|p| (0.0..=1.0).contains(p)));
        let refused = Lesson::new(recipe(&["data.source=strokes"]), &Device::cpu()).unwrap_err();
        assert!(refused.hint().contains("ring, grid"), "{}", refused.hint());
    }
}

//! One step of training: Algorithm 1 of Goodfellow et al. (2014), in two phases between which a caller can inspect the
//! nets. First the discriminator is updated, then the generator and its moving average. [`Gan::step`] is both together.

use std::time::Instant;

use burn::tensor::Tensor;

use super::inputs::RealBatch;
use super::slices::{Gradients, Part};
use super::{Gan, Latents, StepReport, Variety, variety};
use crate::augment;
use crate::device;
use crate::error::Result;
use crate::loss::{Loss, Scores, label_cross_entropy};
use crate::model::Learned;
use crate::net::{Pass, Weights};
use crate::ops::host;
use crate::penalty::{Critic, PenaltyTerm};
use crate::random::Stream;
use crate::ranks::agreed;
use crate::recipe::sabotage::Mistake;

/// The completed first phase of a step: the metrics of the discriminator's updates, which the second phase needs.
#[derive(Clone, Debug)]
pub struct DiscriminatorStep {
    report: DiscriminatorReport,
    /// The real images of the last update, if the loss is relativistic.
    real: Option<RealBatch>,
    seconds: f64,
}

impl Gan {
    /// One step: k discriminator updates, one generator update, the moving average.
    ///
    /// # Errors
    /// A loss that is no longer finite, or images that can't be read.
    pub fn step(&mut self) -> Result<StepReport> {
        device::on_pool(|| {
            let first = self.discriminator_step()?;
            self.generator_step(first)
        })
    }

    /// The k updates of the discriminator that begin the next step.
    ///
    /// # Errors
    /// A loss that is no longer finite, or images that can't be read.
    pub fn discriminator_step(&mut self) -> Result<DiscriminatorStep> {
        let began = Instant::now();
        let (step, k) = (self.progress.step, self.recipe.train.n_critic);
        let mut updates = Vec::new();
        let mut last = None;
        for j in 0..k {
            let turn = step * k + j;
            let real = self.real_images(turn)?;
            last = self.recipe.train.loss.is_relativistic().then(|| real.clone());
            let measure = j + 1 == k && StepReport::is_logged(step + 1);
            updates.push(self.update_discriminator(turn, real, measure)?);
        }
        Ok(DiscriminatorStep { report: mean(&updates), real: last, seconds: began.elapsed().as_secs_f64() })
    }

    /// The generator's update and the moving average, which complete the step that `first` began.
    ///
    /// # Errors
    /// A loss that is no longer finite.
    pub fn generator_step(&mut self, first: DiscriminatorStep) -> Result<StepReport> {
        let began = Instant::now();
        let (DiscriminatorStep { report: mut d, real, seconds }, step) = (first, self.progress.step);
        let before = d.variety.is_some().then(|| self.probe());
        let (g, margin) = self.update_generator(step, real)?;
        if let (Some(variety), Some(before)) = (&mut d.variety, before) {
            variety.fake_shift = variety::shift(&before, &self.probe());
        }
        self.ema.update(&self.generator.net, &self.generator.weights, step + 1);

        let progress = &mut self.progress;
        progress.step += 1;
        progress.images += self.recipe.train.n_critic * self.recipe.train.batch as u64;
        progress.train_s += seconds + began.elapsed().as_secs_f64();
        let nets = [&self.generator.weights, &self.discriminator.weights, &self.ema.weights];
        self.slices.compare(self.progress.step, nets.into_iter().flat_map(|weights| weights.tensors()))?;
        let shift = margin - self.generated_margin(d.last_scores);
        Ok(self.step_report(d, &g, shift))
    }

    /// The mean score of generated images, or what it exceeds that of real ones by where only differences of scores count.
    fn generated_margin(&self, [real, fake]: [f32; 2]) -> f32 {
        if self.recipe.train.loss.is_relativistic() { fake - real } else { fake }
    }
}

impl DiscriminatorStep {
    /// The discriminator's loss before its update.
    pub fn loss(&self) -> f32 {
        self.report.loss
    }

    /// Accuracy on real and on generated images.
    pub fn accuracies(&self) -> [f32; 2] {
        [self.report.real, self.report.fake]
    }
}

/// What a net learns from a slice of a batch.
#[derive(Debug)]
struct Learning {
    gradients: Gradients,
    /// The loss.
    value: f32,
    /// Sum of the penalties, if this update applies any.
    penalty: Option<f32>,
    /// Scores of real and of generated images.
    scores: [Vec<f32>; 2],
    /// Real and generated images, if they are measured.
    images: Option<[Vec<f32>; 2]>,
    /// What D saw of G's images, with their labels, for the exercise's mistake of a D that isn't frozen.
    seen: Option<(Tensor<4>, Option<Tensor<4>>)>,
    /// The net's pass, whose statistics are the same in all slices.
    pass: Option<Pass>,
}

impl Learning {
    /// Loss, penalty and scores, for the other slices.
    fn numbers(&self) -> Vec<f32> {
        let [real, fake] = &self.scores;
        [&[self.value, self.penalty.unwrap_or(0.0)], real.as_slice(), fake].concat()
    }
}

/// The metrics of a discriminator update, before it.
#[derive(Clone, Copy, Debug, Default)]
struct DiscriminatorReport {
    loss: f32,
    /// Sum of the penalties, if this update applies any.
    penalty: Option<f32>,
    /// Norm of the gradient.
    norm: f64,
    /// Share of real images classified as real.
    real: f32,
    /// Share of generated images classified as generated.
    fake: f32,
    /// Mean scores of real and of generated images.
    scores: [f32; 2],
    /// Those of the last update.
    last_scores: [f32; 2],
    /// Standard deviation of the scores of either kind.
    spread: f32,
    /// Variety of the images, if measured.
    variety: Option<Variety>,
    /// Mean score of held-out images, if measured.
    held_out: Option<f32>,
}

impl Gan {
    /// Update number `turn` (counted from 0 over the whole training) of the discriminator. `measure`: also measure
    /// variety and held-out score, which doesn't affect the update.
    fn update_discriminator(&mut self, turn: u64, real: RealBatch, measure: bool) -> Result<DiscriminatorReport> {
        let held_out = if measure { agreed(self.ranks(), self.held_out_score(turn))? } else { None };
        let mut here =
            self.slices.run(|part| self.discriminator_slice(part, turn, real.of(part, &self.slices), measure))?;
        let variety = if measure { Some(self.variety(&here)?) } else { None };
        let numbers: Vec<Vec<f32>> = here.iter().map(Learning::numbers).collect();
        let numbers = self.slices.gather(&numbers)?;
        let each = numbers.chunks_exact(numbers.len() / self.recipe.train.slices);
        let mean = |at: usize| self.slices.mean(each.clone().map(|slice| slice[at]));
        let (value, penalty) = (mean(0), here.iter().any(|slice| slice.penalty.is_some()).then(|| mean(1)));
        let scores = |which: usize| -> Vec<f32> {
            let half = |slice: &[f32]| (slice.len() - 2) / 2;
            each.clone().flat_map(|slice| slice[2 + which * half(slice)..][..half(slice)].to_vec()).collect()
        };
        let [(real, real_mean, real_variance), (fake, fake_mean, fake_variance)] =
            [0, 1].map(|kind| summary(&scores(kind)));
        let pass = here.first_mut().and_then(|slice| slice.pass.take());
        let gradients =
            self.slices.mean_gradients(here.into_iter().map(|slice| slice.gradients).collect(), &self.device)?;
        let Learned { norm, .. } = self.discriminator.learn(gradients, value + penalty.unwrap_or(0.0))?;
        if let Some(pass) = pass {
            self.discriminator.net.absorb(&mut self.discriminator.weights, pass);
        }
        self.clip_weights();
        // The number of images, of which a packed input holds several.
        let images = self.recipe.train.batch as u64;
        self.adapt_augmentation(f64::from(real), images);
        let (scores, spread) = ([real_mean, fake_mean], (0.5 * (real_variance + fake_variance)).sqrt());
        let (fake, last_scores) = (1.0 - fake, scores);
        Ok(DiscriminatorReport {
            loss: value,
            penalty,
            norm,
            real,
            fake,
            scores,
            last_scores,
            spread,
            variety,
            held_out,
        })
    }

    /// What D learns from a slice of the batch.
    fn discriminator_slice(&self, part: &Part, turn: u64, real: RealBatch, measure: bool) -> Learning {
        let RealBatch { x, y } = real;
        let fakes = self.generated_images(turn, part, y.clone());
        let images = measure.then(|| [host(&x), host(&fakes)]);
        let (x, fakes) =
            (self.discriminator_input(x, "real", turn, part), self.discriminator_input(fakes, "fake", turn, part));
        let m = x.dims()[0];

        let tracked = self.discriminator.tracked();
        let both = y.clone().map(|y| Tensor::cat(vec![y.clone(), y], 0));
        let pass = self.discriminator.training_pass(turn * 2).within(part.slice.clone());
        let (logits, pass) = self.batch_logits(&tracked, [&x, &fakes], pass, [y.clone(), both.clone()]);
        let scores = Scores::split(logits.clone(), m);
        let shown = [host(&scores.real), host(&scores.fake)];
        let train = &self.recipe.train;
        let mut loss = train.loss.discriminator(&self.flipped(scores.clone(), turn, part), train.smoothing as f32);
        if train.label_noise > 0.0 {
            loss = loss.add(self.label_noise(scores, turn, part));
        }
        if let Some(labels) = both.filter(|_| self.discriminator.net.guesses_labels()) {
            loss = loss.add(self.label_loss(logits, labels));
        }
        let value = loss.clone().into_scalar::<f32>();
        let penalties = self.penalties(&tracked, turn, [&x, &fakes], y, part);
        let loss = penalties.iter().fold(loss, |loss, term| loss.add(term.surrogate.clone()));
        let penalty = penalties.map(|term| term.value);
        let gradients = self.discriminator.gradients(tracked, loss);
        Learning { gradients, value, penalty, scores: shown, images, seen: None, pass: Some(pass) }
    }

    /// The variety of the batch, whose slices here are these.
    fn variety(&self, here: &[Learning]) -> Result<Variety> {
        let of = |kind: usize| -> Result<Vec<f32>> {
            let images: Vec<Vec<f32>> =
                here.iter().flat_map(|slice| &slice.images).map(|both| both[kind].clone()).collect();
            self.slices.gather(&images)
        };
        Ok(Variety::of(&of(0)?, &of(1)?, self.dataset.shape().len()))
    }

    /// Update number `turn` (counted from 0) of the generator. The discriminator's weights are constants, without
    /// gradients; its layers are in training mode. A relativistic loss takes the `real` images of D's last update, and
    /// their labels. Also returns its images' [`Self::generated_margin`].
    fn update_generator(&mut self, turn: u64, real: Option<RealBatch>) -> Result<(Learned, f32)> {
        let mut here = self.slices.run(|part| {
            let real = real.as_ref().map(|real| real.of(part, &self.slices));
            self.generator_slice(part, turn, real)
        })?;
        let numbers: Vec<Vec<f32>> = here.iter().map(Learning::numbers).collect();
        let numbers = self.slices.gather(&numbers)?;
        let each = numbers.chunks_exact(numbers.len() / self.recipe.train.slices);
        let value = self.slices.mean(each.clone().map(|slice| slice[0]));
        let count = here.first().map_or([0, 0], |slice| slice.scores.each_ref().map(Vec::len));
        let scores = |range: std::ops::Range<usize>| -> Vec<f32> {
            each.clone().flat_map(|slice| slice[range.clone()].to_vec()).collect()
        };
        let [real_scores, fake_scores] = [scores(2..2 + count[0]), scores(2 + count[0]..2 + count[0] + count[1])];
        let margin = self.generated_margin([summary(&real_scores).1, summary(&fake_scores).1]);
        let seen = here.first_mut().and_then(|slice| slice.seen.take());
        let pass = here.first_mut().and_then(|slice| slice.pass.take());
        let gradients =
            self.slices.mean_gradients(here.into_iter().map(|slice| slice.gradients).collect(), &self.device)?;
        let learned = self.generator.learn(gradients, value)?;
        if let Some(pass) = pass {
            self.generator.net.absorb(&mut self.generator.weights, pass);
        }
        if let Some((images, y)) = seen {
            self.update_unfrozen(turn, images, y)?;
        }
        Ok((learned, margin))
    }

    /// What G learns from a slice of the batch.
    fn generator_slice(&self, part: &Part, turn: u64, real: Option<RealBatch>) -> Learning {
        let Latents { z, y } = self.part_of_latents("latent.generator", turn, part);
        let y = real.as_ref().map_or(y, |real| real.y.clone());

        let tracked = self.generator.tracked();
        let within = |pass: Pass, y: &Option<Tensor<4>>| pass.within(part.slice.clone()).given(y.clone());
        let mut pass = within(self.generator.training_pass(turn * 2 + 1), &y);
        let images = self.generator.net.apply(&tracked, z, &mut pass);
        let input = self.discriminator_input(images, "generator", turn, part);
        let discriminator = &self.discriminator;
        let mistake = self.recipe.train.sabotage.in_training();
        let seen = (mistake == Some(Mistake::Unfrozen)).then(|| (input.clone().without_autodiff(), y.clone()));
        let mut d_pass = within(discriminator.training_pass(turn * 2 + 1), &y);
        let logits = discriminator.net.apply_to_logits(&discriminator.weights, input, &mut d_pass);
        let fake = Scores::of(logits.clone());
        let real = real.map(|real| self.scores_on(real, turn, part));
        let scores = [real.as_ref().map(host).unwrap_or_default(), host(&fake)];
        let mut loss = match mistake {
            // Cross-entropy with the label 0.
            Some(Mistake::WrongLabel) => Loss::Saturating.generator(fake, None).neg(),
            _ => self.recipe.train.loss.generator(fake, real),
        };
        if let Some(labels) = y.filter(|_| discriminator.net.guesses_labels()) {
            loss = loss.add(self.label_loss(logits, labels));
        }
        let value = loss.clone().into_scalar::<f32>();
        let gradients = self.generator.gradients(tracked, loss);
        Learning { gradients, value, penalty: None, scores, images: None, seen, pass: Some(pass) }
    }

    /// The exercise's mistake of a D that isn't frozen: G's loss moves it, too, towards taking these images for real.
    fn update_unfrozen(&mut self, turn: u64, images: Tensor<4>, y: Option<Tensor<4>>) -> Result<()> {
        let d = &mut self.discriminator;
        let tracked = d.tracked();
        let mut pass = d.training_pass(turn * 2 + 1).given(y);
        let fake = Scores::of(d.net.apply_to_logits(&tracked, images, &mut pass));
        let loss = self.recipe.train.loss.generator(fake, None);
        let value = loss.clone().into_scalar::<f32>();
        d.update(tracked, loss, value).map(drop)
    }

    /// D's scores on real images, as constants.
    fn scores_on(&self, real: RealBatch, turn: u64, part: &Part) -> Tensor<4> {
        let input = self.discriminator_input(real.x, "generator.real", turn, part);
        let mut pass = self.discriminator.training_pass(turn * 2 + 1).within(part.slice.clone()).given(real.y);
        Scores::of(self.discriminator.net.apply_to_logits(&self.discriminator.weights, input, &mut pass))
    }

    /// D's logits of real and generated images, real ones first, and the pass that computed them. The labels are those
    /// of the real images, and those of all images.
    fn batch_logits(
        &self,
        tracked: &Weights,
        [x, fakes]: [&Tensor<4>; 2],
        pass: Pass,
        [labels, both]: [Option<Tensor<4>>; 2],
    ) -> (Tensor<4>, Pass) {
        let net = &self.discriminator.net;
        if self.recipe.train.joint_batch.joins(net) {
            let mut pass = pass.given(both);
            return (net.apply_to_logits(tracked, Tensor::cat(vec![x.clone(), fakes.clone()], 0), &mut pass), pass);
        }
        let mut pass = pass.given(labels);
        let each = [x, fakes].map(|images| net.apply_to_logits(tracked, images.clone(), &mut pass));
        (Tensor::cat(each.to_vec(), 0), pass)
    }

    /// The classification loss of an auxiliary classifier (AC-GAN), times its weight.
    fn label_loss(&self, logits: Tensor<4>, labels: Tensor<4>) -> Tensor<1> {
        let [batch, _, _, outputs] = logits.dims();
        let guesses = logits.slice([0..batch, 0..1, 0..1, 1..outputs]);
        let weight = self.recipe.train.label_weight as f32;
        label_cross_entropy(guesses, labels, self.recipe.labels.kind).mul_scalar(weight)
    }

    /// The sum of the recipe's penalties, if this update applies them.
    fn penalties(
        &self,
        tracked: &Weights,
        turn: u64,
        [x, fakes]: [&Tensor<4>; 2],
        y: Option<Tensor<4>>,
        part: &Part,
    ) -> Option<PenaltyTerm> {
        let train = &self.recipe.train;
        if train.penalties.is_empty() || !turn.is_multiple_of(train.penalty_every) {
            return None;
        }
        let pass = || self.discriminator.training_pass(turn * 2).within(part.slice.clone());
        let (net, constant) = (&self.discriminator.net, &self.discriminator.weights);
        let critic = Critic { net, tracked, constant, labels: y, pass: &pass };
        let each = train.penalties.iter().map(|(penalty, weight)| {
            let draws = Stream::new(train.seed, &part.stream(format!("penalty.{penalty:?}")));
            let points = penalty.points(x, fakes, &draws, turn);
            critic.penalty_term(*penalty, weight * train.penalty_every as f64, points)
        });
        each.reduce(|a, b| PenaltyTerm { value: a.value + b.value, surrogate: a.surrogate.add(b.surrogate) })
    }

    fn clip_weights(&mut self) {
        let limit = self.recipe.train.weight_clip as f32;
        if limit == 0.0 {
            return;
        }
        let trainable: Vec<bool> = self.discriminator.net.trainable().collect();
        for (weight, _) in self.discriminator.weights.tensors_mut().iter_mut().zip(trainable).filter(|(_, t)| *t) {
            *weight = weight.clone().clamp(-limit, limit);
        }
    }

    fn adapt_augmentation(&mut self, accuracy: f64, images: u64) {
        let settings = &self.recipe.train.augment;
        if settings.target > 0.0 {
            let probability = self.progress.augment;
            self.progress.augment = augment::adapted(probability, accuracy, settings.target, images, settings.reach);
        }
    }

    fn step_report(&self, d: DiscriminatorReport, g: &Learned, score_shift: f32) -> StepReport {
        let progress = &self.progress;
        StepReport {
            step: progress.step,
            epoch: progress.step as f64 / self.steps_per_epoch(),
            images: progress.images,
            train_s: progress.train_s,
            d_loss: d.loss,
            g_loss: g.loss,
            penalty: d.penalty,
            d_norm: d.norm as f32,
            g_norm: g.norm as f32,
            d_real: d.real,
            d_fake: d.fake,
            real_score: d.scores[0],
            fake_score: d.scores[1],
            score_spread: Some(d.spread),
            score_shift: Some(score_shift),
            variety: d.variety,
            held_out_score: d.held_out,
        }
    }
}

/// The mean over a step's updates. Variety, held-out score and `last_scores` are those of the last update; the mean penalty
/// is over the updates that apply penalties.
fn mean(updates: &[DiscriminatorReport]) -> DiscriminatorReport {
    let k = updates.len();
    let mut d = DiscriminatorReport::default();
    let mut penalised = 0;
    for update in updates {
        d.loss += update.loss / k as f32;
        d.real += update.real / k as f32;
        d.fake += update.fake / k as f32;
        d.norm += update.norm / k as f64;
        penalised += u32::from(update.penalty.is_some());
        if let Some(penalty) = update.penalty {
            d.penalty = Some(d.penalty.unwrap_or(0.0) + penalty);
        }
        d.scores = [0, 1].map(|of| d.scores[of] + update.scores[of] / k as f32);
        d.spread += update.spread / k as f32;
        d.last_scores = update.scores;
        d.variety = update.variety;
        d.held_out = update.held_out;
    }
    d.penalty = d.penalty.map(|sum| sum / penalised as f32);
    d
}

/// The share of scores above 0, their mean and their variance.
fn summary(scores: &[f32]) -> (f32, f32, f32) {
    let count = scores.len().max(1) as f32;
    let mean = scores.iter().sum::<f32>() / count;
    let variance = scores.iter().map(|score| (score - mean) * (score - mean)).sum::<f32>() / count;
    (scores.iter().filter(|s| **s > 0.0).count() as f32 / count, mean, variance)
}

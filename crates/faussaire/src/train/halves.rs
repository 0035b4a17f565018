//! A step in its two halves, for whoever wants to stop between them and look: first the discriminator learns, then the
//! generator. Both together are [`Gan::step`].

use std::time::Instant;

use super::discriminator_step::DiscriminatorReport;
use super::{Gan, StepReport, variety};
use crate::error::Result;

/// The first half of a step, done: what the discriminator's updates saw. The second half takes it.
#[derive(Clone, Debug)]
pub struct FirstHalf {
    seen: DiscriminatorReport,
    seconds: f64,
}

impl FirstHalf {
    /// The discriminator's loss before its update.
    pub fn loss(&self) -> f32 {
        self.seen.loss
    }

    /// The shares of real and of generated images that it told rightly.
    pub fn told(&self) -> [f32; 2] {
        [self.seen.real, self.seen.fake]
    }
}

impl Gan {
    /// The k updates of the discriminator that begin the next step.
    ///
    /// # Errors
    /// A loss that is no longer finite, or images that can't be read.
    pub fn discriminator_half(&mut self) -> Result<FirstHalf> {
        let began = Instant::now();
        let (step, k) = (self.progress.step, self.recipe.train.n_critic);
        let mut d = DiscriminatorReport::default();
        let mut charged = 0;
        for j in 0..k {
            let measure = j + 1 == k && StepReport::is_logged(step + 1);
            let update = self.discriminator_step(step * k + j, measure)?;
            d.loss += update.loss / k as f32;
            d.real += update.real / k as f32;
            d.fake += update.fake / k as f32;
            d.norm += update.norm / k as f64;
            charged += u32::from(update.penalty.is_some());
            if let Some(penalty) = update.penalty {
                d.penalty = Some(d.penalty.unwrap_or(0.0) + penalty);
            }
            d.scores = [0, 1].map(|of| d.scores[of] + update.scores[of] / k as f32);
            d.variety = update.variety;
            d.held_out = update.held_out;
        }
        // The mean over those updates that paid.
        d.penalty = d.penalty.map(|sum| sum / charged as f32);
        Ok(FirstHalf { seen: d, seconds: began.elapsed().as_secs_f64() })
    }

    /// The generator's update and the average, which end the step that `first` began.
    ///
    /// # Errors
    /// A loss that is no longer finite.
    pub fn generator_half(&mut self, first: FirstHalf) -> Result<StepReport> {
        let began = Instant::now();
        let (FirstHalf { seen: mut d, seconds }, step) = (first, self.progress.step);
        let before = d.variety.is_some().then(|| self.probe());
        let g = self.generator_step(step)?;
        if let (Some(variety), Some(before)) = (&mut d.variety, before) {
            variety.fake_shift = variety::shift(&before, &self.probe());
        }
        self.average.update(&self.generator.net, &self.generator.weights, step + 1);

        let progress = &mut self.progress;
        progress.step += 1;
        progress.images += self.recipe.train.n_critic * self.recipe.train.batch as u64;
        progress.train_s += seconds + began.elapsed().as_secs_f64();
        Ok(StepReport {
            step: progress.step,
            epoch: progress.step as f64 / self.steps_per_epoch(),
            images: self.progress.images,
            train_s: self.progress.train_s,
            d_loss: d.loss,
            g_loss: g.loss,
            penalty: d.penalty,
            d_norm: d.norm as f32,
            g_norm: g.norm as f32,
            d_real: d.real,
            d_fake: d.fake,
            real_score: d.scores[0],
            fake_score: d.scores[1],
            variety: d.variety,
            held_out_score: d.held_out,
        })
    }
}

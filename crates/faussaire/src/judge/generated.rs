//! The images of a run that are judged: drawn from its averaged generator, as a viewer would see them.

use crate::error::Result;
use crate::loss::LabelKind;
use crate::run::Sampler;
use crate::train::Range;

/// They are made in parts of this size.
const PART: usize = 1024;

/// Images with the classes that they were asked to show.
#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    /// `[n, h, w, c]` values in [0, 1], in 256 steps.
    pub images: Vec<f32>,
    /// The class asked for, image by image, where the generator is told classes.
    pub asked: Option<Vec<u32>>,
}

impl Generated {
    /// The first `n` images of `sampler` under `seed`, of one class or, without, of all as often as in the data.
    ///
    /// # Errors
    /// A class that the generator isn't told.
    pub fn draw(sampler: &Sampler, n: usize, seed: u64, class: Option<&str>) -> Result<Self> {
        let (mut images, mut asked) = (Vec::new(), Vec::new());
        for first in (0..n).step_by(PART) {
            let part = PART.min(n - first);
            let labels = match class {
                Some(class) => vec![sampler.label_row(class)?; part],
                None => sampler.labels_at_large(seed, first as u64, part),
            };
            let noise = sampler.noise(seed, first as u64, part);
            images.extend(sampler.images(&noise, &labels)?);
            asked.extend(labels.iter().filter_map(|row| row.iter().position(|v| *v == 1.0)).map(|class| class as u32));
        }
        let range = if sampler.bounds().0 < 0.0 { Range::Signed } else { Range::Unit };
        range.to_unit(&mut images);
        if sampler.shape().height >= 4 {
            images.iter_mut().for_each(|v| *v = (v.clamp(0.0, 1.0) * 255.0).round() / 255.0);
        }
        let labels = sampler.labels();
        let asked = (!labels.names.is_empty() && labels.kind == LabelKind::Classes).then_some(asked);
        Ok(Self { images, asked })
    }
}

//! The images of a run that are judged: drawn from its averaged generator, as a viewer would see them.

use super::Sampler;
use crate::PixelRange;
use crate::data::LabelKind;
use crate::error::Result;
use crate::metrics::GeneratedSet;

/// They are drawn in parts of this size.
const PART: usize = 1024;

impl Sampler {
    /// Its first `n` images under `seed`, of one class or, without, of all as often as in the data; values in [0, 1], in
    /// 256 steps.
    ///
    /// # Errors
    /// A class that the generator isn't told.
    pub fn generated(&self, n: usize, seed: u64, class: Option<&str>) -> Result<GeneratedSet> {
        let (mut images, mut asked) = (Vec::new(), Vec::new());
        for first in (0..n).step_by(PART) {
            let part = PART.min(n - first);
            let labels = match class {
                Some(class) => vec![self.encode_label(class)?; part],
                None => self.sample_labels(seed, first as u64, part),
            };
            let noise = self.noise(seed, first as u64, part);
            images.extend(self.images(&noise, &labels)?);
            asked.extend(labels.iter().filter_map(|row| row.iter().position(|v| *v == 1.0)).map(|class| class as u32));
        }
        let range = if self.bounds().0 < 0.0 { PixelRange::Signed } else { PixelRange::Unit };
        range.to_unit(&mut images);
        if self.shape().height >= 4 {
            images.iter_mut().for_each(|v| *v = (v.clamp(0.0, 1.0) * 255.0).round() / 255.0);
        }
        let labels = self.labels();
        let asked = (!labels.names.is_empty() && labels.kind == LabelKind::Classes).then_some(asked);
        Ok(GeneratedSet { images, asked })
    }
}

//! Series of images under a seed: as pictures, and as values to be judged.

use std::ops::Range;

use super::Sampler;
use crate::data::{LabelKind, alpha};
use crate::error::Result;
use crate::metrics::GeneratedSet;
use crate::metrics::parts::BLOCK;
use crate::render::Images;
use crate::train::INFERENCE_BATCH;

/// They are drawn in parts of this size.
const PART: usize = 1024;
const _: () = assert!(PART.is_multiple_of(INFERENCE_BATCH) && BLOCK.is_multiple_of(INFERENCE_BATCH));

/// The label rows of a series of images.
#[derive(Clone, Debug)]
pub(crate) enum LabelRows {
    /// This row for all.
    One(Vec<f32>),
    /// These, `[n, labels]`.
    Each(Vec<f32>),
    /// As frequent as in the training data; none for a generator that takes no labels.
    Drawn,
}

impl Sampler {
    /// Images number 0 to `n` under `seed`, as bytes; of all classes as often as in the training data. They are those of
    /// the command `sample`.
    ///
    /// # Errors
    /// A generator of points, or of images with other than 1, 3 or 4 channels: they have [`Self::values`] only. `n` of 0.
    pub fn draw(&self, n: usize, seed: u64) -> Result<Images> {
        Images::from_values(&self.series(0..n, seed, &LabelRows::Drawn)?, self.shape(), self.bounds())
    }

    /// As [`Self::draw`], of the class (or with the attributes) called `class`.
    ///
    /// # Errors
    /// As [`Self::draw`] and [`Self::encode_label`].
    pub fn draw_class(&self, class: &str, n: usize, seed: u64) -> Result<Images> {
        Images::from_values(&self.series(0..n, seed, &self.rows_of(Some(class))?)?, self.shape(), self.bounds())
    }

    /// Its first `n` images under `seed`, of one class or, without, of all as often as in the data; values in [0, 1], in
    /// 256 steps.
    ///
    /// # Errors
    /// An unknown class.
    pub fn generated(&self, n: usize, seed: u64, class: Option<&str>) -> Result<GeneratedSet> {
        self.generated_part(0..n, seed, &self.rows_of(class)?)
    }

    /// Its images number `part` under `seed`, as those of a series that is asked for `labels`; values in [0, 1], in 256 steps.
    ///
    /// # Errors
    /// Rows of another length.
    pub(crate) fn generated_part(&self, part: Range<usize>, seed: u64, labels: &LabelRows) -> Result<GeneratedSet> {
        let asked = self.asked(part.clone(), seed, labels);
        let mut images = self.series(part, seed, labels)?;
        self.range().to_unit(&mut images);
        if self.shape().height >= 4 {
            images.iter_mut().for_each(|v| *v = (v.clamp(0.0, 1.0) * 255.0).round() / 255.0);
            if self.shape().channels == 4 {
                alpha::clear(&mut images);
            }
        }
        Ok(GeneratedSet { images, asked })
    }

    /// The class that each of these images is asked to show; none for a generator that takes no classes.
    pub(crate) fn asked(&self, part: Range<usize>, seed: u64, labels: &LabelRows) -> Option<Vec<u32>> {
        let (known, width) = (self.labels(), self.labels().names.len());
        if width == 0 || known.kind != LabelKind::Classes {
            return None;
        }
        let mut asked = Vec::new();
        for part in parts(part) {
            let rows = self.label_rows(part, seed, labels);
            let classes = rows.chunks(width).filter_map(|row| row.iter().position(|v| *v == 1.0));
            asked.extend(classes.map(|class| class as u32));
        }
        Some(asked)
    }

    /// The label rows of these images, `[part, labels]`.
    pub(crate) fn label_rows(&self, part: Range<usize>, seed: u64, labels: &LabelRows) -> Vec<f32> {
        let width = self.labels().names.len();
        match labels {
            LabelRows::One(row) => row.repeat(part.len()),
            LabelRows::Each(rows) => {
                rows.get(part.start * width..part.end * width).map_or_else(Vec::new, <[f32]>::to_vec)
            }
            LabelRows::Drawn => self.sample_labels(seed, part.start as u64, part.len()),
        }
    }

    /// The row of `class` for all images of a series; without, rows as frequent as in the data.
    ///
    /// # Errors
    /// An unknown class.
    pub(crate) fn rows_of(&self, class: Option<&str>) -> Result<LabelRows> {
        Ok(class.map(|class| self.encode_label(class)).transpose()?.map_or(LabelRows::Drawn, LabelRows::One))
    }

    /// Values of images number `part` under `seed`.
    fn series(&self, part: Range<usize>, seed: u64, labels: &LabelRows) -> Result<Vec<f32>> {
        let mut images = Vec::new();
        for part in parts(part) {
            let z = self.noise(seed, part.start as u64, part.len());
            images.extend(self.values(&z, Some(&self.label_rows(part, seed, labels)))?);
        }
        Ok(images)
    }
}

/// `range` in parts.
fn parts(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    range.clone().step_by(PART).map(move |first| first..(first + PART).min(range.end))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::{Dataset, ImageShape, InMemory, LabelSettings};
    use crate::recipe::Conditional;
    use crate::{Device, Gan, Recipe};

    #[test]
    fn a_part_of_a_series_is_made_alone() {
        let shape = ImageShape { height: 8, width: 8, channels: 1 };
        let bytes = (0..32 * 64).map(|at| (at % 251) as u8).collect();
        let images = InMemory::from_bytes("images", shape, bytes).unwrap();
        let images = images.with_labels((0..32).map(|i| i % 3).collect(), ["a", "b", "c"].map(String::from).to_vec());
        let images: Arc<dyn Dataset> = Arc::new(images.unwrap());
        let recipe = Recipe::new(4, ["dense 8*8*1", "reshape 8 8 1", "sigmoid"], ["flatten", "dense 1"]).batch(8);
        let labels = LabelSettings::of(images.as_ref()).unwrap();
        let recipe = recipe.conditioned(labels, Conditional::Concat).unwrap();
        let sampler = Sampler::of(&Gan::new(recipe, images, &Device::cpu()).unwrap()).unwrap();
        let n = 2 * BLOCK + 44;
        let rows = sampler.sample_labels(9, 0, n);
        for labels in [sampler.rows_of(None).unwrap(), sampler.rows_of(Some("b")).unwrap(), LabelRows::Each(rows)] {
            let all = sampler.generated_part(0..n, 5, &labels).unwrap();
            let one = sampler.generated_part(0..BLOCK, 5, &labels).unwrap();
            let rest = sampler.generated_part(BLOCK..n, 5, &labels).unwrap();
            assert_eq!([one.images, rest.images].concat(), all.images);
            assert_eq!([one.asked.unwrap(), rest.asked.unwrap()].concat(), all.asked.unwrap());
        }
    }
}

//! The images that are judged: sampled from a run, or opened and converted to the shape of the real ones. They are made or read
//! when they are needed, all of them or some.

use std::ops::Range;

use super::{Options, Progress, Reference};
use crate::Device;
use crate::data::labels::Conditions;
use crate::data::{self, Dataset, Digest, LabelKind, LabelSettings, OpenOptions, fill};
use crate::error::{Error, Result};
use crate::metrics::GeneratedSet;
use crate::net::summary::grouped;
use crate::ops::host;
use crate::random::Stream;
use crate::run::{LabelRows, Run, Sampler};

/// Images to judge, with the classes that were asked for.
pub(super) struct Samples {
    origin: Origin,
    /// How many there are.
    pub count: usize,
    /// Their description.
    pub of: String,
    /// How they were changed to be compared, if they were.
    pub converted: Option<String>,
}

enum Origin {
    Run { sampler: Box<Sampler>, labels: LabelRows, seed: u64 },
    Images { set: Box<dyn Dataset>, chosen: Vec<usize> },
}

impl Samples {
    /// Values of images number `part`, in [0, 1].
    ///
    /// # Errors
    /// An image that can't be read.
    pub fn values(&self, part: Range<usize>) -> Result<Vec<f32>> {
        match &self.origin {
            Origin::Run { sampler, labels, seed } => Ok(sampler.generated_part(part, *seed, labels)?.images),
            Origin::Images { set, chosen } => {
                let mut images = Vec::new();
                fill(set.as_ref(), &chosen[part], &mut images)?;
                Ok(images)
            }
        }
    }

    /// The class that each image was conditioned on, for a conditional generator.
    pub fn asked(&self) -> Option<Vec<u32>> {
        match &self.origin {
            Origin::Run { sampler, labels, seed } => sampler.asked(0..self.count, *seed, labels),
            Origin::Images { .. } => None,
        }
    }

    /// What they are, so that parts of other images can be told from parts of these.
    pub fn about(&self) -> Vec<(String, String)> {
        let short = |digest: String| digest.chars().take(16).collect::<String>();
        let (name, value) = match &self.origin {
            Origin::Run { sampler, labels, seed } => {
                let mut digest = Digest::new();
                digest.update(sampler.network().summary().as_bytes());
                let mut add = |values: &[f32]| digest.update_values(values);
                sampler.weights().tensors().iter().for_each(|weights| add(&host(weights)));
                (0..self.count).for_each(|image| add(&sampler.label_rows(image..image + 1, *seed, labels)));
                ("checkpoint", format!("step {} ({})", grouped(sampler.step), short(digest.finish())))
            }
            Origin::Images { set, .. } => ("judged images", format!("{} ({})", set.len(), short(set.fingerprint()))),
        };
        vec![(name.to_owned(), value)]
    }
}

/// Images of the checkpoint of `run` that `options` name.
pub(super) fn of_run(run: &Run, reference: &Reference, options: &Options, device: &Device) -> Result<Samples> {
    let sampler = Sampler::open(run, &options.checkpoint, device)?;
    let (shape, real) = (sampler.shape(), reference.real.as_ref());
    if shape.height < 4 {
        return Err(Error::usage(
            "2-D points can't be judged as images",
            "see the run's sheets; its scores are in events.jsonl",
        ));
    }
    if real.shape() != shape {
        return Err(Error::usage(
            format!("the run generates images of {shape}, but {} has images of {}", real.name(), real.shape()),
            "judge against a data set of that size",
        ));
    }
    let labels = match &options.class {
        Some(class) => sampler.rows_of(Some(class))?,
        None => reference.rows_for(&sampler, options.n, options.seed),
    };
    let of = format!("{} (step {})", options.of, grouped(sampler.step));
    let origin = Origin::Run { sampler: Box::new(sampler), labels, seed: options.seed };
    Ok(Samples { origin, count: options.n, of, converted: None })
}

impl Reference {
    /// Images number 0 to `n` of `sampler` under `seed`, to be compared with the real images: a conditional generator is
    /// asked for the labels of these, as frequent as they are there, whatever their shares in its training images were.
    ///
    /// # Errors
    /// None for a generator of images.
    pub fn generated(&self, sampler: &Sampler, n: usize, seed: u64) -> Result<GeneratedSet> {
        sampler.generated_part(0..n, seed, &self.rows_for(sampler, n, seed))
    }

    /// The label rows that `sampler` is asked for.
    fn rows_for(&self, sampler: &Sampler, n: usize, seed: u64) -> LabelRows {
        self.label_rows(sampler.labels(), n, seed).map_or(LabelRows::Drawn, LabelRows::Each)
    }

    /// The labels of `n` real images in random order, again from the start where there are fewer; `None` without labels,
    /// or where the real images have others.
    fn label_rows(&self, labels: &LabelSettings, n: usize, seed: u64) -> Option<Vec<f32>> {
        let real = self.real.as_ref();
        let known = if labels.kind == LabelKind::Classes { real.classes() } else { real.attributes() };
        if labels.names.is_empty() || labels.names.iter().any(|name| !known.contains(name)) {
            return None;
        }
        let conditions = Conditions::new(labels, real).ok()?;
        let has_label = |index: &usize| match labels.kind {
            LabelKind::Classes => real.label(*index).is_some(),
            LabelKind::Attributes => real.has_attribute(*index, 0).is_some(),
        };
        let mut order = Stream::new(seed, "judge.labels").permutation(0, real.len());
        order.retain(has_label);
        let chosen: Vec<usize> = order.iter().cycle().take(n).copied().collect();
        (chosen.len() == n).then(|| conditions.rows(real, &chosen))
    }
}

/// Any images, converted to the shape of the real ones.
pub(super) fn of_images(options: &Options, real: &dyn Dataset, progress: &mut dyn FnMut(Progress)) -> Result<Samples> {
    let shape = real.shape();
    let open = OpenOptions::default()
        .size((shape.height, shape.width))
        .channels(shape.channels)
        .data_dir(options.data_dir.clone());
    let set = data::open(&options.of, &open, &mut |fetched| progress(Progress::Fetching(fetched)))?;
    // Files are often sorted by class, so that the first ones would not be representative.
    let mut chosen = Stream::new(options.seed, "judge.images").choice(0, set.len(), options.n);
    chosen.sort_unstable();
    // Of files, as they are; of arrays, before they are resized.
    let found = set.sample().shape.or(set.inner().map(Dataset::shape)).filter(|found| *found != shape);
    let converted = found.map(|found| {
        format!(
            "{} has images of {found}, which were brought to the {shape} of the real ones: part of their distance may be due \
             to that",
            options.of
        )
    });
    let count = chosen.len();
    Ok(Samples { origin: Origin::Images { set, chosen }, count, of: options.of.clone(), converted })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::{ImageShape, InMemory};

    #[test]
    fn labels_are_as_frequent_as_among_the_real_images() {
        let shape = ImageShape { height: 4, width: 4, channels: 1 };
        let names = || ["a", "b", "c"].map(String::from).to_vec();
        let set = |labels: Vec<u32>| -> Arc<dyn Dataset> {
            let images = InMemory::from_bytes("x", shape, vec![0; labels.len() * 16]).unwrap();
            Arc::new(images.with_labels(labels, names()).unwrap())
        };
        // The generator learned from equal classes; the test images are nine to one, without the third class.
        let train = set((0..30).map(|i| i % 3).collect());
        let test = set((0..50).map(|i| u32::from(i % 10 == 0)).collect());
        let learned = LabelSettings::of(train.as_ref()).unwrap();
        let reference = Reference::new(train, Some(test));
        let shares = |n: usize| {
            let rows = reference.label_rows(&learned, n, 0).unwrap();
            assert_eq!(rows.len(), 3 * n);
            let of = |label: usize| rows.chunks(3).filter(|row| row[label] == 1.0).count();
            [of(0), of(1), of(2)]
        };
        assert_eq!((shares(50), shares(100)), ([45, 5, 0], [90, 10, 0]));
        assert_ne!(reference.label_rows(&learned, 50, 0), reference.label_rows(&learned, 50, 1));
        let other = LabelSettings::classes(["a", "z"]);
        assert_eq!(reference.label_rows(&other, 5, 0), None);
        assert_eq!(reference.label_rows(&LabelSettings::default(), 5, 0), None);
    }
}

//! The images that are judged: sampled from a run, or opened and converted to the shape of the real ones.

use super::{Options, Progress, Reference};
use crate::Device;
use crate::data::{self, Dataset, OpenOptions, fill};
use crate::error::{Error, Result};
use crate::metrics::GeneratedSet;
use crate::net::summary::grouped;
use crate::random::Stream;
use crate::run::{Run, Sampler};

/// GeneratedSet images with their requested classes.
pub(super) struct Samples {
    pub generated: GeneratedSet,
    /// Their description.
    pub of: String,
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
    let generated = sampler.generated(options.n, options.seed, options.class.as_deref())?;
    Ok(Samples { generated, of: format!("{} (step {})", options.of, grouped(sampler.step)) })
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
    let mut images = Vec::new();
    fill(set.as_ref(), &chosen, &mut images)?;
    Ok(Samples { generated: GeneratedSet { images, asked: None }, of: options.of.clone() })
}

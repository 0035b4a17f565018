//! Are generated images copies of images that were learned from? Each is compared, in the judge's features, with all of
//! them; suspiciously near is what comes as near as only one real image in a hundred does that was not learned from.
//! Features rather than pixels, because a copy that is shifted or a little lighter is still a copy, and because a blurred
//! image lies near many others in pixels without being one; the sheet says for each pair by how much the pixels differ, too.

mod page;

use serde::Serialize;

use super::extractor::Extractor;
use super::kept::{self, floats};
use super::neighbours::{Calibration, Neighbours};
use super::real_side::{Choice, RealSide};
use super::{Bootstrap, Features, Metric, Score, Setting};
use crate::data::Dataset;
use crate::error::Result;

/// Neighbours that are shown.
const NEIGHBOURS: usize = 3;

/// The share of unseen real images that counts as suspiciously near.
const SHARE: f64 = 0.01;

/// Changes whenever the same images give other features.
const VERSION: u32 = 1;

/// Fewer images are looked at again in the time that a file takes.
const WORTH_KEEPING: usize = 1000;

/// What a generator learned from.
#[derive(Clone, Copy, Debug)]
pub struct Learned<'a> {
    /// The images that it learned from.
    pub train: &'a dyn Dataset,
    /// Real images that it can't have seen. Without any, each image learned from is compared with all others instead.
    pub held_out: Option<&'a dyn Dataset>,
}

/// How near generated images come to those that were learned from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Copies {
    /// The share that is suspiciously near.
    pub share: f64,
    /// Its interval's lower end.
    pub low: f64,
    /// Its interval's upper end.
    pub high: f64,
    /// The share of unseen real images that is as near: what a generator that copies nothing is expected to have.
    pub expected: f64,
    /// The distance in features up to which an image is suspiciously near.
    pub threshold: f64,
    /// The data-copying test over all distances (Meehan et al. 2020), in standard deviations: below -3 the images as a whole
    /// lie nearer than unseen ones.
    pub z: f64,
    /// The rule in words.
    pub rule: String,
}

/// The finding, with each image's nearest neighbours.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The finding.
    pub copies: Copies,
    /// The same as a score, with its name, interval and floor.
    pub score: Score,
    neighbours: Neighbours,
    unseen: Vec<f32>,
}

impl Sheet {
    /// Looks for the images nearest to each of `images`, `[n, h, w, c]` values in [0, 1]. Features of the images that were
    /// learned from take their time and are kept; `watch` is told the share done.
    ///
    /// # Errors
    /// Too few images, or one that can't be read.
    pub fn new(
        extractor: &Extractor,
        learned: Learned,
        images: &[f32],
        seed: u64,
        watch: &mut dyn FnMut(f64),
    ) -> Result<Self> {
        let generated = extractor.look(images)?.features;
        let training = features(extractor, learned.train, watch)?;
        let k = NEIGHBOURS.min(training.rows());
        let samples = generated.rows();
        let (unseen, rule) = unseen(extractor, learned, &training, samples, seed)?;
        let share = SHARE.max(1.0 / unseen.len() as f64);
        let calibration = Calibration::of(unseen, share)?;
        let neighbours = Neighbours::new(&generated, &training, k)?;
        let found = calibration.judge(&neighbours, &Bootstrap { seed, ..Bootstrap::default() });
        let setting = Setting::of(extractor, learned.train, samples, "train");
        let score = Score::new(Metric::Memorised, &setting, found.share)?.with_floor(Some(calibration.expected));
        let copies = Copies {
            share: found.share.value,
            low: found.share.low,
            high: found.share.high,
            expected: calibration.expected,
            threshold: f64::from(calibration.threshold),
            z: found.z,
            rule: format!(
                "suspiciously near: no farther from an image learned from than the nearest {} % of {rule}, by Euclidean \
                 distance in the features of {}",
                (1e4 * share).round() / 100.0,
                setting.extractor
            ),
        };
        Ok(Self { copies, score, neighbours, unseen: calibration.held_out().to_vec() })
    }

    /// The sheet as one page: each of the nearest `images` beside its nearest ones in `train`, the set given to
    /// [`new`](Self::new). `of` says whose images they are.
    ///
    /// # Errors
    /// An image that can't be read.
    pub fn page(&self, of: &str, train: &dyn Dataset, images: &[f32]) -> Result<String> {
        page::page(self, of, train, images)
    }
}

/// The features of all images of `train`: those kept from before, or new ones, which are then kept.
fn features(extractor: &Extractor, train: &dyn Dataset, watch: &mut dyn FnMut(f64)) -> Result<Features> {
    let length = train.len();
    let key = [&extractor.digest(), &train.fingerprint(), &train.name(), &format!("{VERSION} {length}")];
    let place = if length < WORTH_KEEPING { None } else { kept::place("learned", &key.map(String::as_str)) };
    if let Some(((rows, dims), bytes)) = place.as_deref().and_then(kept::load::<(usize, usize)>)
        && rows == length
        && let Ok(features) = Features::new(floats(&bytes), rows, dims)
    {
        return Ok(features);
    }
    let features = extractor.look_at(train, &(0..length).collect::<Vec<_>>(), watch)?;
    if let Some(place) = place {
        let bytes: Vec<u8> = features.values().iter().flat_map(|v| v.to_le_bytes()).collect();
        // Numbers that can't be kept are still numbers.
        let _ = kept::save(&place, &(features.rows(), features.dims()), &bytes);
    }
    Ok(features)
}

/// How near real images come that were not learned from, and which ones these are, in words.
fn unseen(
    extractor: &Extractor,
    learned: Learned,
    training: &Features,
    samples: usize,
    seed: u64,
) -> Result<(Vec<f32>, String)> {
    if let Some(set) = learned.held_out {
        let held_out = RealSide::open(extractor, Choice { set, samples, seed })?.features;
        let rule = format!("{} real images that were held back", held_out.rows());
        return Ok((Neighbours::new(&held_out, training, 1)?.nearest(), rule));
    }
    let chosen = Choice { set: learned.train, samples, seed }.indices();
    let rule = format!("{} images learned from, each against all others, as none were held back", chosen.len());
    // The nearest one is the image itself, or a second copy of it at the same distance.
    let nearest = Neighbours::new(&training.select(&chosen)?, training, 2)?;
    Ok(((0..chosen.len()).map(|row| nearest.distances(row)[1] as f32).collect(), rule))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::{First, Strokes, fill};
    use burn::tensor::Device;

    fn values(set: &dyn Dataset, range: std::ops::Range<usize>) -> Vec<f32> {
        let mut values = Vec::new();
        fill(set, &range.collect::<Vec<_>>(), &mut values).unwrap();
        values
    }

    #[test]
    fn copies_are_found_and_new_images_are_not() {
        let (train, held_out, new) = (Strokes::new(1, 600), Strokes::new(2, 200), Strokes::new(3, 200));
        let extractor = Extractor::random(&train, &Device::flex()).unwrap();
        for unseen in [Some(&held_out as &dyn Dataset), None] {
            let learned = Learned { train: &train, held_out: unseen };
            let sheet = |images: &[f32]| Sheet::new(&extractor, learned, images, 0, &mut |_| ()).unwrap();
            let honest = sheet(&values(&new, 0..200));
            assert!(honest.copies.share < 0.05 && honest.copies.z.abs() < 4.0, "{:?}", honest.copies);
            // Sixty images learned from among two hundred.
            let mut mixed = values(&new, 0..140);
            mixed.extend(values(&train, 100..160));
            let copier = sheet(&mixed);
            let found = &copier.copies;
            assert!((found.share - 0.3).abs() < 0.05 && found.low > found.expected + 0.1, "{found:?}");
            assert_eq!(copier.score.floor, Some(found.expected));
            assert_eq!(copier.score.name, "memorised-200-random-convnet-train");
            for copy in 0..60 {
                let near = (copier.neighbours.indices(140 + copy)[0], copier.neighbours.distances(140 + copy)[0]);
                assert_eq!(near, (100 + copy as u32, 0.0));
            }
            let page = copier.page("a <run>", &train, &mixed).unwrap();
            assert_eq!(page.matches("learned from, number 100<").count(), 1);
            assert!(page.contains("a &lt;run&gt;") && page.contains("pixels equal") && !page.contains("NaN"));
            assert_eq!(page.matches("suspiciously near</").count(), (200.0 * found.share).round() as usize);
        }
    }

    #[test]
    fn a_few_images_are_enough() {
        let train = First::of(Box::new(Strokes::new(1, 600)), 60);
        let extractor = Extractor::random(train.as_ref(), &Device::flex()).unwrap();
        let learned = Learned { train: train.as_ref(), held_out: None };
        let sheet = Sheet::new(&extractor, learned, &values(&Strokes::new(3, 50), 0..50), 0, &mut |_| ()).unwrap();
        assert!(sheet.copies.rule.contains("nearest 2 % of 50 images learned from"), "{}", sheet.copies.rule);
    }
}

//! A judgement in parts: several processes extract the features of some of the images each, into files of one folder, and one
//! process judges them all, to the bits of a judgement by one process. What is missing it extracts itself.
//!
//! Parts begin at multiples of [`BLOCK`] images, so that samplers and extractors compute the same batches in every part: the sums of
//! a kernel may depend on how many images it is given.

mod file;

use std::ops::Range;
use std::path::PathBuf;

use faussaire_data::error::{Error, Result};
use faussaire_data::{Dataset, fill};
use faussaire_kernels::isa::isa;
use file::{PROCESSOR, Side};

use crate::Features;
pub use crate::features::BLOCK;
use crate::features::extractor::{ClassPredictions, Extracted, Extractor};
use crate::judgement::{Asked, Judgement, checked_count, judged};
use crate::reference::ReferenceStats;
use crate::selection::Selection;

/// Images in memory at a time.
const AT_ONCE: usize = 8 * BLOCK;

/// Generated images as [`Samples`](crate::Samples), made or read in blocks when they are needed.
#[derive(Clone, Copy)]
pub struct Series<'a> {
    /// Number of images.
    pub count: usize,
    /// The values of images number `range`: `[n, h, w, c]` in [0, 1].
    pub read: &'a dyn Fn(Range<usize>) -> Result<Vec<f32>>,
    /// The class that each image was conditioned on, for a conditional generator.
    pub asked: Option<&'a [u32]>,
    /// The name of the class or attribute that all images were conditioned on.
    pub only: Option<&'a str>,
}

/// A folder with the parts of one judgement.
#[derive(Clone, Debug)]
pub struct Parts {
    folder: PathBuf,
    about: Vec<(String, String)>,
}

/// Where the features of a judgement in parts came from, those of real images included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Number of images whose features were read from files.
    pub read: usize,
    /// Number of images that were in no file: their features were extracted.
    pub extracted: usize,
    /// Files that can't be read or are damaged.
    pub damaged: Vec<PathBuf>,
}

impl Parts {
    /// Files in `folder`. `about` has names and values of what generated images depend on besides their number and the seed: parts
    /// of another judgement are refused by them.
    pub fn new(folder: impl Into<PathBuf>, about: Vec<(String, String)>) -> Self {
        Self { folder: folder.into(), about }
    }

    /// Extracts the features of one part, of generated and of real images, and writes them unless they are there already. Of a number
    /// of blocks, `part` gives those of this part. Features of real images that are cached are not extracted. Returns the number of
    /// generated and of real images in the part.
    ///
    /// # Errors
    /// As [`judge`](crate::judge); a folder that can't be written, or that has this part of another judgement.
    pub fn write(
        &self,
        extractor: &Extractor,
        real: &dyn Dataset,
        series: Series,
        seed: u64,
        part: impl Fn(usize) -> Range<usize>,
    ) -> Result<[usize; 2]> {
        let selection = selection(extractor, real, series, seed)?;
        let facts = self.facts(extractor, selection);
        std::fs::create_dir_all(&self.folder).map_err(Error::io("create the folder", &self.folder))?;
        let rows = |count: usize| {
            let blocks = part(count.div_ceil(BLOCK));
            (blocks.start * BLOCK).min(count)..(blocks.end * BLOCK).min(count)
        };
        let generated = rows(series.count);
        self.write_rows(extractor, Side::Generated, generated.clone(), &facts, series.read)?;
        if ReferenceStats::is_cached(extractor, selection) {
            return Ok([generated.len(), 0]);
        }
        let chosen = selection.indices();
        let own = rows(chosen.len());
        self.write_rows(extractor, Side::Real, own.clone(), &facts, &|rows| at(real, &chosen[rows]))?;
        Ok([generated.len(), own.len()])
    }

    /// Judges all images of `series` against as many of `real`, as [`judge`](crate::judge) does.
    ///
    /// # Errors
    /// As [`judge`](crate::judge); a part of another judgement.
    pub fn judge(
        &self,
        extractor: &Extractor,
        real: &dyn Dataset,
        split: &str,
        series: Series,
        seed: u64,
    ) -> Result<(Judgement, Gathered)> {
        let selection = selection(extractor, real, series, seed)?;
        let facts = self.facts(extractor, selection);
        if !self.folder.is_dir() {
            return Err(Error::usage(
                format!("there are no parts of a judgement: {} is no folder", self.folder.display()),
                "name the folder in which the parts were written (`judging::Options::parts`)",
            ));
        }
        let mut gathered = Gathered::default();
        let reference = ReferenceStats::open(extractor, selection, &mut |chosen| {
            let read = |rows: Range<usize>| at(real, &chosen[rows]);
            self.gather(extractor, (Side::Real, chosen.len()), &facts, &read, &mut gathered)
        })?;
        let side = (Side::Generated, series.count);
        let extracted = self.gather(extractor, side, &facts, series.read, &mut gathered)?;
        let asked = Asked { classes: series.asked, only: series.only };
        Ok((judged(extractor, selection, split, asked, &reference, &extracted)?, gathered))
    }

    /// What the features depend on, by name.
    fn facts(&self, extractor: &Extractor, selection: Selection) -> Vec<(String, String)> {
        let short = |digest: String| digest.chars().take(16).collect::<String>();
        let Selection { set, samples, seed } = selection;
        let features = extractor.name("").trim_start_matches('-').to_owned();
        let ours = [
            ("program", env!("CARGO_PKG_VERSION").to_owned()),
            (PROCESSOR, isa().name().to_owned()),
            ("images", samples.to_string()),
            ("seed", seed.to_string()),
            ("real images", format!("{} ({})", set.len(), short(set.fingerprint()))),
            ("features", format!("{features} ({})", short(extractor.digest()))),
        ];
        let ours = ours.into_iter().map(|(name, value)| (name.to_owned(), value));
        self.about.iter().cloned().chain(ours).collect()
    }

    fn path(&self, side: Side, rows: &Range<usize>) -> PathBuf {
        self.folder.join(side.file_name(rows))
    }

    fn write_rows(
        &self,
        extractor: &Extractor,
        side: Side,
        rows: Range<usize>,
        facts: &[(String, String)],
        read: &dyn Fn(Range<usize>) -> Result<Vec<f32>>,
    ) -> Result<()> {
        let path = self.path(side, &rows);
        if rows.is_empty() || (path.exists() && file::load(&path, (side, &rows), facts, extractor)?.is_some()) {
            return Ok(());
        }
        file::save(&path, (side, &rows), facts, &extracted(extractor, rows.clone(), read)?)
    }

    /// The features of `count` images of a side: from files, and where there is none, extracted.
    fn gather(
        &self,
        extractor: &Extractor,
        (side, count): (Side, usize),
        facts: &[(String, String)],
        read: &dyn Fn(Range<usize>) -> Result<Vec<f32>>,
        gathered: &mut Gathered,
    ) -> Result<Extracted> {
        let mut files = self.files(side)?;
        let (mut pieces, mut start) = (Vec::new(), 0);
        while start < count {
            let here =
                files.iter().enumerate().filter(|(_, rows)| rows.contains(&start)).max_by_key(|(_, rows)| rows.end);
            let Some((index, rows)) = here.map(|(index, rows)| (index, rows.clone())) else {
                let next = files.iter().map(|rows| rows.start).filter(|next| *next > start).min();
                let missing = start..next.unwrap_or(count).min(count);
                gathered.extracted += missing.len();
                start = missing.end;
                pieces.push(extracted(extractor, missing, read)?);
                continue;
            };
            let path = self.path(side, &rows);
            if rows.end > count {
                return Err(file::of_another(&path, "images", &format!("at least {} there, {count} here", rows.end)));
            }
            match file::load(&path, (side, &rows), facts, extractor)? {
                Some(part) => {
                    gathered.read += rows.end - start;
                    pieces.push(part.skip(start - rows.start)?);
                    start = rows.end;
                }
                None => {
                    gathered.damaged.push(path);
                    files.swap_remove(index);
                }
            }
        }
        Extracted::concat(pieces)
    }

    /// The rows of the files of a side, as they are named.
    fn files(&self, side: Side) -> Result<Vec<Range<usize>>> {
        let failed = |error| Error::io("read the folder", &self.folder)(error);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            files.extend(name.to_str().and_then(|name| side.rows(name)));
        }
        files.sort_by_key(|rows| (rows.start, rows.end));
        Ok(files)
    }
}

impl Extracted {
    /// All but the first `rows` images.
    fn skip(self, rows: usize) -> Result<Self> {
        if rows == 0 {
            return Ok(self);
        }
        let kept: Vec<usize> = (rows..self.features.rows()).collect();
        let predictions = self.predictions.map(|ClassPredictions { classes, probabilities }| {
            let width = probabilities.as_ref().map_or(0, |all| all.len() / classes.len().max(1));
            let probabilities = probabilities.map(|all| all[rows * width..].to_vec());
            ClassPredictions { classes: classes[rows..].to_vec(), probabilities }
        });
        Ok(Self { features: self.features.select(&kept)?, predictions })
    }

    /// All images of `pieces`, which one extractor gave.
    fn concat(pieces: Vec<Self>) -> Result<Self> {
        let dims = pieces.first().map_or(0, |piece| piece.features.dims());
        let (mut values, mut rows, mut classes, mut probabilities) = (Vec::new(), 0, Vec::new(), Vec::new());
        let (mut has_predictions, mut has_probabilities) = (false, false);
        for Self { features, predictions } in pieces {
            rows += features.rows();
            values.extend_from_slice(features.values());
            if let Some(predictions) = predictions {
                has_predictions = true;
                classes.extend(predictions.classes);
                has_probabilities |= predictions.probabilities.is_some();
                probabilities.extend(predictions.probabilities.into_iter().flatten());
            }
        }
        let probabilities = has_probabilities.then_some(probabilities);
        let predictions = has_predictions.then_some(ClassPredictions { classes, probabilities });
        Ok(Self { features: Features::new(values, rows, dims)?, predictions })
    }
}

fn selection<'a>(extractor: &Extractor, real: &'a dyn Dataset, series: Series, seed: u64) -> Result<Selection<'a>> {
    let values = series.count.saturating_mul(real.shape().len());
    Ok(Selection { set: real, samples: checked_count(extractor, real, values)?, seed })
}

/// The values of the images of `set` at `indices`.
fn at(set: &dyn Dataset, indices: &[usize]) -> Result<Vec<f32>> {
    let mut values = Vec::new();
    fill(set, indices, &mut values)?;
    Ok(values)
}

/// The features of images number `rows`.
fn extracted(
    extractor: &Extractor,
    rows: Range<usize>,
    read: &dyn Fn(Range<usize>) -> Result<Vec<f32>>,
) -> Result<Extracted> {
    let mut pieces = Vec::new();
    for start in rows.clone().step_by(AT_ONCE) {
        let block = start..(start + AT_ONCE).min(rows.end);
        let piece = extractor.extract(&read(block.clone())?)?;
        if piece.features.rows() != block.len() {
            return Err(Error::usage(
                format!("{} images were given for images {} to {}", piece.features.rows(), block.start, block.end),
                "report this",
            ));
        }
        pieces.push(piece);
    }
    Extracted::concat(pieces)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::classifier::Training;
    use crate::{Classifier, Samples, judge};
    use burn::tensor::Device;
    use faussaire_data::Strokes;

    /// Generated images: as many strokes, read in blocks.
    struct Bench {
        folder: tempfile::TempDir,
        real: Strokes,
        generated: Strokes,
        asked: Vec<u32>,
    }

    impl Bench {
        fn new(real: usize, generated: usize) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let asked = (0..generated as u32).map(|i| i % 10).collect();
            Self { folder, real: Strokes::new(1, real), generated: Strokes::new(2, generated), asked }
        }

        fn with<T>(&self, act: impl FnOnce(Series) -> T) -> T {
            let indices: Vec<usize> = (0..self.generated.len()).collect();
            let read = |rows: Range<usize>| at(&self.generated, &indices[rows]);
            act(Series { count: indices.len(), read: &read, asked: Some(&self.asked), only: None })
        }

        fn parts(&self) -> Parts {
            Parts::new(self.folder.path().join("parts"), vec![("checkpoint".into(), "step 7".into())])
        }

        fn write(&self, extractor: &Extractor, blocks: impl Fn(usize) -> Range<usize>) -> [usize; 2] {
            self.with(|series| self.parts().write(extractor, &self.real, series, 3, blocks)).unwrap()
        }

        fn judged(&self, extractor: &Extractor) -> Result<(Judgement, Gathered)> {
            self.with(|series| self.parts().judge(extractor, &self.real, "test", series, 3))
        }

        /// By one process, without parts.
        fn expected(&self, extractor: &Extractor) -> Judgement {
            let images = at(&self.generated, &(0..self.generated.len()).collect::<Vec<_>>()).unwrap();
            let samples = Samples { images: &images, asked: Some(&self.asked), only: None };
            judge(extractor, &self.real, "test", samples, 3).unwrap()
        }
    }

    #[test]
    fn parts_are_judged_as_the_whole() {
        let bench = Bench::new(400, 300);
        let training = Training { epochs: 1, ..Training::default() };
        let classifier = Classifier::train(&bench.real, &bench.real, training, &Device::flex(), &mut |_| ()).unwrap();
        let random = Extractor::random(&bench.real, &Device::flex()).unwrap();
        for extractor in [Extractor::Classifier(Box::new(classifier)), random] {
            let bench = Bench::new(400, 300);
            let expected = bench.expected(&extractor);
            let none = bench.judged(&extractor).unwrap_err();
            assert!(none.to_string().contains("there are no parts"), "{none}");
            // Three blocks, the last of which is not full. The first is lost.
            assert_eq!(bench.write(&extractor, |blocks| 1..blocks), [172, 172]);
            assert_eq!(bench.write(&extractor, |_| 3..3), [0, 0]);
            let (judgement, gathered) = bench.judged(&extractor).unwrap();
            assert_eq!(judgement, expected);
            assert_eq!((gathered.read, gathered.extracted, gathered.damaged.len()), (2 * 172, 2 * 128, 0));
            // Another number of parts: two of them have the second block.
            assert_eq!(bench.write(&extractor, |blocks| 0..blocks - 1), [256, 256]);
            let (judgement, gathered) = bench.judged(&extractor).unwrap();
            assert_eq!((judgement, gathered.read, gathered.extracted), (expected, 2 * 300, 0));
        }
    }

    #[test]
    fn damaged_parts_are_extracted_again_and_others_are_refused() {
        let bench = Bench::new(300, 300);
        let extractor = Extractor::random(&bench.real, &Device::flex()).unwrap();
        let expected = bench.expected(&extractor);
        bench.write(&extractor, |blocks| 0..blocks);
        let whole = bench.parts().path(Side::Generated, &(0..300));
        let bytes = std::fs::read(&whole).unwrap();
        for cut in [0, 1, 100, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&whole, &bytes[..cut]).unwrap();
            let (judgement, gathered) = bench.judged(&extractor).unwrap();
            assert_eq!((judgement, gathered.damaged, gathered.read), (expected.clone(), vec![whole.clone()], 300));
        }
        // Written again.
        bench.write(&extractor, |blocks| 0..blocks);
        assert_eq!(bench.judged(&extractor).unwrap().1, Gathered { read: 600, ..Gathered::default() });
        let refused = |parts: &Parts, series: Series, seed: u64| {
            let error = parts.judge(&extractor, &bench.real, "test", series, seed).unwrap_err();
            assert!(error.to_string().contains("is of another judgement: "), "{error}");
            error.to_string()
        };
        bench.with(|series| {
            assert!(refused(&bench.parts(), series, 4).contains("seed: 3 there, 4 here"));
            let other = Parts::new(bench.parts().folder, vec![("checkpoint".into(), "step 8".into())]);
            assert!(refused(&other, series, 3).contains("checkpoint: step 7 there, step 8 here"));
            let fewer = Series { count: 200, asked: None, ..series };
            assert!(refused(&bench.parts(), fewer, 3).contains("images: at least 300 there, 200 here"));
            let other = Strokes::new(5, 300);
            let error = bench.parts().judge(&extractor, &other, "test", series, 3).unwrap_err();
            assert!(error.to_string().contains("real images: 300 ("), "{error}");
        });
    }
}

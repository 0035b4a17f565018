//! The real images and the feature extractor of a judgement: one rule for the command, for trainings that are scored,
//! for comparisons and for the studio.
//!
//! Real images are the data set's test images. A set without test images is judged against its training images, and the
//! scores say so; test images that can't be read are an error. The extractor is a classifier of the set's labels, if it
//! has labels and the classifier is better than chance. It is trained on the labelled training images or, without
//! labelled test images, on nine tenths of them, so that its accuracy is always measured on images that it was not
//! trained on.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Device;
use crate::data::LabelSettings;
use crate::data::labels::Conditions;
use crate::data::{self, Dataset, OpenOptions, Split, Subset};
use crate::error::{Error, Result};
use crate::metrics::classifier::{self, Training};
use crate::metrics::{Channels, Classifier, Extractor, Inception};
use crate::recipe::Recipe;

/// Share of the training images on which the classifier is tested if the set has no test images.
const TEST_SHARE: f64 = 0.1;

/// The progress of finding real images and extractor.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Progress {
    /// Files of a data set are being downloaded.
    Fetching(data::Progress),
    /// A classifier is trained first, once for this data: what is trained, and about how long it takes.
    TrainingFirst(String),
    /// A classifier is being trained, once for this data; the completed share.
    Training(f64),
}

/// The real images that images are judged against.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Real images: the test images, else the training images.
    pub real: Arc<dyn Dataset>,
    /// Which part of the data they are: `test` or `train`.
    pub split: &'static str,
    /// The training images.
    pub train: Arc<dyn Dataset>,
}

impl Reference {
    /// Images in memory: training images and test images, if any.
    pub fn new(train: Arc<dyn Dataset>, test: Option<Arc<dyn Dataset>>) -> Self {
        match test {
            Some(real) => Self { real, split: "test", train },
            None => Self { real: Arc::clone(&train), split: "train", train },
        }
    }

    /// Opens both parts of `source`.
    ///
    /// # Errors
    /// As [`data::open`], for either part. A set without test images is no error.
    pub fn open(source: &str, options: &OpenOptions, progress: &mut dyn FnMut(Progress)) -> Result<Self> {
        let mut open = |options: &OpenOptions| {
            data::open(source, options, &mut |fetched| progress(Progress::Fetching(fetched))).map(Arc::from)
        };
        let train = open(options)?;
        match open(&options.clone().split(Split::Test)) {
            Ok(test) => Ok(Self::new(train, Some(test))),
            Err(Error::NoTestImages { .. }) => Ok(Self::new(train, None)),
            Err(error) => Err(error),
        }
    }

    /// Opens both parts of the data of `recipe`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn of_recipe(recipe: &Recipe, progress: &mut dyn FnMut(Progress)) -> Result<Self> {
        Self::open(&recipe.data.source, &recipe.open_options(OpenOptions::default()), progress)
    }

    /// The test images, if there are any.
    pub fn test_images(&self) -> Option<&Arc<dyn Dataset>> {
        (self.split == "test").then_some(&self.real)
    }

    /// The real images that show `class` (by name, or several attributes with commas between them); all of them without.
    ///
    /// # Errors
    /// A class that the set doesn't have.
    pub(crate) fn real_with_class(&self, class: Option<&str>) -> Result<Arc<dyn Dataset>> {
        let Some(class) = class else { return Ok(Arc::clone(&self.real)) };
        let set = &data::labels::labelled(&self.real);
        let labels = LabelSettings::of(set.as_ref())?;
        let (wanted, conditions) = (labels.encode(class)?, Conditions::new(&labels, set.as_ref())?);
        let has = |index: usize| conditions.rows(set.as_ref(), &[index]);
        Ok(Arc::new(Subset::filter(set, |index| has(index).iter().zip(&wanted).all(|(has, wanted)| has >= wanted))))
    }

    /// The feature extractor: InceptionV3 with the weights in `inception`, if given; else, for data with labels, a
    /// classifier, trained now or cached from an earlier time; else, also where that is no better than chance, a net with
    /// random weights.
    ///
    /// # Errors
    /// Images or weights that can't be read.
    pub fn extractor(
        &self,
        inception: Option<&Path>,
        device: &Device,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Extractor> {
        let train = self.train.as_ref();
        if let Some(weights) = inception {
            return Ok(Extractor::Inception(Box::new(Inception::open(weights, train.shape(), device)?)));
        }
        if let (Some(digits), Some(test)) = (train.channel_source(), self.real.channel_source()) {
            let classifier = trained(digits, test, device, progress)?;
            if classifier.beats_chance() {
                return Ok(Extractor::Channels(Box::new(Channels::new(classifier, digits)?)));
            }
            return Extractor::random(train, device);
        }
        match self.classifier_sets() {
            Some([learned, test]) => {
                let classifier = trained(learned.as_ref(), test.as_ref(), device, progress)?;
                Extractor::of_classifier(classifier, train, device)
            }
            None => Extractor::random(train, device),
        }
    }

    /// The classifier of the labels, if an earlier judgement has trained and cached it; none is trained here.
    ///
    /// # Errors
    /// Images that can't be read.
    pub fn cached_classifier(&self, device: &Device) -> Result<Option<Classifier>> {
        let Some([learned, test]) = self.classifier_sets() else { return Ok(None) };
        let training = Training::on(learned.as_ref())?;
        let cached = classifier::cache_path(learned.as_ref(), training)?.is_some_and(|place| place.is_file());
        cached.then(|| trained(learned.as_ref(), test.as_ref(), device, &mut |_| ())).transpose()
    }

    /// The images that the classifier is trained on and those that it is tested on, all of them labelled; none without labels.
    fn classifier_sets(&self) -> Option<[Arc<dyn Dataset>; 2]> {
        if !has_labels(self.train.as_ref()) {
            return None;
        }
        let learned = data::labels::labelled(&self.train);
        if let Some(test) = self.test_images().filter(|test| has_labels(test.as_ref())) {
            return Some([learned, data::labels::labelled(test)]);
        }
        Some(Subset::split_held_out(&learned, TEST_SHARE, 0).map(|part| Arc::new(part) as Arc<dyn Dataset>))
    }
}

/// Whether `set` has classes or attributes, and images with one.
fn has_labels(set: &dyn Dataset) -> bool {
    let all = 0..set.len();
    match (set.classes().is_empty(), set.attributes().is_empty()) {
        (false, _) => all.into_iter().any(|index| set.label(index).is_some()),
        (true, false) => all.into_iter().any(|index| set.has_attribute(index, 0).is_some()),
        (true, true) => false,
    }
}

fn trained(
    train: &dyn Dataset,
    test: &dyn Dataset,
    device: &Device,
    progress: &mut dyn FnMut(Progress),
) -> Result<Classifier> {
    let mut announcement = Announcement::new(train);
    classifier::load_or_train(train, test, Training::on(train)?, device, &mut |done| {
        if let Some(text) = announcement.after(done) {
            progress(Progress::TrainingFirst(text));
        }
        progress(Progress::Training(done));
    })
}

/// How long the first steps are measured, before the whole is estimated.
const MEASURED: Duration = Duration::from_millis(1500);

/// The sentence that a classifier is trained first, with the time that its first steps predict.
struct Announcement {
    what: String,
    /// When the first step ended, and the completed share then; it takes longer than the others.
    first: Option<(Instant, f64)>,
    is_made: bool,
}

impl Announcement {
    fn new(train: &dyn Dataset) -> Self {
        let (classes, attributes) = (train.classes().len(), train.attributes().len());
        let (labels, kind) = if classes > 0 { (classes, "classes") } else { (attributes, "attributes") };
        let what = format!(
            "scores compare features of a classifier of the {labels} {kind} of {}, which is trained first, once for these images",
            train.name()
        );
        Self { what, first: None, is_made: false }
    }

    /// The sentence, as soon as the time is known.
    fn after(&mut self, done: f64) -> Option<String> {
        let (began, start) = *self.first.get_or_insert_with(|| (Instant::now(), done));
        let spent = began.elapsed();
        if self.is_made || done <= start || (spent < MEASURED && done < 1.0) {
            return None;
        }
        self.is_made = true;
        let left = spent.as_secs_f64() * (1.0 - done) / (done - start);
        Some(format!("{}: about {}", self.what, about(spent.as_secs_f64() + left)))
    }
}

/// A duration to one or two digits.
fn about(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => format!("{:.0} s", s.max(1.0)),
        s if s < 90.0 => format!("{:.0} s", 10.0 * (s / 10.0).round()),
        s if s < 90.0 * 60.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::DatasetInfo;
    use crate::data::{ImageShape, InMemory, Strokes};

    fn open(source: &str) -> Result<Reference> {
        Reference::open(source, &OpenOptions::default().count(200), &mut |_| ())
    }

    #[test]
    fn held_back_images_are_taken_where_there_are_such() {
        let both = open("strokes").unwrap();
        assert_eq!((both.split, both.real.len(), both.train.len()), ("test", 200, 200));
        assert_ne!(both.real.fingerprint(), both.train.fingerprint());
        assert!(both.test_images().is_some());
        // A folder of images has no test part: its training images are used, and the scores say so.
        let folder = tempfile::tempdir().unwrap();
        for (class, grey) in [("a", 40), ("b", 200)] {
            std::fs::create_dir(folder.path().join(class)).unwrap();
            for number in 0..20u8 {
                let image = image::GrayImage::from_pixel(8, 8, image::Luma([grey + number]));
                image.save(folder.path().join(class).join(format!("{number}.png"))).unwrap();
            }
        }
        let alone = open(&folder.path().to_string_lossy()).unwrap();
        assert_eq!((alone.split, alone.real.len()), ("train", 40));
        assert_eq!(alone.real.fingerprint(), alone.train.fingerprint());
        // Its classifier is trained on nine tenths and tested on the rest.
        let [learned, test] = alone.classifier_sets().unwrap();
        assert_eq!((learned.len(), test.len()), (36, 4));
    }

    #[test]
    fn a_test_part_that_cannot_be_read_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        for part in ["train", "test"] {
            std::fs::create_dir(folder.path().join(part)).unwrap();
        }
        image::GrayImage::new(8, 8).save(folder.path().join("train/0.png")).unwrap();
        std::fs::write(folder.path().join("test/0.png"), "no image").unwrap();
        let error = open(&folder.path().to_string_lossy()).unwrap_err();
        assert!(!matches!(error, Error::NoTestImages { .. }), "{error}");
        assert!(error.to_string().contains("test"), "{error}");
    }

    #[test]
    fn the_extractor_depends_on_the_labels() {
        let shape = ImageShape { height: 8, width: 8, channels: 1 };
        let plain = |name: &str| InMemory::from_bytes(name, shape, vec![7; 20 * shape.len()]).unwrap();
        let unlabelled = Reference::new(Arc::new(plain("a")), None);
        assert!(unlabelled.classifier_sets().is_none());
        assert!(unlabelled.cached_classifier(&Device::cpu()).unwrap().is_none());
        let extractor = unlabelled.extractor(None, &Device::cpu(), &mut |_| ()).unwrap();
        assert!(matches!(extractor, Extractor::Random(_)));
        let labels = plain("b").with_labels((0..20).map(|i| i % 2).collect(), vec!["x".into(), "y".into()]).unwrap();
        let labelled: Arc<dyn Dataset> = Arc::new(labels);
        let [learned, test] = Reference::new(Arc::clone(&labelled), None).classifier_sets().unwrap();
        assert_eq!((learned.len(), test.len()), (18, 2));
        let [learned, test] = Reference::new(Arc::clone(&labelled), Some(labelled)).classifier_sets().unwrap();
        assert_eq!((learned.len(), test.len()), (20, 20));
    }

    #[test]
    fn images_without_label_make_no_classifier() {
        let shape = ImageShape { height: 8, width: 8, channels: 1 };
        let names = || ["x", "y"].map(String::from);
        let set = |known: usize| -> Arc<dyn Dataset> {
            let images =
                InMemory::from_bytes("part", shape, (0..40 * 64).map(|at| (at % 251) as u8).collect()).unwrap();
            let label = move |index: usize| (index < known).then_some(index as u32 % 2);
            Arc::new(Faces(images, DatasetInfo::new("part").with_classes(names(), label)))
        };
        assert!(Reference::new(set(0), None).classifier_sets().is_none(), "names, but no label");
        // Test images without labels: the accuracy is measured on a tenth of the training images.
        let [learned, test] = Reference::new(set(40), Some(set(0))).classifier_sets().unwrap();
        assert_eq!((learned.len(), test.len()), (36, 4));
        let [learned, test] = Reference::new(set(20), Some(set(5))).classifier_sets().unwrap();
        assert_eq!((learned.len(), test.len()), (20, 5), "those with a label");
        assert_eq!(Training::on(set(20).as_ref()).unwrap().epochs, 300);
        assert!(Training::on(set(0).as_ref()).unwrap_err().to_string().contains("none of the 40 images of part"));
    }

    #[test]
    fn the_time_of_a_classifier_is_said_once() {
        let set = Strokes::new(1, 60);
        let mut announcement = Announcement::new(&set);
        assert_eq!(announcement.after(0.01), None, "one step tells no time");
        std::thread::sleep(MEASURED);
        let said = announcement.after(0.02).unwrap();
        assert!(said.contains("the 10 classes of strokes, which is trained first"), "{said}");
        assert!(said.contains(": about ") && said.ends_with(" min"), "{said}");
        assert_eq!(announcement.after(0.03), None);
        assert_eq!([0.2, 7.3, 44.0, 100.0, 7000.0].map(about), ["1 s", "7 s", "40 s", "2 min", "1.9 h"]);
        // A short training says it at its end.
        let mut short = Announcement::new(&set);
        assert!(short.after(0.5).is_none() && short.after(1.0).is_some());
    }

    /// Images with attributes and no test part, as CelebA has.
    #[derive(Debug)]
    struct Faces(InMemory, DatasetInfo);

    impl Faces {
        fn new(images: InMemory) -> Self {
            let names = ["Smiling", "Eyeglasses"].map(String::from);
            Self(
                images,
                DatasetInfo::new("faces")
                    .with_attributes(names, |index, attribute| Some((index >> attribute) & 1 == 1)),
            )
        }
    }

    impl Dataset for Faces {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn shape(&self) -> ImageShape {
            self.0.shape()
        }
        fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
            self.0.read(index, out)
        }
        fn info(&self) -> &DatasetInfo {
            &self.1
        }
    }

    #[test]
    fn attributes_without_a_test_part_are_trained_on_nine_tenths() {
        let shape = ImageShape { height: 8, width: 8, channels: 1 };
        let pixels = (0..40 * shape.len()).map(|at| (at % 253) as u8).collect();
        let faces: Arc<dyn Dataset> = Arc::new(Faces::new(InMemory::from_bytes("faces", shape, pixels).unwrap()));
        let reference = Reference::new(Arc::clone(&faces), None);
        let [learned, test] = reference.classifier_sets().unwrap();
        assert_eq!((reference.split, learned.len(), test.len()), ("train", 36, 4));
        // The classifier is cached under the fingerprint of its training images, not of the full set.
        let place = |set: &dyn Dataset| classifier::cache_path(set, Training::on(set).unwrap()).unwrap();
        assert!(place(learned.as_ref()).is_none() || place(learned.as_ref()) != place(faces.as_ref()));
        let smiling = reference.real_with_class(Some("Smiling")).unwrap();
        assert_eq!(smiling.len(), 20);
        assert_eq!(reference.real_with_class(Some("Smiling,Eyeglasses")).unwrap().len(), 10);
    }

    #[test]
    fn one_class_is_compared_with_its_own_kind() {
        let all: Arc<dyn Dataset> = Arc::new(Strokes::new(1, 200));
        let sevens = (0..200).filter(|&i| all.label(i) == Some(7)).count();
        let chosen = Reference::new(all, None).real_with_class(Some("7")).unwrap();
        assert_eq!(chosen.len(), sevens);
        assert!(sevens > 5 && (0..sevens).all(|i| chosen.label(i) == Some(7)));
        let error = Reference::new(chosen, None).real_with_class(Some("seventeen")).unwrap_err();
        assert!(error.to_string().contains("seventeen"));
    }
}

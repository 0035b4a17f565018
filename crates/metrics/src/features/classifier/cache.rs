//! Trained classifiers are cached in the user's cache folder, under a name that is a digest of the data's content and
//! of all that their training depends on.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{Classifier, Training, layers};
use faussaire_data::LabelSettings;
use faussaire_data::error::{Error, Result};
use faussaire_data::{Dataset, Digest, cache_folder, write_file};
use faussaire_nn::net::Weights;
use faussaire_nn::safetensors::{decode, encode, entries};

/// To be raised whenever the classifier's training changes.
const VERSION: u32 = 1;

/// The end of the file, after the weights.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    accuracy: f64,
    tested: usize,
    /// The accuracy of chance; absent in files of earlier versions, whose classifiers are measured again.
    #[serde(default)]
    chance: Option<f64>,
    /// The fingerprint of the images that it was measured on; empty in files of earlier versions.
    #[serde(default)]
    test: String,
    /// Bytes of weights.
    length: usize,
}

/// The classifier for these sets, from the cache, or trained and then cached. See [`Classifier::train`].
///
/// # Errors
/// As [`Classifier::train`]. A cached classifier that can't be read is trained again.
pub fn load_or_train(
    train: &dyn Dataset,
    test: &dyn Dataset,
    training: Training,
    device: &Device,
    progress: &mut dyn FnMut(f64),
) -> Result<Classifier> {
    let path = cache_path(train, training)?;
    if let Some(path) = &path
        && path.is_file()
        && let Ok((mut cached, measured_on)) = load(path, train, training, device)
    {
        if measured_on != test.fingerprint() {
            cached.measure(test)?;
            let _ = save(path, &cached, test);
        }
        return Ok(cached);
    }
    let classifier = Classifier::train(train, test, training, device, progress)?;
    if let Some(path) = &path {
        // A cache that can't be written costs time, not the classifier.
        let _ = save(path, &classifier, test);
    }
    Ok(classifier)
}

/// The cache's file for a classifier trained on `train`, if this user has a cache folder.
///
/// # Errors
/// A set without labels.
pub fn cache_path(train: &dyn Dataset, training: Training) -> Result<Option<PathBuf>> {
    let labels = LabelSettings::of(train)?;
    let mut digest = Digest::new();
    digest.update(train.fingerprint().as_bytes());
    let what = (VERSION, training, layers(train.shape(), labels.names.len()));
    digest.update(format!("{what:?}").as_bytes());
    Ok(cache_folder().map(|folder| folder.join("judges").join(format!("{}.safetensors", &digest.finish()[..32]))))
}

pub(super) fn save(path: &Path, classifier: &Classifier, test: &dyn Dataset) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    }
    let mut bytes = encode(&entries(&classifier.model.net), classifier.model.weights.tensors(), 0)?;
    let Classifier { accuracy, tested, chance, .. } = *classifier;
    let about = About { accuracy, tested, chance: Some(chance), test: test.fingerprint(), length: bytes.len() };
    let text = serde_json::to_vec(&about)
        .map_err(|e| Error::run(format!("the classifier's accuracy can't be written as JSON: {e}"), "report this"))?;
    bytes.extend(text);
    write_file(path, &bytes)
}

/// The classifier cached at `path`, and the fingerprint of the images that it was measured on; empty where it has to be
/// measured again.
pub(super) fn load(
    path: &Path,
    train: &dyn Dataset,
    training: Training,
    device: &Device,
) -> Result<(Classifier, String)> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let damaged =
        || Error::run(format!("{} is damaged", path.display()), "remove it: the classifier is then trained again");
    let start = bytes.windows(12).rposition(|w| w == b"{\"accuracy\":").ok_or_else(damaged)?;
    let about: About = serde_json::from_slice(&bytes[start..]).map_err(|_| damaged())?;
    if about.length != start {
        return Err(damaged());
    }
    let mut classifier = Classifier::new(train.shape(), LabelSettings::of(train)?, training.seed, device)?;
    let weights = decode(
        &bytes[..start],
        &entries(&classifier.model.net),
        path,
        "remove the file: the classifier is then trained again",
        device,
    )?;
    classifier.model.weights = Weights::new(weights);
    (classifier.accuracy, classifier.tested) = (about.accuracy, about.tested);
    classifier.chance = about.chance.unwrap_or_default();
    let measured_on = if about.chance.is_some() { about.test } else { String::new() };
    Ok((classifier, measured_on))
}

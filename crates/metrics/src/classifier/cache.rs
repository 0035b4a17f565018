//! Trained classifiers are kept in the user's cache folder, under a name made of the data's content and of all that
//! their training depends on: the same question is answered by the same judge, without training it again.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{Classifier, Training, layers};
use faussaire_data::LabelSettings;
use faussaire_data::error::{Error, Result};
use faussaire_data::{Dataset, Digest, PartFile, cache_folder};
use faussaire_nn::net::Weights;
use faussaire_nn::safetensors::{decode, encode, entries};

/// Changes whenever the classifier's training does.
const VERSION: u32 = 1;

/// What stands behind the weights in the file.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    accuracy: f64,
    tested: usize,
    /// The fingerprint of the images that it was measured on; empty in files of before.
    #[serde(default)]
    test: String,
    length: usize,
}

/// The judge for these sets: the one kept from before, or a new one, which is then kept.
///
/// # Errors
/// As [`Classifier::train`]. A kept one that can't be read is trained again.
pub fn open(
    train: &dyn Dataset,
    test: &dyn Dataset,
    training: Training,
    device: &Device,
    watch: &mut dyn FnMut(f64),
) -> Result<Classifier> {
    let place = place(train, training)?;
    if let Some(place) = &place
        && place.is_file()
        && let Ok((mut kept, measured_on)) = load(place, train, training, device)
    {
        if measured_on != test.fingerprint() {
            kept.measure(test)?;
            let _ = save(place, &kept, test);
        }
        return Ok(kept);
    }
    let classifier = Classifier::train(train, test, training, device, watch)?;
    if let Some(place) = &place {
        // A judge that can't be kept is still a judge.
        let _ = save(place, &classifier, test);
    }
    Ok(classifier)
}

/// Where the judge for `train` is kept, if this user has a cache folder.
///
/// # Errors
/// A set without labels.
pub fn place(train: &dyn Dataset, training: Training) -> Result<Option<PathBuf>> {
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
    let Classifier { accuracy, tested, .. } = *classifier;
    let about = About { accuracy, tested, test: test.fingerprint(), length: bytes.len() };
    let text = serde_json::to_vec(&about)
        .map_err(|e| Error::run(format!("the judge's accuracy can't be written: {e}"), "report this"))?;
    bytes.extend(text);
    let mut file = PartFile::create(path)?;
    file.write(&bytes)?;
    file.commit()
}

/// The classifier kept at `path`, and the fingerprint of the images that it was measured on.
pub(super) fn load(
    path: &Path,
    train: &dyn Dataset,
    training: Training,
    device: &Device,
) -> Result<(Classifier, String)> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let damaged = || Error::run(format!("{} is damaged", path.display()), "remove it: it will be made again");
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
    Ok((classifier, about.test))
}

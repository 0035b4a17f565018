//! Checkpoints: all that the next step depends on, in one folder that is written beside its place and renamed. A kill
//! at any instant leaves the old one or the new one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::Run;
use crate::data::{Digest, PartFile};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::net::{Network, Weights};
use crate::safetensors::{decode, encode, entries, moment_entries};
use crate::train::{Gan, Progress};

/// What a checkpoint holds besides tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Version of this layout.
    pub version: u32,
    /// Generator updates made.
    pub step: u64,
    /// Real images seen.
    pub images: u64,
    /// Seconds in steps.
    pub train_s: f64,
    /// The probability of changing an image before D sees it.
    #[serde(default)]
    pub augment: f64,
    /// Updates of each optimizer.
    pub generator_updates: u64,
    /// Updates of each optimizer.
    pub discriminator_updates: u64,
    /// Length of events.jsonl at that moment; what comes after is made again on resume.
    pub events_bytes: u64,
    /// The best score so far, if any was taken.
    pub best: Option<f64>,
    /// Digest of the data set.
    pub data: String,
    /// SHA-256 of every file beside this one.
    pub files: BTreeMap<String, String>,
}

const VERSION: u32 = 1;

/// Writes `gan` as the checkpoint folder `place`, replacing an older one.
///
/// # Errors
/// Where it can't be written; the older one stays as it was.
pub fn save(place: &Path, gan: &Gan, events_bytes: u64, best: Option<f64>) -> Result<()> {
    let beside = sibling(place, "new");
    if !place.exists() && is_whole(&beside) {
        // A kill came between the two renames: finish them, so that there is a whole checkpoint at every moment.
        fs::rename(&beside, place).map_err(Error::io("rename", &beside))?;
    }
    if beside.exists() {
        fs::remove_dir_all(&beside).map_err(Error::io("remove", &beside))?;
    }
    fs::create_dir_all(&beside).map_err(Error::io("create the folder", &beside))?;
    let mut files = BTreeMap::new();
    for (name, bytes) in contents(gan)? {
        write(&beside.join(&name), &bytes)?;
        files.insert(name, digest(&bytes));
    }
    let state = State {
        version: VERSION,
        step: gan.progress.step,
        images: gan.progress.images,
        train_s: gan.progress.train_s,
        augment: gan.progress.augment,
        generator_updates: gan.generator.updates(),
        discriminator_updates: gan.discriminator.updates(),
        events_bytes,
        best,
        data: gan.dataset().fingerprint(),
        files,
    };
    let text = serde_json::to_vec_pretty(&state)
        .map_err(|e| Error::run(format!("the checkpoint's state can't be written: {e}"), "report this"))?;
    write(&beside.join("state.json"), &text)?;
    swap(place, &beside)
}

/// Puts the complete folder `beside` at `place`. Between the two renames `place` is missing, and [`recover`] finishes.
fn swap(place: &Path, beside: &Path) -> Result<()> {
    let old = sibling(place, "old");
    if place.exists() {
        if old.exists() {
            fs::remove_dir_all(&old).map_err(Error::io("remove", &old))?;
        }
        fs::rename(place, &old).map_err(Error::io("rename", place))?;
    }
    fs::rename(beside, place).map_err(Error::io("rename", beside))?;
    if let Some(parent) = place.parent()
        && let Ok(folder) = File::open(parent)
    {
        // Not every system can flush a folder; the rename itself has happened.
        let _ = folder.sync_all();
    }
    if old.exists() {
        fs::remove_dir_all(&old).map_err(Error::io("remove", &old))?;
    }
    Ok(())
}

/// Whether `folder` holds all files of a checkpoint: state.json is the last to be written.
fn is_whole(folder: &Path) -> bool {
    folder.join("state.json").is_file()
}

/// Where to read the checkpoint `place`: itself, or what a kill between two renames left of it.
fn recover(place: &Path) -> Result<PathBuf> {
    let candidates = [place.to_path_buf(), sibling(place, "new"), sibling(place, "old")];
    candidates.into_iter().find(|c| is_whole(c)).ok_or_else(|| {
        Error::run(
            format!("there is no checkpoint at {}", place.display()),
            "it is written while training; if the run was stopped before the first one, start it again",
        )
    })
}

/// Whether there is a complete checkpoint at `place`.
pub fn exists(place: &Path) -> bool {
    recover(place).is_ok()
}

/// Reads the state of the checkpoint `place`.
///
/// # Errors
/// Where there is none, or it is damaged.
pub fn state(place: &Path) -> Result<(PathBuf, State)> {
    let place = recover(place)?;
    let path = place.join("state.json");
    let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
    let state: State = serde_json::from_slice(&bytes)
        .map_err(|e| Error::run(format!("{} is damaged: {e}", path.display()), super::ANOTHER_CHECKPOINT))?;
    if state.version != VERSION {
        return Err(Error::run(
            format!("{} has version {}, expected {VERSION}", path.display(), state.version),
            "use the release of faussaire that wrote it",
        ));
    }
    Ok((place, state))
}

impl Run {
    /// Where the checkpoint called `name` is, and its state.
    ///
    /// # Errors
    /// Where there is none, or it is damaged.
    pub fn find_checkpoint(&self, name: &str) -> Result<(PathBuf, State)> {
        let place = self.checkpoint(name);
        if exists(&place) {
            return state(&place);
        }
        let mut names = self.checkpoint_names()?;
        names.sort();
        let known = if names.is_empty() { "none yet".into() } else { names.join(", ") };
        Err(Error::run(
            format!("there is no checkpoint {name} in {}; there is: {known}", self.path().display()),
            "the first is written after train.save_every seconds of training, or at its end",
        ))
    }
}

/// Puts the checkpoint `place` into `gan`, which was built from the same recipe.
///
/// # Errors
/// Where there is none, it is damaged, or it belongs to other nets or other data; `gan` must not be used then.
pub fn load(place: &Path, gan: &mut Gan) -> Result<State> {
    let (place, state) = state(place)?;
    let data = gan.dataset().fingerprint();
    if state.data != data {
        return Err(Error::run(
            format!("the data set {} is not the one that this run began with", gan.dataset().name()),
            "give it the original images (`data.source`, `data.dir`), or start a new run",
        ));
    }
    let device = gan.ema.weights.tensors()[0].device();
    for (model, updates) in
        [(&mut gan.generator, state.generator_updates), (&mut gan.discriminator, state.discriminator_updates)]
    {
        model.weights = weights(&place, &state, &model.net, model.net.name(), &device)?;
        load_moments(&place, &state, model, updates, &device)?;
    }
    gan.ema.weights = weights(&place, &state, &gan.generator.net, "average", &device)?;
    gan.invalidate_snapshot();
    gan.progress = Progress { step: state.step, images: state.images, train_s: state.train_s, augment: state.augment };
    Ok(state)
}

/// Reads one net's weights from the file called `name`.
pub(crate) fn weights(place: &Path, state: &State, net: &Network, name: &str, device: &Device) -> Result<Weights> {
    let file = format!("{name}.safetensors");
    let bytes = read(place, state, &file)?;
    Ok(Weights::new(decode(&bytes, &entries(net), &place.join(file), super::ANOTHER_CHECKPOINT, device)?))
}

fn load_moments(place: &Path, state: &State, model: &mut Model, updates: u64, device: &Device) -> Result<()> {
    let file = format!("{}-adam.safetensors", model.net.name());
    let bytes = read(place, state, &file)?;
    let tensors = decode(&bytes, &moment_entries(&model.net), &place.join(file), super::ANOTHER_CHECKPOINT, device)?;
    if let Some(optimizer) = &mut model.optimizer {
        optimizer.updates = updates;
        optimizer.moments = tensors.chunks_exact(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect();
    }
    Ok(())
}

/// Reads a file and compares it with its digest.
fn read(place: &Path, state: &State, file: &str) -> Result<Vec<u8>> {
    let path = place.join(file);
    let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
    if state.files.get(file).is_none_or(|expected| *expected != digest(&bytes)) {
        return Err(Error::run(
            format!("{} is damaged: its content is not what was written", path.display()),
            super::ANOTHER_CHECKPOINT,
        ));
    }
    Ok(bytes)
}

/// The files of a checkpoint with their bytes.
fn contents(gan: &Gan) -> Result<Vec<(String, Vec<u8>)>> {
    let step = gan.progress.step;
    let mut files = Vec::new();
    for model in [&gan.generator, &gan.discriminator] {
        let name = model.net.name();
        files.push((format!("{name}.safetensors"), encode(&entries(&model.net), model.weights.tensors(), step)?));
        let moments: Vec<Tensor<1>> =
            model.optimizer.iter().flat_map(|o| o.moments.iter().flatten().cloned()).collect();
        files.push((format!("{name}-adam.safetensors"), encode(&moment_entries(&model.net), &moments, step)?));
    }
    // With its statistics measured, so that a reader can use it as it is.
    let average = gan.averaged();
    files.push(("average.safetensors".into(), encode(&entries(&gan.generator.net), average.tensors(), step)?));
    Ok(files)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = PartFile::create(path)?;
    file.write(bytes)?;
    file.commit()
}

fn digest(bytes: &[u8]) -> String {
    let mut digest = Digest::new();
    digest.update(bytes);
    digest.finish()
}

fn sibling(place: &Path, suffix: &str) -> PathBuf {
    let mut name = place.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(suffix);
    place.with_file_name(name)
}

//! Checkpoints: all that the next step depends on, in one folder that is written under a temporary name and renamed. A
//! kill at any moment leaves the old one or the new one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::Run;
use crate::data::{Digest, PartFile, read_plain};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::net::{Network, Weights};
use crate::safetensors::{decode, encode, entries, moment_entries};
use crate::train::{Gan, Progress};

/// The contents of a checkpoint besides its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Version of this layout.
    pub version: u32,
    /// Generator updates made.
    pub step: u64,
    /// Real images that D was trained on.
    pub images: u64,
    /// Seconds spent in steps.
    pub train_s: f64,
    /// The augmentation probability.
    #[serde(default)]
    pub augment: f64,
    /// Updates of G's optimizer.
    pub generator_updates: u64,
    /// Updates of D's optimizer.
    pub discriminator_updates: u64,
    /// Length of events.jsonl at that step; resuming truncates it to this.
    pub events_bytes: u64,
    /// The best score so far, if any.
    pub best: Option<f64>,
    /// Digest of the data set.
    pub data: String,
    /// SHA-256 of every other file of the checkpoint.
    pub files: BTreeMap<String, String>,
}

const VERSION: u32 = 1;

/// Size limit of state.json, and of what a file of tensors holds besides their values, in bytes.
const MAX_STATE: u64 = 1 << 20;
const MAX_HEADER: u64 = 4 << 20;

/// Writes `gan` as the checkpoint folder `place`, replacing an older one.
///
/// # Errors
/// A folder that can't be written; the older one is unchanged.
pub fn save(place: &Path, gan: &Gan, events_bytes: u64, best: Option<f64>) -> Result<()> {
    let temporary = sibling(place, "new");
    if !place.exists() && is_whole(&temporary) {
        // An earlier training was killed between the two renames: complete them, so that there is always a checkpoint.
        fs::rename(&temporary, place).map_err(Error::io("rename", &temporary))?;
    }
    if temporary.exists() {
        fs::remove_dir_all(&temporary).map_err(Error::io("remove", &temporary))?;
    }
    fs::create_dir_all(&temporary).map_err(Error::io("create the folder", &temporary))?;
    let mut files = BTreeMap::new();
    for (name, bytes) in contents(gan)? {
        write(&temporary.join(&name), &bytes)?;
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
    write(&temporary.join("state.json"), &text)?;
    swap(place, &temporary)
}

/// Renames the complete folder `temporary` to `place`. Between the two renames `place` is missing; [`recover`] handles
/// that.
fn swap(place: &Path, temporary: &Path) -> Result<()> {
    let old = sibling(place, "old");
    if place.exists() {
        if old.exists() {
            fs::remove_dir_all(&old).map_err(Error::io("remove", &old))?;
        }
        fs::rename(place, &old).map_err(Error::io("rename", place))?;
    }
    fs::rename(temporary, place).map_err(Error::io("rename", temporary))?;
    if let Some(parent) = place.parent()
        && let Ok(folder) = File::open(parent)
    {
        // Not every system can flush a folder; the rename is complete in any case.
        let _ = folder.sync_all();
    }
    if old.exists() {
        fs::remove_dir_all(&old).map_err(Error::io("remove", &old))?;
    }
    Ok(())
}

/// Whether `folder` is a complete checkpoint: state.json is written last.
fn is_whole(folder: &Path) -> bool {
    folder.join("state.json").is_file()
}

/// The folder of the checkpoint `place`: itself, or the one that a kill between two renames left.
fn recover(place: &Path) -> Result<PathBuf> {
    let candidates = [place.to_path_buf(), sibling(place, "new"), sibling(place, "old")];
    candidates.into_iter().find(|c| is_whole(c)).ok_or_else(|| {
        Error::run(
            format!("there is no checkpoint at {}", place.display()),
            "the first one is written during training; if the run was stopped before it, start the run again",
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
/// A checkpoint that is missing or damaged.
pub fn state(place: &Path) -> Result<(PathBuf, State)> {
    let place = recover(place)?;
    let path = place.join("state.json");
    let bytes = read_plain(&path, MAX_STATE).map_err(Error::io("read", &path))?;
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
    /// The folder and the state of the checkpoint called `name`.
    ///
    /// # Errors
    /// A checkpoint that is missing or damaged.
    pub(crate) fn find_checkpoint(&self, name: &str) -> Result<(PathBuf, State)> {
        let place = self.checkpoint(name);
        if exists(&place) {
            return state(&place);
        }
        let mut names = self.checkpoint_names()?;
        names.sort();
        let known = if names.is_empty() { "none yet".into() } else { names.join(", ") };
        Err(Error::run(
            format!("there is no checkpoint {name} in {}; expected one of: {known}", self.path().display()),
            "the first one is written after `train.save_every` seconds of training, or at its end",
        ))
    }
}

/// Loads the checkpoint `place` into `gan`, which was built from the same recipe.
///
/// # Errors
/// A checkpoint that is missing, damaged, or of other nets or data; `gan` must not be used then.
pub fn load(place: &Path, gan: &mut Gan) -> Result<State> {
    let (place, state) = state(place)?;
    let data = gan.dataset().fingerprint();
    if state.data != data {
        return Err(Error::run(
            format!("the data set {} is not the one that this run was started with", gan.dataset().name()),
            "use the original images (`data.source`, `data.dir`), or start a new run",
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

/// Reads one net's weights from the checkpoint's file `name`.
pub(crate) fn weights(place: &Path, state: &State, net: &Network, name: &str, device: &Device) -> Result<Weights> {
    let file = format!("{name}.safetensors");
    let bytes = read(place, state, &file, net.parameters().0)?;
    Ok(Weights::new(decode(&bytes, &entries(net), &place.join(file), super::ANOTHER_CHECKPOINT, device)?))
}

fn load_moments(place: &Path, state: &State, model: &mut Model, updates: u64, device: &Device) -> Result<()> {
    let file = format!("{}-adam.safetensors", model.net.name());
    let bytes = read(place, state, &file, 2 * model.net.parameters().0)?;
    let tensors = decode(&bytes, &moment_entries(&model.net), &place.join(file), super::ANOTHER_CHECKPOINT, device)?;
    if let Some(optimizer) = &mut model.optimizer {
        optimizer.updates = updates;
        optimizer.moments = tensors.chunks_exact(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect();
    }
    Ok(())
}

/// Reads a file of at most `values` values and checks its digest.
fn read(place: &Path, state: &State, file: &str, values: usize) -> Result<Vec<u8>> {
    let path = place.join(file);
    let limit = (size_of::<f32>() as u64).saturating_mul(values as u64).saturating_add(MAX_HEADER);
    let bytes = read_plain(&path, limit).map_err(Error::io("read", &path))?;
    if state.files.get(file).is_none_or(|expected| *expected != digest(&bytes)) {
        return Err(Error::run(
            format!("{} is damaged: its SHA-256 differs from the one in state.json", path.display()),
            super::ANOTHER_CHECKPOINT,
        ));
    }
    Ok(bytes)
}

/// The files of a checkpoint and their bytes.
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
    // With its statistics, so that it is ready for inference.
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

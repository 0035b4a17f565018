//! Checkpoints: all that the next step depends on, in one folder that is written under a temporary name and renamed. A
//! kill at any moment leaves the old one or the new one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::Run;
use crate::data::{Digest, read_plain, write_file};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::net::{Network, Weights};
use crate::safetensors::{decode, encode, entries, moment_entries};
use crate::train::{Gan, Progress, StepReport};

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
    /// Length of events.jsonl when it was saved.
    pub events_bytes: u64,
    /// Length of events.jsonl before the training's end was logged; absent where it was saved before an end. See
    /// [`State::resumed_bytes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_before_end: Option<u64>,
    /// SHA-256 of the log that a resume continues; absent in checkpoints of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The best score so far, if any, of those on the schedule of the recipe.
    pub best: Option<f64>,
    /// Whether it is the best by a score that was taken at an end, off the schedule; a resume forgets it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off_schedule: bool,
    /// The metrics of its step, where the log doesn't have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<StepReport>,
    /// Digest of the data set.
    pub data: String,
    /// The recipe, as config.toml has it; absent in checkpoints of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// SHA-256 of every other file of the checkpoint.
    pub files: BTreeMap<String, String>,
}

const VERSION: u32 = 1;

/// Size limit of state.json, and of what a file of tensors holds besides their values, in bytes.
const MAX_STATE: u64 = 1 << 20;
const MAX_HEADER: u64 = 4 << 20;

/// Most steps, updates and images: numbers up to it are exact in every program that reads JSON.
const MAX_COUNT: u64 = 1 << 53;

/// The beginning of state.json; the digest of the rest follows.
const DIGEST_KEY: &str = "{\n  \"digest\": \"";

impl State {
    /// Length of events.jsonl from which a resume goes on: what an end has logged belongs to no schedule and is cut off.
    pub fn resumed_bytes(&self) -> u64 {
        self.bytes_before_end.unwrap_or(self.events_bytes)
    }

    /// The file's text, with its digest.
    fn text(&self) -> Result<Vec<u8>> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|e| Error::run(format!("the checkpoint's state can't be written: {e}"), "report this"))?;
        let rest = text.strip_prefix(b"{\n").unwrap_or(&text);
        Ok([DIGEST_KEY.as_bytes(), Digest::of(rest).as_bytes(), b"\",\n", rest].concat())
    }

    /// Reads what [`Self::text`] writes, or an earlier version has written, which knew no digest.
    fn parse(text: &[u8]) -> std::result::Result<Self, String> {
        let value: serde_json::Value = serde_json::from_slice(text).map_err(|e| e.to_string())?;
        if let Some(expected) = value.get("digest") {
            let rest = text.strip_prefix(DIGEST_KEY.as_bytes()).and_then(|rest| rest.splitn(2, |b| *b == b'\n').nth(1));
            if rest.is_none_or(|rest| *expected != Digest::of(rest)) {
                return Err("its contents don't fit its digest".into());
            }
        }
        let state: Self = serde_json::from_value(value).map_err(|e| e.to_string())?;
        state.check().map(|()| state)
    }

    /// Refuses numbers that no training can have.
    fn check(&self) -> std::result::Result<(), String> {
        let counts = [
            ("step", self.step, 0),
            ("images", self.images, self.step),
            ("generator_updates", self.generator_updates, self.step),
            ("discriminator_updates", self.discriminator_updates, self.step),
        ];
        for (name, value, least) in counts {
            if !(least..=MAX_COUNT).contains(&value) {
                return Err(format!("{name} is {value}, expected {least} to {MAX_COUNT}"));
            }
        }
        if !(self.train_s >= 0.0 && self.train_s.is_finite()) {
            return Err(format!("train_s is {}, expected seconds", self.train_s));
        }
        if !(0.0..=1.0).contains(&self.augment) {
            return Err(format!("augment is {}, expected a probability", self.augment));
        }
        if self.resumed_bytes() > self.events_bytes {
            return Err(format!("bytes_before_end is {}, more than events_bytes", self.resumed_bytes()));
        }
        Ok(())
    }
}

/// What a checkpoint knows of its run; the rest is the training's.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunState {
    pub events_bytes: u64,
    pub bytes_before_end: Option<u64>,
    pub log: Option<String>,
    pub best: Option<f64>,
    pub off_schedule: bool,
    pub report: Option<StepReport>,
}

/// Writes `gan` as the checkpoint folder `place`, replacing an older one.
///
/// # Errors
/// A folder that can't be written; the older one is unchanged.
pub fn save(place: &Path, gan: &Gan, events_bytes: u64, best: Option<f64>) -> Result<()> {
    save_in_run(place, gan, RunState { events_bytes, best, ..RunState::default() })
}

/// As [`save`], with all that is known of the run. A checkpoint that is off the schedule leaves the one that it replaces, which is
/// on it, beside it: [`forget_off_schedule`].
pub(crate) fn save_in_run(place: &Path, gan: &Gan, run: RunState) -> Result<()> {
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
        write_file(&temporary.join(&name), &bytes)?;
        files.insert(name, Digest::of(&bytes));
    }
    let state = State {
        version: VERSION,
        step: gan.progress.step,
        images: gan.progress.images,
        train_s: gan.progress.train_s,
        augment: gan.progress.augment,
        generator_updates: gan.generator.updates(),
        discriminator_updates: gan.discriminator.updates(),
        events_bytes: run.events_bytes,
        bytes_before_end: run.bytes_before_end,
        log: run.log,
        best: run.best,
        off_schedule: run.off_schedule,
        report: run.report,
        data: gan.dataset().fingerprint(),
        recipe: Some(gan.recipe.to_toml()?),
        files,
    };
    write_file(&temporary.join(STATE), &state.text()?)?;
    let on_schedule = sibling(place, ON_SCHEDULE);
    if run.off_schedule && is_whole(place) && !on_schedule.exists() {
        fs::rename(place, &on_schedule).map_err(Error::io("rename", place))?;
    }
    swap(place, &temporary)
}

/// Takes back what [`save_in_run`] has saved at `place` off the schedule, if it has: the checkpoint before it is there again, or
/// none.
///
/// # Errors
/// A folder that can't be renamed or removed.
pub(crate) fn forget_off_schedule(place: &Path) -> Result<()> {
    let is_off_schedule = |folder: &Path| read_state(folder).is_ok_and(|state| state.off_schedule);
    let (new, old) = (sibling(place, "new"), sibling(place, "old"));
    for folder in [&new, &old] {
        if is_off_schedule(folder) {
            fs::remove_dir_all(folder).map_err(Error::io("remove", folder))?;
        }
    }
    if is_off_schedule(place) {
        // Under another name, so that no part of it is taken for a checkpoint should it be removed in part.
        let _ = fs::remove_dir_all(&new);
        fs::rename(place, &new).map_err(Error::io("rename", place))?;
        fs::remove_dir_all(&new).map_err(Error::io("remove", &new))?;
    }
    let on_schedule = sibling(place, ON_SCHEDULE);
    if is_whole(&on_schedule) { swap(place, &on_schedule) } else { Ok(()) }
}

/// Writes `state` as that of the checkpoint folder `place`.
///
/// # Errors
/// A file that can't be written.
pub(crate) fn write_state(place: &Path, state: &State) -> Result<()> {
    write_file(&place.join(STATE), &state.text()?)
}

/// Removes what kills have left beside complete checkpoints in `folder`.
pub(crate) fn tidy(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_leftover = match name.rsplit_once('.') {
            Some((name, "old")) => is_whole(&folder.join(name)),
            Some((name, "new")) => is_whole(&folder.join(name)) || !is_whole(&path),
            _ => false,
        };
        if is_leftover {
            // What can't be removed is removed when the checkpoint is saved again, or told then.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// Renames the complete folder `temporary` to `place`. Between the two renames `place` is missing; [`recover`] handles
/// that.
fn swap(place: &Path, temporary: &Path) -> Result<()> {
    let old = sibling(place, "old");
    let replaces = place.exists();
    if replaces {
        if old.exists() {
            fs::remove_dir_all(&old).map_err(Error::io("remove", &old))?;
        }
        fs::rename(place, &old).map_err(Error::io("rename", place))?;
    }
    if let Err(error) = fs::rename(temporary, place) {
        if replaces {
            // What was there is there again.
            let _ = fs::rename(&old, place);
        }
        return Err(Error::io("rename", temporary)(error));
    }
    if let Some(parent) = place.parent()
        && let Ok(folder) = File::open(parent)
    {
        // Not every system can flush a folder; the rename is complete in any case.
        let _ = folder.sync_all();
    }
    // What can't be removed is no loss: the next save removes it, or tells.
    let _ = fs::remove_dir_all(&old);
    Ok(())
}

/// The file that is written last.
const STATE: &str = "state.json";

/// The ending of the folder of a checkpoint that is on the schedule, while one off it has its name.
const ON_SCHEDULE: &str = "on-schedule";

/// The endings of folders that are no checkpoints of their own.
const ENDINGS: [&str; 3] = ["new", "old", ON_SCHEDULE];

/// Whether `folder` is a complete checkpoint.
pub(super) fn is_whole(folder: &Path) -> bool {
    folder.join(STATE).is_file()
}

/// Whether `name` is that of a folder beside a checkpoint while it is replaced.
pub(super) fn is_beside(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| ENDINGS.contains(&ending))
}

/// The folder of the checkpoint `place`: itself, or the one that a kill between two renames left.
fn recover(place: &Path) -> Result<PathBuf> {
    let beside = ENDINGS.map(|ending| sibling(place, ending));
    std::iter::once(place.to_path_buf()).chain(beside).find(|c| is_whole(c)).ok_or_else(|| {
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
    let state = read_state(&place)?;
    Ok((place, state))
}

fn read_state(folder: &Path) -> Result<State> {
    let path = folder.join(STATE);
    let bytes = read_plain(&path, MAX_STATE).map_err(Error::io("read", &path))?;
    let state = State::parse(&bytes).map_err(|why| {
        Error::run(format!("{} was changed or is damaged: {why}", path.display()), super::ANOTHER_CHECKPOINT)
    })?;
    if state.version != VERSION {
        return Err(Error::run(
            format!("{} has version {}, expected {VERSION}", path.display(), state.version),
            "use the release of faussaire that wrote it",
        ));
    }
    Ok(state)
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
        let near = crate::data::did_you_mean(name, names.iter().map(String::as_str));
        let known = if names.is_empty() { "none yet".into() } else { names.join(", ") };
        Err(Error::run(
            format!("there is no checkpoint {name} in {}; {near}expected one of: {known}", self.path().display()),
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
    if !gan.dataset().matches(&state.data) {
        let weights = place.join(format!("{}.safetensors", gan.generator.net.name()));
        return Err(Error::run(
            format!("the data set {} is not the one that this run was started with", gan.dataset().name()),
            format!(
                "use the original images (`data.source`, `data.dir`), or start a new run on these with the weights of this \
                 one (`train.init={}`)",
                weights.display()
            ),
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
    if state.files.get(file).is_none_or(|expected| *expected != Digest::of(&bytes)) {
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

fn sibling(place: &Path, suffix: &str) -> PathBuf {
    let mut name = place.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(suffix);
    place.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            version: VERSION,
            step: 30,
            images: 240,
            train_s: 0.1 + 0.2,
            augment: 1.0 / 3.0,
            generator_updates: 30,
            discriminator_updates: 60,
            events_bytes: 900,
            bytes_before_end: Some(700),
            log: None,
            best: Some(0.123_456_789_012_345_67),
            off_schedule: false,
            report: None,
            data: "d".into(),
            recipe: None,
            files: BTreeMap::new(),
        }
    }

    #[test]
    fn a_state_is_read_to_the_last_bit_and_no_other() {
        let text = state().text().unwrap();
        assert_eq!(State::parse(&text).unwrap(), state());
        assert_eq!(state().resumed_bytes(), 700);
        // Whatever is changed is told: here each byte in turn.
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            // A changed name of the key leaves the rest as it was.
            let read = State::parse(&changed);
            assert!(read.is_err() || read.as_ref() == Ok(&state()), "byte {at}: {read:?}");
        }
    }

    #[test]
    fn a_state_without_a_digest_is_held_to_ranges() {
        let of = |state: &State| State::parse(&serde_json::to_vec(state).unwrap());
        assert_eq!(of(&state()).unwrap(), state());
        let refused = |change: fn(&mut State), name: &str| {
            let mut state = state();
            change(&mut state);
            let why = of(&state).unwrap_err();
            assert!(why.starts_with(name), "{why}");
        };
        refused(|s| s.step = u64::MAX, "step");
        refused(|s| s.step = 31, "generator_updates");
        refused(|s| s.generator_updates = u64::MAX, "generator_updates");
        refused(|s| s.discriminator_updates = 29, "discriminator_updates");
        refused(|s| s.images = 3, "images");
        refused(|s| s.augment = 1.5, "augment");
        refused(|s| s.train_s = -1.0, "train_s");
        refused(|s| s.bytes_before_end = Some(901), "bytes_before_end");
    }

    #[test]
    fn what_kills_left_is_removed_and_what_may_be_needed_stays() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, whole: bool| {
            fs::create_dir(folder.path().join(name)).unwrap();
            if whole {
                fs::write(folder.path().join(name).join(STATE), "").unwrap();
            }
        };
        for (name, whole) in
            [("latest", true), ("latest.old", true), ("latest.new", false), ("best.new", true), ("best.old", true)]
        {
            make(name, whole);
        }
        tidy(folder.path());
        let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["best.new", "best.old", "latest"]);
    }
}

//! Trainings started by the studio: processes of this same program in their own process group, so that they survive Ctrl-C in
//! the studio's terminal and the studio's exit. Their output goes to `training.log` in the run's folder.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{Path as Named, State};
use axum::http::StatusCode;
use faussaire::data::{open_plain_with, read_plain};
use faussaire::run::{Run, TRAINING_LOG};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Studio, new};
use crate::body::Body;
use crate::errors::{Answer, Failure};
use crate::guard::TOKEN_VARIABLE;

/// Maximum concurrent trainings.
const MAX_TRAININGS: usize = 8;
/// A new training that has not failed after this time counts as started.
const START_TIMEOUT: Duration = Duration::from_secs(4);
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Size limit of a training's output, in bytes.
const MAX_LOG: u64 = 1 << 20;

/// The runs whose process was started by this studio and is alive.
#[derive(Debug, Default)]
pub(crate) struct Trainings(Mutex<BTreeSet<String>>);

impl Trainings {
    fn set(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the process of run `id` is alive.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.set().contains(id)
    }
}

/// A training's slot, released on drop.
struct TrainingSlot {
    studio: Arc<Studio>,
    id: String,
}

impl Drop for TrainingSlot {
    fn drop(&mut self) {
        self.studio.trainings.set().remove(&self.id);
        self.studio.index.invalidate();
    }
}

impl TrainingSlot {
    /// Reserves a slot for run `id`: at most [`MAX_TRAININGS`] in total, and one per run.
    fn reserve(studio: &Arc<Studio>, id: &str) -> Answer<Self> {
        let mut set = studio.trainings.set();
        if set.contains(id) {
            return Err(Failure::conflict(format!("{id} is being trained"), "stop it first, or wait until it ends"));
        }
        if set.len() >= MAX_TRAININGS {
            return Err(Failure::busy(format!("{MAX_TRAININGS} trainings are running already")));
        }
        set.insert(id.to_owned());
        Ok(Self { studio: Arc::clone(studio), id: id.to_owned() })
    }
}

/// How long to continue a run.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResumeRequest {
    steps: Option<u64>,
    epochs: Option<u64>,
    time: Option<String>,
}

/// Creates the next folder for `label` and starts `faussaire` with `args`.
pub(super) async fn start(studio: &Arc<Studio>, label: &str, mut args: Vec<String>) -> Answer<String> {
    let (index, label) = (Arc::clone(&studio.index), label.to_owned());
    let path = studio.work.read(move || Ok(Run::reserve(index.runs_dir.root(), &label)?)).await?;
    let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    args.extend([format!("--run={}", path.display()), "--quiet".into()]);
    let begun = match TrainingSlot::reserve(studio, &id) {
        Ok(slot) => launch(slot, path.clone(), &args).await,
        Err(refusal) => Err(refusal),
    };
    if begun.is_err() {
        remove_empty(&path);
    }
    begun.map(|()| id)
}

/// Removes a folder without a run; a folder with other files stays.
fn remove_empty(path: &Path) {
    if !path.join("config.toml").exists() {
        let _ = fs::remove_file(path.join(TRAINING_LOG));
        let _ = fs::remove_dir(path);
    }
}

/// `faussaire train --resume`.
pub(super) async fn resume(
    State(studio): State<Arc<Studio>>,
    Named(id): Named<String>,
    Body(asked): Body<ResumeRequest>,
) -> Answer<(StatusCode, Json<Value>)> {
    let (shared, name) = (Arc::clone(&studio), id.clone());
    let find = move || {
        // The training would write through links as it reads through them.
        let path = shared.checked(&name)?;
        Ok((Run::open(&path)?.is_training(), path))
    };
    let (training, path) = studio.work.read(find).await?;
    if training || studio.trainings.has(&id) {
        return Err(Failure::conflict(format!("{id} is being trained"), "stop it first, or wait until it ends"));
    }
    let mut args = vec!["train".to_owned(), format!("--resume={}", path.display()), "--quiet".into()];
    args.extend(asked.steps.map(|n| format!("--steps={n}")));
    args.extend(asked.epochs.map(|n| format!("--epochs={n}")));
    args.extend(asked.time.as_deref().map(new::time).transpose()?.map(|time| format!("--time={time}")));
    launch(TrainingSlot::reserve(&studio, &id)?, path, &args).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))))
}

/// Asks a training to save and stop, also one started elsewhere.
pub(super) async fn stop(
    State(studio): State<Arc<Studio>>,
    Named(id): Named<String>,
    Body(Empty {}): Body<Empty>,
) -> Answer<(StatusCode, Json<Value>)> {
    let index = Arc::clone(&studio.index);
    let ask = move || {
        let run = Run::open(&index.runs_dir.run(&id)?)?;
        if !run.is_training() {
            return Err(Failure::conflict(format!("{id} is not being trained"), "it may have just ended"));
        }
        run.ask_to_stop()?;
        Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))))
    };
    studio.work.read(ask).await
}

/// The body `{}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Empty {}

/// Starts a process, and waits until it trains, has ended, or takes longer (as for a download). The client may disconnect
/// meanwhile: a separate task waits for the process and releases its slot.
async fn launch(slot: TrainingSlot, path: PathBuf, args: &[String]) -> Answer<()> {
    let refused = |e: std::io::Error| Failure::internal(format!("the training can't be started: {e}"));
    let log_path = path.join(TRAINING_LOG);
    if fs::symlink_metadata(&log_path).is_ok_and(|meta| !meta.is_file()) {
        return Err(Failure::conflict(
            format!("{TRAINING_LOG} in the run's folder is not a regular file"),
            "remove it",
        ));
    }
    let mut access = OpenOptions::new();
    let output = open_plain_with(access.write(true).create(true).truncate(true), &log_path).map_err(refused)?;
    let (program, first) = &slot.studio.program;
    let mut command = Command::new(program);
    // The studio's token is not the training's business.
    command
        .args(first)
        .args(args)
        .env_remove(TOKEN_VARIABLE)
        .stdin(Stdio::null())
        .stdout(output.try_clone().map_err(refused)?)
        .stderr(output);
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(refused)?;
    let (send, started) = oneshot::channel();
    tokio::spawn(async move {
        let outcome = wait_for_start(&mut child, &path).await;
        let ended = outcome.is_some();
        let begun = outcome.unwrap_or(Ok(()));
        if ended {
            if begun.is_err() {
                remove_empty(&path);
            }
            drop(slot);
            let _ = send.send(begun);
        } else {
            let _ = send.send(begun);
            let _ = child.wait().await;
            drop(slot);
        }
    });
    started.await.unwrap_or_else(|_| Err(Failure::internal("the training's start was not observed")))
}

/// Waits for a training to start; its outcome, if it ends at once.
async fn wait_for_start(child: &mut Child, path: &Path) -> Option<Answer<()>> {
    let began = Instant::now();
    while began.elapsed() < START_TIMEOUT {
        match child.try_wait() {
            Ok(None) => {}
            Ok(Some(status)) if status.success() => return Some(Ok(())),
            _ => {
                let (error, hint) =
                    last_error(path).unwrap_or_else(|| ("the training ended at once".into(), String::new()));
                return Some(Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, error, hint)));
            }
        }
        if Run::open(path).is_ok_and(|run| run.is_training()) {
            return None;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    None
}

/// The error and hint that a training started by the studio has left in its log.
pub(super) fn last_error(path: &Path) -> Option<(String, String)> {
    let file = path.join(TRAINING_LOG);
    let plain = fs::symlink_metadata(&file).is_ok_and(|meta| meta.is_file());
    let text = plain.then(|| String::from_utf8(read_plain(&file, MAX_LOG).ok()?).ok())??;
    let error = text.split("error: ").skip(1).last()?;
    let (error, hint) = error.split_once("\nhint: ").unwrap_or((error, ""));
    // Flags are for users of the command line.
    let hint = hint.split("\nflags: ").next().unwrap_or(hint);
    Some((error.trim().to_owned(), hint.trim().to_owned()))
}

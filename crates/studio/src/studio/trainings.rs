//! Trainings that the studio starts: processes of this same program, in a process group of their own, so that neither
//! Ctrl-C in the studio's terminal nor its end stops them. What they say goes to `training.log` in the run's folder.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{Path as Named, State};
use axum::http::StatusCode;
use faussaire::run::{Run, WORDS};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{Studio, new};
use crate::body::Body;
use crate::errors::{Answer, Failure, aside};

/// Trainings at once.
const MOST: usize = 8;
/// How long a new training may take to fail before it counts as begun.
const BEGUN: Duration = Duration::from_secs(4);
const LOOK: Duration = Duration::from_millis(50);

/// The runs whose process this studio has started, while it lives.
#[derive(Debug, Default)]
pub(crate) struct Trainings(Mutex<BTreeSet<String>>);

impl Trainings {
    fn set(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the process of the run called `id` is alive.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.set().contains(id)
    }
}

/// The place of a training among those under way, given back when this goes.
struct Entry {
    studio: Arc<Studio>,
    id: String,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.studio.trainings.set().remove(&self.id);
        self.studio.board.look_again();
    }
}

impl Entry {
    /// A place for the run called `id`: at most [`MOST`] at once, and one for each run.
    fn of(studio: &Arc<Studio>, id: &str) -> Answer<Self> {
        let mut set = studio.trainings.set();
        if set.contains(id) {
            return Err(Failure::conflict(format!("{id} is being trained"), "stop it first, or wait until it ends"));
        }
        if set.len() >= MOST {
            return Err(Failure::busy(format!("{MOST} trainings are under way already")));
        }
        set.insert(id.to_owned());
        Ok(Self { studio: Arc::clone(studio), id: id.to_owned() })
    }
}

/// How long to go on.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Further {
    steps: Option<u64>,
    epochs: Option<u64>,
    time: Option<String>,
}

/// Makes the next folder for `label` and starts `faussaire` there with `words`.
pub(super) async fn start(studio: &Arc<Studio>, label: &str, mut words: Vec<String>) -> Answer<String> {
    let path = Run::reserve(studio.board.place.root(), label)?;
    let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    words.extend([format!("--run={}", path.display()), "--quiet".into()]);
    let begun = match Entry::of(studio, &id) {
        Ok(entry) => launch(entry, path.clone(), &words).await,
        Err(refusal) => Err(refusal),
    };
    if begun.is_err() {
        clear(&path);
    }
    begun.map(|()| id)
}

/// Takes away a folder of which nothing came; one with something in it stays.
fn clear(path: &Path) {
    if !path.join("config.toml").exists() {
        let _ = fs::remove_file(path.join(WORDS));
        let _ = fs::remove_dir(path);
    }
}

/// `faussaire train --resume`.
pub(super) async fn resume(
    State(studio): State<Arc<Studio>>,
    Named(id): Named<String>,
    Body(further): Body<Further>,
) -> Answer<(StatusCode, Json<Value>)> {
    let path = studio.board.place.run(&id)?;
    if Run::open(&path)?.is_training() || studio.trainings.has(&id) {
        return Err(Failure::conflict(format!("{id} is being trained"), "stop it first, or wait until it ends"));
    }
    let mut words = vec!["train".to_owned(), format!("--resume={}", path.display()), "--quiet".into()];
    words.extend(further.steps.map(|n| format!("--steps={n}")));
    words.extend(further.epochs.map(|n| format!("--epochs={n}")));
    words.extend(further.time.as_deref().map(new::time).transpose()?.map(|time| format!("--time={time}")));
    launch(Entry::of(&studio, &id)?, path, &words).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))))
}

/// Asks a training to save and to stop, whoever started it.
pub(super) async fn stop(
    State(studio): State<Arc<Studio>>,
    Named(id): Named<String>,
    Body(Nothing {}): Body<Nothing>,
) -> Answer<(StatusCode, Json<Value>)> {
    aside(move || {
        let run = Run::open(&studio.board.place.run(&id)?)?;
        if !run.is_training() {
            return Err(Failure::conflict(format!("{id} is not being trained"), "it may have ended just now"));
        }
        run.ask_to_stop()?;
        Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))))
    })
    .await
}

/// `{}`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Starts a process, and waits until it trains, has ended, or takes longer (as when it fetches data). Who asked for it may go
/// away meanwhile: a task of its own waits for the process and gives its place back.
async fn launch(entry: Entry, path: PathBuf, words: &[String]) -> Answer<()> {
    let refused = |e: std::io::Error| Failure::internal(format!("the training can't be started: {e}"));
    let words_file = path.join(WORDS);
    if fs::symlink_metadata(&words_file).is_ok_and(|meta| !meta.is_file()) {
        return Err(Failure::conflict(format!("{WORDS} in the run's folder is no plain file"), "take it away"));
    }
    let log = File::create(words_file).map_err(refused)?;
    let mut command = Command::new(&entry.studio.program);
    command.args(words).stdin(Stdio::null()).stdout(log.try_clone().map_err(refused)?).stderr(log);
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(refused)?;
    let (tell, told) = oneshot::channel();
    tokio::spawn(async move {
        let outcome = settle(&mut child, &path).await;
        let ended = outcome.is_some();
        let begun = outcome.unwrap_or(Ok(()));
        if ended {
            if begun.is_err() {
                clear(&path);
            }
            drop(entry);
            let _ = tell.send(begun);
        } else {
            let _ = tell.send(begun);
            let _ = child.wait().await;
            drop(entry);
        }
    });
    told.await.unwrap_or_else(|_| Err(Failure::internal("the training's start was not seen to its end")))
}

/// The end of a training, if it comes at once.
async fn settle(child: &mut Child, path: &Path) -> Option<Answer<()>> {
    let began = Instant::now();
    while began.elapsed() < BEGUN {
        match child.try_wait() {
            Ok(None) => {}
            Ok(Some(status)) if status.success() => return Some(Ok(())),
            _ => {
                let (error, hint) =
                    last_words(path).unwrap_or_else(|| ("the training ended at once".into(), String::new()));
                return Some(Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, error, hint)));
            }
        }
        if Run::open(path).is_ok_and(|run| run.is_training()) {
            return None;
        }
        tokio::time::sleep(LOOK).await;
    }
    None
}

/// What went wrong and what to do about it, as a training that the studio started has left it.
pub(super) fn last_words(path: &Path) -> Option<(String, String)> {
    let file = path.join(WORDS);
    let plain = fs::symlink_metadata(&file).is_ok_and(|meta| meta.is_file() && meta.len() < 1 << 20);
    let text = plain.then(|| fs::read_to_string(&file).ok())??;
    let error = text.split("error: ").skip(1).last()?;
    let (error, hint) = error.split_once("\nhint: ").unwrap_or((error, ""));
    // Flags are for whoever typed the command.
    let hint = hint.split("\nflags: ").next().unwrap_or(hint);
    Some((error.trim().to_owned(), hint.trim().to_owned()))
}

//! What a run has come to, without what depends on the clock: to tell whether a run that was disturbed equals a calm one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use faussaire::data::Digest;
use serde_json::Value;

use super::events;

/// Whatever must be the same, by its name, as text or as a digest of bytes.
pub type RunState = BTreeMap<String, String>;

/// Endings of what a kill may leave in a run's folder, which the next command there removes or ignores.
const LEFT: [&str; 3] = [".old", ".new", ".part"];

/// Keys of `state.json` and of events that depend on the clock, or on the length of what does.
const BY_CLOCK: [&str; 8] =
    ["train_s", "events_bytes", "bytes_before_end", "log", "digest", "machine", "steps", "steps_per_epoch"];

/// The state of the run in `folder`: checkpoints, sheets, recipes, events.
pub fn run_state(folder: &Path) -> RunState {
    let mut state = RunState::new();
    for name in names(&folder.join("checkpoints")) {
        let checkpoint = folder.join("checkpoints").join(&name);
        for file in names(&checkpoint) {
            let bytes = fs::read(checkpoint.join(&file)).unwrap();
            let what = if file == "state.json" { stateful(&bytes) } else { digest(&bytes) };
            state.insert(format!("checkpoints/{name}/{file}"), what);
        }
    }
    for recipe in ["config.toml", "config.first.toml"] {
        let text = fs::read_to_string(folder.join(recipe)).unwrap_or_default();
        state.insert(recipe.to_owned(), text);
    }
    state.insert("report.html".to_owned(), folder.join("report.html").is_file().to_string());
    let log = if folder.join("events.jsonl").is_file() { events(folder) } else { Vec::new() };
    // The sheet of a stop stays beside those that the log names.
    for sheet in log.iter().filter_map(|event| event["file"].as_str()) {
        let image = fs::read(folder.join(sheet)).ok();
        state.insert(sheet.to_owned(), image.map_or("missing".into(), |bytes| digest(&bytes)));
    }
    for (at, event) in log.into_iter().filter(is_of_steps).enumerate() {
        state.insert(format!("event {at:05}"), without_clock(event).to_string());
    }
    state
}

/// How `found` differs from `expected`, in a few lines; empty where it doesn't.
pub fn difference(found: &RunState, expected: &RunState) -> String {
    let all: std::collections::BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    let differ: Vec<_> = all.into_iter().filter(|name| found.get(*name) != expected.get(*name)).collect();
    let short = |state: &RunState, name: &str| state.get(name).map_or("none".into(), |text| shortened(text));
    let lines = differ
        .iter()
        .take(4)
        .map(|name| format!("\n    {name}: {} instead of {}", short(found, name), short(expected, name)));
    let more = if differ.len() > 4 { format!("\n    and {} more", differ.len() - 4) } else { String::new() };
    lines.collect::<String>() + &more
}

fn shortened(text: &str) -> String {
    text.chars().take(160).collect()
}

/// The names in a folder, in order, without what may be left of something unfinished; none without the folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !LEFT.iter().any(|ending| name.ends_with(ending)));
    names.sort();
    names
}

/// Whether the steps alone decide on an event. Starts, ends and saves by the clock are where somebody stopped.
fn is_of_steps(event: &Value) -> bool {
    !matches!(event["event"].as_str(), Some("start" | "end")) && event["name"] != "latest"
}

fn without_clock(mut value: Value) -> Value {
    if let Some(map) = value.as_object_mut() {
        BY_CLOCK.iter().for_each(|key| drop(map.remove(*key)));
        map.values_mut().for_each(|value| *value = without_clock(std::mem::take(value)));
    }
    value
}

fn stateful(bytes: &[u8]) -> String {
    without_clock(serde_json::from_slice(bytes).unwrap()).to_string()
}

/// The SHA-256 of `bytes`.
pub fn digest(bytes: &[u8]) -> String {
    let mut digest = Digest::new();
    digest.update(bytes);
    digest.finish()
}

//! A run's log, read as events, and mended before a run is resumed: a line that was cut, changed or lost must neither stop a
//! run of days nor go unsaid.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{Run, State, write_state};
use crate::data::{Digest, PartFile, open_plain, printable, write_file};
use crate::error::{Error, Result};
use crate::train::Event;

/// Largest log that is read, in bytes.
pub const MAX_LOG_BYTES: u64 = 1 << 30;
/// Longest line of a log, in bytes, its end included.
pub const MAX_LOG_LINE: u64 = 1 << 20;

/// What a mended log was, beside it.
const DAMAGED: &str = "events.damaged.jsonl";

impl Run {
    /// The path of its log.
    pub(crate) fn log_path(&self) -> PathBuf {
        self.path().join("events.jsonl")
    }

    /// The events of its log, oldest first; those of its first `bytes` only, if given. An incomplete last line is
    /// skipped. Empty without a log.
    ///
    /// # Errors
    /// A log that can't be read, or a line that is not an event.
    pub fn events(&self, bytes: Option<u64>) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        self.each_event(bytes, |event| events.push(event))?;
        Ok(events)
    }

    /// Calls `each` with every event that [`Self::events`] would give, without keeping them.
    ///
    /// # Errors
    /// As [`Self::events`].
    pub(crate) fn each_event(&self, bytes: Option<u64>, mut each: impl FnMut(Event)) -> Result<()> {
        let path = self.log_path();
        self.each_line(bytes, |at, line| {
            each(event(line).map_err(|why| refused(&path, at, &why))?);
            Ok(())
        })
    }

    /// As [`Self::events`], without the lines that can't be read, of which [`Self::mend_log`] speaks.
    pub(crate) fn readable_events(&self, bytes: u64) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        self.each_line(Some(bytes), |_, line| {
            events.extend(event(line).ok());
            Ok(())
        })?;
        Ok(events)
    }

    /// Calls `each` with the number (from 0) and the text of every complete line of the log, of its first `bytes` if given. Of a
    /// line that is too long for an event, it gets the beginning.
    fn each_line(&self, bytes: Option<u64>, mut each: impl FnMut(usize, &[u8]) -> Result<()>) -> Result<()> {
        let path = self.log_path();
        let Some(log) = self.open_log()? else { return Ok(()) };
        let mut log = BufReader::new(log.take(bytes.unwrap_or(MAX_LOG_BYTES).min(MAX_LOG_BYTES)));
        let mut line = Vec::new();
        for at in 0.. {
            line.clear();
            let read = |e| Error::io("read", &path)(e);
            log.by_ref().take(MAX_LOG_LINE + 1).read_until(b'\n', &mut line).map_err(read)?;
            let whole =
                line.ends_with(b"\n") || line.len() as u64 > MAX_LOG_LINE && log.skip_until(b'\n').map_err(read)? > 0;
            if !whole {
                break;
            }
            each(at, &line)?;
        }
        Ok(())
    }

    /// None without a log.
    fn open_log(&self) -> Result<Option<File>> {
        let path = self.log_path();
        match open_plain(&path) {
            Ok(log) => Ok(Some(log)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) if e.kind() == ErrorKind::InvalidData => Err(Error::run(
                format!("{} is not a regular file", path.display()),
                "put the run's log back, or move this away: without a log the run can be resumed, too",
            )),
            Err(e) => Err(Error::io("read", &path)(e)),
        }
    }

    /// The first `bytes` of the log, or as much as there is; none without a log.
    fn log_text(&self, bytes: u64) -> Result<Option<Vec<u8>>> {
        let Some(log) = self.open_log()? else { return Ok(None) };
        let mut text = Vec::new();
        log.take(bytes.min(MAX_LOG_BYTES)).read_to_end(&mut text).map_err(Error::io("read", &self.log_path()))?;
        Ok(Some(text))
    }

    /// Makes the log that of the checkpoint `state` in `place` again, as far as it can be: without lines that can't be read.
    /// What was lost is returned, and `state` changed where the log is another one now.
    ///
    /// # Errors
    /// A log that can't be read or written, or that has events of a later version.
    pub(crate) fn mend_log(&self, place: &Path, state: &mut State) -> Result<Vec<String>> {
        let (path, expected) = (self.log_path(), state.resumed_bytes());
        let Some(text) = self.log_text(expected)? else {
            if expected == 0 {
                return Ok(Vec::new());
            }
            self.keep_mended(place, state, &[])?;
            let lost = "curves, findings and heals before it are lost";
            return Ok(vec![format!(
                "{} is missing: it begins anew after step {}; {lost}",
                path.display(),
                state.step
            )]);
        };
        let mut kept = Vec::new();
        let mut unreadable = Vec::new();
        for (at, line) in whole_lines(&text).enumerate() {
            match event(line) {
                Ok(_) => kept.extend_from_slice(line),
                Err(why) if is_event_of_others(line) => return Err(refused(&path, at, &why)),
                Err(_) => unreadable.push((at + 1).to_string()),
            }
        }
        let mut remarks = Vec::new();
        if !unreadable.is_empty() {
            self.copy_log()?;
            let (lines, are) = if unreadable.len() == 1 { ("line", "is no event") } else { ("lines", "are no events") };
            remarks.push(format!(
                "{}: {lines} {} {are} and {} left out; {DAMAGED} is the log as it was",
                path.display(),
                shortened(&unreadable),
                if unreadable.len() == 1 { "was" } else { "were" },
            ));
        }
        let length = text.len() as u64;
        if length < expected {
            remarks.push(format!(
                "{} is {} bytes shorter than it was at step {}; curves and findings have a gap",
                path.display(),
                expected - length,
                state.step
            ));
        }
        let changed = state.log.as_ref().is_some_and(|log| *log != Digest::of(&text));
        if remarks.is_empty() && (changed || kept.len() as u64 != expected) {
            remarks.push(format!(
                "{} is not the log that this run has written, though it can be read: curves, findings and heals may be wrong",
                path.display()
            ));
        }
        if !remarks.is_empty() || kept.len() as u64 != expected {
            self.keep_mended(place, state, &kept)?;
        }
        Ok(remarks)
    }

    /// Keeps the log as it was.
    fn copy_log(&self) -> Result<()> {
        let (from, to) = (self.log_path(), self.path().join(DAMAGED));
        let mut log = open_plain(&from).map_err(Error::io("read", &from))?;
        let mut part = PartFile::create(&to)?;
        std::io::copy(&mut log, &mut part).map_err(Error::io("write", &to))?;
        part.commit()
    }

    /// Writes `kept` as the log, and that into the checkpoint `state` in `place`. After a kill in between the log is shorter than
    /// the checkpoint knows.
    fn keep_mended(&self, place: &Path, state: &mut State, kept: &[u8]) -> Result<()> {
        let path = self.log_path();
        if kept.is_empty() {
            OpenOptions::new()
                .create(true)
                .write(true)
                .truncate(true)
                .open(&path)
                .map_err(Error::io("create", &path))?;
        } else {
            write_file(&path, kept)?;
        }
        (state.events_bytes, state.bytes_before_end) = (kept.len() as u64, None);
        state.log = Some(Digest::of(kept));
        write_state(place, state)
    }
}

/// The complete lines of `text`.
fn whole_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"))
}

fn event(line: &[u8]) -> std::result::Result<Event, String> {
    if line.len() as u64 > MAX_LOG_LINE {
        return Err(format!("it is longer than {MAX_LOG_LINE} bytes"));
    }
    serde_json::from_slice(line).map_err(|e| printable(&e.to_string()).into_owned())
}

/// Whether the line is an event that this version doesn't know.
fn is_event_of_others(line: &[u8]) -> bool {
    let value = serde_json::from_slice::<serde_json::Value>(line).ok();
    let name = value.as_ref().and_then(|value| value.get("event")?.as_str());
    name.is_some_and(|name| {
        let known = serde_json::from_value::<Event>(serde_json::json!({ "event": name }));
        known.is_err_and(|e| e.to_string().starts_with("unknown variant"))
    })
}

fn refused(path: &Path, at: usize, why: &str) -> Error {
    Error::run(
        format!("{}: line {} is not an event: {why}", path.display(), at + 1),
        "the file was changed or damaged, or a later version wrote it; resuming the run mends a damaged log (`Trainer::resume`)",
    )
}

/// Line numbers as text; the first of many.
fn shortened(numbers: &[String]) -> String {
    const SHOWN: usize = 5;
    let more = if numbers.len() > SHOWN { format!(", ... ({} in all)", numbers.len()) } else { String::new() };
    numbers[..numbers.len().min(SHOWN)].join(", ") + &more
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::metrics::ScoreName;
    use crate::recipe::{Preset, Recipe};

    const END: &str = "{\"event\":\"end\",\"step\":3,\"reason\":\"time\"}\n";
    const SCORE: &str = "{\"event\":\"score\",\"step\":3,\"name\":\"x\",\"value\":0.5}\n";

    /// A run whose log is `text`, and a checkpoint that knows `known` of it.
    fn run(text: &[u8], known: &str) -> (tempfile::TempDir, Run, PathBuf, State) {
        let root = tempfile::tempdir().unwrap();
        let recipe = Recipe::parse(Preset::Ring.text(), "ring", &[]).unwrap();
        let run = Run::create_at(&root.path().join("mine"), &recipe).unwrap();
        fs::write(run.log_path(), text).unwrap();
        let state = serde_json::json!({
            "version": 1, "step": 3, "images": 24, "train_s": 0.0, "generator_updates": 3, "discriminator_updates": 3,
            "events_bytes": known.len(), "log": Digest::of(known.as_bytes()), "best": null, "data": "", "files": {},
        });
        let place = run.checkpoint("latest");
        fs::create_dir_all(&place).unwrap();
        (root, run, place, serde_json::from_value(state).unwrap())
    }

    #[test]
    fn whole_lines_are_events() {
        let (_root, run, ..) = run(format!("{END}{SCORE}{{\"eve").as_bytes(), "");
        let events = run.events(None).unwrap();
        assert_eq!(events.len(), 2);
        assert_eq!(events[1], Event::Score { step: 3, name: ScoreName::parse("x"), value: 0.5, error: None });
        assert_eq!(run.events(Some(END.len() as u64)).unwrap().len(), 1);
        fs::write(run.log_path(), "{}\n").unwrap();
        let error = run.events(None).unwrap_err().to_string();
        assert!(error.contains("events.jsonl: line 1 is not an event"), "{error}");
        assert_eq!(run.readable_events(100).unwrap(), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_none() {
        let long = " ".repeat(MAX_LOG_LINE as usize) + SCORE;
        let (_root, run, place, mut state) = run(format!("{END}{long}{SCORE}").as_bytes(), "");
        let error = run.events(None).unwrap_err().to_string();
        assert!(error.contains("events.jsonl: line 2 is not an event: it is longer than"), "{error}");
        assert_eq!(run.readable_events(1 << 30).unwrap().len(), 2);
        state.events_bytes = fs::metadata(run.log_path()).unwrap().len();
        let remarks = run.mend_log(&place, &mut state).unwrap();
        assert!(remarks[0].contains("line 2 is no event and was left out"), "{remarks:?}");
        assert_eq!(run.events(None).unwrap().len(), 2);
    }

    #[test]
    fn a_log_is_mended_once_and_what_was_lost_is_said() {
        let known = format!("{END}{SCORE}{END}{SCORE}");
        let cut = known.len() - 10;
        let torn = known.replacen("\"step\":3,\"name\"", "\u{1b}[2J, torn here", 1);
        assert_eq!(torn.len(), known.len());
        let other = known.replacen("0.5", "0.7", 1);
        let nothing: &[&str] = &[];
        for (text, kept, said) in [
            (known.clone() + "{\"torn", known.clone(), nothing),
            (known[..cut].to_owned(), format!("{END}{SCORE}{END}"), &["is 10 bytes shorter than it was at step 3"]),
            (String::new(), String::new(), &["shorter than it was"]),
            (torn.clone(), format!("{END}{END}{SCORE}"), &["line 2 is no event and was left out"]),
            (torn[..torn.len() - 9].to_owned(), format!("{END}{END}"), &["line 2 is no event", "shorter than it was"]),
            (other.clone(), other, &["is not the log that this run has written"]),
        ] {
            let (_root, run, place, mut state) = run(text.as_bytes(), &known);
            let remarks = run.mend_log(&place, &mut state).unwrap();
            assert_eq!(remarks.len(), said.len(), "{text}: {remarks:?}");
            assert!(remarks.iter().zip(said).all(|(remark, said)| remark.contains(said)), "{remarks:?}");
            let bytes = state.resumed_bytes();
            assert_eq!(bytes, kept.len() as u64, "{text}");
            assert_eq!(&fs::read_to_string(run.log_path()).unwrap()[..bytes as usize], kept);
            assert_eq!(run.events(Some(bytes)).unwrap().len(), kept.lines().count());
            let copy = fs::read_to_string(run.path().join(DAMAGED)).ok();
            assert_eq!(copy, said.iter().any(|said| said.contains("line 2")).then_some(text));
            assert_eq!(run.mend_log(&place, &mut state).unwrap(), nothing, "the second time there is nothing to say");
        }
    }

    #[test]
    fn a_log_that_is_lost_or_of_a_later_version_is_told() {
        let (_root, run, place, mut state) = run(b"", END);
        fs::remove_file(run.log_path()).unwrap();
        let remarks = run.mend_log(&place, &mut state).unwrap();
        assert!(remarks[0].contains("is missing: it begins anew after step 3"), "{remarks:?}");
        assert_eq!(state.resumed_bytes(), 0);
        let later = "{\"event\":\"wonder\",\"step\":3}\n";
        fs::write(run.log_path(), later).unwrap();
        state.events_bytes = later.len() as u64;
        let error = run.mend_log(&place, &mut state).unwrap_err().to_string();
        assert!(error.contains("unknown variant `wonder`"), "{error}");
        fs::remove_file(run.log_path()).unwrap();
        fs::create_dir(run.log_path()).unwrap();
        let error = run.mend_log(&place, &mut state).unwrap_err().to_string();
        assert!(error.contains("is not a regular file"), "{error}");
    }
}

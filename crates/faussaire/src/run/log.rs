//! A run's log, read as events.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::Run;
use crate::data::open_plain;
use crate::error::{Error, Result};
use crate::train::Event;

/// Largest log that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;
/// Longest line, in bytes.
const MAX_LINE: u64 = 1 << 20;

impl Run {
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
    pub(crate) fn each_event(&self, bytes: Option<u64>, each: impl FnMut(Event)) -> Result<()> {
        let path = self.path().join("events.jsonl");
        let file = match open_plain(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(Error::io("read", &path)(e)),
        };
        read(BufReader::new(file.take(bytes.unwrap_or(MAX_BYTES).min(MAX_BYTES))), &path, each)
    }
}

fn read(mut text: impl BufRead, path: &Path, mut each: impl FnMut(Event)) -> Result<()> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        text.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).map_err(Error::io("read", path))?;
        if line.len() as u64 == MAX_LINE && !line.ends_with(b"\n") {
            return Err(not_an_event(path, number, &format!("it is longer than {MAX_LINE} bytes")));
        }
        if !line.ends_with(b"\n") {
            break;
        }
        each(serde_json::from_slice(&line).map_err(|e| not_an_event(path, number, &e))?);
    }
    Ok(())
}

fn not_an_event(path: &Path, number: usize, why: &dyn std::fmt::Display) -> Error {
    Error::run(
        format!("{}: line {number} is not an event: {why}", path.display()),
        "the file was changed or damaged; remove the line, or start a new run",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ScoreName;

    fn read_all(text: &[u8]) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        read(text, Path::new("log"), |event| events.push(event)).map(|()| events)
    }

    #[test]
    fn whole_lines_are_events() {
        let lines = "{\"event\":\"end\",\"step\":3,\"reason\":\"time\"}\n{\"event\":\"score\",\"step\":3,\"name\":\"x\",\"value\":0.5}\n{\"eve";
        let events = read_all(lines.as_bytes()).unwrap();
        assert_eq!(events.len(), 2);
        assert_eq!(events[1], Event::Score { step: 3, name: ScoreName::parse("x"), value: 0.5 });
        let error = read_all(b"{}\n").unwrap_err().to_string();
        assert!(error.contains("log: line 1 is not an event"), "{error}");
        let long = [lines.as_bytes(), &vec![b' '; MAX_LINE as usize]].concat();
        let error = read_all(&long).unwrap_err().to_string();
        assert!(error.contains("log: line 3 is not an event: it is longer than"), "{error}");
    }
}

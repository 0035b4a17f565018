//! A run's log, read as events.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Run;
use crate::error::{Error, Result};
use crate::train::Event;

/// Largest log that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;

impl Run {
    /// The events of its log, oldest first; those of its first `bytes` only, if given. An incomplete last line is
    /// skipped. Empty without a log.
    ///
    /// # Errors
    /// A log that can't be read, or a line that is not an event.
    pub fn events(&self, bytes: Option<u64>) -> Result<Vec<Event>> {
        let path = self.path().join("events.jsonl");
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(Error::io("read", &path)(e)),
        };
        let mut text = Vec::new();
        file.take(bytes.unwrap_or(MAX_BYTES)).read_to_end(&mut text).map_err(Error::io("read", &path))?;
        read(&text, &path)
    }
}

fn read(text: &[u8], path: &Path) -> Result<Vec<Event>> {
    let lines = text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
    let parse = |(number, line): (usize, &[u8])| {
        serde_json::from_slice(line).map_err(|e| {
            Error::run(
                format!("{}: line {} is not an event: {e}", path.display(), number + 1),
                "the file was changed or damaged; remove the line, or start a new run",
            )
        })
    };
    lines.enumerate().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::ScoreName;

    #[test]
    fn whole_lines_are_events() {
        let lines = "{\"event\":\"end\",\"step\":3,\"reason\":\"time\"}\n{\"event\":\"score\",\"step\":3,\"name\":\"x\",\"value\":0.5}\n{\"eve";
        let events = read(lines.as_bytes(), Path::new("log")).unwrap();
        assert_eq!(events.len(), 2);
        assert_eq!(events[1], Event::Score { step: 3, name: ScoreName::parse("x"), value: 0.5, error: None });
        let error = read(b"{}\n", Path::new("log")).unwrap_err().to_string();
        assert!(error.contains("log: line 1 is not an event"), "{error}");
    }
}

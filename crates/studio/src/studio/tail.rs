//! Follows a growing log: reads the lines added since the last poll, a part of a large log at a time, and detects when a
//! resumed training has truncated the file and continued from an earlier line.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use faussaire::data::open_plain;
use faussaire::run::{MAX_LOG_BYTES, MAX_LOG_LINE};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 20;
/// Bytes after which the rest is left for the next poll.
const PART_BYTES: usize = 16 << 20;
/// Number of bytes before the position kept to detect a replaced file.
const MARK_BYTES: usize = 256;

/// A log file and the position up to which it was read.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    position: u64,
    /// The last bytes before the position.
    mark: Vec<u8>,
    /// Whether the file has lines that were left for the next poll.
    more: bool,
    /// Size and modification time at the last poll.
    seen: Option<(u64, std::time::SystemTime)>,
}

/// What a poll found.
#[derive(Debug, PartialEq)]
pub(super) enum Change {
    /// No new lines.
    None,
    /// New lines.
    Appended,
    /// The file was replaced or truncated: it is read from the start.
    Replaced,
}

impl Tail {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, position: 0, mark: Vec::new(), more: false, seen: None }
    }

    /// The modification time at the last poll.
    pub(super) fn changed(&self) -> Option<std::time::SystemTime> {
        self.seen.map(|(_, time)| time)
    }

    /// Whether the file existed at the last poll.
    pub(super) fn exists(&self) -> bool {
        self.seen.is_some()
    }

    /// Whether lines were left for the next poll.
    pub(super) fn has_more(&self) -> bool {
        self.more
    }

    /// Makes the next poll treat the file as changed: it could not be read, and nothing is left of a part.
    fn invalidate(&mut self) {
        (self.seen, self.more) = (None, false);
    }

    /// Checks the file; [`Self::read_lines`] reads the new lines.
    ///
    /// # Errors
    /// A file that can't be read, or is too large; the next poll treats it as changed.
    pub(super) fn poll(&mut self) -> io::Result<Change> {
        self.look().inspect_err(|_| self.invalidate())
    }

    fn look(&mut self) -> io::Result<Change> {
        let meta = match fs::symlink_metadata(&self.path) {
            Ok(meta) if meta.is_file() => meta,
            Ok(_) => return Err(io::Error::other("it is not a regular file")),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let existed = self.seen.take().is_some() || self.position > 0;
                (self.position, self.mark, self.more) = (0, Vec::new(), false);
                return Ok(if existed { Change::Replaced } else { Change::None });
            }
            Err(e) => return Err(e),
        };
        if meta.len() > MAX_LOG_BYTES {
            return Err(io::Error::other(format!("it is larger than {MAX_LOG_BYTES} bytes")));
        }
        let now = (meta.len(), meta.modified()?);
        if self.seen == Some(now) {
            return Ok(if self.more { Change::Appended } else { Change::None });
        }
        self.seen = Some(now);
        if meta.len() < self.position || !self.mark_matches()? {
            (self.position, self.mark) = (0, Vec::new());
            return Ok(Change::Replaced);
        }
        Ok(if meta.len() > self.position { Change::Appended } else { Change::None })
    }

    fn mark_matches(&self) -> io::Result<bool> {
        let mut end = vec![0; self.mark.len()];
        let mut file = open_plain(&self.path)?;
        file.seek(SeekFrom::Start(self.position - self.mark.len() as u64))?;
        file.read_exact(&mut end)?;
        Ok(end == self.mark)
    }

    /// Calls `each` with complete lines after the position, and advances it: all of them, or of many those of the first
    /// [`PART_BYTES`].
    ///
    /// # Errors
    /// As [`Self::poll`], and a line that is too long.
    pub(super) fn read_lines(&mut self, each: impl FnMut(&str)) -> io::Result<()> {
        self.read_part(each).inspect_err(|_| self.invalidate())
    }

    fn read_part(&mut self, mut each: impl FnMut(&str)) -> io::Result<()> {
        let mut file = open_plain(&self.path)?;
        file.seek(SeekFrom::Start(self.position))?;
        self.more = false;
        let (mut chunk, mut total) = (Vec::new(), 0);
        loop {
            let read = (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
            let whole = chunk.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let lines = || chunk[..whole].split(|byte| *byte == b'\n');
            // Its end counts, too.
            let is_long = |length: usize| length as u64 >= MAX_LOG_LINE;
            if is_long(chunk.len() - whole) || lines().any(|line| is_long(line.len())) {
                return Err(io::Error::other(format!("a line is longer than {MAX_LOG_LINE} bytes")));
            }
            lines().filter(|line| !line.is_empty()).for_each(|line| each(&String::from_utf8_lossy(line)));
            if whole > 0 {
                self.position += whole as u64;
                self.mark = chunk[whole.saturating_sub(MARK_BYTES)..whole].to_vec();
            }
            chunk.drain(..whole);
            total += read;
            if read == 0 {
                return Ok(());
            }
            if total >= PART_BYTES {
                self.more = true;
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tail: &mut Tail) -> (Change, Vec<String>) {
        let change = tail.poll().unwrap();
        let mut found = Vec::new();
        if change != Change::None {
            tail.read_lines(|line| found.push(line.to_owned())).unwrap();
        }
        (change, found)
    }

    #[test]
    fn complete_lines_are_read_once_and_a_cut_is_detected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut tail = Tail::new(path.clone());
        assert_eq!(read(&mut tail), (Change::None, vec![]));
        fs::write(&path, "a\nb\nhal").unwrap();
        assert_eq!(read(&mut tail), (Change::Appended, vec!["a".into(), "b".into()]));
        assert_eq!(read(&mut tail).0, Change::None);
        fs::write(&path, "a\nb\nhalf\n").unwrap();
        assert_eq!(read(&mut tail), (Change::Appended, vec!["half".into()]));
        // Truncated, then longer than before at the next poll.
        fs::write(&path, "a\nc\nd\ne\nffffffff\n").unwrap();
        let (change, found) = read(&mut tail);
        assert_eq!((change, found.len()), (Change::Replaced, 5));
        fs::write(&path, "a\n").unwrap();
        assert_eq!(read(&mut tail), (Change::Replaced, vec!["a".into()]));
    }

    #[test]
    fn a_file_without_line_ends_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let longest = "x".repeat(MAX_LOG_LINE as usize - 1) + "\n";
        fs::write(&path, longest.clone() + "short\n" + &longest).unwrap();
        let lines: Vec<usize> = read(&mut Tail::new(path.clone())).1.iter().map(String::len).collect();
        assert_eq!(lines, [longest.len() - 1, 5, longest.len() - 1]);
        let long = "x".repeat(MAX_LOG_LINE as usize);
        for text in [long.clone(), long + "\nshort\n"] {
            fs::write(&path, text).unwrap();
            let mut tail = Tail::new(path.clone());
            tail.poll().unwrap();
            assert!(tail.read_lines(|_| ()).unwrap_err().to_string().contains("longer than"));
        }
    }

    #[test]
    fn a_large_log_is_read_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let line = "x".repeat(1023) + "\n";
        fs::write(&path, line.repeat(PART_BYTES / line.len() * 2 + 100)).unwrap();
        let mut tail = Tail::new(path);
        let counts: Vec<usize> = (0..3).map(|_| read(&mut tail).1.len()).collect();
        assert_eq!((counts.iter().sum::<usize>(), counts[2]), (PART_BYTES / line.len() * 2 + 100, 100));
        assert_eq!((read(&mut tail).0, tail.has_more()), (Change::None, false));
    }

    #[test]
    fn a_log_that_fails_in_the_middle_leaves_nothing_for_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, ("x".repeat(1023) + "\n").repeat(PART_BYTES / 1024 * 2)).unwrap();
        let mut tail = Tail::new(path.clone());
        read(&mut tail);
        assert!(tail.has_more());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(tail.poll().is_err() && tail.read_lines(|_| ()).is_err());
        assert_eq!((tail.has_more(), tail.exists()), (false, false));
        fs::remove_dir(&path).unwrap();
        assert_eq!(tail.poll().unwrap(), Change::Replaced, "what was read is gone");
        fs::write(&path, "a\n").unwrap();
        assert_eq!(read(&mut tail), (Change::Appended, vec!["a".into()]));
        fs::File::create(&path).unwrap().set_len(MAX_LOG_BYTES + 1).unwrap();
        assert!(tail.poll().unwrap_err().to_string().contains("larger than"));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(Tail::new(path.clone()).poll().unwrap_err().to_string().contains("not a regular file"));
        assert!(Tail::new(path).read_lines(|_| ()).is_err());
    }
}

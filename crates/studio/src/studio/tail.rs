//! Follows a growing log: reads the read_lines added since the last poll, and detects when a resumed training has truncated the
//! file and continued from an earlier line.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// Bytes read at a time; the maximum length of a line.
const CHUNK_BYTES: usize = 4 << 20;
/// Number of bytes before the position kept to detect a replaced file.
const MARK_BYTES: usize = 256;

/// A log file and the position up to which it was read.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    position: u64,
    /// The last bytes before the position.
    mark: Vec<u8>,
    /// Size and modification time at the last poll.
    seen: Option<(u64, std::time::SystemTime)>,
}

/// What a poll found.
#[derive(Debug, PartialEq)]
pub(super) enum Change {
    /// No new read_lines.
    None,
    /// New read_lines.
    Appended,
    /// The file was replaced or truncated: it is read from the start.
    Replaced,
}

impl Tail {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, position: 0, mark: Vec::new(), seen: None }
    }

    /// The modification time at the last poll.
    pub(super) fn changed(&self) -> Option<std::time::SystemTime> {
        self.seen.map(|(_, time)| time)
    }

    /// The length at the last poll.
    pub(super) fn length(&self) -> u64 {
        self.seen.map_or(0, |(bytes, _)| bytes)
    }

    /// Whether the file existed at the last poll.
    pub(super) fn exists(&self) -> bool {
        self.seen.is_some()
    }

    /// Makes the next poll treat the file as changed.
    pub(super) fn invalidate(&mut self) {
        self.seen = None;
    }

    /// Checks the file; [`Self::read_lines`] reads the new read_lines.
    pub(super) fn poll(&mut self) -> io::Result<Change> {
        let meta = match fs::symlink_metadata(&self.path) {
            Ok(meta) if meta.is_file() => meta,
            Ok(_) => return Err(io::Error::other("it is not a plain file")),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let existed = self.seen.take().is_some();
                (self.position, self.mark) = (0, Vec::new());
                return Ok(if existed { Change::Replaced } else { Change::None });
            }
            Err(e) => return Err(e),
        };
        let now = (meta.len(), meta.modified()?);
        if self.seen == Some(now) {
            return Ok(Change::None);
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
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.position - self.mark.len() as u64))?;
        file.read_exact(&mut end)?;
        Ok(end == self.mark)
    }

    /// Calls `each` with every complete line after the position, and advances it.
    pub(super) fn read_lines(&mut self, mut each: impl FnMut(&str)) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.position))?;
        let mut chunk = Vec::new();
        loop {
            let read = (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
            let whole = chunk.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            chunk[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| {
                each(&String::from_utf8_lossy(line));
            });
            if whole > 0 {
                self.position += whole as u64;
                self.mark = chunk[whole.saturating_sub(MARK_BYTES)..whole].to_vec();
            } else if chunk.len() >= CHUNK_BYTES {
                return Err(io::Error::other(format!("a line is longer than {CHUNK_BYTES} bytes")));
            }
            chunk.drain(..whole);
            if read == 0 {
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
        fs::write(&path, vec![b'x'; CHUNK_BYTES + 1]).unwrap();
        let mut tail = Tail::new(path);
        tail.poll().unwrap();
        assert!(tail.read_lines(|_| ()).unwrap_err().to_string().contains("longer than"));
    }
}

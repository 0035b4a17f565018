//! A log that grows: reads what was added since the last look, and notices when a resumed training has cut it off and
//! written on from an earlier line.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// Read at once; no line is longer.
const PART: usize = 4 << 20;
/// How much of the end is remembered, to know it again.
const MARK: usize = 256;

/// A log file, and how far it was read.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    position: u64,
    /// The last bytes before the position.
    mark: Vec<u8>,
    /// Size and time of change when it was read last.
    seen: Option<(u64, std::time::SystemTime)>,
}

/// What a look found.
#[derive(Debug, PartialEq)]
pub(super) enum Growth {
    /// Nothing new.
    Same,
    /// New lines.
    More,
    /// The file is another one than before: what was read doesn't hold, it is read from the beginning.
    Anew,
}

impl Tail {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, position: 0, mark: Vec::new(), seen: None }
    }

    /// When the log was changed last, as far as it was looked at.
    pub(super) fn changed(&self) -> Option<std::time::SystemTime> {
        self.seen.map(|(_, time)| time)
    }

    /// Its length when it was looked at last.
    pub(super) fn length(&self) -> u64 {
        self.seen.map_or(0, |(bytes, _)| bytes)
    }

    /// Whether it was there.
    pub(super) fn exists(&self) -> bool {
        self.seen.is_some()
    }

    /// Takes the file for changed when it looks next.
    pub(super) fn forget(&mut self) {
        self.seen = None;
    }

    /// Looks; [`Self::lines`] gives what is new.
    pub(super) fn look(&mut self) -> io::Result<Growth> {
        let meta = match fs::symlink_metadata(&self.path) {
            Ok(meta) if meta.is_file() => meta,
            Ok(_) => return Err(io::Error::other("it is not a plain file")),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let was = self.seen.take().is_some();
                (self.position, self.mark) = (0, Vec::new());
                return Ok(if was { Growth::Anew } else { Growth::Same });
            }
            Err(e) => return Err(e),
        };
        let now = (meta.len(), meta.modified()?);
        if self.seen == Some(now) {
            return Ok(Growth::Same);
        }
        self.seen = Some(now);
        if meta.len() < self.position || !self.knows_its_end()? {
            (self.position, self.mark) = (0, Vec::new());
            return Ok(Growth::Anew);
        }
        Ok(if meta.len() > self.position { Growth::More } else { Growth::Same })
    }

    fn knows_its_end(&self) -> io::Result<bool> {
        let mut end = vec![0; self.mark.len()];
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.position - self.mark.len() as u64))?;
        file.read_exact(&mut end)?;
        Ok(end == self.mark)
    }

    /// Gives every whole line from the position on to `see`, and moves behind it.
    pub(super) fn lines(&mut self, mut see: impl FnMut(&str)) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.position))?;
        let mut part = Vec::new();
        loop {
            let read = (&mut file).take(PART as u64).read_to_end(&mut part)?;
            let whole = part.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            part[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| {
                see(&String::from_utf8_lossy(line));
            });
            if whole > 0 {
                self.position += whole as u64;
                self.mark = part[whole.saturating_sub(MARK)..whole].to_vec();
            } else if part.len() >= PART {
                return Err(io::Error::other(format!("a line is longer than {PART} bytes")));
            }
            part.drain(..whole);
            if read == 0 {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tail: &mut Tail) -> (Growth, Vec<String>) {
        let growth = tail.look().unwrap();
        let mut lines = Vec::new();
        if growth != Growth::Same {
            tail.lines(|line| lines.push(line.to_owned())).unwrap();
        }
        (growth, lines)
    }

    #[test]
    fn whole_lines_come_once_and_a_cut_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut tail = Tail::new(path.clone());
        assert_eq!(read(&mut tail), (Growth::Same, vec![]));
        fs::write(&path, "a\nb\nhal").unwrap();
        assert_eq!(read(&mut tail), (Growth::More, vec!["a".into(), "b".into()]));
        assert_eq!(read(&mut tail).0, Growth::Same);
        fs::write(&path, "a\nb\nhalf\n").unwrap();
        assert_eq!(read(&mut tail), (Growth::More, vec!["half".into()]));
        // Cut, and longer than before when it is looked at again.
        fs::write(&path, "a\nc\nd\ne\nffffffff\n").unwrap();
        let (growth, lines) = read(&mut tail);
        assert_eq!((growth, lines.len()), (Growth::Anew, 5));
        fs::write(&path, "a\n").unwrap();
        assert_eq!(read(&mut tail), (Growth::Anew, vec!["a".into()]));
    }

    #[test]
    fn a_file_without_lines_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, vec![b'x'; PART + 1]).unwrap();
        let mut tail = Tail::new(path);
        tail.look().unwrap();
        assert!(tail.lines(|_| ()).unwrap_err().to_string().contains("longer than"));
    }
}

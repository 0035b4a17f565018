//! Atomic file writes: a file is written under a temporary name that ends in `.part`, and renamed when complete. The writer
//! locks its temporary file, so that files left by killed processes can be distinguished from files in use and removed.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// A temporary file that becomes `target` on `commit`. Dropping it without `commit` removes it.
#[derive(Debug)]
pub struct PartFile {
    file: BufWriter<File>,
    part: PathBuf,
    target: PathBuf,
    committed: bool,
}

impl PartFile {
    /// Creates a temporary file for `target`, whose folder must exist.
    ///
    /// # Errors
    /// The folder is missing or can't be written.
    pub fn create(target: &Path) -> Result<Self> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let mut name = target.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}-{serial}.part", std::process::id()));
        let part = target.with_file_name(name);
        let mut access = File::options();
        let access = access.read(true).write(true).create(true).truncate(true);
        let file = access.open(&part).map_err(Error::io("create", &part))?;
        // Some network file systems have no locks; there, leftovers are not removed.
        let _ = file.try_lock();
        Ok(Self { file: BufWriter::new(file), part, target: target.to_path_buf(), committed: false })
    }

    /// The path of the temporary file.
    pub fn path(&self) -> &Path {
        &self.part
    }

    /// The path after `commit`.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The open file, for reads and writes at any position.
    pub fn file(&self) -> &File {
        self.file.get_ref()
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// The system refuses, for example because the disk is full.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(Error::io("write", &self.part))
    }

    /// Flushes the buffer, so that the bytes so far can be read at `path()`.
    ///
    /// # Errors
    /// As `write`.
    pub fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(Error::io("write", &self.part))
    }

    /// Syncs the file to disk and renames it to `target`, replacing an existing file.
    ///
    /// # Errors
    /// As `write`; an existing `target` is then unchanged.
    pub fn commit(mut self) -> Result<()> {
        self.flush()?;
        self.file.get_ref().sync_all().map_err(Error::io("write", &self.part))?;
        std::fs::rename(&self.part, &self.target).map_err(Error::io("rename", &self.part))?;
        self.committed = true;
        if let Some(Ok(folder)) = self.target.parent().map(File::open) {
            // Makes the new name durable; not every system can sync a folder.
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Seek for PartFile {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.committed {
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

/// Removes the temporary files of `target` that no running process writes.
pub(crate) fn sweep(target: &Path) {
    let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
        return;
    };
    let name = name.to_string_lossy();
    sweep_where(folder, |other| other.strip_prefix(&*name).is_some_and(|rest| rest.starts_with('.')));
}

/// Removes all temporary files directly in `folder` that no running process writes.
pub(crate) fn sweep_folder(folder: &Path) {
    sweep_where(folder, |_| true);
}

fn sweep_where(folder: &Path, is_ours: impl Fn(&str) -> bool) {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let unfinished = name.ends_with(".part") && is_ours(&name);
        if unfinished && File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_old_file_stays_until_commit() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.npy");
        std::fs::write(&target, "old").unwrap();
        let mut part = PartFile::create(&target).unwrap();
        part.write(b"new").unwrap();
        part.flush().unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"old");
        assert_eq!(std::fs::read(part.path()).unwrap(), b"new");
        part.commit().unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"new");
        assert_eq!(names(folder.path()), ["a.npy"]);
    }

    #[test]
    fn a_dropped_part_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut part = PartFile::create(&folder.path().join("a.npy")).unwrap();
        part.write(b"half").unwrap();
        assert_eq!(names(folder.path()).len(), 1);
        drop(part);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn sweeping_spares_what_is_being_written() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.npy");
        let living = PartFile::create(&target).unwrap();
        std::fs::write(folder.path().join("a.npy.1-0.part"), "left by a killed process").unwrap();
        std::fs::write(folder.path().join("b.npy.1-0.part"), "another file's").unwrap();
        sweep(&target);
        let living = living.path().file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(names(folder.path()), [living, "b.npy.1-0.part".to_owned()]);
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = PartFile::create(&folder.path().join("no/a.npy")).unwrap_err();
        assert!(error.to_string().starts_with("can't create"), "{error}");
    }
}

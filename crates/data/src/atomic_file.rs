//! Atomic file writes: a file is written under a temporary name that ends in `.part`, and renamed when complete. Files that
//! belong together get their names together. The writer locks its temporary file, so that files left by killed processes can
//! be told from files in use: whoever writes to a folder removes the former there.

use std::collections::BTreeSet;
use std::fs::{File, FileType};
use std::io::{BufWriter, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// The temporary files of this process. It is locked while files get their names, so that a process that is told to end at
/// once does so before or after that.
static LIVING: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// The folders in which this process has removed what killed ones left.
static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// How long [`abandon_unfinished`] waits for files that are being renamed.
const RENAME_TIMEOUT: Duration = Duration::from_millis(500);

/// Most links that are followed from one name to another.
const MAX_LINKS: u32 = 40;

/// A temporary file that becomes `target` on `commit`. Dropping it without `commit` removes it.
#[derive(Debug)]
pub struct PartFile {
    file: BufWriter<File>,
    part: PathBuf,
    target: PathBuf,
    /// The file that `target` names: another one if it is a link.
    place: PathBuf,
    committed: bool,
}

impl PartFile {
    /// Creates a temporary file for `target`, whose folder must exist. Of a link, the file that it names will be replaced.
    ///
    /// # Errors
    /// The folder is missing or can't be written, or `target` is something else than a file: a folder, a pipe, a device.
    pub fn create(target: &Path) -> Result<Self> {
        let place = named_file(target)?;
        sweep_once(folder_of(&place));
        loop {
            let part = temporary_name(&place);
            let mut access = File::options();
            let access = access.read(true).write(true).create(true).truncate(true);
            let mut living = living();
            let file = access.open(&part).map_err(Error::io("create", &part))?;
            // Some network file systems have no locks; there, leftovers are not removed.
            let _ = file.try_lock();
            // Another process may have taken it for a leftover before it was locked.
            if std::fs::symlink_metadata(&part).is_err() {
                continue;
            }
            living.insert(part.clone());
            drop(living);
            return Ok(Self { file: BufWriter::new(file), part, target: target.into(), place, committed: false });
        }
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
        self.file.write_all(bytes).map_err(Error::io("write", &self.target))
    }

    /// Flushes the buffer, so that the bytes so far can be read at `path()`.
    ///
    /// # Errors
    /// As `write`.
    pub fn flush(&mut self) -> Result<()> {
        self.file.flush().map_err(Error::io("write", &self.target))
    }

    /// Syncs the file to disk and renames it to `target`, replacing an existing file.
    ///
    /// # Errors
    /// As `write`; an existing `target` is then unchanged.
    pub fn commit(self) -> Result<()> {
        commit_together(vec![self])
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
            living().remove(&self.part);
        }
    }
}

/// Writes a file that appears whole or not at all: what was at `target` is replaced.
///
/// # Errors
/// As those of [`PartFile`].
pub fn write_file(target: &Path, bytes: &[u8]) -> Result<()> {
    let mut part = PartFile::create(target)?;
    part.write(bytes)?;
    part.commit()
}

/// Commits files that belong together, the main one first in `parts`. Whoever finds the main file finds the others of the same
/// making beside it: all are complete and on the disk before the first is renamed, an older main file goes first, and the new
/// one comes last. A kill in between leaves no main file.
///
/// # Errors
/// As [`PartFile::commit`]; what was there before is there again.
pub fn commit_together(mut parts: Vec<PartFile>) -> Result<()> {
    for part in &mut parts {
        part.flush()?;
        part.file.get_ref().sync_all().map_err(Error::io("write", &part.target))?;
    }
    let mut living = living();
    let mut renamed = Renamed::default();
    if parts.len() > 1 {
        for part in parts.iter().filter(|part| std::fs::symlink_metadata(&part.place).is_ok()) {
            renamed.rename(&part.place, &temporary_name(&part.place))?;
        }
    }
    let older = renamed.0.len();
    for part in parts.iter().rev() {
        renamed.rename(&part.part, &part.place)?;
    }
    for part in &mut parts {
        part.committed = true;
        living.remove(&part.part);
    }
    for (_, aside) in std::mem::take(&mut renamed.0).into_iter().take(older) {
        let _ = std::fs::remove_file(aside);
    }
    drop(living);
    for part in &parts {
        if let Ok(folder) = File::open(folder_of(&part.place)) {
            // Makes the new name durable; not every system can sync a folder.
            let _ = folder.sync_all();
        }
    }
    Ok(())
}

/// Renames of files, which are taken back unless it is emptied.
#[derive(Default)]
struct Renamed(Vec<(PathBuf, PathBuf)>);

impl Renamed {
    fn rename(&mut self, from: &Path, to: &Path) -> Result<()> {
        std::fs::rename(from, to).map_err(Error::io("rename", from))?;
        self.0.push((from.to_path_buf(), to.to_path_buf()));
        Ok(())
    }
}

impl Drop for Renamed {
    fn drop(&mut self) {
        for (from, to) in self.0.iter().rev() {
            let _ = std::fs::rename(to, from);
        }
    }
}

/// Removes all temporary files of this process, which must end right afterwards: no file gets its name any more.
pub fn abandon_unfinished() {
    let began = Instant::now();
    loop {
        if let Ok(living) = LIVING.try_lock() {
            for part in living.iter() {
                let _ = std::fs::remove_file(part);
            }
            // A commit would wait for it, and the process ends.
            std::mem::forget(living);
            return;
        }
        if began.elapsed() > RENAME_TIMEOUT {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Refuses to begin with a file of `bytes` at `target` if its disk has less room.
///
/// # Errors
/// The disk has less room.
pub fn require_room(target: &Path, bytes: u64) -> Result<()> {
    let place = named_file(target)?;
    // A system that doesn't know is asked by writing.
    let free = fs4::available_space(folder_of(&place)).unwrap_or(u64::MAX);
    if bytes <= free {
        return Ok(());
    }
    let what = format!("it takes {}, and its disk has {} free", size(bytes), size(free));
    Err(Error::io("write", target)(std::io::Error::new(ErrorKind::StorageFull, what)))
}

/// A number of bytes in readable units.
fn size(bytes: u64) -> String {
    let mega = bytes as f64 / 1e6;
    if mega < 1e3 { format!("{mega:.1} MB") } else { format!("{:.1} GB", mega / 1e3) }
}

fn living() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The folder of a file; `.` for a bare name.
fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A name beside `place` that no other temporary file has.
fn temporary_name(place: &Path) -> PathBuf {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let mut name = place.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}-{serial}.part", std::process::id()));
    place.with_file_name(name)
}

/// Whether `name` is one that [`temporary_name`] gives.
fn is_temporary(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers =
        name.strip_suffix(".part").and_then(|name| name.rsplit_once('.')).and_then(|(_, n)| n.split_once('-'));
    numbers.is_some_and(|(process, serial)| digits(process) && digits(serial))
}

/// The file that `target` names, or would name if there were one: links are followed.
fn named_file(target: &Path) -> Result<PathBuf> {
    match std::fs::metadata(target) {
        Ok(about) if !about.is_file() => {
            return Err(Error::usage(
                format!("{} is {}, expected a file", crate::printable_path(target), kind(about.file_type())),
                "name a file, or one that does not exist yet",
            ));
        }
        // A missing file or folder, or a forbidden one, is an error of its creation.
        Ok(_) | Err(_) => {}
    }
    let mut place = target.to_path_buf();
    for _ in 0..MAX_LINKS {
        match std::fs::read_link(&place) {
            Ok(to) => place = folder_of(&place).join(to),
            Err(_) if place == target => return Ok(place),
            // `a/../b` means another file where `a` is a link.
            Err(_) => return Ok(std::fs::canonicalize(&place).unwrap_or(place)),
        }
    }
    Err(Error::usage(
        format!("{} is a link that leads to no file", crate::printable_path(target)),
        "remove the link, or name another file",
    ))
}

/// What something that is no file is called.
fn kind(of: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kinds = [
            (of.is_fifo(), "a named pipe"),
            (of.is_char_device() || of.is_block_device(), "a device"),
            (of.is_socket(), "a socket"),
        ];
        if let Some((_, name)) = kinds.into_iter().find(|(is, _)| *is) {
            return name;
        }
    }
    if of.is_dir() { "a folder" } else { "no plain file" }
}

/// Sweeps `folder` the first time that this process writes there.
fn sweep_once(folder: &Path) {
    let mut swept = SWEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if swept.insert(folder.to_path_buf()) {
        sweep(folder);
    }
}

/// Removes the temporary files directly in `folder` that no running process writes.
pub(crate) fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_file = || entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_temporary(&entry.file_name().to_string_lossy())
            && is_file()
            && let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            // Still locked, so that its writer sees that it is gone.
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
        let folder = crate::testing::folder();
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
        let folder = crate::testing::folder();
        let mut part = PartFile::create(&folder.path().join("a.npy")).unwrap();
        part.write(b"half").unwrap();
        assert_eq!(names(folder.path()).len(), 1);
        drop(part);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn whoever_writes_removes_what_killed_processes_left() {
        let folder = crate::testing::folder();
        // The last two are not ours: a download of a browser, a name of a person's.
        for name in ["a.npy.1-0.part", "b.npy.77-12.part", "film.mkv.part", "x.1-a.part"] {
            std::fs::write(folder.path().join(name), "left").unwrap();
        }
        let living = PartFile::create(&folder.path().join("a.npy")).unwrap();
        let name = living.path().file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(names(folder.path()), [name.clone(), "film.mkv.part".to_owned(), "x.1-a.part".to_owned()]);
        // What is being written stays.
        sweep(folder.path());
        assert!(names(folder.path()).contains(&name));
    }

    #[test]
    fn files_that_belong_together_are_replaced_together() {
        let folder = crate::testing::folder();
        let place = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| {
            let mut part = PartFile::create(&place(name)).unwrap();
            part.write(text.as_bytes()).unwrap();
            part
        };
        for text in ["old", "new"] {
            commit_together(vec![write("x.npy", text), write("x.labels.npy", text)]).unwrap();
            let read = ["x.npy", "x.labels.npy"].map(|name| std::fs::read_to_string(place(name)).unwrap());
            assert_eq!(read, [text, text]);
            assert_eq!(names(folder.path()), ["x.labels.npy", "x.npy"]);
        }
        // The second can't be renamed any more: both old files are there again.
        let (main, labels) = (write("x.npy", "third"), write("x.labels.npy", "third"));
        std::fs::remove_file(main.path()).unwrap();
        assert!(commit_together(vec![main, labels]).is_err());
        let read = ["x.npy", "x.labels.npy"].map(|name| std::fs::read_to_string(place(name)).unwrap());
        assert_eq!(read, ["new", "new"]);
        assert_eq!(names(folder.path()), ["x.labels.npy", "x.npy"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_other_things_refused() {
        use std::os::unix::fs::symlink;
        let folder = crate::testing::folder();
        let place = |name: &str| folder.path().join(name);
        std::fs::create_dir(place("far")).unwrap();
        std::fs::write(place("far/target.png"), "old").unwrap();
        symlink("far/target.png", place("one.png")).unwrap();
        symlink(place("one.png"), place("two.png")).unwrap();
        symlink("far/new.png", place("dangling.png")).unwrap();
        symlink("round.png", place("round.png")).unwrap();
        for (name, target) in [("two.png", "far/target.png"), ("dangling.png", "far/new.png")] {
            let mut part = PartFile::create(&place(name)).unwrap();
            assert!(part.path().parent().unwrap().ends_with("far"), "beside the file that it replaces");
            part.write(name.as_bytes()).unwrap();
            part.commit().unwrap();
            assert!(place(name).is_symlink());
            assert_eq!(std::fs::read_to_string(place(target)).unwrap(), name);
        }
        let refused = |path: &Path| PartFile::create(path).unwrap_err().to_string();
        assert!(refused(&place("round.png")).contains("leads to no file"));
        assert!(refused(&place("far")).ends_with("is a folder, expected a file"));
        assert!(refused(Path::new("/dev/null")).ends_with("is a device, expected a file"));
    }

    #[test]
    fn a_file_beyond_the_disk_is_refused_before_it_is_begun() {
        let folder = crate::testing::folder();
        let target = folder.path().join("a.npy");
        require_room(&target, 1).unwrap();
        let error = require_room(&target, 1 << 60).unwrap_err();
        assert!(error.is_no_room() && error.to_string().contains("B free"), "{error}");
        assert!(error.hint().starts_with("free some disk space"));
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = crate::testing::folder();
        let error = PartFile::create(&folder.path().join("no/a.npy")).unwrap_err();
        assert!(error.to_string().starts_with("can't create"), "{error}");
    }
}

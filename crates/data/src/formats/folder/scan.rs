//! Finds the files below a folder, with their lengths and modification times.

use std::collections::HashSet;
use std::fs::{DirEntry, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::formats::archive::{
    Member, PassedOver, check_size, extension, is_archive_name, is_image, is_text, since_epoch,
};
use crate::formats::hidden::is_hidden;
use crate::pictures;

/// A file below the folder.
#[derive(Debug)]
pub struct OnDisk {
    /// The path inside the folder, if it is not UTF-8; the member's name is then only an approximation.
    odd: Option<Box<Path>>,
}

/// Metadata of a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Metadata {
    /// Its length; 0 if the system returns an error, which is reported on reading.
    pub length: u64,
    /// Its modification time, in nanoseconds since 1970.
    pub modified: u64,
}

impl OnDisk {
    /// The file, below `root`.
    pub fn path(&self, root: &Path, name: &str) -> PathBuf {
        root.join(self.odd.as_deref().unwrap_or(Path::new(name)))
    }
}

/// What a folder has, at any depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// At least one image file.
    Images,
    /// No image file, but an archive, by its name.
    Archives,
    /// Neither.
    Nothing,
}

/// Looks for an image file, else for an archive.
///
/// # Errors
/// The folder can't be read.
pub(crate) fn contents(root: &Path) -> Result<Contents> {
    let mut found = Contents::Nothing;
    walk(root, &mut PassedOver::default(), |file| {
        let name = file.to_string_lossy();
        if is_image(&name) {
            found = Contents::Images;
        } else if is_archive_name(&name) {
            found = Contents::Archives;
        }
        found != Contents::Images
    })?;
    Ok(found)
}

/// The names of image files below `root`, `most` at most.
///
/// # Errors
/// The folder can't be read.
pub(crate) fn images(root: &Path, most: usize) -> Result<Vec<String>> {
    let mut found = Vec::new();
    walk(root, &mut PassedOver::default(), |file| {
        found.extend(Some(portable(&file)).filter(|name| is_image(name)));
        found.len() < most
    })?;
    Ok(found)
}

/// The files below `root`, sorted by name. Hidden files and folders are skipped, and folders that links lead to a second time;
/// what else is passed over is counted.
///
/// # Errors
/// The folder itself can't be read.
pub(crate) fn scan(root: &Path) -> Result<(Vec<Member<OnDisk>>, PassedOver)> {
    let (mut files, mut passed) = (Vec::new(), PassedOver::default());
    walk(root, &mut passed, |file| {
        files.push(file);
        true
    })?;
    let mut members: Vec<_> = files.into_iter().map(member).collect();
    members.par_sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok((members, passed))
}

fn member(file: PathBuf) -> Member<OnDisk> {
    let name = portable(&file).into_boxed_str();
    let odd = file.to_str().is_none().then(|| file.into_boxed_path());
    Member { name, location: OnDisk { odd } }
}

/// The numbers of the members of `root` that are images by their content; none if some are so by their name. Files with endings of
/// other formats are not looked at.
pub(crate) fn unnamed(root: &Path, members: &[Member<OnDisk>]) -> HashSet<usize> {
    /// Files that are looked at before all others: most folders without images hold others throughout.
    const FIRST: usize = 64;
    let is_other = |name: &str| {
        let extension = extension(name);
        is_image(name)
            || is_archive_name(name)
            || is_text(name)
            || NO_IMAGES.iter().any(|no| extension.eq_ignore_ascii_case(no))
    };
    if members.iter().any(|member| is_image(&member.name) || is_archive_name(&member.name)) {
        return HashSet::new();
    }
    let candidates: Vec<usize> = (0..members.len()).filter(|at| !is_other(&members[*at].name)).collect();
    let is_image = |at: &usize| {
        let mut start = Vec::new();
        let file = File::open(members[*at].location.path(root, &members[*at].name));
        file.and_then(|file| file.take(16).read_to_end(&mut start)).is_ok() && pictures::is_clearly_image(&start)
    };
    if !candidates.iter().take(FIRST).any(is_image) {
        return HashSet::new();
    }
    candidates.into_par_iter().filter(is_image).collect()
}

/// Endings of formats that begin as images do, or hold more than one.
const NO_IMAGES: [&str; 14] =
    ["npy", "npz", "parquet", "cr2", "nef", "arw", "dng", "orf", "rw2", "pef", "srw", "raf", "raw", "svs"];

/// The metadata of every file.
pub fn metadata(root: &Path, members: &[Member<OnDisk>]) -> Vec<Metadata> {
    let one = |member: &Member<OnDisk>| {
        let about = std::fs::metadata(member.location.path(root, &member.name)).ok()?;
        Some(Metadata { length: about.len(), modified: about.modified().map_or(0, since_epoch) })
    };
    members.par_iter().map(|member| one(member).unwrap_or_default()).collect()
}

/// Calls `visit` with the relative path of every file below `root`; stops when it returns false.
fn walk(root: &Path, passed: &mut PassedOver, mut visit: impl FnMut(PathBuf) -> bool) -> Result<()> {
    let mut seen = HashSet::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let folder = root.join(&below);
        let is_root = below.as_os_str().is_empty();
        let listed = folder.canonicalize().and_then(|real| {
            if !seen.insert(real) {
                return Ok(Vec::new());
            }
            std::fs::read_dir(&folder)?.collect::<std::io::Result<Vec<DirEntry>>>()
        });
        let entries = match listed {
            Ok(entries) => entries,
            Err(error) if is_root => return Err(Error::io("read", &folder)(error)),
            Err(error) => {
                passed.folder(&portable(&below), &error.to_string());
                continue;
            }
        };
        let program = of_program(&entries);
        if is_root && program == Some(RUN) {
            return Err(Error::data(
                format!("{} is {RUN}, no set of images", root.display()),
                "go on with it (`Trainer::resume`); if its images are meant, give the folder that holds them",
            ));
        }
        if !is_root && let Some(what) = program {
            passed.folder_of_program(&portable(&below), what);
            continue;
        }
        for entry in entries {
            let name = entry.file_name();
            let text = name.to_string_lossy();
            if is_hidden(&text) {
                if text.ends_with(".icloud") {
                    passed.in_cloud(&portable(&below.join(&name)));
                }
                continue;
            }
            match kind(&entry) {
                Some(Kind::Folder) => open.push(below.join(name)),
                Some(Kind::File) if !visit(below.join(&name)) => return Ok(()),
                Some(Kind::File) => {}
                None if entry.file_type().is_ok_and(|kind| kind.is_symlink()) => {
                    passed.broken_link(&portable(&below.join(&name)));
                }
                None => passed.device(&portable(&below.join(&name))),
            }
        }
    }
    Ok(())
}

/// What a program keeps in the folder of these entries: its pictures are no images to learn from. People train in the folder of
/// their images.
const RUN: &str = "the run of a training";

fn of_program(entries: &[DirEntry]) -> Option<&'static str> {
    let has = |wanted: &str| entries.iter().any(|entry| entry.file_name() == wanted);
    match () {
        () if has("config.toml") && has("events.jsonl") => Some(RUN),
        () if has("pyvenv.cfg") => Some("a Python environment"),
        () => None,
    }
}

enum Kind {
    Folder,
    File,
}

/// The kind of an entry, or of a link's target; `None` for broken links and devices.
fn kind(entry: &DirEntry) -> Option<Kind> {
    let mut kind = entry.file_type().ok()?;
    if kind.is_symlink() {
        kind = std::fs::metadata(entry.path()).ok()?.file_type();
    }
    if kind.is_dir() {
        return Some(Kind::Folder);
    }
    kind.is_file().then_some(Kind::File)
}

/// A relative path with `/` as the separator on every system, so that runs are portable.
fn portable(file: &Path) -> String {
    let parts: Vec<_> = file.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Reads a file, within the size limit.
///
/// # Errors
/// A description of what is wrong.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();
    check_size(length)?;
    let mut bytes = Vec::with_capacity(length as usize);
    // A file may grow while it is read.
    file.take(length).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    fn put(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "12345").unwrap();
        }
    }

    #[test]
    fn files_are_listed_in_order_with_their_lengths() {
        let root = crate::testing::folder();
        assert_eq!(contents(root.path()).unwrap(), Contents::Nothing);
        put(root.path(), &["deep/a.TAR.gz"]);
        assert_eq!(contents(root.path()).unwrap(), Contents::Archives);
        put(root.path(), &["b.JPG", "a/z.png", "a/.b.png", ".c/d.png", "notes.txt", "c.jpeg", "d.heic"]);
        let (listed, passed) = scan(root.path()).unwrap();
        let looked = metadata(root.path(), &listed);
        let listed: Vec<_> =
            listed.iter().zip(&looked).map(|(member, looked)| (&*member.name, looked.length)).collect();
        let expected = ["a/z.png", "b.JPG", "c.jpeg", "d.heic", "deep/a.TAR.gz", "notes.txt"].map(|name| (name, 5));
        assert_eq!((listed, passed), (expected.to_vec(), PassedOver::default()));
        assert_eq!(contents(root.path()).unwrap(), Contents::Images);
        assert!(scan(&root.path().join("missing")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_end_and_odd_names_are_found() {
        use std::os::unix::ffi::OsStrExt;
        let root = crate::testing::folder();
        put(root.path(), &["x/a.png"]);
        std::os::unix::fs::symlink(root.path(), root.path().join("x/loop")).unwrap();
        std::os::unix::fs::symlink("nowhere.png", root.path().join("dangling.png")).unwrap();
        let odd = std::ffi::OsStr::from_bytes(b"\xff.png");
        std::fs::write(root.path().join(odd), "123").unwrap();
        let (listed, passed) = scan(root.path()).unwrap();
        assert_eq!(passed.describe(), ["1 link that leads nowhere is passed over (dangling.png)"]);
        let read = |member: &Member<OnDisk>| read(&member.location.path(root.path(), &member.name)).unwrap().len();
        assert_eq!(listed.iter().map(read).collect::<Vec<_>>(), [5, 3]);
        assert_eq!(&*listed[1].name, "\u{fffd}.png");
    }

    #[cfg(unix)]
    #[test]
    fn folders_that_cannot_be_read_are_passed_over() {
        use std::os::unix::fs::PermissionsExt;
        let root = crate::testing::folder();
        put(root.path(), &["a.png", "locked/b.png"]);
        let lost = root.path().join("locked");
        std::fs::set_permissions(&lost, std::fs::Permissions::from_mode(0o0)).unwrap();
        let readable = std::fs::read_dir(&lost).is_ok();
        let found = scan(root.path()).map(|(listed, passed)| (listed.len(), passed.describe()));
        std::fs::set_permissions(&lost, std::fs::Permissions::from_mode(0o755)).unwrap();
        // The superuser may read everything.
        let (files, notes) = if readable { (2, 0) } else { (1, 1) };
        let (listed, passed) = found.unwrap();
        assert_eq!((listed, passed.len()), (files, notes));
        assert!(passed.iter().all(|note| note.contains("(locked: ")), "{passed:?}");
    }
}

//! Containers of files: a folder, .zip, .tar or .tar.gz. Archives are read in place, without unpacking. `Container` lists the
//! files, images first, and reads them one at a time.

mod budget;
mod member;
pub(crate) mod tar;
pub(crate) mod zip;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

use crate::error::{Error, Result};
use crate::folder::scan::{self, Metadata, OnDisk};
use crate::formats::compression::Compression;
use crate::formats::npy;
pub use member::is_image;
pub(crate) use member::{Member, OtherFiles, PassedOver, extension, is_archive_name, is_text};

/// Size limit of a file (256 MiB).
const MAX_FILE_BYTES: u64 = 256 << 20;

/// The files in a folder or an archive: images, then others, each sorted by name.
pub(crate) struct Container {
    /// The folder or archive.
    root: PathBuf,
    /// Modification time of the folder or archive itself.
    modified: u64,
    members: Members,
    images: usize,
    passed: PassedOver,
}

/// The files, each with the location of its bytes.
enum Members {
    /// Reading the metadata of a million images takes a while and is done on demand.
    Folder(Vec<Member<OnDisk>>, OnceLock<Vec<Metadata>>),
    Zip(File, Vec<Member<zip::Location>>),
    Tar(tar::Bytes, Vec<Member<tar::Location>>),
}

/// Evaluates an expression for any kind of members.
macro_rules! of_any {
    ($self:expr, $members:ident => $then:expr) => {
        match &$self.members {
            Members::Folder($members, _) => $then,
            Members::Zip(_, $members) => $then,
            Members::Tar(_, $members) => $then,
        }
    };
}

impl Container {
    /// Lists the files in the folder or archive at `root`.
    ///
    /// # Errors
    /// It can't be read, is not an archive, or is damaged.
    pub fn open(root: &Path) -> Result<Self> {
        if !std::fs::metadata(root).map_err(Error::io("read", root))?.is_dir() {
            let archive = Self::archive(root, "").map_err(|what| {
                Error::data(
                    format!("{} can't be read as an archive of images: {what}", root.display()),
                    "expected a .zip, a .tar or a compressed .tar; if it is damaged, download or pack it again",
                )
            })?;
            archive.refuse_few_beside_a_set()?;
            return Ok(archive);
        }
        let (members, mut passed) = scan::scan(root)?;
        let mut others = npy::singles(root, &members);
        if others.is_empty() {
            others = scan::unnamed(root, &members);
            let mut names: Vec<&str> = others.iter().map(|at| &*members[*at].name).collect();
            names.sort_unstable();
            names.into_iter().for_each(|name| passed.unnamed.add(name));
        }
        let (members, images) = member::chosen_first(members, |at, name| is_image(name) || others.contains(&at));
        let members = Members::Folder(members, OnceLock::new());
        Ok(Self { root: root.to_path_buf(), modified: modified(root), members, images, passed })
    }

    /// Refuses an archive with very few images, which may be an example of the set or what was made of it, beside a file that may
    /// be the set.
    fn refuse_few_beside_a_set(&self) -> Result<()> {
        const MOST: usize = 3;
        /// Smaller tables may be labels.
        const MIN_BYTES: u64 = 1 << 16;
        const ENDINGS: [&str; 5] = ["csv", "npz", "npy", "parquet", "h5"];
        if self.images == 0 || self.images > MOST {
            return Ok(());
        }
        let is_set = |at: &usize| {
            let ending = extension(self.name(*at)).to_ascii_lowercase();
            ENDINGS.contains(&&*ending) && self.length(*at) >= MIN_BYTES
        };
        let Some(set) = (self.images..self.len()).find(is_set) else { return Ok(()) };
        let s = if self.images == 1 { "" } else { "s" };
        Err(Error::data(
            format!(
                "{} holds {} image{s} ({}) beside {}, which may be the set that is meant",
                self.root.display(),
                self.images,
                self.name(0),
                self.name(set)
            ),
            "unpack it, and give that file",
        ))
    }

    /// Lists the files in an archive; `prefix` is put before their names.
    ///
    /// # Errors
    /// A description of what is wrong.
    pub fn archive(path: &Path, prefix: &str) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let mut passed = PassedOver::default();
        let mut start = [0; 512];
        let got = read_up_to(&file, &mut start).map_err(|error| error.to_string())?;
        let (members, images) = if zip::matches(&start[..got]) {
            let (members, images) = member::sorted_unique(prefixed(zip::members(&file, &mut passed)?, prefix));
            zip::refuse_unreadable(&members[..images])?;
            (Members::Zip(file, members), images)
        } else if Compression::of(&start[..got]).is_some() {
            let (bytes, members) = tar::unpack(file, &mut passed)?;
            let (members, images) = member::sorted_unique(prefixed(members, prefix));
            (Members::Tar(bytes, members), images)
        } else if tar::matches(&start[..got]) {
            let members = tar::members(&file, &mut passed)?;
            if !tar::is_ended(&file) {
                passed.unended(&path.file_name().unwrap_or_default().to_string_lossy());
            }
            let (members, images) = member::sorted_unique(prefixed(members, prefix));
            (Members::Tar(tar::Bytes::File(file), members), images)
        } else {
            return Err("it is not a zip or tar archive".to_owned());
        };
        Ok(Self { root: path.to_path_buf(), modified: modified(path), members, images, passed })
    }

    /// Images in memory, concatenated, with their names and lengths; `root` is their origin.
    pub fn in_memory(root: &Path, bytes: Vec<u8>, files: impl Iterator<Item = (String, u64)>) -> Self {
        let members = tar::concatenated(files);
        let images = members.len();
        let members = Members::Tar(tar::Bytes::Memory(bytes), members);
        Self { root: root.to_path_buf(), modified: modified(root), members, images, passed: PassedOver::default() }
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        of_any!(self, members => members.len())
    }

    /// Number of images, which are the first files.
    pub fn images(&self) -> usize {
        self.images
    }

    /// The path of file `index` inside, with `/` between its parts.
    pub fn name(&self, index: usize) -> &str {
        of_any!(self, members => &members[index].name)
    }

    /// Length in bytes of image `index`, unpacked.
    pub fn length(&self, index: usize) -> u64 {
        match &self.members {
            Members::Folder(members, cached) => self.metadata(members, cached)[index].length,
            Members::Zip(_, members) => members[index].location.length,
            Members::Tar(_, members) => members[index].location.length,
        }
    }

    fn metadata<'a>(&self, members: &[Member<OnDisk>], cached: &'a OnceLock<Vec<Metadata>>) -> &'a [Metadata] {
        cached.get_or_init(|| scan::metadata(&self.root, &members[..self.images]))
    }

    /// The path of file `index` on disk, if it is a file of its own.
    pub fn path(&self, index: usize) -> Option<PathBuf> {
        match &self.members {
            Members::Folder(members, _) => Some(members[index].location.path(&self.root, &members[index].name)),
            Members::Zip(..) | Members::Tar(..) => None,
        }
    }

    /// Reads file `index`.
    ///
    /// # Errors
    /// A description of what is wrong.
    pub fn read(&self, index: usize) -> Result<Vec<u8>, String> {
        match &self.members {
            Members::Folder(members, _) => scan::read(&members[index].location.path(&self.root, &members[index].name)),
            Members::Zip(file, members) => {
                check_size(members[index].location.length)?;
                zip::read(file, &members[index])
            }
            Members::Tar(bytes, members) => {
                check_size(members[index].location.length)?;
                tar::read(bytes, &members[index])
            }
        }
    }

    /// A number that changes when image `index` changes, without reading it (modification time or checksum).
    pub fn version(&self, index: usize) -> u64 {
        match &self.members {
            Members::Folder(members, cached) => self.metadata(members, cached)[index].modified,
            Members::Zip(_, members) => u64::from(members[index].location.crc),
            Members::Tar(..) => self.modified,
        }
    }

    /// Whether the files are in a folder.
    pub(crate) fn is_folder(&self) -> bool {
        matches!(self.members, Members::Folder(..))
    }

    /// The folder or archive.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What was passed over.
    pub fn passed(&self) -> &PassedOver {
        &self.passed
    }
}

/// Members with `prefix` before their names.
fn prefixed<P>(mut members: Vec<Member<P>>, prefix: &str) -> Vec<Member<P>> {
    if !prefix.is_empty() {
        members.iter_mut().for_each(|member| member.name = format!("{prefix}{}", member.name).into());
    }
    members
}

/// Whether a file that starts with `start` is an archive; gzipped ones are not detected here.
pub(crate) fn matches(start: &[u8]) -> bool {
    zip::matches(start) || tar::matches(start)
}

/// Checks the size of a file.
///
/// # Errors
/// The length and the limit.
pub(crate) fn check_size(length: u64) -> Result<(), String> {
    if length <= MAX_FILE_BYTES {
        return Ok(());
    }
    Err(format!("it has {length} bytes, more than the {MAX_FILE_BYTES} allowed for one file"))
}

/// The modification time of a file or folder.
fn modified(path: &Path) -> u64 {
    std::fs::metadata(path).and_then(|about| about.modified()).map_or(0, since_epoch)
}

/// A time in nanoseconds since 1970.
pub(crate) fn since_epoch(moment: SystemTime) -> u64 {
    moment.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// Reads until `out` is full or the file ends.
fn read_up_to(mut file: &File, out: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while got < out.len() {
        match file.read(&mut out[got..])? {
            0 => break,
            more => got += more,
        }
    }
    Ok(got)
}

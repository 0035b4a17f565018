//! The cache file: a header, the images (one byte per value, channels-last), then the unusable images with their reasons as
//! JSON. It is filled under a temporary name; under its final name it is complete and never changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use faussaire_kernels::mapping::Mapping;

use super::{Contents, Found};
use crate::atomic_file::PartFile;
use crate::error::{Error, Result};
use crate::in_memory::copy_bytes;
use crate::pread::{read_at, write_at};

/// The magic bytes with the version of the layout.
const MAGIC: &[u8; 16] = b"faussaire bytes1";

/// Offset of the images: the header has a page of its own.
const HEADER_BYTES: usize = 4096;

/// The unusable images by index, with the reasons.
type Bad = BTreeMap<usize, String>;

/// A complete cache file.
pub struct Complete {
    path: PathBuf,
    map: Mapping,
    size: usize,
    bad: Bad,
    /// Bytes read since memory was last released.
    read: AtomicUsize,
}

/// For files larger than this (1 GiB), mapped pages are released so that they don't count as the process's memory.
const HELD_BYTES: usize = 1 << 30;

/// Pages are released each time this many bytes were read (64 MiB). Because of read-ahead, several times as much is mapped.
const RELEASE_BYTES: usize = 64 << 20;

impl Complete {
    /// Opens the file at `path`, if it exists, is complete and has these contents.
    pub fn open(path: &Path, contents: &Contents) -> Option<Self> {
        let map = Mapping::open(path).ok()?;
        let size = contents.shape.len();
        let end = contents.count.checked_mul(size)?.checked_add(HEADER_BYTES)?;
        let head = header(contents, map.len().checked_sub(end)?);
        if map.get(..HEADER_BYTES)? != head {
            return None;
        }
        let bad = serde_json::from_slice(&map[end..]).ok()?;
        if let Ok(file) = std::fs::File::open(path) {
            // Least recently used files are evicted first; a file that can't be touched may be evicted early.
            let _ = file.set_modified(SystemTime::now());
        }
        Some(Self { path: path.to_path_buf(), map, size, bad, read: AtomicUsize::new(0) })
    }

    /// Writes image `index` into `out` as floats.
    pub fn read(&self, index: usize, out: &mut [f32]) -> Found {
        if let Some(reason) = self.bad.get(&index) {
            return Found::Bad(reason.clone());
        }
        let start = HEADER_BYTES + index * self.size;
        copy_bytes(&self.map[start..start + self.size], out);
        self.release();
        Found::Image
    }

    fn release(&self) {
        let due = self.map.len() > HELD_BYTES && self.read.fetch_add(self.size, Ordering::Relaxed) >= RELEASE_BYTES;
        if due {
            self.read.store(0, Ordering::Relaxed);
            self.map.release();
        }
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A cache file that is being filled.
pub struct Filling {
    part: PartFile,
    contents: Contents,
    /// The state of each image.
    states: Box<[AtomicU8]>,
    seen: AtomicUsize,
    bad: Mutex<Bad>,
}

const MISSING: u8 = 0;
const DECODED: u8 = 1;
const BAD: u8 = 2;

impl Filling {
    /// Creates the file for `path`.
    ///
    /// # Errors
    /// The file can't be created.
    pub fn begin(path: &Path, contents: &Contents) -> Result<Self> {
        let part = PartFile::create(path)?;
        let states = (0..contents.count).map(|_| AtomicU8::new(MISSING)).collect();
        Ok(Self { part, contents: contents.clone(), states, seen: AtomicUsize::new(0), bad: Mutex::default() })
    }

    /// Writes image `index` into `out` as floats, if it is cached.
    pub fn read(&self, index: usize, out: &mut [f32]) -> Found {
        match self.states[index].load(Ordering::Acquire) {
            DECODED => {
                let mut bytes = vec![0; self.contents.shape.len()];
                match read_at(self.part.file(), &mut bytes, self.offset(index)) {
                    Ok(()) => {
                        copy_bytes(&bytes, out);
                        Found::Image
                    }
                    Err(_) => Found::Nothing,
                }
            }
            BAD => self.bad().get(&index).map_or(Found::Nothing, |reason| Found::Bad(reason.clone())),
            _ => Found::Nothing,
        }
    }

    /// Writes image `index`, or the reason why it is unusable; returns the number of images so far.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn keep(&self, index: usize, image: std::result::Result<&[u8], &str>) -> std::io::Result<usize> {
        let state = match image {
            // Two threads may write the same bytes at the same offset.
            Ok(bytes) => {
                write_at(self.part.file(), bytes, self.offset(index))?;
                DECODED
            }
            Err(reason) => {
                self.bad().insert(index, reason.to_owned());
                BAD
            }
        };
        let new = self.states[index].swap(state, Ordering::AcqRel) == MISSING;
        Ok(self.seen.fetch_add(usize::from(new), Ordering::AcqRel) + usize::from(new))
    }

    /// Number of images so far.
    pub fn seen(&self) -> usize {
        self.seen.load(Ordering::Acquire)
    }

    /// Whether image `index` is cached.
    pub fn has(&self, index: usize) -> bool {
        self.states[index].load(Ordering::Acquire) != MISSING
    }

    /// The path of the complete file.
    pub fn target(&self) -> &Path {
        self.part.target()
    }

    /// Completes the file, which must have every image, and renames it.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn complete(self) -> Result<Complete> {
        let bad = std::mem::take(&mut *self.bad());
        let trailer = serde_json::to_vec(&bad).map_err(|error| Error::data(error.to_string(), "this is a bug"))?;
        let part = self.part.path();
        let target = self.part.target().to_path_buf();
        write_at(self.part.file(), &trailer, self.offset(self.contents.count)).map_err(Error::io("write", part))?;
        write_at(self.part.file(), &header(&self.contents, trailer.len()), 0).map_err(Error::io("write", part))?;
        self.part.commit()?;
        let map = Mapping::open(&target).map_err(Error::io("read", &target))?;
        Ok(Complete { path: target, map, size: self.contents.shape.len(), bad, read: AtomicUsize::new(0) })
    }

    fn offset(&self, index: usize) -> u64 {
        HEADER_BYTES as u64 + index as u64 * self.contents.shape.len() as u64
    }

    fn bad(&self) -> std::sync::MutexGuard<'_, Bad> {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The header of a file with these contents and `trailer` bytes after the images.
fn header(contents: &Contents, trailer: usize) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    let shape = contents.shape;
    for number in [contents.count, shape.height, shape.width, shape.channels, trailer] {
        header.extend((number as u64).to_le_bytes());
    }
    header.extend(contents.key.bytes());
    header.resize(HEADER_BYTES, 0);
    header
}

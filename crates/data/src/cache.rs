//! A cache of decoded images, so that each is decoded once: a memory-mapped file that later runs reuse, or memory for small
//! sets and when the disk is full.
//!
//! The file is written while images are decoded for the first time, complete once every image was read, and discarded if the
//! process ends earlier. If neither disk nor memory suffices, images are decoded on every read.

pub(super) mod evict;
mod file;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use super::dataset::ImageShape;
use super::in_memory::copy_bytes;
use file::{Complete, Filling};

/// Size limit of a cache in memory (1 GiB).
const MEMORY_BYTES: u64 = 1 << 30;

/// If at most one in `REST_SHARE` images and at most `MAX_REST` are not decoded yet, they are decoded at once, as an epoch
/// drops its incomplete batch.
const REST_SHARE: usize = 50;
const MAX_REST: usize = 256;

/// Identifies the images and their cached form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contents {
    /// Number of images.
    pub count: usize,
    /// The shape of each.
    pub shape: ImageShape,
    /// A digest of everything that the decoded bytes depend on.
    pub key: String,
}

impl Contents {
    /// Bytes of all decoded images; `u64::MAX` on overflow.
    fn bytes(&self) -> u64 {
        (self.count as u64).saturating_mul(self.shape.len() as u64)
    }
}

/// The cached state of an image.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Decoded; written to the buffer.
    Image,
    /// Unusable, for this reason.
    Bad(String),
    /// Not in the cache.
    Nothing,
}

/// The cache of a data set.
pub(super) struct Decoded {
    count: usize,
    shape: ImageShape,
    state: Arc<RwLock<State>>,
    /// Whether a caller already decodes the last few images.
    rest_claimed: AtomicBool,
}

enum State {
    /// The search for the cache file is running.
    Looking,
    /// The file is created with the first decoded image.
    Waiting(PathBuf, Contents),
    Filling(Filling),
    Complete(Complete),
    Memory(Box<[OnceLock<Box<[u8]>>]>, AtomicUsize),
    Off,
}

impl Decoded {
    /// Opens the cache file in `folder`, or prepares to create it; without a folder, or if the file would be too large,
    /// prepares a cache in memory.
    pub fn open(contents: &Contents, folder: Option<&Path>) -> Self {
        Self::with(contents.count, contents.shape, State::choose(contents, folder))
    }

    /// `open` with the result of `find`, which runs in the background; until it ends the cache is inactive.
    pub(crate) fn open_later(
        count: usize,
        shape: ImageShape,
        find: impl FnOnce() -> (Contents, Option<PathBuf>) + Send + 'static,
    ) -> Self {
        let decoded = Self::with(count, shape, State::Looking);
        let state = Arc::clone(&decoded.state);
        let look = move || {
            let (contents, folder) = find();
            *state.write().unwrap_or_else(PoisonError::into_inner) = State::choose(&contents, folder.as_deref());
        };
        // Without a thread nothing is cached, which is slow but correct.
        let _ = std::thread::Builder::new().name("look".to_owned()).spawn(look);
        decoded
    }

    /// A cache in memory for `count` images of `shape`, within the size limit.
    pub fn in_memory(count: usize, shape: ImageShape) -> Self {
        Self::open(&Contents { count, shape, key: String::new() }, None)
    }

    fn with(count: usize, shape: ImageShape, state: State) -> Self {
        Self { count, shape, state: Arc::new(RwLock::new(state)), rest_claimed: AtomicBool::new(false) }
    }

    /// Writes image `index` into `out` as floats, if it is cached.
    pub fn read(&self, index: usize, out: &mut [f32]) -> Found {
        match &*self.state() {
            State::Looking | State::Waiting(..) | State::Off => Found::Nothing,
            State::Filling(filling) => filling.read(index, out),
            State::Complete(complete) => complete.read(index, out),
            State::Memory(slots, _) => match slots.get(index).and_then(OnceLock::get) {
                Some(bytes) => {
                    copy_bytes(bytes, out);
                    Found::Image
                }
                None => Found::Nothing,
            },
        }
    }

    /// Caches image `index`, or the reason why it is unusable.
    pub fn keep(&self, index: usize, image: Result<&[u8], &str>) {
        if matches!(*self.state(), State::Waiting(..)) {
            self.begin();
        }
        let kept = match &*self.state() {
            State::Filling(filling) => filling.keep(index, image),
            State::Memory(slots, seen) => {
                // Another thread may have cached the same bytes already.
                if let (Some(slot), Ok(bytes)) = (slots.get(index), image)
                    && slot.set(bytes.into()).is_ok()
                {
                    seen.fetch_add(1, Ordering::AcqRel);
                }
                return;
            }
            State::Looking | State::Waiting(..) | State::Complete(_) | State::Off => return,
        };
        match kept {
            Ok(seen) if seen == self.count => self.complete(),
            Ok(_) => {}
            // For example a full disk. The incomplete file is discarded.
            Err(_) => self.replace(|_| State::Off),
        }
    }

    /// The images not yet decoded, if they are few; returned once, to one caller.
    pub fn rest(&self) -> Vec<usize> {
        let State::Filling(filling) = &*self.state() else { return Vec::new() };
        let left = self.count - filling.seen();
        if left > MAX_REST.min(self.count / REST_SHARE) || self.rest_claimed.swap(true, Ordering::AcqRel) {
            return Vec::new();
        }
        (0..self.count).filter(|&index| !filling.has(index)).collect()
    }

    /// Whether every image is cached.
    pub fn is_complete(&self) -> bool {
        match &*self.state() {
            State::Complete(_) => true,
            State::Memory(_, seen) => seen.load(Ordering::Acquire) == self.count,
            State::Looking | State::Waiting(..) | State::Filling(_) | State::Off => false,
        }
    }

    /// A note for the user; `None` for a cache in memory.
    pub fn describe(&self) -> Option<String> {
        let mib = (self.count as u64).saturating_mul(self.shape.len() as u64) >> 20;
        let kept =
            |path: &Path| Some(format!("decoded images are kept for the next run ({mib} MiB in {})", path.display()));
        match &*self.state() {
            State::Looking | State::Memory(..) => None,
            State::Complete(complete) => Some(format!("decoded before: read from {}", complete.path().display())),
            State::Waiting(path, _) => kept(path),
            State::Filling(filling) => kept(filling.target()),
            State::Off => {
                Some(format!("decoded on every read: no cache file, and {mib} MiB exceed the limit for memory"))
            }
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) {
        self.replace(|state| match state {
            State::Waiting(path, contents) => match Filling::begin(&path, &contents) {
                Ok(filling) => State::Filling(filling),
                Err(_) => State::without_file(&contents),
            },
            other => other,
        });
    }

    fn complete(&self) {
        self.replace(|state| match state {
            State::Filling(filling) => filling.complete().map_or(State::Off, State::Complete),
            other => other,
        });
    }

    fn replace(&self, with: impl FnOnce(State) -> State) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *state = with(std::mem::replace(&mut *state, State::Off));
    }
}

impl State {
    fn choose(contents: &Contents, folder: Option<&Path>) -> Self {
        let Some(folder) = folder else { return Self::without_file(contents) };
        let path = folder.join(format!("{}.bytes", contents.key));
        match Complete::open(&path, contents) {
            Some(complete) => Self::Complete(complete),
            None if evict::make_room(folder, contents.bytes()) => Self::Waiting(path, contents.clone()),
            None => Self::without_file(contents),
        }
    }

    fn without_file(contents: &Contents) -> Self {
        if contents.bytes() > MEMORY_BYTES {
            return Self::Off;
        }
        Self::Memory((0..contents.count).map(|_| OnceLock::new()).collect(), AtomicUsize::new(0))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    const SHAPE: ImageShape = ImageShape { height: 1, width: 2, channels: 1 };

    fn contents(count: usize) -> Contents {
        Contents { count, shape: SHAPE, key: "abc".to_owned() }
    }

    fn open(folder: &crate::testing::Folder, count: usize) -> Decoded {
        Decoded::open(&contents(count), Some(folder.path()))
    }

    fn read(decoded: &Decoded, index: usize) -> Result<[f32; 2], Found> {
        let mut out = [9.0; 2];
        match decoded.read(index, &mut out) {
            Found::Image => Ok(out),
            other => Err(other),
        }
    }

    fn files(folder: &crate::testing::Folder) -> usize {
        std::fs::read_dir(folder.path()).unwrap().count()
    }

    #[test]
    fn the_next_run_reads_what_this_one_decoded() {
        let folder = crate::testing::folder();
        let first = open(&folder, 3);
        assert_eq!(read(&first, 0), Err(Found::Nothing));
        first.keep(2, Ok(&[255, 0]));
        assert_eq!(read(&first, 2), Ok([1.0, 0.0]));
        assert_eq!(read(&first, 0), Err(Found::Nothing));
        first.keep(2, Ok(&[255, 0]));
        first.keep(1, Err("it is empty"));
        assert_eq!(read(&first, 1), Err(Found::Bad("it is empty".to_owned())));
        assert!(!first.is_complete());
        first.keep(0, Ok(&[51, 102]));
        assert!(first.is_complete());
        let second = open(&folder, 3);
        for decoded in [&first, &second] {
            assert_eq!(read(decoded, 0), Ok([0.2, 0.4]));
            assert_eq!(read(decoded, 1), Err(Found::Bad("it is empty".to_owned())));
            assert_eq!(read(decoded, 2), Ok([1.0, 0.0]));
        }
        assert!(second.describe().unwrap().starts_with("decoded before"));
        assert_eq!(files(&folder), 1);
        // Another count, shape or key is another set.
        assert!(Complete::open(&folder.path().join("abc.bytes"), &contents(3)).is_some());
        assert!(Complete::open(&folder.path().join("abc.bytes"), &contents(4)).is_none());
        let other = Contents { shape: ImageShape { height: 2, width: 1, channels: 1 }, ..contents(3) };
        assert!(Complete::open(&folder.path().join("abc.bytes"), &other).is_none());
        let other = Contents { key: "abd".to_owned(), ..contents(3) };
        assert!(Complete::open(&folder.path().join("abc.bytes"), &other).is_none());
    }

    #[test]
    fn what_is_found_later_is_used_from_then_on() {
        let folder = crate::testing::folder();
        (0..3).for_each(|k| open(&folder, 3).keep(k, Ok(&[1, 2])));
        let first = open(&folder, 3);
        (0..3).for_each(|k| first.keep(k, Ok(&[51, 2])));
        let (go, wait) = std::sync::mpsc::channel();
        let path = folder.path().to_path_buf();
        let later = Decoded::open_later(3, SHAPE, move || {
            wait.recv().unwrap();
            (contents(3), Some(path))
        });
        later.keep(0, Ok(&[9, 9]));
        assert_eq!(read(&later, 0), Err(Found::Nothing));
        go.send(()).unwrap();
        while !later.is_complete() {
            std::thread::yield_now();
        }
        assert_eq!(read(&later, 0).unwrap()[0], 0.2);
    }

    #[test]
    fn a_damaged_file_is_made_anew() {
        let folder = crate::testing::folder();
        let fill = |decoded: &Decoded| (0..3).for_each(|k| decoded.keep(k, Ok(&[k as u8, 7])));
        fill(&open(&folder, 3));
        let path = folder.path().join("abc.bytes");
        let whole = std::fs::read(&path).unwrap();
        for damaged in [&whole[..whole.len() - 1], &whole[..20], b"", &[&b"X"[..], &whole[1..]].concat()] {
            std::fs::write(&path, damaged).unwrap();
            let decoded = open(&folder, 3);
            assert!(!decoded.is_complete());
            fill(&decoded);
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn what_is_left_unfinished_leaves_nothing() {
        let folder = crate::testing::folder();
        let decoded = open(&folder, 3);
        decoded.keep(0, Ok(&[1, 2]));
        assert_eq!(files(&folder), 1);
        drop(decoded);
        assert_eq!(files(&folder), 0);
        // What a killed process left is swept.
        std::fs::write(folder.path().join("x.bytes.1-0.part"), "left").unwrap();
        open(&folder, 3);
        assert_eq!(files(&folder), 0);
    }

    #[test]
    fn the_last_few_are_told_once() {
        let folder = crate::testing::folder();
        let decoded = open(&folder, 200);
        for index in (0..200).filter(|index| ![5, 17, 80, 150, 199].contains(index)) {
            decoded.keep(index, Ok(&[1, 2]));
        }
        assert!(decoded.rest().is_empty());
        decoded.keep(17, Ok(&[1, 2]));
        assert_eq!(decoded.rest(), [5, 80, 150, 199]);
        assert!(decoded.rest().is_empty());
    }

    #[test]
    fn memory_and_nothing_are_the_other_choices() {
        let memory = Decoded::in_memory(2, SHAPE);
        memory.keep(1, Ok(&[0, 255]));
        assert_eq!((read(&memory, 1), read(&memory, 0)), (Ok([0.0, 1.0]), Err(Found::Nothing)));
        assert!(!memory.is_complete());
        memory.keep(0, Ok(&[0, 255]));
        assert!(memory.is_complete());
        let huge = ImageShape { height: 1 << 14, width: 1 << 14, channels: 3 };
        let folder = crate::testing::folder();
        let off = Decoded::open(&Contents { shape: huge, ..contents(100) }, Some(folder.path()));
        assert!(off.describe().unwrap().starts_with("decoded on every read"));
        off.keep(0, Ok(&[1]));
        assert_eq!(read(&off, 0), Err(Found::Nothing));
    }
}

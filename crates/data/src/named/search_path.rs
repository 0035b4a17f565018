//! Finds the files of the named data sets: in the given folder, then in `$FAUSSAIRE_DATA`, then in the user's cache folder, then
//! where other programs keep them (`elsewhere`). `download` fetches what is in none of them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::cache_folder::cache_folder;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::hub::Hub;
use crate::named::elsewhere;
use crate::open_options::Split;
use crate::registry::{IdxSet, Published, quickdraw_file};
use crate::{celeba, cifar, idx};

/// The folders in which named sets are searched, and the mirror to download from.
#[derive(Clone, Debug, Default)]
pub(crate) struct SearchPath {
    /// In search order, the cache folder last.
    pub folders: Vec<PathBuf>,
    /// Folders of other programs, searched after those.
    pub elsewhere: Vec<PathBuf>,
    /// The user's cache folder.
    pub cache: Option<PathBuf>,
    /// A base URL that replaces the published ones, without a trailing slash.
    pub mirror: Option<String>,
    /// The hub that sets called `hf:...` come from.
    pub hub: Hub,
}

impl SearchPath {
    /// The search path of the environment, with `given` first.
    ///
    /// # Errors
    /// `given` is not a folder, or the mirror is not a URL.
    pub(crate) fn from_env(given: Option<&Path>) -> Result<Self> {
        if let Some(given) = given.filter(|given| !given.is_dir()) {
            return Err(Error::data(
                format!("the data folder {} does not exist", given.display()),
                "check `data.dir`, or leave it out to fetch what is needed",
            ));
        }
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let cache = cache_folder();
        let mirror = variable("FAUSSAIRE_MIRROR").map(|mirror| mirror.to_string_lossy().into_owned());
        let folders = given.map(Path::to_path_buf).into_iter();
        let folders = folders.chain(variable("FAUSSAIRE_DATA").map(PathBuf::from)).chain(cache.clone()).collect();
        let elsewhere = elsewhere::folders(|name| variable(name).map(PathBuf::from));
        Ok(Self {
            folders,
            elsewhere,
            cache,
            mirror: mirror.as_deref().map(mirror_address).transpose()?,
            hub: Hub::from_env()?,
        })
    }

    /// All folders, in search order.
    fn places(&self) -> impl Iterator<Item = &PathBuf> {
        self.folders.iter().chain(&self.elsewhere)
    }

    /// Keras's file of MNIST, if it exists.
    pub(crate) fn find_npz(&self, set: &IdxSet) -> Option<PathBuf> {
        // Keras keeps Fashion-MNIST as published.
        let name = (set.name == "mnist").then_some("mnist.npz")?;
        self.places().map(|place| place.join(name)).find(|path| path.is_file())
    }

    /// The images file and the labels file of a split, if both exist.
    pub(crate) fn find_idx(&self, set: &IdxSet, split: Split) -> Option<[PathBuf; 2]> {
        let within = |folder: &Path| {
            let images = idx::find(folder, split.prefix())?;
            let labels = idx::labels_beside(&images)?;
            Some([images, labels])
        };
        self.places().find_map(|place| {
            let own = set.folders.iter().find_map(|name| within(&place.join(name)));
            // Files directly in the folder may belong to another set, whose files have the same names.
            own.or_else(|| within(place).filter(|[images, _]| belongs(images, place, set, set.files(split)[0])))
        })
    }

    /// The folder or archive of a split of CIFAR-10, if it exists.
    pub(crate) fn find_cifar10(&self, split: Split) -> Option<PathBuf> {
        self.places().find_map(|place| cifar::find(place, split))
    }

    /// CelebA's images and their attribute table, if both exist.
    pub(crate) fn find_celeba(&self) -> Option<celeba::Found> {
        self.places().find_map(|place| celeba::find(place))
    }

    /// The file of a Quick, Draw! category, if it exists.
    pub(crate) fn find_quickdraw(&self, category: &str) -> Option<PathBuf> {
        let file = quickdraw_file(category);
        // As saved by a browser from Google's storage.
        let saved = format!("full_numpy_bitmap_{file}");
        let below = |place: &PathBuf| [place.join("quickdraw"), place.join("QuickDraw/origine"), place.clone()];
        let mut candidates = self.places().flat_map(below).flat_map(|place| [place.join(&file), place.join(&saved)]);
        candidates.find(|path| path.is_file())
    }
}

fn mirror_address(mirror: &str) -> Result<String> {
    if mirror.starts_with("http://") || mirror.starts_with("https://") {
        return Ok(mirror.trim_end_matches('/').to_owned());
    }
    Err(Error::usage(
        format!("FAUSSAIRE_MIRROR is '{mirror}', which is not an HTTP URL"),
        "expected an address such as http://192.168.1.2:8000 under which mnist/... and quickdraw/... are served",
    ))
}

/// Whether the images directly in `place` belong to `set`: the folder has its name, or the file its checksum.
fn belongs(images: &Path, place: &Path, set: &IdxSet, published: &Published) -> bool {
    place.file_name().is_some_and(|name| name == set.name)
        || checksum(images).is_some_and(|sum| sum == published.sha256 || sum == published.plain_sha256)
}

/// The SHA-256 of a file's bytes.
pub(crate) fn checksum(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let mut digest = Digest::new();
    let mut chunk = vec![0u8; 1 << 16];
    loop {
        match file.read(&mut chunk).ok()? {
            0 => return Some(digest.finish()),
            got => digest.update(&chunk[..got]),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::registry::IDX_SETS;
    use crate::testing::{idx_images, idx_labels, shared_data};

    fn search_path(folders: &[&Path], cache: &Path, mirror: Option<String>) -> SearchPath {
        let folders = folders.iter().map(|path| path.to_path_buf()).chain([cache.to_path_buf()]).collect();
        SearchPath { folders, cache: Some(cache.to_path_buf()), mirror, ..SearchPath::default() }
    }

    #[test]
    fn files_are_found_in_all_usual_folders() {
        for place in ["mnist", "MNIST/raw"] {
            let (data, cache) = (crate::testing::folder(), crate::testing::folder());
            let search_path = search_path(&[data.path()], cache.path(), None);
            let folder = data.path().join(place);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("t10k-images-idx3-ubyte"), idx_images(2, 4, 4)).unwrap();
            assert_eq!(search_path.find_idx(&IDX_SETS[0], Split::Test), None, "its labels are missing");
            std::fs::write(folder.join("t10k-labels-idx1-ubyte"), idx_labels(&[1, 2])).unwrap();
            assert!(search_path.find_idx(&IDX_SETS[0], Split::Test).is_some());
            assert_eq!(search_path.find_idx(&IDX_SETS[0], Split::Train), None);
            assert_eq!(search_path.find_idx(&IDX_SETS[1], Split::Test), None);
        }
    }

    #[test]
    fn files_right_in_the_folder_must_be_the_sets_own() {
        let Some(data) = shared_data() else { return };
        let elsewhere = crate::testing::folder();
        let folder = elsewhere.path().join("x");
        std::fs::create_dir(&folder).unwrap();
        for name in ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"] {
            std::fs::copy(data.join("fashion-mnist").join(name), folder.join(name)).unwrap();
        }
        let search_path = search_path(&[&folder], &elsewhere.path().join("cache"), None);
        assert!(search_path.find_idx(&IDX_SETS[1], Split::Test).is_some());
        assert_eq!(search_path.find_idx(&IDX_SETS[0], Split::Test), None, "Fashion-MNIST is not MNIST");
    }

    #[test]
    fn invalid_mirrors_and_folders_are_refused() {
        assert_eq!(mirror_address("http://here:80/").unwrap(), "http://here:80");
        assert!(mirror_address("here").is_err());
        assert!(SearchPath::from_env(Some(Path::new("no/such/folder"))).is_err());
    }
}

//! Downloads missing files of the named data sets into the user's cache folder; on failure, the error says which files to put
//! where. `$FAUSSAIRE_MIRROR` replaces the published addresses: a classroom can serve one data folder over HTTP
//! (`python3 -m http.server` is enough) instead of using the Internet. A mirror has the layout of a data folder: `mnist/...`, `fashion-mnist/...`, `cifar10/...`, `quickdraw/CATEGORY.npy`.

use std::path::PathBuf;

use super::fetch::{Failure, Progress, Remote, fetch};
use super::open_options::Split;
use super::registry::{IdxSet, quickdraw_file, quickdraw_remote};
use super::search_path::SearchPath;
use super::{celeba, cifar};
use crate::error::{Error, Result};

/// The files of a set and their folder, for error messages.
struct SetFiles<'a> {
    set: &'a str,
    folder: &'a str,
    files: &'a [&'a str],
}

impl SearchPath {
    /// The images file and the labels file of a split: found, or fetched into the cache folder.
    ///
    /// # Errors
    /// The files are missing and can't be fetched; the hint says which files to put where.
    pub(crate) fn find_or_fetch_idx(
        &self,
        set: &IdxSet,
        split: Split,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<[PathBuf; 2]> {
        if let Some(found) = self.find_idx(set, split) {
            return Ok(found);
        }
        let files = set.files(split);
        let names = files.map(|file| file.name);
        let set_files = SetFiles { set: set.name, folder: set.folders[0], files: &names };
        for file in files {
            let remote = set.remote(file, self.mirror.as_deref());
            self.fetch_file(&set_files, file.name, &remote, progress)?;
        }
        self.find_idx(set, split).ok_or_else(|| self.missing(&set_files, "the fetched files have disappeared"))
    }

    /// The file of a Quick, Draw! category: found, or fetched into the cache folder.
    ///
    /// # Errors
    /// As `find_or_fetch_idx`.
    pub(crate) fn find_or_fetch_quickdraw(
        &self,
        category: &str,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<PathBuf> {
        if let Some(found) = self.find_quickdraw(category) {
            return Ok(found);
        }
        let (file, set) = (quickdraw_file(category), format!("quickdraw:{category}"));
        let set_files = SetFiles { set: &set, folder: "quickdraw", files: &[&file] };
        self.fetch_file(&set_files, &file, &quickdraw_remote(category, self.mirror.as_deref()), progress)
    }

    /// The folder or archive of a split of CIFAR-10: found, or fetched into the cache folder.
    ///
    /// # Errors
    /// As `find_or_fetch_idx`.
    pub(crate) fn find_or_fetch_cifar10(&self, split: Split, progress: &mut dyn FnMut(Progress)) -> Result<PathBuf> {
        if let Some(found) = self.find_cifar10(split) {
            return Ok(found);
        }
        let set_files = SetFiles { set: "cifar10", folder: cifar::FOLDER, files: &[cifar::ARCHIVE] };
        self.fetch_file(&set_files, cifar::ARCHIVE, &cifar::remote(self.mirror.as_deref()), progress)
    }

    /// CelebA's images and their attribute table; these are never fetched.
    ///
    /// # Errors
    /// The files are missing; the hint says which files to put where.
    pub(crate) fn find_or_fetch_celeba(&self) -> Result<celeba::Found> {
        let set_files = SetFiles { set: "celeba", folder: celeba::FOLDER, files: &celeba::FILES };
        let why = "its licence forbids redistribution, so its files are not fetched";
        self.find_celeba().ok_or_else(|| self.missing(&set_files, why))
    }

    /// Fetches one file into the cache, unless it exists.
    fn fetch_file(
        &self,
        set_files: &SetFiles<'_>,
        file: &str,
        remote: &Remote,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<PathBuf> {
        let Some(cache) = &self.cache else {
            return Err(self.missing(set_files, "there is no cache folder to fetch it into (HOME is not set)"));
        };
        let folder = cache.join(set_files.folder);
        let target = folder.join(file);
        if target.is_file() {
            return Ok(target);
        }
        std::fs::create_dir_all(&folder).map_err(Error::io("create", &folder))?;
        match fetch(remote, &target, progress) {
            Ok(()) => Ok(target),
            Err(Failure::Disk(error)) => Err(error),
            Err(Failure::Transfer(what)) => {
                let what = format!("{file} can't be fetched from {}: {what}", remote.url);
                Err(self.missing(set_files, &what))
            }
        }
    }

    /// The error for missing files: where they were searched, and where to put them.
    fn missing(&self, set_files: &SetFiles<'_>, what: &str) -> Error {
        let SetFiles { set, folder, files } = set_files;
        let looked: Vec<String> = self.folders.iter().map(|place| place.display().to_string()).collect();
        let looked = if looked.is_empty() { "any data folder".to_owned() } else { looked.join(" or ") };
        let cache = match &self.cache {
            Some(cache) => format!("{}, or into ", cache.join(folder).display()),
            None => String::new(),
        };
        Error::data(
            format!("{set} is not in {looked}, and {what}"),
            format!(
                "put {} into {cache}DIR/{folder} and name DIR (`data.dir`, or FAUSSAIRE_DATA=DIR); \
                 the data set strokes needs no files",
                files.join(" and ")
            ),
        )
    }
}

#[cfg(all(test, feature = "fetch"))]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use std::path::Path;

    use super::super::registry::IDX_SETS;
    use super::super::search_path::checksum;
    use super::super::testing::{Answer, array, gzip, idx_images, serve, shared_data};
    use super::*;

    fn search_path(cache: &Path, mirror: String) -> SearchPath {
        SearchPath {
            folders: vec![cache.to_path_buf()],
            cache: Some(cache.to_path_buf()),
            mirror: Some(mirror),
            ..SearchPath::default()
        }
    }

    fn mirror(path: &str) -> Answer {
        match path {
            "/quickdraw/sheep.npy" => Answer::Whole(array(8)),
            "/quickdraw/ice%20cream.npy" => Answer::Unannounced(array(8)[..70].to_vec()),
            "/quickdraw/cat.npy" => Answer::Whole(b"<html>log in to this network</html>".to_vec()),
            _ => Answer::Missing,
        }
    }

    #[test]
    fn files_are_fetched_once() {
        let cache = crate::testing::folder();
        let search_path = search_path(cache.path(), serve(mirror));
        let mut calls = 0;
        let path = search_path.find_or_fetch_quickdraw("sheep", &mut |_| calls += 1).unwrap();
        assert_eq!((path.clone(), calls > 0), (cache.path().join("quickdraw/sheep.npy"), true));
        assert_eq!(std::fs::read(&path).unwrap(), array(8));
        let offline = SearchPath { mirror: Some("http://127.0.0.1:1".to_owned()), ..search_path };
        assert_eq!(offline.find_or_fetch_quickdraw("sheep", &mut |_| panic!("fetched again")).unwrap(), path);
    }

    #[test]
    fn damaged_transfers_leave_the_cache_empty() {
        let cache = crate::testing::folder();
        let search_path = search_path(cache.path(), serve(mirror));
        for (category, expected) in
            [("ice cream", "but the file has 70"), ("cat", "does not begin with"), ("dog", "no such file (status 404)")]
        {
            let error = search_path.find_or_fetch_quickdraw(category, &mut |_| {}).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.hint().contains(&format!("put {category}.npy into")), "{}", error.hint());
            assert_eq!(std::fs::read_dir(cache.path().join("quickdraw")).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_corrupt_mnist_is_refused_and_named() {
        let cache = crate::testing::folder();
        let search_path = search_path(cache.path(), serve(|_| Answer::Unannounced(gzip(&idx_images(2, 28, 28)))));
        let error = search_path.find_or_fetch_idx(&IDX_SETS[0], Split::Train, &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains("train-images-idx3-ubyte.gz can't be fetched"), "{error}");
        assert!(error.hint().contains("train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz"));
        assert_eq!(std::fs::read_dir(cache.path().join("mnist")).unwrap().count(), 0);
    }

    #[test]
    fn mnist_is_fetched_whole_from_a_mirror() {
        let Some(data) = shared_data() else { return };
        let server = serve(move |path| match std::fs::read(data.join(&path[1..])) {
            Ok(bytes) => Answer::Whole(bytes),
            Err(_) => Answer::Missing,
        });
        let cache = crate::testing::folder();
        let search_path = search_path(cache.path(), server);
        for set in &IDX_SETS {
            let [images, labels] = search_path.find_or_fetch_idx(set, Split::Test, &mut |_| {}).unwrap();
            assert!(images.starts_with(cache.path().join(set.name)) && labels.is_file());
            assert_eq!(checksum(&images).unwrap(), set.files(Split::Test)[0].sha256);
        }
    }
}

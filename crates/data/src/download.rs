//! Files of the named data sets that are not on this machine: fetched into the user's cache folder, or else an error
//! that says which files to put where. `$FAUSSAIRE_MIRROR` replaces the published addresses: a classroom serves one
//! data folder over HTTP (`python3 -m http.server` in it is enough), and nobody else needs the Internet. A mirror is
//! laid out like a data folder: `mnist/...`, `fashion-mnist/...`, `cifar10/...`, `quickdraw/CATEGORY.npy`.

use std::path::PathBuf;

use super::fetch::{Failure, Progress, Remote, fetch};
use super::open_options::Split;
use super::registry::{IdxSet, quickdraw_file, quickdraw_remote};
use super::search_path::SearchPath;
use super::{celeba, cifar};
use crate::error::{Error, Result};

/// A set whose files are needed, for messages: which files, and in which folder they belong.
struct Wanted<'a> {
    set: &'a str,
    folder: &'a str,
    files: &'a [&'a str],
}

impl SearchPath {
    /// The images and the labels of a split: found, or else fetched into the cache folder.
    ///
    /// # Errors
    /// Where they are not here and can't be fetched; the hint says which files to put where.
    pub fn obtain_idx(&self, set: &IdxSet, split: Split, progress: &mut dyn FnMut(Progress)) -> Result<[PathBuf; 2]> {
        if let Some(found) = self.find_idx(set, split) {
            return Ok(found);
        }
        let files = set.files(split);
        let names = files.map(|file| file.name);
        let wanted = Wanted { set: set.name, folder: set.folders[0], files: &names };
        for file in files {
            let remote = set.remote(file, self.mirror.as_deref());
            self.obtain(&wanted, file.name, &remote, progress)?;
        }
        self.find_idx(set, split).ok_or_else(|| self.missing(&wanted, "what was fetched is gone"))
    }

    /// The drawings of a Quick, Draw! category: found, or else fetched into the cache folder.
    ///
    /// # Errors
    /// As `obtain_idx`.
    pub fn obtain_quickdraw(&self, category: &str, progress: &mut dyn FnMut(Progress)) -> Result<PathBuf> {
        if let Some(found) = self.find_quickdraw(category) {
            return Ok(found);
        }
        let (file, set) = (quickdraw_file(category), format!("quickdraw:{category}"));
        let wanted = Wanted { set: &set, folder: "quickdraw", files: &[&file] };
        self.obtain(&wanted, &file, &quickdraw_remote(category, self.mirror.as_deref()), progress)
    }

    /// CIFAR-10's files of a split, in a folder or an archive: found, or else fetched into the cache folder.
    ///
    /// # Errors
    /// As `obtain_idx`.
    pub fn obtain_cifar10(&self, split: Split, progress: &mut dyn FnMut(Progress)) -> Result<PathBuf> {
        if let Some(found) = self.find_cifar10(split) {
            return Ok(found);
        }
        let wanted = Wanted { set: "cifar10", folder: cifar::FOLDER, files: &[cifar::ARCHIVE] };
        self.obtain(&wanted, cifar::ARCHIVE, &cifar::remote(self.mirror.as_deref()), progress)
    }

    /// CelebA's images and their attribute table, which are never fetched.
    ///
    /// # Errors
    /// Where they are not here; the hint says which files to put where.
    pub fn obtain_celeba(&self) -> Result<(PathBuf, PathBuf)> {
        let wanted = Wanted { set: "celeba", folder: celeba::FOLDER, files: &celeba::FILES };
        let why = "its terms forbid handing its files on, so they are not fetched";
        self.find_celeba().ok_or_else(|| self.missing(&wanted, why))
    }

    /// Fetches one of the files into the cache, unless it is there.
    fn obtain(
        &self,
        wanted: &Wanted<'_>,
        file: &str,
        remote: &Remote,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<PathBuf> {
        let Some(cache) = &self.cache else {
            return Err(self.missing(wanted, "there is no cache folder to fetch it into (HOME is not set)"));
        };
        let folder = cache.join(wanted.folder);
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
                Err(self.missing(wanted, &what))
            }
        }
    }

    /// The files of a set are not here: says where they were looked for and where to put them.
    fn missing(&self, wanted: &Wanted<'_>, what: &str) -> Error {
        let Wanted { set, folder, files } = wanted;
        let looked: Vec<String> = self.folders.iter().map(|place| place.display().to_string()).collect();
        let looked = if looked.is_empty() { "any data folder".to_owned() } else { looked.join(" or ") };
        let cache = match &self.cache {
            Some(cache) => format!("{}, or into ", cache.join(folder).display()),
            None => String::new(),
        };
        Error::data(
            format!("{set} is not in {looked}, and {what}"),
            format!(
                "put {} into {cache}DIR/{folder} and add --data DIR (or set FAUSSAIRE_DATA=DIR); \
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

    fn places(cache: &Path, mirror: String) -> SearchPath {
        SearchPath { folders: vec![cache.to_path_buf()], cache: Some(cache.to_path_buf()), mirror: Some(mirror) }
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
    fn drawings_are_fetched_once() {
        let cache = tempfile::tempdir().unwrap();
        let places = places(cache.path(), serve(mirror));
        let mut calls = 0;
        let path = places.obtain_quickdraw("sheep", &mut |_| calls += 1).unwrap();
        assert_eq!((path.clone(), calls > 0), (cache.path().join("quickdraw/sheep.npy"), true));
        assert_eq!(std::fs::read(&path).unwrap(), array(8));
        let offline = SearchPath { mirror: Some("http://127.0.0.1:1".to_owned()), ..places };
        assert_eq!(offline.obtain_quickdraw("sheep", &mut |_| panic!("fetched again")).unwrap(), path);
    }

    #[test]
    fn damaged_transfers_leave_the_cache_empty() {
        let cache = tempfile::tempdir().unwrap();
        let places = places(cache.path(), serve(mirror));
        for (category, expected) in
            [("ice cream", "but the file has 70"), ("cat", "does not begin with"), ("dog", "no such file (status 404)")]
        {
            let error = places.obtain_quickdraw(category, &mut |_| {}).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.hint().contains(&format!("put {category}.npy into")), "{}", error.hint());
            assert_eq!(std::fs::read_dir(cache.path().join("quickdraw")).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_corrupt_mnist_is_refused_and_named() {
        let cache = tempfile::tempdir().unwrap();
        let places = places(cache.path(), serve(|_| Answer::Unannounced(gzip(&idx_images(2, 28, 28)))));
        let error = places.obtain_idx(&IDX_SETS[0], Split::Train, &mut |_| {}).unwrap_err();
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
        let cache = tempfile::tempdir().unwrap();
        let places = places(cache.path(), server);
        for set in &IDX_SETS {
            let [images, labels] = places.obtain_idx(set, Split::Test, &mut |_| {}).unwrap();
            assert!(images.starts_with(cache.path().join(set.name)) && labels.is_file());
            assert_eq!(checksum(&images).unwrap(), set.files(Split::Test)[0].sha256);
        }
    }
}

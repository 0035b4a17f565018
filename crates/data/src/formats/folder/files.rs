//! The files of a data set: those of a folder, of an archive, or of the archives in a folder. `Listing` has all of them;
//! `Files` are the images that a data set consists of.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Result;
use crate::formats::archive::{Container, PassedOver, is_archive_name};
use crate::parts::{Part, archived_parts, common_folders, plain};

/// A file: the number of its container, and its number there.
type Place = (u32, u32);

/// All files of a folder or archive, images and others, each sorted by name.
pub(crate) struct Listing {
    root: PathBuf,
    containers: Arc<[Container]>,
    images: Vec<Place>,
    others: Vec<Place>,
    /// Whether the images are in archives of a folder.
    is_sharded: bool,
    passed: PassedOver,
}

impl Listing {
    /// Lists a folder or an archive. If a folder has no images, but archives, these are listed together; beside images of one part
    /// of the set, archives of other parts are listed as their folders would be.
    ///
    /// # Errors
    /// The folder or archive can't be read; as [`Container::open`].
    pub fn open(root: &Path) -> Result<Self> {
        let container = Container::open(root)?;
        if !container.is_folder() {
            return Ok(Self::over(root, vec![container], &[]));
        }
        let mut archives = Vec::new();
        for index in 0..container.len() {
            if is_archive_name(container.name(index)) {
                archives.extend(container.path(index).map(|path| (path, container.name(index).to_owned())));
            }
        }
        if container.images() > 0 {
            return Self::beside_images(root, container, &archives);
        }
        let (mut containers, mut passed) = (vec![container], PassedOver::default());
        let mut known: HashMap<String, String> = HashMap::new();
        for (path, name) in &archives {
            if let Some(other) = known.insert(plain(name).to_owned(), name.clone()) {
                passed.packings.add(format!("{name}, by its name that of {other}"));
                continue;
            }
            match Container::archive(path, &format!("{name}/")) {
                Ok(archive) => containers.push(archive),
                // The message of a single archive says what to do.
                Err(_) if archives.len() == 1 => containers.push(Container::open(path)?),
                Err(what) => passed.archives.add(format!("{name}: {what}")),
            }
        }
        let read: Vec<&str> = archives.iter().map(|(_, name)| name.as_str()).collect();
        let mut listing = Self::over(root, containers, &read);
        listing.is_sharded = !read.is_empty();
        listing.passed.extend(&passed);
        Ok(listing)
    }

    /// Lists the images of a folder, and those in its `archives`, each given with its path and its name there, that are another part.
    fn beside_images(root: &Path, folder: Container, archives: &[(PathBuf, String)]) -> Result<Self> {
        let images: Vec<&str> = (0..folder.images()).map(|index| folder.name(index)).collect();
        let names: Vec<&str> = archives.iter().map(|(_, name)| name.as_str()).collect();
        let parts = archived_parts(&images, &names);
        let (mut containers, mut read, mut passed) = (vec![folder], Vec::new(), PassedOver::default());
        for (at, part) in parts {
            let (path, name) = &archives[at];
            match Container::archive(path, &format!("{name}/")) {
                Ok(archive) if archive.images() == 0 => passed.archives.add(format!("{name}: it holds no image")),
                Ok(archive) => {
                    containers.push(archive);
                    read.push(name.as_str());
                }
                // Without it there is nothing to learn from; its own message says what to do.
                Err(_) if part == Part::Train => drop(Container::open(path)?),
                Err(what) => passed.archives.add(format!("{name}: {what}")),
            }
        }
        let mut listing = Self::over(root, containers, &read);
        listing.passed.extend(&passed);
        Ok(listing)
    }

    /// Images in memory.
    pub fn in_memory(container: Container) -> Self {
        let root = container.root().to_path_buf();
        Self::over(&root, vec![container], &[])
    }

    /// The files of `containers`; those of the first one that are `read` as archives are no files of the set.
    fn over(root: &Path, containers: Vec<Container>, read: &[&str]) -> Self {
        let (mut images, mut others, mut passed) = (Vec::new(), Vec::new(), PassedOver::default());
        for (at, container) in containers.iter().enumerate() {
            let places = (0..container.len()).map(|index| (at as u32, index as u32));
            let count = container.images();
            images.extend(places.clone().take(count));
            let is_read = |place: &Place| at == 0 && read.contains(&container.name(place.1 as usize));
            others.extend(places.skip(count).filter(|place| !is_read(place)));
            passed.extend(container.passed());
        }
        let name = |place: &Place| containers[place.0 as usize].name(place.1 as usize);
        if containers.len() > 1 {
            images.sort_by(|a, b| name(a).cmp(name(b)));
        }
        let root = root.to_path_buf();
        Self { root, containers: containers.into(), images, others, is_sharded: false, passed }
    }

    /// The folder or archive.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// The path of image `index` inside, with `/` between its parts; one in an archive of a folder begins with the archive's.
    pub fn name(&self, index: usize) -> &str {
        self.name_at(self.images[index])
    }

    /// Length in bytes of image `index`, unpacked.
    pub fn image_length(&self, index: usize) -> u64 {
        let (container, file) = self.images[index];
        self.containers[container as usize].length(file as usize)
    }

    /// Reads image `index`'s file.
    ///
    /// # Errors
    /// A description of what is wrong.
    pub fn read_image(&self, index: usize) -> Result<Vec<u8>, String> {
        let (container, file) = self.images[index];
        self.containers[container as usize].read(file as usize)
    }

    /// Number of other files.
    pub fn others(&self) -> usize {
        self.others.len()
    }

    /// The path of another file inside.
    pub fn other_name(&self, index: usize) -> &str {
        self.name_at(self.others[index])
    }

    /// Reads another file.
    ///
    /// # Errors
    /// A description of what is wrong.
    pub fn read_other(&self, index: usize) -> Result<Vec<u8>, String> {
        let (container, file) = self.others[index];
        self.containers[container as usize].read(file as usize)
    }

    fn name_at(&self, (container, file): Place) -> &str {
        self.containers[container as usize].name(file as usize)
    }

    /// Whether some of the images of a folder are in its archives.
    pub fn reads_archives(&self) -> bool {
        self.containers.len() > 1
    }

    /// Whether it is a folder of image files.
    pub fn is_folder(&self) -> bool {
        !self.is_sharded && self.containers.first().is_some_and(Container::is_folder)
    }

    /// What was passed over.
    pub fn passed(&self) -> &PassedOver {
        &self.passed
    }

    /// The images with these numbers, in this order. `folder` is the length of a folder's path that is no part of their names
    /// in the key of the cache.
    pub fn select(&self, indices: impl Iterator<Item = usize>, folder: usize) -> Files {
        let images: Vec<Place> = indices.map(|index| self.images[index]).collect();
        let shared =
            if self.is_folder() { folder } else { common_folders(images.iter().map(|place| self.name_at(*place))) };
        Files { root: self.root.clone(), containers: Arc::clone(&self.containers), images, shared }
    }
}

/// The images of a data set.
pub(crate) struct Files {
    root: PathBuf,
    containers: Arc<[Container]>,
    images: Vec<Place>,
    /// The length of what all names begin with and the cache ignores.
    shared: usize,
}

impl Files {
    fn container(&self, index: usize) -> (&Container, usize) {
        let (container, file) = self.images[index];
        (&self.containers[container as usize], file as usize)
    }

    /// The folder or archive.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// The path of image `index` inside the root.
    pub fn name(&self, index: usize) -> &str {
        let (container, file) = self.container(index);
        container.name(file)
    }

    /// The path of image `index` for the cache, which packing a folder doesn't change.
    pub fn cached_name(&self, index: usize) -> &str {
        self.name(index).get(self.shared..).unwrap_or_default()
    }

    /// Length in bytes of image `index`, unpacked.
    pub fn length(&self, index: usize) -> u64 {
        let (container, file) = self.container(index);
        container.length(file)
    }

    /// The path of image `index` for messages; one in an archive as `ARCHIVE/FILE`.
    pub fn path(&self, index: usize) -> PathBuf {
        let (container, file) = self.container(index);
        container.path(file).unwrap_or_else(|| self.root.join(container.name(file)))
    }

    /// Reads image `index`'s file.
    ///
    /// # Errors
    /// A description of what is wrong.
    pub fn read(&self, index: usize) -> Result<Vec<u8>, String> {
        let (container, file) = self.container(index);
        container.read(file)
    }

    /// A number that changes when image `index` changes.
    pub fn version(&self, index: usize) -> u64 {
        let (container, file) = self.container(index);
        container.version(file)
    }

    /// Whether the images are files in a folder.
    pub fn is_folder(&self) -> bool {
        self.images.first().is_some_and(|(container, _)| self.containers[*container as usize].is_folder())
    }
}

//! Files beside images that say something about them: labels, parts. `table` reads their rows, `join` finds the images of the rows.

mod join;
mod separated;
mod table;

use crate::formats::archive::extension;
use crate::parts::{Part, part_of};
pub(crate) use join::{Index, Scope, stem};
pub(crate) use table::{SEVERAL_OBJECTS, Table, looks_like_table};

/// A function that reads a file, or describes what is wrong.
type Reader<'a> = Box<dyn Fn() -> Result<Vec<u8>, String> + Send + Sync + 'a>;

/// A file beside the images.
pub(crate) struct Sidecar<'a> {
    /// Its path inside the set, with `/` between its parts, or its name, if it is beside the folder or archive of the images.
    pub name: String,
    /// Whether it is beside the folder or archive of the images.
    pub is_outside: bool,
    /// The name of the folder of the images, if the file is outside of it.
    root: String,
    reader: Reader<'a>,
}

impl<'a> Sidecar<'a> {
    /// A file that `reader` reads.
    pub fn new(
        name: impl Into<String>,
        is_outside: bool,
        reader: impl Fn() -> Result<Vec<u8>, String> + Send + Sync + 'a,
    ) -> Self {
        Self { name: name.into(), is_outside, root: String::new(), reader: Box::new(reader) }
    }

    /// The same file beside a folder of images that is called `root`.
    pub fn beside(self, root: &str) -> Self {
        Self { root: root.to_owned(), ..self }
    }

    /// Its bytes.
    ///
    /// # Errors
    /// A description of what is wrong.
    pub fn read(&self) -> Result<Vec<u8>, String> {
        (self.reader)()
    }

    /// Its name without folders.
    pub fn file(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    /// Its folder, with `/` at the end; empty for the root.
    pub fn folder(&self) -> &str {
        &self.name[..self.name.len() - self.file().len()]
    }

    /// Its name without folders and extension.
    pub fn stem(&self) -> &str {
        let file = self.file();
        file.rsplit_once('.').map_or(file, |(stem, _)| stem)
    }

    /// Its extension in lower case.
    pub fn extension(&self) -> String {
        extension(self.file()).to_ascii_lowercase()
    }

    /// Where the images that it names are to be sought.
    pub fn scope(&self) -> Scope<'_> {
        Scope { folder: if self.is_outside { "" } else { self.folder() }, part: self.part(), root: &self.root }
    }

    /// The part that its name, or its folder's, names: `train.csv`, `test/metadata.jsonl`.
    fn part(&self) -> Option<Part> {
        let folders = self.folder().rsplit('/').filter(|folder| !folder.is_empty());
        part_of(self.stem())
            .or_else(|| if self.is_outside { None } else { folders.map(part_of).find(Option::is_some)? })
    }
}

//! A data set with the attributes of a table.

use std::sync::Arc;

use super::Attributes;
use crate::dataset::{Dataset, DatasetInfo, ImageShape};
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::folder::Folder;

/// A data set whose images have attributes.
pub struct WithAttributes {
    inner: Arc<dyn Dataset>,
    info: DatasetInfo,
    /// Image by image.
    has: Arc<[bool]>,
}

impl WithAttributes {
    /// The images of `folder` with the attributes of `table`.
    ///
    /// # Errors
    /// As [`WithAttributes::join`].
    pub fn over(folder: Folder, table: &Attributes) -> Result<Box<dyn Dataset>> {
        let names: Vec<String> = (0..folder.len()).map(|index| folder.entry_name(index).to_owned()).collect();
        Self::join(Box::new(folder), table, |index| names.get(index).cloned())
    }

    /// The images of `inner` with the attributes of `table`; `file` gives the name of the file of each image.
    ///
    /// # Errors
    /// Some images have no row; the message has their number and the first one.
    pub fn join(
        inner: Box<dyn Dataset>,
        table: &Attributes,
        file: impl Fn(usize) -> Option<String>,
    ) -> Result<Box<dyn Dataset>> {
        let mut has = Vec::with_capacity(inner.len() * table.names.len());
        let mut missing = Vec::new();
        for index in 0..inner.len() {
            let file = file(index).unwrap_or_default();
            match table.of(&file) {
                Some(row) => has.extend_from_slice(row),
                None => missing.push(file),
            }
        }
        if let Some(first) = missing.first() {
            return Err(Error::data(
                format!(
                    "{} of {} images in {} have no row in {}, {first} for one",
                    missing.len(),
                    inner.len(),
                    inner.name(),
                    table.origin
                ),
                "use the table of these images, or remove the images (or the table)",
            ));
        }
        let (inner, has): (Arc<dyn Dataset>, Arc<[bool]>) = (Arc::from(inner), Arc::from(has));
        let (set, rows, width) = (Arc::clone(&inner), Arc::clone(&has), table.names.len());
        let info = inner.info().clone().with_attributes(table.names.clone(), move |index, attribute| {
            // An image that replaces a bad one has its own attributes.
            rows.chunks_exact(width).nth(set.resolved(index))?.get(attribute).copied()
        });
        Ok(Box::new(Self { inner, info, has }))
    }
}

impl std::fmt::Debug for WithAttributes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WithAttributes({:?} with {} attributes)", self.inner, self.info.labels.attributes().len())
    }
}

impl Dataset for WithAttributes {
    fn len(&self) -> usize {
        self.inner.len()
    }

    fn shape(&self) -> ImageShape {
        self.inner.shape()
    }

    fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
        self.inner.read(index, out)
    }

    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn inner(&self) -> Option<&dyn Dataset> {
        Some(self.inner.as_ref())
    }

    fn fingerprint(&self) -> String {
        let make = || {
            let mut digest = Digest::new();
            digest.update(self.inner.fingerprint().as_bytes());
            digest.update(self.info.labels.attributes().join(",").as_bytes());
            let bytes: Vec<u8> = self.has.iter().map(|&has| u8::from(has)).collect();
            digest.update(&bytes);
            digest.finish()
        };
        self.info.digest(make)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::InMemory;

    fn images() -> Box<dyn Dataset> {
        let shape = ImageShape { height: 1, width: 2, channels: 1 };
        let set = InMemory::from_bytes("x", shape, vec![0, 51, 102, 255, 0, 0]).unwrap();
        Box::new(set.with_labels(vec![0, 1, 0], vec!["a".to_owned(), "b".to_owned()]).unwrap())
    }

    fn table(text: &str) -> Attributes {
        Attributes::parse(text.as_bytes(), "list.csv").unwrap()
    }

    #[test]
    fn images_have_the_attributes_of_their_files() {
        // The table has another order than the images, and more rows.
        let whole = table("f,A,B\n3.jpg,1,1\n9.jpg,1,0\n2.jpg,0,1\n1.jpg,1,-1\n");
        let file = |index: usize| Some(format!("faces/{}.jpg", index + 1));
        let set = WithAttributes::join(images(), &whole, file).unwrap();
        let has = |index| [set.has_attribute(index, 0), set.has_attribute(index, 1)];
        assert_eq!((has(0), has(1)), ([Some(true), Some(false)], [Some(false), Some(true)]));
        assert_eq!((has(2), has(3)), ([Some(true), Some(true)], [None, None]));
        assert_eq!((set.has_attribute(0, 2), set.attributes()), (None, vec!["A".to_owned(), "B".to_owned()]));
        // Attributes take the place of classes.
        assert_eq!((set.label(0), set.classes().len(), set.len()), (None, 0, 3));
        let mut image = [0.0; 2];
        set.read(1, &mut image).unwrap();
        assert_eq!(image, [0.4, 1.0]);
        let other = table("f,A,B\n3.jpg,1,1\n2.jpg,0,1\n1.jpg,1,1\n");
        assert_ne!(set.fingerprint(), WithAttributes::join(images(), &other, file).unwrap().fingerprint());
        assert_ne!(set.fingerprint(), images().fingerprint());
    }

    #[test]
    fn images_without_a_row_are_counted_and_the_first_is_named() {
        let part = table("f,A\n2.jpg,1\n");
        let error = WithAttributes::join(images(), &part, |index| Some(format!("{}.jpg", index + 1))).unwrap_err();
        assert_eq!(error.to_string(), "2 of 3 images in x have no row in list.csv, 1.jpg for one");
    }
}

//! A data set with the attributes of a table.

use std::sync::Arc;

use super::Attributes;
use crate::dataset::{Dataset, DatasetInfo, ImageShape};
use crate::digest::Digest;
use crate::error::{Error, Result};

/// A data set whose images have attributes.
pub struct WithAttributes {
    inner: Arc<dyn Dataset>,
    info: DatasetInfo,
    /// The attributes of each image; none for one without a row.
    has: Arc<[Option<Box<[bool]>>]>,
}

impl WithAttributes {
    /// The images of `inner` with the attributes of `table`; `file` gives the name of the file of each image. Images without a
    /// row have no attributes, which a note says.
    ///
    /// # Errors
    /// No image has a row.
    pub fn join(
        inner: Box<dyn Dataset>,
        table: &Attributes,
        file: impl Fn(usize) -> Option<String>,
    ) -> Result<Box<dyn Dataset>> {
        let files: Vec<String> = (0..inner.len()).map(|index| file(index).unwrap_or_default()).collect();
        let has: Vec<Option<&[bool]>> = files.iter().map(|file| table.of(file)).collect();
        let missing = has.iter().filter(|row| row.is_none()).count();
        if missing == has.len() {
            return Err(Error::data(
                format!("none of the {missing} images in {} has a row in {}", inner.name(), table.origin),
                "use the table of these images",
            ));
        }
        let first = has.iter().position(Option::is_none).and_then(|at| files.get(at));
        let note = first
            .map(|first| format!("{missing} of {} images have no row in {}, {first} for one", has.len(), table.origin));
        let mut set = Self::new(inner, table.names.clone(), has);
        set.info.notes.extend(note);
        Ok(Box::new(set))
    }

    /// The images of `inner` with the attributes in these rows of `table`, if there are any.
    pub(crate) fn over(inner: Box<dyn Dataset>, table: &Attributes, rows: &[Option<u32>]) -> Box<dyn Dataset> {
        let has = rows.iter().map(|row| table.row((*row)? as usize)).collect();
        Box::new(Self::new(inner, table.names.clone(), has))
    }

    fn new(inner: Box<dyn Dataset>, names: Vec<String>, has: Vec<Option<&[bool]>>) -> Self {
        let has: Arc<[Option<Box<[bool]>>]> = has.into_iter().map(|row| row.map(Box::from)).collect();
        let inner: Arc<dyn Dataset> = Arc::from(inner);
        let (set, rows) = (Arc::clone(&inner), Arc::clone(&has));
        let info = inner.info().clone().with_attributes(names, move |index, attribute| {
            // An image that replaces a bad one has its own attributes.
            rows.get(set.resolved(index))?.as_ref()?.get(attribute).copied()
        });
        Self { inner, info, has }
    }

    /// The digest of the table, and of the images given by theirs.
    fn digest_over(&self, images: &str) -> String {
        let mut digest = Digest::new();
        digest.update(images.as_bytes());
        digest.update(self.info.labels.attributes().join(",").as_bytes());
        for row in self.has.iter() {
            match row {
                Some(row) => row.iter().for_each(|has| digest.update(&[u8::from(*has)])),
                None => digest.update(&[2]),
            }
        }
        digest.finish()
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
        self.info.digest(|| self.digest_over(&self.inner.fingerprint()))
    }

    fn fingerprint_over(&self, inner: &str) -> Option<String> {
        Some(self.digest_over(inner))
    }

    fn earlier_fingerprints(&self) -> Vec<String> {
        let inner = self.inner.earlier_fingerprints();
        let with_table = inner.iter().map(|inner| self.digest_over(inner));
        // Until this table was read, the set was known by its images.
        with_table.chain([self.inner.fingerprint()]).chain(inner.iter().cloned()).collect()
    }

    fn notes(&self) -> Vec<String> {
        let known = self.inner.notes();
        let own = self.info.notes.iter().filter(|note| !known.contains(note)).cloned().collect::<Vec<_>>();
        [known, own].concat()
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
    fn images_without_a_row_have_no_attributes() {
        let part = table("f,A\n2.jpg,1\n");
        let file = |index: usize| Some(format!("{}.jpg", index + 1));
        let set = WithAttributes::join(images(), &part, file).unwrap();
        assert_eq!(set.notes(), ["2 of 3 images have no row in list.csv, 1.jpg for one"]);
        assert_eq!((0..3).map(|index| set.has_attribute(index, 0)).collect::<Vec<_>>(), [None, Some(true), None]);
        let all = WithAttributes::join(images(), &table("f,A\n1.jpg,0\n2.jpg,1\n3.jpg,0\n"), file).unwrap();
        assert_ne!(set.fingerprint(), all.fingerprint());
        // A run of the time before the table was read goes on.
        assert!(set.matches(&images().fingerprint()) && !set.matches(&all.fingerprint()));
        let other = table("f,A\n9.jpg,1\n");
        let error = WithAttributes::join(images(), &other, file).unwrap_err();
        assert_eq!(error.to_string(), "none of the 3 images in x has a row in list.csv");
    }
}

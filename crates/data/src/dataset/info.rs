//! The description of a data set: name, labels, kind, notes. Wrappers clone it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::{Dataset, ImageShape};
use crate::digest::Digest;
use crate::error::Result;
use crate::toy::Toy;

/// The kind of a set's examples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Images.
    #[default]
    Images,
    /// Points in the plane, of shape 1x1x2, from a known distribution.
    Points(Toy),
}

impl Kind {
    /// The distribution of points.
    pub fn toy(self) -> Option<Toy> {
        match self {
            Self::Points(toy) => Some(toy),
            Self::Images => None,
        }
    }
}

/// The label of an image by its index; `None` for an image without label and past the end.
type ClassOf = Arc<dyn Fn(usize) -> Option<u32> + Send + Sync>;

/// Whether an image has an attribute, by the indices of both; `None` if that is unknown and past either end.
type HasAttribute = Arc<dyn Fn(usize, usize) -> Option<bool> + Send + Sync>;

/// The labels of the images.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Labels {
    /// No labels.
    #[default]
    None,
    /// One of several classes.
    Classes {
        /// Their names; label `k` means `names[k]`.
        names: Arc<[String]>,
        /// The label of each image.
        of: ClassOf,
    },
    /// Binary attributes.
    Attributes {
        /// Their names.
        names: Arc<[String]>,
        /// Whether an image has an attribute.
        of: HasAttribute,
    },
}

impl Labels {
    /// The class of image `index`; `None` if it has none.
    pub fn class(&self, index: usize) -> Option<u32> {
        match self {
            Self::Classes { of, .. } => of(index),
            Self::None | Self::Attributes { .. } => None,
        }
    }

    /// Names of the classes; empty if there are none.
    pub fn classes(&self) -> &[String] {
        match self {
            Self::Classes { names, .. } => names,
            Self::None | Self::Attributes { .. } => &[],
        }
    }

    /// Names of the attributes; empty if there are none.
    pub fn attributes(&self) -> &[String] {
        match self {
            Self::Attributes { names, .. } => names,
            Self::None | Self::Classes { .. } => &[],
        }
    }

    /// Whether image `index` has attribute number `attribute`.
    pub fn has_attribute(&self, index: usize, attribute: usize) -> Option<bool> {
        match self {
            Self::Attributes { of, .. } => of(index, attribute),
            Self::None | Self::Classes { .. } => None,
        }
    }

    /// The labels of the images at `indices`, in that order.
    fn at(&self, indices: &Arc<[usize]>) -> Self {
        let indices = Arc::clone(indices);
        match self.clone() {
            Self::None => Self::None,
            Self::Classes { names, of } => Self::Classes { names, of: Arc::new(move |at| of(*indices.get(at)?)) },
            Self::Attributes { names, of } => {
                Self::Attributes { names, of: Arc::new(move |at, attribute| of(*indices.get(at)?, attribute)) }
            }
        }
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => write!(f, "None"),
            Self::Classes { names, .. } => write!(f, "Classes({names:?})"),
            Self::Attributes { names, .. } => write!(f, "Attributes({names:?})"),
        }
    }
}

/// The fixed properties of a data set.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DatasetInfo {
    /// The set's name: `mnist`, `strokes`, a path.
    pub name: String,
    /// Images or points.
    pub kind: Kind,
    /// Classes or attributes.
    pub labels: Labels,
    /// Notes for the user on how the set is read, one sentence each.
    pub notes: Vec<String>,
    /// Why files that may hold labels are not used, one sentence each; for a set without labels.
    pub unused_labels: Vec<String>,
    /// The set of grey images from which each channel is drawn separately: the digits of stacked MNIST.
    pub channel_source: Option<Arc<dyn Dataset>>,
    digest: Cached,
}

impl DatasetInfo {
    /// A description with a name only.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// With one class per image: label `k` means `names[k]`; `of` returns the label of each image, `None` for an image without
    /// label and past the end.
    pub fn with_classes(
        mut self,
        names: impl Into<Arc<[String]>>,
        of: impl Fn(usize) -> Option<u32> + Send + Sync + 'static,
    ) -> Self {
        self.labels = Labels::Classes { names: names.into(), of: Arc::new(of) };
        self
    }

    /// With binary attributes: `of(image, attribute)` says whether an image has one.
    pub fn with_attributes(
        mut self,
        names: impl Into<Arc<[String]>>,
        of: impl Fn(usize, usize) -> Option<bool> + Send + Sync + 'static,
    ) -> Self {
        self.labels = Labels::Attributes { names: names.into(), of: Arc::new(of) };
        self
    }

    /// The description of the images at `indices`, in that order.
    pub fn at(&self, indices: &Arc<[usize]>) -> Self {
        Self { labels: self.labels.at(indices), ..self.clone() }
    }

    /// The cached result of `make`.
    pub(crate) fn digest(&self, make: impl FnOnce() -> String) -> String {
        self.digest.0.get_or_init(make).clone()
    }
}

/// A digest computed once. A clone belongs to another set and starts empty.
#[derive(Debug, Default)]
struct Cached(OnceLock<String>);

impl Clone for Cached {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// The digest of all images and labels of a set.
pub(super) fn content(
    count: usize,
    shape: ImageShape,
    info: &DatasetInfo,
    read: impl Fn(usize, &mut [f32]) -> Result<()>,
) -> String {
    let mut digest = Digest::new();
    digest.update(format!("images {count}x{shape}\n").as_bytes());
    let mut image = vec![0.0f32; shape.len()];
    for index in 0..count {
        match read(index, &mut image) {
            Ok(()) => digest.update_values(&image),
            Err(error) => digest.update(error.to_string().as_bytes()),
        }
        if let Some(label) = info.labels.class(index) {
            digest.update(&label.to_le_bytes());
        }
        let has =
            (0..info.labels.attributes().len()).map(|at| u8::from(info.labels.has_attribute(index, at) == Some(true)));
        digest.update(&has.collect::<Vec<u8>>());
    }
    digest.finish()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::{Attributes, BadFile, ImageOptions, Resized, Subset, WithAttributes};

    /// A minimal data set: images of one value each, one of which can't be read.
    #[derive(Debug)]
    struct Own(Vec<f32>, DatasetInfo);

    impl Dataset for Own {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn shape(&self) -> ImageShape {
            ImageShape { height: 1, width: 1, channels: 1 }
        }
        fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
            match self.0.get(index) {
                Some(value) if *value <= 1.0 => out.fill(*value),
                _ => return Err(Error::data(format!("image {index} is broken"), "none")),
            }
            Ok(())
        }
        fn info(&self) -> &DatasetInfo {
            &self.1
        }
        fn skipped(&self) -> Vec<BadFile> {
            vec![BadFile { path: "x".into(), reason: "broken".into() }]
        }
        fn resolved(&self, index: usize) -> usize {
            if index == 2 { 1 } else { index }
        }
        fn is_lazy(&self) -> bool {
            true
        }
    }

    fn own(values: &[f32]) -> Own {
        let mut info = DatasetInfo::new("own").with_classes(["a".into(), "b".into()], |index| Some(index as u32 % 2));
        info.kind = Kind::Points(Toy::Ring);
        info.notes = vec!["a note".into()];
        info.channel_source = Some(Arc::new(crate::Strokes::new(1, 10)));
        Own(values.to_vec(), info)
    }

    #[test]
    fn a_minimal_data_set_has_a_fingerprint_of_its_content() {
        let print = |set: &Own| set.fingerprint();
        let base = print(&own(&[0.0, 0.5, 1.0]));
        assert_eq!((base.len(), &base), (64, &print(&own(&[0.0, 0.5, 1.0]))));
        for other in [&[0.0, 0.5][..], &[0.0, 0.25, 1.0], &[0.5, 0.0, 1.0], &[0.0, 0.5, 9.0]] {
            assert_ne!(base, print(&own(other)), "{other:?}");
        }
        let mut unlabelled = own(&[0.0, 0.5, 1.0]);
        unlabelled.1.labels = Labels::None;
        assert_ne!(base, print(&unlabelled));
        // A clone doesn't share the cached digest.
        let set = own(&[0.0, 0.5, 1.0]);
        assert_eq!(print(&set), base);
        assert_eq!(print(&Own(vec![0.5], set.1.clone())), print(&own(&[0.5])));
    }

    #[test]
    fn wrappers_forward_all_properties() {
        let set = || Box::new(own(&[0.0, 0.5, 1.0]));
        let table = Attributes::parse(&b"f,Hat\n0.png,1\n1.png,0\n2.png,1\n"[..], "list").unwrap();
        let size = ImageOptions { size: Some((2, 2)), ..ImageOptions::default() };
        let wrapped: [Box<dyn Dataset>; 3] = [
            Subset::first(set(), 2),
            Resized::over(set(), &size).unwrap(),
            WithAttributes::join(set(), &table, |index| Some(format!("{index}.png"))).unwrap(),
        ];
        for set in &wrapped {
            assert_eq!((set.name(), set.toy(), set.is_lazy()), ("own".to_owned(), Some(Toy::Ring), true), "{set:?}");
            assert_eq!((set.skipped().len(), set.channel_source().is_some()), (1, true), "{set:?}");
            assert!(set.notes().contains(&"a note".to_owned()), "{set:?}");
            assert_ne!(set.fingerprint(), own(&[0.0, 0.5, 1.0]).fingerprint());
        }
        let [first, resized, attributed] = wrapped;
        assert_eq!((first.label(1), first.label(2), first.classes().len()), (Some(1), None, 2));
        assert_eq!((resized.label(2), resized.resolved(2), attributed.resolved(2)), (Some(0), 1, 1));
        assert_eq!((attributed.label(0), attributed.attributes()), (None, vec!["Hat".to_owned()]));
        let hats: Vec<_> = (0..4).map(|index| attributed.has_attribute(index, 0)).collect();
        assert_eq!(hats, [Some(true), Some(false), Some(false), None], "those of the replacement");
        let part = Subset::filter(&Arc::from(attributed), |index| index != 1);
        assert_eq!((part.has_attribute(0, 0), part.has_attribute(2, 0), part.len()), (Some(true), None, 2));
    }
}

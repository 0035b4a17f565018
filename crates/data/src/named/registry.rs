//! The named data sets: their names, files, download addresses and checksums. `search_path` finds the files on this machine.

use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::fetch::Remote;
use crate::hub::{self, HubName};
use crate::nearest::nearest;
use crate::npy;
use crate::open_options::Split;
use crate::toy::Toy;

/// Network timeout.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Size limit of a Quick, Draw! file; the largest published one has about 260 MB.
const QUICKDRAW_MAX_BYTES: u64 = 512 << 20;

const QUICKDRAW_ADDRESS: &str = "https://storage.googleapis.com/quickdraw_dataset/full/numpy_bitmap/";

/// A published file.
#[derive(Debug)]
pub(crate) struct Published {
    /// Its name, with `.gz`.
    pub name: &'static str,
    bytes: u64,
    pub sha256: &'static str,
    /// The checksum after gunzip, for images.
    pub plain_sha256: &'static str,
}

/// A set that is published as four IDX files, like MNIST.
#[derive(Debug)]
pub(crate) struct IdxSet {
    pub name: &'static str,
    pub about: &'static str,
    /// Folders that are searched: this program's, then torchvision's.
    pub folders: [&'static str; 2],
    address: &'static str,
    pub classes: [&'static str; 10],
    /// Images and labels of the training split, then of the test split.
    files: [Published; 4],
}

impl IdxSet {
    /// The images file and the labels file of a split.
    pub fn files(&self, split: Split) -> [&Published; 2] {
        let [train_images, train_labels, test_images, test_labels] = &self.files;
        match split {
            Split::Train => [train_images, train_labels],
            Split::Test => [test_images, test_labels],
        }
    }

    /// The download of one of the files.
    pub(crate) fn remote(&self, file: &Published, mirror: Option<&str>) -> Remote {
        let base = mirror.map_or(self.address.to_owned(), |mirror| format!("{mirror}/{}/", self.folders[0]));
        Remote {
            url: format!("{base}{}", file.name),
            bytes: Some(file.bytes),
            max_bytes: file.bytes,
            sha256: Some(file.sha256.to_owned()),
            inspect: |_| Ok(()),
            timeout: TIMEOUT,
            token: None,
        }
    }
}

/// The sets of the MNIST family.
pub(crate) static IDX_SETS: [IdxSet; 2] = [
    IdxSet {
        name: "mnist",
        about: "handwritten digits (LeCun, Cortes, Burges)",
        folders: ["mnist", "MNIST/raw"],
        address: "https://ossci-datasets.s3.amazonaws.com/mnist/",
        classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
        files: [
            Published {
                name: "train-images-idx3-ubyte.gz",
                bytes: 9_912_422,
                sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                plain_sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            },
            Published {
                name: "train-labels-idx1-ubyte.gz",
                bytes: 28_881,
                sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                plain_sha256: "",
            },
            Published {
                name: "t10k-images-idx3-ubyte.gz",
                bytes: 1_648_877,
                sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                plain_sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            },
            Published {
                name: "t10k-labels-idx1-ubyte.gz",
                bytes: 4_542,
                sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                plain_sha256: "",
            },
        ],
    },
    IdxSet {
        name: "fashion-mnist",
        about: "articles of clothing (Zalando Research)",
        folders: ["fashion-mnist", "FashionMNIST/raw"],
        address: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        classes: [
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ],
        files: [
            Published {
                name: "train-images-idx3-ubyte.gz",
                bytes: 26_421_880,
                sha256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                plain_sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            },
            Published {
                name: "train-labels-idx1-ubyte.gz",
                bytes: 29_515,
                sha256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                plain_sha256: "",
            },
            Published {
                name: "t10k-images-idx3-ubyte.gz",
                bytes: 4_422_102,
                sha256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                plain_sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            },
            Published {
                name: "t10k-labels-idx1-ubyte.gz",
                bytes: 5_148,
                sha256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                plain_sha256: "",
            },
        ],
    },
];

/// A named data set.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NamedSet {
    /// Synthetic digits.
    Strokes,
    /// Synthetic points in the plane.
    Toy(Toy),
    /// Four IDX files.
    Idx(&'static IdxSet),
    /// Three digits of MNIST in one image.
    Stacked,
    /// Small photographs in ten classes.
    Cifar10,
    /// Faces with attributes.
    Celeba,
    /// One category of Quick, Draw!, as Google spells it.
    Quickdraw(&'static str),
    /// A set on Hugging Face; its name has the rest.
    Hub,
}

/// The names, for messages.
pub(crate) const NAMES: &str = "strokes, mnist, fashion-mnist, stacked-mnist, cifar10, celeba, ring, grid, \
                                quickdraw:CATEGORY (quickdraw:sheep, for one), hf:OWNER/SET (on Hugging Face)";

/// Other spellings of names: that of TensorFlow Datasets.
const ALIASES: [(&str, &str); 1] = [("celeb_a", "celeba")];

/// All names without a category, with their sets.
fn fixed_names() -> impl Iterator<Item = (&'static str, NamedSet)> {
    let sets = IDX_SETS.iter().map(|set| (set.name, NamedSet::Idx(set)));
    let toys = Toy::ALL.into_iter().map(|toy| (toy.name(), NamedSet::Toy(toy)));
    let others = [
        ("strokes", NamedSet::Strokes),
        ("stacked-mnist", NamedSet::Stacked),
        ("cifar10", NamedSet::Cifar10),
        ("celeba", NamedSet::Celeba),
    ];
    sets.chain(toys).chain(others)
}

/// The categories of Quick, Draw!, as Google spells them.
/// Source: categories.txt of <https://github.com/googlecreativelab/quickdraw-dataset>.
pub fn quickdraw_categories() -> impl Iterator<Item = &'static str> {
    include_str!("registry/quickdraw.txt").lines()
}

/// The set called `name`; `None` if there is none, so that `name` may be a path.
///
/// # Errors
/// A name of Quick, Draw! whose category is missing or unknown, or of Hugging Face that is incomplete.
pub(crate) fn parse_name(name: &str) -> Result<Option<NamedSet>> {
    let name = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, name)| name);
    if HubName::parse(name)?.is_some() {
        return Ok(Some(NamedSet::Hub));
    }
    if let Some((_, named)) = fixed_names().find(|(known, _)| *known == name) {
        return Ok(Some(named));
    }
    match name.split_once(':') {
        Some(("quickdraw", category)) => quickdraw(category).map(|category| Some(NamedSet::Quickdraw(category))),
        _ => Ok(None),
    }
}

/// Finds a category; its words may be joined by spaces, hyphens or underscores.
fn quickdraw(category: &str) -> Result<&'static str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', '_'], " ");
    let wanted = plain(category);
    quickdraw_categories().find(|known| plain(known) == wanted).ok_or_else(|| {
        let hint = match nearest(&wanted, quickdraw_categories()) {
            Some(category) => format!("did you mean \"quickdraw:{category}\"?"),
            None => "it has 345 categories: cat, sheep, bicycle, \"hot air balloon\", ...".to_owned(),
        };
        Error::usage(format!("Quick, Draw! has no category '{category}'"), hint)
    })
}

/// The name most similar to a mistyped one.
pub(crate) fn did_you_mean(name: &str) -> Option<String> {
    if quickdraw(name).is_ok() || name == "quickdraw" {
        let category = if name == "quickdraw" { "sheep" } else { name };
        return Some(format!("quickdraw:{category}"));
    }
    if let Some(meant) = hub::meant(name) {
        return Some(meant);
    }
    nearest(name, fixed_names().map(|(known, _)| known)).map(str::to_owned)
}

/// The file name of a Quick, Draw! category.
pub(crate) fn quickdraw_file(category: &str) -> String {
    format!("{category}.npy")
}

/// The download of a Quick, Draw! file. Its checksum is not published; its size must match its header.
pub(crate) fn quickdraw_remote(category: &str, mirror: Option<&str>) -> Remote {
    let base = mirror.map_or(QUICKDRAW_ADDRESS.to_owned(), |mirror| format!("{mirror}/quickdraw/"));
    Remote {
        url: format!("{base}{}", quickdraw_file(category).replace(' ', "%20")),
        bytes: None,
        max_bytes: QUICKDRAW_MAX_BYTES,
        sha256: None,
        inspect: |path: &Path| npy::layout(path).map(|_| ()),
        timeout: TIMEOUT,
        token: None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed() {
        assert!(matches!(parse_name("strokes"), Ok(Some(NamedSet::Strokes))));
        assert!(matches!(parse_name("fashion-mnist"), Ok(Some(NamedSet::Idx(set))) if set.classes[9] == "Ankle boot"));
        for spelled in ["hot air balloon", "hot-air-balloon", "Hot_Air_Balloon"] {
            let named = parse_name(&format!("quickdraw:{spelled}"));
            assert!(matches!(named, Ok(Some(NamedSet::Quickdraw("hot air balloon")))), "{spelled}");
        }
        assert!(matches!(parse_name("quickdraw:t-shirt"), Ok(Some(NamedSet::Quickdraw("t-shirt")))));
        assert!(matches!(parse_name("celeb_a"), Ok(Some(NamedSet::Celeba))));
        assert!(matches!(parse_name("some/folder"), Ok(None)));
        assert!(matches!(parse_name("C:\\images"), Ok(None)));
    }

    #[test]
    fn unknown_categories_get_a_hint() {
        let error = parse_name("quickdraw:sheap").unwrap_err();
        assert_eq!(error.to_string(), "Quick, Draw! has no category 'sheap'");
        assert_eq!(error.hint(), "did you mean \"quickdraw:sheep\"?");
        assert!(parse_name("quickdraw:../../etc/passwd").unwrap_err().hint().contains("345 categories"));
        assert!(parse_name("quickdraw:").is_err());
    }

    #[test]
    fn typos_suggest_names() {
        assert_eq!(did_you_mean("minst").as_deref(), Some("mnist"));
        assert_eq!(did_you_mean("CIFAR-10").as_deref(), Some("cifar10"));
        assert!(fixed_names().all(|(name, _)| NAMES.contains(name)));
        assert_eq!(did_you_mean("sheep").as_deref(), Some("quickdraw:sheep"));
        assert_eq!(did_you_mean("quickdraw").as_deref(), Some("quickdraw:sheep"));
        assert_eq!(did_you_mean("imagenet"), None);
    }

    #[test]
    fn addresses() {
        assert_eq!(quickdraw_categories().count(), 345);
        let published = quickdraw_remote("ice cream", None).url;
        assert!(published.ends_with("/numpy_bitmap/ice%20cream.npy"), "{published}");
        assert_eq!(quickdraw_remote("cat", Some("http://here")).url, "http://here/quickdraw/cat.npy");
        let set = &IDX_SETS[0];
        let [images, labels] = set.files(Split::Test);
        assert_eq!(set.remote(images, Some("http://here")).url, "http://here/mnist/t10k-images-idx3-ubyte.gz");
        assert!(set.remote(labels, None).url.ends_with(".amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz"));
    }
}

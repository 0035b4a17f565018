//! What is said of the parts of a set, in one line: `parts: train/ (24 images) to learn from; test/ (8 images) held back`.

use super::plain;
use super::{Holding, Holdings, Part};
use crate::open_options::Split;

/// Endings of files that can be given instead of the folder of the set.
const DATA_FILES: [&str; 8] = [".npy", ".npz", ".parquet", ".mat", ".zip", ".tar", ".tgz", ".gz"];

/// The part of a set that serves as a split: without test images the validation images are those to judge with.
pub(crate) fn choose(holdings: &Holdings, split: Split) -> Option<Part> {
    let wanted: &[Part] = match split {
        Split::Train => &[Part::Train],
        Split::Test => &[Part::Test, Part::Validation],
    };
    wanted.iter().copied().find(|part| holdings.contains_key(&Some(*part)))
}

/// What each part is used for, if there are several; `by` names the file that lists them, if one does.
pub(crate) fn describe(holdings: &Holdings, by: Option<&str>) -> Option<String> {
    let held_back = choose(holdings, Split::Test);
    let mut said = Vec::new();
    for (part, held) in holdings.iter().filter_map(|(part, held)| Some(((*part)?, held))) {
        let what = held.describe_part(part);
        said.push(match part {
            Part::Train => format!("{what} to learn from"),
            Part::Unlabelled => format!("{what}{}", held.describe_unlabelled()),
            _ if held_back == Some(part) => format!("{what} held back"),
            _ => format!("{what} not used"),
        });
    }
    let by = by.map_or(String::new(), |list| format!(" by {list}"));
    (said.len() > 1).then(|| format!("parts{by}: {}", said.join("; ")))
}

impl Holding {
    /// As a part: `train/ (24 images)`.
    pub fn describe_part(&self, part: Part) -> String {
        let name = match part {
            Part::Train => "training images",
            Part::Validation => "validation images",
            Part::Test => "test images",
            Part::Unlabelled => "unlabelled images",
        };
        // Unknown numbers are not said.
        let images = if self.files > 0 { format!(" ({})", images(self.files)) } else { String::new() };
        match &self.folders[..] {
            [] => format!("{name}{images}"),
            [folder] => format!("{}{images}", shown(folder)),
            [folder, others @ ..] => format!("{} and {} more{images}", shown(folder), others.len()),
        }
    }

    /// How unlabelled images are used, as it follows `describe_part`.
    fn describe_unlabelled(&self) -> &'static str {
        match self.folders.first().map(|folder| shown(folder)) {
            None => " not used",
            Some(folder) if folder.ends_with('/') => ", unlabelled, not used (to learn from them, give their folder)",
            Some(file) if DATA_FILES.iter().any(|ending| file.to_lowercase().ends_with(ending)) => {
                ", unlabelled, not used (to learn from them, give the file)"
            }
            Some(_) => ", unlabelled, not used",
        }
    }

    /// As files that are left aside: `3 images (docs/)`.
    pub fn describe_files(&self) -> String {
        let images = images(self.files);
        match &self.folders[..] {
            [] => images,
            [folder] if folder.is_empty() => format!("{images} beside the folders"),
            [folder] => format!("{images} ({})", shown(folder)),
            [folder, others @ ..] => {
                let folder = if folder.is_empty() { "beside the folders" } else { shown(folder) };
                format!("{images} ({folder} and {} more)", others.len())
            }
        }
    }
}

/// A folder as it is shown: an archive or a table is a file.
fn shown(folder: &str) -> &str {
    let name = folder.trim_end_matches('/');
    let last = name.rsplit('/').next().unwrap_or(name);
    if plain(last) == last { folder } else { name }
}

fn images(count: usize) -> String {
    if count == 1 { "1 image".to_owned() } else { format!("{count} images") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn every_part_is_said_once() {
        let held =
            |files, folders: &[&str]| Holding { files, folders: folders.iter().map(|f| (*f).to_owned()).collect() };
        let mut holdings =
            BTreeMap::from([(Some(Part::Train), held(24, &["train/"])), (None, held(3, &["docs/", "x/"]))]);
        assert_eq!(describe(&holdings, None), None);
        holdings.insert(Some(Part::Validation), held(1, &[]));
        let with_validation = "parts: train/ (24 images) to learn from; validation images (1 image) held back";
        assert_eq!(describe(&holdings, None).as_deref(), Some(with_validation));
        assert_eq!(choose(&holdings, Split::Test), Some(Part::Validation));
        holdings.insert(Some(Part::Test), held(8, &["test/", "test2/"]));
        let with_test = "parts by x.csv: train/ (24 images) to learn from; validation images (1 image) not used; \
                         test/ and 1 more (8 images) held back";
        assert_eq!(describe(&holdings, Some("x.csv")).as_deref(), Some(with_test));
        for (folders, expected) in [
            (
                &["unlabelled.npy"][..],
                "unlabelled.npy (5 images), unlabelled, not used (to learn from them, give the file)",
            ),
            (
                &["x/extra-0.parquet/"],
                "x/extra-0.parquet (5 images), unlabelled, not used (to learn from them, give the file)",
            ),
            (&["extra/"], "extra/ (5 images), unlabelled, not used (to learn from them, give their folder)"),
            (&["extra.txt"], "extra.txt (5 images), unlabelled, not used"),
            (&[], "unlabelled images (5 images) not used"),
        ] {
            let holdings =
                BTreeMap::from([(Some(Part::Train), held(2, &["train/"])), (Some(Part::Unlabelled), held(5, folders))]);
            let said = describe(&holdings, None).unwrap();
            assert_eq!(said, format!("parts: train/ (2 images) to learn from; {expected}"));
        }
        assert_eq!(held(0, &["x.npz"]).describe_part(Part::Train), "x.npz");
        assert_eq!(holdings[&None].describe_files(), "3 images (docs/ and 1 more)");
    }
}

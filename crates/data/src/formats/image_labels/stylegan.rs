//! StyleGAN's `dataset.json`: `{"labels": [["00000/img00000000.png", 3], ...]}`. A label is a number, or a vector with a single
//! one (one-hot); `null` instead of the list means that there are no labels.

use serde::Deserialize;

use super::{Labelled, Sources, Values, counted, drop_missing};

const NAME: &str = "dataset.json";

#[derive(Deserialize)]
struct File {
    labels: Option<Vec<(String, Label)>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Label {
    Number(i64),
    Vector(Vec<f64>),
    Text(String),
    None,
}

impl Label {
    /// The class; an error if it is a vector that is not one-hot.
    fn class(&self) -> Result<Option<String>, ()> {
        match self {
            Self::None => Ok(None),
            Self::Number(number) => Ok(Some(number.to_string())),
            Self::Text(text) => Ok(super::label(text)),
            Self::Vector(values) => {
                let is = |value: f64, expected: f64| (value - expected).abs() < 1e-3;
                let mut ones = values.iter().enumerate().filter(|(_, value)| is(**value, 1.0));
                let one = ones.next();
                let zeros = values.iter().filter(|value| is(**value, 0.0)).count();
                match one {
                    Some((at, _)) if zeros + 1 == values.len() => Ok(Some(at.to_string())),
                    None if zeros == values.len() => Ok(None),
                    _ => Err(()),
                }
            }
        }
    }
}

/// Labels from `dataset.json`.
pub(super) fn find(sources: &Sources<'_>, images: &[u32], unused: &mut Vec<String>) -> Option<Labelled> {
    let sidecars = sources.sidecars();
    let mut files: Vec<usize> =
        (0..sidecars.len()).filter(|at| sidecars[*at].file() == NAME && !sidecars[*at].is_outside).collect();
    files.sort_by_key(|at| sidecars[*at].name.matches('/').count());
    for at in files {
        let sidecar = &sidecars[at];
        let name = &sidecar.name;
        let file: File =
            match sidecar.read().and_then(|bytes| serde_json::from_slice(&bytes).map_err(|e| e.to_string())) {
                Ok(file) => file,
                // Other programs have files of this name too.
                Err(what) if what.starts_with("missing field") || what.starts_with("invalid type") => continue,
                Err(what) => {
                    unused.push(format!("{name}: {what}"));
                    continue;
                }
            };
        let Some(rows) = file.labels else {
            unused.push(format!("{name}: it says that there are no labels (null)"));
            continue;
        };
        let joined = sources.index().join(rows.iter().map(|(file, _)| file.as_str()), sidecar.scope());
        let mut labels = vec![None; sources.index().len()];
        let mut vectors = false;
        for ((_, label), image) in rows.iter().zip(&joined.image) {
            match (label.class(), image) {
                (Ok(label), Some(image)) => labels[*image as usize] = label,
                (Ok(_), None) => {}
                (Err(()), _) => vectors = true,
            }
        }
        if vectors {
            unused.push(format!("{name}: its labels are vectors of several values, not one class per image"));
            continue;
        }
        drop_missing(&mut labels);
        let labels: Vec<Option<String>> = images.iter().map(|image| labels[*image as usize].take()).collect();
        if labels.iter().all(Option::is_none) {
            continue;
        }
        let notes = match joined.without_image {
            (count, Some(first)) => {
                vec![format!("{name}: {}", counted(count, "row has no image", "rows have no image", &rows[first].0))]
            }
            (_, None) => Vec::new(),
        };
        return Some(Labelled::apart(Values::Classes(labels), name.clone(), notes, vec![at]));
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::testing::Case;
    use super::*;
    use crate::parts::Part;

    const IMAGES: &str = "00000/img00000000.png 00000/img00000001.png 00001/img00000002.png";

    #[test]
    fn numbers_and_one_hot_vectors_are_classes() {
        for (text, expected) in [
            (r#"{"labels": [["00000/img00000000.png", 3], ["00001/img00000002.png", 0], ["x.png", 7]]}"#, "3 - 0"),
            (
                r#"{"labels": [["00000/img00000000.png", [0, 1.0]], ["00000/img00000001.png", [1, 0]], ["00001/img00000002.png", null]]}"#,
                "1 0 -",
            ),
            (
                r#"{"labels": [["00000/img00000000.png", -1], ["00000/img00000001.png", [0, 0]], ["00001/img00000002.png", "a"]]}"#,
                "- - a",
            ),
            (
                r#"{"labels": [["00000/img00000000.png", -1], ["00000/img00000001.png", 1], ["00001/img00000002.png", 1]]}"#,
                "-1 1 1",
            ),
            (r#"{"labels": null}"#, ""),
            (r#"{"labels": [["00000/img00000000.png", [0.5, 0.5]]]}"#, ""),
            (r#"{"images": []}"#, ""),
            ("{", ""),
        ] {
            assert_eq!(Case::new(IMAGES, &[(NAME, text)]).train(), expected, "{text}");
        }
    }

    #[test]
    fn folders_that_are_no_classes_are_said_and_those_in_classes_are_not() {
        let row = |name: &str| format!("[\"{name}\", 1]");
        for (images, expected) in [
            ("00000/img0.png 00000/img1.png", &["the folder 00000 is no class: it holds all images"][..]),
            ("a/x/1.png a/y/1.png b/x/1.png b/y/1.png", &[]),
        ] {
            let text = format!("{{\"labels\": [{}]}}", images.split(' ').map(row).collect::<Vec<_>>().join(", "));
            let case = Case::new(images, &[(NAME, &*text.leak())]);
            let sources = Sources::new(&case.names, &case.kept, &case.parts, &case.sidecars);
            let all: Vec<u32> = (0..case.names.len() as u32).collect();
            let found = sources.of(Part::Train, &all).unwrap();
            assert!(found.labels.is_some(), "{images}");
            assert_eq!(found.notes, expected, "{images}");
        }
    }

    #[test]
    fn what_it_lacks_is_said() {
        let said = |text| Case::new(IMAGES, &[(NAME, text)]).labels(Part::Train).2;
        assert_eq!(said(r#"{"labels": null}"#), ["dataset.json: it says that there are no labels (null)"]);
        assert_eq!(
            said(r#"{"labels": [["img00000002.png", 0], ["x.png", 7]]}"#),
            ["dataset.json: 1 row has no image (x.png)"]
        );
        assert!(said(r#"{"labels": [["a", [0.5, 1]]]}"#)[0].contains("vectors of several values"));
        assert!(said("{")[0].starts_with("dataset.json: EOF"));
    }
}

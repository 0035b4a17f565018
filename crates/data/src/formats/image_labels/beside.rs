//! A file of its own for each image, as in webdataset: `1.cls` (a number or a word), `1.json` with a key such as `label`, or
//! `1.txt` with one word, beside `1.jpg`.

use std::collections::HashMap;

use rayon::prelude::*;
use serde_json::Value;

use super::{Labelled, MIN_SHARE, Sources, Values, drop_missing, label_rank};
use crate::sidecars::Sidecar;

/// Files looked at to see whether files of a kind hold labels.
const SAMPLE: usize = 32;

/// Longest label in bytes.
const MAX_LABEL: usize = 200;

/// Kinds of files, in order of preference.
const KINDS: [&str; 5] = ["cls", "class", "label", "json", "txt"];

/// Labels from files beside the images.
pub(super) fn find(sources: &Sources<'_>, images: &[u32]) -> Option<Labelled> {
    let kind_of = |at: usize| {
        let extension = sources.sidecars()[at].extension();
        KINDS.iter().position(|known| *known == extension)
    };
    // The number of images with each key.
    let mut keys: HashMap<&str, usize> = HashMap::new();
    (0..sources.index().len() as u32)
        .for_each(|image| *keys.entry(first_part(sources.index().name(image))).or_default() += 1);
    // The sidecar of each kind for the start of an image's name, and the only one for a key, which is about the only image that
    // has it: `frame.0001.json` says nothing about `frame.0002.jpg`.
    let mut of: [HashMap<&str, usize>; KINDS.len()] = Default::default();
    let mut by_key: [HashMap<&str, Option<usize>>; KINDS.len()] = Default::default();
    for (at, sidecar) in sources.sidecars().iter().enumerate().filter(|(_, sidecar)| !sidecar.is_outside) {
        if let Some(kind) = kind_of(at) {
            of[kind].insert(start(&sidecar.name), at);
            by_key[kind].entry(first_part(&sidecar.name)).and_modify(|at| *at = None).or_insert(Some(at));
        }
    }
    KINDS.iter().zip(of.iter().zip(&by_key)).find_map(|(kind, (of, by_key))| {
        let beside = |image: &u32| {
            let name = sources.index().name(*image);
            let key = first_part(name);
            let only = || by_key.get(key).copied().flatten().filter(|_| keys.get(key) == Some(&1));
            of.get(start(name)).or_else(|| of.get(key)).copied().or_else(only)
        };
        let files: Vec<Option<usize>> = images.iter().map(beside).collect();
        let there: Vec<usize> = files.iter().flatten().copied().collect();
        if there.is_empty() || there.len() * MIN_SHARE < images.len() {
            return None;
        }
        let read = |at: usize| label_in(kind, &sources.sidecars()[at].read().ok()?);
        let step = there.len().div_ceil(SAMPLE);
        if !there.iter().step_by(step).any(|at| read(*at).is_some()) {
            return None;
        }
        let mut labels: Vec<Option<String>> = files.par_iter().map(|file| read((*file)?)).collect();
        drop_missing(&mut labels);
        // Text may also be a caption or boxes.
        let is_label = *kind != "txt" || repeats(&labels);
        let count = labels.iter().flatten().count();
        let example = there.first().map_or("", |at| sources.sidecars()[*at].file());
        let what = format!(".{kind} files beside the images ({example}, for one)");
        let notes = Vec::new();
        (is_label && count * MIN_SHARE >= images.len())
            .then(|| Labelled::apart(Values::Classes(labels), what, notes, there))
    })
}

/// A note on files about one image each that hold no label: boxes, captions.
pub(super) fn unread(sources: &Sources<'_>, images: &[u32]) -> Option<String> {
    ["txt", "xml", "json", "cls"].iter().find_map(|kind| {
        let is_own = |sidecar: &&Sidecar<'_>| sidecar.extension() == *kind && sources.index().is_named(sidecar.stem());
        let mut own = sources.sidecars().iter().filter(is_own);
        let (first, count) = (own.next()?, own.count() + 1);
        (count > 1 && count * MIN_SHARE >= images.len()).then(|| {
            format!(
                "{count} .{kind} files are about one image each ({}, for one) and hold no single label: boxes and captions are \
                 not read",
                first.name
            )
        })
    })
}

/// Whether the labels are few words, each for several images.
fn repeats(labels: &[Option<String>]) -> bool {
    let mut found: Vec<&String> = labels.iter().flatten().collect();
    let all = found.len();
    found.sort_unstable();
    found.dedup();
    (2..=all / 2).contains(&found.len())
}

/// A path without its extension.
fn start(path: &str) -> &str {
    let file = path.rfind('/').map_or(0, |slash| slash + 1);
    path[file..].rfind('.').map_or(path, |dot| &path[..file + dot])
}

/// A path up to the first dot in its file's name: webdataset's key.
fn first_part(path: &str) -> &str {
    let file = path.rfind('/').map_or(0, |slash| slash + 1);
    path[file..].find('.').map_or(path, |dot| &path[..file + dot])
}

/// The label in a file.
fn label_in(kind: &str, bytes: &[u8]) -> Option<String> {
    if kind == "json" {
        return json_label(&serde_json::from_slice(bytes).ok()?);
    }
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= MAX_LABEL)?.trim();
    let one_word = kind != "txt" || !text.contains(char::is_whitespace);
    (one_word && !text.contains('\n')).then(|| super::label(text))?
}

/// The label in an object: that of the key most like `label`.
fn json_label(value: &Value) -> Option<String> {
    let fields = value.as_object()?;
    let ranked = fields.iter().filter_map(|(key, value)| Some((label_rank(key)?, value)));
    let (_, value) = ranked.filter(|(_, value)| value.is_string() || value.is_i64()).min_by_key(|(rank, _)| *rank)?;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if text.len() > MAX_LABEL { None } else { super::label(&text) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Case;
    use crate::parts::Part;

    #[test]
    fn files_beside_images_hold_labels() {
        for (images, files, expected) in [
            ("a/1.jpg a/2.jpg", &[("a/1.cls", "3\n"), ("a/2.cls", "cat")][..], "3 cat"),
            ("1.jpg 2.jpg", &[("1.json", r#"{"label": 4, "x": 1}"#), ("2.json", "{}")], "4 -"),
            ("1.left.jpg 2.left.jpg", &[("1.cls", "0"), ("2.cls", "1")], "0 1"),
            ("1.input.jpg 2.input.jpg", &[("1.target.cls", "0"), ("2.target.cls", "1")], "0 1"),
            ("1.jpg 2.jpg 3.jpg 4.jpg", &[("1.txt", "a"), ("2.txt", "b"), ("3.txt", "a"), ("4.txt", "b")], "a b a b"),
            // Files about one of several images, about one image twice.
            ("frame.1.jpg frame.2.jpg frame.3.jpg", &[("frame.1.json", r#"{"label": 3}"#)], "3 - -"),
            ("cat.0.jpg cat.2.jpg dog.jpg", &[("cat.1.txt", "a"), ("dog.cls", "b")], "- - b"),
            ("cat.0.jpg cat.2.jpg", &[("cat.cls", "b")], "b b"),
            ("1.jpg", &[("1.a.cls", "0"), ("1.b.cls", "1")], ""),
            // Two classes, no labels.
            ("1.jpg 2.jpg", &[("1.cls", "1"), ("2.cls", "-1")], "1 -1"),
            ("1.jpg 2.jpg", &[("1.cls", "-1"), ("2.cls", "-1")], ""),
            // Captions, boxes, no labels.
            ("1.jpg 2.jpg", &[("1.txt", "a caption"), ("2.txt", "a caption")], ""),
            ("1.jpg 2.jpg 3.jpg", &[("1.txt", "one"), ("2.txt", "two"), ("3.txt", "three")], ""),
            ("1.jpg 2.jpg", &[("1.json", r#"{"caption": "x"}"#), ("2.json", "{")], ""),
            ("1.jpg 2.jpg", &[("3.cls", "1")], ""),
        ] {
            assert_eq!(Case::new(images, files).train(), expected, "{images} {files:?}");
        }
    }

    #[test]
    fn files_of_captions_are_said_once() {
        let captions = [("labels/1.txt", "a cat on\na mat\n"), ("labels/2.txt", "a dog\n")];
        let said = Case::new("images/1.jpg images/2.jpg", &captions).labels(Part::Train).2;
        let expected = "2 .txt files are about one image each (labels/1.txt, for one) and hold no single label: boxes and \
                        captions are not read";
        assert_eq!(said, [expected]);
    }
}

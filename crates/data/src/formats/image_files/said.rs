//! What is said of a set of image files: its parts, what is left aside, where its labels are from, and why there is nothing to learn from.

use super::{Set, classes, counted};
use crate::error::Error;
use crate::first_names::first_names;
use crate::formats::archive::is_archive_name;
use crate::formats::hidden::is_hidden;
use crate::image_labels::{Labelled, Values};
use crate::parts::{self, Holding, Why, folder_is_about, folder_is_set};
use crate::spelling;

impl Set<'_> {
    /// A note on folders without an image beside those of the classes.
    pub(super) fn without_images(&self, images: &[usize], classes: &[String]) -> Option<String> {
        const MAX_SAID: usize = 3;
        let class_folder = |index: &usize| {
            let name = self.names[*index];
            let ends = name.match_indices('/').map(|(slash, _)| &name[..=slash]);
            ends.into_iter().find(|folder| {
                folder
                    .trim_end_matches('/')
                    .rsplit('/')
                    .next()
                    .is_some_and(|last| classes.iter().any(|class| class == last))
            })
        };
        let folder = images.iter().find_map(class_folder).filter(|_| self.listing.is_folder())?;
        let above = &folder[..folder.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1)];
        let entries = std::fs::read_dir(self.listing.root().join(above)).ok()?.flatten();
        let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let mut empty: Vec<String> = folders
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| !is_hidden(name) && !name.starts_with('_'))
            .filter(|name| !folder_is_about(name) && !folder_is_set(name))
            .map(|name| format!("{above}{name}/"))
            .filter(|folder| !self.names.iter().any(|name| name.starts_with(folder.as_str())))
            .collect();
        empty.sort_unstable();
        (!empty.is_empty()).then(|| format!("no image in {}", first_names(&empty, MAX_SAID)))
    }

    /// The error where there are no training images.
    pub(super) fn nothing_to_learn_from(&self) -> Error {
        let root = self.listing.root();
        if self.holdings.keys().all(Option::is_none) {
            let notes = self.left_aside().join("; ");
            let hint = "give the folder of the images to learn from, or one without the other pictures";
            return Error::data(format!("{} holds no training images; {notes}", root.display()), hint);
        }
        let held: Vec<String> =
            self.holdings.iter().filter_map(|(part, held)| Some(held.describe_part((*part)?))).collect();
        let folder = self.holdings.iter().find_map(|(part, held)| part.and(held.folders.first()));
        let hint = match folder {
            Some(folder) if self.listing.is_folder() => {
                format!("to learn from them, give their folder: {}", root.join(folder.trim_end_matches('/')).display())
            }
            _ => "to learn from them, pack them without the names of parts".to_owned(),
        };
        let archives: Vec<&str> = (0..self.listing.others())
            .map(|at| self.listing.other_name(at))
            .filter(|name| is_archive_name(name))
            .collect();
        let hint =
            archives_beside(&archives, self.listing.is_folder()).map_or(hint.clone(), |note| format!("{note}; {hint}"));
        Error::data(format!("{} holds no training images, only {}", root.display(), held.join(", ")), hint)
    }

    /// Notes on the parts and what belongs to none.
    pub(super) fn notes(&self) -> Vec<String> {
        let parts = parts::describe(&self.holdings, self.list.as_deref());
        parts.into_iter().chain(self.remarks.iter().cloned()).chain(self.left_aside()).collect()
    }

    /// Notes on what is left aside.
    fn left_aside(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(held) = self.holdings.get(&None) {
            notes.push(format!("left aside: {} in no part of the set", held.describe_files()));
        }
        if let Some(first) = self.loose.first() {
            let what = counted(self.loose.len(), "image");
            notes.push(format!(
                "left aside: {what} beside the folders of the classes ({}, for one)",
                self.names[*first]
            ));
        }
        let said = |(why, held): (&Why, &Holding)| format!("left aside: {}", why.describe(&held.describe_files()));
        notes.extend(self.companions.iter().map(said));
        notes
    }
}

/// A note on archives beside the images, or in the archive of these.
pub(super) fn archives_beside(archives: &[&str], is_folder: bool) -> Option<String> {
    const MAX_SAID: usize = 3;
    let listed = format!("{} ({})", counted(archives.len(), "archive"), first_names(archives, MAX_SAID));
    (!archives.is_empty()).then(|| match is_folder {
        true => format!("{listed} beside image files not read: only what is unpacked is"),
        false => format!("{listed} inside the archive not read: unpack the outer one first"),
    })
}

/// Notes on where labels are from, and on images without.
pub(super) fn said(labelled: &Labelled, images: &[usize], names: &[&str]) -> Vec<String> {
    let (what, first, missing) = match &labelled.values {
        Values::Ordered(_) | Values::Classes(_) => {
            let classes = classes(&labelled.values);
            (classes.describe(), classes.labels.iter().position(Option::is_none), classes.unlabelled())
        }
        Values::Attributes(table, rows) => {
            let missing = rows.iter().filter(|row| row.is_none()).count();
            (counted(table.names().len(), "attribute"), rows.iter().position(Option::is_none), missing)
        }
    };
    let mut notes = vec![format!("labels: {}, {what}", labelled.what)];
    if !matches!(labelled.values, Values::Attributes(..)) {
        notes.extend(spelling::alike(&classes(&labelled.values).names));
    }
    if let Some(first) = first {
        let example = names[images[first]];
        let have = if missing == 1 { "has" } else { "have" };
        notes.push(format!("{missing} of {} {have} no label ({example}, for one)", counted(images.len(), "image")));
    }
    notes.extend(labelled.notes.iter().cloned());
    notes
}

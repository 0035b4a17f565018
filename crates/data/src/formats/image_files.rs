//! Opens sets of image files: lists the files of a folder or of archives, divides them into parts, finds their labels, and says
//! what was taken for what and what was left aside.

mod said;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::attributes::{Attributes, WithAttributes};
use crate::cache::evict;
use crate::class_labels::{ClassLabels, ids};
use crate::dataset::Dataset;
use crate::error::Result;
use crate::folder::{Files, Folder, Listing, require_images};
use crate::formats::archive::{OtherFiles, extension, is_archive_name};
use crate::image_labels::{ClassNames, Found, Labelled, Sources, Values, class_names, listed, lists, loose};
use crate::npy;
use crate::open_options::{OpenOptions, Split};
use crate::parts::{
    ByName, Contents, Glance, Holding, Holdings, Part, Why, by_name, choose, divide_images, without_part,
};
use crate::resize::ImageOptions;
use crate::sidecars::{Sidecar, looks_like_table, stem};
use said::{archives_beside, said};

/// Files beside the folder or archive of the images that are looked at, and their size limit (64 MiB).
const MAX_BESIDE: usize = 100;
const MAX_BESIDE_BYTES: u64 = 64 << 20;

/// Opens a part of the images in a folder or archive, with their labels.
///
/// # Errors
/// They can't be read, there are none of this part, or the first ones are all bad; a table with CelebA's name is damaged.
pub(crate) fn open(path: &Path, options: &OpenOptions) -> Result<Box<dyn Dataset>> {
    open_listing(&Listing::open(path)?, &beside(path), options)
}

/// `open` for listed files and the files `beside` them.
///
/// # Errors
/// As `open`.
pub(crate) fn open_listing(listing: &Listing, beside: &[PathBuf], options: &OpenOptions) -> Result<Box<dyn Dataset>> {
    let (folder, attributes) = part(listing, beside, options.split, &options.image(), evict::folder())?;
    Ok(match attributes {
        Some((table, rows)) => WithAttributes::over(Box::new(folder), &table, &rows),
        None => Box::new(folder),
    })
}

/// The training images in a folder or archive, with their classes.
///
/// # Errors
/// As `open`.
pub(crate) fn open_folder(path: &Path, options: &ImageOptions, cache_folder: Option<PathBuf>) -> Result<Folder> {
    part(&Listing::open(path)?, &beside(path), Split::Train, options, cache_folder).map(|(folder, _)| folder)
}

/// The training images in a folder or archive.
///
/// # Errors
/// They can't be read, or there are none.
pub(crate) fn files(path: &Path) -> Result<Files> {
    chosen(path, |parts| vec![choose(parts, Split::Train)])
}

/// The training and test images in a folder or archive.
///
/// # Errors
/// They can't be read, or there are none.
pub(crate) fn all_files(path: &Path) -> Result<Files> {
    chosen(path, |parts| [Split::Train, Split::Test].map(|split| choose(parts, split)).to_vec())
}

/// `options` for the images in a folder or archive: arrays of one image each have the values of black and white of all parts.
///
/// # Errors
/// They can't be read, or their values are those of no usual range.
pub(crate) fn options_for(path: &Path, options: &ImageOptions) -> Result<ImageOptions> {
    let listing = Listing::open(path)?;
    let beside = beside(path);
    let sidecars = sidecars(&listing, &beside);
    Set::new(&listing, &sidecars).with_range(options).map(|(options, _)| options)
}

fn chosen(path: &Path, wanted: impl Fn(&Holdings) -> Vec<Option<Part>>) -> Result<Files> {
    let listing = Listing::open(path)?;
    require_images(&listing)?;
    let beside = beside(path);
    let sidecars = sidecars(&listing, &beside);
    let set = Set::new(&listing, &sidecars);
    let wanted: Vec<Part> = wanted(&set.holdings).into_iter().flatten().collect();
    let is_wanted = |index: &usize| set.parts[*index].is_some_and(|part| wanted.contains(&part));
    let indices: Vec<usize> = (0..listing.len()).filter(is_wanted).collect();
    if indices.is_empty() {
        return Err(set.nothing_to_learn_from());
    }
    Ok(listing.select(indices.into_iter(), 0))
}

/// The files beside a folder or archive of images that may be tables about them.
fn beside(path: &Path) -> Vec<PathBuf> {
    let here = Path::new(".");
    let parent = path.parent().map(|parent| if parent.as_os_str().is_empty() { here } else { parent });
    let Some(parent) = parent else { return Vec::new() };
    let mut folders = vec![parent.to_path_buf()];
    // CelebA as it is published.
    if let (true, Some(above)) = (parent.file_name().is_some_and(|name| name == "Img"), parent.parent()) {
        folders.extend(["Anno", "Eval"].map(|name| above.join(name)));
    }
    folders.iter().flat_map(|folder| tables(folder)).take(MAX_BESIDE).collect()
}

/// The files directly in a folder that may be tables, sorted.
pub(crate) fn tables(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_table = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let fits =
            ["csv", "tsv", "txt", "json", "jsonl"].iter().any(|known| extension(&name).eq_ignore_ascii_case(known));
        let about = std::fs::metadata(path);
        fits && !name.starts_with('.') && about.is_ok_and(|about| about.is_file() && about.len() <= MAX_BESIDE_BYTES)
    };
    let mut found: Vec<PathBuf> = entries.filter(is_table).collect();
    found.sort();
    found
}

/// The other files of a set, and those beside it.
fn sidecars<'a>(listing: &'a Listing, beside: &'a [PathBuf]) -> Vec<Sidecar<'a>> {
    let inside =
        (0..listing.others()).map(|at| Sidecar::new(listing.other_name(at), false, move || listing.read_other(at)));
    let root = listing.root().file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let outside = beside.iter().map(move |path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Sidecar::new(name, true, move || std::fs::read(path).map_err(|error| error.to_string())).beside(&root)
    });
    inside.chain(outside).collect()
}

impl Contents for Listing {
    fn length(&self, index: usize) -> Option<u64> {
        Some(self.image_length(index))
    }

    fn bytes(&self, index: usize) -> Option<Vec<u8>> {
        self.read_image(index).ok()
    }

    fn glance(&self, index: usize) -> Option<Glance> {
        crate::pictures::glance(&self.read_image(index).ok()?).ok()
    }
}

/// The images of a listing and their parts.
struct Set<'a> {
    listing: &'a Listing,
    names: Vec<&'a str>,
    /// The part of each image; `None`: left aside.
    parts: Vec<Option<Part>>,
    /// The path of each image without the names of parts.
    kept: Vec<String>,
    /// What the set has of each part, and where.
    holdings: Holdings,
    /// Pictures about images and images that the set has twice, which are left aside as well.
    companions: BTreeMap<Why, Holding>,
    /// Images beside the folders of the classes, which are left aside too.
    loose: Vec<usize>,
    /// Sidecars that say the parts.
    used: Vec<usize>,
    /// What tells all parts, if one thing does.
    list: Option<String>,
    /// More to say of the parts.
    remarks: Vec<String>,
}

impl<'a> Set<'a> {
    fn new(listing: &'a Listing, sidecars: &'a [Sidecar<'a>]) -> Self {
        let names: Vec<&str> = (0..listing.len()).map(|index| listing.name(index)).collect();
        let division = divide_images(&names, listing);
        let kept = names.iter().enumerate().map(|(index, name)| division.kept(index, name)).collect();
        let parts: Vec<Option<Part>> = (0..names.len()).map(|index| division.part(index)).collect();
        let companions = division.companions().clone();
        let holdings = division.holdings();
        let (used, list, remarks) = (Vec::new(), None, division.remarks().to_vec());
        let loose = Vec::new();
        let mut set = Self { listing, names, parts, kept, holdings, companions, loose, used, list, remarks };
        // A training folder alone may hold images of all parts.
        let is_divided = set.holdings.keys().flatten().any(|part| *part != Part::Train);
        if !is_divided && (sidecars.is_empty() || !set.divide_by_lists(sidecars)) {
            set.divide_by_names(sidecars);
        }
        set.leave_loose(sidecars);
        set
    }

    /// Leaves the few training images aside that lie beside the folders of the classes, unless files beside them may label them.
    fn leave_loose(&mut self, sidecars: &[Sidecar<'_>]) {
        let train = self.images(Part::Train);
        let kept: Vec<&str> = train.iter().map(|index| self.kept[*index].as_str()).collect();
        let loose: Vec<usize> = loose(&kept).into_iter().map(|at| train[at]).collect();
        if loose.is_empty() || self.may_be_labelled(&loose, sidecars) {
            return;
        }
        loose.iter().for_each(|index| self.parts[*index] = None);
        if let Some(holding) = self.holdings.get_mut(&Some(Part::Train)) {
            holding.files -= loose.len();
        }
        self.loose = loose;
    }

    /// Whether a file is about one of these images, or about all of the set.
    fn may_be_labelled(&self, images: &[usize], sidecars: &[Sidecar<'_>]) -> bool {
        let names: BTreeSet<&str> = images.iter().map(|index| stem(self.names[*index])).collect();
        if sidecars
            .iter()
            .any(|sidecar| ["dataset", "metadata"].contains(&sidecar.stem()) || names.contains(sidecar.stem()))
        {
            return true;
        }
        let parts: Vec<Part> = self.parts.iter().map(|part| part.unwrap_or(Part::Unlabelled)).collect();
        let sources = Sources::new(&self.names, &self.kept, &parts, sidecars);
        let lists_one = |at: usize| {
            let listed = sources.table(at).and_then(|table| listed(&sources, at, table.as_ref().ok()?));
            listed.is_some_and(|listed| images.iter().any(|index| listed.contains(&(*index as u32))))
        };
        sources.tables().any(|(at, _)| lists_one(at))
    }

    /// Divides the images by words in the names of the files. Where a table of the training images is beside them, as on Kaggle, the
    /// others are images without labels, which is said.
    fn divide_by_names(&mut self, sidecars: &[Sidecar<'_>]) {
        let taken: Vec<usize> = (0..self.names.len()).filter(|index| self.parts[*index].is_some()).collect();
        let names: Vec<&str> = taken.iter().map(|index| self.names[*index]).collect();
        let parts = match by_name(&names) {
            ByName::Nothing => return,
            ByName::Doubt(one, other) => {
                self.remarks.push(format!(
                    "all images are learned from: {one} and {other} may be of different parts, which folders (train/, test/) tell"
                ));
                return;
            }
            ByName::Parts(parts) => parts,
        };
        let is_of_training = |sidecar: &&Sidecar<'_>| {
            sidecar.scope().part == Some(Part::Train) && looks_like_table(&sidecar.extension())
        };
        if let Some(table) = sidecars.iter().find(is_of_training) {
            let mut others = names.iter().zip(&parts).filter(|(_, part)| **part != Some(Part::Train));
            let example = others.next().map_or("", |(name, _)| name);
            let count = 1 + others.count();
            self.remarks.push(format!(
                "all images are learned from, {count} too that are no training images by their names ({example}, for one) and not in \
                 {}: their own folder holds them apart (test/)",
                table.name
            ));
            return;
        }
        self.holdings.remove(&Some(Part::Train));
        for (index, part) in taken.into_iter().zip(parts) {
            self.parts[index] = part;
            self.holdings.entry(part).or_default().files += 1;
            self.kept[index] = without_part(&self.kept[index]);
        }
        let example = names.first().map_or("", |name| name.rsplit('/').next().unwrap_or(name));
        self.list = Some(format!("the names of the files ({example}, for one)"));
    }

    /// Divides the images by lists beside them, if there are any.
    fn divide_by_lists(&mut self, sidecars: &[Sidecar<'_>]) -> bool {
        let taken: Vec<usize> = (0..self.names.len()).filter(|index| self.parts[*index].is_some()).collect();
        let names: Vec<&str> = taken.iter().map(|index| self.names[*index]).collect();
        let (kept, all) = (vec![String::new(); names.len()], vec![Part::Train; names.len()]);
        let lists = lists(&Sources::new(&names, &kept, &all, sidecars));
        self.remarks.extend(lists.remark.clone());
        if lists.files.is_empty() {
            return false;
        }
        for (index, part) in taken.iter().zip(&lists.parts) {
            self.parts[*index] = *part;
        }
        // One file for all parts doesn't name any of them.
        let files: BTreeSet<&String> = lists.files.values().collect();
        let is_one = files.len() == 1;
        self.list = files.into_iter().next().filter(|_| is_one).cloned();
        let aside = self.holdings.remove(&None);
        self.holdings = aside.map(|aside| (None, Holding { files: 0, ..aside })).into_iter().collect();
        let left_aside: usize = self.companions.values().map(|held| held.files).sum();
        for part in &self.parts {
            let holding = self.holdings.entry(*part).or_insert_with(|| Holding {
                files: 0,
                folders: part
                    .filter(|_| !is_one)
                    .and_then(|part| lists.files.get(&part).cloned())
                    .into_iter()
                    .collect(),
            });
            holding.files += 1;
        }
        if let Some(holding) = self.holdings.get_mut(&None) {
            holding.files -= left_aside;
        }
        self.holdings.retain(|_, holding| holding.files > 0);
        self.used = lists.used;
        true
    }

    /// `options` with the values of black and white of the images of all parts, if these are arrays, and what to say of them.
    fn with_range(&self, options: &ImageOptions) -> Result<(ImageOptions, Option<String>)> {
        let is_kept = |index: &usize| self.parts[*index].is_some();
        npy::with_range(&self.listing.select((0..self.names.len()).filter(is_kept), 0), options)
    }

    /// The numbers of the images of a part.
    fn images(&self, part: Part) -> Vec<usize> {
        (0..self.names.len()).filter(|index| self.parts[*index] == Some(part)).collect()
    }

    /// The folder that holds all images of a part and nothing else, if there is one.
    fn folder(&self, part: Part) -> Option<&str> {
        match &self.holdings.get(&Some(part))?.folders[..] {
            [folder] if folder.ends_with('/') => Some(folder),
            _ => None,
        }
    }
}

/// Why text labels are the numbers or names of the images, if they are.
fn ids_of_images(labelled: &Labelled) -> Option<String> {
    let why = match &labelled.values {
        Values::Classes(labels) => ids(labels.iter().flatten()),
        Values::Ordered(_) | Values::Attributes(..) => None,
    };
    why.map(|why| format!("{}: {why}", labelled.what))
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A table and the row of each image.
type Rows = (Attributes, Vec<Option<u32>>);

/// The images of a split with their classes, or with rows of attributes.
fn part(
    listing: &Listing,
    beside: &[PathBuf],
    split: Split,
    options: &ImageOptions,
    cache_folder: Option<PathBuf>,
) -> Result<(Folder, Option<Rows>)> {
    options.check()?;
    require_images(listing)?;
    let sidecars = sidecars(listing, beside);
    let set = Set::new(listing, &sidecars);
    let Some(train) = choose(&set.holdings, Split::Train) else { return Err(set.nothing_to_learn_from()) };
    let Some(mut chosen) = choose(&set.holdings, split) else {
        OpenOptions { split, ..OpenOptions::default() }.refuse_test_split(&listing.root().display().to_string())?;
        return Err(set.nothing_to_learn_from());
    };
    // Images of no part don't count as rows without an image.
    let parts: Vec<Part> = set.parts.iter().map(|part| part.unwrap_or(Part::Unlabelled)).collect();
    let sources = Sources::new(&set.names, &set.kept, &parts, &sidecars);
    let find = |part: Part| -> Result<(Vec<usize>, Found)> {
        let images = set.images(part);
        let numbers: Vec<u32> = images.iter().map(|index| *index as u32).collect();
        let found = sources.of(part, &numbers)?;
        Ok((images, found))
    };
    let (mut images, mut found) = find(train)?;
    // The numbers or names of the images in files of their own, also in those of the other parts.
    let ids = found.labels.as_ref().and_then(ids_of_images);
    found.labels.take_if(|_| ids.is_some());
    found.unused.extend(ids.clone());
    let mut known = None;
    if chosen != train {
        let of_train = found.labels.take();
        known = of_train.as_ref().map(|labelled| classes(&labelled.values));
        let by_folders = of_train.as_ref().is_some_and(|labelled| labelled.what == "folders");
        let in_folders = known.as_ref().filter(|_| by_folders);
        let in_folders = in_folders.and_then(|known| known_folders(&set.images(chosen), &set, known));
        (images, found) = match in_folders {
            Some(labels) => (set.images(chosen), Found { labels: Some(labels), ..Found::default() }),
            None => find(chosen)?,
        };
        if let Some(ids) = ids {
            found.labels = None;
            found.unused.push(ids);
        }
        // Published test images often have no labels, but validation images have.
        let has_validation = chosen == Part::Test && set.holdings.contains_key(&Some(Part::Validation));
        if of_train.is_some() && found.labels.is_none() && has_validation {
            let (others, labelled) = find(Part::Validation)?;
            if labelled.labels.is_some() {
                (chosen, images, found) = (Part::Validation, others, labelled);
            }
        }
    }
    let prefix = set.folder(chosen).map_or(0, str::len);
    let files = listing.select(images.iter().copied(), prefix);
    let (options, range) = set.with_range(options)?;
    let mut folder = Folder::over(files, &options, cache_folder)?;
    if let Some(own) = set.folder(chosen) {
        folder = folder.named(listing.root().join(own.trim_end_matches('/')).display().to_string());
    }
    let mut notes: Vec<String> = range.into_iter().chain(set.notes()).chain(found.notes).collect();
    let mut used: BTreeSet<usize> = set.used.iter().copied().collect();
    let mut attributes = None;
    if let Some(mut labelled) = found.labels {
        used.extend(&labelled.used);
        let of_train = known.as_ref().map_or_else(|| classes(&labelled.values).names, |known| known.names.clone());
        match class_names(&sources, &of_train, &labelled.used) {
            Some(Ok(naming)) => {
                labelled.values = Values::Ordered(renamed(classes(&labelled.values), &naming));
                known = known.map(|known| renamed(known, &naming));
                let start = format!("{}: ", sidecars[naming.at].name);
                found.unused.retain(|reason| !reason.starts_with(&start));
                used.insert(naming.at);
                labelled.notes.push(naming.note);
            }
            Some(Err(why)) => labelled.notes.push(why),
            None => {}
        }
        notes.extend(said(&labelled, &images, &set.names));
        if labelled.what == "folders" {
            notes.extend(set.without_images(&images, &of_train));
        }
        let is_apart = labelled.is_apart;
        match labelled.values {
            Values::Attributes(table, rows) => attributes = Some((table, rows)),
            values => {
                let classes = in_classes(classes(&values), known.as_ref());
                folder = if is_apart { folder.with_labels_apart(classes) } else { folder.with_labels(classes) };
            }
        }
    }
    let mut others = OtherFiles::default();
    let unused = (0..listing.others()).filter(|at| !used.contains(at)).map(|at| listing.other_name(at));
    unused.clone().for_each(|name| others.add(name));
    notes.extend(others.describe());
    let nested: Vec<&str> = unused.filter(|name| is_archive_name(name)).collect();
    notes.extend(archives_beside(&nested, listing.is_folder()));
    notes.extend(listing.passed().describe());
    Ok((folder.with_notes(notes, found.unused), attributes))
}

/// The classes of text labels.
fn classes(values: &Values) -> ClassLabels {
    let classes = match values {
        Values::Classes(labels) => ClassLabels::from_text(labels.clone()),
        Values::Ordered(classes) => classes.clone(),
        Values::Attributes(..) => ClassLabels::default(),
    };
    ClassLabels { notes: Vec::new(), ..classes }
}

/// The same classes by the names that were found for them.
fn renamed(classes: ClassLabels, found: &ClassNames) -> ClassLabels {
    let names = classes.names.iter().map(|name| found.names.get(name).unwrap_or(name).clone()).collect();
    ClassLabels { names, ..classes }
}

/// The labels of test images in folders of the training images' classes, if most are in such folders.
fn known_folders(images: &[usize], set: &Set<'_>, known: &ClassLabels) -> Option<Labelled> {
    let class = |image: &usize| {
        let mut folders = set.kept[*image].split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev();
        folders.find_map(|folder| known.names.iter().position(|name| name == folder)).map(|at| at as u32)
    };
    let labels: Vec<Option<u32>> = images.iter().map(class).collect();
    let missing = labels.iter().filter(|label| label.is_none()).count();
    let classes = ClassLabels { labels, names: known.names.clone(), notes: Vec::new() };
    let what = "folders with the names of the training images' folders".to_owned();
    let labelled =
        Labelled { values: Values::Ordered(classes), what, notes: Vec::new(), used: Vec::new(), is_apart: false };
    (missing * 2 <= images.len()).then_some(labelled)
}

/// The same labels in the classes of the training images, if these have any; what is of none of them has no label.
fn in_classes(classes: ClassLabels, known: Option<&ClassLabels>) -> ClassLabels {
    let Some(known) = known.filter(|known| !known.names.is_empty()) else { return classes };
    let places: Vec<Option<u32>> = classes
        .names
        .iter()
        .map(|name| known.names.iter().position(|other| other == name).map(|at| at as u32))
        .collect();
    let labels: Vec<Option<u32>> = classes.labels.iter().map(|label| *places.get((*label)? as usize)?).collect();
    let lost = labels.iter().zip(&classes.labels).filter(|(now, before)| now.is_none() && before.is_some()).count();
    let notes = if lost > 0 {
        vec![format!("{} of classes that the training images don't have: without label", counted(lost, "image"))]
    } else {
        Vec::new()
    };
    ClassLabels { labels, names: known.names.clone(), notes }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;

//! `.npz` files, as `numpy.savez` and `savez_compressed` write them: a zip archive of `.npy` arrays, among them images
//! and often labels. Arrays are identified by name (those of Keras, MedMNIST and numpy itself) or else by
//! shape.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use crate::Dataset;
use crate::error::{Error, Result};
use crate::first_names::first_names;
use crate::formats::archive::zip::{self, Location};
use crate::formats::archive::{self, OtherFiles};
use crate::formats::array::key::{Key, Role};
use crate::formats::array::labels::{Array, Labels, Unread};
use crate::formats::array::rows::{self, Rows, Teller};
use crate::formats::array::shape::{like_images, one_image};
use crate::formats::array::{self, Settings};
use crate::formats::beside;
use crate::formats::column_names::is_label;
use crate::in_memory::InMemory;
use crate::npy::{self, Header};
use crate::open_options::{OpenOptions, Split};
use crate::parts::{Holdings, Part, describe};
use crate::pread::{ReadAt, read_at};

/// Names of training images, each with the name of its labels, in order of preference.
const TRAIN: [[&str; 2]; 8] = [
    ["x_train", "y_train"],
    ["train_images", "train_labels"],
    ["images", "labels"],
    ["images", "label"],
    ["x", "y"],
    ["data", "labels"],
    ["train", "labels"],
    ["arr_0", "arr_1"],
];

/// Names of test images, each with the name of its labels.
const TEST: [[&str; 2]; 3] = [["x_test", "y_test"], ["test_images", "test_labels"], ["test", "labels"]];

/// Arrays that are named.
const MOST_NAMED: usize = 8;

/// One array of the file.
struct Member {
    /// Without `.npy`.
    name: String,
    key: Key,
    header: Header,
    /// The location of its bytes, including the header.
    packed: archive::Member<Location>,
}

impl Member {
    /// Whether it can be an array of images: its shape is that of images, and its name not that of labels.
    fn like_images(&self) -> bool {
        like_images(&self.header.shape) && matches!(self.key.role, None | Some(Role::Images))
    }

    fn array(&self) -> Array<'_> {
        Array { descr: &self.header.descr, fortran: self.header.fortran_order, sizes: &self.header.shape }
    }

    fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Whether a file is a zip archive whose members all end in `.npy`.
pub(crate) fn matches(path: &Path) -> bool {
    let mut others = OtherFiles::default();
    let arrays = File::open(path).is_ok_and(|file| {
        is_zip(&start(&file)) && zip::listed(&file, is_array, &mut others).is_ok_and(|found| !found.is_empty())
    });
    arrays && others == OtherFiles::default()
}

/// Whether a file that starts with `start` may be a `.npz`.
pub(crate) fn is_zip(start: &[u8]) -> bool {
    zip::matches(start)
}

/// Whether one of its arrays has the shape of images (lists of strokes, for example, don't).
pub(crate) fn holds_images(path: &Path) -> bool {
    let found = File::open(path).map(|file| members(path, &file));
    matches!(found, Ok(Ok(members)) if members.iter().any(|member| like_images(&member.header.shape)))
}

fn start(file: &File) -> [u8; 4] {
    let mut start = [0; 4];
    // A shorter file can't match.
    let _ = read_at(file, &mut start, 0);
    start
}

fn is_array(name: &str) -> bool {
    name.ends_with(".npy")
}

/// Opens the images of a part in a `.npz` file, with their labels in it or beside it, if there are any. An array in it or beside it may
/// tell the part of each image. Validation images serve as test images of a file that has no others.
///
/// # Errors
/// The file is damaged, has no array of images or several with unknown names, or an array can't be read.
pub fn open(path: &Path, options: &OpenOptions) -> Result<InMemory> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let members = members(path, &file)?;
    let rows = match choose(path, &members, Split::Test) {
        Err(_) => rows_of(path, &file, &members)?,
        Ok(_) => None,
    };
    let split = if rows.is_some() { Split::Train } else { options.split };
    let images = choose(path, &members, split)?;
    let (labels, unread) = labels_of(&members, images);
    let set = read(path, &file, images, |member_path, reader| {
        let length = Some(images.packed.location.length);
        let layout = npy::check(member_path, &images.header, length, labels.is_some())?;
        array::read(member_path, reader, &layout, Settings { range: options.range, binary: true })
    })?;
    let set = set.named(path.display().to_string()).with_notes(parts_of(&members, options.split));
    let set = match labels {
        Some(labels) => labelled(set, path, &file, &members, labels)?,
        None => beside::attach(set.with_notes(unread), path)?,
    };
    let is_divided = rows.is_some() || choose(path, &members, Split::Test).is_ok();
    let note = beside::unread_parts(path, set.len(), is_divided);
    let set = set.with_notes(note);
    let used: Vec<&str> = [Some(images), labels].into_iter().flatten().map(|member| member.name.as_str()).collect();
    let aside = left_aside(&members, images.key.part, &used, rows.as_ref());
    let set = set.with_notes(aside);
    match rows {
        Some(rows) => rows.of_part(set, options.split),
        None => Ok(set),
    }
}

/// The part of each training image, where an array tells it.
fn rows_of(path: &Path, file: &File, members: &[Member]) -> Result<Option<Rows>> {
    let Ok(images) = choose(path, members, Split::Train) else { return Ok(None) };
    let count = images.header.shape.first().copied().unwrap_or(0);
    let tellers: Vec<Teller<'_>> = members.iter().map(|member| teller(path, file, member)).collect();
    match rows::find(&path.display().to_string(), &tellers, count)? {
        Some(rows) => Ok(Some(rows)),
        None => beside::rows(path, count),
    }
}

/// An array that may tell parts.
fn teller<'a>(path: &'a Path, file: &'a File, member: &'a Member) -> Teller<'a> {
    Teller {
        name: &member.name,
        shown: shown(member),
        sizes: &member.header.shape,
        count: member.array().count(),
        read: Box::new(move || labels_in(path, file, member)),
    }
}

/// What an array is called in messages.
fn shown(member: &Member) -> String {
    format!("array {}", member.name)
}

/// `set` with the labels in the array `labels`.
fn labelled(set: InMemory, path: &Path, file: &File, members: &[Member], labels: &Member) -> Result<InMemory> {
    let values = match labels_in(path, file, labels)? {
        Ok(values) => values,
        Err(unread) => return Ok(set.with_notes([format!("the labels in {} are not read: {unread}", labels.name)])),
    };
    // Other parts may have classes that this one lacks.
    let is_other = |member: &&Member| {
        let key = &member.key;
        key.role == Some(Role::Labels) && key.same_set(&labels.key) && !std::ptr::eq(*member, labels)
    };
    let others = members.iter().filter(is_other).map(|member| labels_in(path, file, member));
    let others: Vec<Labels> = others.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    // An array `classes` of text that is no label per image names them as well.
    let is_text = |member: &&Member| {
        let few = member.array().count().is_some_and(|(count, width)| width == 1 && count < set.len() as u64);
        few && member.key.role == Some(Role::Labels) && member.header.descr.contains(['U', 'S', 'O'])
    };
    let named = members.iter().find(|member| member.key.role == Some(Role::Names));
    let names = named.or_else(|| members.iter().find(is_text));
    let names = names.map(|names| labels_in(path, file, names)).transpose()?;
    let (mut names, mut unread) = (names, None);
    if let Some(Err(why)) = &names {
        unread = Some(format!("the names of the classes are not read: {why}"));
        names = None;
    }
    let set = set.with_notes(unread);
    let names = match names {
        Some(Ok(Labels::Text(names))) => names.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default(),
        _ => Vec::new(),
    };
    if values.len() != set.len() {
        return Ok(set);
    }
    let digested = labels.array().is_plain();
    values.attach(set, &shown(labels), &others, &names, digested)
}

/// What each array of images is used for, if they are several parts.
fn parts_of(members: &[Member], split: Split) -> Option<String> {
    let mut holdings = Holdings::new();
    for member in members.iter().filter(|member| split == Split::Train && member.like_images()) {
        if let Some(part) = member.key.part {
            let holding = holdings.entry(Some(part)).or_default();
            let count = member.header.shape.first().copied().unwrap_or(0);
            holding.files += usize::try_from(count).unwrap_or(0);
            holding.folders.push(member.name.clone());
        }
    }
    describe(&holdings, None)
}

/// A note on the arrays that are neither used nor read as labels, names or parts, nor images of another part than `part`.
fn left_aside(members: &[Member], part: Option<Part>, used: &[&str], rows: Option<&Rows>) -> Option<String> {
    let is_used = |member: &Member| {
        used.contains(&member.name.as_str()) || rows.is_some_and(|rows| rows.are_told_by(&shown(member)))
    };
    let is_known = |member: &Member| match member.key.role {
        Some(Role::Labels | Role::Names) => true,
        _ => member.like_images() && member.key.part.is_some() && member.key.part != part,
    };
    let aside: Vec<&str> = members.iter().filter(|m| !is_used(m) && !is_known(m)).map(|m| m.name.as_str()).collect();
    let s = if aside.len() == 1 { "" } else { "s" };
    (!aside.is_empty()).then(|| format!("left aside: {} array{s} ({})", aside.len(), first_names(&aside, MOST_NAMED)))
}

/// The labels in a file that holds nothing else, or is named for labels.
///
/// # Errors
/// The file is damaged. Within: why it is not read.
pub(crate) fn only_labels(path: &Path) -> Result<Result<Labels, Unread>> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let members = members(path, &file)?;
    let named: Vec<&Member> = members.iter().filter(|member| member.key.role == Some(Role::Labels)).collect();
    match (&members[..], &named[..]) {
        ([only], _) => labels_in(path, &file, only),
        (_, [only]) => labels_in(path, &file, only),
        _ => Ok(Err(format!("{}; expected one", listed(&members)))),
    }
}

fn labels_in(path: &Path, file: &File, member: &Member) -> Result<Result<Labels, Unread>> {
    let array = member.array();
    if let Err(unread) = array.bytes() {
        return Ok(Err(unread));
    }
    let length = member.packed.location.length;
    let declared = array.bytes().unwrap_or(0).checked_add(member.header.offset);
    if declared != Some(length) {
        let what = format!("its header declares shape {:?}, but it has {length} bytes", member.header.shape);
        return Err(npy::damaged(&path.join(&*member.packed.name), &what));
    }
    read(path, file, member, |member_path, reader| array.read(member_path, reader))
}

/// The headers of all arrays.
fn members(path: &Path, file: &File) -> Result<Vec<Member>> {
    let packed = zip::listed(file, is_array, &mut OtherFiles::default()).map_err(|what| damaged(path, &what))?;
    let member = |packed: archive::Member<Location>| {
        let member_path = path.join(&*packed.name);
        let mut at = ReadAt::new(file);
        let mut reader = zip::stream(&mut at, &packed).map_err(|what| damaged(&member_path, &what))?;
        let header = Header::read(&mut reader).map_err(|what| npy::damaged(&member_path, &what))?;
        drop(reader);
        let name = packed.name.trim_end_matches(".npy").to_owned();
        Ok(Member { key: Key::of(&name), name, header, packed })
    };
    packed.into_iter().map(member).collect()
}

/// Calls `take` at the values of an array, then checks that it was read to its end, which verifies its checksum.
fn read<T>(
    path: &Path,
    file: &File,
    member: &Member,
    take: impl FnOnce(&Path, &mut dyn Read) -> Result<T>,
) -> Result<T> {
    let member_path = path.join(&*member.packed.name);
    let mut at = ReadAt::new(file);
    let stream = zip::stream(&mut at, &member.packed).map_err(|what| damaged(&member_path, &what))?;
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    Header::read(&mut reader).map_err(|what| npy::damaged(&member_path, &what))?;
    let taken = take(&member_path, &mut reader)?;
    match reader.read(&mut [0]) {
        Ok(0) => Ok(taken),
        Ok(_) => Err(damaged(&member_path, "more bytes follow than its header declares")),
        Err(error) => Err(damaged(&member_path, &error.to_string())),
    }
}

/// The array of images: one with a known name, or the only one of its part with the shape of images, or the only one.
fn choose<'a>(path: &Path, members: &'a [Member], split: Split) -> Result<&'a Member> {
    let names = if split == Split::Train { &TRAIN[..] } else { &TEST[..] };
    let called = |wanted: &str| members.iter().find(|member| member.is_called(wanted));
    let mut by_name = names.iter().filter_map(|[images, _]| called(images));
    let first = by_name.next();
    let named = first.into_iter().chain(by_name).find(|member| member.like_images()).or(first);
    // Images that are learned from for want of others are no test images.
    let is_learned_from = |member: &&Member| {
        split == Split::Test && choose(path, members, Split::Train).is_ok_and(|train| std::ptr::eq(train, *member))
    };
    if let Some(member) = named.filter(|member| !is_learned_from(member)) {
        return Ok(member);
    }
    let images: Vec<&Member> = members.iter().filter(|member| member.like_images()).collect();
    let of_part =
        |part: Option<Part>| match images.iter().filter(|member| member.key.part == part).collect::<Vec<_>>()[..] {
            [only] => Some(*only),
            _ => None,
        };
    if split == Split::Test {
        let of_test = of_part(Some(Part::Test)).or_else(|| of_part(Some(Part::Validation)));
        return of_test.filter(|member| !is_learned_from(member)).ok_or_else(|| Error::NoTestImages {
            what: format!("{} has no test images of its own: {}", path.display(), listed(members)),
            hint: "use its training images, or save them as x_test".into(),
        });
    }
    match (members, &images[..]) {
        ([only], _) => Ok(only),
        (_, [only]) => Ok(*only),
        (_, several) => of_part(Some(Part::Train)).or_else(|| of_part(None)).ok_or_else(|| {
            let count = if several.is_empty() { "no array" } else { "several arrays" };
            let are_single = members.len() > 2 && members.iter().all(|member| one_image(&member.header.shape).is_some());
            Error::data(
                format!("{} holds {count} of images: {}", path.display(), listed(members)),
                match are_single {
                    true => {
                        "if each is one image, unpack it: a folder with one image in each .npy file is read; or stack them: \
                         numpy.stack(list(numpy.load(FILE).values()))"
                    }
                    false if several.len() > 1 && several.iter().all(|member| member.key.role.is_none()) => {
                        "if each is a class, save each as a file of its own in one folder (cat.npy, dog.npy); else name the images in \
                         it: numpy.savez(\"images.npz\", x_train=a, y_train=labels)"
                    }
                    false => "name the images in it: numpy.savez(\"images.npz\", x_train=a, y_train=labels)",
                },
            )
        }),
    }
}

/// The labels of `images`: an array with the matching name and one label per image. Where there is none, notes on what looks like
/// labels.
fn labels_of<'a>(members: &'a [Member], images: &Member) -> (Option<&'a Member>, Vec<String>) {
    let count = images.header.shape.first();
    let usual = ["labels", "label", "y", "y_train", "arr_1"];
    let pairs = TRAIN.iter().chain(&TEST).filter(|[name, _]| images.is_called(name)).map(|[_, labels]| *labels);
    let names: Vec<&str> = pairs.chain(usual).collect();
    let others = || members.iter().filter(|member| !std::ptr::eq(*member, images));
    let fits = |member: &&Member| member.array().count().is_some_and(|(labels, _)| Some(&labels) == count);
    let called = |plain: bool| {
        names.iter().find_map(|name| {
            let fitting = others().filter(fits).filter(|member| member.array().is_plain() == plain);
            fitting.filter(|member| !member.like_images()).find(|member| member.is_called(name))
        })
    };
    let paired = || others().filter(fits).find(|m| m.key.role == Some(Role::Labels) && m.key.pairs(&images.key));
    if let Some(labels) = called(true).or_else(|| called(false)).or_else(paired) {
        return (Some(labels), Vec::new());
    }
    // Arrays called as columns of labels are: `digit`, `category`.
    let column = || others().filter(fits).find(|m| is_label(&m.name.to_lowercase()) && !m.like_images());
    if let Some(labels) = column() {
        return (Some(labels), Vec::new());
    }
    let several: Vec<&str> = others()
        .filter(|m| fits(m) && m.key.role == Some(Role::Labels) && m.key.part == images.key.part)
        .map(|m| m.name.as_str())
        .collect();
    if several.len() > 1 {
        return (
            None,
            vec![format!(
                "labels not used: several arrays may be meant ({}); save the one that is meant as y, without the others",
                first_names(&several, MOST_NAMED)
            )],
        );
    }
    let like_labels = others().filter(|m| m.key.role == Some(Role::Labels) && m.key.part == images.key.part);
    let note = |member: &Member| {
        let count = count.copied().unwrap_or(0);
        format!("{} is not read as labels: its shape is {:?}, for {count} images", member.name, member.header.shape)
    };
    (None, like_labels.map(note).collect())
}

/// "x_train [60000, 28, 28] |u1, ...".
fn listed(members: &[Member]) -> String {
    let show = |member: &Member| {
        let descr: String = member.header.descr.chars().take(20).collect();
        format!("{} {:?} {}", member.name.escape_debug(), member.header.shape, descr.escape_debug())
    };
    let member_path: Vec<String> = members.iter().take(12).map(show).collect();
    let more = if members.len() > member_path.len() { ", ..." } else { "" };
    if member_path.is_empty() {
        "it holds no array".to_owned()
    } else {
        format!("it holds {}{more}", member_path.join(", "))
    }
}

fn damaged(path: &Path, what: &str) -> Error {
    Error::data(
        format!("{} is damaged: {what}", path.display()),
        "the file is damaged or was not downloaded completely: replace it",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;

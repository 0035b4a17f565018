//! What people bring, a row for each kind: the files as they have them, and what is read, said or refused.

mod arrays;
mod formats;
mod image_files;
mod label_sources;
mod parts;

use std::path::Path;

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use crate::testing::{gzip, idx_images, npy, sample, stream, tar, zip};
use crate::{Dataset, Error, OpenOptions, Split, check, open};

/// A file by its name.
type File = (String, Vec<u8>);

/// What is expected of a set.
enum Expected {
    /// Training images, test images, classes or attributes with spaces between them, and parts of what is said.
    Read(usize, usize, &'static str, &'static [&'static str]),
    /// Parts of the error and of its hint.
    Refused(&'static str, &'static str),
}
use Expected::{Read, Refused};

/// A kind of set: its name, its files, the path in the folder of these that is opened, and what is expected.
struct Row(&'static str, Vec<File>, &'static str, Expected);

/// A small picture; different seeds give different ones.
fn picture(seed: usize) -> RgbImage {
    RgbImage::from_fn(8, 8, |x, y| {
        let value = |channel: usize| ((seed * 37 + channel * 91) as u32 + x * 17 + y * (5 + seed as u32 % 7)) as u8;
        Rgb([value(0), value(1), value(2)])
    })
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(seed: usize) -> Vec<u8> {
    encoded(picture(seed), ImageFormat::Png)
}

/// The picture of `seed`, with each pixel twice as wide and high.
fn enlarged(seed: usize) -> Vec<u8> {
    let small = picture(seed);
    encoded(RgbImage::from_fn(16, 16, |x, y| *small.get_pixel(x / 2, y / 2)), ImageFormat::Png)
}

/// A mask of the picture of `seed`.
fn mask(seed: usize) -> Vec<u8> {
    let grey = DynamicImage::from(picture(seed)).to_luma8();
    encoded(
        GrayImage::from_fn(8, 8, |x, y| Luma([if grey.get_pixel(x, y).0[0] > 127 { 255 } else { 0 }])),
        ImageFormat::Png,
    )
}

/// Files called `name` with a number in place of `#`, from 0 on.
fn numbered(name: &str, count: usize, file: impl Fn(usize) -> Vec<u8>) -> Vec<File> {
    (0..count).map(|at| (name.replace('#', &at.to_string()), file(at))).collect()
}

/// Pictures of these names, with spaces between them; `a{3}/x` stands for `a0/x a1/x a2/x`.
fn pictures(names: &str) -> Vec<File> {
    let mut seed = 0;
    let mut files = Vec::new();
    for name in names.split_whitespace() {
        let (before, count, after) = match name.split_once('{') {
            Some((before, rest)) => {
                let (count, after) = rest.split_once('}').unwrap();
                (before, count.parse().unwrap(), after)
            }
            None => (name, 1, ""),
        };
        for at in 0..count {
            let number = if name.contains('{') { at.to_string() } else { String::new() };
            files.push((format!("{before}{number}{after}"), png(seed)));
            seed += 1;
        }
    }
    files
}

fn text(name: &str, content: &str) -> File {
    (name.to_owned(), content.as_bytes().to_vec())
}

fn with(mut files: Vec<File>, more: impl IntoIterator<Item = File>) -> Vec<File> {
    files.extend(more);
    files
}

fn borrowed(files: &[File]) -> Vec<(&str, &[u8])> {
    files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

fn zipped(name: &str, files: &[File]) -> File {
    (name.to_owned(), zip(&borrowed(files), true))
}

fn tarred(name: &str, files: &[File]) -> File {
    (name.to_owned(), tar(&borrowed(files)))
}

/// A numpy array of this type and shape.
fn array(descr: &str, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    npy(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}{comma})}}", sizes.join(", ")), bytes)
}

/// Bytes that look like images: each differs from the next.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| (at * 31 + at / 64 * 57) as u8).collect()
}

fn images(shape: &[usize]) -> Vec<u8> {
    array("|u1", shape, &bytes(shape.iter().product()))
}

fn labels(values: &[i64]) -> Vec<u8> {
    array("<i8", &[values.len()], &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}

fn npz(name: &str, arrays: &[(&str, Vec<u8>)]) -> File {
    let files: Vec<File> = arrays.iter().map(|(name, bytes)| (format!("{name}.npy"), bytes.clone())).collect();
    zipped(name, &files)
}

/// Four images with these labels, which are called `y_train`.
fn labelled(name: &str, labels: Vec<u8>) -> Vec<File> {
    vec![npz(name, &[("x_train", images(&[4, 8, 8])), ("y_train", labels)])]
}

fn one(name: &str, bytes: Vec<u8>) -> Vec<File> {
    vec![(name.to_owned(), bytes)]
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(|at| line(at) + "\n").collect()
}

/// Shards of a webdataset: images with the number of their class beside them.
fn shard(name: &str, first: usize) -> File {
    let pair = |at: usize| [(format!("s{at:03}.png"), png(at)), text(&format!("s{at:03}.cls"), &(at % 3).to_string())];
    tarred(name, &(first..first + 4).flat_map(pair).collect::<Vec<_>>())
}

/// An IDX file of whole numbers of four bytes.
fn idx_ints(sizes: &[u32], values: &[u32]) -> Vec<u8> {
    let header = [0, 0, 0x0c, sizes.len() as u8];
    let words = sizes.iter().chain(values).flat_map(|word| word.to_be_bytes());
    header.into_iter().chain(words).collect()
}

/// CIFAR-100's binary version: two labels and 3,072 values per image.
fn cifar_100(count: usize) -> Vec<u8> {
    (0..count).flat_map(|at| [vec![at as u8, at as u8], vec![at as u8 * 9; 3072]].concat()).collect()
}

fn celeba() -> Vec<File> {
    let attributes = "4\nMale Smiling Young\n".to_owned()
        + &lines(4, |at| format!("00000{}.jpg {}  1 -1", at + 1, if at % 2 == 0 { "1" } else { "-1" }));
    let parts = lines(4, |at| format!("00000{}.jpg {}", at + 1, if at == 3 { 2 } else { 0 }));
    let jpeg = |at| (format!("Img/img_align_celeba/00000{}.jpg", at + 1), sample("rgb.jpg"));
    let texts = [text("Anno/list_attr_celeba.txt", &attributes), text("Eval/list_eval_partition.txt", &parts)];
    with((0..4).map(jpeg).collect(), texts)
}

/// Opens a part of a set.
fn opened(path: &Path, split: Split) -> crate::Result<Box<dyn Dataset>> {
    open(path.to_str().unwrap(), &OpenOptions::default().split(split), &mut |_| ())
}

/// Writes the files, and compares what is read with what is expected.
fn look(Row(name, files, path, expected): &Row) -> Result<(), String> {
    let folder = crate::testing::folder();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let path = if path.is_empty() { folder.path().to_path_buf() } else { folder.path().join(path) };
    let train = opened(&path, Split::Train);
    match (expected, train) {
        (Refused(what, hint), Err(error)) if error.to_string().contains(what) && error.hint().contains(hint) => Ok(()),
        (_, Err(error)) => Err(format!("{name}: {error} ({})", error.hint())),
        (Refused(what, _), Ok(set)) => Err(format!("{name}: {} images read, but expected {what}", set.len())),
        (Read(images, held, names, said), Ok(set)) => {
            let info = set.info();
            let found = [info.labels.classes(), info.labels.attributes()].concat().join(" ");
            let notes = [set.notes(), info.unused_labels.clone()].concat().join("; ");
            let test = match opened(&path, Split::Test) {
                Ok(test) => test.len(),
                Err(Error::NoTestImages { .. }) => 0,
                Err(error) => return Err(format!("{name}: test images: {error}")),
            };
            let is_said = said.iter().all(|part| notes.contains(part));
            if (set.len(), test, found.as_str()) == (*images, *held, *names) && is_said {
                return Ok(());
            }
            Err(format!("{name}: {} and {test} images, classes {found}; said: {notes}; expected {said:?}", set.len()))
        }
    }
}

#[test]
fn what_people_bring_is_read_right_or_refused() {
    let rows = [parts::rows(), label_sources::rows(), image_files::rows(), arrays::rows(), formats::rows()];
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    let wrong: Vec<String> = rows.iter().filter_map(|row| look(row).err()).collect();
    assert!(wrong.is_empty(), "{} of {} rows are wrong:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// The pixels of all images; an error where `check` or reading finds something.
fn all_pixels(path: &Path) -> Result<Vec<f32>, String> {
    let options = OpenOptions::default();
    let bad = check(path.to_str().unwrap(), &options, &mut |_| ()).map_err(|error| error.to_string())?;
    if let Some(bad) = bad.first() {
        return Err(bad.reason.clone());
    }
    let set = opened(path, Split::Train).map_err(|error| error.to_string())?;
    let mut pixels = vec![0.0; set.shape().len() * set.len()];
    for (index, image) in pixels.chunks_mut(set.shape().len()).enumerate() {
        set.read(index, image).map_err(|error| error.to_string())?;
    }
    Ok(pixels)
}

#[test]
fn every_flipped_bit_of_an_archive_is_found() {
    let folder = crate::testing::folder();
    let path = folder.path().join("set.tar.gz");
    let whole = gzip(&tar(&borrowed(&pictures("cat/1.png dog/2.png"))));
    std::fs::write(&path, &whole).unwrap();
    let pixels = all_pixels(&path).unwrap();
    let mut harmless = 0;
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, flipped).unwrap();
        match all_pixels(&path) {
            Err(_) => {}
            // The time and the system in gzip's header, and codes that no byte has, change nothing.
            Ok(read) if read == pixels => harmless += 1,
            Ok(_) => panic!("bit {bit} changes the images, but is not found"),
        }
    }
    assert!(harmless < whole.len(), "{harmless} of {} bits", whole.len() * 8);
}

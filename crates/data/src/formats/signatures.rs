//! What a file is by its first bytes, for files that are not read: its name, and what to do with it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::formats::archive::tar;
use crate::formats::compression::unpacked;
use crate::pictures::{self, FORMATS};

/// A kind of file that is not read as images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// With its article: `a HEIC image`.
    pub name: &'static str,
    /// What to do with it.
    pub remedy: &'static str,
}

impl Kind {
    /// Whether it is an archive or a compressed stream, which says nothing of its content.
    pub fn is_packing(&self) -> bool {
        self.remedy == UNPACK
    }
}

/// Extensions of cameras' raw photos, most of which begin like TIFF files.
const RAW_PHOTOS: [&str; 10] = ["cr2", "nef", "arw", "dng", "orf", "rw2", "pef", "srw", "raf", "raw"];

/// Images that are not called so.
const UNNAMED: Kind =
    Kind { name: "images by their content", remedy: "give them the ending of their format, such as .png" };

/// The number of bytes from which a kind can be told.
pub(crate) const START: usize = 640;

/// The name of tables.
pub(crate) const CSV: &str = "a table in text (CSV)";

/// The name of arrays.
const ARRAY: &str = "a numpy array";

/// What to do with many arrays.
pub(crate) const STACK: &str = "stack arrays of one image each in Python: numpy.savez(\"set.npz\", \
                                x=numpy.stack([numpy.load(f) for f in files]), y=labels)";

const CONVERT: &str = "convert it to PNG or JPEG";
const CONVERT_PHONE: &str =
    "convert it to JPEG or PNG (a phone takes JPEG once its camera is set to \"most compatible\")";
const UNPACK: &str = "unpack it and give the folder, or pack it as .zip or .tar.gz";
const EXPORT: &str =
    "write its images to an .npz file in Python: numpy.savez(\"set.npz\", x_train=images, y_train=labels)";
const FRAMES: &str = "write its frames to image files: ffmpeg -i FILE -vf fps=1 frame-%06d.png";
const AGAIN: &str = "the download went wrong: fetch the file again";
const PICKLE: &str = "it is not read, as unpickling runs code; CIFAR's binary version is (cifar-10-binary.tar.gz); others: \
                      numpy.savez(\"set.npz\", x_train=images, y_train=labels)";

/// Kinds by the bytes that they begin with, the longer ones first.
#[rustfmt::skip]
const BY_START: &[(&[u8], &str, &str)] = &[
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself", "fetch the files of the repository with: git lfs pull"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image", CONVERT),
    (b"\xff\x0a", "a JPEG XL image", CONVERT),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image", CONVERT),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image", CONVERT),
    (b"8BPS", "a Photoshop file", CONVERT),
    (b"gimp xcf", "a GIMP file", CONVERT),
    (b"\x76\x2f\x31\x01", "an OpenEXR image", CONVERT),
    (b"#?RADIANCE", "a Radiance HDR image", CONVERT),
    (b"#?RGBE", "a Radiance HDR image", CONVERT),
    (b"DDS ", "a DDS texture", CONVERT),
    (b"qoif", "a QOI image", CONVERT),
    (b"\0\0\x01\0", "an icon file", CONVERT),
    (b"\0\0\x02\0", "a cursor file", CONVERT),
    (b"icns", "an icon file", CONVERT),
    (b"AT&TFORM", "a DjVu document", CONVERT),
    (b"SIMPLE  =", "a FITS file", CONVERT),
    (b"FUJIFILMCCD-RAW", "a raw photo (RAF)", CONVERT),
    (b"IIRO", "a raw photo (ORF)", CONVERT),
    (b"IIRS", "a raw photo (ORF)", CONVERT),
    (b"MMOR", "a raw photo (ORF)", CONVERT),
    (b"IIU\0", "a raw photo (RW2)", CONVERT),
    (b"II\xbc", "a JPEG XR image", CONVERT),
    (b"\x01\xda\0", "an SGI image", CONVERT),
    (b"\x01\xda\x01", "an SGI image", CONVERT),
    (b"\x0a\x05\x01", "a PCX image", CONVERT),
    (b"\x59\xa6\x6a\x95", "a Sun raster image", CONVERT),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile", CONVERT),
    (b"/* XPM */", "an X pixmap", CONVERT),
    (b"\x5c\x01\0\0", "a NIfTI file", EXPORT),
    (b"PF\n", "a PFM image", CONVERT),
    (b"Pf\n", "a PFM image", CONVERT),
    (b"%PDF-", "a PDF document", "write its pages to image files: pdftoppm -png FILE page"),
    (b"%!PS", "a PostScript document", CONVERT),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (b"\xfd7zXZ\0", "packed with XZ", UNPACK),
    (b"BZh", "packed with bzip2", UNPACK),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard", UNPACK),
    (b"\x04\x22\x4d\x18", "packed with LZ4", UNPACK),
    (b"LZIP", "packed with lzip", UNPACK),
    (b"MSCF", "a cabinet archive", UNPACK),
    (b"\x1f\x9d", "packed with compress", UNPACK),
    (b"\x1f\x8b", "packed with gzip", UNPACK),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"MATLAB 7.3", "a MATLAB file (version 7.3, HDF5)", EXPORT),
    (b"MATLAB 5.0", "a MATLAB file (version 5)", EXPORT),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", EXPORT),
    (b"SQLite format 3\0", "an SQLite database", EXPORT),
    (b"ARROW1", "an Arrow file", "save it as .parquet: datasets.load_from_disk(FOLDER).to_parquet(\"set.parquet\")"),
    (b"\xff\xff\xff\xff", "an Arrow file", "save it as .parquet: datasets.load_from_disk(FOLDER).to_parquet(\"set.parquet\")"),
    (b"FEA1", "a Feather file", "save it as .parquet: pandas.read_feather(FILE).to_parquet(\"set.parquet\")"),
    (b"ORC", "an ORC file", "save it as .parquet"),
    (b"Obj\x01", "an Avro file", "save it as .parquet"),
    (b"\x0a\x23\xd7\xce", "an MXNet record file", EXPORT),
    (b"PAR1", "a parquet file", "give the file itself"),
    (b"\x93NUMPY", ARRAY, "give the file itself"),
    (b"\x1a\x45\xdf\xa3", "a video (Matroska or WebM)", FRAMES),
    (b"\0\0\x01\xba", "a video (MPEG)", FRAMES),
    (b"\0\0\x01\xb3", "a video (MPEG)", FRAMES),
    (b"\x7fELF", "a program", "give images"),
    (b"MZ", "a Windows program", "give images"),
    (b"\xcf\xfa\xed\xfe", "a macOS program", "give images"),
    (b"\xff\xfe", "text in UTF-16", "save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16", "save it as UTF-8"),
];

/// Kinds of the formats that begin with a box `ftyp`, by the brand in it.
const BY_BRAND: &[(&[&[u8; 4]], &str, &str)] = &[
    (&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"], "a HEIC image", CONVERT_PHONE),
    (&[b"avif", b"avis"], "an AVIF image", CONVERT),
    (&[b"mif1", b"msf1"], "a HEIF image", CONVERT_PHONE),
    (&[b"jxl "], "a JPEG XL image", CONVERT),
    (&[b"jp2 ", b"jpx ", b"jpm "], "a JPEG 2000 image", CONVERT),
    (&[b"crx "], "a raw photo (CR3)", CONVERT),
];

/// The kind of a file that begins with `start`; `None` for one that is not known, or text.
pub(crate) fn kind(start: &[u8]) -> Option<Kind> {
    let of = |name, remedy| Some(Kind { name, remedy });
    if start.get(4..8) == Some(b"ftyp") {
        return Some(by_brand(start));
    }
    if start.get(8..12) == Some(b"AVI ") {
        return of("a video (AVI)", FRAMES);
    }
    // The start of a Targa file may look like that of a cursor or of a record.
    if is_targa(start) && !is_record(start) {
        return of("a Targa image", CONVERT);
    }
    if let Some((_, name, remedy)) = BY_START.iter().find(|(bytes, ..)| start.starts_with(bytes)) {
        return of(name, remedy);
    }
    match start {
        [0x80, 2..=5, ..] => return of("a Python pickle", PICKLE),
        _ if start.get(128..132) == Some(b"DICM") => return of("a DICOM image", CONVERT),
        _ if start.get(40..44) == Some(b" EMF") => return of("a Windows metafile", CONVERT),
        _ if start.get(512..520) == Some(b"\x89HDF\r\n\x1a\n") => return of("an HDF5 file", EXPORT),
        _ if start.get(16..20) == Some(&0xbeef_c0de_u32.to_le_bytes()) => return of("an LMDB database", EXPORT),
        _ if is_record(start) => return of("a TFRecord file", EXPORT),
        _ if start.len() >= 64 && start.iter().all(|&byte| byte == 0) => {
            return of("empty but for zeros", "the file was not copied or downloaded completely: replace it");
        }
        _ => {}
    }
    let text = std::str::from_utf8(start).or_else(|error| {
        // A character may be cut off at the end.
        std::str::from_utf8(&start[..error.valid_up_to()])
            .map(|text| if error.error_len().is_none() { text } else { "" })
    });
    text.ok().and_then(text_kind)
}

/// What a file is that its name says to be a piece of an archive.
pub(crate) fn piece_of_archive(path: &Path) -> Option<Kind> {
    const JOIN: &str = "join its pieces to one file: cat set.zip.0* > set.zip (for set.z01: zip -s 0 set.zip --out whole.zip); or \
                        unpack it with 7-Zip, and give the folder";
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let (stem, ending) = name.rsplit_once('.')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let are_letters =
        ending.len() == 2 && ending.starts_with('a') && ending.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_archive = |name: &str| {
        [".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar"].iter().any(|end| name.ends_with(end))
    };
    let has_pieces = || ["z01", "Z01"].iter().any(|piece| path.with_extension(piece).is_file());
    let is_of_zip = ending.strip_prefix('z').is_some_and(is_number) || (ending == "zip" && has_pieces());
    let part = stem.rsplit_once(".part").is_some_and(|(_, number)| is_number(number)) && ending == "rar";
    let is_piece =
        is_archive(stem) && (are_letters || (ending.len() > 1 && is_number(ending)) || ending.starts_with("part"));
    (is_of_zip || part || is_piece).then_some(Kind { name: "a piece of an archive that was split", remedy: JOIN })
}

/// The brands come in the order of preference, after the major one; a HEIC file is also a HEIF file.
fn by_brand(start: &[u8]) -> Kind {
    let length = start.first_chunk().map_or(0, |four| u32::from_be_bytes(*four) as usize).clamp(16, 256);
    let brands: Vec<&[u8]> = start[8..start.len().min(length)].chunks_exact(4).collect();
    let known = |brand: &&[u8]| BY_BRAND.iter().find(|(names, ..)| names.iter().any(|name| name.as_slice() == *brand));
    let general = |brand: &&&[u8]| !matches!(**brand, b"mif1" | b"msf1");
    let found = brands.iter().filter(general).find_map(known).or_else(|| brands.iter().find_map(known));
    match found {
        Some((_, name, remedy)) => Kind { name, remedy },
        None => Kind { name: "a video (MP4)", remedy: FRAMES },
    }
}

/// The kinds of text that are told apart.
fn text_kind(text: &str) -> Option<Kind> {
    let of = |name, remedy| Some(Kind { name, remedy });
    let trimmed = text.trim_start_matches('\u{feff}').trim_start();
    let lower = trimmed.get(..trimmed.len().min(256)).unwrap_or(trimmed).to_ascii_lowercase();
    let printable = !text.is_empty() && text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace());
    // The first element, after declarations and comments; web pages may hold drawings.
    let root = trimmed.split('<').skip(1).find(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic()));
    let is_svg = root.and_then(|tag| tag.get(..3)).is_some_and(|name| name.eq_ignore_ascii_case("svg"));
    match () {
        () if lower.starts_with('<') && is_svg => {
            of("an SVG drawing", "draw it to PNG: rsvg-convert -o FILE.png FILE.svg")
        }
        () if lower.starts_with("#define") && lower.contains("_width ") => of("an X bitmap", CONVERT),
        () if lower.starts_with("<!doctype html") || lower.starts_with("<html") || lower.starts_with("<head") => {
            of("a web page", AGAIN)
        }
        () if lower.starts_with('<') => of("a web page or other XML", AGAIN),
        () if printable && (lower.starts_with('{') || lower.starts_with('[')) => of("JSON text", "give image files"),
        () if printable && text.lines().next().is_some_and(|line| line.matches([',', ';', '\t']).count() >= 2) => of(
            CSV,
            "if they are pixels, name the columns label, pixel0, pixel1, ...; else write its pixels to image files or to an .npz file",
        ),
        () if printable
            && text
                .lines()
                .next()
                .is_some_and(|line| line.split_whitespace().filter(|word| is_value(word)).count() >= 16) =>
        {
            of("a table of numbers in text", EXPORT)
        }
        () if printable => of("text", "give image files; for a table that names images, give their folder"),
        () => None,
    }
}

/// Whether a word is a number, or one with its place, as LIBSVM has them: `12:0.5`.
fn is_value(word: &str) -> bool {
    let (place, value) = word.split_once(':').unwrap_or(("0", word));
    place.parse::<u32>().is_ok() && value.parse::<f32>().is_ok()
}

/// Whether a file begins as Targa files do, which have no signature: a colour map or none, a kind of image, its size and depth.
fn is_targa(start: &[u8]) -> bool {
    let Some(&[_, map, kind, _, _, length, high, map_depth, _, _, _, _, w, w_high, h, h_high, depth, _]) =
        start.first_chunk()
    else {
        return false;
    };
    let mapped = match (map, kind) {
        (0, 2 | 3 | 10 | 11) => start[3..8] == [0; 5],
        (1, 1 | 9) => (length, high) != (0, 0) && matches!(map_depth, 15 | 16 | 24 | 32),
        _ => false,
    };
    mapped && (w, w_high) != (0, 0) && (h, h_high) != (0, 0) && matches!(depth, 8 | 15 | 16 | 24 | 32)
}

/// Whether the first 12 bytes are a length and its masked CRC-32C, as in TFRecord files.
fn is_record(start: &[u8]) -> bool {
    let Some((length, sum)) = start.split_first_chunk::<8>() else { return false };
    let Some(sum) = sum.first_chunk() else { return false };
    let crc = !length.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 })
    });
    u32::from_le_bytes(*sum) == crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Why these bytes, which no decoder takes, are no image: what they are, and what to do.
pub(crate) fn not_an_image(bytes: &[u8]) -> String {
    match kind(&bytes[..bytes.len().min(START)]) {
        Some(Kind { name, remedy: CONVERT | CONVERT_PHONE }) => {
            format!("it is {name}, which is not read: convert it to PNG or JPEG")
        }
        Some(Kind { name, .. }) => format!("it is {name}, not a {FORMATS} image"),
        None => format!("it is not a {FORMATS} image"),
    }
}

/// The most files that are looked at in a folder without images.
const MAX_LISTED: usize = 2000;

/// What a folder without images holds instead, such as `20 .heic files (a HEIC image)`, and what to do with that; `None` if it
/// is empty or holds nothing that is known.
pub(crate) fn of_folder(folder: &Path) -> Option<(String, &'static str)> {
    let mut kinds: BTreeMap<String, (usize, PathBuf)> = BTreeMap::new();
    let mut in_cloud: Vec<String> = Vec::new();
    let (mut open, mut count) = (vec![folder.to_path_buf()], 0);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            count += 1;
            if count > MAX_LISTED {
                break;
            }
            if name.starts_with('.') {
                in_cloud.extend(Some(name).filter(|name| name.ends_with(".icloud")));
                continue;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(path),
                Ok(_) => {
                    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
                    kinds.entry(extension).or_insert((0, path)).0 += 1;
                }
                Err(_) => {}
            }
        }
    }
    if !in_cloud.is_empty() {
        return Some((
            format!("{} files that are still in iCloud ({}, for one)", in_cloud.len(), in_cloud[0]),
            "download them: brctl download FOLDER, or \"Download Now\" in the Finder",
        ));
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let is_image = |example: &Path| {
        let mut start = Vec::new();
        let read = File::open(example).and_then(|file| file.take(START as u64).read_to_end(&mut start));
        read.is_ok() && pictures::is_image(&start)
    };
    let known: Vec<_> = kinds
        .iter()
        .map(|(extension, (_, example))| match () {
            () if RAW_PHOTOS.contains(&extension.as_str()) => Some(Kind { name: "a raw photo", remedy: CONVERT }),
            () if is_image(example) => Some(UNNAMED),
            () => of_file(example),
        })
        .collect();
    let describe = |((extension, (count, _)), kind): (&(String, (usize, PathBuf)), &Option<Kind>)| {
        let extension = if extension.is_empty() { "without an extension".to_owned() } else { format!(".{extension}") };
        let files = if *count == 1 { "file" } else { "files" };
        let kind = kind.map_or(String::new(), |kind| format!(" ({})", kind.name));
        format!("{count} {files} {extension}{kind}")
    };
    let listed: Vec<String> = kinds.iter().zip(&known).take(3).map(describe).collect();
    let more = if kinds.len() > listed.len() || count > MAX_LISTED { ", ..." } else { "" };
    let is_text = |kind: &Kind| matches!(kind.name, "text" | "JSON text");
    let arrays = kinds.iter().zip(&known).find(|(_, kind)| kind.is_some_and(|kind| kind.name == ARRAY));
    if arrays.is_some_and(|((_, (count, _)), _)| *count > 1) {
        return Some((format!("{}{more}", listed.join(", ")), STACK));
    }
    let remedy = match known.iter().flatten().find(|kind| !is_text(kind)) {
        Some(kind) => kind.remedy,
        None if known.contains(&None) => {
            "their format is unknown: give image files, or an .npz file as numpy.savez(\"set.npz\", x_train=images) writes it"
        }
        None => return None,
    };
    Some((format!("{}{more}", listed.join(", ")), remedy))
}

/// The kind of a file, of what is packed in it, or of the first members of a tar archive.
pub(crate) fn of_file(path: &Path) -> Option<Kind> {
    let open = || Some(unpacked(File::open(path).ok()?).ok()?.0);
    let (mut start, mut raw) = (Vec::new(), Vec::new());
    // A damaged stream may begin well.
    let _ = open()?.take(START as u64).read_to_end(&mut start);
    File::open(path).ok()?.take(START as u64).read_to_end(&mut raw).ok()?;
    let inside = if tar::matches(&start) { of_members(open()?) } else { kind(&start) };
    inside.or_else(|| kind(&raw))
}

/// Whether a file is one that is read, or told what it is, by itself but not in an archive.
pub(crate) fn is_data_file(name: &str) -> bool {
    const ENDINGS: [&str; 12] =
        [".csv", ".tsv", ".parquet", ".npy", ".npz", ".bin", ".mat", ".h5", ".gz", ".arrow", "ubyte", ".tfrecord"];
    ENDINGS.iter().any(|ending| name.to_ascii_lowercase().ends_with(ending))
}

/// What a zip archive without images is by the names in it, and what to do with it.
pub(crate) fn of_members_named<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<(&'static str, &'static str)> {
    names.find_map(|name| match name {
        "[Content_Types].xml" => Some(("an Office document", "save its images as files")),
        _ if name == "data.pkl" || name.ends_with("/data.pkl") => Some(("a PyTorch file (a pickle)", PICKLE)),
        _ if name == "zarr.json" || name.ends_with(".zarray") => Some(("a Zarr array", EXPORT)),
        _ => None,
    })
}

/// The kind of one of the first files of a tar archive that is not text.
fn of_members(archive: impl Read) -> Option<Kind> {
    const MAX_MEMBERS: usize = 8;
    let (mut found, mut seen) = (None, 0);
    // An error ends the walk: the members so far are enough.
    let _ = tar::pick(
        archive,
        |_| true,
        |_, _, bytes| {
            let mut start = Vec::new();
            bytes.take(START as u64).read_to_end(&mut start).map_err(|error| error.to_string())?;
            let kind = kind(&start).filter(|kind| !matches!(kind.name, "text" | "JSON text" | "a web page"));
            (found, seen) = (kind, seen + 1);
            if found.is_some() || seen == MAX_MEMBERS { Err(String::new()) } else { Ok(()) }
        },
    );
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{gzip, tar as packed};

    fn name(start: &[u8]) -> &'static str {
        kind(start).map_or("unknown", |kind| kind.name)
    }

    #[test]
    fn files_are_called_by_their_names() {
        let long = |at: usize, bytes: &[u8]| [&vec![1; at][..], bytes, &[0; 9]].concat();
        for (start, expected) in [
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec(), "a HEIC image"),
            (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf".to_vec(), "a HEIC image"),
            (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1miafMA1B".to_vec(), "an AVIF image"),
            (b"\0\0\0\x14ftypmif1\0\0\0\0mif1".to_vec(), "a HEIF image"),
            (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41".to_vec(), "a video (MP4)"),
            (b"\0\0\0\x0cJXL \r\n\x87\n\0\0".to_vec(), "a JPEG XL image"),
            (b"\xff\x0a\xfa".to_vec(), "a JPEG XL image"),
            (b"\0\0\0\x0cjP  \r\n\x87\n\0\0".to_vec(), "a JPEG 2000 image"),
            (b"8BPS\0\x01".to_vec(), "a Photoshop file"),
            (b"\0\0\x02\0\0\0\0\0\0\0\0\0\x28\0\x1e\0\x18\0\x01".to_vec(), "a Targa image"),
            (b"\0\x01\x09\0\0\0\x01\x18\0\0\0\0\x28\0\x1e\0\x08\x20\x01".to_vec(), "a Targa image"),
            (b"\0\0\x02\0\x01\0\x20\x20\0\0\0\0\0\0\x30\x01\0\0\x16".to_vec(), "a cursor file"),
            (b"\0\0\x01\0\x01\0\x20\x20\0\0\x01\0\x18\0\x30\x01\0\0\x16".to_vec(), "an icon file"),
            (b"<!-- drawn --><svg width=\"3\">".to_vec(), "an SVG drawing"),
            (b"FUJIFILMCCD-RAW 0201".to_vec(), "a raw photo (RAF)"),
            (b"<?xml version=\"1.0\"?>\n<svg xmlns=\"x\">".to_vec(), "an SVG drawing"),
            (b"<svg width=\"3\">".to_vec(), "an SVG drawing"),
            (b"<!DOCTYPE svg PUBLIC \"x\">\n<SVG:svg >".to_vec(), "an SVG drawing"),
            (b"<!DOCTYPE html><head></head><svg width=\"3\">".to_vec(), "a web page"),
            (b"<head></head><svg width=\"3\">".to_vec(), "a web page"),
            (b"<div><svg width=\"3\"></svg></div>".to_vec(), "a web page or other XML"),
            (b"\n<!DOCTYPE HTML><title>".to_vec(), "a web page"),
            (b"<?xml version=\"1.0\"?><Error><Code>AccessDenied".to_vec(), "a web page or other XML"),
            (b"version https://git-lfs.github.com/spec/v1\noid".to_vec(), "a Git LFS pointer, not the file itself"),
            (b"7z\xbc\xaf\x27\x1c\0\x04".to_vec(), "a 7z archive"),
            (b"Rar!\x1a\x07\x01\0".to_vec(), "a RAR archive"),
            (b"\xfd7zXZ\0\0".to_vec(), "packed with XZ"),
            (b"BZh91AY&SY".to_vec(), "packed with bzip2"),
            (b"\x28\xb5\x2f\xfd\x04".to_vec(), "packed with Zstandard"),
            (b"\x80\x02}q\x01(U\x04data".to_vec(), "a Python pickle"),
            (b"MATLAB 5.0 MAT-file, Platform: GLNXA64".to_vec(), "a MATLAB file (version 5)"),
            (b"MATLAB 7.3 MAT-file, Platform: GLNXA64".to_vec(), "a MATLAB file (version 7.3, HDF5)"),
            (b"\x89HDF\r\n\x1a\n\0".to_vec(), "an HDF5 file"),
            (long(512, b"\x89HDF\r\n\x1a\n"), "an HDF5 file"),
            (long(16, b"\xde\xc0\xef\xbe"), "an LMDB database"),
            (long(128, b"DICM"), "a DICOM image"),
            (b"SQLite format 3\0\x10".to_vec(), "an SQLite database"),
            (b"ARROW1\0\0".to_vec(), "an Arrow file"),
            (b"\x7fELF\x02".to_vec(), "a program"),
            (b"\xff\xfel\0a\0".to_vec(), "text in UTF-16"),
            (b"label,pixel0,pixel1\n3,0,0\n".to_vec(), "a table in text (CSV)"),
            ("Fußnote: ä".as_bytes()[..11].to_vec(), "text"),
            (b"{\"a\": 1}".to_vec(), "JSON text"),
            (vec![0; 100], "empty but for zeros"),
            (b"\x01\x02\x03".to_vec(), "unknown"),
            (b"".to_vec(), "unknown"),
        ] {
            assert_eq!(name(&start), expected, "{start:?}");
        }
    }

    #[test]
    fn records_are_told_by_their_checksum() {
        // The length 4711 and its masked CRC-32C, computed apart from this program.
        let mut record = b"\x67\x12\x00\x00\x00\x00\x00\x00\x31\x45\xa9\x16record".to_vec();
        assert_eq!(name(&record), "a TFRecord file");
        record[8] ^= 1;
        assert_ne!(name(&record), "a TFRecord file");
    }

    #[test]
    fn reasons_and_folders_say_what_is_there() {
        let reason = not_an_image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic");
        assert_eq!(reason, "it is a HEIC image, which is not read: convert it to PNG or JPEG");
        assert_eq!(not_an_image(b"%PDF-1.4"), format!("it is a PDF document, not a {FORMATS} image"));
        assert_eq!(not_an_image(&[1, 2, 3]), format!("it is not a {FORMATS} image"));
        let folder = crate::testing::folder();
        let root = folder.path();
        assert_eq!(of_folder(root), None);
        std::fs::write(root.join("readme.txt"), "hello").unwrap();
        assert_eq!(of_folder(root), None, "text is not what somebody meant");
        std::fs::create_dir(root.join("deep")).unwrap();
        for name in ["a.heic", "deep/b.HEIC"] {
            std::fs::write(root.join(name), b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").unwrap();
        }
        let (what, remedy) = of_folder(root).unwrap();
        assert_eq!(what, "2 files .heic (a HEIC image), 1 file .txt (text)");
        assert!(remedy.contains("JPEG"));
    }

    #[test]
    fn archives_are_called_by_their_members() {
        let folder = crate::testing::folder();
        let path = folder.path().join("cifar.tar.gz");
        let files = [("readme.html", &b"<html>"[..]), ("py/data_batch_1", &b"\x80\x02}q\x01(U\x04data"[..])];
        std::fs::write(&path, gzip(&packed(&files))).unwrap();
        assert_eq!(of_file(&path).unwrap().name, "a Python pickle");
        std::fs::write(&path, gzip(&[1, 2, 3])).unwrap();
        assert_eq!(of_file(&path).unwrap().name, "packed with gzip");
    }
}

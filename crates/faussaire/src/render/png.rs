//! PNG files: a picture as one file, or images as a folder of numbered files. Each file appears whole or not at all.

use std::io::{Cursor, Read};
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat, ImageReader, Limits};
use rayon::prelude::*;

use super::{Images, Picture, check_length};
use crate::data::{ImageShape, is_image, write_file};
use crate::error::{Error, Result};

/// The chunk that tells who wrote a file (PNG specification, 11.3.3.2): its length, kind, words, and checksum.
const MARK: &[u8] = b"\0\0\0\x12tEXtSoftware\0faussaire\x7d\xc4\x3f\x9b";

/// Where it is: after the signature and the header.
const MARK_AT: usize = 33;

/// Writes `picture` to `path`; its folder must exist.
///
/// # Errors
/// Where the picture's bytes don't match its shape, or the file can't be written.
pub fn write(path: &Path, picture: &Picture) -> Result<()> {
    write_file(path, &encode(picture)?)
}

/// Writes each image to a file of its own in `folder`, which is made where it is missing: `000000.png` and on,
/// beginning with the number `first`. The files are marked as this function's.
///
/// # Errors
/// Where there is no image, or the folder or a file can't be written.
pub fn write_folder(folder: &Path, images: &Images, first: usize) -> Result<()> {
    images.check()?;
    std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    (0..images.len()).into_par_iter().try_for_each(|index| {
        let path = folder.join(format!("{:06}.png", first + index));
        let Some(picture) = images.picture(index) else { return Ok(()) };
        let mut bytes = encode(&picture)?;
        bytes.splice(MARK_AT..MARK_AT, MARK.iter().copied());
        write_file(&path, &bytes)
    })
}

/// The numbers of the images that [`write_folder`] has left in `folder`, which may be missing.
///
/// # Errors
/// The folder can't be read, or has other images, which would be replaced or mixed with these.
pub fn written(folder: &Path) -> Result<Vec<usize>> {
    let listed = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(Error::io("read the folder", folder))?,
    };
    let mut numbers = Vec::new();
    for path in listed.flatten().map(|entry| entry.path()).filter(|path| is_image(&path.to_string_lossy())) {
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok()).filter(|_| is_marked(&path));
        numbers.push(number.ok_or_else(|| {
            Error::usage(
                format!("{} was not written by `sample`: generated images are not mixed with others", path.display()),
                "name another folder",
            )
        })?);
    }
    Ok(numbers)
}

fn is_marked(path: &Path) -> bool {
    let mut head = [0; MARK_AT + MARK.len()];
    let file = crate::data::open_plain(path);
    file.is_ok_and(|mut file| file.read_exact(&mut head).is_ok()) && &head[MARK_AT..] == MARK
}

/// The bytes of a PNG file that holds `picture`.
///
/// # Errors
/// Where the picture's bytes don't match its shape.
pub fn encode(picture: &Picture) -> Result<Vec<u8>> {
    let shape = picture.shape;
    check_length("bytes", picture.bytes.len(), shape)?;
    let colour = match shape.channels {
        1 => ExtendedColorType::L8,
        4 => ExtendedColorType::Rgba8,
        _ => ExtendedColorType::Rgb8,
    };
    let refused = |reason: String| {
        Error::usage(format!("a picture of {shape} can't be a PNG file: {reason}"), "ask for a smaller picture")
    };
    let side = |pixels: usize| u32::try_from(pixels).map_err(|error| refused(error.to_string()));
    if picture.bytes.len() != shape.len() {
        return Err(refused(format!("it has {} bytes", picture.bytes.len())));
    }
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(&picture.bytes, side(shape.width)?, side(shape.height)?, colour)
        .map_err(|error| refused(error.to_string()))?;
    Ok(bytes)
}

/// The upper left part of a PNG file, `width` pixels by `height` or as much of it as there is, as the bytes of another. What
/// would take more than 256 MB to decode is refused.
///
/// # Errors
/// Bytes that are no PNG file, or a damaged one.
pub fn part(file: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
    let part = image_of(file)?.crop_imm(0, 0, width.max(1), height.max(1));
    encode(&picture_of(part))
}

/// The picture in a PNG file. What would take more than 256 MB to decode is refused.
///
/// # Errors
/// Bytes that are no PNG file, or a damaged one.
pub(crate) fn decode(file: &[u8]) -> Result<Picture> {
    image_of(file).map(picture_of)
}

fn image_of(file: &[u8]) -> Result<DynamicImage> {
    let damaged =
        |e: image::ImageError| Error::data(format!("a PNG file can't be read: {e}"), "it was changed or cut short");
    let mut reader = ImageReader::with_format(Cursor::new(file), ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_alloc = Some(256 << 20);
    reader.limits(limits);
    reader.decode().map_err(damaged)
}

fn picture_of(image: DynamicImage) -> Picture {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (channels, bytes) = match image {
        DynamicImage::ImageLuma8(grey) => (1, grey.into_raw()),
        DynamicImage::ImageRgba8(rgba) => (4, rgba.into_raw()),
        other => (3, other.into_rgb8().into_raw()),
    };
    Picture { shape: ImageShape { height, width, channels }, bytes }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn images(count: usize, channels: usize) -> Images {
        let shape = ImageShape { height: 3, width: 5, channels };
        let bytes = (0..count * shape.len()).map(|i| (i * 37 % 256) as u8).collect();
        Images { shape, bytes }
    }

    #[test]
    fn a_part_is_the_upper_left_of_the_whole() {
        for channels in [1, 3, 4] {
            let whole = images(1, channels).picture(0).unwrap();
            let cut = |width, height| {
                image::load_from_memory(&part(&encode(&whole).unwrap(), width, height).unwrap()).unwrap()
            };
            let small = cut(2, 1);
            assert_eq!((small.width(), small.height()), (2, 1));
            assert_eq!(*small.as_bytes(), whole.bytes[..2 * channels]);
            assert_eq!((cut(99, 99).width(), cut(99, 99).height()), (5, 3));
        }
        assert!(part(b"\x89PNG\r\n", 1, 1).is_err() && part(b"", 1, 1).is_err());
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_images_that_were_written_here_are_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("images");
        assert!(written(&inner).unwrap().is_empty());
        write_folder(&inner, &images(3, 3), 4).unwrap();
        std::fs::write(inner.join("notes.txt"), "").unwrap();
        let mut numbers = written(&inner).unwrap();
        numbers.sort_unstable();
        assert_eq!(numbers, [4, 5, 6]);
        assert_eq!(
            decode(&std::fs::read(inner.join("000005.png")).unwrap()).unwrap(),
            images(3, 3).picture(1).unwrap()
        );
        // The checksum of the mark, bit by bit.
        let sum = MARK[4..MARK.len() - 4].iter().fold(!0u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
        });
        assert_eq!((!sum).to_be_bytes(), MARK[MARK.len() - 4..]);
        assert_eq!(u32::from_be_bytes(MARK[..4].try_into().unwrap()) as usize, MARK.len() - 12);

        write(&inner.join("000007.png"), &images(1, 1).picture(0).unwrap()).unwrap();
        let error = written(&inner).unwrap_err();
        assert!(error.to_string().contains("000007.png was not written by `sample`"), "{error}");
        std::fs::remove_file(inner.join("000007.png")).unwrap();
        std::fs::write(inner.join("a.jpg"), "").unwrap();
        assert!(written(&inner).is_err());
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.png");
        for channels in [1, 3, 4] {
            let picture = images(1, channels).picture(0).unwrap();
            write(&path, &picture).unwrap();
            let read = image::open(&path).unwrap();
            assert_eq!((read.height(), read.width()), (3, 5));
            assert_eq!(usize::from(read.color().channel_count()), channels);
            assert_eq!(read.as_bytes(), picture.bytes);
        }
        assert_eq!(names(folder.path()), ["sheet.png"]);
    }

    #[test]
    fn a_folder_holds_numbered_files() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("new/samples");
        let images = images(3, 1);
        write_folder(&inner, &images, 0).unwrap();
        write_folder(&inner, &images, 1_000_000).unwrap();
        let expected = ["000000", "000001", "000002", "1000000", "1000001", "1000002"];
        assert_eq!(names(&inner), expected.map(|name| format!("{name}.png")));
        let read = image::open(inner.join("000002.png")).unwrap();
        assert_eq!(read.as_bytes(), images.get(2).unwrap());
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.png");
        std::fs::write(&path, "old").unwrap();
        let mut picture = images(1, 1).picture(0).unwrap();
        picture.bytes.pop();
        assert!(write(&path, &picture).is_err());
        picture.bytes = vec![0; 2 * picture.shape.len()];
        assert!(write(&path, &picture).unwrap_err().to_string().contains("30 bytes"));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["sheet.png"]);
    }

    #[test]
    fn places_that_cannot_be_written_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let picture = images(1, 1).picture(0).unwrap();
        let error = write(&folder.path().join("missing/sheet.png"), &picture).unwrap_err();
        assert!(error.to_string().starts_with("can't create"), "{error}");
        let error = write_folder(&file, &images(2, 1), 0).unwrap_err();
        assert!(error.to_string().starts_with("can't create the folder"), "{error}");
        let none = Images { bytes: Vec::new(), ..images(1, 1) };
        assert!(write_folder(&folder.path().join("new"), &none, 0).is_err());
        assert_eq!(names(folder.path()), ["file"]);
    }
}

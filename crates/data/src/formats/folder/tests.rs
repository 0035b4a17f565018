//! Sets of images in folders and archives: classes, sizes, bad files, and what the next run finds.

use super::*;
use crate::testing::{tar, zip};
use crate::{Background, Mirrored, Subset};
use image::{GrayImage, Luma, Rgb, RgbImage};

const ANY: ImageOptions =
    ImageOptions { size: None, channels: None, fit: Fit::Crop, background: Background::WHITE, range: None };

fn png(side: u32, grey: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    GrayImage::from_pixel(side, side, Luma([grey])).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn put(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn put_grey(root: &Path, name: &str, side: u32, grey: u8) {
    put(root, name, &png(side, grey));
}

fn first_values(set: &Folder) -> Vec<f32> {
    let mut image = vec![0.0; set.shape().len()];
    let mut read = |index| {
        set.read(index, &mut image).unwrap();
        image[0]
    };
    (0..set.len()).map(&mut read).collect()
}

#[test]
fn subfolders_are_classes_in_the_order_of_their_numbers() {
    let root = crate::testing::folder();
    for (name, grey) in [("10/a.png", 255), ("9/b.PNG", 51), ("9/deep/c.png", 102), ("10/.hidden.png", 0)] {
        put_grey(root.path(), name, 4, grey);
    }
    std::fs::write(root.path().join("9/notes.txt"), "not an image").unwrap();
    let set = Folder::open(root.path(), &ANY).unwrap();
    assert_eq!((set.len(), set.shape().to_string()), (3, "4x4x1".to_owned()));
    assert_eq!(set.classes(), ["9", "10"]);
    assert_eq!((0..3).map(|i| set.label(i)).collect::<Vec<_>>(), [Some(1), Some(0), Some(0)]);
    assert_eq!((set.file(2), set.label(3)), (Some(root.path().join("9/deep/c.png")), None));
    assert_eq!(set.notes(), ["labels: folders, 2 classes (9, 10)", "1 file of another type skipped: 1 .txt"]);
    assert!(set.is_lazy());
    assert_eq!(first_values(&set), [1.0, 0.2, 0.4]);
    // From memory now.
    std::fs::remove_file(set.file(0).unwrap()).unwrap();
    assert!(!set.is_lazy());
    assert_eq!(first_values(&set), [1.0, 0.2, 0.4]);
    assert!(Folder::open(&root.path().join("9"), &ANY).unwrap().classes().is_empty());
}

#[test]
fn transparency_is_kept_or_laid_over_white() {
    let root = crate::testing::folder();
    put_grey(root.path(), "a.png", 2, 9);
    let pixels = vec![200, 100, 0, 255, 200, 100, 0, 0, 200, 100, 0, 51, 0, 0, 0, 255];
    let image = image::RgbaImage::from_raw(2, 2, pixels).unwrap();
    image.save(root.path().join("b.png")).unwrap();
    let read = |channels| {
        let set = Folder::open(root.path(), &ImageOptions { channels: Some(channels), ..ANY }).unwrap();
        let shape = Some(ImageShape { height: 2, width: 2, channels: 3 });
        assert_eq!(set.sample(), Sample { files: 2, transparent: 1, other_sizes: 0, shape });
        let mut image = vec![9.0; set.shape().len()];
        set.read(1, &mut image).unwrap();
        image.iter().map(|value| (value * 255.0).round() as u8).collect::<Vec<_>>()
    };
    assert_eq!(read(4), [200, 100, 0, 255, 0, 0, 0, 0, 200, 100, 0, 51, 0, 0, 0, 255]);
    assert_eq!(read(3), [200, 100, 0, 255, 255, 255, 244, 224, 204, 0, 0, 0]);
    std::fs::remove_file(root.path().join("b.png")).unwrap();
    put_grey(root.path(), "c.png", 3, 9);
    put(root.path(), "d.png", b"no picture");
    let set = Folder::open(root.path(), &ANY).unwrap();
    let shape = Some(ImageShape { height: 2, width: 2, channels: 1 });
    assert_eq!(set.sample(), Sample { files: 2, transparent: 0, other_sizes: 1, shape });
    assert!(set.skipped().is_empty(), "nothing was read");
}

#[test]
fn archives_are_folders_in_one_file() {
    let root = crate::testing::folder();
    let files = [("top/10/a.png", png(4, 255)), ("top/9/b.png", png(4, 51)), ("top/9/c.png", png(4, 102))];
    let extra = [("top/readme.txt", b"text".to_vec()), ("__MACOSX/top/9/._b.png", b"mac".to_vec())];
    let all: Vec<_> = files.iter().chain(&extra).map(|(name, bytes)| (*name, &bytes[..])).collect();
    files.iter().for_each(|(name, bytes)| put(&root.path().join("folder"), name, bytes));
    let folder = Folder::open(&root.path().join("folder"), &ANY).unwrap();
    for (name, bytes) in [
        ("stored.zip", zip(&all, false)),
        ("deflated.zip", zip(&all, true)),
        ("plain.tar", tar(&all)),
        ("packed.tgz", crate::testing::gzip(&tar(&all))),
    ] {
        put(root.path(), name, &bytes);
        let set = Folder::open(&root.path().join(name), &ANY).unwrap();
        assert_eq!(first_values(&set), [1.0, 0.2, 0.4], "{name}");
        assert_eq!(set.classes(), ["9", "10"]);
        assert_eq!(set.label(0), Some(1));
        assert_eq!(set.file(1).unwrap(), root.path().join(name).join("top/9/b.png"));
        assert_eq!(set.fingerprint(), folder.fingerprint(), "packing changes nothing");
        assert_eq!(set.notes(), ["labels: folders, 2 classes (9, 10)", "1 file of another type skipped: 1 .txt"]);
        assert_eq!(check(&root.path().join(name), &ANY).unwrap(), []);
    }
}

#[test]
fn other_images_of_the_same_names_and_lengths_are_another_set() {
    let roots = [0, 1, 2].map(|_| crate::testing::folder());
    let raw = |level: u8| [b"P5 4 4 255\n", &[level; 16][..]].concat();
    for (root, last) in roots.iter().zip([7, 99, 7]) {
        (0..40).for_each(|k| put(root.path(), &format!("{k}.pgm"), &raw(if k == 7 { last } else { k })));
    }
    let open = |at: usize| Folder::open(roots[at].path(), &ANY).unwrap();
    let (set, other, again) = (open(0), open(1), open(2));
    assert_eq!(set.earlier_fingerprints(), other.earlier_fingerprints(), "names and lengths are the same");
    assert!(set.fingerprint() != other.fingerprint() && !other.matches(&set.fingerprint()));
    assert_eq!(set.fingerprint(), again.fingerprint());
    // Wrapped as well, and known to runs of earlier versions.
    let wrap = |set: Folder| Subset::first(Box::new(Mirrored::over(Arc::new(set))), 10);
    let earlier = wrap(open(0)).earlier_fingerprints();
    assert!(earlier.iter().all(|earlier| wrap(open(1)).matches(earlier)) && earlier.len() == 2);
    assert!(!wrap(open(1)).matches(&wrap(open(0)).fingerprint()));
}

#[test]
fn an_image_of_another_size_is_skipped_without_a_size() {
    let root = crate::testing::folder();
    put_grey(root.path(), "a.png", 4, 51);
    put_grey(root.path(), "b.png", 6, 102);
    let set = Folder::open(root.path(), &ANY).unwrap();
    assert_eq!(first_values(&set), [0.2, 0.2]);
    let skipped = set.skipped();
    let text = &skipped[0].reason;
    assert!(text.contains("it has 6x6") && text.contains("most have 4x4") && text.ends_with("a.png"), "{text}");
    assert_eq!(check(root.path(), &ANY).unwrap(), skipped);
    let size = ImageOptions { size: Some((5, 3)), channels: Some(3), ..ANY };
    let set = Folder::open(root.path(), &size).unwrap();
    assert_eq!(set.shape().to_string(), "5x3x3");
    assert_eq!(first_values(&set), [0.2, 0.4]);
    assert!(set.notes()[0].contains("centre crop, then 5x3"));
    assert!(check(root.path(), &size).unwrap().is_empty() && set.skipped().is_empty());
    for other in [ImageOptions { channels: None, ..size }, ImageOptions { fit: Fit::Pad, ..size }] {
        assert_ne!(set.fingerprint(), Folder::open(root.path(), &other).unwrap().fingerprint());
    }
}

#[test]
fn differing_sizes_are_an_error_with_a_hint() {
    let root = crate::testing::folder();
    for side in 1..40 {
        put_grey(root.path(), &format!("{side:02}.png"), side, 51);
    }
    let error = Folder::open(root.path(), &ANY).unwrap_err();
    assert!(
        error.to_string().contains("the 39 images looked at have several sizes, from 1x1 to 39x39 pixels"),
        "{error}"
    );
    assert!(error.hint().contains("such as 64 (`data.size`)"));
    assert!(Folder::open(root.path(), &ImageOptions { size: Some((8, 8)), ..ANY }).is_ok());
}

#[test]
fn the_first_image_decides_the_colour() {
    let root = crate::testing::folder();
    RgbImage::from_pixel(4, 4, Rgb([255, 0, 0])).save(root.path().join("a.png")).unwrap();
    put_grey(root.path(), "b.png", 4, 51);
    let set = Folder::open(root.path(), &ANY).unwrap();
    assert_eq!(set.shape().channels, 3);
    let mut image = vec![0.0; 48];
    set.read(0, &mut image).unwrap();
    assert_eq!(image[..4], [1.0, 0.0, 0.0, 1.0]);
    let grey = Folder::open(root.path(), &ImageOptions { channels: Some(1), ..ANY }).unwrap();
    assert_eq!(first_values(&grey), [76.0 / 255.0, 0.2]);
}

#[test]
fn a_bad_image_is_replaced_by_the_next_good_one_of_its_class() {
    let root = crate::testing::folder();
    put(root.path(), "cat/0.png", b"no png");
    put_grey(root.path(), "cat/1.png", 4, 51);
    put(root.path(), "cat/2.jpg", b"");
    put_grey(root.path(), "dog/3.png", 4, 102);
    put(root.path(), "dog/4.png", b"no png");
    let set = Folder::open(root.path(), &ANY).unwrap();
    assert!(set.skipped().is_empty() && set.notes()[0].starts_with("3 of 5 image files looked at can't be used"));
    for _ in 0..2 {
        assert_eq!(first_values(&set), [0.2, 0.2, 0.2, 0.4, 0.4]);
    }
    assert_eq!((0..5).map(|index| set.resolved(index)).collect::<Vec<_>>(), [1, 1, 1, 3, 3]);
    let reasons: Vec<_> = check(root.path(), &ANY).unwrap();
    let kinds: Vec<_> = reasons.iter().map(|bad| bad.reason.as_str()).collect();
    let unknown = "it is text, not a PNG, JPEG, WebP, GIF, BMP, TIFF or PNM image";
    assert_eq!(kinds, [unknown, "it is empty", unknown]);
    assert_eq!(set.skipped(), reasons, "each once");
    put(root.path(), "dog/3.png", b"no png");
    let set = Folder::open(root.path(), &ANY).unwrap();
    let error = set.read(3, &mut [0.0; 16]).unwrap_err();
    assert!(error.to_string().contains("no image file (of one class, at least) can be used"), "{error}");
}

#[test]
fn folders_without_good_images_are_errors() {
    let root = crate::testing::folder();
    let message = || Folder::open(root.path(), &ANY).unwrap_err().to_string();
    assert!(message().ends_with("holds no image that can be read"), "{}", message());
    put(root.path(), "x.heic", b"0000ftypheic");
    assert!(message().ends_with("(1 file of another type skipped: 1 .heic)"), "{}", message());
    put(root.path(), "a.png", b"no png");
    assert!(message().contains("no image file"), "{}", message());
    for k in 0..20 {
        put(root.path(), &format!("{k}.png"), b"no png");
    }
    assert!(message().contains("21 of 21 image files looked at can't be used"), "{}", message());
    assert!(Folder::open(&root.path().join("missing"), &ANY).unwrap_err().to_string().starts_with("can't read"));
}

#[test]
fn the_next_run_decodes_nothing() {
    let (root, cache) = (crate::testing::folder(), crate::testing::folder());
    let noise = |seed: u32| {
        let pixel = |x: u32, y: u32| {
            Rgb([0, 8, 16].map(|shift| ((x * 7919 + y * 104_729 + seed).wrapping_mul(2_654_435_769) >> shift) as u8))
        };
        RgbImage::from_fn(256, 256, pixel)
    };
    for k in 0..30 {
        noise(k).save(root.path().join(format!("{k}.png"))).unwrap();
    }
    put(root.path(), "7.png", b"no png");
    let options = ImageOptions { size: Some((8, 8)), ..ANY };
    let open = |options: &ImageOptions| {
        image_files::open_folder(root.path(), options, Some(cache.path().to_path_buf())).unwrap()
    };
    let set = open(&options);
    let first = first_values(&set);
    assert!(!set.is_lazy() && set.notes().iter().any(|note| note.starts_with("decoded before")));
    let again = open(&options);
    assert!(!again.is_lazy(), "all was decoded by the first");
    assert_eq!(first_values(&again), first);
    assert_eq!((again.skipped().len(), again.skipped()), (1, set.skipped()));
    assert!(open(&ImageOptions { fit: Fit::Pad, ..options }).is_lazy());
    assert!(open(&ImageOptions { size: Some((8, 9)), ..options }).is_lazy());
    put(root.path(), "7.png", &png(8, 9));
    assert!(open(&options).is_lazy(), "a file was changed");
}

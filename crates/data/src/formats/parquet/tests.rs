//! Files made by the parquet crate's own writer; the one of `sample.parquet` by pyarrow 26, as Hugging Face's library
//! writes them (see `sample.py`).

use std::sync::Arc;

use image::{GrayImage, Luma, Rgb, RgbImage};
use parquet::basic::{Compression, GzipLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;

use super::*;
use crate::Dataset;

const HUB: &str = "message m {
    optional group image { optional binary bytes; optional binary path (UTF8); }
    optional int64 label;
}";

const NOTE: &str = r#"{"info": {"features": {"image": {"_type": "Image"},
    "label": {"names": ["cat", "dog", "owl"], "_type": "ClassLabel"}}}}"#;

fn png(grey: u8) -> ByteArray {
    let mut bytes = std::io::Cursor::new(Vec::new());
    GrayImage::from_pixel(4, 4, Luma([grey])).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner().into()
}

/// Writes one row group; `column` writes the column of each number.
fn write(
    path: &Path,
    schema: &str,
    note: Option<&str>,
    compression: Compression,
    column: impl Fn(usize, &mut SerializedColumnWriter<'_>),
) {
    let notes = note.map(|note| vec![KeyValue::new("huggingface".to_owned(), note.to_owned())]);
    let properties = WriterProperties::builder().set_compression(compression).set_key_value_metadata(notes).build();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut at = 0;
    while let Some(mut open) = group.next_column().unwrap() {
        column(at, &mut open);
        open.close().unwrap();
        at += 1;
    }
    group.close().unwrap();
    writer.close().unwrap();
}

/// Images of these greys with these labels, in the layout of the hubs.
fn write_hub(path: &Path, note: Option<&str>, compression: Compression, greys: &[u8], labels: &[i64]) {
    write(path, HUB, note, compression, |at, column| match at {
        0 => {
            let images: Vec<_> = greys.iter().map(|&grey| png(grey)).collect();
            let levels = vec![2; greys.len()];
            column.typed::<ByteArrayType>().write_batch(&images, Some(&levels), None).unwrap();
        }
        1 => {
            let levels = vec![1; greys.len()];
            column.typed::<ByteArrayType>().write_batch(&[], Some(&levels), None).unwrap();
        }
        _ => {
            let levels = vec![1; labels.len()];
            column.typed::<Int64Type>().write_batch(labels, Some(&levels), None).unwrap();
        }
    });
}

fn open_as(path: &Path, split: Split) -> Result<Folder> {
    open(path, split, &ImageOptions::default())
}

/// The first value of each image, and its label.
fn seen(set: &Folder) -> Vec<(u8, Option<u32>)> {
    let mut image = vec![0.0; set.shape().len()];
    let mut look = |index| {
        set.read(index, &mut image).unwrap();
        ((image[0] * 255.0).round() as u8, set.label(index))
    };
    (0..set.len()).map(&mut look).collect()
}

#[test]
fn the_layout_of_the_hubs_in_every_packing() {
    let folder = crate::testing::folder();
    let path = folder.path().join("a.parquet");
    let gzip = Compression::GZIP(GzipLevel::default());
    for compression in [Compression::UNCOMPRESSED, Compression::SNAPPY, gzip, Compression::LZ4, Compression::LZ4_RAW] {
        write_hub(&path, Some(NOTE), compression, &[0, 51, 255], &[2, 0, 2]);
        let set = open_as(&path, Split::Train).unwrap();
        assert_eq!(seen(&set), [(0, Some(2)), (51, Some(0)), (255, Some(2))], "{compression:?}");
        assert_eq!(
            (set.classes(), set.shape().to_string()),
            (vec!["cat".into(), "dog".into(), "owl".into()], "4x4x1".into())
        );
    }
    let refused = rows::unpackable(Compression::BROTLI(Default::default())).unwrap_err();
    assert_eq!(refused, "its columns are packed with BROTLI");
    // Without the note, labels are numbers; all unknown, there are none.
    write_hub(&path, None, gzip, &[7, 8], &[1, 0]);
    assert_eq!(open_as(&path, Split::Train).unwrap().classes(), ["0", "1"]);
    write_hub(&path, Some(NOTE), gzip, &[7, 8], &[-1, -1]);
    assert_eq!(seen(&open_as(&path, Split::Train).unwrap()), [(7, None), (8, None)]);
}

#[test]
fn shards_make_one_set() {
    let root = crate::testing::folder();
    let data = root.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let put = |name: &str, greys: &[u8]| {
        write_hub(&data.join(name), Some(NOTE), Compression::SNAPPY, greys, &vec![1; greys.len()]);
    };
    put("train-00001-of-00002.parquet", &[3]);
    put("train-00000-of-00002.parquet", &[1, 2]);
    put("validation-00000-of-00001.parquet", &[4]);
    let greys =
        |split| seen(&open_as(root.path(), split).unwrap()).into_iter().map(|(grey, _)| grey).collect::<Vec<_>>();
    assert_eq!((greys(Split::Train), greys(Split::Test)), (vec![1, 2, 3], vec![4]));
    put("test-00000-of-00001.parquet", &[5]);
    assert_eq!(greys(Split::Test), [5]);
    let (long, short) = (open_as(root.path(), Split::Train).unwrap(), open_as(&data, Split::Test).unwrap());
    assert_ne!(long.fingerprint(), short.fingerprint());
    for name in ["train-00000-of-00002.parquet", "train-00001-of-00002.parquet"] {
        std::fs::remove_file(data.join(name)).unwrap();
    }
    let error = open_as(root.path(), Split::Train).unwrap_err();
    assert!(error.to_string().ends_with("has no parquet files with training images"), "{error}");
}

#[test]
fn plain_columns_and_odd_ones() {
    let folder = crate::testing::folder();
    let path = folder.path().join("a.parquet");
    let write = |schema: &str| {
        write(&path, schema, None, Compression::SNAPPY, |at, column| match at {
            0 => assert!(column.typed::<ByteArrayType>().write_batch(&[png(9), png(10)], None, None).is_ok()),
            _ if schema.contains("int32") => {
                assert!(column.typed::<Int32Type>().write_batch(&[3, 0], None, None).is_ok());
            }
            _ => assert!(column.typed::<ByteArrayType>().write_batch(&[png(1), png(2)], None, None).is_ok()),
        });
        open_as(&path, Split::Train).map(|set| seen(&set))
    };
    let with = vec![(9, Some(1)), (10, Some(0))];
    assert_eq!(write("message m { required binary picture; required int32 label; }").unwrap(), with);
    assert_eq!(write("message m { required binary img; required binary mask; }").unwrap(), [(9, None), (10, None)]);
    assert_eq!(write("message m { required binary a; required int32 b; }").unwrap(), [(9, None), (10, None)]);
    let error = write("message m { required binary a; required binary b; }").unwrap_err().to_string();
    assert!(error.ends_with("several columns may hold the images; its columns are a, b"), "{error}");
    let error = write("message m { required binary a (UTF8); required int32 b; }").unwrap_err().to_string();
    assert!(error.ends_with("no column holds images; its columns are a, b"), "{error}");
}

#[test]
fn rows_without_an_image_are_passed_over() {
    let folder = crate::testing::folder();
    let path = folder.path().join("a.parquet");
    write_hub(&path, None, Compression::SNAPPY, &[1, 2], &[0, 70_000]);
    assert_eq!(open_as(&path, Split::Train).unwrap().classes(), ["0", "70000"]);
    let image = |bytes: Option<&'static [u8]>| {
        write(&path, "message m { optional binary image; }", None, Compression::SNAPPY, |_, column| {
            let images = [Some(png(5)), Some(png(6)), bytes.map(ByteArray::from)];
            let (levels, images): (Vec<i16>, Vec<_>) =
                (images.iter().map(|i| i.is_some().into()).collect(), images.into_iter().flatten().collect());
            column.typed::<ByteArrayType>().write_batch(&images, Some(&levels), None).unwrap();
        });
        open_as(&path, Split::Train)
    };
    for none in [None, Some(&b""[..])] {
        let set = image(none).unwrap();
        assert_eq!(seen(&set), [(5, None), (6, None)]);
        assert_eq!(set.notes(), ["1 of 3 rows has no image and is passed over, row 2 for one"]);
    }
    // An invalid image is skipped, as in a folder.
    let set = image(Some(b"no image")).unwrap();
    assert_eq!(seen(&set), [(5, None), (6, None), (5, None)]);
    assert_eq!(set.skipped()[0].path, path.join("row 2"));
}

#[test]
fn damaged_files_are_errors() {
    let folder = crate::testing::folder();
    let path = folder.path().join("a.parquet");
    write_hub(&path, Some(NOTE), Compression::SNAPPY, &[1, 2, 3], &[0, 1, 2]);
    let whole = std::fs::read(&path).unwrap();
    assert!(matches(&whole));
    for length in (1..whole.len()).step_by(13) {
        std::fs::write(&path, &whole[..length]).unwrap();
        let error = open_as(&path, Split::Train).unwrap_err();
        // Without the first bytes, it is of no known format.
        let expected = if length < 4 { "can't be read as images" } else { "can't be read as a parquet file" };
        assert!(error.to_string().contains(expected), "{length}: {error}");
    }
    write_hub(&path, None, Compression::SNAPPY, &[], &[]);
    assert!(open_as(&path, Split::Train).unwrap_err().to_string().contains("it has no rows"));
}

#[test]
fn a_file_by_pyarrow() {
    let folder = crate::testing::folder();
    let path = folder.path().join("train.parquet");
    std::fs::write(&path, include_bytes!("sample.parquet")).unwrap();
    let set = open_as(&path, Split::Train).unwrap();
    assert_eq!((set.len(), set.shape().to_string(), set.classes().join(" ")), (5, "8x6x3".into(), "red green".into()));
    assert_eq!((0..5).map(|index| set.label(index)).collect::<Vec<_>>(), [0, 1, 0, 1, 0].map(Some));
    let mut image = RgbImage::new(6, 8);
    let mut values = vec![0.0; set.shape().len()];
    for index in 0..5 {
        set.read(index, &mut values).unwrap();
        image.iter_mut().zip(&values).for_each(|(byte, value)| *byte = (value * 255.0).round() as u8);
        let expected = if index % 2 == 0 { Rgb([200 + index as u8, 0, 7]) } else { Rgb([0, 200 + index as u8, 7]) };
        assert_eq!((*image.get_pixel(0, 0), *image.get_pixel(5, 7)), (expected, Rgb([1, 2, 3])));
    }
}

#[test]
fn rows_belong_to_the_part_that_a_column_names() {
    let folder = crate::testing::folder();
    let path = folder.path().join("a.parquet");
    let schema = "message m { required binary image; required int32 label; optional binary split (UTF8); }";
    let put = |words: [&str; 3]| {
        write(&path, schema, None, Compression::SNAPPY, |at, writer| match at {
            0 => {
                let images: Vec<_> = (1..4).map(png).collect();
                writer.typed::<ByteArrayType>().write_batch(&images, None, None).unwrap();
            }
            1 => {
                writer.typed::<Int32Type>().write_batch(&[4, 6, 5], None, None).unwrap();
            }
            _ => {
                let words: Vec<ByteArray> = words.iter().map(|word| (*word).into()).collect();
                writer.typed::<ByteArrayType>().write_batch(&words, Some(&[1; 3]), None).unwrap();
            }
        });
    };
    put(["train", "test", "Train"]);
    let train = open_as(&path, Split::Train).unwrap();
    assert_eq!(
        (train.len(), train.label(1), train.classes()),
        (2, Some(1), ["4", "5", "6"].map(String::from).to_vec())
    );
    let said = "parts by column split: training images (2 images) to learn from; test images (1 image) held back";
    assert!(train.notes().contains(&said.to_owned()), "{:?}", train.notes());
    let test = open_as(&path, Split::Test).unwrap();
    assert_eq!((test.len(), test.label(0)), (1, Some(2)));
    put(["train", "", "train"]);
    let train = open_as(&path, Split::Train).unwrap();
    assert_eq!(train.len(), 2);
    assert!(train.notes().contains(&"1 row of no part is left aside".to_owned()), "{:?}", train.notes());
    assert!(open_as(&path, Split::Test).is_err());
    // Other words are no parts, but beside several.
    put(["left", "train", "right"]);
    assert_eq!(open_as(&path, Split::Train).unwrap().len(), 3);
    put(["test", "train", "right"]);
    let train = open_as(&path, Split::Train).unwrap();
    assert_eq!(train.len(), 1);
    assert!(train.notes().contains(&"1 row of no part is left aside".to_owned()), "{:?}", train.notes());
}

#[test]
fn numbers_tell_parts_where_their_meaning_is_known() {
    let folder = crate::testing::folder();
    let path = folder.path().join("a.parquet");
    let put = |column: &str, note: Option<&str>, numbers: [i32; 4]| {
        let schema = format!("message m {{ required binary image; required {column}; }}");
        write(&path, &schema, note, Compression::SNAPPY, |at, writer| match at {
            0 => {
                let images: Vec<_> = (1..5).map(png).collect();
                writer.typed::<ByteArrayType>().write_batch(&images, None, None).unwrap();
            }
            _ if column.starts_with("boolean") => {
                let flags = numbers.map(|number| number == 1);
                writer.typed::<BoolType>().write_batch(&flags, None, None).unwrap();
            }
            _ => {
                writer.typed::<Int32Type>().write_batch(&numbers, None, None).unwrap();
            }
        });
        let [train, test] = [Split::Train, Split::Test].map(|split| open_as(&path, split));
        (train.unwrap(), test.map_or(0, |test| test.len()))
    };
    let names = r#"{"info": {"features": {"image": {"_type": "Image"},
        "split": {"names": ["test", "train"], "_type": "ClassLabel"}}}}"#;
    for (column, note, numbers, expected, said) in [
        ("boolean is_train", None, [1, 0, 1, 1], (3, 1), "parts by column is_train"),
        ("int32 is_test", None, [0, 0, 1, 1], (2, 2), "parts by column is_test"),
        ("int32 partition", None, [0, 1, 2, 0], (2, 1), "parts by column partition"),
        ("int32 split", Some(names), [1, 1, 1, 0], (3, 1), "parts by column split"),
        ("int32 split", None, [1, 1, 1, 0], (4, 0), "df[\"split\"].map({0: \"train\", 1: \"test\"})"),
        ("int32 is_test", None, [0, 3, 1, 1], (4, 0), ""),
        ("int32 test", None, [0, 0, 1, 1], (4, 0), ""),
    ] {
        let (train, test) = put(column, note, numbers);
        assert_eq!(((train.len(), test), train.classes()), (expected, Vec::<String>::new()), "{column} {numbers:?}");
        assert!(train.notes().iter().any(|note| note.contains(said)) || said.is_empty(), "{:?}", train.notes());
    }
}

#[test]
fn numbers_of_the_images_are_no_labels() {
    let folder = crate::testing::folder();
    let path = folder.path().join("a.parquet");
    let count = 10;
    let put = |label: fn(i64) -> i64, note| {
        let labels: Vec<i64> = (0..count).map(label).collect();
        write_hub(&path, note, Compression::SNAPPY, &(0..count as u8).collect::<Vec<_>>(), &labels);
        let set = open_as(&path, Split::Train).unwrap();
        (set.classes().len(), set.info().unused_labels.join(" "))
    };
    let (classes, unused) = put(|at| at * 7, None);
    assert_eq!(classes, 0);
    assert!(unused.starts_with("column label: no two images have the same one, so that they are"), "{unused}");
    assert_eq!(put(|at| at / 2, None), (5, String::new()));
    let names: Vec<String> = (0..10).map(|at| format!("\"n{at}\"")).collect();
    let note = NOTE.replace("\"cat\", \"dog\", \"owl\"", &names.join(", "));
    assert_eq!(put(|at| at, Some(&note)), (10, String::new()), "classes with names");
}

/// Greys from 1 with labels of a schema such as `optional binary label (UTF8);`, written by `column`.
fn labelled(
    path: &Path,
    column_type: &str,
    note: Option<&str>,
    column: impl Fn(&mut SerializedColumnWriter<'_>),
) -> (Vec<Option<u32>>, Vec<String>, Vec<String>) {
    let schema = format!("message m {{ required binary image; {column_type} }}");
    write(path, &schema, note, Compression::SNAPPY, |at, writer| match at {
        0 => {
            let images: Vec<_> = (1..4).map(png).collect();
            writer.typed::<ByteArrayType>().write_batch(&images, None, None).unwrap();
        }
        _ => column(writer),
    });
    let set = open_as(path, Split::Train).unwrap();
    ((0..set.len()).map(|index| set.label(index)).collect(), set.classes(), set.notes())
}

#[test]
fn labels_of_every_kind() {
    let folder = crate::testing::folder();
    let path = folder.path().join("a.parquet");
    let text = |words: [&'static str; 3]| {
        move |writer: &mut SerializedColumnWriter<'_>| {
            let words = words.map(ByteArray::from);
            writer.typed::<ByteArrayType>().write_batch(&words, None, None).unwrap();
        }
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let as_text = "required binary label (UTF8);";
    assert_eq!(
        labelled(&path, as_text, None, text(["dog", "cat", "dog"])),
        (
            vec![Some(1), Some(0), Some(1)],
            names(&["cat", "dog"]),
            names(&["labels: column label, 2 classes (cat, dog)"])
        )
    );
    assert_eq!(
        labelled(&path, as_text, None, text(["10", "9", ""])),
        (
            vec![Some(1), Some(0), None],
            names(&["9", "10"]),
            names(&["1 of 3 images has no label", "labels: column label, 2 classes (9, 10)"])
        )
    );
    let ints = |values: [i64; 3]| {
        move |writer: &mut SerializedColumnWriter<'_>| {
            writer.typed::<Int64Type>().write_batch(&values, None, None).unwrap();
        }
    };
    assert_eq!(
        labelled(&path, "required int64 label;", Some(NOTE), ints([2, -1, 0])),
        (
            vec![Some(2), None, Some(0)],
            names(&["cat", "dog", "owl"]),
            names(&["1 of 3 images has no label", "labels: column label, 3 classes (cat, dog, owl)"])
        )
    );
    let other = labelled(&path, "required int64 other;", None, ints([1, 2, 3]));
    assert_eq!(other, (vec![None; 3], vec![], names(&["columns not read: other"])));
    let floats = |values: [f64; 3]| {
        move |writer: &mut SerializedColumnWriter<'_>| {
            writer.typed::<parquet::data_type::DoubleType>().write_batch(&values, None, None).unwrap();
        }
    };
    assert_eq!(labelled(&path, "required double target;", None, floats([4.0, 2.0, 4.0])).1, names(&["2", "4"]));
    let unread = labelled(&path, "required double target;", None, floats([0.5, 2.0, 4.0]));
    assert_eq!(unread, (vec![None; 3], vec![], names(&["the column target is not read as labels: one is 0.5"])));
}

#[test]
fn parts_by_folders_and_configurations() {
    let root = crate::testing::folder();
    let put = |name: &str, greys: &[u8], labels: &[i64]| {
        let path = root.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_hub(&path, None, Compression::SNAPPY, greys, labels);
    };
    put("default/train/0000.parquet", &[1, 2], &[3, 5]);
    put("default/train/0001.parquet", &[3], &[5]);
    put("default/test/0000.parquet", &[4], &[4]);
    put("default/partial-unlabelled/0000.parquet", &[9], &[-1]);
    let folder = root.path();
    let train = open_as(folder, Split::Train).unwrap();
    assert_eq!(seen(&train), [(1, Some(0)), (2, Some(2)), (3, Some(2))]);
    assert_eq!(train.classes(), ["3", "4", "5"], "the test part has a class more");
    let parts = "parts: default/train/ (3 images) to learn from; default/test/ (1 image) held back; \
                 default/partial-unlabelled/ (1 image), unlabelled, not used (to learn from them, give their folder)";
    assert_eq!(train.notes(), [parts, "labels: column label, 3 classes (3, 4, 5)"]);
    let test = open_as(&folder.join("default"), Split::Test).unwrap();
    assert_eq!((seen(&test), test.classes().len()), (vec![(4, Some(1))], 3));
    // A list of addresses beside is no part of the set.
    let list = |_: usize, column: &mut SerializedColumnWriter<'_>| {
        column.typed::<ByteArrayType>().write_batch(&[ByteArray::from("http://x")], None, None).unwrap();
    };
    write(&folder.join("00000.parquet"), "message m { required binary url (UTF8); }", None, Compression::SNAPPY, list);
    assert_eq!(open_as(folder, Split::Train).unwrap().len(), 3);
    assert!(holds_images(&folder.join("default/train/0000.parquet")) && !holds_images(&folder.join("00000.parquet")));
    put("large/train/0000.parquet", &[7], &[1]);
    let error = open_as(folder, Split::Train).unwrap_err();
    assert!(error.to_string().ends_with("holds 2 sets of parquet files: default, large"), "{error}");
    assert!(error.hint().ends_with("default"), "{}", error.hint());
    assert_eq!(open_as(&folder.join("large"), Split::Train).unwrap().len(), 1);
    // A stray table beside images does not hide them.
    image::GrayImage::new(4, 4).save(folder.join("a.png")).unwrap();
    std::fs::remove_dir_all(folder.join("default")).unwrap();
    std::fs::remove_dir_all(folder.join("large")).unwrap();
    let set = crate::open(folder.to_str().unwrap(), &crate::OpenOptions::default(), &mut |_| ()).unwrap();
    assert_eq!(set.len(), 1);
}

#[cfg(feature = "compression")]
#[test]
fn zstandard_as_pyarrow_writes_it() {
    // Made by pyarrow with compression="zstd" and both versions of data pages (see `sample.py`).
    for sample in [&include_bytes!("zstd-1.parquet")[..], include_bytes!("zstd-2.parquet")] {
        let folder = crate::testing::folder();
        let path = folder.path().join("a.parquet");
        std::fs::write(&path, sample).unwrap();
        let set = open_as(&path, Split::Train).unwrap();
        assert_eq!((set.len(), set.classes(), set.label(3)), (5, vec!["red".into(), "green".into()], Some(1)));
        for at in (4..sample.len() - 4).step_by(97) {
            let mut wrong = sample.to_vec();
            wrong[at] ^= 16;
            std::fs::write(&path, wrong).unwrap();
            // It may be read or refused.
            let _ = open_as(&path, Split::Train);
        }
    }
}

#[test]
fn images_as_text_are_told_what_they_are() {
    let folder = crate::testing::folder();
    let path = folder.path().join("a.parquet");
    let schema = "message m { required binary image (UTF8); required int64 label; }";
    for (value, said) in [
        ("iVBORw0KGgoAAAANSUhEUg", "its column image holds images as text (base64)"),
        ("/9j/4AAQSkZJRg", "its column image holds images as text (base64)"),
        ("train/cat/1.png", "its column image holds the names of images (train/cat/1.png), not the images"),
        ("https://x.org/1.jpg", "its column image holds the names of images (https://x.org/1.jpg)"),
        ("a caption", "no column holds images; its columns are image, label"),
    ] {
        write(&path, schema, None, Compression::SNAPPY, |at, column| match at {
            0 => {
                let values = [ByteArray::from(value), ByteArray::from(value)];
                column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
            }
            _ => {
                column.typed::<Int64Type>().write_batch(&[0, 1], None, None).unwrap();
            }
        });
        let error = open_as(&path, Split::Train).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

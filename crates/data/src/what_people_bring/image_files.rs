//! Image files of all kinds, and what lies beside them.

use super::*;

/// HEIC's first bytes.
const HEIC: &[u8] = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic";

pub(super) fn rows() -> Vec<Row> {
    let disc = RgbaImage::from_fn(8, 8, |x, y| Rgba([255, 255, 255, if (x + y) % 3 == 0 { 255 } else { 0 }]));
    let discs = (0..4).map(|at| (format!("{at}.png"), encoded(disc.clone(), ImageFormat::Png)));
    let grey = encoded(GrayImage::from_pixel(8, 8, Luma([9])), ImageFormat::Png);
    let alone = |name: &str| one(name, sample(name));
    let tifs: Vec<File> = (0..4).map(|at| (format!("{at}.tif"), sample("lzw.tif"))).collect();
    let apple = |name: &str| text(name, "\0\u{5}\u{16}\u{7}");
    let scan = |marker: &[u8]| {
        let file = sample("baseline.jpg");
        // After the first segment.
        let end = 4 + usize::from(u16::from_be_bytes([file[4], file[5]]));
        [&file[..end], marker, &file[end..]].concat()
    };
    vec![
        Row("white on transparent ground", discs.collect(), "", Read(4, 0, "", &["blank over white"])),
        Row("a grey image first", with(one("0.png", grey), pictures("1{5}.png")), "", Read(6, 0, "", &["grey"])),
        Row(
            "photographs of a phone",
            with(one("a.jpg", HEIC.to_vec()), pictures("{3}.png")),
            "",
            Read(4, 0, "", &["it is a HEIC image"]),
        ),
        Row("a scan for each component", alone("420-scans.jpg"), "", Read(1, 0, "", &[])),
        Row("interleaved", alone("420.jpg"), "", Read(1, 0, "", &[])),
        Row("stray bytes between segments", one("a.jpg", scan(b"\0\0\0")), "", Read(1, 0, "", &[])),
        Row("CMYK", with(alone("ycck.jpg"), alone("cmyk.jpg")), "", Read(2, 0, "", &[])),
        Row("one image", one("a.png", png(0)), "a.png", Refused("it is one image", "the folder of the images")),
        Row("TIFF files", tifs.clone(), "", Read(4, 0, "", &[])),
        Row("some TIFF files", with(tifs, pictures("1{4}.png")), "", Read(8, 0, "", &[])),
        Row(
            "macOS's files",
            with(pictures("{3}.png"), [apple("._0.png"), apple(".DS_Store"), apple("__MACOSX/._0.png")]),
            "",
            Read(3, 0, "", &[]),
        ),
        Row(
            "thumbnails and deleted files of a file server",
            pictures(
                "cat/{3}.png cat/@eaDir/0.png/{1}.jpg dog/{2}.png dog/@eaDir/0.png/{2}.jpg @Recycle/{2}.png #recycle/dog/{2}.png \
                 $RECYCLE.BIN/{2}.png lost+found/{1}.png",
            ),
            "",
            Read(5, 0, "cat dog", &[]),
        ),
        Row(
            "a zip by macOS",
            vec![zipped("a.zip", &with(pictures("{3}.png"), [apple("__MACOSX/._0.png"), apple(".DS_Store")]))],
            "a.zip",
            Read(3, 0, "", &[]),
        ),
        Row(
            "a zip by Windows",
            vec![zipped("a.zip", &pictures("c0\\{2}.png c1\\{2}.PNG c1\\Thumbs.db"))],
            "a.zip",
            Read(4, 0, "c0 c1", &["1 .db"]),
        ),
        Row(
            "a training in the folder of the images",
            with(
                pictures("cat/{3}.png dog/{3}.png runs/0001-x/samples/{2}.png venv/lib/{2}.png"),
                [
                    text("runs/0001-x/config.toml", ""),
                    text("runs/0001-x/events.jsonl", ""),
                    text("venv/pyvenv.cfg", ""),
                ],
            ),
            "",
            Read(6, 0, "cat dog", &["2 folders of programs' own files are passed over"]),
        ),
        Row(
            "an example beside the set",
            with(vec![npz("data.npz", &[("x_train", images(&[9, 8, 8]))])], pictures("example.png")),
            "",
            Refused("which may be the set that is meant", "data.npz"),
        ),
        Row("capital endings", pictures("A.PNG B.Png c.png"), "", Read(3, 0, "", &[])),
        Row(
            "checkpoints of notebooks",
            pictures("a/{2}.png b/{2}.png .ipynb_checkpoints/0-checkpoint.png a/.ipynb_checkpoints/1.png"),
            "",
            Read(4, 0, "a b", &[]),
        ),
        Row(
            "empty files",
            with(pictures("a/{9}.png b/{9}.png"), [text("a/9.png", "")]),
            "",
            Read(19, 0, "a b", &["it is empty"]),
        ),
        Row(
            "sides of 5 and 7",
            (0..3)
                .map(|at| {
                    (
                        format!("{at}.png"),
                        encoded(RgbImage::from_pixel(7, 5, Rgb([at as u8 * 9, 2, 3])), ImageFormat::Png),
                    )
                })
                .collect(),
            "",
            Read(3, 0, "", &[]),
        ),
        Row(
            "several sizes",
            (0..3)
                .map(|at| {
                    (format!("{at}.png"), encoded(RgbImage::from_pixel(8 + at, 9, Rgb([9, 2, 3])), ImageFormat::Png))
                })
                .collect(),
            "",
            Refused("the 3 images looked at have several sizes, from 9x8 to 9x10", "give all images one size"),
        ),
        Row(
            "images without an ending",
            pictures("a b c"),
            "",
            Read(3, 0, "", &["images are told by their content, as no file has the ending of one: 3 (a, for one)"]),
        ),
        Row(
            "images of a server, and other files",
            with(
                pictures("i{3}.jpg?w=200"),
                [text("README", "text"), text("BM", "BMI of all"), ("x.bin".to_owned(), vec![1; 40])],
            ),
            "",
            Read(3, 0, "", &["3 (i0.jpg?w=200, for one)", "3 files of other types skipped"]),
        ),
        Row(
            "a picture without an ending beside a set",
            with(pictures("logo"), [("set.npy".to_owned(), images(&[5, 8, 8]))]),
            "",
            Read(5, 0, "", &[]),
        ),
        Row(
            "images that are still in iCloud",
            with(pictures("a{3}.png"), [text(".b.png.icloud", "x"), text(".c.png.icloud", "x")]),
            "",
            Read(3, 0, "", &["2 files are still in iCloud and passed over (.b.png.icloud, for one)"]),
        ),
        Row(
            "only images in iCloud",
            vec![text(".b.png.icloud", "x"), text(".c.png.icloud", "x")],
            "",
            Refused("2 files that are still in iCloud", "download"),
        ),
        Row(
            "archives of numbered classes",
            vec![
                zipped("Class 1-samples.zip", &pictures("0.png 1.png")),
                zipped("Class 2-samples.zip", &pictures("0.png 1.png 2.png")),
            ],
            "",
            Read(5, 0, "Class 1-samples Class 2-samples", &[]),
        ),
        Row("nothing", Vec::new(), "", Refused("holds no images", "expected PNG")),
    ]
}

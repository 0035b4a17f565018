//! Images out of a trained run, in every form.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::Bench;

#[test]
fn grids_folders_arrays_and_walks() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "5"]);

    let said = bench.ok(&["sample", "mine", "--grid", "3x5", "-o", "grid.png"]);
    assert_eq!(said, "grid.png: 15 images of 28x28x1 from step 5\n");
    let grid = image::open(bench.path("grid.png")).unwrap();
    assert!(grid.width() > grid.height() && grid.width() >= 5 * 28, "{}x{}", grid.width(), grid.height());

    bench.ok(&["sample", "mine", "-n", "7", "-o", "numbers.npy"]);
    let bytes = fs::read(bench.path("numbers.npy")).unwrap();
    let header = String::from_utf8_lossy(&bytes[..128]).into_owned();
    assert!(header.contains("'|u1'") && header.contains("(7, 28, 28)"), "{header}");
    let pixels = &bytes[bytes.len() - 7 * 784..];
    assert_eq!((bytes.len() - pixels.len()) % 64, 0);

    bench.ok(&["sample", "mine", "-n", "7", "-o", "files"]);
    let mut files: Vec<_> = fs::read_dir(bench.path("files")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 7);
    for (file, expected) in files.iter().zip(pixels.chunks_exact(784)) {
        assert_eq!(image::open(file).unwrap().to_luma8().as_raw(), expected, "{file:?}");
    }

    bench.ok(&["sample", "mine", "--interpolate", "-n", "12", "-o", "walk.gif"]);
    use image::AnimationDecoder;
    let gif = fs::File::open(bench.path("walk.gif")).unwrap();
    let frames = image::codecs::gif::GifDecoder::new(std::io::BufReader::new(gif)).unwrap().into_frames();
    assert_eq!(frames.collect_frames().unwrap().len(), 12);
}

#[test]
fn images_of_others_are_not_written_over() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "1"]);
    bench.ok(&["sample", "mine", "-n", "6", "-o", "files"]);
    let said = bench.run(&["sample", "mine", "-n", "4", "--seed", "1", "-o", "files"]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("files: 2 images of an earlier command lie beside them"));

    // A photo of somebody's, under the name that a sample would have.
    let photo = bench.path("files").join("000003.png");
    image::GrayImage::new(28, 28).save(&photo).unwrap();
    let before = fs::read(&photo).unwrap();
    let error = bench.fails(&["sample", "mine", "-n", "4", "-o", "files"], 2);
    assert!(
        error.contains("000003.png was not written by `sample`") && error.contains("name another folder"),
        "{error}"
    );
    assert_eq!(fs::read(&photo).unwrap(), before);
    let error = bench.fails(&["judge", "files", "--against", "files", "--neighbours", "labels.csv"], 2);
    assert!(error.contains(".html"), "{error}");
}

#[test]
fn seeds_choose_the_images_and_parts_join() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "2"]);
    let sample = |n: &str, seed: &str, out: &str| {
        bench.ok(&["sample", "mine", "-n", n, "--seed", seed, "-o", out]);
        let bytes = fs::read(bench.path(out)).unwrap();
        bytes[128..].to_vec()
    };
    let few = sample("3", "0", "a.npy");
    assert_eq!(few, sample("3", "0", "b.npy"));
    assert_ne!(few, sample("3", "1", "c.npy"));
    // More than one part: the first images are the same, whatever the number.
    let many = sample("1100", "0", "d.npy");
    assert_eq!(few, many[..few.len()]);
    assert_eq!(many.len(), 1100 * 784);
}

#[test]
fn previews_summaries_and_presets() {
    let bench = Bench::new();
    let said = bench.ok(&["data", "preview", "strokes", "-o", "strokes.png"]);
    assert!(said.contains("60,000 images of 28x28x1") && said.contains("rows: 0, 1, 2"), "{said}");
    assert!(image::open(bench.path("strokes.png")).unwrap().height() >= 280);
    let table = bench.ok(&["summary", "tp"]);
    for number in ["1,770,625", "1,769,601", "660,929"] {
        assert!(table.contains(number), "no {number} in {table}");
    }
    let table = bench.ok(&["summary", "fidle"]);
    assert!(table.contains("779,969") && table.contains("396,609"), "{table}");
    let list = bench.ok(&["presets"]);
    // `auto` has a recipe for a data set only.
    let names = list.lines().map(|line| line.split_whitespace().next().unwrap());
    for name in names.filter(|name| *name != "auto") {
        fs::write(bench.path("copy.toml"), bench.ok(&["presets", name])).unwrap();
        assert_eq!(bench.ok(&["summary", name]), bench.ok(&["summary", "copy.toml"]));
    }
    let known = bench.ok(&["data", "list"]);
    assert!(known.contains("fashion-mnist") && known.contains("quickdraw:"), "{known}");
}

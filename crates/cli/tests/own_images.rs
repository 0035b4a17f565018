//! Images of one's own: of any size, rectangular, transparent, mirrored; the preset `auto`.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::Bench;
use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};

/// A generator of one's own, in the place of the default one's layers.
const LAYERS: &str = "generator.layers=[\"dense 784\", \"reshape 28 28 1\", \"sigmoid\"]";

/// Image number `nth`, height x width, with 1, 3 or 4 channels: a disc on a ground, which is transparent where there is alpha.
fn drawn(nth: u32, (height, width): (u32, u32), channels: usize) -> DynamicImage {
    let (x0, y0) = ((width / 4 + nth * 3 % (width / 2)) as i64, (height / 3 + nth % 3) as i64);
    let inside = move |x: u32, y: u32| (i64::from(x) - x0).pow(2) + (i64::from(y) - y0).pow(2) < 16;
    let ink = 120 + (nth * 7 % 100) as u8;
    match channels {
        1 => GrayImage::from_fn(width, height, |x, y| Luma([if inside(x, y) { ink } else { 9 }])).into(),
        3 => RgbImage::from_fn(width, height, |x, y| Rgb(if inside(x, y) { [ink, 40, 200] } else { [9, 90, x as u8] }))
            .into(),
        _ => RgbaImage::from_fn(width, height, |x, y| {
            Rgba(if inside(x, y) { [ink, 40, 200, 255] } else { [7, 7, 7, 0] })
        })
        .into(),
    }
}

/// A folder of `count` such images.
fn folder(bench: &Bench, name: &str, count: u32, sides: (u32, u32), channels: usize) {
    fs::create_dir_all(bench.path(name)).unwrap();
    for nth in 0..count {
        drawn(nth, sides, channels).save(bench.path(name).join(format!("{nth}.png"))).unwrap();
    }
}

fn config(bench: &Bench, run: &str) -> String {
    fs::read_to_string(bench.path(run).join("config.toml")).unwrap()
}

fn stderr(bench: &Bench, arguments: &[&str]) -> String {
    let output = bench.run(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {said}");
    said
}

fn colour_of(path: &Path) -> image::ColorType {
    image::open(path).unwrap().color()
}

#[test]
fn images_that_are_not_named_as_the_data_set_are_not_passed_over() {
    let bench = Bench::new();
    folder(&bench, "photos", 12, (16, 16), 3);
    let error = bench.fails(&["train", "--data", "photos", "--steps", "1"], 2);
    assert!(error.contains("no data set is named") && error.contains("faussaire train photos"), "{error}");
    folder(&bench, "classes/cat", 12, (16, 16), 3);
    bench.fails(&["train", "--data", "classes", "--steps", "1"], 2);

    bench.ok(&["train", "photos", "--preset", "auto", "--steps", "1", "--run", "mine"]);
    let error = bench.fails(&["train", "mine", "--steps", "1"], 1);
    assert!(error.contains("is the run of a training") && error.contains("train --resume"), "{error}");
}

#[test]
fn nets_are_made_for_any_images_and_everything_works_on_them() {
    let bench = Bench::new();
    for (name, sides, channels, shape) in
        [("grey", (12, 20), 1, "12x20x1"), ("odd", (11, 17), 3, "11x17x3"), ("clear", (16, 16), 4, "16x16x4")]
    {
        folder(&bench, name, 16, sides, channels);
        let said = stderr(
            &bench,
            &["train", name, "--preset", "auto", "--steps", "3", "--run", "run", "--set", "train.sheet_every=0"],
        );
        for line in [
            format!("nets for 16 images of {shape}\n"),
            "generator: starts from ".into(),
            "batch: 4 images, a quarter of the images\n".into(),
            "few images: ".into(),
            "length: 3 steps of about ".into(),
        ] {
            assert!(said.contains(&line), "no {line:?} in {said}");
        }
        assert_eq!(said.contains("16 of 16 files examined have transparent pixels"), channels == 4, "{said}");
        assert!(said.contains("(--set data.channels=VALUE)") || channels < 4, "{said}");
        let recipe = config(&bench, "run");
        assert!(recipe.contains("    \"sigmoid\",\n") && !recipe.contains("auto\"\nlatent"), "{recipe}");
        assert_eq!(recipe.contains("\"crop 11 17\""), name == "odd", "{recipe}");
        let doctor = bench.ok(&["doctor", "run"]);
        assert!(doctor.contains("too short for the doctor") && doctor.lines().count() == 1, "{doctor}");

        bench.ok(&["sample", "run", "-n", "4", "-o", "files"]);
        assert_eq!(usize::from(colour_of(&bench.path("files/000001.png")).channel_count()), channels);
        bench.ok(&["sample", "run", "--grid", "2x2", "-o", "grid.png"]);
        assert!(
            !colour_of(&bench.path("grid.png")).has_alpha()
                && !colour_of(&bench.path("run/samples/000003.png")).has_alpha()
        );
        bench.ok(&["sample", "run", "-n", "3", "-o", "walk.gif"]);
        bench.ok(&["sample", "run", "-n", "4", "-o", "images.zip"]);
        bench.ok(&["sample", "run", "-n", "4", "-o", "images.npy"]);
        // What was written is read again, as images of the same shape.
        for images in ["images.npy", "images.zip", "files"] {
            let size = if channels == 4 { "data.channels=4" } else { "data.channels=0" };
            let plan =
                bench.ok(&["train", images, "--config", "run/config.toml", "--set", size, "--batch", "2", "--dry-run"]);
            assert!(plan.contains(&format!("4 images of {shape}")), "{plan}");
        }
        for (to, from) in [("g.onnx", "rten"), ("page.html", "read back"), ("nets.safetensors", "read back")] {
            let said = bench.ok(&["export", "run", "-o", to]);
            assert!(said.contains("verified: ") && said.contains(from), "{said}");
        }
        for left in ["run", "files"] {
            fs::remove_dir_all(bench.path(left)).unwrap();
        }
    }
}

#[test]
fn without_a_preset_nets_are_made_where_the_default_ones_do_not_fit() {
    let bench = Bench::new();
    folder(&bench, "photos", 9, (10, 8), 3);
    let train = |more: &[&str]| stderr(&bench, &[&["train", "photos", "--dry-run"], more].concat());
    let said = train(&[]);
    assert!(
        said.starts_with("the default nets make 28x28x1, these images are 10x8x3: --preset auto is used\n"),
        "{said}"
    );
    // They fit after resizing.
    assert!(!train(&["--size", "28", "--set", "data.channels=1", "--batch", "2"]).contains("auto"));
    assert_eq!(train(&["--quiet"]), "");
    for chosen in [&["--preset", "quick"][..], &["--config", "tiny.toml"], &["--set", LAYERS]] {
        let error = bench.fails(&[&["train", "photos", "--batch", "2", "--dry-run"], chosen].concat(), 2);
        assert!(error.contains("but those of") && error.contains("(--preset auto)"), "{error}");
    }
    assert!(bench.ok(&["train", "photos", "--steps", "1", "--quiet"]).contains("runs/0001-photos-auto"));
}

#[test]
fn the_preset_is_listed_and_explained() {
    let bench = Bench::new();
    assert!(bench.ok(&["presets"]).starts_with("auto "));
    let about = bench.ok(&["presets", "auto"]);
    assert!(
        about.lines().all(|line| line.starts_with('#')) && about.contains("train DATA --preset auto --dry-run"),
        "{about}"
    );
    assert!(bench.fails(&["summary", "auto"], 2).contains("is made for a data set"));
    folder(&bench, "five", 5, (10, 10), 1);
    assert!(bench.fails(&["train", "five", "--preset", "auto"], 2).contains("at least 8 images"));
    assert!(bench.fails(&["train", "ring", "--preset", "auto"], 2).contains("points of the plane"));
    assert!(bench.fails(&["train", "strokes", "--size", "300", "--preset", "auto"], 2).contains("not of 300x300x1"));
    // Keys win over the rule.
    let plan = bench.ok(&[
        "train",
        "strokes",
        "--preset",
        "auto",
        "--batch",
        "8",
        "--set",
        "latent=5",
        "--size",
        "9x30",
        "--dry-run",
    ]);
    for line in ["latent = 5\n", "batch = 8\n", "size = \"9x30\"\n", "60,000 images of 9x30x1"] {
        assert!(plan.contains(line), "no {line} in {plan}");
    }
}

#[test]
fn images_of_several_sizes_or_too_large_ones_are_resized_and_it_is_said() {
    let bench = Bench::new();
    folder(&bench, "mixed", 9, (30, 40), 3);
    drawn(0, (31, 40), 3).save(bench.path("mixed/other.png")).unwrap();
    folder(&bench, "large", 8, (20, 300), 1);
    // None of 21 has the size of another one.
    folder(&bench, "varied", 1, (30, 40), 3);
    (0..20).for_each(|at| drawn(0, (31 + at, 40), 3).save(bench.path(&format!("varied/z{at}.png"))).unwrap());
    for (set, why, shape) in [
        ("varied", "images of several sizes, such as 40x40 pixels: resized to 64x64; another size", "64x64x3"),
        ("mixed", "images of several sizes, such as 30x40 pixels: resized to 32x40 (height x width)", "32x40x3"),
        ("large", "images of 20x300 pixels: resized to 32x128 (height x width)", "32x128x1"),
    ] {
        let said = stderr(&bench, &["train", set, "--preset", "auto", "--dry-run"]);
        assert!(said.contains(why) && said.contains(&format!(" images of {shape}\n")), "{said}");
    }
    let said = stderr(&bench, &["train", "mixed", "--preset", "auto", "--size", "24x32", "--dry-run"]);
    assert!(!said.contains("resized") && said.contains("10 images of 24x32x3"), "{said}");
}

#[test]
fn a_size_is_a_square_or_height_times_width() {
    let bench = Bench::new();
    folder(&bench, "photos", 9, (30, 40), 3);
    bench.ok(&["train", "photos", "--size", "12x20", "--steps", "1", "--run", "mine", "--quiet"]);
    assert!(config(&bench, "mine").contains("size = \"12x20\"\n"));
    bench.ok(&["train", "--resume", "mine", "--steps", "2", "--quiet"]);
    bench.ok(&["sample", "mine", "-n", "1", "-o", "one"]);
    let one = image::open(bench.path("one/000000.png")).unwrap();
    assert_eq!((one.height(), one.width()), (12, 20));
    let error = bench.fails(&["train", "--resume", "mine", "--steps", "3", "--size", "20x12"], 2);
    assert!(error.contains("data.size: \"12x20\" -> \"20x12\""), "{error}");
    bench.ok(&["data", "preview", "photos", "--size", "12x20", "-o", "preview.png"]);
    assert!(bench.ok(&["data", "check", "photos", "--size", "12x20"]).contains("no bad files"));
    for wrong in ["12x", "12,20", "0x20", "99999"] {
        let error = bench.fails(&["train", "photos", "--size", wrong], 2);
        assert!(error.contains("expected N or HEIGHTxWIDTH such as 48x64, height first"), "{wrong}: {error}");
    }
}

#[test]
fn a_check_tells_images_that_are_there_again() {
    let bench = Bench::new();
    folder(&bench, "photos/train", 6, (10, 12), 3);
    folder(&bench, "photos/test", 2, (10, 12), 3);
    let check = || bench.ok(&["data", "check", "photos"]);
    let files = |part: &str| {
        let mut files: Vec<_> =
            std::fs::read_dir(bench.path(part)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    };
    let (train, test) = (files("photos/train"), files("photos/test"));
    // The first images of both parts are drawn alike.
    let said = check();
    assert!(
        said.contains("2 images held back and learned from as well (") && !said.contains("more than once"),
        "{said}"
    );
    std::fs::copy(&train[0], train[0].with_file_name("again.png")).unwrap();
    for file in &test {
        image::RgbImage::from_fn(12, 10, |x, y| image::Rgb([x as u8, y as u8, 200])).save(file).unwrap();
    }
    let said = check();
    assert!(said.contains("1 image there more than once (") && !said.contains("held back and"), "{said}");
}

#[test]
fn mirrored_and_augmented_runs_resume_to_the_same_bits_on_any_number_of_threads() {
    let bench = Bench::new();
    folder(&bench, "photos", 10, (9, 13), 3);
    let train = |run: &str, more: &[&str]| {
        let fixed = ["train", "photos", "--preset", "auto", "--run", run, "--quiet", "--set", "train.sheet_every=3"];
        bench.ok(&[&fixed[..], more].concat())
    };
    train("whole", &["--mirror", "--steps", "9", "--threads", "1"]);
    train("parts", &["--mirror", "--steps", "4", "--threads", "3"]);
    bench.ok(&["train", "--resume", "parts", "--steps", "9", "--threads", "2", "--quiet"]);
    assert_eq!(bench.weights("whole"), bench.weights("parts"));
    assert!(config(&bench, "whole").contains("mirror = true\n"));
    train("plain", &["--steps", "9"]);
    assert_ne!(bench.weights("whole"), bench.weights("plain"));
    let error = bench.fails(&["train", "--resume", "plain", "--steps", "10", "--mirror"], 2);
    assert!(error.contains("data.mirror: false -> true"), "{error}");
    let error = bench.fails(&["train", "--preset", "ring", "--mirror", "--steps", "1"], 2);
    assert!(error.contains("`data.mirror`") && error.contains("no left and right"), "{error}");
}

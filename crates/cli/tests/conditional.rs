//! Conditional GANs through the binary: training, sampling a class, resuming, and errors.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Bench, events};

#[test]
fn a_class_can_be_asked_for() {
    let bench = Bench::new();
    let said = bench.train("mine", &["--conditional", "--steps", "4"]);
    assert!(said.contains("complete after 4 steps"), "{said}");
    let recipe = std::fs::read_to_string(bench.path("mine/config.toml")).unwrap();
    assert!(recipe.contains("\"embedding 32\"") && recipe.contains("\"embedding 1\""), "{recipe}");
    // A row per class and ten columns.
    let sheet = image::open(bench.path("mine/samples/000004.png")).unwrap();
    assert_eq!(sheet.width(), sheet.height());
    bench.ok(&["sample", "mine", "--class", "7", "--grid", "2x3", "-o", "sevens.png"]);
    bench.ok(&["sample", "mine", "--class", "3", "--grid", "2x3", "-o", "threes.png"]);
    let read = |name: &str| std::fs::read(bench.path(name)).unwrap();
    assert_ne!(read("sevens.png"), read("threes.png"));
    let error = bench.fails(&["sample", "mine", "--class", "eleven", "-o", "x.png"], 2);
    assert!(error.contains("there is no label eleven") && error.contains("0, 1, 2"), "{error}");

    // A row per class with a column per latent: the row of 7 is what 7 alone gives for the same latents.
    let side = |columns: u32, rows: u32| (2 + 58 * columns, 2 + 58 * rows);
    bench.ok(&["sample", "mine", "--rows", "classes", "-n", "30", "-o", "all.png"]);
    bench.ok(&["sample", "mine", "--class", "all", "-n", "30", "-o", "again.png"]);
    assert_eq!(read("all.png"), read("again.png"));
    bench.ok(&["sample", "mine", "--class", "7", "--grid", "1x3", "-o", "row.png"]);
    let picture = |name: &str| image::open(bench.path(name)).unwrap();
    let (all, row) = (picture("all.png"), picture("row.png"));
    assert_eq!((all.width(), all.height()), side(3, 10));
    assert_eq!(all.crop_imm(0, 58 * 7, row.width(), row.height()).as_bytes(), row.as_bytes());
    assert_ne!(all.crop_imm(0, 58 * 6, row.width(), row.height()).as_bytes(), row.as_bytes());
    bench.ok(&["sample", "mine", "--class", "7,1", "-o", "two.png"]);
    assert_eq!((picture("two.png").width(), picture("two.png").height()), side(10, 2));
    bench.ok(&["sample", "mine", "--class", "7,1", "-n", "5", "-o", "two.npy"]);
    let labels = std::fs::read(bench.path("two.labels.npy")).unwrap();
    assert!(labels.len() > 64);
    for (wrong, part) in [
        (&["--rows", "classes", "--grid", "3x4", "-o", "x.png"][..], "expected a row for each of 10 classes"),
        (&["--rows", "classes", "-o", "x.npy"], "--rows goes with a .png file"),
        (&["--class", "1,eleven", "-o", "x.png"], "there is no label eleven"),
        (&["--class", ",", "-o", "x.png"], "names no class"),
    ] {
        let error = bench.fails(&[&["sample", "mine"], wrong].concat(), 2);
        assert!(error.contains(part), "{wrong:?}: {error}");
    }

    bench.train("twin", &["--conditional", "--steps", "2"]);
    bench.ok(&["train", "--resume", "twin", "--steps", "4", "--quiet"]);
    assert_eq!(bench.weights("twin"), bench.weights("mine"));
}

#[test]
fn every_kind_trains_and_penalties_are_logged() {
    let bench = Bench::new();
    for kind in ["projection", "auxiliary"] {
        let kind_flag = format!("--conditional={kind}");
        let penalty = ["--set", "train.penalties.r1=1.0", "--steps", "2"];
        bench.train(kind, &[&[kind_flag.as_str()], &penalty[..]].concat());
        let step = events(&bench.path(kind)).into_iter().find(|e| e["event"] == "step").unwrap();
        assert!(step["penalty"].as_f64().unwrap() > 0.0 && step["g_norm"].as_f64().unwrap() > 0.0, "{step}");
    }
}

#[test]
fn what_can_not_be_conditional_says_why() {
    let bench = Bench::new();
    bench.train("plain", &["--steps", "1"]);
    for wrong in [["--class", "7"], ["--class", "all"], ["--rows", "classes"]] {
        let error = bench.fails(&[&["sample", "plain", "-o", "x.png"], &wrong[..]].concat(), 2);
        assert!(error.contains("takes no labels"), "{error}");
    }
    let error = bench.fails(&["train", "--config", "tiny.toml", "--conditional=magic"], 2);
    assert!(error.contains("expected one of concat, projection, auxiliary"), "{error}");
    let images = bench.path("flat");
    std::fs::create_dir(&images).unwrap();
    for i in 0..9u8 {
        image::GrayImage::from_pixel(28, 28, image::Luma([i * 20])).save(images.join(format!("{i}.png"))).unwrap();
    }
    let error = bench.fails(&["train", "flat", "--config", "tiny.toml", "--conditional"], 1);
    assert!(error.contains("has no labels"), "{error}");
}

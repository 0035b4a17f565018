//! `faussaire judge`: other people's images and our own, by the net with random weights (training a classifier would take
//! a minute; the library's tests do that in small).

#![allow(clippy::unwrap_used)]

mod common;

use common::Bench;

/// A folder of 60 pictures, each with a square whose place and shade differ; `brighter` moves the shade.
fn pictures(bench: &Bench, name: &str, brighter: u8, seed: u32) {
    let folder = bench.path(name);
    std::fs::create_dir(&folder).unwrap();
    for i in 0..60u32 {
        let (x, y) = ((i * 7 + seed) % 20, (i * 11 + seed) % 20);
        let shade = 100 + (i % 5) as u8 * 10 + brighter;
        let square = |px: u32, py: u32| (x..x + 8).contains(&px) && (y..y + 8).contains(&py);
        let picture = image::GrayImage::from_fn(28, 28, |px, py| image::Luma([if square(px, py) { shade } else { 0 }]));
        picture.save(folder.join(format!("{i:02}.png"))).unwrap();
    }
}

#[test]
fn nearer_images_score_better() {
    let bench = Bench::new();
    pictures(&bench, "real", 0, 0);
    pictures(&bench, "alike", 0, 3);
    pictures(&bench, "brighter", 100, 3);
    let scores = |images: &str| {
        let text = bench.ok(&["judge", images, "--against", "real", "--json"]);
        let judgement: serde_json::Value = serde_json::from_str(&text).unwrap();
        judgement["scores"].as_array().unwrap().clone()
    };
    let (alike, brighter) = (scores("alike"), scores("brighter"));
    assert_eq!(alike[0]["name"], "frechet-60-real-random-convnet-train");
    assert!(alike[0]["value"].as_f64().unwrap() < brighter[0]["value"].as_f64().unwrap());
    assert_eq!((&alike[0]["too_few"]["images"], &alike[0]["too_few"]["needed"]), (&60.into(), &256.into()));
    let table = bench.ok(&["judge", "alike", "--against", "real"]);
    assert!(table.contains("frechet-60") && table.contains("precision(k=3)"), "{table}");
    assert!(table.contains("too few images to tell (60; needs about 256)  lower"), "{table}");
    assert!(
        table.lines().all(|line| line.starts_with("verdict") || line.starts_with("note") || line.chars().count() < 100)
    );
}

#[test]
fn a_judgement_ends_in_a_verdict() {
    let bench = Bench::new();
    pictures(&bench, "real", 0, 0);
    pictures(&bench, "brighter", 100, 3);
    std::fs::create_dir(bench.path("few")).unwrap();
    for i in 0..20 {
        std::fs::copy(bench.path(&format!("brighter/{i:02}.png")), bench.path(&format!("few/{i:02}.png"))).unwrap();
    }
    let verdict = |images: &str| {
        let table = bench.ok(&["judge", images, "--against", "real"]);
        let last = table.trim_end().lines().last().unwrap().strip_prefix("verdict: ").unwrap().to_owned();
        let json = bench.ok(&["judge", images, "--against", "real", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["verdict"]["text"], last.as_str());
        (json["verdict"]["grade"].as_str().unwrap().to_owned(), last)
    };
    let (grade, text) = verdict("brighter");
    assert!(grade == "different" && text.starts_with("different from real: the kernel distance is "), "{text}");
    assert_eq!(verdict("few").1, "can't be told: only 20 images, a Fréchet distance needs about 256");
}

#[test]
fn a_run_is_judged_against_its_own_data_and_too_little_is_refused() {
    let bench = Bench::new();
    pictures(&bench, "real", 0, 0);
    bench.ok(&["train", "real", "--config", "tiny.toml", "--run", "mine", "--steps", "2", "--quiet"]);
    let table = bench.ok(&["judge", "mine", "-n", "60"]);
    assert!(table.contains("mine (step 2)") && table.contains("kernel(subsets-of-"), "{table}");
    assert!(bench.fails(&["judge", "mine", "-n", "9"], 2).contains("at least 12"));
    assert!(bench.fails(&["judge", "real"], 2).contains("--against"));
    assert!(bench.fails(&["judge", "nowhere", "--against", "real"], 2).contains("nowhere"));
}

#[test]
fn copies_are_found_and_shown_beside_their_originals() {
    let bench = Bench::new();
    pictures(&bench, "real", 0, 0);
    pictures(&bench, "new", 3, 5);
    // Forty new pictures, and twenty copies of those learned from.
    std::fs::create_dir(bench.path("mixed")).unwrap();
    for i in 0..60 {
        let from = if i < 20 { "real" } else { "new" };
        std::fs::copy(bench.path(&format!("{from}/{i:02}.png")), bench.path(&format!("mixed/{i:02}.png"))).unwrap();
    }
    let judged = |images: &str| {
        let text = bench.ok(&["judge", images, "--against", "real", "--neighbours", "page.html", "--json"]);
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["copies"].clone()
    };
    let (new, mixed) = (judged("new"), judged("mixed"));
    let share = |copies: &serde_json::Value| copies["share"].as_f64().unwrap();
    assert!(share(&mixed) >= 20.0 / 60.0 && share(&mixed) > share(&new) + 0.25, "{new} {mixed}");
    assert!(mixed["rule"].as_str().unwrap().contains("as none were held back"), "{mixed}");
    let page = std::fs::read_to_string(bench.path("page.html")).unwrap();
    assert!(
        page.matches("distance 0.000, pixels equal").count() >= 20 && !page.contains("src=\"http"),
        "{}",
        page.len()
    );
    let table = bench.ok(&["judge", "mixed", "--against", "real", "--neighbours", "page.html"]);
    assert!(
        table.contains("memorised-60-real-pixels(14x14)-train") && table.contains("page.html: each image"),
        "{table}"
    );
}

//! `--share K/N`: the shares of a sweep, some of them killed, come to the table of one process, shares of images to the same images,
//! and shares of a judgement to the same scores.

#![allow(clippy::unwrap_used)]

mod common;

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::Bench;

const PLAN: [&str; 12] =
    ["compare", "ring", "--preset", "ring", "--vary", "loss=gan,hinge", "--seeds", "4", "--steps", "400", "-n", "100"];

/// A sweep's table without what depends on the clock or on the machine.
fn table(bench: &Bench, folder: &str) -> serde_json::Value {
    let mut table: serde_json::Value =
        serde_json::from_slice(&std::fs::read(bench.path(folder).join("table.json")).unwrap()).unwrap();
    for run in table["runs"].as_array_mut().unwrap() {
        run.as_object_mut().unwrap().remove("train_s");
    }
    let plan = table["plan"].as_object_mut().unwrap();
    for of_machine in ["jobs", "threads"] {
        plan.remove(of_machine);
    }
    table
}

fn share(bench: &Bench, index: usize) -> Child {
    let share = format!("{index}/4");
    let mut command = bench.command(&["compare", "--run", "shared", "--share", &share, "--quiet", "--threads", "1"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn shares_of_which_two_are_killed_come_to_the_table_of_one_process() {
    let bench = Bench::new();
    bench.ok(&[&PLAN[..], &["--run", "alone", "--quiet"]].concat());
    let said = bench.ok(&[&PLAN[..], &["--run", "shared", "--plan-only"]].concat());
    assert!(said.contains("8 runs planned") && said.contains("--share K/N"), "{said}");
    assert!(!bench.path("shared/table.json").exists());

    let mut shares: Vec<Child> = (0..4).map(|index| share(&bench, index)).collect();
    let begun = |index: usize| {
        let run = ["gan-seed0", "gan-seed1", "gan-seed2", "gan-seed3"][index];
        bench.path("shared").join("runs").join(run).join("events.jsonl").exists()
    };
    let began = Instant::now();
    for index in [1, 2] {
        while !begun(index) && began.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(5));
        }
        shares[index].kill().unwrap();
    }
    for child in &mut shares {
        child.wait().unwrap();
    }
    // One of them is repeated; what the other has left is done by the plain command.
    assert!(share(&bench, 1).wait().unwrap().success());
    bench.ok(&["compare", "--run", "shared", "--quiet"]);
    let (found, expected) = (table(&bench, "shared"), table(&bench, "alone"));
    assert_eq!(found["runs"].as_array().unwrap().len(), 8);
    assert_eq!(found, expected);
}

#[test]
fn shares_need_a_plan_and_leave_it_as_it_is() {
    let bench = Bench::new();
    let none = bench.fails(&["compare", "--run", "shared", "--share", "0/4"], 2);
    assert!(none.contains("there is no plan") && none.contains("--plan-only"), "{none}");
    assert!(!bench.path("shared").exists());
    bench.ok(&[&PLAN[..], &["--run", "shared", "--plan-only"]].concat());
    for change in [["--steps", "3"], ["--seeds", "2"], ["--vary", "loss=gan"]] {
        let said = bench.fails(&[&["compare", "--run", "shared", "--share", "0/4"], &change[..]].concat(), 2);
        assert!(said.contains("would change"), "{said}");
    }
    let beyond = bench.fails(&["compare", "--run", "shared", "--share", "4/4"], 2);
    assert!(beyond.contains("count from 0 to 3"), "{beyond}");
}

#[test]
fn shares_of_images_are_the_images() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "3"]);
    bench.ok(&["sample", "mine", "-n", "23", "-o", "all"]);
    bench.ok(&["sample", "mine", "-n", "23", "-o", "all.npy"]);
    let mut arrays = Vec::new();
    for index in 0..3 {
        let (share, array) = (format!("{index}/3"), format!("part{index}.npy"));
        bench.ok(&["sample", "mine", "-n", "23", "-o", "parts", "--share", &share]);
        bench.ok(&["sample", "mine", "-n", "23", "-o", &array, "--share", &share]);
        let bytes = std::fs::read(bench.path(&array)).unwrap();
        arrays.extend_from_slice(&bytes[bytes.len() % 784..]);
    }
    let files = |folder: &str| {
        let mut files: Vec<_> = std::fs::read_dir(bench.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.file_name().unwrap().to_owned(), std::fs::read(&path).unwrap()))
            .collect();
        files.sort();
        files
    };
    assert_eq!(files("parts"), files("all"));
    assert_eq!(files("all").len(), 23);
    let all = std::fs::read(bench.path("all.npy")).unwrap();
    assert!(all.ends_with(&arrays) && arrays.len() == 23 * 784);
    let grid = bench.fails(&["sample", "mine", "-o", "grid.png", "--share", "0/3"], 2);
    assert!(grid.contains("--share makes some of the images"), "{grid}");
}

/// 300 pictures in `folder`, each with a square whose place and shade differ.
fn pictures(bench: &Bench, folder: &str, seed: u32) {
    std::fs::create_dir(bench.path(folder)).unwrap();
    for i in 0..300u32 {
        let (x, y, shade) = ((i * 7 + seed) % 20, (i * 11 + seed) % 19, 100 + (i % 50) as u8);
        let square = |px: u32, py: u32| (x..x + 8).contains(&px) && (y..y + 8).contains(&py);
        let picture = image::GrayImage::from_fn(28, 28, |px, py| image::Luma([if square(px, py) { shade } else { 0 }]));
        picture.save(bench.path(folder).join(format!("{i:03}.png"))).unwrap();
    }
}

#[test]
fn shares_of_a_judgement_are_the_judgement() {
    let bench = Bench::new();
    pictures(&bench, "real", 0);
    pictures(&bench, "others", 3);
    bench.ok(&["train", "real", "--config", "tiny.toml", "--run", "mine", "--steps", "2", "--quiet"]);
    // Of a run, and of images.
    for (name, of) in [("run", &["mine", "-n", "700"][..]), ("images", &["others", "--against", "real"])] {
        let expected = bench.ok(&[&["judge"], of, &["--json"]].concat());
        let parts = [&["judge"], of, &["--parts", name]].concat();
        let said = bench.ok(&[&parts[..], &["--share", "0/3"]].concat());
        assert!(said.starts_with(&format!("{name}, share 0/3: features of ")) && said.contains(" real ones"), "{said}");
        bench.ok(&[&parts[..], &["--share", "2/3", "--threads", "1"]].concat());
        // Share 1 is lost; of the last one a file is damaged.
        let last = if name == "run" { "generated-512-700.features" } else { "generated-256-300.features" };
        let damaged = bench.path(name).join(last);
        let mut bytes = std::fs::read(&damaged).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&damaged, bytes).unwrap();
        let output = bench.run(&[&parts[..], &["--json"]].concat());
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{name}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(&format!("{last} can't be read or is damaged: computed again")), "{error}");
        // The same shares once more, and the one that was lost.
        for index in ["0/3", "1/3", "2/3"] {
            bench.ok(&[&parts[..], &["--share", index]].concat());
        }
        let output = bench.run(&[&parts[..], &["--json"]].concat());
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{name}");
        let error = String::from_utf8(output.stderr).unwrap();
        let all = if name == "run" { "1,000" } else { "600" };
        assert!(error.contains(&format!("{name}: features of {all} images read, 0 computed here")), "{error}");
    }
}

#[test]
fn parts_of_another_judgement_are_refused() {
    let bench = Bench::new();
    pictures(&bench, "real", 0);
    bench.ok(&["train", "real", "--config", "tiny.toml", "--run", "mine", "--steps", "2", "--quiet"]);
    let judge =
        |more: &[&str], status: i32| bench.fails(&[&["judge", "mine", "--parts", "parts"], more].concat(), status);
    assert!(judge(&["-n", "300"], 2).contains("there are no parts of a judgement: parts is no folder"));
    bench.ok(&["judge", "mine", "-n", "300", "--parts", "parts", "--share", "0/2"]);
    for (other, said) in [
        (&["-n", "301"][..], "images: 300 there, 301 here"),
        (&["-n", "300", "--seed", "1"], "seed: 0 there, 1 here"),
        (&["-n", "300", "--share", "0/2", "--seed", "1"], "seed: 0 there, 1 here"),
    ] {
        let error = judge(other, 2);
        assert!(error.contains("is of another judgement: ") && error.contains(said), "{error}");
        assert!(error.contains("--parts DIR"), "{error}");
    }
    // The run was trained further meanwhile.
    bench.ok(&["train", "--resume", "mine", "--steps", "3", "--quiet"]);
    assert!(judge(&["-n", "300"], 2).contains("checkpoint: step 2 ("));
    for together in ["--neighbours=page.html", "--json"] {
        let error = judge(&["--share", "0/2", together], 2);
        assert!(error.contains("cannot be used with"), "{error}");
    }
    let error = bench.fails(&["judge", "mine", "--share", "0/2"], 2);
    assert!(error.contains("--parts <DIR>"), "{error}");
}

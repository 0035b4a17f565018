//! Bad input of every kind: one clear error with a hint, exit status 1 or 2, no panic, nothing lost.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;

use common::Bench;

#[test]
fn arguments() {
    let bench = Bench::new();
    for (arguments, status, part) in [
        (vec!["train", "--preset", "nope"], 2, "there is no preset `nope`"),
        (vec!["train", "--config", "none.toml"], 1, "none.toml"),
        (vec!["train", "nonsense-set"], 2, "nonsense-set"),
        (
            vec!["train", "--set", "train.bacth=3"],
            2,
            "there is no recipe key `train.bacth`; did you mean `train.batch`?",
        ),
        (vec!["train", "--set", "train.batch"], 2, "expected key=value"),
        (vec!["train", "--batch", "0"], 2, "recipe key `train.batch`: expected a whole number from 1 to 65,536, got 0"),
        (vec!["train", "--batch", "65000"], 2, "65000"),
        (vec!["train", "--threads", "0"], 2, "--threads 0"),
        (vec!["train", "--device", "tpu"], 2, "device tpu"),
        (vec!["train", "--device", "cuda"], 2, "no cuda support"),
        (vec!["train", "--time", "soon"], 2, "expected a time"),
        (vec!["train", "--epochs", "1", "--steps", "1"], 2, "cannot be used with"),
        (vec!["train", "--config", "tiny.toml", "--epochs", "0"], 2, "no limit is set"),
        (vec!["train", "--resume", "nowhere"], 1, "there is no run nowhere"),
        (vec!["train", "--resume"], 1, "there is no run under runs"),
        (vec!["sample", "nowhere", "-o", "x.png"], 1, "there is no run nowhere"),
        (vec!["summary", "nope"], 2, "there is no preset `nope`"),
        (vec!["presets", "nope"], 2, "there is no preset `nope`"),
        (vec!["data", "preview", "nowhere"], 2, "nowhere"),
        (vec!["paint"], 2, "unrecognized subcommand"),
    ] {
        let error = bench.fails(&arguments, status);
        assert!(error.contains(part), "{arguments:?}: {error}");
    }
    assert!(!bench.path("runs").exists(), "a refused training left a run folder");
}

#[test]
fn an_instruction_set_that_the_machine_lacks() {
    let bench = Bench::new();
    let mut train = bench.command(&["train", "--config", "tiny.toml"]);
    let refused = train.env("FAUSSAIRE_ISA", "mmx").output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("FAUSSAIRE_ISA=mmx: unknown") && said.contains("hint: unset it"), "{said}");
    assert!(!bench.path("runs").exists(), "a refused training left a run folder");
}

#[test]
fn recipes() {
    let bench = Bench::new();
    let tiny = common::TINY;
    for (what, text, part) in [
        ("not TOML", "latent = = 3".to_string(), "can't be read as a recipe"),
        ("no score", tiny.replace("\"dense 1\"", "\"relu\""), "one score per image"),
        ("a slip", tiny.replace("\"flatten\"", "\"flaten\""), "discriminator, layer 4 (`flaten`)"),
        ("wrong image", tiny.replace("7*7*4", "6*6*4").replace("reshape 7 7 4", "reshape 6 6 4"), "24x24x1"),
        ("no range", tiny.replace("\"conv 1 5x5\", \"sigmoid\"", "\"conv 1 5x5\""), "neither sigmoid nor tanh"),
        ("two scores", tiny.replace("\"dense 1\"", "\"dense 2\""), "one score per image"),
        ("two channels", tiny.replace("conv 1 5x5", "conv 2 5x5"), "28x28x2"),
    ] {
        fs::write(bench.path("bad.toml"), text).unwrap();
        let error = bench.fails(&["train", "--config", "bad.toml"], 2);
        assert!(error.contains(part), "{what}: {error}");
    }
}

#[test]
fn data_files() {
    let bench = Bench::new();
    let train = |path: &str| ["train", path, "--config", "tiny.toml"].map(String::from);
    fs::create_dir(bench.path("empty")).unwrap();
    fs::write(bench.path("zero.npy"), []).unwrap();
    fs::write(bench.path("text.npy"), "no array at all").unwrap();
    let array = |shape: &str, bytes: usize| {
        let header = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((header.len() as u16).to_le_bytes());
        file.extend(header.bytes());
        file.extend((0..bytes).map(|i| (i % 251) as u8));
        file
    };
    fs::write(bench.path("short.npy"), array("(20, 784)", 784 * 19)).unwrap();
    fs::write(bench.path("huge.npy"), array("(2147483648, 784)", 784)).unwrap();
    fs::write(bench.path("shape.npy"), array("(20, 783)", 783 * 20)).unwrap();
    fs::write(bench.path("few.npy"), array("(5, 784)", 784 * 5)).unwrap();
    fs::write(bench.path("small.npy"), array("(20, 8, 8)", 64 * 20)).unwrap();
    let mut idx = vec![0, 0, 8, 3];
    idx.extend([2_147_483_648u32, 28, 28].iter().flat_map(|n| n.to_be_bytes()));
    idx.extend([0; 784]);
    fs::write(bench.path("claims.idx"), &idx).unwrap();
    for path in ["empty", "zero.npy", "text.npy", "short.npy", "huge.npy", "shape.npy", "claims.idx"] {
        let arguments = train(path);
        let error = bench.fails(&arguments.each_ref().map(String::as_str), 1);
        assert!(error.contains(path), "{path}: {error}");
    }
    let few = train("few.npy");
    let error = bench.fails(&few.each_ref().map(String::as_str), 2);
    assert!(error.contains('5') && error.contains('8'), "batch larger than the set: {error}");
    let error = bench.fails(&train("small.npy").each_ref().map(String::as_str), 2);
    assert!(error.contains("28x28x1") && error.contains("8x8x1"), "{error}");
}

#[test]
fn damaged_checkpoints_are_refused_and_left_alone() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "3"]);
    let latest = bench.path("mine/checkpoints/latest");
    let damage = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let path = latest.join(name);
        let whole = fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        change(&mut bytes);
        fs::write(&path, &bytes).unwrap();
        let error = bench.fails(&["train", "--resume", "mine", "--steps", "5"], 1);
        assert!(error.contains(name), "{name}: {error}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "{name} was changed");
        fs::write(&path, whole).unwrap();
    };
    damage("generator.safetensors", &|b| b.truncate(b.len() / 2));
    damage("discriminator.safetensors", &|b| {
        let at = b.len() - 3;
        b[at] ^= 64;
    });
    damage("generator-adam.safetensors", &|b| b.clear());
    damage("average.safetensors", &|b| b.push(0));
    damage("state.json", &|b| b.truncate(20));
    fs::remove_file(latest.join("discriminator-adam.safetensors")).unwrap();
    bench.fails(&["train", "--resume", "mine", "--steps", "5"], 1);
    fs::write(bench.path("mine/config.toml"), "latent = 3").unwrap();
    bench.fails(&["sample", "mine", "-o", "x.png"], 2);
}

#[test]
fn places_that_cannot_be_written() {
    let bench = Bench::new();
    fs::write(bench.path("file"), "in the way").unwrap();
    bench.fails(&["train", "--config", "tiny.toml", "--run", "file/run"], 1);
    bench.train("mine", &["--steps", "2"]);
    let error = bench.fails(&["train", "--config", "tiny.toml", "--run", "mine"], 1);
    assert!(error.contains("not empty") && error.contains("--resume"), "{error}");
    bench.fails(&["sample", "mine", "-o", "file/x.png"], 1);
    bench.fails(&["sample", "mine", "-o", "x.jpeg"], 2);
    bench.fails(&["sample", "mine", "-n", "0", "-o", "x.png"], 2);
    bench.fails(&["sample", "mine", "-n", "9", "--grid", "2x2", "-o", "x.png"], 2);
    bench.fails(&["sample", "mine", "--checkpoint", "epoch-0001", "-o", "x.png"], 1);
    assert_eq!(fs::read_to_string(bench.path("file")).unwrap(), "in the way");
}

#[test]
fn a_run_on_data_in_memory_is_never_compared_with_others() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "3"]);
    let config = bench.path("mine/config.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("source = \"strokes\"", "source = \"memory:my shapes\"")).unwrap();
    for arguments in [&["train", "--resume", "mine", "--steps", "5"][..], &["judge", "mine", "-n", "60"]] {
        let error = bench.fails(arguments, 2);
        assert!(error.contains("this run was trained on data in memory (my shapes)"), "{error}");
        assert!(
            error.contains("pass the same images")
                && error.contains("\nflags: ")
                && error.contains("`data.source` is the DATASET of `train`"),
            "{error}"
        );
    }
    // The same images by their name.
    bench.ok(&["train", "strokes", "--resume", "mine", "--steps", "5", "--quiet"]);
}

/// Disks without room are in `nothing_lost.rs`.
#[cfg(target_os = "linux")]
#[test]
fn a_log_that_is_a_device_is_refused_and_the_checkpoint_kept() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "5"]);
    let before = bench.weights("mine");
    let log = bench.path("mine/events.jsonl");
    fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink("/dev/full", &log).unwrap();
    let error = bench.fails(&["train", "--resume", "mine", "--steps", "9", "--quiet"], 1);
    assert!(error.contains("events.jsonl is not a regular file"), "{error}");
    assert_eq!(bench.weights("mine"), before);
}

#[test]
fn a_diverging_training_says_so() {
    let bench = Bench::new();
    // A deep discriminator at an absurd rate: its scores outgrow what a float can hold.
    let deep =
        format!("layers = [{} \"flatten\", \"dense 1\"]", "\"conv 4 3x3 stride 2\", \"leakyrelu 0.2\",".repeat(12));
    let at = common::TINY.find("[discriminator]").unwrap();
    let from = common::TINY[at..].find("adam").unwrap() + at;
    let wild = format!("{}[discriminator]\n{deep}\n{}", &common::TINY[..at], &common::TINY[from..]);
    fs::write(bench.path("wild.toml"), wild).unwrap();
    let rate = "discriminator.adam.learning_rate=10";
    let error =
        bench.run(&["train", "--config", "wild.toml", "--run", "wild", "--steps", "3000", "--quiet", "--set", rate]);
    let said = String::from_utf8(error.stderr).unwrap();
    assert_eq!(error.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: the ") && said.contains("loss is") && said.contains("rate"), "{said}");
}

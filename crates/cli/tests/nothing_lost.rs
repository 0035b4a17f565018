//! What may go wrong around a command costs no work: words that nobody hears, stops, damaged states and logs, disks without room,
//! links and pipes for files, slips on the command line.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Bench, events};

const TINY: &str = "train --config tiny.toml --set data.count=80 --set train.sheet_every=1";

/// Runs `script` in a shell in which `f` is the binary.
fn shell(bench: &Bench, script: &str) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("f() {{ '{}' \"$@\"; }}\n{script}", env!("CARGO_BIN_EXE_faussaire"))]);
    let known = bench.command(&[]);
    for (key, value) in known.get_envs() {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    command.current_dir(bench.folder.path()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Files with the ending of unfinished ones.
fn parts(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".part")).collect()
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
}

/// Waits until `is` holds.
fn wait(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_training_that_nobody_hears_is_the_same_training() {
    let bench = Bench::new();
    bench.ok(&format!("{TINY} --run heard --quiet").split(' ').collect::<Vec<_>>());
    for (name, script) in [
        ("closed", format!("f {TINY} --run closed >&- 2>&-")),
        ("full", format!("f {TINY} --run full >/dev/full 2>&1")),
        // The reader has left before the training says its first word.
        (
            "gone",
            format!(
                "{{ sleep 0.5; f {TINY} --run gone 2>&1; echo $? > gone.status; }} | head -c 0; exit $(cat gone.status)"
            ),
        ),
        ("head", format!("{{ f {TINY} --run head 2>&1; echo $? > head.status; }} | head -1; exit $(cat head.status)")),
    ] {
        if name == "full" && !Path::new("/dev/full").exists() {
            continue;
        }
        let output = shell(&bench, &script);
        assert!(output.status.success(), "{name}: {output:?}");
        assert_eq!(bench.weights(name), bench.weights("heard"), "{name}");
        assert!(bench.path(name).join("report.html").is_file(), "{name}");
    }
}

#[test]
fn what_was_asked_for_is_an_error_where_it_cannot_be_printed() {
    let bench = Bench::new();
    for command in ["presets tp", "--help", "train --help", "completions bash", "man", "presets --schema", "data list"]
    {
        let output = shell(&bench, &format!("f {command} > /dev/full"));
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{command}: {said}");
        assert!(
            said.starts_with("error: can't write to stdout: ") && said.contains("hint: free some disk space"),
            "{said}"
        );
        // A reader that has enough is no failure.
        let output = shell(&bench, &format!("{{ sleep 0.1; f {command}; echo $? > status; }} | head -c 0; cat status"));
        assert_eq!((output.stdout.as_slice(), stderr(&output).as_str()), (&b"0\n"[..], ""), "{command}");
    }
}

#[test]
fn a_healed_run_does_not_depend_on_where_it_was_stopped() {
    let bench = Bench::new();
    let config = format!("{}/tests/doctor/ring.toml", env!("CARGO_MANIFEST_DIR"));
    let mut arguments =
        vec!["train", "--config", &config, "--seed", "1", "--threads", "1", "--precision", "f32", "--quiet"];
    // A discriminator that learns nothing is found after three windows: the stop's score was the best to go back to.
    arguments.extend(["--set", "discriminator.adam.learning_rate=1e-7", "--heal"]);
    let train = |more: &[&str]| bench.ok(&[&arguments[..], more].concat());
    train(&["--run", "whole", "--steps", "500"]);
    train(&["--run", "parts", "--steps", "40"]);
    bench.ok(&["train", "--resume", "parts", "--steps", "130", "--threads", "1", "--quiet"]);
    bench.ok(&["train", "--resume", "parts", "--steps", "500", "--threads", "1", "--quiet"]);
    let heals = |run: &str| events(&bench.path(run)).into_iter().filter(|e| e["event"] == "heal").collect::<Vec<_>>();
    assert!(!heals("whole").is_empty());
    assert_eq!(heals("parts"), heals("whole"));
    for checkpoint in ["latest", "best"] {
        for file in ["generator.safetensors", "discriminator-adam.safetensors", "average.safetensors"] {
            let read = |run: &str| fs::read(bench.path(run).join("checkpoints").join(checkpoint).join(file)).unwrap();
            assert!(read("parts") == read("whole"), "{checkpoint}: {file}");
        }
    }
}

#[test]
fn a_changed_state_is_told() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "5"]);
    let path = bench.path("mine/checkpoints/latest/state.json");
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    assert!(lines[1].starts_with("  \"digest\": \""), "{whole}");
    for (name, value) in [
        ("step", "4"),
        ("images", "48"),
        ("generator_updates", "6"),
        ("augment", "0.25"),
        ("events_bytes", "100"),
        ("train_s", "1.5"),
        ("best", "0.5"),
    ] {
        let start = format!("  \"{name}\": ");
        let line = lines.iter().find(|line| line.starts_with(&start)).unwrap();
        fs::write(&path, whole.replace(line, &format!("{start}{value},"))).unwrap();
        let error = bench.fails(&["train", "--resume", "mine", "--steps", "9"], 1);
        assert!(error.contains("state.json was changed or is damaged") && error.contains("digest"), "{name}: {error}");
        bench.fails(&["sample", "mine", "-o", "x.png"], 1);
    }
    // An earlier version wrote no digest: its numbers are held to ranges.
    let old = whole.replace(&format!("{}\n", lines[1]), "");
    fs::write(&path, old.replace("\"generator_updates\": 5", "\"generator_updates\": 18446744073709551615")).unwrap();
    let error = bench.fails(&["train", "--resume", "mine", "--steps", "9"], 1);
    assert!(error.contains("generator_updates is 18446744073709551615, expected 5 to"), "{error}");
    fs::write(&path, old).unwrap();
    bench.ok(&["train", "--resume", "mine", "--steps", "9", "--quiet"]);
    bench.train("other", &["--steps", "9"]);
    assert_eq!(bench.weights("mine"), bench.weights("other"));
}

#[test]
fn a_damaged_log_is_mended_at_the_first_resume() {
    let bench = Bench::new();
    let log = bench.path("mine/events.jsonl");
    let cut = |text: Vec<u8>| {
        let state = fs::read_to_string(bench.path("mine/checkpoints/latest/state.json")).unwrap();
        let state: serde_json::Value = serde_json::from_str(&state).unwrap();
        text[..state["bytes_before_end"].as_u64().unwrap() as usize - 50].to_vec()
    };
    let torn = |mut text: Vec<u8>| {
        let at = text.len() / 3;
        text[at..at + 5].copy_from_slice(b"\x1b[2J\0");
        text
    };
    type Damage<'a> = &'a dyn Fn(Vec<u8>) -> Vec<u8>;
    let damages: [(Damage, &str); 4] = [
        (&|text| text[..text.len() - 50].to_vec(), ""),
        (&cut, "shorter than it was at step 40; curves and findings have a gap"),
        (&torn, "is no event and was left out; events.damaged.jsonl is the log as it was"),
        (&|_| Vec::new(), "shorter than it was at step 40"),
    ];
    for (damage, remark) in damages {
        let _ = fs::remove_dir_all(bench.path("mine"));
        bench.train("mine", &["--steps", "40", "--set", "data.count=80", "--set", "train.sheet_every=1"]);
        let text = damage(fs::read(&log).unwrap());
        fs::write(&log, text).unwrap();
        let said = stderr(&bench.run(&["train", "--resume", "mine", "--steps", "50", "--quiet"]));
        match remark {
            "" => assert_eq!(said, "", "only what a resume cuts off was lost"),
            remark => assert!(said.starts_with("warning: mine/events.jsonl") && said.contains(remark), "{said}"),
        }
        let said = stderr(&bench.run(&["train", "--resume", "mine", "--steps", "60", "--quiet"]));
        assert_eq!(said, "", "{remark}");
        let last = events(&bench.path("mine")).into_iter().rfind(|e| e["event"] == "step").unwrap();
        assert_eq!(last["step"], 60);
        bench.ok(&["doctor", "mine"]);
    }
    fs::remove_file(&log).unwrap();
    let said = stderr(&bench.run(&["train", "--resume", "mine", "--steps", "65", "--quiet"]));
    assert!(said.contains("events.jsonl is missing: it begins anew after step 60"), "{said}");
    bench.ok(&["doctor", "mine"]);
    // What is no file is refused before a step.
    fs::remove_file(&log).unwrap();
    assert!(Command::new("mkfifo").arg(&log).status().unwrap().success());
    let before = bench.weights("mine");
    let error = bench.fails(&["train", "--resume", "mine", "--steps", "70", "--quiet"], 1);
    assert!(error.contains("events.jsonl is not a regular file"), "{error}");
    assert_eq!(bench.weights("mine"), before);
}

/// The output of `child` after a signal, and how long it took.
fn interrupted(mut child: Child) -> (Output, Duration) {
    let began = Instant::now();
    signal(&child, "INT");
    child.stdin.take();
    (child.wait_with_output().unwrap(), began.elapsed())
}

fn start(bench: &Bench, arguments: &str) -> Child {
    let mut command = bench.command(&arguments.split(' ').collect::<Vec<_>>());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn ctrl_c_is_answered_at_once_and_the_second_one_ends() {
    let bench = Bench::new();
    // A step takes long: all images are one batch.
    let log = fs::File::create(bench.path("log")).unwrap();
    let mut child = bench
        .command(&["train", "--config", "tiny.toml", "--run", "big", "--steps", "9", "--batch", "60000"])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let said = || fs::read_to_string(bench.path("log")).unwrap();
    wait("the introduction", || said().contains("run folder"));
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    signal(&child, "INT");
    wait("the answer", || said().contains("stopping after this step, then saving; press Ctrl-C again to end at once"));
    let answered = began.elapsed();
    let alive = child.try_wait().unwrap().is_none();
    signal(&child, "INT");
    let status = child.wait().unwrap();
    assert!(answered < Duration::from_secs(1) && began.elapsed() < Duration::from_secs(3), "{answered:?}");
    if alive {
        assert_eq!(status.code(), Some(130), "{}", said());
        assert!(said().contains("ended at once"), "{}", said());
    }
    assert_eq!(parts(&bench.path("big")), [""; 0]);

    // While a data set is fetched from a server that is silent, nothing is to be saved.
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = bench.command(&["train", "mnist", "--config", "tiny.toml", "--run", "fetching"]);
    command.env("FAUSSAIRE_MIRROR", format!("http://{}", server.local_addr().unwrap()));
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _connection = server.accept().unwrap();
    let (output, took) = interrupted(child);
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(
        stderr(&output).contains("stopped; unfinished files were removed") && took < Duration::from_secs(2),
        "{took:?}"
    );
    assert_eq!(parts(&bench.path("cache/faussaire/mnist")), [""; 0]);
}

#[test]
fn unfinished_files_are_removed_by_a_stop_a_failure_and_the_next_command() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "2"]);
    let begun = || !parts(bench.folder.path()).is_empty();
    for output in ["x.npy", "x.zip"] {
        let arguments = format!("sample mine -n 3000000 -o {output}");
        let child = start(&bench, &arguments);
        wait("an unfinished file", begun);
        let (ended, _) = interrupted(child);
        assert_eq!(ended.status.code(), Some(130), "{ended:?}");
        assert_eq!(parts(bench.folder.path()), [""; 0], "{output}");
        // What a killed command leaves goes with the next one that writes here; what a living one writes stays.
        let mut child = start(&bench, &arguments);
        wait("an unfinished file", begun);
        // A second one may follow.
        let left = parts(bench.folder.path());
        let stays = || parts(bench.folder.path()).iter().filter(|name| left.contains(name)).count() == left.len();
        bench.ok(&["sample", "mine", "-o", "few.png"]);
        assert!(stays(), "{output}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(stays(), "{output}");
        bench.ok(&["sample", "mine", "-o", "few.png"]);
        assert_eq!(parts(bench.folder.path()), [""; 0], "{output}");
    }
    let error = bench.fails(&["sample", "mine", "-n", "99999999999", "-o", "x.npy"], 1);
    assert!(error.contains("can't write x.npy: it takes") && error.contains("hint: free some disk space"), "{error}");
    assert!(!error.contains("resume"), "{error}");
    // In a run's folder, too.
    for place in ["mine", "mine/samples"] {
        fs::write(bench.path(place).join("000010.png.999999-0.part"), "left").unwrap();
    }
    bench.ok(&["train", "--resume", "mine", "--steps", "4", "--quiet"]);
    for place in ["mine", "mine/samples"] {
        assert_eq!(parts(&bench.path(place)), [""; 0], "{place}");
    }
}

#[test]
fn a_disk_without_room_is_told_with_what_is_left() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "5"]);
    let before = bench.weights("mine");
    // The limit of file sizes, in blocks: a write beyond it fails as one on a full disk does.
    for (command, part) in [
        ("sample mine -n 999 -o x.npy".to_owned(), "can't write x.npy: "),
        ("sample mine -n 999 -o x.zip".to_owned(), "can't write x.zip: "),
        (format!("{TINY} --run new --quiet"), "then start the run again: it had not saved anything yet"),
        ("train --resume mine --steps 9 --quiet".to_owned(), "then go on from step 5 (train --resume FOLDER)"),
    ] {
        let output = shell(&bench, &format!("ulimit -f 8; f {command}"));
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{command}: {said}");
        assert!(said.contains(part) && said.contains("hint: raise the limit of file sizes"), "{command}: {said}");
        assert_eq!(said.contains("resume"), command.contains("resume"), "{said}");
    }
    assert_eq!(bench.weights("mine"), before);
    let log = events(&bench.path("mine"));
    assert!(!log.iter().any(|e| e["event"] == "checkpoint" && e["step"] == 9), "the log says what was written");
    assert_eq!(parts(bench.folder.path()), [""; 0]);
    bench.ok(&["train", "--resume", "mine", "--steps", "9", "--quiet"]);
    bench.train("other", &["--steps", "9"]);
    assert_eq!(bench.weights("mine"), bench.weights("other"));
}

#[test]
fn outputs_that_are_links_pipes_and_devices() {
    use std::os::unix::fs::symlink;
    let bench = Bench::new();
    bench.train("mine", &["--steps", "2"]);
    fs::create_dir(bench.path("far")).unwrap();
    fs::write(bench.path("far/real.png"), "old").unwrap();
    symlink("far/real.png", bench.path("link.png")).unwrap();
    bench.ok(&["sample", "mine", "-o", "link.png"]);
    assert!(bench.path("link.png").is_symlink());
    assert!(fs::read(bench.path("far/real.png")).unwrap().starts_with(b"\x89PNG"));
    assert!(Command::new("mkfifo").arg(bench.path("pipe.npy")).status().unwrap().success());
    symlink("/dev/null", bench.path("null.html")).unwrap();
    for (arguments, part) in [
        (&["sample", "mine", "-o", "pipe.npy"][..], "pipe.npy is a named pipe, expected a file"),
        (&["export", "mine", "-o", "null.html"], "null.html is a device, expected a file"),
        (&["sample", "mine", "-o", "-"], "images are not written to stdout"),
    ] {
        let error = bench.fails(arguments, 2);
        assert!(error.contains(part), "{error}");
    }
    assert!(bench.path("null.html").is_symlink());
}

#[test]
fn slips_are_told_with_their_cure() {
    let bench = Bench::new();
    for (flag, range) in [
        ("--seed -1", "expected a whole number from 0 to 9223372036854775807"),
        ("--steps -5", "expected a whole number from 0 to 9223372036854775807"),
        ("--epochs 1.5", "expected a whole number from 0 to 9223372036854775807"),
        ("--batch -3", "expected a whole number from 1 to 65536"),
        ("--threads -1", "expected a whole number from 1 to 1024"),
        ("--time -5m", "expected a time above 0"),
    ] {
        let mut arguments = vec!["train"];
        arguments.extend(flag.split(' '));
        let error = bench.fails(&arguments, 2);
        assert!(error.contains(range), "{flag}: {error}");
    }
    // A recipe saved by PowerShell 5.
    let text = format!("\u{feff}{}", common::TINY).replace('\n', "\r\n");
    let utf_16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(bench.path("wide.toml"), utf_16).unwrap();
    bench.ok(&["train", "--config", "wide.toml", "--run", "wide", "--quiet"]);
    bench.train("tiny", &[]);
    assert_eq!(bench.weights("wide"), bench.weights("tiny"));
    let error = bench.fails(&["train", "--config", "tiny"], 2);
    assert!(error.contains("tiny is a folder") && error.contains("config.toml"), "{error}");
    // Files here under the name of a data set, without a network.
    fs::create_dir(bench.path("mnist")).unwrap();
    let mut command = bench.command(&["train", "mnist", "--config", "tiny.toml", "--quiet"]);
    let output = command.env("FAUSSAIRE_MIRROR", "http://127.0.0.1:1").output().unwrap();
    assert!(stderr(&output).contains("./mnist"), "{}", stderr(&output));
}

#[test]
fn images_that_were_added_or_moved() {
    let bench = Bench::new();
    let folder = bench.path("photos");
    fs::create_dir(&folder).unwrap();
    for at in 0..12u8 {
        image::GrayImage::from_fn(28, 28, |x, y| image::Luma([at * 20 + (x + y) as u8]))
            .save(folder.join(format!("{at}.png")))
            .unwrap();
    }
    bench.ok(&["train", "photos", "--config", "tiny.toml", "--run", "mine", "--steps", "3", "--quiet"]);
    bench.ok(&["train", "photos", "--config", "tiny.toml", "--run", "whole", "--steps", "6", "--quiet"]);
    fs::rename(&folder, bench.path("moved")).unwrap();
    let error = bench.fails(&["train", "--resume", "mine", "--steps", "6"], 1);
    assert!(error.contains("faussaire train NEWPATH --resume mine"), "{error}");
    bench.ok(&["train", "moved", "--resume", "mine", "--steps", "6", "--quiet"]);
    assert_eq!(bench.weights("mine"), bench.weights("whole"));
    fs::copy(bench.path("moved/0.png"), bench.path("moved/new.png")).unwrap();
    let error = bench.fails(&["train", "--resume", "mine", "--steps", "9"], 1);
    let cure = "--init mine/checkpoints/latest/generator.safetensors";
    assert!(error.contains(cure), "{error}");
    let init = cure.split_once(' ').unwrap().1;
    bench.ok(&["train", "moved", "--config", "tiny.toml", "--init", init, "--run", "next", "--steps", "3", "--quiet"]);
}

#[test]
fn what_a_terminal_obeys_is_never_printed() {
    let bench = Bench::new();
    let folder = bench.path("photos");
    fs::create_dir(&folder).unwrap();
    for at in 0..9u8 {
        image::GrayImage::from_pixel(28, 28, image::Luma([at * 20])).save(folder.join(format!("{at}.png"))).unwrap();
    }
    fs::write(folder.join("a\u{1b}]0;owned\u{7}\u{9b}31m.png"), "no picture").unwrap();
    let raw =
        |output: &Output| [&output.stdout[..], &output.stderr[..]].concat().iter().any(|b| [0x1b, 0x07].contains(b));
    let check = bench.run(&["data", "check", "photos"]);
    assert!(
        !raw(&check) && String::from_utf8_lossy(&check.stdout).contains("a\\u001b]0;owned\\u0007\\u009b31m.png"),
        "{check:?}"
    );
    let train = bench.run(&["train", "photos", "--config", "tiny.toml", "--run", "mine"]);
    assert!(!raw(&train) && stderr(&train).contains("\\u001b]0;"), "{train:?}");
    // A log of somebody else.
    let log = bench.path("mine/events.jsonl");
    let heal = r#"{"event":"heal","step":5,"name":"collapse","back_to":0,"remedy":"x\u001b[2Jy","set":["latent=9\u001b[31m"]}"#;
    fs::write(&log, fs::read_to_string(&log).unwrap() + heal + "\n{\"event\":\"\u{1b}[2J\"}\n").unwrap();
    let refused = bench.run(&["doctor", "mine"]);
    assert!(!raw(&refused) && !refused.status.success(), "{refused:?}");
    fs::write(&log, format!("{heal}\n")).unwrap();
    let told = bench.run(&["doctor", "mine"]);
    assert!(!raw(&told) && String::from_utf8_lossy(&told.stdout).contains("x\\u001b[2Jy"), "{told:?}");
    let typed = bench.run(&["train", "\u{1b}[31mred", "--config", "tiny.toml"]);
    assert!(!raw(&typed) && stderr(&typed).contains("\\u001b[31mred"), "{typed:?}");
}

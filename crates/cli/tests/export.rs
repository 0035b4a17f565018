//! A run's nets as files for other programs, and back.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::Bench;

/// A conditional recipe whose steps are quick.
const CONDITIONAL: &str = r#"
latent = 6
[labels]
names = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
[generator]
layers = ["embedding 5", "dense 7*7*4", "reshape 7 7 4", "conditionalbatchnorm", "relu", "upsample 4", "conv 1 3x3", "tanh"]
[discriminator]
layers = ["conv 4 4x4 stride 4", "leakyrelu 0.2", "flatten", "projection"]
spectral = true
[train]
loss = "hinge"
batch = 8
"#;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_format_says_what_it_compared() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "5"]);
    fs::create_dir(bench.path("out")).unwrap();
    let said = bench.ok(&["export", "mine", "--to", "onnx", "-o", "out/g.onnx"]);
    assert!(said.contains("out/g.onnx: ") && said.contains("from step 5"), "{said}");
    assert!(said.contains("verified: run by rten, largest difference "), "{said}");
    // The ending says it, too.
    bench.ok(&[
        "export",
        "mine",
        "-o",
        "out/d.onnx",
        "--net",
        "discriminator",
        "--pixels",
        "uint8",
        "--layout",
        "nchw",
    ]);
    let said = bench.ok(&["export", "mine", "-o", "out/nets.safetensors"]);
    assert!(said.contains("out/nets.py: ") && said.contains("python out/nets.py 16"), "{said}");
    let said = bench.ok(&["export", "mine", "-o", "out/page.html"]);
    assert!(
        said.contains("out/page.html: ") && said.contains("kB") && said.contains("largest difference 0.0e0"),
        "{said}"
    );
    bench.ok(&["export", "mine", "-o", "out/half.html", "--half"]);
    assert_eq!(
        names(&bench.path("out")),
        ["d.onnx", "g.onnx", "half.html", "nets.py", "nets.safetensors", "page.html"]
    );
    let size = |name: &str| fs::metadata(bench.path("out").join(name)).unwrap().len();
    assert!(size("half.html") < size("page.html"));
    let page = fs::read_to_string(bench.path("out/page.html")).unwrap();
    for fetched in ["src=\"http", "href=\"http", "@import", "fetch("] {
        assert!(!page.contains(fetched), "the page has {fetched}");
    }
}

/// Runs Python, which `FAUSSAIRE_PYTHON` may name, in the bench's folder; what it wrote to stdout where it succeeded.
fn python(bench: &Bench, arguments: &[&str]) -> Result<String, String> {
    let program = std::env::var("FAUSSAIRE_PYTHON").unwrap_or_else(|_| "python3".into());
    let output = Command::new(&program).args(arguments).current_dir(bench.folder.path()).output();
    let output = output.map_err(|e| format!("{program}: {e}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[test]
fn the_python_file_draws_and_saves() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "5"]);
    bench.ok(&["export", "mine", "-o", "nets.safetensors"]);
    if let Err(e) = python(&bench, &["--version"]) {
        return eprintln!("skipped: there is no Python: {e}");
    }
    python(&bench, &["-m", "py_compile", "nets.py"]).unwrap();
    if python(&bench, &["-c", "import torch, safetensors, PIL"]).is_err() {
        return eprintln!(
            "skipped but for the syntax: FAUSSAIRE_PYTHON names no Python with torch, safetensors and pillow"
        );
    }
    let said = python(&bench, &["nets.py", "5", "five.png"]).unwrap();
    assert!(said.contains("five.png: 5 images"), "{said}");
    let picture = image::open(bench.path("five.png")).unwrap();
    assert_eq!((picture.width(), picture.height(), picture.color()), (3 * 28, 2 * 28, image::ColorType::L8));
    let script = "from nets import load, save; nets = load(); save('again.safetensors', nets)";
    python(&bench, &["-c", script]).unwrap();
    bench.train("second", &["--steps", "1", "--init", "again.safetensors"]);
}

#[test]
fn weights_begin_another_training() {
    let bench = Bench::new();
    bench.train("first", &["--steps", "6"]);
    bench.ok(&["export", "first", "-o", "nets.safetensors"]);
    // PyTorch's layouts and our own give the very weights, so a training of no step has them.
    let checkpoint = bench.path("first/checkpoints/latest");
    let ours = ["average.safetensors", "discriminator.safetensors"].map(|name| checkpoint.join(name));
    let [average, discriminator] = ours.each_ref().map(|path| path.to_str().unwrap());
    for (run, init) in [("torch", vec!["nets.safetensors"]), ("ours", vec![average, discriminator])] {
        let mut arguments = vec!["--steps", "1", "--set", "train.ema=0", "--set", "generator.adam.learning_rate=1e-30"];
        arguments.extend(["--set", "discriminator.adam.learning_rate=1e-30"]);
        init.iter().for_each(|file| arguments.extend(["--init", file]));
        bench.train(run, &arguments);
        let weights = |run: &str, file: &str| {
            let bytes = fs::read(bench.path(run).join("checkpoints/latest").join(file)).unwrap();
            let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            bytes[8 + header..].to_vec()
        };
        // Adam's step of 1e-30 is lost in every weight but those that are 0, of which there is none after six steps.
        assert_eq!(weights(run, "discriminator.safetensors"), weights("first", "discriminator.safetensors"), "{run}");
        let config = fs::read_to_string(bench.path(run).join("config.toml")).unwrap();
        assert!(config.contains(".safetensors\""), "the run's recipe says where it began: {config}");
    }
    let said = bench.fails(&["train", "--preset", "quick", "--init", "nets.safetensors", "--dry-run"], 1);
    assert!(
        said.contains("doesn't contain this recipe's generator: missing: ") && said.contains("unexpected: "),
        "{said}"
    );
    fs::write(bench.path("text.safetensors"), "no tensors here").unwrap();
    let said = bench.fails(&["train", "--init", "text.safetensors", "--dry-run"], 1);
    assert!(said.contains("can't be read as safetensors"), "{said}");
    bench.fails(&["train", "--init", "missing.safetensors", "--dry-run"], 1);
    let wider = common::TINY.replace("dense 7*7*4\", \"reshape 7 7 4", "dense 7*7*5\", \"reshape 7 7 5");
    fs::write(bench.path("wider.toml"), wider).unwrap();
    let said = bench.fails(&["train", "--config", "wider.toml", "--init", "nets.safetensors", "--dry-run"], 1);
    assert!(said.contains("generator.dense0.weight has shape [196, 8], expected [245, 8]"), "{said}");
}

/// A module beside the weights replaces none that faussaire didn't write, and hides none of Python's.
#[test]
fn modules_of_others_stay() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "3"]);
    fs::write(bench.path("nets.py"), "print('mine')").unwrap();
    let said = bench.fails(&["export", "mine", "-o", "nets.safetensors"], 2);
    assert!(said.contains("nets.py exists already, and faussaire did not write it"), "{said}");
    assert_eq!(fs::read_to_string(bench.path("nets.py")).unwrap(), "print('mine')");
    let said = bench.fails(&["export", "mine", "-o", "torch.safetensors"], 2);
    assert!(said.contains("would hide Python's own"), "{said}");
    bench.ok(&["export", "mine", "-o", "others.safetensors"]);
    bench.ok(&["export", "mine", "-o", "others.safetensors"]);
}

#[test]
fn what_can_not_be_exported_leaves_nothing() {
    let bench = Bench::new();
    bench.train("mine", &["--steps", "3"]);
    fs::create_dir(bench.path("out")).unwrap();
    let said = bench.fails(&["export", "mine", "--to", "keras", "-o", "out/a.keras"], 2);
    assert!(said.contains("there is no format `keras`; expected one of onnx, safetensors, html"), "{said}");
    let said = bench.fails(&["export", "mine", "-o", "out/a.pt"], 2);
    assert!(said.contains("expected a file that ends in one of .onnx, .safetensors, .html"), "{said}");
    let said = bench.fails(&["export", "mine", "--to", "onnx", "-o", "out/a.html"], 2);
    assert!(said.contains("expected a file that ends in .onnx"), "{said}");
    let said = bench.fails(&["export", "mine", "-o", "nowhere/a.onnx"], 1);
    assert!(said.contains("can't create") && said.contains("nowhere"), "{said}");
    let said = bench.fails(&["export", "out", "-o", "out/a.onnx"], 1);
    assert!(said.contains("out is not a run"), "{said}");
    let said = bench.fails(&["export", "mine", "--checkpoint", "epoch-9999", "-o", "out/a.onnx"], 1);
    assert!(said.contains("there is no checkpoint epoch-9999 in mine; expected one of: best, latest"), "{said}");
    let said = bench.fails(&["export", "mine", "-o", "out/a.html", "--pixels", "uint8"], 2);
    assert!(said.contains("html has no such option"), "{said}");
    bench.fails(&["export", "mine", "-o", "out/a.onnx", "--pixels", "uint16"], 2);
    let weights = bench.path("mine/checkpoints/latest/average.safetensors");
    let mut bytes = fs::read(&weights).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&weights, bytes).unwrap();
    for ending in ["onnx", "safetensors", "html"] {
        let said = bench.fails(&["export", "mine", "-o", &format!("out/a.{ending}")], 1);
        assert!(said.contains("average.safetensors is damaged"), "{said}");
    }
    fs::remove_dir_all(bench.path("mine/checkpoints/latest")).unwrap();
    bench.fails(&["export", "mine", "-o", "out/a.onnx"], 1);
    assert_eq!(names(&bench.path("out")), [""; 0]);
}

#[test]
fn labelled_images_in_archives_and_arrays() {
    let bench = Bench::new();
    fs::write(bench.path("conditional.toml"), CONDITIONAL).unwrap();
    bench.ok(&["train", "--config", "conditional.toml", "--run", "conditional", "--steps", "4", "--quiet"]);
    for to in ["onnx", "safetensors", "html"] {
        bench.ok(&["export", "conditional", "-o", &format!("conditional.{to}")]);
    }
    bench.ok(&["export", "conditional", "-o", "judge.onnx", "--net", "discriminator"]);

    let said = bench.ok(&["sample", "conditional", "-n", "1100", "-o", "images.npy"]);
    assert!(said.contains("images.labels.npy: their labels"), "{said}");
    let labels = fs::read(bench.path("images.labels.npy")).unwrap();
    assert!(String::from_utf8_lossy(&labels[..128]).contains("(1100,)"));
    let labels = &labels[labels.len() - 1100..];
    let pixels = fs::read(bench.path("images.npy")).unwrap();
    let pixels = &pixels[pixels.len() - 1100 * 784..];

    let said = bench.ok(&["sample", "conditional", "-n", "1100", "-o", "images.zip"]);
    assert!(said.contains("images.zip: 1,100 images of 28x28x1"), "{said}");
    // Read by the library's own reader of data sets: folders are classes again, and the table is no image.
    let seen = bench.ok(&["data", "check", "images.zip"]);
    assert!(seen.contains("no bad files"), "{seen}");
    let seen = bench.ok(&["data", "preview", "images.zip", "-o", "seen.png"]);
    assert!(seen.contains("1,100 images of 28x28x1") && seen.contains("rows: 0, 1, 2"), "{seen}");
    let bytes = fs::read(bench.path("images.zip")).unwrap();
    let place = |what: &[u8]| bytes.windows(what.len()).position(|w| w == what).unwrap();
    let table = place(b"file,class\r\n");
    let first = format!("{}/000000.png,{}\r\n", labels[0], labels[0]);
    assert!(bytes[table + 12..].starts_with(first.as_bytes()), "{first}");
    let last = format!("{}/001099.png", labels[1099]);
    let png = place(last.as_bytes()) + last.len();
    let image = image::load_from_memory(&bytes[png..png + 2000.min(bytes.len() - png)]).unwrap();
    assert_eq!(image.to_luma8().as_raw(), &pixels[1099 * 784..]);
    assert_eq!(names(bench.folder.path()).iter().filter(|name| name.contains("part")).count(), 0);

    bench.ok(&["sample", "conditional", "--class", "7", "-n", "3", "-o", "sevens.zip"]);
    let text = String::from_utf8_lossy(&fs::read(bench.path("sevens.zip")).unwrap()).into_owned();
    assert!(text.contains("7/000002.png,7") && !text.contains("/000003.png"));
    let said = bench.fails(&["sample", "conditional", "-n", "3", "-o", "nowhere/sevens.zip"], 1);
    assert!(said.contains("can't create"), "{said}");
}

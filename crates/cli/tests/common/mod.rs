//! What the end-to-end tests share: the binary, a folder to work in, nets so small that a step takes a millisecond.

#![allow(dead_code, clippy::unwrap_used)]

pub mod numbers;
pub mod run_state;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A recipe with batch normalisation and dropout, whose steps are quick.
pub const TINY: &str = r#"
latent = 8
[generator]
layers = ["dense 7*7*4", "reshape 7 7 4", "batchnorm", "leakyrelu 0.2", "upsample 2", "conv 6 3x3", "batchnorm",
          "leakyrelu 0.2", "convtranspose 4 4x4 stride 2", "batchnorm", "relu", "conv 1 5x5", "sigmoid"]
adam = { learning_rate = 1e-3, beta1 = 0.5 }
[discriminator]
layers = ["conv 4 4x4 stride 2", "leakyrelu 0.2", "conv 8 4x4 stride 2", "leakyrelu 0.2", "flatten", "dropout 0.2",
          "dense 1", "sigmoid"]
adam = { learning_rate = 1e-3, beta1 = 0.5 }
[train]
batch = 8
steps = 12
precision = "f32"
"#;

/// A folder of its own for one test, with the tiny recipe in it.
pub struct Bench {
    pub folder: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tiny.toml"), TINY).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_faussaire"));
        command.args(arguments).current_dir(self.folder.path());
        command.env_remove("FAUSSAIRE_DATA").env_remove("FAUSSAIRE_MIRROR").env("XDG_CACHE_HOME", self.path("cache"));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs and expects success; gives stdout.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs and expects a clear error with this exit status: what happened, a hint, no panic. Gives its text.
    pub fn fails(&self, arguments: &[&str], status: i32) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {error}");
        assert!(error.starts_with("error: ") && !error.contains("panicked"), "{arguments:?}: {error}");
        assert!(
            error.contains("hint: ") || error.contains("For more information, try '--help'"),
            "{arguments:?}: {error}"
        );
        error
    }

    /// Trains the tiny recipe in the run folder `name`.
    pub fn train(&self, name: &str, more: &[&str]) -> String {
        let mut arguments = vec!["train", "--config", "tiny.toml", "--run", name, "--quiet"];
        arguments.extend(more);
        self.ok(&arguments)
    }

    /// The bytes of every weight file of a run's latest checkpoint, by name.
    pub fn weights(&self, run: &str) -> Vec<(String, Vec<u8>)> {
        let folder = self.path(run).join("checkpoints/latest");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
            .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
            .collect();
        files.sort();
        assert_eq!(files.len(), 5, "{files:?}");
        files
    }
}

/// The lines of a run's event log.
pub fn events(run: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(run.join("events.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The subcommands, as `--help` lists them between the usage and the options.
pub fn subcommands(bench: &Bench) -> Vec<String> {
    let help = bench.ok(&["--help"]);
    let list = help.split("Usage: ").nth(1).unwrap().split("Options:\n").next().unwrap();
    let rows = list.lines().filter_map(|line| line.strip_prefix("  ").filter(|row| !row.starts_with(' ')));
    rows.map(|row| row.split(' ').next().unwrap().to_owned()).filter(|name| name != "help").collect()
}

//! Runs trained for the tests, and servers in front of them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread::JoinHandle;

use faussaire::data::LabelSettings;
use faussaire::data::{self, OpenOptions};
use faussaire::recipe::Conditional;
use faussaire::run::Run;
use faussaire::train::{Gan, Limits};
use faussaire::trainer::Recorder;
use faussaire::{Device, Recipe};
use faussaire_studio::server::Stop;
use faussaire_studio::{Access, serve, studio};

const TINY: &str = r#"
latent = 8
[generator]
layers = ["dense 7*7*4", "reshape 7 7 4", "batchnorm", "leakyrelu 0.2", "upsample 2", "conv 6 3x3", "leakyrelu 0.2",
          "convtranspose 4 4x4 stride 2", "relu", "conv 1 5x5", "sigmoid"]
[discriminator]
layers = ["conv 4 4x4 stride 2", "leakyrelu 0.2", "conv 8 4x4 stride 2", "leakyrelu 0.2", "flatten", "dense 1", "sigmoid"]
[train]
batch = 8
steps = 12
"#;

/// The folder with the runs of all tests: `plain`, `told` (its labels) and `points`, trained once.
pub fn trained() -> &'static Path {
    static ROOT: OnceLock<tempfile::TempDir> = OnceLock::new();
    let root = ROOT.get_or_init(|| {
        let root = tempfile::tempdir().unwrap();
        train(&root.path().join("plain"), "strokes", false);
        train(&root.path().join("told"), "strokes", true);
        train(&root.path().join("points"), "ring", false);
        root
    });
    root.path()
}

fn train(path: &Path, source: &str, told: bool) {
    let text = match source {
        "ring" => faussaire::Preset::Ring.text(),
        _ => TINY,
    };
    let changes = ["train.steps=12".to_owned(), format!("data.source={source}")];
    let mut recipe = Recipe::parse(text, "tiny", &changes).unwrap();
    let options = recipe.open_options(OpenOptions::default()).count(64);
    let set = data::open(source, &options, &mut |_| ()).unwrap();
    if told {
        let labels = LabelSettings::of(set.as_ref()).unwrap();
        recipe = recipe.conditioned(labels, Conditional::Concat).unwrap();
    }
    let run = Run::create_at(path, &recipe).unwrap();
    let _lock = run.lock().unwrap();
    let mut recorder = Recorder::new(run, None).unwrap();
    let mut gan = Gan::new(recipe, set.into(), &Device::cpu()).unwrap();
    gan.fit(&Limits::steps(12), &mut [&mut recorder]).unwrap();
}

/// A copy of the runs that a test may damage.
pub fn copied(folder: &Path) -> PathBuf {
    let root = folder.join("runs");
    copy(trained(), &root);
    root
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (old, new) = (entry.path(), to.join(entry.file_name()));
        if old.is_dir() { copy(&old, &new) } else { fs::copy(&old, &new).map(|_| ()).unwrap() }
    }
}

/// A server in a thread, ended with the test.
pub struct Running {
    pub at: SocketAddr,
    /// The address that opens any browser, that which opens one once, and the token, where there is one.
    pub link: String,
    pub once: String,
    pub token: String,
    stop: Stop,
    thread: Option<JoinHandle<faussaire::Result<()>>>,
}

impl Running {
    fn start(
        serve: impl FnOnce(&Stop, std::sync::mpsc::Sender<[String; 3]>) -> faussaire::Result<()> + Send + 'static,
    ) -> Self {
        let stop = Stop::default();
        let (told, tell) = (stop.clone(), std::sync::mpsc::channel());
        let thread = std::thread::spawn(move || serve(&told, tell.0));
        let [link, once, token] = tell.1.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
        let host = link.trim_start_matches("http://").split('/').next().unwrap();
        let at = host.replace("localhost", "127.0.0.1").parse().unwrap();
        Self { at, link, once, token, stop, thread: Some(thread) }
    }

    /// Asks for the end; [`Self::ended`] waits for it.
    pub fn ask(&self) {
        self.stop.ask();
    }

    pub fn ended(&mut self) {
        self.thread.take().unwrap().join().unwrap().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.ask();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(std::thread::panicking() || ended.unwrap().is_ok());
        }
    }
}

/// A studio that needs no token, unless `change` says otherwise.
pub fn studio(runs: &Path, change: impl FnOnce(&mut studio::Options)) -> Running {
    let mut options = studio::Options {
        runs: runs.into(),
        host: [127, 0, 0, 1].into(),
        port: Some(0),
        access: Access::Open,
        data: None,
        program: ("no-such-program".into(), Vec::new()),
        assets: None,
    };
    change(&mut options);
    Running::start(move |stop, tell| {
        let ready =
            |ready: &studio::Ready| [ready.link.clone(), ready.once.clone(), ready.token.clone().unwrap_or_default()];
        studio::run(options, stop, |how| tell.send(ready(how)).unwrap())
    })
}

pub fn service(run: &str, change: impl FnOnce(&mut serve::Options)) -> Running {
    let mut options = serve::Options {
        run: trained().join(run),
        checkpoint: None,
        host: [127, 0, 0, 1].into(),
        port: Some(0),
        access: Access::Open,
        queue: 64,
        max_images: 1024,
    };
    change(&mut options);
    Running::start(move |stop, tell| {
        let told =
            |ready: &serve::Ready| [ready.address.clone(), String::new(), ready.token.clone().unwrap_or_default()];
        serve::run(options, stop, |ready| tell.send(told(ready)).unwrap())
    })
}

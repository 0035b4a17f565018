//! A small run, whose files are replaced by what is tried.

use std::path::PathBuf;
use std::sync::OnceLock;

use faussaire::train::{Limits, Request};
use faussaire::trainer::{Data, Options, Trainer};
use faussaire::Recipe;

/// Nets of a few weights.
pub const RECIPE: &str = r#"
latent = 2
data = { source = "ring" }
generator = { layers = ["dense 3", "batchnorm", "leakyrelu 0.2", "dense 2"] }
discriminator = { layers = ["dense 3", "leakyrelu 0.2", "dense 1"] }
train = { batch = 4, steps = 4, precision = "f32" }
"#;

/// The folder of a run of [`RECIPE`], trained once per process.
pub fn folder() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        super::prepare();
        let folder = std::env::temp_dir().join(format!("faussaire-fuzz-run-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        let recipe = recipe();
        let data = Data::open(&recipe, &mut |_| ()).expect("the ring");
        let options = Options::default().limits(Limits::steps(4));
        let trainer = Trainer::new(recipe, data, &options).and_then(|trainer| trainer.at(&folder));
        trainer.and_then(|mut trainer| trainer.run(|_, _| Ok(Request::Continue))).expect("four steps");
        folder
    })
}

/// [`RECIPE`].
pub fn recipe() -> Recipe {
    Recipe::parse(RECIPE, "tiny", &[]).expect("a valid recipe")
}


//! Small runs, whose files are replaced by what is tried, and which servers show.

use std::fs;
use std::path::{Path, PathBuf};
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

/// The same for images.
const IMAGES: &str = r#"
latent = 2
data = { source = "strokes", size = 8, count = 64 }
generator = { layers = ["dense 16", "relu", "dense 64", "reshape 8 8 1", "sigmoid"] }
discriminator = { layers = ["flatten", "dense 4", "leakyrelu 0.2", "dense 1"] }
train = { batch = 4, steps = 4, precision = "f32" }
"#;

/// A folder of two runs, `ring` and `images`, made once per process.
pub fn folders() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        super::prepare();
        let runs = std::env::temp_dir().join(format!("faussaire-fuzz-runs-{}", std::process::id()));
        let _ = fs::remove_dir_all(&runs);
        train(recipe(), &runs.join("ring"));
        train(Recipe::parse(IMAGES, "images", &[]).expect("a valid recipe"), &runs.join("images"));
        runs
    })
}

/// A run of [`RECIPE`].
pub fn folder() -> PathBuf {
    folders().join("ring")
}

/// [`RECIPE`].
pub fn recipe() -> Recipe {
    Recipe::parse(RECIPE, "tiny", &[]).expect("a valid recipe")
}

fn train(recipe: Recipe, folder: &Path) {
    let data = Data::open(&recipe, &mut |_| ()).expect("data that is computed");
    let options = Options::default().limits(Limits::steps(4));
    let trainer = Trainer::new(recipe, data, &options).and_then(|trainer| trainer.at(folder));
    trainer.and_then(|mut trainer| trainer.run(|_, _| Ok(Request::Continue))).expect("four steps");
}

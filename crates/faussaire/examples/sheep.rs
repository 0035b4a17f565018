//! "Draw me a sheep", after the Fidle notebook: a DCGAN with `fit`, a history of losses, a sheet per epoch; saved, read again,
//! and 180 images drawn.
//!
//!     cargo run --release -p faussaire-core --example sheep -- [DATASET] [EPOCHS]

use std::path::{Path, PathBuf};

use faussaire::data::{self, Dataset};
use faussaire::random::Stream;
use faussaire::render::{Images, png, sheet};
use faussaire::train::{Event, Gan, History, Request, Watcher};
use faussaire::{Dcgan, Error, Preset, Recipe, Result};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let dataset = arguments.next().unwrap_or_else(|| "quickdraw:sheep".into());
    let epochs = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(10);
    let outcome = Preset::Fidle.recipe().and_then(|recipe| {
        let dataset = data::open(&dataset, &data::OpenOptions::default(), &mut |_| {})?;
        let folder = Path::new("sheep");
        std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        draw(recipe, dataset, epochs, folder)
    });
    match outcome {
        Ok(history) => println!("D loss by epoch {:?}\nG loss by epoch {:?}", history.d_loss, history.g_loss),
        Err(error) => {
            eprintln!("error: {error}\nhint: {}", error.hint());
            std::process::exit(1);
        }
    }
}

/// Trains and returns the history; sheets, the saved model and 180 images go into `folder`.
pub fn draw(recipe: Recipe, dataset: Box<dyn Dataset>, epochs: u64, folder: &Path) -> Result<History> {
    let (batch, shape) = (recipe.train.batch, dataset.shape());
    let z = Stream::new(0, "sheep").normal(0, 180 * recipe.latent);
    let mut gan = Dcgan::of(recipe);
    let mut sheets = Sheets { folder: folder.to_path_buf() };
    let history = gan.fit_watched(dataset, epochs, batch, &mut [&mut sheets])?.clone();
    gan.save(folder.join("model"))?;
    gan.reload(folder.join("model"))?;
    let images = gan.predict(&z)?;
    let images = Images::from_values(&images, shape, (0.0, 1.0))?;
    png::write(&folder.join("sheep.png"), &sheet::sheet(&images, 12, 15, &sheet::Options::default())?)?;
    Ok(history)
}

/// A callback in the notebook's sense: a sheet of images at the end of every epoch.
struct Sheets {
    folder: PathBuf,
}

impl Watcher for Sheets {
    fn on(&mut self, event: &Event, gan: &Gan) -> Result<Request> {
        if let Event::Epoch { epoch, report } = event {
            println!("epoch {epoch}: D loss {:.4}, G loss {:.4}", report.d_loss, report.g_loss);
            let values = gan.generate(&gan.fixed_latents(40))?;
            let images = Images::from_values(&values, gan.image_shape(), gan.range().bounds())?;
            let picture = sheet::sheet(&images, 4, 10, &sheet::Options::default())?;
            png::write(&self.folder.join(format!("epoch-{epoch:03}.png")), &picture)?;
        }
        Ok(Request::Continue)
    }
}

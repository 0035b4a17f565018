//! "Draw me a sheep", after the Fidle notebook: a DCGAN with `fit`, a history of losses, and a sheet per epoch.
//!
//!     cargo run --release -p faussaire-core --example sheep -- [DATASET] [EPOCHS]

use std::path::{Path, PathBuf};

use faussaire::data::{self, Dataset};
use faussaire::render::{Images, png, sheet};
use faussaire::train::{Event, Gan, History, Limits, Request, Watcher};
use faussaire::trainer::{Options, Trainer};
use faussaire::{Error, Preset, Recipe, Result};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let dataset = arguments.next().unwrap_or_else(|| "quickdraw:sheep".into());
    let epochs = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(5);
    let outcome = Preset::Fidle.recipe().and_then(|recipe| {
        let dataset = data::open(&dataset, &data::OpenOptions::default(), &mut |_| {})?;
        let folder = Path::new("sheep");
        std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        draw(recipe, dataset, Limits::epochs(epochs), folder)
    });
    match outcome {
        Ok(history) => println!("D loss by epoch {:?}\nG loss by epoch {:?}", history.d_loss, history.g_loss),
        Err(error) => {
            eprintln!("error: {error}\nhint: {}", error.hint());
            std::process::exit(1);
        }
    }
}

/// Trains and returns the history; sheets go into `folder`.
pub fn draw(recipe: Recipe, dataset: Box<dyn Dataset>, limits: Limits, folder: &Path) -> Result<History> {
    let mut trainer = Trainer::new(recipe, dataset, &Options::default().limits(limits))?;
    let mut history = History::default();
    let mut sheets = Sheets { folder: folder.to_path_buf() };
    trainer.run_watched(&mut [&mut history, &mut sheets])?;
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

//! Starts a run in a folder, or resumes it exactly where it was, a little further at every call.
//!
//!     cargo run --release -p faussaire-core --example resume -- FOLDER

use std::path::PathBuf;

use faussaire::prelude::*;
use faussaire::trainer::resumed_recipe;

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "ring-run".into()));
    let found = Run::open(&folder).ok();
    let recipe = match &found {
        Some(run) => resumed_recipe(run, &[])?,
        None => Preset::Ring.recipe()?,
    };
    let data = Data::open(&recipe, &mut |_| ())?;
    let mut trainer = match found {
        Some(run) => Trainer::resume(run, data, &Options::default())?,
        None => Trainer::new(recipe, data, &Options::default())?.at(&folder)?,
    };
    trainer.extend(Limits::steps(trainer.gan().progress.step + 500));
    let ending = trainer.run(|_, _| Ok(Request::Continue))?;
    println!("{ending} at step {}, in {}", trainer.gan().progress.step, folder.display());
    Ok(())
}

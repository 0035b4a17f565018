//! Initial weights from an earlier training, here or in PyTorch.

use std::path::Path;

use crate::error::{Error, Result};
use crate::export::init;
use crate::train::Gan;

/// Loads the weights in the recipe's `train.init` files into `gan`, before the first step. A net that is in no file
/// keeps its random weights; of two files with the same net the later one counts. Adam's moments start at 0.
///
/// # Errors
/// A file that can't be read, that contains neither net, or whose nets differ from the recipe's.
pub(super) fn initialise(gan: &mut Gan) -> Result<()> {
    let device = gan.device().clone();
    let [mut generator, mut discriminator] = [None, None];
    for file in &gan.recipe.train.init {
        let path = Path::new(file);
        let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
        let found = [&gan.generator, &gan.discriminator].map(|model| init::read(&bytes, path, &model.net, &device));
        let [g, d] = found;
        let (g, d) = (g?, d?);
        if g.is_none() && d.is_none() {
            return Err(Error::run(
                format!("{} contains no weights of a generator or discriminator", path.display()),
                "its tensors must have names such as generator.0.dense.weight, as in a checkpoint, or \
                 generator.dense0.weight, as in an export to safetensors (`train.init`)",
            ));
        }
        (generator, discriminator) = (g.or(generator), d.or(discriminator));
    }
    gan.replace_weights(generator, discriminator);
    Ok(())
}

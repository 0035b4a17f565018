//! Weights to begin with that an earlier training left, here or in PyTorch.

use std::path::Path;

use crate::error::{Error, Result};
use crate::export::init;
use crate::train::Gan;

/// Gives `gan` the weights in its recipe's `train.init` files, before the first step. A net that no file holds stays as it
/// was drawn; of two files that hold a net the later one counts. Adam begins anew.
///
/// # Errors
/// A file that can't be read, that holds neither net, or whose nets are others than the recipe's.
pub fn initialise(gan: &mut Gan) -> Result<()> {
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
                format!("{} holds no weights of a generator or discriminator", path.display()),
                "its tensors are to be called generator.0.dense.weight and so on, as in a checkpoint, or \
                 generator.dense0.weight, as in an export to safetensors (`train.init`)",
            ));
        }
        (generator, discriminator) = (g.or(generator), d.or(discriminator));
    }
    gan.replace_weights(generator, discriminator);
    Ok(())
}

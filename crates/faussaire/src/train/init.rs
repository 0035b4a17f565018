//! Weights to begin with that an earlier training left, here or in PyTorch.

use std::path::Path;

use super::{Average, Gan};
use crate::error::{Error, Result};
use crate::export::init;

impl Gan {
    /// Takes the weights in the recipe's `train.init` files, before the first step. A net that no file holds stays as it was
    /// drawn; of two files that hold a net the later one counts. Adam begins anew.
    ///
    /// # Errors
    /// A file that can't be read, that holds neither net, or whose nets are others than the recipe's.
    pub fn initialise(&mut self) -> Result<()> {
        for file in self.recipe.train.init.clone() {
            let path = Path::new(&file);
            let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
            let mut found = false;
            for model in [&mut self.generator, &mut self.discriminator] {
                if let Some(weights) = init::read(&bytes, path, &model.net, &self.device)? {
                    model.weights = weights;
                    found = true;
                }
            }
            if !found {
                return Err(Error::run(
                    format!("{} holds no weights of a generator or discriminator", path.display()),
                    "its tensors are to be called generator.0.dense.weight and so on, as in a checkpoint, or \
                     generator.dense0.weight, as `faussaire export --to safetensors` writes them",
                ));
            }
        }
        self.average = Average::new(self.generator.weights.clone(), self.recipe.train.ema as f32);
        self.forget_settled();
        Ok(())
    }
}

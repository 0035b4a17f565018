//! How a recipe wants its data opened.

use super::Recipe;
use crate::data::OpenOptions;

impl Recipe {
    /// The options to open `data.source` with; what `given` says already stays.
    pub fn open_options(&self, given: OpenOptions) -> OpenOptions {
        let data = &self.data;
        OpenOptions {
            data_dir: given.data_dir.or_else(|| (!data.dir.is_empty()).then(|| data.dir.clone().into())),
            size: (data.size > 0).then_some((data.size, data.size)),
            fit: data.fit,
            channels: (data.channels > 0).then_some(data.channels),
            seed: self.train.seed,
            ..given
        }
    }
}

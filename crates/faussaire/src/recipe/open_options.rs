//! The options with which a recipe's data are opened.

use super::Recipe;
use crate::data::OpenOptions;

impl Recipe {
    /// The options for opening `data.source`; those of `given` take precedence.
    pub fn open_options(&self, given: OpenOptions) -> OpenOptions {
        let data = &self.data;
        let dir = given.data_dir.clone().or_else(|| (!data.dir.is_empty()).then(|| data.dir.clone().into()));
        given
            .data_dir(dir)
            .size(data.size.sides())
            .fit(data.fit)
            .channels((data.channels > 0).then_some(data.channels))
            .background(data.background.parse().unwrap_or_default())
            .range(match data.range[..] {
                [low, high] => Some((low as f32, high as f32)),
                _ => None,
            })
            .seed(self.train.seed)
    }
}

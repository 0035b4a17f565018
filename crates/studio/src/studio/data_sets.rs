//! Data sets behind the runs: real images for the expert quiz, and the classifier that finds label directions in latent
//! space. Sets are opened once; paths are allowed only if the studio serves this machine alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use faussaire::data::{self, OpenOptions};
use faussaire::judging::Reference;
use faussaire::play::{Direction, label_directions};
use faussaire::run::Run;
use faussaire::{Device, Recipe};

use crate::engine::Loaded;
use crate::errors::{Answer, Failure};
use crate::work::Work;

/// Maximum open data sets.
const MAX_OPEN: usize = 2;
/// Maximum checkpoints with cached directions.
const MAX_CACHED: usize = 64;
/// Number of generated images classified to find directions.
const CLASSIFIED: usize = 1_000;
/// Maximum values of one of them: 250 are in memory at a time.
const MAX_CLASSIFIED_VALUES: usize = 1 << 18;

/// Open data sets and cached directions.
#[derive(Debug)]
pub(crate) struct DataSets {
    dir: Option<PathBuf>,
    /// Whether a run's recipe may name a path.
    paths: bool,
    open: Mutex<Vec<(String, Reference)>>,
    /// Label directions by run and step; locked during the computation, so that it runs once.
    directions: Mutex<BTreeMap<(PathBuf, u64), Vec<Direction>>>,
}

impl DataSets {
    pub(super) fn new(dir: Option<PathBuf>, paths: bool) -> Self {
        Self { dir, paths, open: Mutex::default(), directions: Mutex::default() }
    }

    /// The real images of `recipe`: the test part if the data set has one, else the training images. Blocks.
    pub(super) fn reference(&self, recipe: &Recipe) -> Answer<Reference> {
        let source = &recipe.data.source;
        if !self.paths && !data::is_name(source) {
            return Err(Failure::new(
                axum::http::StatusCode::FORBIDDEN,
                "this run's data is a local folder, which is not served to other machines",
                "open the studio on the machine it runs on",
            ));
        }
        let options = recipe.open_options(OpenOptions::default().data_dir(self.dir.clone()));
        let key = format!("{source} {options:?}");
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = open.iter().position(|(known, _)| *known == key) {
            let entry = open.remove(at);
            open.push(entry.clone());
            return Ok(entry.1);
        }
        // The studio downloads nothing for a quiz.
        let listed = data::list(&options)?.into_iter().find(|row| row.name == *source);
        if listed.is_some_and(|row| matches!(row.location, data::Location::Remote | data::Location::Manual)) {
            return Err(Failure::conflict(
                format!("the data set {source} is not on this machine"),
                format!("fetch it with `faussaire data fetch {source}`"),
            ));
        }
        let reference = Reference::open(source, &options, &mut |_| ())?;
        if open.len() >= MAX_OPEN {
            open.remove(0);
        }
        open.push((key, reference.clone()));
        Ok(reference)
    }

    /// Directions of the data's labels, if a classifier of the data has been trained; else none. Blocks.
    pub(super) fn label_directions(&self, work: &Work, run: &Path, loaded: &Loaded) -> Vec<Direction> {
        let key = (run.to_path_buf(), loaded.sampler.step);
        let mut cache = self.directions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(directions) = cache.get(&key) {
            return directions.clone();
        }
        if cache.len() >= MAX_CACHED {
            cache.clear();
        }
        // A conditional generator needs none, and without a classifier there are none.
        let directions = self.find_directions(work, run, loaded).unwrap_or_default();
        cache.insert(key, directions.clone());
        directions
    }

    fn find_directions(&self, work: &Work, run: &Path, loaded: &Loaded) -> Answer<Vec<Direction>> {
        let recipe = Run::open(run)?.recipe(&[])?;
        let conditional = !loaded.sampler.labels().names.is_empty();
        let values = loaded.sampler.shape().len().max(loaded.sampler.latent());
        if conditional || !data::is_name(&recipe.data.source) || values > MAX_CLASSIFIED_VALUES {
            return Ok(Vec::new());
        }
        let reference = self.reference(&recipe)?;
        work.on_pool(|| match reference.cached_classifier(&Device::cpu())? {
            Some(judge) => Ok(label_directions(&loaded.sampler, &judge, CLASSIFIED)?),
            None => Ok(Vec::new()),
        })
    }
}

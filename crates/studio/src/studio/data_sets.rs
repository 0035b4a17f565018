//! Data sets that the studio looks into beside the runs: real images for the expert's game, and the judge's view of a
//! generator's latent space. They are opened once, and only by name unless nobody but this machine can ask.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use faussaire::data::{self, OpenOptions};
use faussaire::judging::Reference;
use faussaire::play::{Direction, label_directions};
use faussaire::run::Run;
use faussaire::{Device, Recipe, device};

use crate::engine::Loaded;
use crate::errors::{Answer, Failure};

/// Sets that stay open.
const OPEN: usize = 2;
/// Checkpoints whose directions are remembered.
const KNOWN: usize = 64;
/// Images that are judged to find directions.
const JUDGED: usize = 1_000;

/// The sets that are open.
#[derive(Debug)]
pub(crate) struct DataSets {
    dir: Option<PathBuf>,
    /// Whether a run's recipe may name a path.
    paths: bool,
    open: Mutex<Vec<(String, Reference)>>,
    /// Directions by label, of a run's checkpoint; held while they are looked for, so that nobody else does the same.
    found: Mutex<BTreeMap<(PathBuf, u64), Vec<Direction>>>,
}

impl DataSets {
    pub(super) fn new(dir: Option<PathBuf>, paths: bool) -> Self {
        Self { dir, paths, open: Mutex::default(), found: Mutex::default() }
    }

    /// The real images behind `recipe`: those held back where the set has such, else those that were learned from. It blocks.
    pub(super) fn of(&self, recipe: &Recipe) -> Answer<Reference> {
        let source = &recipe.data.source;
        if !self.paths && !data::is_name(source) {
            return Err(Failure::new(
                axum::http::StatusCode::FORBIDDEN,
                "this run's data is a folder of this machine, which is not shown to others",
                "open the studio on the machine itself",
            ));
        }
        let options = recipe.open_options(OpenOptions { data_dir: self.dir.clone(), ..OpenOptions::default() });
        let key = format!("{source} {options:?}");
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = open.iter().position(|(known, _)| *known == key) {
            let found = open.remove(at);
            open.push(found.clone());
            return Ok(found.1);
        }
        // Nothing is fetched from the network for a game.
        let here = data::list(&options)?.into_iter().find(|row| row.name == *source);
        if here.is_some_and(|row| matches!(row.place, data::Place::Elsewhere | data::Place::ByHand)) {
            return Err(Failure::conflict(
                format!("the data set {source} is not on this machine"),
                format!("fetch it with `faussaire data fetch {source}`"),
            ));
        }
        let reference = Reference::open(source, &options, &mut |_| ())?;
        if open.len() >= OPEN {
            open.remove(0);
        }
        open.push((key, reference.clone()));
        Ok(reference)
    }

    /// Directions by the labels of the run's data, where a judge of it was trained before; none else. It blocks.
    pub(super) fn label_directions(&self, run: &Path, loaded: &Loaded) -> Vec<Direction> {
        let key = (run.to_path_buf(), loaded.sampler.step);
        let mut known = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.get(&key) {
            return found.clone();
        }
        if known.len() >= KNOWN {
            known.clear();
        }
        // A generator that is told its labels needs none, and without a judge there are none.
        let found = self.judged(run, loaded).unwrap_or_default();
        known.insert(key, found.clone());
        found
    }

    fn judged(&self, run: &Path, loaded: &Loaded) -> Answer<Vec<Direction>> {
        let recipe = Run::open(run)?.recipe(&[])?;
        let told = !loaded.sampler.labels().names.is_empty();
        if told || !data::is_name(&recipe.data.source) {
            return Ok(Vec::new());
        }
        let reference = self.of(&recipe)?;
        device::on_pool(|| match reference.known_classifier(&Device::flex())? {
            Some(judge) => Ok(label_directions(&loaded.sampler, &judge, JUDGED)?),
            None => Ok(Vec::new()),
        })
    }
}

//! A training of several ranks. Rank 0 leads: it has the run folder, the clock and the doctor, and tells the others before every
//! step what comes next. They have the nets and the data, and follow ([`follow`]).

use std::sync::Arc;

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::Data;
use crate::Device;
use crate::data::{Dataset, Digest};
use crate::error::{Error, Result};
use crate::ops::{host, tensor};
use crate::ranks::{Ranks, agreed, failed};
use crate::recipe::Recipe;
use crate::train::{Gan, Progress};

/// What rank 0 tells the others to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Order {
    /// Make the next step.
    Step = 1,
    /// Take over recipe, weights and progress: at the start, and after a heal.
    Adopt = 2,
    /// The training has ended.
    End = 3,
    /// It has ended with an error, which rank 0 reports.
    Fail = 4,
}

impl Order {
    fn tell(self, ranks: &Ranks) -> Result<()> {
        ranks.tell(&mut [self as u8]).map_err(failed)
    }

    fn hear(ranks: &Ranks) -> Result<Self> {
        let mut order = [0];
        ranks.tell(&mut order).map_err(failed)?;
        [Self::Step, Self::Adopt, Self::End, Self::Fail].into_iter().find(|known| *known as u8 == order[0]).ok_or_else(
            || {
                Error::usage(
                    format!("rank 0 gave the order {}, which is unknown", order[0]),
                    "use the same program in all ranks",
                )
            },
        )
    }
}

/// What must be the same in all ranks, and what they take over.
#[derive(Serialize, Deserialize)]
struct Shared {
    /// Version of the program, and the digest of its file.
    program: [String; 2],
    /// Instruction set of the kernels, and the fastest number format of the processor.
    processor: [String; 2],
    /// Digest of the training images.
    data: String,
    /// The same of their names and lengths.
    names: String,
    recipe: String,
    step: u64,
    images: u64,
    train_s: f64,
    augment: f64,
    /// Updates of the optimizers of G and D.
    updates: [u64; 2],
}

impl Shared {
    fn of(gan: &Gan) -> Result<Self> {
        let Progress { step, images, train_s, augment, .. } = gan.progress;
        let updates = [gan.generator.updates(), gan.discriminator.updates()];
        let (program, processor) = (program(), processor());
        let (data, names, recipe) = (gan.dataset().fingerprint(), names(gan.dataset()), gan.recipe.to_toml()?);
        Ok(Self { program, processor, data, names, recipe, step, images, train_s, augment, updates })
    }
}

/// What a set is known by whatever the content of its files.
fn names(set: &dyn Dataset) -> String {
    set.earlier_fingerprints().into_iter().next().unwrap_or_else(|| set.fingerprint())
}

/// Whether some image of a set can't be used.
fn has_unusable(set: &dyn Dataset) -> bool {
    let mut image = vec![0.0; set.shape().len()];
    (0..set.len()).any(|index| set.read(index, &mut image).is_err() || !set.skipped().is_empty())
}

fn program() -> [String; 2] {
    let file = std::env::current_exe().and_then(std::fs::read).unwrap_or_default();
    [env!("CARGO_PKG_VERSION").to_owned(), Digest::of(&file)]
}

fn processor() -> [String; 2] {
    let fastest = crate::ops::Precision::fastest();
    [faussaire_kernels::isa::isa().name().to_owned(), fastest.name().to_owned()]
}

/// `recipe` with as many slices as there are ranks, if it leaves that open.
///
/// # Errors
/// A number of ranks that can't be one of slices.
pub(super) fn sliced(mut recipe: Recipe, ranks: &Ranks) -> Result<Recipe> {
    let size = ranks.size();
    if size == 1 || recipe.train.slices > 1 {
        return Ok(recipe);
    }
    if !size.is_power_of_two() {
        return Err(Error::usage(
            format!(
                "{size} ranks: expected a power of two, since they share the slices of a batch (`train.slices`) equally"
            ),
            "start 2, 4, 8, ... ranks",
        ));
    }
    recipe.train.slices = size;
    Ok(recipe)
}

/// Tells the other ranks to take over the state of `gan`, unless it is `shared`.
///
/// # Errors
/// A rank with another program, processor or other data.
pub(super) fn share(gan: &Gan, shared: &mut bool) -> Result<()> {
    let ranks = gan.ranks();
    if ranks.size() > 1 && !std::mem::replace(shared, true) {
        let told = Shared::of(gan)?;
        let text = serde_json::to_vec(&told).map_err(|error| {
            Error::run(format!("the training can't be told to other ranks: {error}"), "report this")
        })?;
        Order::Adopt.tell(ranks)?;
        ranks.tell_all(text).map_err(failed)?;
        agreed(ranks, Ok(()))?;
        let values: Vec<u8> = tensors(gan).iter().flat_map(|t| host(t)).flat_map(f32::to_le_bytes).collect();
        ranks.tell_all(values).map_err(failed)?;
    }
    Ok(())
}

/// [Shares](share) the state of `gan` and tells the other ranks to make the next step.
///
/// # Errors
/// As those of [`share`].
pub(super) fn lead(gan: &Gan, shared: &mut bool) -> Result<()> {
    share(gan, shared)?;
    if gan.ranks().size() > 1 { Order::Step.tell(gan.ranks()) } else { Ok(()) }
}

/// Tells the other ranks that the training has ended, `well` or with an error. To be called by rank 0, once, whatever happened.
///
/// # Errors
/// A failure of MPI.
pub fn dismiss(ranks: &Ranks, well: bool) -> Result<()> {
    if ranks.size() == 1 {
        return Ok(());
    }
    if well { Order::End.tell(ranks) } else { Order::Fail.tell(ranks) }
}

/// Does what rank 0 tells, until it has [dismissed](dismiss) the others: whether the training ended well. An error, of whichever
/// rank, is reported by rank 0.
///
/// # Errors
/// A failure of MPI.
pub fn follow(ranks: &Arc<Ranks>, device: &Device) -> Result<bool> {
    let mut gan = None;
    loop {
        match Order::hear(ranks)? {
            Order::Step => {
                // Whatever went wrong is known to rank 0, which decides what follows.
                if let Some(gan) = &mut gan {
                    let _ = Gan::step(gan);
                }
            }
            Order::Adopt => {
                let text = ranks.tell_all(Vec::new()).map_err(failed)?;
                if let Ok((mut new, told)) = agreed(ranks, joined(&text, ranks, device)) {
                    adopt(&mut new, &told, &ranks.tell_all(Vec::new()).map_err(failed)?);
                    gan = Some(new);
                }
            }
            Order::End => return Ok(true),
            Order::Fail => return Ok(false),
        }
    }
}

/// The training that rank 0 tells of, in this rank.
fn joined(text: &[u8], ranks: &Arc<Ranks>, device: &Device) -> Result<(Gan, Shared)> {
    let told: Shared = serde_json::from_slice(text).map_err(|error| {
        Error::usage(format!("what rank 0 tells can't be read: {error}"), "use the same program in all ranks")
    })?;
    let [program, processor] = [program(), processor()];
    if program != told.program {
        let what = match program[0] == told.program[0] {
            true => format!("this rank runs another build of faussaire {} than rank 0", program[0]),
            false => format!("this rank runs faussaire {}, rank 0 {}", program[0], told.program[0]),
        };
        return Err(Error::usage(what, "install the same file on all machines"));
    }
    if processor[0] != told.processor[0] {
        return Err(Error::usage(
            format!(
                "this rank computes with {}, rank 0 with {}: they would drift apart",
                processor[0], told.processor[0]
            ),
            "set FAUSSAIRE_ISA to the lesser of both in all ranks (avx2 before avx512 before amx), such as \
             `mpirun -x FAUSSAIRE_ISA=avx2`",
        ));
    }
    let recipe = Recipe::parse(&told.recipe, "the recipe of rank 0", &[])?;
    if recipe.train.precision == crate::recipe::PrecisionChoice::Bf16 && processor != told.processor {
        return Err(Error::usage(
            format!(
                "this rank's processor prefers {}, rank 0's {}: bf16 would differ",
                processor[1], told.processor[1]
            ),
            "train in f32 (`train.precision`)",
        ));
    }
    let data = Data::open(&recipe, &mut |_| ())?;
    let gan = Gan::among(recipe, data.shared(), device, Arc::clone(ranks))?;
    let set = gan.dataset();
    let differs = set.fingerprint() != told.data;
    // An image that can't be used here is named when it is needed.
    if differs && (names(set) != told.names || !has_unusable(set)) {
        return Err(Error::data(
            format!("{} has other images here than at rank 0", set.name()),
            "give all machines the same files: a shared folder, or copies",
        ));
    }
    Ok((gan, told))
}

/// All that the next step depends on besides recipe and data.
fn tensors(gan: &Gan) -> Vec<&Tensor<1>> {
    let moments = [&gan.generator, &gan.discriminator].into_iter().filter_map(|model| model.optimizer.as_ref());
    let weights = [&gan.generator.weights, &gan.discriminator.weights, &gan.ema.weights];
    weights.into_iter().flat_map(|w| w.tensors()).chain(moments.flat_map(|o| o.moments.iter().flatten())).collect()
}

fn tensors_mut(gan: &mut Gan) -> Vec<&mut Tensor<1>> {
    let Gan { generator, discriminator, ema, .. } = gan;
    let mut all: Vec<&mut Tensor<1>> = Vec::new();
    let mut moments = Vec::new();
    for model in [generator, discriminator] {
        all.extend(model.weights.tensors_mut());
        moments.extend(model.optimizer.iter_mut().flat_map(|optimizer| optimizer.moments.iter_mut().flatten()));
    }
    all.extend(ema.weights.tensors_mut());
    all.extend(moments);
    all
}

/// Takes over the progress and the tensors of rank 0, whose nets are the same.
fn adopt(gan: &mut Gan, told: &Shared, values: &[u8]) {
    gan.progress.step = told.step;
    gan.progress.images = told.images;
    gan.progress.train_s = told.train_s;
    gan.progress.augment = told.augment;
    for (model, updates) in [&mut gan.generator, &mut gan.discriminator].into_iter().zip(told.updates) {
        if let Some(optimizer) = &mut model.optimizer {
            optimizer.updates = updates;
        }
    }
    let mut rest = values;
    for t in tensors_mut(gan) {
        let length = t.dims()[0];
        let Some((own, others)) = rest.split_at_checked(length * size_of::<f32>()) else { return };
        rest = others;
        let (chunks, _) = own.as_chunks::<{ size_of::<f32>() }>();
        *t = tensor(chunks.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect(), [length], &t.device());
    }
}

//! A batch in slices (`train.slices`): each has an equal share of the images and gives a gradient of its own. The gradients are
//! added over a binary tree of slices and divided by their number, which is a power of two, so that the result depends neither on
//! how many threads compute the slices nor on how many processes do.
//!
//! A slice runs on a thread pool of its own: it waits for the others in batch normalisation, and no other slice may wait for the
//! threads that it waits on. No more slices compute at the same time than there are threads.

use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use burn::tensor::Tensor;
use faussaire_ranks::{Ranks, tree};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::Device;
use crate::error::{Error, Result};
use crate::ops::{Peers, Slice, host, tensor};
use crate::ranks::failed;

/// The gradient of each trainable weight, in order.
pub(super) type Gradients = Vec<Option<Tensor<1>>>;

/// The slices of a training's batches, and those of them that this process computes.
#[derive(Debug)]
pub(super) struct Slices {
    count: usize,
    here: Range<usize>,
    /// One for each slice here; none where the batch is not sliced.
    pools: Vec<ThreadPool>,
    meeting: Arc<Meeting>,
    ranks: Arc<Ranks>,
}

/// What a slice has of a batch.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The slice; none: all of the batch.
    pub slice: Option<Slice>,
    /// The number of the slice, from 0, and among those of this process.
    index: usize,
    index_here: usize,
    count: usize,
}

impl Part {
    /// The whole batch.
    pub fn whole() -> Self {
        Self { slice: None, index: 0, index_here: 0, count: 1 }
    }

    /// Its rows of a tensor of the whole batch.
    pub fn rows(&self, whole: Tensor<4>) -> Tensor<4> {
        self.cut(whole, self.index, self.count)
    }

    /// Its rows of a tensor of the images of this process.
    pub fn rows_here(&self, here: Tensor<4>, slices_here: usize) -> Tensor<4> {
        self.cut(here, self.index_here, slices_here)
    }

    fn cut(&self, rows: Tensor<4>, index: usize, count: usize) -> Tensor<4> {
        if self.count == 1 {
            return rows;
        }
        let each = rows.dims()[0] / count;
        rows.narrow(0, index * each, each)
    }

    /// The name of its own random stream for what `name` is in an unsliced batch.
    pub fn stream(&self, name: String) -> String {
        if self.count == 1 { name } else { format!("{name}.slice{}", self.index) }
    }
}

impl Slices {
    /// `count` slices, computed by `ranks`.
    ///
    /// # Errors
    /// Ranks that don't divide the slices, slices on a device other than the processor, or threads that can't be started.
    pub fn new(count: usize, ranks: Arc<Ranks>, device: &Device) -> Result<Self> {
        let size = ranks.size();
        if !count.is_multiple_of(size) {
            return Err(Error::usage(
                format!("{size} ranks can't share the {count} slices of a batch (`train.slices`) equally"),
                format!(
                    "start 1, 2, 4, ... ranks, at most {count}; or set `train.slices` for a new run to a multiple of the ranks"
                ),
            ));
        }
        if count > 1 && !device.is_cpu() {
            return Err(Error::usage(
                format!("`train.slices` is {count}, but slices are computed on the processor only"),
                "use the device cpu, or `train.slices` 1",
            ));
        }
        let each = count / size;
        let here = ranks.rank() * each..(ranks.rank() + 1) * each;
        let threads = rayon::current_num_threads();
        let pools = match count {
            1 => Vec::new(),
            _ => here.clone().map(|slice| pool(slice, threads.div_ceil(each))).collect::<Result<_>>()?,
        };
        let meeting = Meeting::new(here.clone(), threads.min(each), Arc::clone(&ranks));
        Ok(Self { count, here, pools, meeting: Arc::new(meeting), ranks })
    }

    /// The processes that compute the slices.
    pub fn ranks(&self) -> &Arc<Ranks> {
        &self.ranks
    }

    /// How many slices this process computes.
    pub fn count_here(&self) -> usize {
        self.here.len()
    }

    /// The images of a batch of `batch` that this process needs.
    pub fn images(&self, batch: usize) -> Range<usize> {
        let each = batch / self.count;
        self.here.start * each..self.here.end * each
    }

    /// Calls `work` for every slice of this process, at the same time; the results in order.
    ///
    /// # Errors
    /// A failure of MPI, where slices wait for those of other ranks.
    pub fn run<T: Send>(&self, work: impl Fn(&Part) -> T + Sync) -> Result<Vec<T>> {
        if self.pools.is_empty() {
            return Ok(vec![work(&Part::whole())]);
        }
        let peers: Arc<dyn Peers> = Arc::clone(&self.meeting) as Arc<dyn Peers>;
        let parts = self.here.clone().enumerate().map(|(index_here, index)| {
            let slice = Some(Slice::new(index, self.count, Arc::clone(&peers)));
            Part { slice, index, index_here, count: self.count }
        });
        let (work, meeting) = (&work, &*self.meeting);
        let ended: Vec<_> = std::thread::scope(|scope| {
            let started: Vec<_> = parts
                .zip(&self.pools)
                .map(|(part, pool)| {
                    scope.spawn(move || {
                        let _turn = meeting.enter();
                        pool.install(|| work(&part))
                    })
                })
                .collect();
            started.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
        });
        let mut made = Vec::with_capacity(ended.len());
        let mut broken = None;
        for result in ended {
            match result.map_err(|panic| panic.downcast::<Broken>()) {
                Ok(result) => made.push(result),
                Err(Ok(why)) => broken = Some(why),
                Err(Err(panic)) => std::panic::resume_unwind(panic),
            }
        }
        match broken {
            Some(why) => Err(Error::run(why.0, "resume the run from its last checkpoint")),
            None => Ok(made),
        }
    }

    /// Compares the weights of all ranks after step `step`.
    ///
    /// # Errors
    /// A rank whose weights differ from those of rank 0: in all ranks.
    pub fn compare<'a>(&self, step: u64, weights: impl Iterator<Item = &'a Tensor<1>>) -> Result<()> {
        if self.ranks.size() == 1 {
            return Ok(());
        }
        let all = self.ranks.gather(&digest(weights).to_le_bytes()).map_err(failed)?;
        let (digests, _) = all.as_chunks::<8>();
        match digests.iter().position(|digest| *digest != digests[0]) {
            None => Ok(()),
            Some(rank) => Err(Error::run(
                format!("after step {step} rank {rank} has other weights than rank 0: a machine computes differently"),
                "resume from the last checkpoint without that machine; please report which processors there are",
            )),
        }
    }

    /// The numbers of all slices in their order; `here` has those of this process, as many for each.
    ///
    /// # Errors
    /// A failure of MPI.
    pub fn gather(&self, here: &[Vec<f32>]) -> Result<Vec<f32>> {
        self.ranks.gather_values(&here.concat()).map_err(failed)
    }

    /// The mean over all slices of a number of each, added up over the tree.
    pub fn mean(&self, all: impl IntoIterator<Item = f32>) -> f32 {
        tree(all.into_iter().collect(), |a, b| a + b).map_or(0.0, |sum| sum / self.count as f32)
    }

    /// The mean over all slices of their gradients.
    ///
    /// # Errors
    /// A failure of MPI.
    pub fn mean_gradients(&self, here: Vec<Gradients>, device: &Device) -> Result<Gradients> {
        let add = |a: Gradients, b: Gradients| a.into_iter().zip(b).map(|(a, b)| Some(a?.add(b?))).collect();
        let mut sum = tree(here, add).unwrap_or_default();
        if self.ranks.size() > 1 {
            let lengths: Vec<Option<usize>> = sum.iter().map(|t| t.as_ref().map(|t| t.dims()[0])).collect();
            let mut flat = Vec::new();
            sum.iter().flatten().for_each(|t| with_values(t, |values| flat.extend_from_slice(values)));
            self.ranks.sum(&mut flat).map_err(failed)?;
            let mut rest = flat.as_slice();
            sum = lengths
                .into_iter()
                .map(|length| {
                    let (own, others) = rest.split_at_checked(length?)?;
                    rest = others;
                    Some(tensor(own.to_vec(), [own.len()], device))
                })
                .collect();
        }
        if self.count == 1 {
            return Ok(sum);
        }
        Ok(sum.into_iter().map(|t| t.map(|t| t.mul_scalar(1.0 / self.count as f32))).collect())
    }
}

/// Calls `see` with the values of `t`.
fn with_values(t: &Tensor<1>, see: impl FnOnce(&[f32])) {
    let data = t.clone().into_data();
    match data.as_slice::<f32>() {
        Ok(values) => see(values),
        Err(_) => see(&host(t)),
    }
}

/// A digest of these weights; quick, since it is made in every step.
fn digest<'a>(weights: impl Iterator<Item = &'a Tensor<1>>) -> u64 {
    const LANES: usize = 8;
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |sum: u64, value: u64| (sum ^ value).wrapping_mul(FACTOR).rotate_left(23);
    let mut lanes = [FACTOR; LANES];
    for t in weights {
        with_values(t, |values| {
            let (blocks, rest) = values.as_chunks::<LANES>();
            for block in blocks {
                lanes.iter_mut().zip(block).for_each(|(lane, value)| *lane = mix(*lane, u64::from(value.to_bits())));
            }
            rest.iter().for_each(|value| lanes[0] = mix(lanes[0], u64::from(value.to_bits())));
        });
    }
    lanes.into_iter().fold(0, mix)
}

fn pool(slice: usize, threads: usize) -> Result<ThreadPool> {
    let name = move |thread| format!("slice {slice}, thread {thread}");
    ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build().map_err(|error| {
        Error::usage(
            format!("{threads} threads for a slice of the batch can't be started: {error}"),
            "close other programs",
        )
    })
}

/// Where the slices of this process wait for each other, and for those of other processes.
#[derive(Debug)]
struct Meeting {
    here: Range<usize>,
    ranks: Arc<Ranks>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// How many more slices may compute.
    free: usize,
    /// Counts the meetings.
    round: u64,
    arrived: usize,
    parts: Vec<Vec<f32>>,
    all: Arc<Vec<f32>>,
    /// Why there will be no further meeting: a slice has failed.
    broken: Option<String>,
}

/// Ends the slices that wait for one that has failed.
struct Broken(String);

/// Computes; ends with the slice.
struct Turn<'a>(&'a Meeting);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.free += 1;
        if std::thread::panicking() && state.broken.is_none() {
            state.broken = Some("another slice of the batch has failed".into());
        }
        self.0.changed.notify_all();
    }
}

impl Meeting {
    fn new(here: Range<usize>, free: usize, ranks: Arc<Ranks>) -> Self {
        let parts = vec![Vec::new(); here.len()];
        let state = State { free, round: 0, arrived: 0, parts, all: Arc::default(), broken: None };
        Self { here, ranks, state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a slice more may compute.
    fn enter(&self) -> Turn<'_> {
        drop(self.take_turn(self.lock()));
        Turn(self)
    }

    fn take_turn<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        while state.free == 0 {
            state = self.wait(state);
        }
        state.free -= 1;
        state
    }

    /// The numbers of all slices, once they are all there.
    fn complete(&self, state: &mut State) {
        let here = state.parts.concat();
        match self.ranks.gather_values(&here) {
            Ok(all) => state.all = Arc::new(all),
            Err(refused) => state.broken = Some(refused.to_string()),
        }
        state.arrived = 0;
        state.round += 1;
    }
}

impl Peers for Meeting {
    /// Where another slice has failed, it doesn't return: [`Slices::run`] reports that.
    fn gather(&self, slice: usize, mine: &[f32]) -> Vec<f32> {
        let mut state = self.lock();
        let round = state.round;
        mine.clone_into(&mut state.parts[slice - self.here.start]);
        state.arrived += 1;
        if state.arrived == self.here.len() {
            self.complete(&mut state);
        } else {
            // Another one may compute meanwhile.
            state.free += 1;
            self.changed.notify_all();
            while state.round == round && state.broken.is_none() {
                state = self.wait(state);
            }
            state = self.take_turn(state);
        }
        self.changed.notify_all();
        let (all, broken) = (Arc::clone(&state.all), state.broken.clone());
        drop(state);
        if let Some(why) = broken {
            std::panic::resume_unwind(Box::new(Broken(why)));
        }
        all.to_vec()
    }
}

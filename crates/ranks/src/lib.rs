//! Processes that work on one training together: ranks, over MPI.
//!
//! [`Ranks::join`] opens the MPI library when the program runs ([`library`](self)), if a launcher started this process; else the
//! process is alone, and every call is the identity. MPI only moves bytes; [`Ranks::sum`] adds over a binary tree of ranks
//! ([`tree`]), so that the bits don't depend on the MPI, its version or the network.

mod launcher;
mod library;
mod mpi;
mod tree;

use std::fmt;
use std::sync::{Mutex, PoisonError};

pub use launcher::{launched_rank, launched_rank_here, launched_together};
use library::Library;
use mpi::Mpi;
pub use tree::tree;

/// Why ranks can't work together: what happened, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What happened.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

impl Refused {
    fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.what, self.hint)
    }
}

impl std::error::Error for Refused {}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Refused>;

/// This process among those that a launcher started, or alone.
#[derive(Debug)]
pub struct Ranks {
    rank: usize,
    size: usize,
    /// None: alone. One call at a time, which is what MPI is asked for.
    mpi: Option<Mutex<Mpi>>,
}

impl Default for Ranks {
    /// This process alone.
    fn default() -> Self {
        Self::alone()
    }
}

impl Ranks {
    /// This process alone.
    pub fn alone() -> Self {
        Self { rank: 0, size: 1, mpi: None }
    }

    /// Joins the processes that the launcher (mpirun, mpiexec, srun) started with this one; alone, if none did or
    /// `FAUSSAIRE_MPI=off`. To be called once, before threads that use MPI.
    ///
    /// # Errors
    /// No MPI library, another one than the launcher's, one that lacks a function, or `srun` without a plugin of MPI.
    pub fn join() -> Result<Self> {
        Self::join_by(&|name| std::env::var(name).ok())
    }

    fn join_by(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let Some(launch) = launcher::launch(variable)? else { return Ok(Self::alone()) };
        let launch = launch.beside(&launcher::ancestors(), &std::path::Path::exists);
        let library = Library::open(&launch)?;
        let name = library.name().to_owned();
        let mpi = Mpi::begin(library)?;
        let (rank, size) = (mpi.rank(), mpi.size());
        if let Some(what) = launch.contradicts(size) {
            return Err(Refused::new(
                format!("{what}, but the MPI library {name} says {size}: it is not the one of {}", launch.launcher),
                "start with the mpirun of the same MPI, or name its library: FAUSSAIRE_MPI=/path/to/libmpi.so",
            ));
        }
        Ok(Self { rank, size, mpi: Some(Mutex::new(mpi)) })
    }

    /// The number of this process, from 0.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// How many processes there are.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The `mine` of every rank one after the other; all are of the same length.
    ///
    /// # Errors
    /// A length beyond 2 GiB, or a failure of MPI.
    pub fn gather(&self, mine: &[u8]) -> Result<Vec<u8>> {
        let Some(mpi) = self.mpi() else { return Ok(mine.to_vec()) };
        let mut all = vec![0; mine.len() * self.size];
        mpi.gather(mine, &mut all)?;
        Ok(all)
    }

    /// As [`Self::gather`], of numbers.
    ///
    /// # Errors
    /// As [`Self::gather`].
    pub fn gather_values(&self, mine: &[f32]) -> Result<Vec<f32>> {
        let Some(mpi) = self.mpi() else { return Ok(mine.to_vec()) };
        let mut all = vec![0.0; mine.len() * self.size];
        mpi.gather(bytes(mine), bytes_mut(&mut all))?;
        Ok(all)
    }

    /// Adds up the `values` of all ranks, element by element, over the binary tree of ranks ([`tree`]): every rank has the same
    /// bits then. All are of the same length.
    ///
    /// # Errors
    /// As [`Self::gather`].
    pub fn sum(&self, values: &mut [f32]) -> Result<()> {
        let Some(mut mpi) = self.mpi() else { return Ok(()) };
        // Each rank adds up one part, so that nothing travels more than it must. The buffers are kept: fresh memory costs more than
        // the sums.
        let part = values.len().div_ceil(self.size).max(1);
        let [mut own, mut all] = mpi.take_buffers();
        own.clear();
        own.extend_from_slice(values);
        own.resize(part * self.size, 0.0);
        all.resize(own.len(), 0.0);
        mpi.exchange(bytes(&own), bytes_mut(&mut all))?;
        let sum = tree(all.chunks_mut(part).collect(), |a: &mut [f32], b| {
            a.iter_mut().zip(&*b).for_each(|(a, b)| *a += b);
            a
        });
        own.truncate(part);
        own.copy_from_slice(sum.unwrap_or_default());
        mpi.gather(bytes(&own), bytes_mut(&mut all))?;
        values.copy_from_slice(&all[..values.len()]);
        mpi.keep_buffers([own, all]);
        Ok(())
    }

    /// Gives every rank the `bytes` of rank 0; all are of the same length.
    ///
    /// # Errors
    /// As [`Self::gather`].
    pub fn tell(&self, bytes: &mut [u8]) -> Result<()> {
        self.mpi().map_or(Ok(()), |mpi| mpi.tell(bytes))
    }

    /// As [`Self::tell`], where only rank 0 knows the length.
    ///
    /// # Errors
    /// As [`Self::gather`].
    pub fn tell_all(&self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        let mut length = (bytes.len() as u64).to_le_bytes();
        self.tell(&mut length)?;
        let mut bytes = bytes;
        bytes.resize(usize::try_from(u64::from_le_bytes(length)).unwrap_or(usize::MAX), 0);
        self.tell(&mut bytes)?;
        Ok(bytes)
    }

    /// Ends all ranks at once, with `code` as the exit status.
    pub fn abort(&self, code: i32) -> ! {
        if let Some(mpi) = self.mpi() {
            mpi.abort(code);
        }
        std::process::exit(code)
    }

    /// Takes leave of the others: waits until they do. Without it the launcher takes the end of this process for a failure and
    /// ends the others.
    pub fn leave(&self) {
        if let Some(mut mpi) = self.mpi() {
            mpi.end();
        }
    }

    fn mpi(&self) -> Option<std::sync::MutexGuard<'_, Mpi>> {
        self.mpi.as_ref().map(|mpi| mpi.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The bytes of numbers, without a copy.
fn bytes(values: &[f32]) -> &[u8] {
    // SAFETY: the same memory, of which every byte is initialised; bytes need no alignment.
    unsafe { std::slice::from_raw_parts(values.as_ptr().cast(), size_of_val(values)) }
}

/// The bytes of numbers, to be written.
fn bytes_mut(values: &mut [f32]) -> &mut [u8] {
    // SAFETY: as above; the borrow is the only one, and all bits are valid numbers.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast(), size_of_val(values)) }
}

/// The program of the README, which is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn alone_every_call_is_the_identity() {
        let ranks = Ranks::join_by(&|_| None).unwrap();
        assert_eq!((ranks.rank(), ranks.size()), (0, 1));
        assert_eq!(ranks.gather(&[1, 2]).unwrap(), [1, 2]);
        let mut values = [1.5, -2.0];
        ranks.sum(&mut values).unwrap();
        assert_eq!((values, ranks.gather_values(&values).unwrap()), ([1.5, -2.0], vec![1.5, -2.0]));
        assert_eq!(ranks.tell_all(vec![7]).unwrap(), [7]);
        ranks.leave();
    }

    #[test]
    fn numbers_and_their_bytes() {
        let mut values = [1.0f32, -2.5];
        assert_eq!(bytes(&values), [1.0f32, -2.5].map(f32::to_ne_bytes).concat());
        bytes_mut(&mut values)[4..].copy_from_slice(&0.75f32.to_ne_bytes());
        assert_eq!(values, [1.0, 0.75]);
        assert!(bytes(&[]).is_empty());
    }

    #[test]
    fn a_library_that_is_none_is_named() {
        let said = |library: &str| {
            let variable = |name: &str| match name {
                "FAUSSAIRE_MPI" => Some(library.to_owned()),
                "OMPI_COMM_WORLD_SIZE" => Some("4".into()),
                _ => None,
            };
            Ranks::join_by(&variable).unwrap_err()
        };
        let missing = said("/nowhere/libmpi.so.40");
        assert!(missing.what.contains("/nowhere/libmpi.so.40"), "{missing}");
        assert!(missing.hint.contains("FAUSSAIRE_MPI"), "{missing}");
        if cfg!(target_os = "linux") {
            let other = said("libc.so.6");
            assert!(other.what.contains("libc.so.6 lacks MPI_"), "{other}");
        }
    }
}

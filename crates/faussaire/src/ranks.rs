//! Processes that train one network together (`mpirun`, `srun`): what goes wrong in one of them is an error in all.

pub use faussaire_ranks::{Ranks, Refused, launched_rank, launched_rank_here, launched_together};

use crate::error::{Error, Result};

/// Bytes of an error that are passed on.
const WORDS: usize = 2048;

/// The error that `refused` is.
pub(crate) fn failed(refused: Refused) -> Error {
    Error::usage(refused.what, refused.hint)
}

/// `outcome` if it is good in all ranks, which all call this; else the error of the first rank that has one, in all of them.
///
/// # Errors
/// That error, or a failure of MPI.
pub(crate) fn agreed<T>(ranks: &Ranks, outcome: Result<T>) -> Result<T> {
    if ranks.size() == 1 {
        return outcome;
    }
    let flags = ranks.gather(&[u8::from(outcome.is_err())]).map_err(failed)?;
    let Some(first) = flags.iter().position(|flag| *flag != 0) else { return outcome };
    let said = match &outcome {
        Err(error) => format!("{error}\0{}", error.hint()),
        Ok(_) => String::new(),
    };
    let mut words = said.into_bytes();
    words.resize(WORDS, 0);
    let all = ranks.gather(&words).map_err(failed)?;
    let words = all.get(first * WORDS..(first + 1) * WORDS).unwrap_or_default();
    let mut parts = words.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned());
    let (what, hint) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match outcome {
        Err(error) if first == ranks.rank() && first == 0 => Err(error),
        _ => Err(Error::usage(format!("rank {first}: {what}"), hint)),
    }
}

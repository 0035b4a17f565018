//! The command among others that `mpirun` or `srun` started with it: rank 0 does what a command alone does, the others follow.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use faussaire::ranks::{Ranks, launched_rank, launched_rank_here, launched_together};
use faussaire::{Device, Error, Result, trainer};

use crate::print::note;
use crate::report::counted;
use crate::stopping;

/// Bytes in which a rank describes itself.
const RECORD: usize = 512;

/// Exit status of misuse.
const MISUSE: i32 = 2;

/// How long a rank other than 0 waits with an error before MPI has begun: the launcher ends it once rank 0 has told its own.
const AFTER_YOU: Duration = Duration::from_secs(2);

/// The processes that train together.
pub struct Team {
    pub ranks: Arc<Ranks>,
    /// Threads of this rank, unless a flag says how many; none for a process alone.
    pub threads: Option<usize>,
    machines: usize,
}

impl Team {
    /// Joins the other ranks, if there are any.
    pub fn join() -> Result<Self> {
        let ranks = Ranks::join().map_err(|refused| {
            after_the_first();
            Error::usage(refused.what, refused.hint)
        })?;
        if ranks.size() == 1 {
            return Ok(Self { ranks: Arc::new(ranks), threads: None, machines: 1 });
        }
        let (host, cores) = (host(), allowed_cores());
        let mut record = format!("{host}\0{cores}").into_bytes();
        record.resize(RECORD, 0);
        let all = ranks.gather(&record).map_err(|refused| Error::usage(refused.what, refused.hint))?;
        let hosts = |record: &[u8]| record.split(|byte| *byte == 0).next().map(<[u8]>::to_vec);
        let machines = all.chunks(RECORD).filter_map(hosts).collect::<BTreeSet<_>>().len();
        // Ranks that may use the same cores share them.
        let sharing = all.chunks(RECORD).filter(|other| *other == record.as_slice()).count().max(1);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self { threads: Some((cores / sharing).max(1)), ranks: Arc::new(ranks), machines })
    }

    /// Whether this process leads: it is rank 0, or alone.
    pub fn leads(&self) -> bool {
        self.ranks.rank() == 0
    }

    /// Says how many there are.
    pub fn introduce(&self) {
        if self.ranks.size() > 1 {
            let (ranks, machines) = (counted(self.ranks.size(), "rank"), counted(self.machines, "machine"));
            note!("{ranks} on {machines}, {} each", counted(rayon::current_num_threads(), "thread"));
        }
    }

    /// `outcome` of the leader, which dismisses the others.
    pub fn dismissed<T>(&self, outcome: Result<T>) -> Result<T> {
        let dismissed = trainer::dismiss(&self.ranks, outcome.is_ok());
        self.ranks.leave();
        outcome.and_then(|value| dismissed.map(|()| value))
    }

    /// Does what rank 0 tells. It reports all errors, and its exit status is the one that counts: a failure of this process would
    /// end it in the middle of its words.
    pub fn follow(&self, device: &Device) -> Result<()> {
        stopping::leave_to_others();
        trainer::follow(&self.ranks, device)?;
        self.ranks.leave();
        Ok(())
    }
}

/// Refuses to do the same in several processes at once: only trainings are of several ranks.
pub fn refuse_several() -> Result<()> {
    let Some(size) = launched_together() else { return Ok(()) };
    after_the_first();
    Err(Error::usage(
        format!("a launcher started {size} processes, but only `faussaire train` works in several together"),
        "start it once; several tasks share the work of `compare`, `sample` and `judge` by --share K/N; FAUSSAIRE_MPI=off does \
         the whole in each",
    ))
}

/// Lets one process of each machine tell an error that all ranks have before MPI has begun: rank 0 at once, and those of other
/// machines if the launcher hasn't ended them by then. The others end without a word.
pub fn after_the_first() {
    if launched_rank().is_none_or(|rank| rank == 0) {
        return;
    }
    stopping::leave_to_others();
    std::thread::sleep(AFTER_YOU);
    if launched_rank_here().is_some_and(|rank| rank > 0) {
        std::process::exit(MISUSE);
    }
}

fn host() -> String {
    let named = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    named().or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default().trim().chars().take(200).collect()
}

/// The cores that this process may use, as the system lists them.
fn allowed_cores() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    list.unwrap_or_default().trim().chars().take(200).collect()
}

//! What the environment tells of the launcher: whether one started this process among others, which MPI it belongs to, and how
//! many processes it speaks of. A batch script of Slurm has variables too (`SLURM_NTASKS`), but was not launched.

use std::path::{Path, PathBuf};

use super::{Refused, Result};

/// A launch by mpirun, mpiexec or srun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Launch {
    /// The launcher, in words.
    pub launcher: &'static str,
    /// How many processes it says there are, if it does.
    pub size: Option<usize>,
    /// Libraries to try, in order.
    pub libraries: Vec<String>,
    /// Whether somebody named the library.
    pub named: bool,
}

/// Names of MPI libraries by the MPI that they are of.
#[cfg(target_os = "macos")]
const OPEN_MPI: [&str; 1] = ["libmpi.40.dylib"];
#[cfg(target_os = "macos")]
const MPICH: [&str; 2] = ["libmpi.12.dylib", "libmpich.12.dylib"];
#[cfg(target_os = "macos")]
const OTHERS: [&str; 2] = ["libmpi_abi.0.dylib", "libmpi.dylib"];
#[cfg(not(target_os = "macos"))]
const OPEN_MPI: [&str; 1] = ["libmpi.so.40"];
#[cfg(not(target_os = "macos"))]
const MPICH: [&str; 2] = ["libmpi.so.12", "libmpich.so.12"];
#[cfg(not(target_os = "macos"))]
const OTHERS: [&str; 3] = ["libmpi_abi.so.1", "libmpi_abi.so.0", "libmpi.so"];

/// Programs of MPIs that start processes: of a launcher in another folder than the system's, the library is beside them.
const LAUNCHERS: [&str; 8] =
    ["hydra_pmi_proxy", "mpiexec.hydra", "mpiexec", "mpirun", "orted", "orterun", "prted", "prterun"];

/// The launch of this process; none where it was started by itself, or is to work alone (`FAUSSAIRE_MPI=off`).
///
/// # Errors
/// Several processes that know nothing of each other: `srun` without a plugin of MPI.
pub(crate) fn launch(variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Launch>> {
    let named = variable("FAUSSAIRE_MPI").filter(|name| !name.is_empty());
    if named.as_deref() == Some("off") {
        return Ok(None);
    }
    let number = |name: &str| variable(name).and_then(|value| value.trim().parse::<usize>().ok());
    let has = |name: &str| variable(name).is_some();
    let (launcher, size, first, second): (_, _, &[&str], &[&str]) = if has("OMPI_COMM_WORLD_SIZE") {
        ("Open MPI's mpirun", number("OMPI_COMM_WORLD_SIZE"), &OPEN_MPI, &MPICH)
    } else if has("PMI_SIZE") {
        ("MPICH's or Intel MPI's mpiexec, or srun --mpi=pmi2", number("PMI_SIZE"), &MPICH, &OPEN_MPI)
    } else if has("PMIX_RANK") {
        ("srun --mpi=pmix", number("SLURM_STEP_NUM_TASKS"), &OPEN_MPI, &MPICH)
    } else {
        // In a batch script there is no step, and in a step of one task nothing to join.
        let tasks =
            number("SLURM_STEP_NUM_TASKS").filter(|tasks| *tasks > 1 && has("SLURM_PROCID") && has("SLURM_STEP_ID"));
        return match tasks {
            Some(tasks) => Err(Refused::new(
                format!("srun started {tasks} processes, but without MPI: they know nothing of each other"),
                "start them with `srun --mpi=pmix` or `srun --mpi=pmi2` (`srun --mpi=list` shows what there is); to work alone in \
                 each, set FAUSSAIRE_MPI=off",
            )),
            None => Ok(None),
        };
    };
    let libraries = match &named {
        Some(name) => vec![name.clone()],
        None => [first, &OTHERS, second].concat().iter().map(ToString::to_string).collect(),
    };
    Ok(Some(Launch { launcher, size, libraries, named: named.is_some() }))
}

/// The number that the launcher gave this process, for messages before MPI has begun; none without a launcher.
pub fn launched_rank() -> Option<usize> {
    let number = |name: &str| std::env::var(name).ok()?.trim().parse().ok();
    ["OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID"].iter().find_map(|name| number(name))
}

/// The same among the processes of this machine.
pub fn launched_rank_here() -> Option<usize> {
    let number = |name: &str| std::env::var(name).ok()?.trim().parse().ok();
    ["OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"].iter().find_map(|name| number(name))
}

/// How many processes a launcher of MPI started together, this one among them; none where that is one.
pub fn launched_together() -> Option<usize> {
    let launch = launch(&|name| std::env::var(name).ok()).ok().flatten()?;
    launch.size.filter(|size| *size > 1)
}

/// The programs that started this one, the nearest first, as far as the system tells.
#[cfg(target_os = "linux")]
pub(crate) fn ancestors() -> Vec<PathBuf> {
    /// Most that are looked at.
    const MOST: usize = 16;
    let (mut programs, mut process) = (Vec::new(), std::os::unix::process::parent_id());
    while process > 1 && programs.len() < MOST {
        let about = |what: &str| PathBuf::from(format!("/proc/{process}/{what}"));
        programs.push(std::fs::read_link(about("exe")).unwrap_or_default());
        // The name in parentheses may have spaces in it; the parent is the second word behind it.
        let stat = std::fs::read_to_string(about("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse().ok());
        process = parent.unwrap_or(0);
    }
    programs
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn ancestors() -> Vec<PathBuf> {
    Vec::new()
}

impl Launch {
    /// The same launch, which tries libraries beside a launcher among the `programs` that started this one first; `exists` says what
    /// files there are.
    pub fn beside(mut self, programs: &[PathBuf], exists: &dyn Fn(&Path) -> bool) -> Self {
        if self.named {
            return self;
        }
        let is_launcher = |program: &&PathBuf| LAUNCHERS.iter().any(|name| program.ends_with(name));
        let folder = programs.iter().find(is_launcher).and_then(|program| program.parent()?.parent());
        let libraries = folder.into_iter().flat_map(|folder| {
            let names = ["lib", "lib64"].into_iter().flat_map(|lib| self.libraries.iter().map(move |name| (lib, name)));
            names.map(|(lib, name)| folder.join(lib).join(name)).filter(|path| exists(path)).collect::<Vec<_>>()
        });
        let found: Vec<String> = libraries.map(|path| path.display().to_string()).collect();
        self.libraries.splice(0..0, found);
        self
    }

    /// What the launcher says, if that is not `size` processes.
    pub fn contradicts(&self, size: usize) -> Option<String> {
        let said = self.size.filter(|said| *said != size)?;
        Some(format!("{} started {said} processes", self.launcher))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<Launch>> {
        launch(&|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string()))
    }

    #[test]
    fn each_launcher_is_known_by_its_variables() {
        let open = of(&[("OMPI_COMM_WORLD_SIZE", "4"), ("PMIX_RANK", "1")]).unwrap().unwrap();
        assert_eq!((open.size, open.libraries[0].contains("40")), (Some(4), true));
        let mpich = of(&[("PMI_SIZE", "2"), ("PMI_RANK", "0")]).unwrap().unwrap();
        assert_eq!((mpich.size, mpich.libraries[0].contains("12")), (Some(2), true));
        let slurm = of(&[("PMIX_RANK", "1"), ("SLURM_STEP_NUM_TASKS", "8")]).unwrap().unwrap();
        assert_eq!((slurm.size, slurm.launcher), (Some(8), "srun --mpi=pmix"));
        assert_eq!(slurm.contradicts(1), Some("srun --mpi=pmix started 8 processes".into()));
        assert_eq!(slurm.contradicts(8), None);
        let named = of(&[("PMI_SIZE", "2"), ("FAUSSAIRE_MPI", "/opt/libmpi.so")]).unwrap().unwrap();
        assert_eq!((named.libraries, named.named), (vec!["/opt/libmpi.so".to_owned()], true));
    }

    #[test]
    fn the_library_beside_the_launcher_comes_first() {
        let mpich = || of(&[("PMI_SIZE", "2")]).unwrap().unwrap();
        let programs = ["/usr/bin/dash", "/opt/venv/bin/hydra_pmi_proxy", "/conda/bin/mpirun"].map(PathBuf::from);
        let in_venv = |path: &Path| path == Path::new("/opt/venv/lib/libmpi.so.12") || path.starts_with("/conda");
        let found = mpich().beside(&programs, &in_venv);
        assert_eq!(found.libraries[..2], ["/opt/venv/lib/libmpi.so.12".to_owned(), mpich().libraries[0].clone()]);
        assert_eq!(mpich().beside(&programs, &|_| false), mpich());
        assert_eq!(mpich().beside(&programs[..1], &|_| true), mpich(), "a shell is no launcher");
        let named = || of(&[("PMI_SIZE", "2"), ("FAUSSAIRE_MPI", "libmpi.so.12")]).unwrap().unwrap();
        assert_eq!(named().beside(&programs, &in_venv), named());
        if cfg!(target_os = "linux") {
            assert!(!ancestors().is_empty());
        }
    }

    #[test]
    fn without_a_launcher_a_process_is_alone() {
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&[("FAUSSAIRE_MPI", "/opt/libmpi.so")]), Ok(None));
        assert_eq!(of(&[("OMPI_COMM_WORLD_SIZE", "4"), ("FAUSSAIRE_MPI", "off")]), Ok(None));
        // A batch script of Slurm, and a step of one task.
        assert_eq!(of(&[("SLURM_NTASKS", "8"), ("SLURM_PROCID", "0")]), Ok(None));
        let one = [("SLURM_STEP_NUM_TASKS", "1"), ("SLURM_STEP_ID", "0"), ("SLURM_PROCID", "0")];
        assert_eq!(of(&one), Ok(None));
    }

    #[test]
    fn srun_without_mpi_is_refused() {
        let refused = of(&[("SLURM_STEP_NUM_TASKS", "8"), ("SLURM_STEP_ID", "0"), ("SLURM_PROCID", "3")]).unwrap_err();
        assert!(refused.what.contains("8 processes") && refused.hint.contains("srun --mpi=pmix"), "{refused}");
    }
}

//! The MPI library, opened when the program runs, and which of the three ABIs it has. Handles (communicators, types) are pointers
//! to symbols in Open MPI, numbers as wide as pointers in the standard ABI of MPI 5, and `int` in MPICH and Intel MPI.

use std::ffi::{c_int, c_void};
use std::path::Path;

use super::launcher::Launch;
use super::{Refused, Result};

/// An opened library, for as long as the process lives: MPI can't be closed.
#[derive(Debug)]
pub(crate) struct Library {
    name: String,
    opened: &'static libloading::Library,
}

/// Handles and constants of an ABI.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Handles {
    /// Open MPI and the standard ABI.
    Wide {
        /// `MPI_COMM_WORLD`.
        world: usize,
        /// `MPI_BYTE`.
        byte: usize,
        /// `MPI_THREAD_SERIALIZED`.
        serialized: c_int,
    },
    /// MPICH's.
    Narrow {
        /// `MPI_COMM_WORLD`.
        world: c_int,
        /// `MPI_BYTE`.
        byte: c_int,
    },
}

impl Library {
    /// Opens the first of the launch's libraries that there is.
    pub fn open(launch: &Launch) -> Result<Self> {
        let mut failures = Vec::new();
        for name in &launch.libraries {
            match load(name) {
                Ok(opened) => return Ok(Self { name: name.clone(), opened: Box::leak(Box::new(opened)) }),
                Err(error) => {
                    // What the system says is the error's source.
                    let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                    failures.push(why);
                }
            }
        }
        let what = match (launch.named, failures.into_iter().next()) {
            (true, Some(why)) => format!("the MPI library {} can't be opened: {why}", launch.libraries.concat()),
            _ => format!(
                "{} started this process, but no MPI library was found ({})",
                launch.launcher,
                launch.libraries.join(", ")
            ),
        };
        Err(Refused::new(
            what,
            "load the module of the MPI that the launcher is of (`module load openmpi`), put its folder in LD_LIBRARY_PATH, or name \
             the library: FAUSSAIRE_MPI=/path/to/libmpi.so; FAUSSAIRE_MPI=off works without",
        ))
    }

    /// Its name, as it was opened.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The handles of its ABI.
    pub fn handles(&self) -> Handles {
        let symbol = |name: &[u8]| {
            // SAFETY: the address alone is taken, as a number; nothing is read there.
            unsafe { self.opened.get::<*const c_void>(name) }.ok().map(|symbol| {
                // SAFETY: a symbol is an address that lives as long as the library, which is never closed.
                unsafe { symbol.try_as_raw_ptr() }.map_or(0, |address| address as usize)
            })
        };
        match (symbol(b"ompi_mpi_comm_world\0"), symbol(b"ompi_mpi_byte\0")) {
            (Some(world), Some(byte)) if world != 0 && byte != 0 => Handles::Wide { world, byte, serialized: 2 },
            _ if self.is_of_standard_abi() => Handles::Wide { world: 0x101, byte: 0x247, serialized: 2048 },
            _ => Handles::Narrow { world: 0x4400_0000, byte: 0x4c00_010d },
        }
    }

    /// Whether its file has the name that the standard gives, itself or behind links.
    fn is_of_standard_abi(&self) -> bool {
        let path = Path::new(&self.name);
        let is_named = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().contains("mpi_abi"));
        is_named(path) || path.canonicalize().is_ok_and(|path| is_named(&path))
    }

    /// The function called `name`, a name that ends in 0.
    ///
    /// # Safety
    /// `F` is the function's type in the library's ABI.
    pub unsafe fn function<F: Copy>(&self, name: &'static str) -> Result<F> {
        // SAFETY: the caller's promise.
        let found = unsafe { self.opened.get::<F>(name.as_bytes()) };
        found.map(|function| *function).map_err(|_| {
            Refused::new(
                format!("the library {} lacks {}: it is not MPI", self.name, name.trim_end_matches('\0')),
                "name the MPI library of the launcher: FAUSSAIRE_MPI=/path/to/libmpi.so",
            )
        })
    }
}

#[cfg(unix)]
fn load(name: &str) -> std::result::Result<libloading::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // Global: the plugins of Open MPI look for its symbols there.
    // SAFETY: opening runs the library's initialisers, as linking with it would; MPI libraries are made for that.
    unsafe { Library::open(Some(name), RTLD_NOW | RTLD_GLOBAL) }.map(Into::into)
}

#[cfg(not(unix))]
fn load(name: &str) -> std::result::Result<libloading::Library, libloading::Error> {
    // SAFETY: opening runs the library's initialisers, as linking with it would; MPI libraries are made for that.
    unsafe { libloading::Library::new(name) }
}

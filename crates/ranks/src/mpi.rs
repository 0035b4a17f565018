//! The few functions of MPI that are used, in both forms of their signatures. All move bytes.

use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

use super::library::{Handles, Library};
use super::{Refused, Result};

/// `MPI_Allgather`, `MPI_Alltoall`.
type Exchange<H> = unsafe extern "C" fn(*const c_void, c_int, H, *mut c_void, c_int, H, H) -> c_int;

/// The functions with handles of type `H`.
#[derive(Clone, Copy, Debug)]
struct Calls<H> {
    allgather: Exchange<H>,
    alltoall: Exchange<H>,
    bcast: unsafe extern "C" fn(*mut c_void, c_int, H, c_int, H) -> c_int,
    abort: unsafe extern "C" fn(H, c_int) -> c_int,
    world: H,
    byte: H,
}

#[derive(Clone, Copy, Debug)]
enum Abi {
    Wide(Calls<usize>),
    Narrow(Calls<c_int>),
}

/// MPI, begun.
#[derive(Debug)]
pub(crate) struct Mpi {
    abi: Abi,
    finalize: unsafe extern "C" fn() -> c_int,
    rank: usize,
    size: usize,
    ended: bool,
    buffers: [Vec<f32>; 2],
}

impl<H: Copy> Calls<H> {
    /// The functions of `library`, and this process's number and how many there are.
    ///
    /// # Safety
    /// `H` is the type of the library's handles, and `world` and `byte` are such handles. MPI has begun.
    unsafe fn of(library: &Library, world: H, byte: H) -> Result<(Self, usize, usize)> {
        type Number<H> = unsafe extern "C" fn(H, *mut c_int) -> c_int;
        // SAFETY: the standard's signatures, with the library's handles.
        let (calls, rank_of, size_of) = unsafe {
            let calls = Self {
                allgather: library.function("MPI_Allgather\0")?,
                alltoall: library.function("MPI_Alltoall\0")?,
                bcast: library.function("MPI_Bcast\0")?,
                abort: library.function("MPI_Abort\0")?,
                world,
                byte,
            };
            (
                calls,
                library.function::<Number<H>>("MPI_Comm_rank\0")?,
                library.function::<Number<H>>("MPI_Comm_size\0")?,
            )
        };
        let (mut rank, mut size) = (0, 0);
        // SAFETY: MPI has begun; both places live through the calls.
        unsafe {
            checked("MPI_Comm_rank", rank_of(world, &raw mut rank))?;
            checked("MPI_Comm_size", size_of(world, &raw mut size))?;
        }
        Ok((calls, usize::try_from(rank).unwrap_or(0), usize::try_from(size).unwrap_or(1)))
    }

    fn all(&self, function: Exchange<H>, mine: &[u8], each: usize, all: &mut [u8]) -> c_int {
        let Ok(each) = c_int::try_from(each) else { return TOO_LONG };
        // SAFETY: the lengths were checked by the callers: `mine` holds what is sent, and `all` has room for `each` bytes from every rank.
        unsafe { function(mine.as_ptr().cast(), each, self.byte, all.as_mut_ptr().cast(), each, self.byte, self.world) }
    }

    fn tell(&self, bytes: &mut [u8]) -> c_int {
        let Ok(length) = c_int::try_from(bytes.len()) else { return TOO_LONG };
        // SAFETY: `bytes` has `length` bytes, which MPI reads at rank 0 and writes elsewhere.
        unsafe { (self.bcast)(bytes.as_mut_ptr().cast(), length, self.byte, 0, self.world) }
    }

    fn abort(&self, code: c_int) {
        // SAFETY: no memory is passed.
        unsafe { (self.abort)(self.world, code) };
    }
}

/// Stands for a length that MPI's `int` can't hold.
const TOO_LONG: c_int = c_int::MIN;

/// Bytes told in one call; longer ones are cut.
const CUT: usize = 1 << 30;

fn checked(function: &str, code: c_int) -> Result<()> {
    match code {
        0 => Ok(()),
        TOO_LONG => {
            Err(Refused::new(format!("{function}: more than 2 GiB at once"), "use more ranks, or smaller nets"))
        }
        _ => Err(Refused::new(
            format!("{function} failed with code {code}"),
            "see what MPI says above; then resume the run",
        )),
    }
}

impl Mpi {
    /// Begins MPI, for calls of one thread at a time.
    pub fn begin(library: Library) -> Result<Self> {
        let handles = library.handles();
        let serialized = match handles {
            Handles::Wide { serialized, .. } => serialized,
            Handles::Narrow { .. } => 2,
        };
        type Init = unsafe extern "C" fn(*mut c_int, *mut c_void, c_int, *mut c_int) -> c_int;
        // SAFETY: the standard's signatures, without handles.
        let (init, finalize) = unsafe {
            (
                library.function::<Init>("MPI_Init_thread\0")?,
                library.function::<unsafe extern "C" fn() -> c_int>("MPI_Finalize\0")?,
            )
        };
        let mut provided = 0;
        // SAFETY: no arguments are passed on, and `provided` lives through the call. `join` is called once.
        checked("MPI_Init_thread", unsafe { init(null_mut(), null_mut(), serialized, &raw mut provided) })?;
        if provided < serialized {
            return Err(Refused::new(
                format!("the MPI library {} can't be called from several threads", library.name()),
                "use one that was built with support for threads (MPI_THREAD_SERIALIZED)",
            ));
        }
        let (abi, rank, size) = match handles {
            Handles::Wide { world, byte, .. } => {
                // SAFETY: MPI has begun, and these are the library's handles.
                let (calls, rank, size) = unsafe { Calls::of(&library, world, byte) }?;
                (Abi::Wide(calls), rank, size)
            }
            Handles::Narrow { world, byte } => {
                // SAFETY: as above.
                let (calls, rank, size) = unsafe { Calls::of(&library, world, byte) }?;
                (Abi::Narrow(calls), rank, size)
            }
        };
        Ok(Self { abi, finalize, rank, size: size.max(1), ended: false, buffers: Default::default() })
    }

    pub fn rank(&self) -> usize {
        self.rank
    }

    pub fn size(&self) -> usize {
        self.size
    }

    /// Puts the `mine` of every rank, all of the same length, into `all` in order.
    pub fn gather(&self, mine: &[u8], all: &mut [u8]) -> Result<()> {
        self.begun()?;
        fitting(mine.len() * self.size, all.len())?;
        let code = match &self.abi {
            Abi::Wide(calls) => calls.all(calls.allgather, mine, mine.len(), all),
            Abi::Narrow(calls) => calls.all(calls.allgather, mine, mine.len(), all),
        };
        checked("MPI_Allgather", code)
    }

    /// Sends part r of `mine` to rank r, and puts what comes from rank r into part r of `parts`.
    pub fn exchange(&self, mine: &[u8], parts: &mut [u8]) -> Result<()> {
        self.begun()?;
        fitting(mine.len(), parts.len())?;
        fitting(mine.len() / self.size * self.size, mine.len())?;
        let each = mine.len() / self.size;
        let code = match &self.abi {
            Abi::Wide(calls) => calls.all(calls.alltoall, mine, each, parts),
            Abi::Narrow(calls) => calls.all(calls.alltoall, mine, each, parts),
        };
        checked("MPI_Alltoall", code)
    }

    /// Gives every rank the bytes of rank 0.
    pub fn tell(&self, bytes: &mut [u8]) -> Result<()> {
        self.begun()?;
        for part in bytes.chunks_mut(CUT) {
            let code = match &self.abi {
                Abi::Wide(calls) => calls.tell(part),
                Abi::Narrow(calls) => calls.tell(part),
            };
            checked("MPI_Bcast", code)?;
        }
        Ok(())
    }

    /// Memory for an exchange, from the one before.
    pub fn take_buffers(&mut self) -> [Vec<f32>; 2] {
        std::mem::take(&mut self.buffers)
    }

    /// Keeps memory for the next exchange.
    pub fn keep_buffers(&mut self, buffers: [Vec<f32>; 2]) {
        self.buffers = buffers;
    }

    /// MPI takes no calls after its end.
    fn begun(&self) -> Result<()> {
        if self.ended { Err(Refused::new("a call of MPI after its end", "report this")) } else { Ok(()) }
    }

    /// Ends all processes.
    pub fn abort(&self, code: i32) {
        if self.ended {
            return;
        }
        match &self.abi {
            Abi::Wide(calls) => calls.abort(code),
            Abi::Narrow(calls) => calls.abort(code),
        }
    }

    /// Ends MPI, once.
    pub fn end(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            // SAFETY: MPI has begun and was not ended; `begun` refuses calls after it.
            unsafe { (self.finalize)() };
        }
    }
}

fn fitting(sent: usize, room: usize) -> Result<()> {
    if sent == room {
        return Ok(());
    }
    Err(Refused::new(format!("{sent} bytes don't fit {room}"), "report this"))
}

//! Whether this process may use AMX: the processor has it, the system saves its tiles, and the system was asked.

use std::arch::x86_64::{__cpuid, __cpuid_count, _xgetbv};
use std::sync::OnceLock;

/// True where the processor has AMX with bf16 and the system lets this process use it.
pub(super) fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| in_processor() && in_system() && permitted())
}

/// CPUID leaf 7: bit 22 of EDX is AMX-BF16, bit 24 AMX-TILE.
fn in_processor() -> bool {
    const BITS: u32 = 1 << 22 | 1 << 24;
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & BITS == BITS
}

/// The system saves the tiles' configuration (bit 17 of XCR0) and data (bit 18).
fn in_system() -> bool {
    const OSXSAVE: u32 = 1 << 27;
    const TILES: u64 = 3 << 17;
    // SAFETY: XGETBV exists where OSXSAVE is set; it only reads.
    __cpuid(1).ecx & OSXSAVE != 0 && unsafe { read_xcr0() } & TILES == TILES
}

/// # Safety
/// The processor has OSXSAVE set.
#[target_feature(enable = "xsave")]
unsafe fn read_xcr0() -> u64 {
    // SAFETY: from the contract.
    unsafe { _xgetbv(0) }
}

/// Linux gives out the 8 KB of tile data to processes that ask: `arch_prctl(ARCH_REQ_XCOMP_PERM, 18)`, once, for all
/// threads. Other systems have other ways, which are not written here.
#[cfg(target_os = "linux")]
fn permitted() -> bool {
    const REQUEST_PERMISSION: libc::c_long = 0x1023;
    const TILE_DATA: libc::c_long = 18;
    // SAFETY: a system call that takes two integers and changes what this process may use.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn permitted() -> bool {
    false
}

//! The instruction set that the kernels use: detected once, or forced with `FAUSSAIRE_ISA` for tests and reports. All
//! detection is here; the rest of the crate asks `isa()`, `vectors()` (f32 code) or `Bf16Unit::in_use()` (bf16 products).

#[cfg(target_arch = "x86_64")]
mod amx;

use std::sync::OnceLock;

/// An instruction-set family that kernels are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// Any processor; products go through the `gemm` crate.
    Portable,
    /// x86-64 with AVX2 and FMA: 256-bit kernels.
    Avx2,
    /// x86-64 with AVX-512 (F, BW, DQ, VL): 512-bit kernels; bf16 products too where the processor has BF16.
    Avx512,
    /// x86-64 with AVX-512 and AMX (TILE, BF16): bf16 products on tiles, the rest as with AVX-512.
    Amx,
}

impl Isa {
    /// All of them, the fastest last.
    pub(crate) const ALL: [Self; 4] = [Self::Portable, Self::Avx2, Self::Avx512, Self::Amx];

    /// The name that `FAUSSAIRE_ISA` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Amx => "amx",
        }
    }

    /// True where this machine, and its operating system, can run it.
    pub(crate) fn available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Amx => Self::Avx512.available() && amx::available(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 | Self::Amx => false,
        }
    }

    /// The fastest one that this machine has.
    pub(crate) fn detect() -> Self {
        Self::ALL.into_iter().rfind(|isa| isa.available()).unwrap_or(Self::Portable)
    }
}

/// Why the kernels can't run on what `FAUSSAIRE_ISA` asks for, in words for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What was asked, and why it can't be.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// The instruction set that `FAUSSAIRE_ISA` asks for, or the fastest one where it is unset.
///
/// # Errors
/// The name is unknown, or this machine lacks it.
pub fn select() -> Result<Isa, Refused> {
    match std::env::var("FAUSSAIRE_ISA") {
        Ok(name) => parse(&name),
        Err(_) => Ok(Isa::detect()),
    }
}

fn parse(name: &str) -> Result<Isa, Refused> {
    if name.is_empty() {
        return Ok(Isa::detect());
    }
    let usable: Vec<_> = Isa::ALL.into_iter().filter(|isa| isa.available()).collect();
    if let Some(isa) = usable.iter().find(|isa| isa.name() == name) {
        return Ok(*isa);
    }
    let known = Isa::ALL.iter().any(|isa| isa.name() == name);
    let why = if known { "this machine does not have it" } else { "unknown instruction set" };
    let names: Vec<_> = usable.into_iter().map(Isa::name).collect();
    Err(Refused {
        what: format!("FAUSSAIRE_ISA={name}: {why}"),
        hint: format!("unset it, or use one of: {}", names.join(", ")),
    })
}

/// The instruction set in use: [`select`] once per process, and the detected one where that is an error.
pub fn isa() -> Isa {
    static CHOSEN: OnceLock<Isa> = OnceLock::new();
    *CHOSEN.get_or_init(|| select().unwrap_or_else(|_| Isa::detect()))
}

/// The f32 code that an instruction set runs: its tiles (`tiled`) and its versions of plain loops (`vectorise`).
#[derive(Clone, Copy)]
pub(crate) enum Vectors {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The f32 code in use. The processor has the instruction set that it names.
pub(crate) fn vectors() -> Vectors {
    match isa() {
        Isa::Portable => Vectors::Plain,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => Vectors::Avx2,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Amx => Vectors::Avx512,
        // Not available, so never chosen.
        #[cfg(not(target_arch = "x86_64"))]
        Isa::Avx2 | Isa::Avx512 | Isa::Amx => Vectors::Plain,
    }
}

/// What multiplies bf16 values in pairs and adds the products up in f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bf16Unit {
    /// TDPBF16PS on tiles.
    #[cfg(target_arch = "x86_64")]
    Amx,
    /// VDPBF16PS on vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// Plain loops over the same operands: tests of all that surrounds the instructions run anywhere.
    #[cfg(test)]
    Plain,
}

impl Bf16Unit {
    /// The one of the instruction set in use, if it has one.
    pub(crate) fn in_use() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return match isa() {
            Isa::Amx => Some(Self::Amx),
            Isa::Avx512 if has_avx512_bf16() => Some(Self::Avx512),
            _ => None,
        };
        #[cfg(not(target_arch = "x86_64"))]
        None
    }

    /// All that this machine can run, whatever the instruction set in use.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::Plain];
        #[cfg(target_arch = "x86_64")]
        {
            if has_avx512_bf16() {
                all.push(Self::Avx512);
            }
            if amx::available() {
                all.push(Self::Amx);
            }
        }
        all
    }
}

/// True where the instruction set in use multiplies bf16.
pub(crate) fn multiplies_bf16() -> bool {
    Bf16Unit::in_use().is_some()
}

/// True where the processor has AVX-512's dot product of bf16 pairs and its rounding to bf16.
#[cfg(target_arch = "x86_64")]
pub(crate) fn has_avx512_bf16() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_where_available() {
        for isa in Isa::ALL {
            assert_eq!(parse(isa.name()).is_ok(), isa.available());
            if isa.available() {
                assert_eq!(parse(isa.name()).unwrap(), isa);
            }
        }
        assert_eq!(parse("").unwrap(), Isa::detect());
    }

    #[test]
    fn unknown_and_missing_sets_say_what_to_do() {
        let refused = parse("mmx").unwrap_err();
        assert!(refused.what.contains("FAUSSAIRE_ISA=mmx: unknown") && refused.hint.contains("portable"));
        for isa in Isa::ALL.into_iter().filter(|isa| !isa.available()) {
            assert!(parse(isa.name()).unwrap_err().what.contains("this machine does not have it"));
        }
    }

    /// A test run under a set that the machine lacks must not pass for one.
    #[test]
    fn what_is_asked_for_is_in_use() {
        assert_eq!(select(), Ok(isa()));
    }

    /// Runs this crate's other tests once more in a process of their own for each instruction set that this one does
    /// not use. The child has `FAUSSAIRE_ISA` set, which also keeps it from doing the same.
    #[test]
    fn the_suite_passes_on_every_instruction_set() {
        if std::env::var_os("FAUSSAIRE_ISA").is_some() {
            return;
        }
        for other in Isa::ALL {
            if other == isa() {
                continue;
            }
            if !other.available() {
                eprintln!("skipped: this machine has no {}", other.name());
                continue;
            }
            let child = std::process::Command::new(std::env::current_exe().unwrap())
                .env("FAUSSAIRE_ISA", other.name())
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&child.stdout);
            assert!(child.status.success(), "{}: {text}", other.name());
            assert!(text.contains("conv::tests::agrees_with_the_reference ... ok"), "{text}");
        }
    }
}

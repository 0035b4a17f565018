//! Which instruction set the kernels use: detected once, or forced with `FAUSSAIRE_ISA` for tests and reports.

use std::sync::OnceLock;

/// An instruction-set family that kernels are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Isa {
    /// Any processor; products go through the `gemm` crate.
    Portable,
    /// x86-64 with AVX2 and FMA: 256-bit kernels.
    Avx2,
    /// x86-64 with AMX: bf16 products on tiles.
    Amx,
}

impl Isa {
    /// The name that `FAUSSAIRE_ISA` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Amx => "amx",
        }
    }

    /// True where this machine can run it.
    pub fn available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Amx => Self::Avx2.available() && crate::bf16::amx_available(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Amx => false,
        }
    }

    /// The fastest one that this machine has.
    pub fn detect() -> Self {
        [Self::Amx, Self::Avx2].into_iter().find(|isa| isa.available()).unwrap_or(Self::Portable)
    }
}

/// The instruction set that `FAUSSAIRE_ISA` asks for, or the fastest one where it is unset.
///
/// Errors, in words for the user: the name is unknown, has no kernels in this version, or this machine lacks it.
pub fn select() -> Result<Isa, String> {
    match std::env::var("FAUSSAIRE_ISA") {
        Ok(name) => parse(&name),
        Err(_) => Ok(Isa::detect()),
    }
}

fn parse(name: &str) -> Result<Isa, String> {
    let isa = match name {
        "" => return Ok(Isa::detect()),
        "portable" => Isa::Portable,
        "avx2" => Isa::Avx2,
        "amx" => Isa::Amx,
        "avx512" => {
            return Err(format!(
                "FAUSSAIRE_ISA={name}: this version has no {name} kernels (hint: use portable or avx2)"
            ));
        }
        _ => {
            return Err(format!(
                "FAUSSAIRE_ISA={name}: unknown instruction set (hint: use portable or avx2, or unset it)"
            ));
        }
    };
    if isa.available() {
        Ok(isa)
    } else {
        Err(format!("FAUSSAIRE_ISA={name}: this machine does not have it (hint: unset it, or use portable)"))
    }
}

/// The instruction set in use: [`select`] once per process, and the detected one where that is an error.
pub fn isa() -> Isa {
    static CHOSEN: OnceLock<Isa> = OnceLock::new();
    *CHOSEN.get_or_init(|| select().unwrap_or_else(|_| Isa::detect()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_where_available() {
        for isa in [Isa::Portable, Isa::Avx2, Isa::Amx] {
            assert_eq!(parse(isa.name()).is_ok(), isa.available());
            if isa.available() {
                assert_eq!(parse(isa.name()).unwrap(), isa);
            }
        }
        assert_eq!(parse("").unwrap(), Isa::detect());
    }

    #[test]
    fn unknown_and_missing_sets_say_what_to_do() {
        assert!(parse("mmx").unwrap_err().contains("unknown"));
        assert!(parse("avx512").unwrap_err().contains("hint"));
    }

    /// Runs this crate's other tests once more in a process of their own for each instruction set that this one does
    /// not use. The child has `FAUSSAIRE_ISA` set, which also keeps it from doing the same.
    #[test]
    fn the_suite_passes_on_every_instruction_set() {
        if std::env::var_os("FAUSSAIRE_ISA").is_some() {
            return;
        }
        for other in [Isa::Portable, Isa::Avx2, Isa::Amx] {
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

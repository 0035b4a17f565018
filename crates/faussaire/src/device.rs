//! Where tensors live and operations run.

use burn::tensor::Device;
pub use faussaire_kernels::memory::{keep_freed_memory, release as release_memory};

use crate::error::{Error, Result};

/// Does `work` on a thread of the pool that all kernels use, which is rayon's current one: the global pool, or that of the
/// `ThreadPool::install` around the call. From outside, every kernel's call would have to be handed over to it. The results
/// are the same for any number of threads.
pub fn on_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}

/// The device called `name`: `cpu`, `cuda`, `cuda:1`, `vulkan`, `metal`. All but `cpu` need a build with the feature of
/// that name.
///
/// # Errors
/// An unknown name, a device that this build doesn't have, or an instruction set in `FAUSSAIRE_ISA` that the processor
/// lacks.
pub fn named(name: &str) -> Result<Device> {
    let (kind, index) = match name.split_once(':') {
        None => (name, 0),
        Some((kind, index)) => match index.parse::<usize>() {
            Ok(index) => (kind, index),
            Err(_) => {
                return Err(Error::usage(
                    format!("--device {name}: expected a number after the colon"),
                    "such as cuda:1",
                ));
            }
        },
    };
    match kind {
        "cpu" if index == 0 => match faussaire_kernels::isa::select() {
            Ok(_) => Ok(Device::flex()),
            Err(refused) => Err(Error::usage(refused.what, refused.hint)),
        },
        #[cfg(feature = "cuda")]
        "cuda" => Ok(Device::cuda(index)),
        #[cfg(feature = "vulkan")]
        "vulkan" => Ok(Device::vulkan(burn::tensor::DeviceKind::DiscreteGpu(index))),
        #[cfg(feature = "metal")]
        "metal" => Ok(Device::metal(burn::tensor::DeviceKind::DefaultDevice)),
        "cuda" | "vulkan" | "metal" => Err(Error::usage(
            format!("--device {name}: this build of faussaire has no {kind} support"),
            format!("build with `cargo build --release --features {kind}`, or use --device cpu"),
        )),
        _ => Err(Error::usage(
            format!("--device {name}: expected cpu, cuda[:N], vulkan or metal"),
            "leave it out for the processor",
        )),
    }
}

/// The machine that this program runs on, in words: processor, cores that it may use, instruction set of the kernels.
pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let plural = if cores == 1 { "" } else { "s" };
    format!("{}, {cores} core{plural}, {}", processor(), faussaire_kernels::isa::isa().name())
}

/// The processor's own name where the system tells it.
fn processor() -> String {
    let about = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = about.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned())
}

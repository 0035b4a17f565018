//! Where tensors live and operations run.
//!
//! Everything is computed on rayon's current pool: the global one, or that of the `ThreadPool::install` around the call. The
//! library itself sets nothing process-wide: the command calls [`keep_freed_memory`], a program may, and
//! [`release_memory`] gives back what the kernels keep for the next step.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let device = faussaire::device::named("cpu")?;
//! assert_eq!(device, faussaire::Device::default());
//! let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
//! let threads = pool.install(|| faussaire::device::on_pool(rayon::current_num_threads));
//! assert_eq!(threads, 1);
//! faussaire::device::release_memory();
//! # Ok(())
//! # }
//! ```

pub use faussaire_kernels::memory::{keep_freed_memory, release as release_memory};

use crate::error::{Error, Result};

/// A device: the processor (the default), or a GPU in a build with that feature ([`named`]). It dereferences to Burn's
/// device, for programs that build nets of their own with [`crate::burn`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device(burn::tensor::Device);

impl Device {
    /// The processor.
    pub fn cpu() -> Self {
        Self(burn::tensor::Device::flex())
    }

    /// Whether it is the processor.
    pub fn is_cpu(&self) -> bool {
        *self == Self::cpu()
    }
}

impl Default for Device {
    fn default() -> Self {
        Self::cpu()
    }
}

impl From<burn::tensor::Device> for Device {
    fn from(device: burn::tensor::Device) -> Self {
        Self(device)
    }
}

impl std::ops::Deref for Device {
    type Target = burn::tensor::Device;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// So that tensors can be made on it: `Tensor::zeros(shape, &device)`.
impl From<&Device> for burn::tensor::TensorCreationOptions {
    fn from(device: &Device) -> Self {
        Self::from(&device.0)
    }
}

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
                    format!("the device {name}: expected a number after the colon"),
                    "such as cuda:1 (`device::named`)",
                ));
            }
        },
    };
    match kind {
        "cpu" if index == 0 => match faussaire_kernels::isa::select() {
            Ok(_) => Ok(Device::cpu()),
            Err(refused) => Err(Error::usage(refused.what, refused.hint)),
        },
        #[cfg(feature = "cuda")]
        "cuda" => Ok(Device(burn::tensor::Device::cuda(index))),
        #[cfg(feature = "vulkan")]
        "vulkan" => Ok(Device(burn::tensor::Device::vulkan(burn::tensor::DeviceKind::DiscreteGpu(index)))),
        #[cfg(feature = "metal")]
        "metal" => Ok(Device(burn::tensor::Device::metal(burn::tensor::DeviceKind::DefaultDevice))),
        "cuda" | "vulkan" | "metal" => Err(Error::usage(
            format!("the device {name}: this build of faussaire has no {kind} support"),
            format!("build with the feature `{kind}`, or use cpu (`device::named`)"),
        )),
        _ => {
            let near = crate::data::did_you_mean(kind, ["cpu", "cuda", "vulkan", "metal"]);
            Err(Error::usage(
                format!("the device {name}: {near}expected cpu, cuda[:N], vulkan or metal"),
                "cpu is the processor (`device::named`)",
            ))
        }
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

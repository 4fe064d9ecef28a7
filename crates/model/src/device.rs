//! Where tensors live and who computes with them.

use std::str::FromStr;

use burn::tensor::Device;

/// A backend compiled into this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// burn's pure-Rust CPU backend, with the fused kernels of `ablate-kernels`.
    Flex,
    /// libtorch on the CPU, with the same kernels.
    #[cfg(feature = "tch")]
    Tch,
    /// libtorch on the first NVIDIA GPU, by burn's own operations.
    #[cfg(feature = "tch")]
    TchCuda,
    /// burn's CUDA backend on the first NVIDIA GPU, by burn's own operations.
    #[cfg(feature = "cuda")]
    Cuda,
}

impl Backend {
    /// Every backend compiled in, the default first.
    pub const ALL: &[Self] = &[
        Self::Flex,
        #[cfg(feature = "tch")]
        Self::Tch,
        #[cfg(feature = "tch")]
        Self::TchCuda,
        #[cfg(feature = "cuda")]
        Self::Cuda,
    ];

    /// Whether it computes on a GPU, which trainings side by side would have to share.
    pub fn on_gpu(self) -> bool {
        match self {
            Self::Flex => false,
            #[cfg(feature = "tch")]
            Self::Tch => false,
            #[cfg(feature = "tch")]
            Self::TchCuda => true,
            #[cfg(feature = "cuda")]
            Self::Cuda => true,
        }
    }

    /// Whether this machine has what it computes on: so many GPUs, if it computes on GPUs.
    ///
    /// # Errors
    /// How many are missing.
    pub fn check(self, devices: usize) -> Result<(), MissingDevice> {
        match self.gpus() {
            Some(found) if found < devices => {
                Err(MissingDevice { backend: self, found, wanted: devices })
            }
            _ => Ok(()),
        }
    }

    /// The GPUs that it finds; `None` where it computes on the CPU.
    fn gpus(self) -> Option<usize> {
        match self {
            Self::Flex => None,
            #[cfg(feature = "tch")]
            Self::Tch => None,
            #[cfg(feature = "tch")]
            Self::TchCuda => Some(ablate_kernels::libtorch_gpus()),
            #[cfg(feature = "cuda")]
            Self::Cuda => Some(driver_gpus()),
        }
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            #[cfg(feature = "tch")]
            Self::Tch => "tch",
            #[cfg(feature = "tch")]
            Self::TchCuda => "tch-cuda",
            #[cfg(feature = "cuda")]
            Self::Cuda => "cuda",
        }
    }
}

/// Lets libtorch use so many threads for what it computes by itself; the kernels use rayon's.
pub fn use_threads(threads: usize) {
    ablate_kernels::use_threads(threads);
}

/// A backend without its GPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the backend `{backend}` finds {} with its driver here{}; `nvidia-smi` must list {}",
    match found { 0 => "no NVIDIA GPU".to_owned(), 1 => "1 NVIDIA GPU".to_owned(), n => format!("{n} NVIDIA GPUs") },
    if *wanted > 1 { format!(", where a training is to use {wanted} (`--devices`)") } else { String::new() },
    if *wanted > 1 { "them" } else { "one" }
)]
pub struct MissingDevice {
    /// The backend.
    pub backend: Backend,
    /// GPUs that are there.
    pub found: usize,
    /// GPUs that were asked for.
    pub wanted: usize,
}

/// The GPUs that CUDA's driver lists; none where it does not load.
#[cfg(feature = "cuda")]
fn driver_gpus() -> usize {
    let name = if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" };
    type Init = unsafe extern "C" fn(u32) -> i32;
    type Count = unsafe extern "C" fn(*mut i32) -> i32;
    // SAFETY: NVIDIA's driver has these functions with these types; 0 is success.
    unsafe {
        let Ok(driver) = libloading::Library::new(name) else { return 0 };
        let Ok(init) = driver.get::<Init>(b"cuInit\0") else { return 0 };
        let Ok(count) = driver.get::<Count>(b"cuDeviceGetCount\0") else { return 0 };
        let mut gpus = 0;
        let listed = init(0) == 0 && count(&mut gpus) == 0;
        usize::try_from(gpus).ok().filter(|_| listed).unwrap_or(0)
    }
}

/// A backend's name that this program does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no backend `{name}` in this program; compiled in: {}{}", known(), hint(name))]
pub struct UnknownBackend {
    /// What was asked for.
    pub name: String,
}

fn known() -> String {
    let names: Vec<String> = Backend::ALL.iter().map(|b| format!("`{}`", b.name())).collect();
    names.join(", ")
}

/// How to come by a backend that was left out.
fn hint(name: &str) -> &'static str {
    match name {
        "tch" | "tch-cuda" => "; `just setup-tch` builds it in",
        "cuda" => "; `just setup-cuda` builds it in",
        _ => "",
    }
}

impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        let found = Self::ALL.iter().find(|backend| backend.name() == name);
        found.copied().ok_or_else(|| UnknownBackend { name: name.into() })
    }
}

impl std::fmt::Display for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The backend's device for evaluation: nothing is recorded for a backward pass.
pub fn device(backend: Backend) -> Device {
    numbered(backend, 0)
}

/// One of a backend's devices: a GPU by its number; the CPU is one device whatever the number.
#[cfg_attr(feature = "tch", allow(deprecated))]
#[cfg_attr(not(any(feature = "tch", feature = "cuda")), expect(unused_variables))]
fn numbered(backend: Backend, number: usize) -> Device {
    match backend {
        Backend::Flex => Device::flex(),
        #[cfg(feature = "tch")]
        Backend::Tch => Device::libtorch(),
        #[cfg(feature = "tch")]
        Backend::TchCuda => Device::libtorch_cuda(number),
        #[cfg(feature = "cuda")]
        Backend::Cuda => Device::cuda(number),
    }
}

/// The backend's device for training.
pub fn training_device(backend: Backend) -> Device {
    device(backend).autodiff()
}

/// The backend's first `count` devices for one training that divides its batches among them: GPUs
/// in the driver's order, or the CPU as often.
pub fn training_devices(backend: Backend, count: usize) -> Vec<Device> {
    (0..count).map(|number| numbered(backend, number).autodiff()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways_and_unknown_ones_list_the_known() {
        for backend in Backend::ALL {
            assert_eq!(backend.name().parse::<Backend>(), Ok(*backend));
        }
        let error = "wgpu".parse::<Backend>().unwrap_err().to_string();
        assert!(
            error.starts_with("there is no backend `wgpu` in this program; compiled in: `flex`"),
            "{error}"
        );
        if let Err(error) = "tch".parse::<Backend>() {
            assert!(error.to_string().ends_with("; `just setup-tch` builds it in"), "{error}");
        }
    }

    #[test]
    fn only_training_records() {
        assert!(!device(Backend::Flex).is_autodiff());
        assert!(training_device(Backend::Flex).is_autodiff());
    }
}

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

    /// Whether this machine has what it computes on.
    ///
    /// # Errors
    /// What is missing.
    pub fn check(self) -> Result<(), MissingDevice> {
        let found = match self {
            Self::Flex => true,
            #[cfg(feature = "tch")]
            Self::Tch => true,
            #[cfg(feature = "tch")]
            Self::TchCuda => ablate_kernels::libtorch_has_cuda(),
            #[cfg(feature = "cuda")]
            Self::Cuda => has_cuda_driver(),
        };
        if found { Ok(()) } else { Err(MissingDevice { backend: self }) }
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

/// A backend without its GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the backend `{backend}` finds no NVIDIA GPU with its driver here; `nvidia-smi` must list one"
)]
pub struct MissingDevice {
    /// The backend.
    pub backend: Backend,
}

/// CUDA's driver loads, and it lists a GPU.
#[cfg(feature = "cuda")]
fn has_cuda_driver() -> bool {
    let name = if cfg!(windows) { "nvcuda.dll" } else { "libcuda.so.1" };
    type Init = unsafe extern "C" fn(u32) -> i32;
    type Count = unsafe extern "C" fn(*mut i32) -> i32;
    // SAFETY: NVIDIA's driver has these functions with these types; 0 is success.
    unsafe {
        let Ok(driver) = libloading::Library::new(name) else { return false };
        let Ok(init) = driver.get::<Init>(b"cuInit\0") else { return false };
        let Ok(count) = driver.get::<Count>(b"cuDeviceGetCount\0") else { return false };
        let mut gpus = 0;
        init(0) == 0 && count(&mut gpus) == 0 && gpus > 0
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
#[cfg_attr(feature = "tch", allow(deprecated))]
pub fn device(backend: Backend) -> Device {
    match backend {
        Backend::Flex => Device::flex(),
        #[cfg(feature = "tch")]
        Backend::Tch => Device::libtorch(),
        #[cfg(feature = "tch")]
        Backend::TchCuda => Device::libtorch_cuda(0),
        #[cfg(feature = "cuda")]
        Backend::Cuda => Device::cuda(0),
    }
}

/// The backend's device for training.
pub fn training_device(backend: Backend) -> Device {
    device(backend).autodiff()
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

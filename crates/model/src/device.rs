//! Where tensors live and who computes with them.

use std::str::FromStr;

use burn::tensor::Device;

/// A backend compiled into this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// burn's pure-Rust CPU backend, with the fused kernels of `ablate-kernels`.
    Flex,
}

impl Backend {
    /// Every backend compiled in, the default first.
    pub const ALL: &[Self] = &[Self::Flex];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
        }
    }
}

/// A backend's name that this program does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no backend `{name}` in this program; compiled in: {}", known())]
pub struct UnknownBackend {
    /// What was asked for.
    pub name: String,
}

fn known() -> String {
    let names: Vec<String> = Backend::ALL.iter().map(|b| format!("`{}`", b.name())).collect();
    names.join(", ")
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
    match backend {
        Backend::Flex => Device::flex(),
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
        let error = "cuda".parse::<Backend>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no backend `cuda` in this program; compiled in: `flex`"
        );
    }

    #[test]
    fn only_training_records() {
        assert!(!device(Backend::Flex).is_autodiff());
        assert!(training_device(Backend::Flex).is_autodiff());
    }
}

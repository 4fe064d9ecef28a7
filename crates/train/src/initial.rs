//! What a run starts from.

use std::path::Path;

use ablate_model::{HostTensor, ModelError, Weights};

/// Weights, and what the optimiser remembers.
#[derive(Clone, Debug, PartialEq)]
pub struct Initial {
    /// The weights before the first step.
    pub weights: Weights,
    /// AdamW's moments; `None` starts them from zero.
    pub moments: Option<Moments>,
}

/// AdamW's running moments, one pair per parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Running mean of each gradient.
    pub first: Weights,
    /// Running mean of each squared gradient.
    pub second: Weights,
    /// Updates that they have seen: the correction of their bias goes on from there.
    pub updates: u64,
}

impl From<Weights> for Initial {
    fn from(weights: Weights) -> Self {
        Self { weights, moments: None }
    }
}

impl Initial {
    /// Updates that the moments have seen.
    pub(crate) fn updates(&self) -> u64 {
        self.moments.as_ref().map_or(0, |moments| moments.updates)
    }

    /// blake3 of everything.
    pub(crate) fn checksum(&self) -> String {
        let weights = self.weights.checksum();
        match &self.moments {
            None => weights,
            Some(moments) => {
                let (first, second) = (moments.first.checksum(), moments.second.checksum());
                format!("{weights} {first} {second} {}", moments.updates)
            }
        }
    }
}

/// Prefixes of the moments' names in a file.
const PARTS: [&str; 2] = ["first.", "second."];

impl Moments {
    /// Moments that have seen nothing.
    pub(crate) fn zeros(weights: &Weights) -> Self {
        let zero = |tensor: &HostTensor| HostTensor::filled(tensor.shape.clone(), 0.0);
        let zeros = || weights.iter().map(|(name, tensor)| (name.to_owned(), zero(tensor)));
        Self { first: zeros().collect(), second: zeros().collect(), updates: 0 }
    }

    /// Writes them as safetensors, `first.NAME` and `second.NAME`; the number of updates is not in
    /// the file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let named = PARTS.into_iter().zip([&self.first, &self.second]);
        let all = named.flat_map(|(prefix, part)| {
            part.iter().map(move |(name, tensor)| (format!("{prefix}{name}"), tensor.clone()))
        });
        all.collect::<Weights>().save(path)
    }

    /// Reads what [`Moments::save`] wrote.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn load(path: &Path, updates: u64) -> Result<Self, ModelError> {
        let all = Weights::load(path)?;
        let [first, second] = PARTS.map(|prefix| {
            let part = all.iter().filter_map(|(name, tensor)| {
                Some((name.strip_prefix(prefix)?.to_owned(), tensor.clone()))
            });
            part.collect()
        });
        Ok(Self { first, second, updates })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_survive_a_file() {
        let tensor = |value: f32| HostTensor { shape: vec![2, 1], values: vec![value, -value] };
        let named = |value: f32| -> Weights {
            [("a.b".to_owned(), tensor(value)), ("first.c".to_owned(), tensor(value + 1.0))]
                .into_iter()
                .collect()
        };
        let moments = Moments { first: named(1.0), second: named(5.0), updates: 7 };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moments.safetensors");
        moments.save(&path).unwrap();
        assert_eq!(Moments::load(&path, 7).unwrap(), moments);
    }
}

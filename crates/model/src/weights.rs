//! All parameters of a model as plain numbers.

use std::collections::BTreeMap;

use crate::{HostTensor, ModelConfig, ModelError, Place, places};

/// Tensors by name, in the order of their names. The names and layouts are those of Hugging Face's
/// LLaMA files: matrices are `[out, in]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights(BTreeMap<String, HostTensor>);

impl Weights {
    /// No tensors.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tensor of this name.
    pub fn get(&self, name: &str) -> Option<&HostTensor> {
        self.0.get(name)
    }

    /// The tensor of this name, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut HostTensor> {
        self.0.get_mut(name)
    }

    /// Puts a tensor in; returns the one of that name that it replaces.
    pub fn insert(&mut self, name: String, tensor: HostTensor) -> Option<HostTensor> {
        self.0.insert(name, tensor)
    }

    /// Takes a tensor out.
    pub fn remove(&mut self, name: &str) -> Option<HostTensor> {
        self.0.remove(name)
    }

    /// Names and tensors, in the order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &HostTensor)> {
        self.0.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// How many tensors there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many values all tensors have together.
    pub fn values(&self) -> u64 {
        self.0.values().map(|tensor| tensor.values.len() as u64).sum()
    }

    /// blake3 of all names, shapes and values, in hexadecimal. Equal on every machine.
    pub fn checksum(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (name, tensor) in &self.0 {
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
            tensor.hash_into(&mut hasher);
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The tensors that a configuration needs: names and shapes, in the order of
    /// [`Decoder::names`](crate::Decoder::names).
    pub fn names_of(config: &ModelConfig) -> Vec<(String, Vec<usize>)> {
        places(config).map(|place| (place.name(), place.shape(&config.shape))).collect()
    }

    /// Checks that these are exactly the tensors that a configuration needs, with finite values.
    ///
    /// # Errors
    /// The configuration's fault, or the first tensor that is missing, misshapen, not finite or one
    /// too many.
    pub fn check(&self, config: &ModelConfig) -> Result<(), ModelError> {
        config.check()?;
        // One at a time: a depth that is far too large fails at the first layer that is missing.
        for place in places(config) {
            self.check_tensor(place, config)?;
        }
        let known: std::collections::BTreeSet<String> = places(config).map(Place::name).collect();
        match self.0.keys().find(|name| !known.contains(*name)) {
            Some(name) => Err(ModelError::Unexpected { name: name.clone() }),
            None => Ok(()),
        }
    }

    fn check_tensor(&self, place: Place, config: &ModelConfig) -> Result<(), ModelError> {
        let name = place.name();
        let expected = place.shape(&config.shape);
        let Some(tensor) = self.0.get(&name) else {
            return Err(ModelError::Missing { name, shape: expected });
        };
        if tensor.shape != expected {
            return Err(ModelError::TensorShape { name, found: tensor.shape.clone(), expected });
        }
        if tensor.values.len() != expected.iter().product::<usize>() {
            let values = tensor.values.len();
            return Err(ModelError::TensorLength { name, shape: expected, values });
        }
        match tensor.values.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(ModelError::NotFinite { name, index, value: tensor.values[index] }),
            None => Ok(()),
        }
    }
}

impl FromIterator<(String, HostTensor)> for Weights {
    fn from_iter<I: IntoIterator<Item = (String, HostTensor)>>(tensors: I) -> Self {
        Self(tensors.into_iter().collect())
    }
}

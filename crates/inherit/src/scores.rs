//! Importance of coupled channels, by magnitude or by what the loss changes without them.
//!
//! LLM-Pruner's forms. By magnitude, the score of unit j is the mean, over the tensors that it runs
//! through, of the sum of |w|^p over its entries there, with p = 1 or 2 and no root. By Taylor
//! expansion to the first order, it is the sum of |w dL/dw| over all of its entries, with L the loss
//! on calibration text. Sums are in f64.
//!
//! What a unit runs through:
//! - hidden channel j, shared by all layers: column j of every reading matrix (q, k, v, gate, up),
//!   row j of every writing matrix (o, down), element j of every norm, column j of the embedding and
//!   of the output head;
//! - a key and value head with the query heads that share it, per layer: its rows of q, k and v and
//!   its columns of o;
//! - feed-forward channel j, per layer: row j of gate and up, column j of down (scales and biases of
//!   activations go with it and do not count: they weigh no connection);
//! - channel j of the bottleneck beside attention, per layer, where there is one: row j of the matrix
//!   into it, column j of the one out of it.
//!
//! Only what survives the first stage counts: kept layers, and kept rows of the vocabulary.
//! Otherwise scores are taken on the whole parent, so that the three choices do not depend on each
//! other.

use ablate_cost::Shape;
use ablate_model::{HostTensor, ModelConfig, ModelError, Part, Place, Units, Weights};

use crate::InheritError;
use crate::cut::{check_range, check_vocabulary};

/// What is added up of a unit's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// `|w|`
    L1,
    /// `w^2`
    L2,
}

impl Norm {
    fn of(self, value: f32) -> f64 {
        let value = f64::from(value);
        match self {
            Self::L1 => value.abs(),
            Self::L2 => value * value,
        }
    }
}

/// What becomes of the sums over a unit's tensors.
#[derive(Clone, Copy, Debug)]
enum Reduce {
    Mean,
    Sum,
}

/// Scores by magnitude: of every hidden channel, and for each of `layers` of every head and channel
/// there. `vocabulary` are the rows of embedding and head that count.
///
/// # Errors
/// If the model is not whole, or does not have these layers or rows.
pub fn magnitudes(
    (config, weights): (&ModelConfig, &Weights),
    layers: &[usize],
    vocabulary: &[u32],
    norm: Norm,
) -> Result<Units, InheritError> {
    Scorer { shape: config.shape, tensors: weights, norm, reduce: Reduce::Mean }
        .units(config, layers, vocabulary)
}

/// Scores by Taylor expansion, laid out as those of [`magnitudes`]: `saliency` holds `w dL/dw` (or
/// its absolute value) of every weight under its name.
///
/// # Errors
/// If the saliency is not the whole model's, or the model does not have these layers or rows.
pub fn taylor(
    (config, saliency): (&ModelConfig, &Weights),
    layers: &[usize],
    vocabulary: &[u32],
) -> Result<Units, InheritError> {
    Scorer { shape: config.shape, tensors: saliency, norm: Norm::L1, reduce: Reduce::Sum }
        .units(config, layers, vocabulary)
}

/// Adds up tensors of a whole model.
struct Scorer<'a> {
    shape: Shape,
    tensors: &'a Weights,
    norm: Norm,
    reduce: Reduce,
}

impl Scorer<'_> {
    fn units(
        &self,
        config: &ModelConfig,
        layers: &[usize],
        vocabulary: &[u32],
    ) -> Result<Units, InheritError> {
        self.tensors.check(config).map_err(InheritError::Parent)?;
        check_range(layers, self.shape.depth)?;
        check_vocabulary(self.shape.vocabulary, vocabulary)?;
        let mut units = Units { hidden: self.hidden(layers, vocabulary)?, ..Units::default() };
        for &layer in layers {
            units.heads.push(self.heads(layer)?);
            units.ffn.push(self.ffn(layer)?);
            units.shortcut.push(match self.shape.pi.shortcut {
                0 => Vec::new(),
                _ => self.shortcut(layer)?,
            });
        }
        Ok(units)
    }

    fn tensor(&self, place: Place) -> Result<&HostTensor, InheritError> {
        let name = place.name();
        self.tensors.get(&name).ok_or_else(|| {
            InheritError::Parent(ModelError::Missing { name, shape: place.shape(&self.shape) })
        })
    }

    /// Scores of the hidden channels, over the given layers and vocabulary rows.
    fn hidden(&self, layers: &[usize], vocabulary: &[u32]) -> Result<Vec<f64>, InheritError> {
        let mut sums = Sums::new(self.shape.width);
        let heads = if self.shape.tied { vec![] } else { vec![Place::Head] };
        for place in [Place::Embedding].into_iter().chain(heads) {
            let table = self.tensor(place)?;
            sums.add(self.columns(vocabulary.iter().map(|id| table.row(*id as usize))));
        }
        for layer in layers {
            for part in Part::of(&self.shape) {
                let tensor = self.tensor(Place::Layer(*layer, part))?;
                sums.add(match part {
                    Part::Output | Part::Down | Part::ShortcutUp => self.rows(tensor),
                    Part::SeriesScale(_) | Part::SeriesBias(_) => continue,
                    // A child of a model with biases is refused before it comes to scores.
                    Part::QueryBias | Part::KeyBias | Part::ValueBias => continue,
                    _ => self.columns(rows(tensor)),
                });
            }
        }
        sums.add(self.columns(rows(self.tensor(Place::FinalNorm)?)));
        Ok(sums.finish(self.reduce))
    }

    /// Scores of a layer's key and value heads, each with the query heads that share it.
    fn heads(&self, layer: usize) -> Result<Vec<f64>, InheritError> {
        let head_dim = self.shape.head_dim();
        let group = head_dim * (self.shape.heads / self.shape.kv_heads);
        let tensor = |part| self.tensor(Place::Layer(layer, part));
        let mut sums = Sums::new(self.shape.kv_heads);
        sums.add(sums_of(&self.rows(tensor(Part::Query)?), group));
        sums.add(sums_of(&self.rows(tensor(Part::Key)?), head_dim));
        sums.add(sums_of(&self.rows(tensor(Part::Value)?), head_dim));
        sums.add(sums_of(&self.columns(rows(tensor(Part::Output)?)), group));
        Ok(sums.finish(self.reduce))
    }

    /// Scores of a layer's feed-forward channels.
    fn ffn(&self, layer: usize) -> Result<Vec<f64>, InheritError> {
        let tensor = |part| self.tensor(Place::Layer(layer, part));
        let mut sums = Sums::new(self.shape.ffn);
        sums.add(self.rows(tensor(Part::Gate)?));
        sums.add(self.rows(tensor(Part::Up)?));
        sums.add(self.columns(rows(tensor(Part::Down)?)));
        Ok(sums.finish(self.reduce))
    }

    /// Scores of a layer's channels in the bottleneck beside attention.
    fn shortcut(&self, layer: usize) -> Result<Vec<f64>, InheritError> {
        let tensor = |part| self.tensor(Place::Layer(layer, part));
        let mut sums = Sums::new(self.shape.pi.shortcut);
        sums.add(self.rows(tensor(Part::ShortcutDown)?));
        sums.add(self.columns(rows(tensor(Part::ShortcutUp)?)));
        Ok(sums.finish(self.reduce))
    }

    /// The sum of every row.
    fn rows(&self, tensor: &HostTensor) -> Vec<f64> {
        rows(tensor).map(|row| row.iter().map(|value| self.norm.of(*value)).sum()).collect()
    }

    /// The sum of every column of some rows.
    fn columns<'r>(&self, rows: impl Iterator<Item = &'r [f32]>) -> Vec<f64> {
        let mut sums = vec![];
        for row in rows {
            sums.resize(row.len(), 0.0);
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += self.norm.of(*value);
            }
        }
        sums
    }
}

/// Several members' sums, unit by unit.
struct Sums {
    sums: Vec<f64>,
    members: usize,
}

impl Sums {
    fn new(units: usize) -> Self {
        Self { sums: vec![0.0; units], members: 0 }
    }

    fn add(&mut self, member: Vec<f64>) {
        self.members += 1;
        for (sum, value) in self.sums.iter_mut().zip(member) {
            *sum += value;
        }
    }

    fn finish(self, reduce: Reduce) -> Vec<f64> {
        let over = match reduce {
            Reduce::Mean => self.members as f64,
            Reduce::Sum => 1.0,
        };
        self.sums.into_iter().map(|sum| sum / over).collect()
    }
}

/// The rows of a matrix; a vector is one row.
fn rows(tensor: &HostTensor) -> impl Iterator<Item = &[f32]> {
    tensor.values.chunks_exact(tensor.columns())
}

/// Sums of consecutive stretches.
fn sums_of(values: &[f64], stretch: usize) -> Vec<f64> {
    values.chunks_exact(stretch).map(|chunk| chunk.iter().sum()).collect()
}

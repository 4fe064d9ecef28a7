//! Importance of coupled channels by magnitude.
//!
//! LLM-Pruner's form: the score of unit j is the mean, over the tensors that it runs through, of the
//! sum of |w|^p over its entries there, with p = 1 or 2 and no root. Sums are in f64.
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
use ablate_model::{HostTensor, ModelError, Part, Place, Weights};

use crate::InheritError;
use crate::select::Norm;

/// A parent whose weights have been checked.
#[derive(Clone, Copy)]
pub(crate) struct Parent<'a> {
    pub(crate) shape: Shape,
    pub(crate) weights: &'a Weights,
}

impl<'a> Parent<'a> {
    pub(crate) fn tensor(&self, place: Place) -> Result<&'a HostTensor, InheritError> {
        let name = place.name();
        self.weights.get(&name).ok_or_else(|| {
            InheritError::Parent(ModelError::Missing { name, shape: place.shape(&self.shape) })
        })
    }

    /// Scores of the hidden channels, over the given layers and vocabulary rows.
    pub(crate) fn hidden_scores(
        &self,
        layers: &[usize],
        vocabulary: &[u32],
        norm: Norm,
    ) -> Result<Vec<f64>, InheritError> {
        let mut mean = Mean::new(self.shape.width);
        let heads = if self.shape.tied { vec![] } else { vec![Place::Head] };
        for place in [Place::Embedding].into_iter().chain(heads) {
            let table = self.tensor(place)?;
            mean.add(column_sums(vocabulary.iter().map(|id| table.row(*id as usize)), norm));
        }
        for layer in layers {
            for part in Part::of(&self.shape.pi) {
                let tensor = self.tensor(Place::Layer(*layer, part))?;
                mean.add(match part {
                    Part::Output | Part::Down | Part::ShortcutUp => row_sums(tensor, norm),
                    Part::SeriesScale(_) | Part::SeriesBias(_) => continue,
                    _ => column_sums(rows(tensor), norm),
                });
            }
        }
        mean.add(column_sums(rows(self.tensor(Place::FinalNorm)?), norm));
        Ok(mean.finish())
    }

    /// Scores of a layer's key and value heads, each with the query heads that share it.
    pub(crate) fn head_scores(&self, layer: usize, norm: Norm) -> Result<Vec<f64>, InheritError> {
        let head_dim = self.shape.head_dim();
        let group = head_dim * (self.shape.heads / self.shape.kv_heads);
        let tensor = |part| self.tensor(Place::Layer(layer, part));
        let mut mean = Mean::new(self.shape.kv_heads);
        mean.add(sums_of(&row_sums(tensor(Part::Query)?, norm), group));
        mean.add(sums_of(&row_sums(tensor(Part::Key)?, norm), head_dim));
        mean.add(sums_of(&row_sums(tensor(Part::Value)?, norm), head_dim));
        mean.add(sums_of(&column_sums(rows(tensor(Part::Output)?), norm), group));
        Ok(mean.finish())
    }

    /// Scores of a layer's feed-forward channels.
    pub(crate) fn ffn_scores(&self, layer: usize, norm: Norm) -> Result<Vec<f64>, InheritError> {
        let tensor = |part| self.tensor(Place::Layer(layer, part));
        let mut mean = Mean::new(self.shape.ffn);
        mean.add(row_sums(tensor(Part::Gate)?, norm));
        mean.add(row_sums(tensor(Part::Up)?, norm));
        mean.add(column_sums(rows(tensor(Part::Down)?), norm));
        Ok(mean.finish())
    }

    /// Scores of a layer's channels in the bottleneck beside attention.
    pub(crate) fn shortcut_scores(
        &self,
        layer: usize,
        norm: Norm,
    ) -> Result<Vec<f64>, InheritError> {
        let tensor = |part| self.tensor(Place::Layer(layer, part));
        let mut mean = Mean::new(self.shape.pi.shortcut);
        mean.add(row_sums(tensor(Part::ShortcutDown)?, norm));
        mean.add(column_sums(rows(tensor(Part::ShortcutUp)?), norm));
        Ok(mean.finish())
    }
}

/// The mean of several members' sums, unit by unit.
struct Mean {
    sums: Vec<f64>,
    members: usize,
}

impl Mean {
    fn new(units: usize) -> Self {
        Self { sums: vec![0.0; units], members: 0 }
    }

    fn add(&mut self, member: Vec<f64>) {
        self.members += 1;
        for (sum, value) in self.sums.iter_mut().zip(member) {
            *sum += value;
        }
    }

    fn finish(self) -> Vec<f64> {
        self.sums.into_iter().map(|sum| sum / self.members as f64).collect()
    }
}

/// The rows of a matrix; a vector is one row.
fn rows(tensor: &HostTensor) -> impl Iterator<Item = &[f32]> {
    tensor.values.chunks_exact(tensor.columns())
}

fn row_sums(tensor: &HostTensor, norm: Norm) -> Vec<f64> {
    rows(tensor).map(|row| row.iter().map(|value| norm.of(*value)).sum()).collect()
}

fn column_sums<'a>(rows: impl Iterator<Item = &'a [f32]>, norm: Norm) -> Vec<f64> {
    let mut sums = Vec::new();
    for row in rows {
        sums.resize(row.len(), 0.0);
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += norm.of(*value);
        }
    }
    sums
}

/// Sums of consecutive stretches.
fn sums_of(values: &[f64], stretch: usize) -> Vec<f64> {
    values.chunks_exact(stretch).map(|chunk| chunk.iter().sum()).collect()
}

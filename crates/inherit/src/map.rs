//! Where every tensor of a child came from.

use serde::{Deserialize, Serialize};

use crate::WidthCriterion;

/// What was kept of a parent. All indices are the parent's, ascending, and stand at the position
/// that they have in the child.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InheritanceMap {
    /// How channels and heads were chosen.
    pub criterion: WidthCriterion,
    /// Checksum of the parent's weights.
    pub parent: String,
    /// Layers kept.
    pub layers: Vec<usize>,
    /// Hidden channels kept, the same in every layer.
    pub hidden: Vec<usize>,
    /// Query heads kept in each of `layers`.
    pub heads: Vec<Vec<usize>>,
    /// Key and value heads kept in each of `layers`.
    pub kv_heads: Vec<Vec<usize>>,
    /// How many of them, one after the other, were averaged into one head of the child.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub pooled: usize,
    /// Feed-forward channels kept in each of `layers`.
    pub ffn: Vec<Vec<usize>>,
    /// Channels of the bottleneck beside attention kept in each of `layers`; empty where there is
    /// none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortcut: Vec<Vec<usize>>,
    /// The parent's id of every id of the child, in the order of the child's ids.
    pub vocabulary: Vec<u32>,
    /// Every tensor of the child.
    pub tensors: Vec<TensorOrigin>,
}

fn one() -> usize {
    1
}

fn is_one(pooled: &usize) -> bool {
    *pooled == 1
}

impl InheritanceMap {
    /// What came of both, where this one cut its child out of the child of `before`: indices, names
    /// and parent are those of the first parent. The criterion is this one's, which chose the width.
    ///
    /// # Panics
    /// If this one's parent is not the child of `before`.
    #[must_use]
    pub fn after(mut self, before: &Self) -> Self {
        let through = |kept: &mut Vec<usize>, list: &[usize]| {
            kept.iter_mut().for_each(|index| *index = list[*index]);
        };
        for (position, layer) in self.layers.iter_mut().enumerate() {
            through(&mut self.heads[position], &before.heads[*layer]);
            through(&mut self.kv_heads[position], &before.kv_heads[*layer]);
            through(&mut self.ffn[position], &before.ffn[*layer]);
            if let Some(shortcut) = self.shortcut.get_mut(position) {
                through(shortcut, &before.shortcut[*layer]);
            }
            *layer = before.layers[*layer];
        }
        through(&mut self.hidden, &before.hidden);
        self.vocabulary.iter_mut().for_each(|id| *id = before.vocabulary[*id as usize]);
        self.pooled *= before.pooled;
        for tensor in &mut self.tensors {
            let origin = before.tensors.iter().find(|origin| origin.target == tensor.source);
            if let Some(origin) = origin {
                tensor.source.clone_from(&origin.source);
            }
        }
        self.parent.clone_from(&before.parent);
        self
    }
}

/// Where one tensor of the child came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorOrigin {
    /// Its name in the child.
    pub target: String,
    /// The tensor of the parent that it is cut out of.
    pub source: String,
    /// Which list of the map selects along each axis.
    pub rule: Vec<Axis>,
    /// blake3 of the tensor as the child starts with it.
    pub checksum: String,
}

/// What selects along an axis of a tensor. Lists of heads stand for `head_dim` consecutive channels
/// each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// [`InheritanceMap::vocabulary`]
    Vocabulary,
    /// [`InheritanceMap::hidden`]
    Hidden,
    /// [`InheritanceMap::heads`] of the tensor's layer.
    Heads,
    /// [`InheritanceMap::kv_heads`] of the tensor's layer, [pooled](InheritanceMap::pooled).
    KvHeads,
    /// [`InheritanceMap::ffn`] of the tensor's layer.
    Ffn,
    /// [`InheritanceMap::shortcut`] of the tensor's layer.
    Shortcut,
}

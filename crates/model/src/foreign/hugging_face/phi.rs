//! Phi-1, Phi-1.5 and Phi-2 (`PhiForCausalLM`): names of its own, and a rotation of the first channels
//! of a head only.

use ablate_cost::{Attention, Block, Shape};
use serde_json::{Map, Value};

use super::{Keys, context, quantised};
use crate::{HostTensor, ModelConfig, Part, Place, RopeScaling, Weights};

/// Its `config.json`.
pub(super) fn config(
    keys: &Map<String, Value>,
    notes: &mut Vec<String>,
) -> Result<ModelConfig, String> {
    let keys = Keys(keys);
    if let Some(name) = keys.get("hidden_act")
        && name != "gelu_new"
    {
        return Err(format!("`hidden_act` is {name}, but only \"gelu_new\" of Phi is computed"));
    }
    if keys.flag("qk_layernorm")? == Some(true) {
        return Err(
            "`qk_layernorm` is true, but norms of queries and keys are not computed".to_owned()
        );
    }
    quantised(&keys)?;
    let shape =
        Shape { attention: Attention { bias: true, ..Attention::NONE }, ..keys.shape(Block::Phi)? };
    let empty = Map::new();
    let rope = keys.get("rope_parameters").or_else(|| keys.get("rope_scaling"));
    let rope = Keys(rope.and_then(Value::as_object).unwrap_or(&empty));
    let kind = rope.get("rope_type").or_else(|| rope.get("type"));
    if let Some(kind) = kind.filter(|kind| *kind != "default") {
        return Err(format!(
            "its RoPE scaling is of the kind {kind}, which is not computed of Phi"
        ));
    }
    let number = |key: &str| Ok::<_, String>(rope.number(key)?.or(keys.number(key)?));
    let share = number("partial_rotary_factor")?.unwrap_or(0.5);
    Ok(ModelConfig {
        shape,
        context: context(keys.positions()?, None, notes),
        rope_theta: number("rope_theta")?.unwrap_or(10_000.0),
        norm_eps: keys.number("layer_norm_eps")?.unwrap_or(1e-5),
        // What is no share of a head is named by the configuration's check.
        rope_scaling: RopeScaling::Partial { channels: (share * shape.head_dim() as f64) as usize },
    })
}

/// Its weights under our names, channels of queries and keys in our order; what has another name stays,
/// and is refused as superfluous.
pub(super) fn weights(theirs: Weights, config: &ModelConfig) -> Weights {
    let mut ours = Weights::new();
    for (name, tensor) in theirs.iter() {
        let name = name
            .replace(".self_attn.dense.", ".self_attn.o_proj.")
            .replace(".mlp.fc1.", ".mlp.up_proj.")
            .replace(".mlp.fc2.", ".mlp.down_proj.")
            .replace("model.final_layernorm.", "model.norm.");
        ours.insert(name, tensor.clone());
    }
    let RopeScaling::Partial { channels } = config.rope_scaling else { return ours };
    let order = order(config.shape.head_dim(), channels);
    for layer in 0..config.shape.depth {
        for part in [Part::Query, Part::QueryBias, Part::Key, Part::KeyBias] {
            if let Some(tensor) = ours.get_mut(&Place::Layer(layer, part).name()) {
                reorder(tensor, &order);
            }
        }
    }
    ours
}

/// Which of their channels each of a head's is. They turn channel `i` with `turned / 2 + i`, all others
/// stay; here, where `i` goes with `head_dim / 2 + i`, those that stay are the last of both halves.
fn order(head_dim: usize, turned: usize) -> Vec<usize> {
    let stay = (head_dim - turned) / 2;
    let half = |from: usize, rest: usize| (from..from + turned / 2).chain(rest..rest + stay);
    half(0, turned).chain(half(turned / 2, turned + stay)).collect()
}

/// Puts the rows of each head in another order.
fn reorder(tensor: &mut HostTensor, order: &[usize]) {
    // A tensor of another shape is refused later.
    let Some(rows) = tensor.shape.first().copied().filter(|rows| *rows > 0) else { return };
    let width = tensor.values.len() / rows;
    let old = tensor.values.clone();
    for (row, values) in tensor.values.chunks_mut(width.max(1)).enumerate() {
        let from = row / order.len() * order.len() + order[row % order.len()];
        if let Some(old) = old.get(from * width..(from + 1) * width) {
            values.copy_from_slice(old);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_that_are_turned_together_lie_half_a_head_apart() {
        // Of eight channels four are turned: 0 with 2 and 1 with 3.
        assert_eq!(order(8, 4), [0, 1, 4, 5, 2, 3, 6, 7]);
        assert_eq!(order(6, 6), [0, 1, 2, 3, 4, 5]);
        let mut bias = HostTensor { shape: vec![8], values: (0..8).map(|n| n as f32).collect() };
        reorder(&mut bias, &order(4, 2));
        assert_eq!(bias.values, [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
    }
}

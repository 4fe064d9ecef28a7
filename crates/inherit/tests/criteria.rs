//! What is kept: by magnitude, the first ones, or at random.

mod models;

use ablate_cost::Shape;
use ablate_inherit::WidthCriterion;
use ablate_model::{ModelConfig, Weights};
use models::{all, config, grouped, identity, inherit, weights};

/// Scores of hidden channels, heads and feed-forward channels by going through every single weight
/// and asking, by its name, which unit it belongs to.
struct Scores {
    hidden: Vec<f64>,
    heads: Vec<Vec<f64>>,
    ffn: Vec<Vec<f64>>,
}

fn score(config: &ModelConfig, weights: &Weights, layers: &[usize], ids: &[u32], p: i32) -> Scores {
    let shape = config.shape;
    let (head_dim, group) = (shape.width / shape.heads, shape.heads / shape.kv_heads);
    let mut scores = Scores {
        hidden: vec![0.0; shape.width],
        heads: vec![vec![0.0; shape.kv_heads]; shape.depth],
        ffn: vec![vec![0.0; shape.ffn]; shape.depth],
    };
    for (name, tensor) in weights.iter() {
        let words: Vec<&str> = name.split('.').collect();
        let layer = words.iter().find_map(|word| word.parse::<usize>().ok());
        if layer.is_some_and(|layer| !layers.contains(&layer)) {
            continue;
        }
        let kind = words[words.len() - 2];
        let columns = *tensor.shape.last().unwrap();
        for (index, value) in tensor.values.iter().enumerate() {
            let (row, column) = (index / columns, index % columns);
            let value = f64::from(*value).abs().powi(p);
            let table = ["embed_tokens", "lm_head"].contains(&kind);
            if table && !ids.contains(&(row as u32)) {
                continue;
            }
            let writes = ["o_proj", "down_proj"].contains(&kind);
            scores.hidden[if writes { row } else { column }] += value;
            let Some(layer) = layer else { continue };
            match kind {
                "q_proj" => scores.heads[layer][row / head_dim / group] += value / 4.0,
                "k_proj" | "v_proj" => scores.heads[layer][row / head_dim] += value / 4.0,
                "o_proj" => scores.heads[layer][column / head_dim / group] += value / 4.0,
                "gate_proj" | "up_proj" => scores.ffn[layer][row] += value / 3.0,
                "down_proj" => scores.ffn[layer][column] += value / 3.0,
                _ => {}
            }
        }
    }
    let members = 9 * layers.len() + if shape.tied { 2 } else { 3 };
    scores.hidden.iter_mut().for_each(|score| *score /= members as f64);
    scores
}

fn top(scores: &[f64], keep: usize) -> Vec<usize> {
    let mut order = all(scores.len());
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    order.truncate(keep);
    order.sort();
    order
}

#[test]
fn magnitudes_agree_with_a_count_over_single_weights() {
    for tied in [false, true] {
        let parent = config(Shape { tied, ..grouped().shape });
        let weights = weights(&parent);
        let child = config(Shape {
            depth: 2,
            width: 16,
            heads: 4,
            kv_heads: 2,
            ffn: 7,
            vocabulary: 6,
            tied: false,
            pi: Default::default(),
            attention: Default::default(),
            block: Default::default(),
        });
        let (layers, ids) = ([0, 2], [16, 0, 2, 9, 10, 5]);
        let mut kept = Vec::new();
        for (criterion, p) in [(WidthCriterion::L1, 1), (WidthCriterion::L2, 2)] {
            let (_, map) = inherit((&parent, &weights), &child, &ids, &layers, criterion).unwrap();
            let scores = score(&parent, &weights, &layers, &ids, p);
            assert_eq!(map.hidden, top(&scores.hidden, 16));
            for (index, layer) in layers.into_iter().enumerate() {
                assert_eq!(map.kv_heads[index], top(&scores.heads[layer], 2));
                assert_eq!(map.ffn[index], top(&scores.ffn[layer], 7));
            }
            kept.push((map.hidden, map.ffn));
        }
        assert_ne!(kept[0], kept[1], "L1 and L2 should differ somewhere on random weights");
    }
}

#[test]
fn the_first_ones_and_random_ones() {
    let parent = grouped();
    let weights = weights(&parent);
    let child = config(Shape { depth: 1, width: 8, heads: 2, kv_heads: 1, ffn: 5, ..parent.shape });
    let cut =
        |criterion| inherit((&parent, &weights), &child, &identity(17), &[1], criterion).unwrap().1;
    let first = cut(WidthCriterion::First);
    assert_eq!((first.hidden, first.ffn[0].clone()), (all(8), all(5)));
    assert_eq!((first.heads[0].clone(), first.kv_heads[0].clone()), (vec![0, 1], vec![0]));
    let random = cut(WidthCriterion::Random(3));
    assert_eq!(random, cut(WidthCriterion::Random(3)));
    assert_ne!(random.hidden, cut(WidthCriterion::Random(4)).hidden);
}

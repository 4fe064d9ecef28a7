//! Children are cut as the map says, planted structure is found, and nothing else changes.

use ablate_cost::{Pi, Shape};
use ablate_inherit::{
    Axis, Grouping, InheritError, InheritanceMap, Middle, WidthCriterion, select_layers,
};
use ablate_model::{
    Backend, Decoder, ModelConfig, Part, Place, Scheme, Weights, device, random_weights,
};
use burn::tensor::{Int, Tensor, TensorData};
use proptest::prelude::*;

const CRITERIA: [WidthCriterion; 4] =
    [WidthCriterion::L1, WidthCriterion::L2, WidthCriterion::First, WidthCriterion::Random(5)];

/// With groups of heads as they are.
fn inherit(
    parent: (&ModelConfig, &Weights),
    child: &ModelConfig,
    vocabulary: &[u32],
    layers: &[usize],
    criterion: WidthCriterion,
) -> Result<(Weights, InheritanceMap), InheritError> {
    ablate_inherit::inherit(parent, child, vocabulary, layers, criterion, Grouping::Kept)
}

fn config(shape: Shape) -> ModelConfig {
    ModelConfig { shape, context: 16, rope_theta: 1e4, norm_eps: 1e-5 }
}

/// Heads of 4 channels; two query heads share a key head.
fn grouped() -> ModelConfig {
    config(Shape {
        vocabulary: 17,
        depth: 3,
        width: 24,
        heads: 6,
        kv_heads: 3,
        ffn: 20,
        tied: false,
        pi: Default::default(),
    })
}

fn weights(config: &ModelConfig) -> Weights {
    random_weights(config, Scheme::Constant, 0.3, 1)
}

fn all(count: usize) -> Vec<usize> {
    (0..count).collect()
}

fn identity(count: usize) -> Vec<u32> {
    (0..count as u32).collect()
}

fn logits(config: &ModelConfig, weights: &Weights, ids: &[u32]) -> Vec<f32> {
    let device = device(Backend::Flex);
    let model = Decoder::from_weights(config, weights, &device).unwrap();
    let ids: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
    let ids = TensorData::new(ids.clone(), [1, ids.len()]);
    model.logits(Tensor::<2, Int>::from_data(ids, &device)).into_data().iter::<f32>().collect()
}

#[track_caller]
fn assert_close(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len());
    let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-5, "differ by {worst}");
}

/// Multiplies the entries of a matrix for which `at(row, column)` holds.
fn scale(weights: &mut Weights, place: Place, factor: f32, at: impl Fn(usize, usize) -> bool) {
    let tensor = weights.get_mut(&place.name()).unwrap();
    let columns = tensor.columns();
    for (index, value) in tensor.values.iter_mut().enumerate() {
        if at(index / columns, index % columns) {
            *value *= factor;
        }
    }
}

#[test]
fn keeping_everything_gives_the_parent() {
    for tied in [false, true] {
        let parent = config(Shape { tied, ..grouped().shape });
        let weights = weights(&parent);
        for criterion in CRITERIA {
            let layers = select_layers(3, 3, [2, 1], Middle::Even).unwrap();
            let (child, map) =
                inherit((&parent, &weights), &parent, &identity(17), &layers, criterion).unwrap();
            assert_eq!(child, weights);
            assert_eq!(map.parent, child.checksum());
            assert_eq!(map.hidden, all(24));
            let ids = [3, 1, 4, 1, 5, 9, 2, 6];
            assert_close(&logits(&parent, &child, &ids), &logits(&parent, &weights, &ids));
        }
    }
}

#[test]
fn heads_and_channels_without_effect_are_dropped_and_nothing_changes() {
    let parent = grouped();
    let mut weights = weights(&parent);
    // Per layer, another key head (with its two query heads) and other channels do nothing.
    let dead_heads = [1, 0, 2];
    let dead_ffn = |layer: usize, channel: usize| channel % 4 == layer;
    for (layer, dead_head) in dead_heads.into_iter().enumerate() {
        let at = |part| Place::Layer(layer, part);
        let kv = |channel: usize| channel / 4 == dead_head;
        let query = |channel: usize| channel / 8 == dead_head;
        scale(&mut weights, at(Part::Query), 0.0, |row, _| query(row));
        scale(&mut weights, at(Part::Key), 0.0, |row, _| kv(row));
        scale(&mut weights, at(Part::Value), 0.0, |row, _| kv(row));
        scale(&mut weights, at(Part::Output), 0.0, |_, column| query(column));
        scale(&mut weights, at(Part::Gate), 0.0, |row, _| dead_ffn(layer, row));
        scale(&mut weights, at(Part::Up), 0.0, |row, _| dead_ffn(layer, row));
        scale(&mut weights, at(Part::Down), 0.0, |_, column| dead_ffn(layer, column));
    }
    // The width stays, so heads keep their size: a child of 4 heads would need a width of 16. So
    // only the feed-forward channels go in this child ...
    let narrow = config(Shape { ffn: 15, ..parent.shape });
    for criterion in [WidthCriterion::L1, WidthCriterion::L2] {
        let (child, map) =
            inherit((&parent, &weights), &narrow, &identity(17), &all(3), criterion).unwrap();
        for layer in 0..3 {
            let alive: Vec<usize> = (0..20).filter(|c| !dead_ffn(layer, *c)).collect();
            assert_eq!(map.ffn[layer], alive);
        }
        let ids = [2, 7, 1, 8, 2, 8, 1, 8];
        assert_close(&logits(&narrow, &child, &ids), &logits(&parent, &weights, &ids));
    }
    // ... and in this one the dead heads and 8 dead hidden channels go as well.
    let dead_hidden = |channel: usize| channel % 3 == 1;
    kill_hidden(&mut weights, &parent, dead_hidden);
    let small = ModelConfig {
        // RMSNorm divides by the number of channels: see `compensate`.
        norm_eps: parent.norm_eps * 24.0 / 16.0,
        ..config(Shape { width: 16, heads: 4, kv_heads: 2, ffn: 15, ..parent.shape })
    };
    for criterion in [WidthCriterion::L1, WidthCriterion::L2] {
        let (mut child, map) =
            inherit((&parent, &weights), &small, &identity(17), &all(3), criterion).unwrap();
        assert_eq!(map.hidden, (0..24).filter(|c| !dead_hidden(*c)).collect::<Vec<_>>());
        assert_eq!(map.kv_heads, [[0, 2], [1, 2], [0, 1]]);
        assert_eq!(map.heads, [[0, 1, 4, 5], [2, 3, 4, 5], [0, 1, 2, 3]]);
        compensate(&mut child, &small, (24f32 / 16.0).sqrt());
        let ids = [2, 7, 1, 8, 2, 8, 1, 8];
        assert_close(&logits(&small, &child, &ids), &logits(&parent, &weights, &ids));
    }
}

/// The additions of PanGu-π are cut with what they belong to.
#[test]
fn additions_of_pi_are_inherited_with_their_channels() {
    let pi = Pi { activations: 2, shortcut: 6 };
    let parent = config(Shape { pi, ..grouped().shape });
    let mut weights = weights(&parent);
    let (dead_ffn, dead_bottleneck) = (|c: usize| c % 4 == 1, |c: usize| c % 3 == 2);
    for layer in 0..3 {
        let at = |part| Place::Layer(layer, part);
        scale(&mut weights, at(Part::Gate), 0.0, |row, _| dead_ffn(row));
        scale(&mut weights, at(Part::Up), 0.0, |row, _| dead_ffn(row));
        scale(&mut weights, at(Part::Down), 0.0, |_, column| dead_ffn(column));
        scale(&mut weights, at(Part::ShortcutDown), 0.0, |row, _| dead_bottleneck(row));
        scale(&mut weights, at(Part::ShortcutUp), 0.0, |_, column| dead_bottleneck(column));
    }
    let narrow = config(Shape { ffn: 15, pi: Pi { shortcut: 4, ..pi }, ..parent.shape });
    for criterion in [WidthCriterion::L1, WidthCriterion::L2] {
        let (child, map) =
            inherit((&parent, &weights), &narrow, &identity(17), &all(3), criterion).unwrap();
        assert_eq!(map.shortcut, [[0, 1, 3, 4], [0, 1, 3, 4], [0, 1, 3, 4]]);
        assert_eq!(map.ffn[1], (0..20).filter(|c| !dead_ffn(*c)).collect::<Vec<_>>());
        let ids = [2, 7, 1, 8, 2, 8, 1, 8];
        assert_close(&logits(&narrow, &child, &ids), &logits(&parent, &weights, &ids));
    }
    // All hidden channels that do nothing can go as well, with the heads' size kept.
    let layers = [0, 2];
    let shallow = config(Shape { depth: 2, ..narrow.shape });
    let (child, map) =
        inherit((&parent, &weights), &shallow, &identity(17), &layers, WidthCriterion::Random(3))
            .unwrap();
    child.check(&shallow).unwrap();
    assert_eq!(map.shortcut.len(), 2);
    let error = |child: Pi| {
        let child = config(Shape { pi: child, ..parent.shape });
        let result =
            inherit((&parent, &weights), &child, &identity(17), &all(3), WidthCriterion::L1);
        result.unwrap_err().to_string()
    };
    assert!(error(Pi::NONE).contains("give both the same `model.pi`"));
    assert!(error(Pi { shortcut: 7, ..pi }).contains("`pi.shortcut` is 7"));
}

/// Of 6 query heads over 6 key heads, 3 or 1 key heads: the means of neighbours.
#[test]
fn key_and_value_heads_are_pooled() {
    let whole = config(Shape { kv_heads: 6, ..grouped().shape });
    let mut weights = weights(&whole);
    let pool = |child: &ModelConfig, weights: &Weights, criterion| {
        let (ids, layers) = (identity(17), all(3));
        let parent = (&whole, weights);
        ablate_inherit::inherit(parent, child, &ids, &layers, criterion, Grouping::Pooled)
    };
    for (kv_heads, pooled) in [(3, 2), (1, 6), (6, 1)] {
        let child = config(Shape { kv_heads, ..whole.shape });
        let (cut, map) = pool(&child, &weights, WidthCriterion::L2).unwrap();
        cut.check(&child).unwrap();
        assert_eq!((map.pooled, &map.kv_heads[0]), (pooled, &all(6)));
        for place in ablate_model::places(&child) {
            let (old, new) = (weights.get(&place.name()).unwrap(), cut.get(&place.name()).unwrap());
            let Place::Layer(_, Part::Key | Part::Value) = place else {
                assert_eq!(old, new, "{}", place.name());
                continue;
            };
            for (index, value) in new.values.iter().enumerate() {
                let (row, column) = (index / 24, index % 24);
                let (head, channel) = (row / 4, row % 4);
                let rows = (0..pooled).map(|n| (head * pooled + n) * 4 + channel);
                let sum: f32 = rows.map(|row| old.row(row)[column]).sum();
                assert!((value - sum / pooled as f32).abs() < 1e-6);
            }
        }
        let text = serde_json::to_string(&map).unwrap();
        assert_eq!(serde_json::from_str::<InheritanceMap>(&text).unwrap(), map);
        assert_eq!(text.contains("pooled"), pooled > 1);
    }
    // Heads that are equal already lose nothing, and neighbours go together where some are dropped.
    for layer in 0..3 {
        for part in [Part::Key, Part::Value] {
            let tensor = weights.get_mut(&Place::Layer(layer, part).name()).unwrap();
            for pair in tensor.values.chunks_exact_mut(2 * 4 * 24) {
                let (first, second) = pair.split_at_mut(4 * 24);
                second.copy_from_slice(first);
            }
        }
        // The second pair does nothing.
        let at = |part| Place::Layer(layer, part);
        let dead = |channel: usize| (8..16).contains(&channel);
        for part in [Part::Query, Part::Key, Part::Value] {
            scale(&mut weights, at(part), 0.0, |row, _| dead(row));
        }
        scale(&mut weights, at(Part::Output), 0.0, |_, column| dead(column));
    }
    let ids = [2, 7, 1, 8, 2, 8, 1, 8];
    let child = config(Shape { kv_heads: 3, ..whole.shape });
    let (cut, _) = pool(&child, &weights, WidthCriterion::L1).unwrap();
    assert_close(&logits(&child, &cut, &ids), &logits(&whole, &weights, &ids));
    let narrow = config(Shape { width: 16, heads: 4, kv_heads: 2, ..whole.shape });
    let (_, map) = pool(&narrow, &weights, WidthCriterion::L1).unwrap();
    assert_eq!(map.kv_heads, [[0, 1, 4, 5], [0, 1, 4, 5], [0, 1, 4, 5]]);
    assert_eq!(map.heads, map.kv_heads);

    let error = |shape: Shape, grouping| {
        let (child, ids, layers) = (config(shape), identity(17), all(3));
        let criterion = WidthCriterion::L1;
        let parent = (&whole, &weights);
        ablate_inherit::inherit(parent, &child, &ids, &layers, criterion, grouping)
            .unwrap_err()
            .to_string()
    };
    let pooled = Shape { kv_heads: 3, ..whole.shape };
    assert!(error(pooled, Grouping::Kept).contains("where heads are pooled, a multiple"));
    // Four query heads over one: groups of 4, into which 6 heads do not go.
    let four = Shape { width: 16, heads: 4, kv_heads: 1, ..whole.shape };
    assert!(error(four, Grouping::Pooled).contains("groups are inherited whole"));
}

/// Takes hidden channels out of everything that reads or writes them.
fn kill_hidden(weights: &mut Weights, config: &ModelConfig, dead: impl Fn(usize) -> bool) {
    for place in ablate_model::places(config) {
        scale(weights, place, 0.0, |row, column| match place {
            Place::Layer(_, Part::Output | Part::Down | Part::ShortcutUp) => dead(row),
            Place::Layer(_, Part::SeriesScale(_) | Part::SeriesBias(_)) => false,
            _ => dead(column),
        });
    }
}

/// With fewer channels of the same values, the mean square that RMSNorm divides by grows in
/// proportion. Norms scaled by the root of that (and its epsilon in proportion) undo it exactly.
fn compensate(weights: &mut Weights, config: &ModelConfig, factor: f32) {
    for place in ablate_model::places(config).filter(|place| place.is_norm()) {
        scale(weights, place, factor, |_, _| true);
    }
}

#[test]
fn tied_and_untied_heads_in_all_four_combinations() {
    for parent_tied in [false, true] {
        for child_tied in [false, true] {
            let parent = config(Shape { tied: parent_tied, ..grouped().shape });
            let child = config(Shape { tied: child_tied, vocabulary: 5, ..parent.shape });
            let weights = weights(&parent);
            let vocabulary = [0, 16, 3, 11, 4];
            let (cut, map) =
                inherit((&parent, &weights), &child, &vocabulary, &all(3), WidthCriterion::L2)
                    .unwrap();
            cut.check(&child).unwrap();
            let rows = |name: &str| {
                let table = weights.get(name).unwrap();
                vocabulary
                    .iter()
                    .flat_map(|id| table.row(*id as usize).to_vec())
                    .collect::<Vec<_>>()
            };
            let (embedding, head) = (Place::Embedding.name(), Place::Head.name());
            assert_eq!(cut.get(&embedding).unwrap().values, rows(&embedding));
            if child_tied {
                assert_eq!(cut.get(&head), None);
            } else {
                let source = if parent_tied { &embedding } else { &head };
                assert_eq!(cut.get(&head).unwrap().values, rows(source));
                let origin = map.tensors.iter().find(|origin| origin.target == head).unwrap();
                assert_eq!(&origin.source, source);
                assert_eq!(origin.rule, [Axis::Vocabulary, Axis::Hidden]);
            }
            // Where the head has the same source, the child's logits are the parent's, picked.
            if parent_tied == child_tied || parent_tied {
                let full = logits(&parent, &weights, &[16, 4, 0, 11]);
                let picked: Vec<f32> =
                    full.chunks(17).flat_map(|row| vocabulary.map(|id| row[id as usize])).collect();
                assert_close(&logits(&child, &cut, &[1, 4, 0, 3]), &picked);
            }
        }
    }
}

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

#[test]
fn misfits_are_refused_with_a_reason() {
    let parent = grouped();
    let weights = weights(&parent);
    let check = |change: &dyn Fn(&mut Shape), expect: &str| {
        let mut child = parent.clone();
        change(&mut child.shape);
        let ids = identity(child.shape.vocabulary);
        let layers = all(child.shape.depth);
        let result = inherit((&parent, &weights), &child, &ids, &layers, WidthCriterion::L2);
        let error = result.unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check(&|s| s.depth = 4, "`depth` is 4, but the parent's is only 3");
    check(&|s| (s.width, s.heads, s.kv_heads) = (32, 8, 4), "`width` is 32");
    check(&|s| s.ffn = 21, "`ffn` is 21, but the parent's is only 20");
    check(&|s| s.vocabulary = 18, "`vocabulary` is 18");
    check(&|s| (s.heads, s.kv_heads) = (12, 6), "`heads` is 12");
    check(&|s| s.kv_heads = 6, "`kv_heads` is 6, but the parent's is only 3");
    check(&|s| s.width = 12, "a head of the child has 2 channels (width 12 over 6 heads)");
    check(&|s| s.width = 12, "use 3 heads for width 12");
    check(&|s| (s.width, s.heads, s.kv_heads) = (18, 3, 3), "a multiple of 4");
    check(&|s| s.kv_heads = 2, "use 4 heads with 2 kv_heads");
    check(&|s| s.ffn = 0, "the child: ");
    check(&|s| s.heads = 5, "not divisible by 5 heads");

    let child = config(Shape { depth: 2, vocabulary: 3, ..parent.shape });
    let check = |weights: &Weights, ids: &[u32], layers: &[usize], expect: &str| {
        let result = inherit((&parent, weights), &child, ids, layers, WidthCriterion::L2);
        let error = result.unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check(&weights, &[0, 1, 2], &[0], "1 layers were selected for a child of depth 2");
    check(&weights, &[0, 1, 2], &[1, 1], "layer 1 is selected after layer 1");
    check(&weights, &[0, 1, 2], &[2, 0], "layer 0 is selected after layer 2");
    check(&weights, &[0, 1, 2], &[0, 3], "layer 3 is selected, but the parent's 3 layers count");
    check(&weights, &[0, 1], &[0, 1], "2 entries for a child vocabulary of 3");
    check(&weights, &[0, 1, 17], &[0, 1], "child id 2 the parent id 17");
    check(&weights, &[0, 1, u32::MAX], &[0, 1], "vocabulary has 17 entries");
    check(&weights, &[4, 1, 4], &[0, 1], "child ids 0 and 2 the same parent id 4");
    let mut damaged = weights.clone();
    damaged.get_mut("model.norm.weight").unwrap().values[0] = f32::NAN;
    check(&damaged, &[0, 1, 2], &[0, 1], "the parent: the tensor `model.norm.weight` holds NaN");
}

/// Units of `size` channels, channel by channel.
fn channels(units: &[usize], size: usize) -> Vec<usize> {
    units.iter().flat_map(|unit| (0..size).map(move |channel| unit * size + channel)).collect()
}

fn ascending_below(list: &[usize], limit: usize) -> bool {
    list.windows(2).all(|pair| pair[0] < pair[1]) && list.iter().all(|index| *index < limit)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_value_is_the_parents_at_the_mapped_place(
        half in 1usize..3, group in 1usize..3, child_kv in 1usize..3, more_kv in 0usize..3,
        child_depth in 1usize..4, more_depth in 0usize..3, child_ffn in 1usize..9,
        more_ffn in 0usize..9, child_vocabulary in 1usize..9, more_vocabulary in 0usize..9,
        parent_tied: bool, child_tied: bool, criterion in 0usize..4, turn in 0usize..20,
        bottleneck in 0usize..5,
    ) {
        let shape = |vocabulary, depth, kv_heads, ffn, tied| {
            let heads = kv_heads * group;
            let pi = Pi { activations: 1 + bottleneck % 3, shortcut: bottleneck };
            Shape { vocabulary, depth, width: heads * half * 2, heads, kv_heads, ffn, tied, pi }
        };
        let parent = config(shape(
            child_vocabulary + more_vocabulary, child_depth + more_depth, child_kv + more_kv,
            child_ffn + more_ffn, parent_tied,
        ));
        let child = config(shape(child_vocabulary, child_depth, child_kv, child_ffn, child_tied));
        let weights = weights(&parent);
        let ids: Vec<u32> = (0..child_vocabulary)
            .map(|id| ((id + turn) % parent.shape.vocabulary) as u32)
            .collect();
        let layers = select_layers(parent.shape.depth, child_depth, [1, 0], Middle::Even).unwrap();
        let (cut, map) =
            inherit((&parent, &weights), &child, &ids, &layers, CRITERIA[criterion]).unwrap();
        prop_assert!(cut.check(&child).is_ok());
        prop_assert_eq!(&map.layers, &layers);
        prop_assert_eq!(&map.vocabulary, &ids);
        prop_assert!(ascending_below(&map.hidden, parent.shape.width));
        let text = serde_json::to_string(&map).unwrap();
        prop_assert_eq!(&serde_json::from_str::<InheritanceMap>(&text).unwrap(), &map);

        prop_assert_eq!(map.tensors.len(), cut.len());
        for origin in &map.tensors {
            let target = cut.get(&origin.target).unwrap();
            let source = weights.get(&origin.source).unwrap();
            prop_assert_eq!(&origin.checksum, &target.checksum());
            let layer = origin.target.split('.').find_map(|w| w.parse::<usize>().ok()).unwrap_or(0);
            prop_assert!(ascending_below(&map.heads[layer], parent.shape.heads));
            prop_assert!(ascending_below(&map.ffn[layer], parent.shape.ffn));
            let of_group: Vec<usize> =
                map.heads[layer].iter().step_by(group).map(|head| head / group).collect();
            prop_assert_eq!(&of_group, &map.kv_heads[layer]);
            let axes: Vec<Vec<usize>> = origin.rule.iter().map(|axis| match axis {
                Axis::Vocabulary => ids.iter().map(|id| *id as usize).collect(),
                Axis::Hidden => map.hidden.clone(),
                Axis::Heads => channels(&map.heads[layer], 2 * half),
                Axis::KvHeads => channels(&map.kv_heads[layer], 2 * half),
                Axis::Ffn => map.ffn[layer].clone(),
                Axis::Shortcut => map.shortcut[layer].clone(),
            }).collect();
            let columns = axes.last().unwrap();
            for (index, value) in target.values.iter().enumerate() {
                let column = columns[index % columns.len()];
                let row = if axes.len() == 2 { axes[0][index / columns.len()] } else { 0 };
                prop_assert_eq!(*value, source.values[row * source.columns() + column]);
            }
        }
    }
}

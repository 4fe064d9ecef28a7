//! Children are cut as the map says, planted structure is found, and nothing else changes.

mod models;

use ablate_cost::{Pi, Shape};
use ablate_inherit::{Axis, InheritanceMap, Middle, WidthCriterion, select_layers};
use ablate_model::{ModelConfig, Part, Place, Weights};
use models::{
    CRITERIA, all, assert_close, config, grouped, identity, inherit, logits, scale, weights,
};
use proptest::prelude::*;

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
            Shape { vocabulary, depth, width: heads * half * 2, heads, kv_heads, ffn, tied, pi, attention: Default::default(), block: Default::default() }
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

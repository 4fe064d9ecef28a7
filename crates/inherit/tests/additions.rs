//! What is inherited besides LLaMA's layers as they are: PanGu-π's additions, and key and value heads
//! that are pooled.

mod models;

use ablate_cost::{Pi, Shape};
use ablate_inherit::{Grouping, InheritanceMap, WidthCriterion};
use ablate_model::{ModelConfig, Part, Place, Weights};
use models::{all, assert_close, config, grouped, identity, inherit, logits, scale, weights};

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
        ablate_inherit::inherit(parent, child, &ids, &layers, (criterion, None), Grouping::Pooled)
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
        ablate_inherit::inherit(parent, &child, &ids, &layers, (criterion, None), grouping)
            .unwrap_err()
            .to_string()
    };
    let pooled = Shape { kv_heads: 3, ..whole.shape };
    assert!(error(pooled, Grouping::Kept).contains("where heads are pooled, a multiple"));
    // Four query heads over one: groups of 4, into which 6 heads do not go.
    let four = Shape { width: 16, heads: 4, kv_heads: 1, ..whole.shape };
    assert!(error(four, Grouping::Pooled).contains("groups are inherited whole"));
}

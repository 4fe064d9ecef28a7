//! Masks put into the weights and cut: the child computes what the masked parent does.

mod models;

use ablate_cost::{Pi, Shape};
use ablate_inherit::{Grouping, WidthCriterion};
use ablate_model::{Backend, Decoder, ModelConfig, Units, Weights, device, fold};
use burn::tensor::{Int, Tensor, TensorData};
use models::{all, config, grouped, identity, weights};

/// Parents with and without groups, heads of their own and PanGu-π's additions.
fn parents() -> Vec<ModelConfig> {
    let pi = Pi { activations: 2, shortcut: 5 };
    let whole = Shape { heads: 6, kv_heads: 6, ..grouped().shape };
    let shapes = [grouped().shape, whole, Shape { pi, ..grouped().shape }, Shape { pi, ..whole }];
    shapes
        .iter()
        .flat_map(|shape| [false, true].map(|tied| config(Shape { tied, ..*shape })))
        .collect()
}

/// Norms that are not all ones, and activations that are not plain: what is folded must show.
fn uneven(config: &ModelConfig) -> Weights {
    let mut weights = weights(config);
    let names: Vec<String> = weights.iter().map(|(name, _)| name.to_owned()).collect();
    for name in names.iter().filter(|name| name.contains("norm") || name.contains("series")) {
        let values = &mut weights.get_mut(name).unwrap().values;
        values.iter_mut().enumerate().for_each(|(n, value)| *value += 0.3 * (n as f32).sin());
    }
    weights
}

const IDS: [i32; 13] = [3, 16, 0, 7, 7, 2, 11, 15, 4, 1, 9, 3, 8];

fn ids(shift: usize) -> Tensor<2, Int> {
    Tensor::from_data(
        TensorData::new(IDS[shift..shift + 12].to_vec(), [2, 6]),
        &device(Backend::Flex),
    )
}

fn decoder(config: &ModelConfig, weights: &Weights) -> Decoder {
    Decoder::from_weights(config, weights, &device(Backend::Flex)).unwrap()
}

fn loss(config: &ModelConfig, weights: &Weights) -> f64 {
    decoder(config, weights).loss(ids(0), ids(1)).into_scalar::<f64>()
}

fn masked(config: &ModelConfig, weights: &Weights, masks: &Units) -> f64 {
    decoder(config, weights).masked(masks).loss(ids(0), ids(1)).into_scalar::<f64>()
}

/// Masks of which a share is 0, the others between `least` and 1, scattered; as many of each kind as
/// `child` has units.
fn scattered(parent: &Shape, child: &Shape, least: f64) -> Units {
    let mut draw = 7_u64;
    let mut list = |count: usize, keep: usize| {
        let mut order: Vec<(u64, usize)> = (0..count)
            .map(|index| {
                draw = draw * 48_271 % 2_147_483_647;
                (draw, index)
            })
            .collect();
        order.sort_unstable();
        let mut masks = vec![0.0; count];
        for (n, (_, index)) in order.into_iter().take(keep).enumerate() {
            masks[index] = 1.0 - (1.0 - least) * (n as f64 / keep as f64);
        }
        masks
    };
    let layers = list(parent.depth, child.depth);
    let hidden = list(parent.width, child.width);
    let mut each = |count, keep| (0..parent.depth).map(|_| list(count, keep)).collect();
    Units {
        heads: each(parent.kv_heads, child.kv_heads),
        ffn: each(parent.ffn, child.ffn),
        shortcut: each(parent.pi.shortcut, child.pi.shortcut),
        layers,
        hidden,
    }
}

#[track_caller]
fn near(what: &str, ours: f64, theirs: f64) {
    assert!((ours / theirs - 1.0).abs() < 1e-5, "{what}: {ours} and {theirs}");
}

#[test]
fn open_masks_change_nothing() {
    for parent in parents() {
        let weights = uneven(&parent);
        let open = Units::filled(&parent.shape, 1.0);
        near("open", masked(&parent, &weights, &open), loss(&parent, &weights));
        assert_eq!(fold(&parent, &weights, &open).unwrap(), weights);
    }
}

#[test]
fn a_child_computes_what_its_masked_parent_does() {
    for parent in parents() {
        let weights = uneven(&parent);
        let group = parent.shape.heads / parent.shape.kv_heads;
        let pi = Pi { shortcut: parent.shape.pi.shortcut / 2, ..parent.shape.pi };
        let (kv_heads, depth, ffn) = (4 / group, 2, 7);
        let child = config(Shape { depth, width: 16, heads: 4, kv_heads, ffn, pi, ..parent.shape });
        // All or nothing, and with masks that have to go into the weights.
        let mut losses = Vec::new();
        for least in [1.0, 0.2] {
            let masks = scattered(&parent.shape, &child.shape, least);
            let folded = fold(&parent, &weights, &masks).unwrap();
            let layers: Vec<usize> =
                all(3).into_iter().filter(|l| masks.layers[*l] > 0.0).collect();
            let (cut, map) = ablate_inherit::inherit(
                (&parent, &folded),
                &child,
                &identity(17),
                &layers,
                (WidthCriterion::Learned, Some(&masks.of_layers(&layers))),
                Grouping::Kept,
            )
            .unwrap();
            assert!(map.hidden.iter().all(|channel| masks.hidden[*channel] > 0.0));
            let (whole, sliced) = (masked(&parent, &weights, &masks), loss(&child, &cut));
            near(&format!("{:?} {least}", parent.shape), sliced, whole);
            losses.push(whole);
        }
        assert!((losses[0] - losses[1]).abs() > 1e-3, "masks make a difference: {losses:?}");
    }
}

/// The norm's mean is over the channels that remain, however much of them does.
#[test]
fn norms_count_what_is_not_shut() {
    let parent = grouped();
    let weights = uneven(&parent);
    let mut masks = Units::filled(&parent.shape, 1.0);
    masks.hidden[3] = 1e-7;
    let almost = masked(&parent, &weights, &masks);
    masks.hidden[3] = 0.0;
    let shut = masked(&parent, &weights, &masks);
    // One channel of 24 less in the mean: activations after a norm are smaller by 2 per cent.
    assert!((almost - shut).abs() > 1e-3, "{almost} {shut}");
}

#[test]
fn scores_and_masks_must_fit() {
    let parent = grouped();
    let weights = weights(&parent);
    let child = config(Shape { depth: 1, ffn: 5, ..parent.shape });
    let units = Units::filled(&parent.shape, 1.0);
    let cut = |scores: Option<&Units>| {
        let (ids, criterion) = (identity(17), WidthCriterion::Taylor);
        let parent = (&parent, &weights);
        ablate_inherit::inherit(parent, &child, &ids, &[1], (criterion, scores), Grouping::Kept)
    };
    assert!(cut(Some(&units.of_layers(&[1]))).is_ok());
    for wrong in [None, Some(&units)] {
        let error = cut(wrong).unwrap_err().to_string();
        assert!(error.contains("not a finite one for every hidden channel"), "{error}");
    }
    let error = fold(&parent, &weights, &units.of_layers(&[1])).unwrap_err().to_string();
    assert!(error.contains("`masks`"), "{error}");
}

/// Cutting in two steps says what one step would.
#[test]
fn maps_can_be_joined() {
    let parent = grouped();
    let weights = weights(&parent);
    let rows: Vec<u32> = vec![16, 2, 5, 0, 9];
    let between = config(Shape { vocabulary: 5, depth: 2, tied: true, ..parent.shape });
    let child = config(Shape { width: 16, heads: 4, kv_heads: 2, ffn: 7, ..between.shape });
    let inherit =
        |parent: (&ModelConfig, &Weights), child: &ModelConfig, rows: &[u32], layers: &[usize]| {
            let criterion = (WidthCriterion::Random(3), None);
            ablate_inherit::inherit(parent, child, rows, layers, criterion, Grouping::Kept).unwrap()
        };
    let (trunk, first) = inherit((&parent, &weights), &between, &rows, &[0, 2]);
    let (cut, second) = inherit((&between, &trunk), &child, &identity(5), &[0, 1]);
    let joined = second.clone().after(&first);
    assert_eq!((&joined.layers, &joined.vocabulary), (&vec![0, 2], &rows));
    assert_eq!((&joined.parent, &joined.hidden), (&weights.checksum(), &second.hidden));
    // Every tensor can be found in the parent by what the joined map says.
    let down = joined.tensors.iter().find(|origin| origin.target.contains("1.mlp.down")).unwrap();
    assert_eq!(down.source, "model.layers.2.mlp.down_proj.weight");
    let source = weights.get(&down.source).unwrap();
    let tensor = cut.get(&down.target).unwrap();
    for (row, hidden) in joined.hidden.iter().enumerate() {
        for (column, ffn) in joined.ffn[1].iter().enumerate() {
            assert_eq!(tensor.row(row)[column], source.row(*hidden)[*ffn]);
        }
    }
}

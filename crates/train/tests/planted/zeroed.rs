//! Units that write nothing, and a layer that adds nothing.

use ablate_inherit::{Norm, WidthCriterion, magnitudes, taylor};

use crate::garden::{Garden, Learning, VOCABULARY, assert_near, plant, small};

#[test]
fn planted_units_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let garden = Garden::new(folder.path());
    let trained = garden.loss(&small(), &garden.trained);
    // It has learnt something: the entropy of a token drawn at random is 2.77.
    assert!(trained < 2.5, "{trained}");

    let planted = plant(&garden.trained, 3);
    let before = garden.loss(&planted.model, &planted.weights);
    assert!((before / trained - 1.0).abs() < 1e-5, "{before} {trained}");

    // By a Taylor expansion; the layer is another's to find.
    let found = garden.saliency(&planted.model, &planted.weights);
    let rows: Vec<u32> = (0..VOCABULARY as u32).collect();
    let scores = taylor((&planted.model, &found), &planted.layers, &rows).unwrap();
    let (child, map) =
        planted.cut(&planted.weights, &planted.layers, WidthCriterion::Taylor, &scores);
    planted.assert_found("Taylor", &map);
    assert_near("Taylor", 0.01, before, garden.loss(&small(), &child));
    // Magnitudes do not find them: what is planted is as large as anything else.
    let sizes = magnitudes((&planted.model, &planted.weights), &planted.layers, &rows, Norm::L2);
    let (_, map) =
        planted.cut(&planted.weights, &planted.layers, WidthCriterion::Taylor, &sizes.unwrap());
    assert_ne!(map.ffn, vec![planted.ffn.clone(); 2]);

    // By masks on weights that stand still: what is planted is worth nothing.
    let learn = |frozen| {
        let how = Learning { steps: 400, frozen, learning_rate: 1e-4, seed: 5 };
        let learned = garden.learn((&planted.model, &planted.weights), &planted.target(), how);
        assert_eq!(learned.tokens, 400 * 256);
        assert_eq!(learned.weights == planted.weights, frozen);
        learned
    };
    let learned = learn(true);
    let (child, map) = planted.sliced(&learned);
    planted.assert_found("frozen masks", &map);
    // Masks that are not quite 1 cost something, which these weights do not make up for.
    assert_near("frozen masks", 0.03, before, garden.loss(&small(), &child));
    // What is cut alone costs next to nothing.
    let scores = learned.masks.of_layers(&map.layers);
    let (child, _) = planted.cut(&learned.weights, &map.layers, WidthCriterion::Learned, &scores);
    assert_near("frozen masks of 0 and 1", 0.01, before, garden.loss(&small(), &child));

    // On weights that learn, a planted head or channel may learn to be of use, in the place of one
    // that was of little: at most one of a kind here. The others are found, and the loss is kept.
    let (child, map) = planted.sliced(&learn(false));
    assert_eq!(map.layers, planted.layers);
    let strangers =
        |kept: &[usize], own: &[usize]| kept.iter().filter(|unit| !own.contains(unit)).count();
    assert!(strangers(&map.hidden, &planted.hidden) <= 1, "{map:?}");
    for (heads, ffn) in map.kv_heads.iter().zip(&map.ffn) {
        assert!(strangers(heads, &planted.heads) <= 1, "{map:?}");
        assert!(strangers(ffn, &planted.ffn) <= 1, "{map:?}");
    }
    assert_near("joint masks", 0.01, before, garden.loss(&small(), &child));
}

//! A small trained model, and a wider one that computes the same.

use std::path::Path;

use ablate_corpus::{Shard, ShardWriter, order};
use ablate_cost::Shape;
use ablate_inherit::{Grouping, InheritanceMap, WidthCriterion};
use ablate_model::{
    Backend, Decoder, ModelConfig, Part, Place, Scheme, Units, Weights, device, fold, places,
    random_weights, training_device,
};
use ablate_train::masks::{
    LayerTarget, Learned, MaskConfig, MaskRecord, MaskTarget, Sparsity, learn,
};
use ablate_train::{
    Checkpoints, Observer, Portions, Precision, StepRecord, TrainConfig, TrainData,
    ValidationRecord, saliency, train,
};
use burn::tensor::{Int, Tensor, TensorData};

pub(crate) const VOCABULARY: usize = 16;
const CONTEXT: usize = 16;

pub(crate) fn config(steps: u64, learning_rate: f64) -> TrainConfig {
    TrainConfig {
        span: None,
        patience: 0,
        keep_moments: false,
        snapshots: Vec::new(),
        steps,
        context: CONTEXT,
        batch_sequences: 16,
        micro_sequences: 16,
        learning_rate,
        final_ratio: 0.1,
        warmup: 0.1,
        weight_decay: 0.1,
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 1e-8,
        clip: 1.0,
        precision: Precision::F32,
        recompute: false,
        validate_every: 0,
        validation_windows: 1,
        checkpoint_every: 0,
    }
}

/// Text in which a token follows from the two before it, nine times of ten.
fn text() -> Vec<u32> {
    let mut state = 20_240_203_u64;
    let mut draw = |bound: u64| {
        state = state * 48_271 % 2_147_483_647;
        state % bound
    };
    let mut text = vec![1, 5];
    for _ in 0..40_000 {
        let [a, b] = [text[text.len() - 2], text[text.len() - 1]];
        let next = if draw(10) == 0 { draw(16) as u32 } else { (3 * a + 5 * b + a * b) % 16 };
        text.push(next);
    }
    text
}

struct Silent;

impl Observer for Silent {
    fn step(&mut self, _: &StepRecord) {}
    fn validation(&mut self, _: &ValidationRecord) {}
}

fn model(depth: usize, width: usize, ffn: usize) -> ModelConfig {
    let shape = Shape {
        vocabulary: VOCABULARY,
        depth,
        width,
        heads: width / 2,
        kv_heads: width / 2,
        ffn,
        tied: false,
        pi: Default::default(),
        attention: Default::default(),
        block: Default::default(),
    };
    ModelConfig {
        shape,
        context: CONTEXT,
        rope_theta: 1e4,
        norm_eps: 1e-5,
        rope_scaling: Default::default(),
    }
}

/// The model that redundant units are planted into.
pub(crate) fn small() -> ModelConfig {
    model(2, 24, 12)
}

/// How masks are learned.
#[derive(Clone, Copy)]
pub(crate) struct Learning {
    pub(crate) steps: u64,
    /// Whether the weights stand still.
    pub(crate) frozen: bool,
    pub(crate) learning_rate: f64,
    pub(crate) seed: u64,
}

pub(crate) struct Garden {
    pub(crate) shard: Shard,
    pub(crate) order: Vec<u32>,
    pub(crate) trained: Weights,
}

impl Garden {
    pub(crate) fn new(folder: &Path) -> Self {
        let path = folder.join("shard");
        let mut writer = ShardWriter::create(&path, VOCABULARY).unwrap();
        writer.push(&text(), 0).unwrap();
        writer.finish().unwrap();
        let shard = Shard::open(&path).unwrap();
        let order = order(2500, 30_000, 3);
        let config = config(800, 1e-2);
        let data = TrainData {
            shard: &shard,
            order: &order,
            token_bytes: &[1; VOCABULARY],
            validation: Vec::new(),
        };
        let outcome = train(
            &config,
            &small(),
            random_weights(&small(), Scheme::Constant, 0.1, 1),
            &data,
            &Checkpoints::new(folder.join("checkpoints"), "planted"),
            &[training_device(Backend::Flex)],
            &mut Silent,
        )
        .unwrap();
        Self { shard, order, trained: outcome.weights }
    }

    /// Mean loss over 64 windows.
    pub(crate) fn loss(&self, model: &ModelConfig, weights: &Weights) -> f64 {
        let device = device(Backend::Flex);
        let decoder = Decoder::from_weights(model, weights, &device).unwrap();
        let text = text();
        let ids = |shift: usize| {
            let ids: Vec<i32> = (0..64)
                .flat_map(|window| &text[window * CONTEXT + shift..][..CONTEXT])
                .map(|id| *id as i32)
                .collect();
            Tensor::<2, Int>::from_data(TensorData::new(ids, [64, CONTEXT]), &device)
        };
        decoder.loss(ids(0), ids(1)).into_scalar::<f64>()
    }

    /// What every weight of a model adds to the loss, to the first order, on 256 windows.
    pub(crate) fn saliency(&self, model: &ModelConfig, weights: &Weights) -> Weights {
        let device = training_device(Backend::Flex);
        let decoder = Decoder::from_weights(model, weights, &device).unwrap();
        let TrainConfig { context, micro_sequences, .. } = config(1, 1.0);
        let portions = Portions { context, micro_sequences };
        let found = saliency(&decoder, &self.shard, &self.order[..256], portions, &mut |_, _| true);
        found.unwrap().unwrap().weights
    }

    pub(crate) fn learn(
        &self,
        (model, weights): (&ModelConfig, &Weights),
        target: &MaskTarget,
        Learning { steps, frozen, learning_rate, seed }: Learning,
    ) -> Learned {
        let config = MaskConfig {
            train: config(steps, learning_rate),
            frozen,
            mask_learning_rate: 0.1,
            sparsity_warmup: 0.2,
            seed,
        };
        let device = training_device(Backend::Flex);
        // What a log of it would show: the target is come to, and nothing is lost on the way.
        let mut last = None;
        let mut say = |record: &MaskRecord| {
            last = Some(record.clone());
            true
        };
        let data = (&self.shard, self.order.as_slice());
        let learned = learn(&config, target, (model, weights), data, None, &device, &mut say);
        let (learned, last) = (learned.unwrap().unwrap(), last.unwrap());
        assert_eq!(
            (last.step, last.tokens, last.sparsity),
            (steps, learned.tokens, learned.sparsity)
        );
        let Sparsity { layers, hidden, heads, ffn, shortcut } = learned.sparsity;
        let want = learned.target;
        let shares = [layers, hidden, heads, ffn].into_iter().zip([
            want.layers,
            want.hidden,
            want.heads,
            want.ffn,
        ]);
        for (found, want) in shares {
            let missed = (found.unwrap() - want.unwrap()).abs();
            assert!(missed < 0.05, "{:?} instead of {:?}", learned.sparsity, learned.target);
        }
        assert_eq!(shortcut, None);
        learned
    }
}

/// Where the units of the small model are in the one with planted units; the others are planted.
pub(crate) struct Planted {
    pub(crate) model: ModelConfig,
    pub(crate) weights: Weights,
    pub(crate) layers: Vec<usize>,
    pub(crate) hidden: Vec<usize>,
    pub(crate) heads: Vec<usize>,
    pub(crate) ffn: Vec<usize>,
}

/// Positions of `count` of `all`, spread evenly.
fn spread(count: usize, all: usize) -> Vec<usize> {
    (0..count).map(|n| n * all / count).collect()
}

/// A wider model that computes the same: with hidden channels that nothing is written to, heads and
/// feed-forward channels that write nothing, and, of three layers, a middle one that adds nothing. What
/// reads from them, or what they compute, is as large as anything else.
pub(crate) fn plant(trained: &Weights, depth: usize) -> Planted {
    let small = small();
    let model = model(depth, 26, 16);
    let layers = if depth == 3 { vec![0, 2] } else { vec![0, 1] };
    let planted = Planted {
        weights: random_weights(&model, Scheme::Constant, 0.3, 9),
        layers,
        hidden: spread(24, 26),
        heads: spread(12, 13),
        ffn: spread(12, 16),
        model,
    };
    let channels = |heads: &[usize]| -> Vec<usize> {
        heads.iter().flat_map(|head| head * 2..head * 2 + 2).collect()
    };
    let mut weights = planted.weights.clone();
    for place in places(&planted.model) {
        let tensor = weights.get_mut(&place.name()).unwrap();
        let columns = tensor.columns();
        let all = |count: usize| (0..count).collect::<Vec<_>>();
        let (hidden, heads, ffn) = (&planted.hidden, channels(&planted.heads), &planted.ffn);
        let axes: [Vec<usize>; 2] = match place {
            Place::Embedding | Place::Head => [all(VOCABULARY), hidden.clone()],
            Place::FinalNorm | Place::Layer(_, Part::InputNorm | Part::PostNorm) => {
                [vec![0], hidden.clone()]
            }
            Place::Layer(_, Part::Query | Part::Key | Part::Value) => [heads, hidden.clone()],
            Place::Layer(_, Part::Output) => [hidden.clone(), heads],
            Place::Layer(_, Part::Gate | Part::Up) => [ffn.clone(), hidden.clone()],
            Place::Layer(_, Part::Down) => [hidden.clone(), ffn.clone()],
            _ => unreachable!("no additions, and no Phi"),
        };
        let writes = matches!(place, Place::Embedding | Place::Layer(_, Part::Output | Part::Down));
        if writes {
            tensor.values.fill(0.0);
        }
        let source = match place {
            Place::Layer(layer, part) => {
                match planted.layers.iter().position(|kept| *kept == layer) {
                    Some(kept) => Place::Layer(kept, part),
                    None => continue,
                }
            }
            other => other,
        };
        let source = trained.get(&source.name()).unwrap();
        // The mean of a norm is over more channels, two of which are 0.
        let scale = if place.is_norm() { (24.0_f32 / 26.0).sqrt() } else { 1.0 };
        for (from, row) in axes[0].iter().enumerate() {
            for (at, column) in axes[1].iter().enumerate() {
                tensor.values[row * columns + column] = source.row(from)[at] * scale;
            }
        }
    }
    assert_eq!(small.shape.width, planted.hidden.len());
    Planted { weights, ..planted }
}

impl Planted {
    /// The planted units are gone, and nothing else.
    #[track_caller]
    pub(crate) fn assert_found(&self, what: &str, map: &InheritanceMap) {
        assert_eq!(map.layers, self.layers, "{what}: layers");
        assert_eq!(map.hidden, self.hidden, "{what}: hidden channels");
        for (heads, ffn) in map.kv_heads.iter().zip(&map.ffn) {
            assert_eq!(heads, &self.heads, "{what}: heads");
            assert_eq!(ffn, &self.ffn, "{what}: feed-forward channels");
        }
    }

    pub(crate) fn target(&self) -> MaskTarget {
        let layers = LayerTarget { keep: 2, first: 0, last: 0 };
        MaskTarget {
            layers: (self.model.shape.depth > 2).then_some(layers),
            width: 24,
            kv_heads: 12,
            pooled: 1,
            ffn: 12,
            shortcut: 0,
        }
    }

    pub(crate) fn cut(
        &self,
        weights: &Weights,
        layers: &[usize],
        criterion: WidthCriterion,
        scores: &Units,
    ) -> (Weights, InheritanceMap) {
        let ids: Vec<u32> = (0..VOCABULARY as u32).collect();
        ablate_inherit::inherit(
            (&self.model, weights),
            &small(),
            &ids,
            layers,
            (criterion, Some(scores)),
            Grouping::Kept,
        )
        .unwrap()
    }

    pub(crate) fn sliced(&self, learned: &Learned) -> (Weights, InheritanceMap) {
        let masks = &learned.masks;
        let folded = fold(&self.model, &learned.weights, masks).unwrap();
        let layers: Vec<usize> =
            (0..self.model.shape.depth).filter(|layer| masks.layers[*layer] > 0.0).collect();
        self.cut(&folded, &layers, WidthCriterion::Learned, &masks.of_layers(&layers))
    }
}

#[track_caller]
pub(crate) fn assert_near(what: &str, share: f64, before: f64, after: f64) {
    assert!((after / before - 1.0).abs() < share, "{what}: {before} before, {after} after");
}

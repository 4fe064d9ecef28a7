//! The gates of a whole decoder.

use ablate_cost::Shape;
use ablate_model::Units;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::module::{Adam, Module};
use super::{MaskTarget, gate};
use crate::TrainError;

/// Keeps this use of a seed apart from every other use of the same number.
const PURPOSE: &[u8; 24] = b"ablate learned masks    ";

/// Where a module's units stand in [`Units`].
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// From this layer on.
    Layers(usize),
    Hidden,
    Heads(usize),
    Ffn(usize),
    Shortcut(usize),
}

impl Kind {
    fn of(self, units: &mut Units) -> &mut [f64] {
        match self {
            Self::Layers(first) => &mut units.layers[first..],
            Self::Hidden => &mut units.hidden,
            Self::Heads(layer) => &mut units.heads[layer],
            Self::Ffn(layer) => &mut units.ffn[layer],
            Self::Shortcut(layer) => &mut units.shortcut[layer],
        }
    }
}

#[derive(Clone, Debug)]
struct Place {
    kind: Kind,
    /// Units of one gate: heads that become one go together.
    each: usize,
    module: Module,
}

/// Expected or wanted shares of units that are shut, means over the layers; `None` where all units
/// are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Sparsity {
    /// Of the layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<f64>,
    /// Of the hidden channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<f64>,
    /// Of the key and value heads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<f64>,
    /// Of the feed-forward channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ffn: Option<f64>,
    /// Of the channels of the bottleneck beside attention.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortcut: Option<f64>,
}

/// A gate for every unit of the kinds that lose some.
#[derive(Clone, Debug)]
pub(crate) struct Gates {
    shape: Shape,
    places: Vec<Place>,
}

impl Gates {
    /// Gates that are open, in a model of this shape.
    pub(crate) fn new(shape: &Shape, target: &MaskTarget) -> Result<Self, TrainError> {
        target.check(shape)?;
        let mut places = Vec::new();
        let mut add = |kind, each: usize, count: usize, keep: usize, weight: f64| {
            if keep < count {
                places.push(Place { kind, each, module: Module::new(count, keep, weight) });
            }
        };
        if let Some(layers) = target.layers {
            let ends = layers.first + layers.last;
            add(Kind::Layers(layers.first), 1, shape.depth - ends, layers.keep - ends, 1.0);
        }
        add(Kind::Hidden, 1, shape.width, target.width, 1.0);
        let weight = 1.0 / shape.depth as f64;
        for layer in 0..shape.depth {
            let (each, heads) = (target.pooled, shape.kv_heads / target.pooled);
            add(Kind::Heads(layer), each, heads, target.kv_heads, weight);
            add(Kind::Ffn(layer), 1, shape.ffn, target.ffn, weight);
            add(Kind::Shortcut(layer), 1, shape.pi.shortcut, target.shortcut, weight);
        }
        Ok(Self { shape: *shape, places })
    }

    /// Everything that changes from one update to the next: what is drawn depends on seed and step alone.
    pub(crate) fn state(&self) -> Vec<f64> {
        self.places.iter().flat_map(|place| place.module.state()).collect()
    }

    /// Takes up what [`Gates::state`] said; false where that was of other gates.
    pub(crate) fn restore(&mut self, state: &[f64]) -> bool {
        let mut state = state.iter().copied();
        let whole = self.places.iter_mut().all(|place| place.module.restore(&mut state).is_some());
        whole && state.next().is_none()
    }

    /// The masks of update `step`, and their derivatives by `log_alpha`.
    pub(crate) fn draw(&self, seed: u64, step: u64) -> (Units, Units) {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..].copy_from_slice(PURPOSE);
        let mut random = ChaCha8Rng::from_seed(key);
        random.set_stream(step);
        let mut uniform = || ((random.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        let (mut masks, mut slopes) =
            (Units::filled(&self.shape, 1.0), Units::filled(&self.shape, 0.0));
        for Place { kind, each, module } in &self.places {
            for (index, log_alpha) in module.log_alpha.iter().enumerate() {
                let (mask, slope) = gate::sample(*log_alpha, uniform());
                kind.of(&mut masks)[index * each..][..*each].fill(mask);
                kind.of(&mut slopes)[index * each..][..*each].fill(slope);
            }
        }
        (masks, slopes)
    }

    /// One update after masks that were drawn with these slopes, and the loss's gradient by them.
    pub(crate) fn update(
        &mut self,
        (mut slopes, mut gradient): (Units, Units),
        ramp: f64,
        adam: Adam,
        step: u64,
    ) {
        for Place { kind, each, module } in &mut self.places {
            let slopes = kind.of(&mut slopes).chunks(*each);
            let gradients = kind.of(&mut gradient).chunks(*each);
            let product = |(slope, gradient): (&[f64], &[f64])| {
                slope.iter().zip(gradient).map(|(s, g)| s * g).sum::<f64>()
            };
            let by_log_alpha: Vec<f64> = slopes.zip(gradients).map(product).collect();
            let count = module.log_alpha.len();
            module.update(&by_log_alpha[..count], ramp, adam, step);
        }
    }

    /// What is added to the loss while the sparsity is not `ramp` times the target.
    pub(crate) fn penalty(&self, ramp: f64) -> f64 {
        self.places.iter().map(|place| place.module.penalty(ramp)).sum()
    }

    /// Expected sparsity.
    pub(crate) fn sparsity(&self) -> Sparsity {
        self.means(Module::sparsity)
    }

    /// Sparsity in the end.
    pub(crate) fn target(&self) -> Sparsity {
        self.means(Module::target)
    }

    fn means(&self, of: fn(&Module) -> f64) -> Sparsity {
        let mean = |is: fn(Kind) -> bool| {
            let places = self.places.iter().filter(|place| is(place.kind));
            let values: Vec<f64> = places.map(|place| of(&place.module)).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        Sparsity {
            layers: mean(|kind| matches!(kind, Kind::Layers(_))),
            hidden: mean(|kind| kind == Kind::Hidden),
            heads: mean(|kind| matches!(kind, Kind::Heads(_))),
            ffn: mean(|kind| matches!(kind, Kind::Ffn(_))),
            shortcut: mean(|kind| matches!(kind, Kind::Shortcut(_))),
        }
    }

    /// The masks in the end: exactly as many that are not 0 as there should be.
    pub(crate) fn settled(&self) -> Units {
        let mut masks = Units::filled(&self.shape, 1.0);
        for Place { kind, each, module } in &self.places {
            for (index, mask) in module.settled().into_iter().enumerate() {
                kind.of(&mut masks)[index * each..][..*each].fill(mask);
            }
        }
        masks
    }
}

#[cfg(test)]
mod tests {
    use super::super::LayerTarget;
    use super::*;

    fn shape() -> Shape {
        Shape {
            vocabulary: 11,
            depth: 4,
            width: 24,
            heads: 6,
            kv_heads: 6,
            ffn: 10,
            tied: false,
            pi: Default::default(),
            attention: Default::default(),
            block: Default::default(),
        }
    }

    fn target() -> MaskTarget {
        MaskTarget {
            layers: Some(LayerTarget { keep: 3, first: 1, last: 1 }),
            width: 16,
            kv_heads: 2,
            pooled: 2,
            ffn: 10,
            shortcut: 0,
        }
    }

    #[test]
    fn masks_have_the_shape_that_is_asked_for() {
        let gates = Gates::new(&shape(), &target()).unwrap();
        let kept = |masks: &[f64]| masks.iter().filter(|mask| **mask > 0.0).count();
        let settled = gates.settled();
        assert!(settled.fits(&shape()));
        assert_eq!((kept(&settled.layers), kept(&settled.hidden)), (3, 16));
        // The ends and what nothing is cut from are not touched.
        assert_eq!((settled.layers[0], settled.layers[3]), (1.0, 1.0));
        assert!(settled.ffn.iter().flatten().all(|mask| *mask == 1.0));
        // Two heads become one: 3 pairs, of which 2 stay.
        for heads in &settled.heads {
            assert_eq!(kept(heads), 4);
            assert!(heads.chunks(2).all(|pair| pair[0] == pair[1]));
        }
        assert_eq!(gates.target().layers, Some(0.5));
        assert_eq!((gates.target().ffn, gates.target().shortcut), (None, None));
    }

    #[test]
    fn draws_depend_on_seed_and_step() {
        let gates = Gates::new(&shape(), &target()).unwrap();
        let draw = |seed, step| gates.draw(seed, step);
        assert_eq!(draw(1, 1), draw(1, 1));
        let all: Vec<_> = (1..40).map(|step| draw(1, step).0).collect();
        assert!(all.iter().any(|masks| *masks != all[0]));
        let other: Vec<_> = (1..40).map(|step| draw(2, step).0).collect();
        assert_ne!(all, other);
        // Ends are never masked, pairs always together.
        for masks in &all {
            assert_eq!((masks.layers[0], masks.layers[3]), (1.0, 1.0));
            assert!(masks.heads.iter().flat_map(|h| h.chunks(2)).all(|pair| pair[0] == pair[1]));
        }
    }

    #[test]
    fn impossible_targets_are_named() {
        let check = |change: fn(&mut MaskTarget), expect: &str| {
            let mut target = target();
            change(&mut target);
            let error = Gates::new(&shape(), &target).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        };
        check(|t| t.width = 25, "`width` is 25");
        check(|t| t.ffn = 0, "`ffn` is 0");
        check(|t| t.pooled = 4, "`pooled` is 4");
        check(|t| t.kv_heads = 4, "`kv_heads` is 4");
        check(|t| t.layers = Some(LayerTarget { keep: 1, first: 1, last: 1 }), "`layers` is 1");
    }
}

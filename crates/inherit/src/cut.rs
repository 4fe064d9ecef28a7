//! Cutting a child's weights out of its parent's.

use ablate_cost::Shape;
use ablate_model::{HostTensor, ModelConfig, ModelError, Part, Place, Units, Weights, places};

use crate::scores::{Norm, magnitudes};
use crate::select::Group;
use crate::{
    Axis, Dimension, Grouping, InheritError, InheritanceMap, TensorOrigin, WidthCriterion,
};

/// Cuts the weights of `child` out of those of `parent`.
///
/// `layers` are the layers of the parent to keep, one for each of the child's (see
/// [`select_layers`](crate::select_layers)); `vocabulary` gives the parent's id of every id of the
/// child. Hidden channels, heads and feed-forward channels are kept by `criterion` (by magnitude: see
/// [`magnitudes`]) and stay in their order. A criterion that needs a model to run takes `scores`, of
/// all hidden channels and of the heads and channels of each of `layers`: see
/// [`taylor`](crate::taylor). Key and value heads go with the query heads that share them; where more of the
/// child's query heads share one, `grouping` decides. A child with an output
/// head of its own takes it from a tied parent's embedding; a tied child takes an untied parent's
/// embedding and leaves its head.
///
/// Values are copied as they are. A child of the parent's own shape, with all layers and the
/// identity as id map, gets exactly the parent's weights. `context`, `rope_theta` and `norm_eps`
/// are not weights: the child has its own.
///
/// # Errors
/// If either model is not whole, the child exceeds the parent in anything, its heads are of another
/// size or grouped otherwise than `grouping` allows, or `layers`, `vocabulary` or `scores` do not fit.
pub fn inherit(
    parent: (&ModelConfig, &Weights),
    child: &ModelConfig,
    vocabulary: &[u32],
    layers: &[usize],
    (criterion, scores): (WidthCriterion, Option<&Units>),
    grouping: Grouping,
) -> Result<(Weights, InheritanceMap), InheritError> {
    let (parent_config, parent_weights) = parent;
    parent_weights.check(parent_config).map_err(InheritError::Parent)?;
    child.check().map_err(InheritError::Child)?;
    let (from, to) = (parent_config.shape, child.shape);
    let pooled = check_sizes(&from, &to, grouping)?;
    check_layers(&from, &to, layers)?;
    if vocabulary.len() != to.vocabulary {
        let (found, vocabulary) = (vocabulary.len(), to.vocabulary);
        return Err(InheritError::VocabularyLength { found, vocabulary });
    }
    check_vocabulary(from.vocabulary, vocabulary)?;

    let by_magnitude = |norm| magnitudes(parent, layers, vocabulary, norm);
    let scores = match criterion {
        WidthCriterion::L1 => Some(by_magnitude(Norm::L1)?),
        WidthCriterion::L2 => Some(by_magnitude(Norm::L2)?),
        WidthCriterion::Taylor | WidthCriterion::Learned => {
            let kept = Shape { depth: to.depth, ..from };
            let given = scores.filter(|scores| scores.fits(&kept));
            Some(given.ok_or(InheritError::Scores { depth: to.depth })?.clone())
        }
        WidthCriterion::First | WidthCriterion::Random(_) => None,
    };
    let mut map = InheritanceMap {
        criterion,
        parent: parent_weights.checksum(),
        layers: layers.to_vec(),
        hidden: Vec::new(),
        heads: Vec::new(),
        kv_heads: Vec::new(),
        pooled,
        ffn: Vec::new(),
        shortcut: Vec::new(),
        vocabulary: vocabulary.to_vec(),
        tensors: Vec::new(),
    };
    map.choose([&from, &to], scores.as_ref());
    let mut weights = Weights::new();
    for place in places(child) {
        let source = source(place, layers, &from);
        let rule = rule(place);
        let keep: Vec<Vec<usize>> =
            rule.iter().map(|axis| map.channels(*axis, place, from.head_dim())).collect();
        let missing = || {
            let (name, shape) = (source.name(), source.shape(&from));
            InheritError::Parent(ModelError::Missing { name, shape })
        };
        let mut tensor = take(parent_weights.get(&source.name()).ok_or_else(missing)?, &keep);
        if let Place::Layer(_, Part::Key | Part::Value) = place {
            tensor = pool_heads(&tensor, from.head_dim(), pooled);
        }
        map.tensors.push(TensorOrigin {
            target: place.name(),
            source: source.name(),
            rule,
            checksum: tensor.checksum(),
        });
        weights.insert(place.name(), tensor);
    }
    Ok((weights, map))
}

/// The tensor of the parent that a tensor of the child is cut out of.
fn source(place: Place, layers: &[usize], parent: &Shape) -> Place {
    match place {
        Place::Layer(layer, part) => Place::Layer(layers[layer], part),
        Place::Head if parent.tied => Place::Embedding,
        other => other,
    }
}

/// What selects along each axis of a tensor.
fn rule(place: Place) -> Vec<Axis> {
    match place {
        Place::Embedding | Place::Head => vec![Axis::Vocabulary, Axis::Hidden],
        Place::HeadBias => vec![Axis::Vocabulary],
        Place::FinalNorm | Place::FinalNormBias => vec![Axis::Hidden],
        Place::Layer(_, Part::InputNorm | Part::InputNormBias | Part::PostNorm) => {
            vec![Axis::Hidden]
        }
        Place::Layer(_, Part::OutputBias | Part::DownBias) => vec![Axis::Hidden],
        Place::Layer(_, Part::UpBias) => vec![Axis::Ffn],
        Place::Layer(_, Part::Query) => vec![Axis::Heads, Axis::Hidden],
        Place::Layer(_, Part::QueryBias) => vec![Axis::Heads],
        Place::Layer(_, Part::Key | Part::Value) => vec![Axis::KvHeads, Axis::Hidden],
        Place::Layer(_, Part::KeyBias | Part::ValueBias) => vec![Axis::KvHeads],
        Place::Layer(_, Part::Output) => vec![Axis::Hidden, Axis::Heads],
        Place::Layer(_, Part::Gate | Part::Up) => vec![Axis::Ffn, Axis::Hidden],
        Place::Layer(_, Part::Down) => vec![Axis::Hidden, Axis::Ffn],
        Place::Layer(_, Part::ShortcutDown) => vec![Axis::Shortcut, Axis::Hidden],
        Place::Layer(_, Part::ShortcutUp) => vec![Axis::Hidden, Axis::Shortcut],
        Place::Layer(_, Part::SeriesScale(_) | Part::SeriesBias(_)) => vec![Axis::Ffn],
    }
}

impl InheritanceMap {
    /// Chooses the channels and heads that are kept. `scores` are those of `self.layers`; without any
    /// the criterion does not ask for them.
    fn choose(&mut self, [parent, child]: [&Shape; 2], scores: Option<&Units>) {
        let group = parent.heads / parent.kv_heads;
        let (criterion, pooled) = (self.criterion, self.pooled);
        let of = |list: fn(&Units) -> &Vec<f64>| scores.map(list).cloned().unwrap_or_default();
        self.hidden = criterion
            .keep(Group::Hidden, parent.width, child.width, || of(|scores| &scores.hidden));
        for (index, &layer) in self.layers.iter().enumerate() {
            let of = |lists: fn(&Units) -> &Vec<Vec<f64>>| {
                scores.map_or_else(Vec::new, |scores| lists(scores)[index].clone())
            };
            // Heads that become one are kept or dropped together.
            let count = parent.kv_heads / pooled;
            let together = criterion.keep(Group::Heads { layer }, count, child.kv_heads, || {
                of(|scores| &scores.heads).chunks(pooled).map(|heads| heads.iter().sum()).collect()
            });
            let kv_heads = expand(&together, pooled);
            self.heads.push(expand(&kv_heads, group));
            self.kv_heads.push(kv_heads);
            self.ffn
                .push(criterion.keep(Group::Ffn { layer }, parent.ffn, child.ffn, || {
                    of(|scores| &scores.ffn)
                }));
            if child.pi.shortcut > 0 {
                let [count, keep] = [parent, child].map(|shape| shape.pi.shortcut);
                self.shortcut.push(criterion.keep(Group::Shortcut { layer }, count, keep, || {
                    of(|scores| &scores.shortcut)
                }));
            }
        }
    }

    /// The indices of the parent kept along an axis of the child's tensor at `place`.
    fn channels(&self, axis: Axis, place: Place, head_dim: usize) -> Vec<usize> {
        let layer = match place {
            Place::Layer(layer, _) => layer,
            _ => 0,
        };
        match axis {
            Axis::Vocabulary => self.vocabulary.iter().map(|id| *id as usize).collect(),
            Axis::Hidden => self.hidden.clone(),
            Axis::Heads => expand(&self.heads[layer], head_dim),
            Axis::KvHeads => expand(&self.kv_heads[layer], head_dim),
            Axis::Ffn => self.ffn[layer].clone(),
            Axis::Shortcut => self.shortcut[layer].clone(),
        }
    }
}

/// Units of `size` consecutive members, member by member.
fn expand(units: &[usize], size: usize) -> Vec<usize> {
    units.iter().flat_map(|unit| unit * size..(unit + 1) * size).collect()
}

/// The entries of a vector or matrix at the kept indices of each axis.
fn take(tensor: &HostTensor, keep: &[Vec<usize>]) -> HostTensor {
    let shape = keep.iter().map(Vec::len).collect();
    let pick = |row: &[f32], columns: &[usize]| columns.iter().map(|c| row[*c]).collect::<Vec<_>>();
    let values = match keep {
        [columns] => pick(&tensor.values, columns),
        [rows, columns] => rows.iter().flat_map(|row| pick(tensor.row(*row), columns)).collect(),
        _ => unreachable!("every tensor of a decoder has one or two axes"),
    };
    HostTensor { shape, values }
}

/// The mean of every `pooled` heads of `head_dim` rows, one after the other (Ainslie et al. 2023,
/// GQA, arXiv:2305.13245, section 2.1).
fn pool_heads(tensor: &HostTensor, head_dim: usize, pooled: usize) -> HostTensor {
    if pooled == 1 {
        return tensor.clone();
    }
    let columns = tensor.columns();
    let head = head_dim * columns;
    let mut values = Vec::with_capacity(tensor.values.len() / pooled);
    for heads in tensor.values.chunks_exact(head * pooled) {
        values.extend((0..head).map(|at| {
            let sum: f64 = heads.iter().skip(at).step_by(head).map(|value| f64::from(*value)).sum();
            (sum / pooled as f64) as f32
        }));
    }
    HostTensor { shape: vec![values.len() / columns, columns], values }
}

/// Checks that a child of this shape can be cut out of a parent. Returns how many of the parent's key
/// and value heads become one of the child's.
///
/// # Errors
/// What of the child is too large, or of another kind.
pub fn check_sizes(
    parent: &Shape,
    child: &Shape,
    grouping: Grouping,
) -> Result<usize, InheritError> {
    for (dimension, parent, child) in [
        (Dimension::Depth, parent.depth, child.depth),
        (Dimension::Width, parent.width, child.width),
        (Dimension::Heads, parent.heads, child.heads),
        (Dimension::KvHeads, parent.kv_heads, child.kv_heads),
        (Dimension::Ffn, parent.ffn, child.ffn),
        (Dimension::Vocabulary, parent.vocabulary, child.vocabulary),
        (Dimension::Shortcut, parent.pi.shortcut, child.pi.shortcut),
    ] {
        if child > parent {
            return Err(InheritError::Wider { dimension, parent, child });
        }
    }
    if parent.pi.activations != child.pi.activations
        || (parent.pi.shortcut > 0) != (child.pi.shortcut > 0)
    {
        return Err(InheritError::Additions { parent: parent.pi, child: child.pi });
    }
    if parent.attention.bias || child.attention.bias {
        return Err(InheritError::Biases);
    }
    let head_dim = parent.head_dim();
    if child.head_dim() != head_dim {
        let advice = if child.width.is_multiple_of(head_dim) {
            format!("use {} heads for width {}", child.width / head_dim, child.width)
        } else {
            format!("use a width that is a multiple of {head_dim}")
        };
        return Err(InheritError::HeadDim {
            parent: head_dim,
            child: child.head_dim(),
            width: child.width,
            heads: child.heads,
            advice,
        });
    }
    let group = parent.heads / parent.kv_heads;
    let pooled = child.heads / child.kv_heads / group;
    let whole = pooled > 0 && pooled * group == child.heads / child.kv_heads;
    let fits = match grouping {
        Grouping::Kept => whole && pooled == 1,
        Grouping::Pooled => whole && parent.kv_heads.is_multiple_of(pooled),
    };
    if !fits {
        return Err(InheritError::Grouping {
            parent_heads: parent.heads,
            parent_kv_heads: parent.kv_heads,
            child_heads: child.heads,
            child_kv_heads: child.kv_heads,
            fitting: child.kv_heads * group,
        });
    }
    Ok(pooled)
}

fn check_layers(parent: &Shape, child: &Shape, layers: &[usize]) -> Result<(), InheritError> {
    if layers.len() != child.depth {
        return Err(InheritError::LayerCount { selected: layers.len(), depth: child.depth });
    }
    if let Some(pair) = layers.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(InheritError::LayerOrder { previous: pair[0], next: pair[1] });
    }
    check_range(layers, parent.depth)
}

/// Checks that a parent of this depth has these layers.
pub(crate) fn check_range(layers: &[usize], depth: usize) -> Result<(), InheritError> {
    match layers.iter().find(|layer| **layer >= depth) {
        Some(layer) => Err(InheritError::LayerRange { layer: *layer, depth }),
        None => Ok(()),
    }
}

/// Checks that a parent with so many entries has these, and that none is taken twice.
pub(crate) fn check_vocabulary(vocabulary: usize, map: &[u32]) -> Result<(), InheritError> {
    let mut owner = vec![None; vocabulary];
    for (id, &source) in map.iter().enumerate() {
        let Some(owner) = owner.get_mut(source as usize) else {
            return Err(InheritError::VocabularyRange { child: id, parent: source, vocabulary });
        };
        if let Some(first) = owner.replace(id) {
            return Err(InheritError::VocabularyRepeat { first, second: id, parent: source });
        }
    }
    Ok(())
}

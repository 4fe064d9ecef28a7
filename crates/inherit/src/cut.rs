//! Cutting a child's weights out of its parent's.

use ablate_cost::Shape;
use ablate_model::{HostTensor, ModelConfig, Part, Place, Weights, places};

use crate::scores::Parent;
use crate::select::Group;
use crate::{
    Axis, Dimension, Grouping, InheritError, InheritanceMap, TensorOrigin, WidthCriterion,
};

/// Cuts the weights of `child` out of those of `parent`.
///
/// `layers` are the layers of the parent to keep, one for each of the child's (see
/// [`select_layers`](crate::select_layers)); `vocabulary` gives the parent's id of every id of the
/// child. Hidden channels, heads and feed-forward channels are kept by `criterion` (scores:
/// LLM-Pruner's magnitude over coupled groups, their mean over the group's tensors) and stay in
/// their order. Key and value heads go with the query heads that share them; where more of the
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
/// size or grouped otherwise than `grouping` allows, or `layers` or `vocabulary` do not fit.
pub fn inherit(
    parent: (&ModelConfig, &Weights),
    child: &ModelConfig,
    vocabulary: &[u32],
    layers: &[usize],
    criterion: WidthCriterion,
    grouping: Grouping,
) -> Result<(Weights, InheritanceMap), InheritError> {
    let (parent_config, parent_weights) = parent;
    parent_weights.check(parent_config).map_err(InheritError::Parent)?;
    child.check().map_err(InheritError::Child)?;
    let (from, to) = (parent_config.shape, child.shape);
    let pooled = check_sizes(&from, &to, grouping)?;
    check_layers(&from, &to, layers)?;
    check_vocabulary(&from, &to, vocabulary)?;

    let parent = Parent { shape: from, weights: parent_weights };
    let mut map = choose(&parent, &to, vocabulary, layers, (criterion, pooled))?;
    let mut weights = Weights::new();
    for place in places(child) {
        let source = source(place, layers, &from);
        let rule = rule(place);
        let keep: Vec<Vec<usize>> =
            rule.iter().map(|axis| map.channels(*axis, place, from.head_dim())).collect();
        let mut tensor = take(parent.tensor(source)?, &keep);
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

/// Chooses what is kept; no tensor is copied yet.
fn choose(
    parent: &Parent,
    child: &Shape,
    vocabulary: &[u32],
    layers: &[usize],
    (criterion, pooled): (WidthCriterion, usize),
) -> Result<InheritanceMap, InheritError> {
    let shape = &parent.shape;
    let group = shape.heads / shape.kv_heads;
    let hidden = criterion.keep(Group::Hidden, shape.width, child.width, |norm| {
        parent.hidden_scores(layers, vocabulary, norm)
    })?;
    let mut map = InheritanceMap {
        criterion,
        parent: parent.weights.checksum(),
        layers: layers.to_vec(),
        hidden,
        heads: Vec::new(),
        kv_heads: Vec::new(),
        pooled,
        ffn: Vec::new(),
        shortcut: Vec::new(),
        vocabulary: vocabulary.to_vec(),
        tensors: Vec::new(),
    };
    for &layer in layers {
        // Heads that become one are kept or dropped together.
        let (group_of, count) = (Group::Heads { layer }, shape.kv_heads / pooled);
        let together = criterion.keep(group_of, count, child.kv_heads, |norm| {
            let scores = parent.head_scores(layer, norm)?;
            Ok::<_, InheritError>(scores.chunks(pooled).map(|heads| heads.iter().sum()).collect())
        })?;
        let kv_heads = expand(&together, pooled);
        map.heads.push(expand(&kv_heads, group));
        map.kv_heads.push(kv_heads);
        map.ffn.push(criterion.keep(Group::Ffn { layer }, shape.ffn, child.ffn, |norm| {
            parent.ffn_scores(layer, norm)
        })?);
        if child.pi.shortcut > 0 {
            let (group, sizes) = (Group::Shortcut { layer }, [shape, child].map(|s| s.pi.shortcut));
            map.shortcut.push(
                criterion
                    .keep(group, sizes[0], sizes[1], |norm| parent.shortcut_scores(layer, norm))?,
            );
        }
    }
    Ok(map)
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
        Place::FinalNorm | Place::Layer(_, Part::InputNorm | Part::PostNorm) => vec![Axis::Hidden],
        Place::Layer(_, Part::Query) => vec![Axis::Heads, Axis::Hidden],
        Place::Layer(_, Part::Key | Part::Value) => vec![Axis::KvHeads, Axis::Hidden],
        Place::Layer(_, Part::Output) => vec![Axis::Hidden, Axis::Heads],
        Place::Layer(_, Part::Gate | Part::Up) => vec![Axis::Ffn, Axis::Hidden],
        Place::Layer(_, Part::Down) => vec![Axis::Hidden, Axis::Ffn],
        Place::Layer(_, Part::ShortcutDown) => vec![Axis::Shortcut, Axis::Hidden],
        Place::Layer(_, Part::ShortcutUp) => vec![Axis::Hidden, Axis::Shortcut],
        Place::Layer(_, Part::SeriesScale(_) | Part::SeriesBias(_)) => vec![Axis::Ffn],
    }
}

impl InheritanceMap {
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

/// How many of the parent's key and value heads become one of the child's.
fn check_sizes(parent: &Shape, child: &Shape, grouping: Grouping) -> Result<usize, InheritError> {
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
    match layers.iter().find(|layer| **layer >= parent.depth) {
        Some(layer) => Err(InheritError::LayerRange { layer: *layer, depth: parent.depth }),
        None => Ok(()),
    }
}

fn check_vocabulary(parent: &Shape, child: &Shape, map: &[u32]) -> Result<(), InheritError> {
    if map.len() != child.vocabulary {
        let (found, vocabulary) = (map.len(), child.vocabulary);
        return Err(InheritError::VocabularyLength { found, vocabulary });
    }
    let mut owner = vec![None; parent.vocabulary];
    for (id, &source) in map.iter().enumerate() {
        let Some(owner) = owner.get_mut(source as usize) else {
            let vocabulary = parent.vocabulary;
            return Err(InheritError::VocabularyRange { child: id, parent: source, vocabulary });
        };
        if let Some(first) = owner.replace(id) {
            return Err(InheritError::VocabularyRepeat { first, second: id, parent: source });
        }
    }
    Ok(())
}

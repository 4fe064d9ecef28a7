//! Models of llama2.c (version 0): seven numbers, then every tensor as f32.

use std::fs;
use std::path::Path;

use ablate_cost::Shape;

use crate::pickle::{ADVICE, is_pickle};
use crate::{HostTensor, ModelConfig, ModelError, Part, Place, Weights};

/// Bytes of a number.
const WORD: usize = 4;

/// Reads a `.bin` of llama2.c: little-endian `i32` of width, feed-forward channels, layers, heads, key
/// and value heads, vocabulary (negative where the head has weights of its own) and context, then the
/// tensors, one kind after the other.
///
/// Its queries and keys have the two numbers of a rotation side by side; they are put half a head
/// apart, as everywhere else here.
///
/// # Errors
/// A file that cannot be read, is of another length than its numbers say, or describes no model.
pub fn read_llama2c(path: &Path) -> Result<(ModelConfig, Weights), ModelError> {
    let bytes =
        fs::read(path).map_err(|source| ModelError::Read { path: path.to_owned(), source })?;
    let wrong = |reason: String| ModelError::Llama2c { path: path.to_owned(), reason };
    if is_pickle(&bytes) {
        return Err(ModelError::Foreign { path: path.to_owned(), reason: ADVICE.to_owned() });
    }
    let config = config(&bytes).map_err(wrong)?;
    config.check()?;
    let mut rest = Reader { bytes: &bytes, at: 7 * WORD };
    let weights = tensors(&config, &mut rest).map_err(wrong)?;
    if rest.at != bytes.len() {
        let (found, needs) = (bytes.len(), rest.at);
        return Err(wrong(format!("it has {found} bytes, but its first numbers mean {needs}")));
    }
    weights.check(&config)?;
    Ok((config, weights))
}

fn config(bytes: &[u8]) -> Result<ModelConfig, String> {
    let header = bytes.get(..7 * WORD).ok_or("it is shorter than its first seven numbers")?;
    let numbers: Vec<i32> = header
        .chunks_exact(WORD)
        .map(|word| i32::from_le_bytes(word.try_into().unwrap_or_default()))
        .collect();
    let size = |index: usize| {
        usize::try_from(numbers[index].unsigned_abs()).map_err(|error| error.to_string())
    };
    if let Some(number) = numbers[..5].iter().chain(&numbers[6..]).find(|number| **number <= 0) {
        return Err(format!("one of its sizes is {number}"));
    }
    let shape = Shape {
        width: size(0)?,
        ffn: size(1)?,
        depth: size(2)?,
        heads: size(3)?,
        kv_heads: size(4)?,
        vocabulary: size(5)?,
        tied: numbers[5] > 0,
        pi: Default::default(),
        attention: Default::default(),
        block: Default::default(),
    };
    Ok(ModelConfig {
        shape,
        context: size(6)?,
        rope_theta: 10_000.0,
        norm_eps: 1e-5,
        rope_scaling: Default::default(),
    })
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn skip(&mut self, numbers: usize) {
        self.at += numbers * WORD;
    }

    fn tensor(&mut self, shape: Vec<usize>) -> Result<HostTensor, String> {
        let length = shape.iter().try_fold(WORD, |product, size| product.checked_mul(*size));
        let end = length.and_then(|length| self.at.checked_add(length));
        let found = end.and_then(|end| self.bytes.get(self.at..end));
        let found = found.ok_or_else(|| {
            format!("it ends at byte {}, in the middle of a tensor", self.bytes.len())
        })?;
        self.at += found.len();
        let number = |word: &[u8]| f32::from_le_bytes(word.try_into().unwrap_or_default());
        Ok(HostTensor { shape, values: found.chunks_exact(WORD).map(number).collect() })
    }
}

fn tensors(config: &ModelConfig, from: &mut Reader<'_>) -> Result<Weights, String> {
    let shape = &config.shape;
    let mut weights = Weights::new();
    let mut take = |from: &mut Reader<'_>, place: Place| -> Result<(), String> {
        let mut tensor = from.tensor(place.shape(shape))?;
        if let Place::Layer(_, Part::Query | Part::Key) = place {
            tensor = halves_apart(&tensor, shape.width / shape.heads);
        }
        weights.insert(place.name(), tensor);
        Ok(())
    };
    take(from, Place::Embedding)?;
    for part in [
        Part::InputNorm,
        Part::Query,
        Part::Key,
        Part::Value,
        Part::Output,
        Part::PostNorm,
        Part::Gate,
        Part::Down,
        Part::Up,
    ] {
        for layer in 0..shape.depth {
            take(from, Place::Layer(layer, part))?;
        }
    }
    take(from, Place::FinalNorm)?;
    // Cosines and sines of all positions, which are computed here.
    from.skip(config.context * (shape.width / shape.heads));
    if !shape.tied {
        take(from, Place::Head)?;
    }
    Ok(weights)
}

/// Rows 2 i and 2 i + 1 of every head become rows i and i + half a head; of a vector, numbers.
pub(crate) fn halves_apart(tensor: &HostTensor, head: usize) -> HostTensor {
    let rows = tensor.shape[0];
    let columns = tensor.values.len() / rows;
    let half = head / 2;
    let row = |to: usize| {
        let (first, within) = (to / head * head, to % head);
        let from = first + 2 * (within % half) + within / half;
        &tensor.values[from * columns..(from + 1) * columns]
    };
    HostTensor { shape: tensor.shape.clone(), values: (0..rows).flat_map(row).copied().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        file
    }

    /// One layer, two heads of four channels, one key head, vocabulary 3, context 2; the n-th number
    /// is n.
    fn numbered(vocabulary: i32) -> Vec<u8> {
        let header = [8, 5, 1, 2, 1, vocabulary, 2];
        let matrices = 3 * 8 + 8 + 64 + 2 * 32 + 64 + 8 + 3 * 40 + 8;
        let head = if vocabulary < 0 { 3 * 8 } else { 0 };
        let numbers = (0..matrices + 2 * 4 + head).map(|n| (n as f32).to_le_bytes());
        header.map(i32::to_le_bytes).into_iter().chain(numbers).flatten().collect()
    }

    #[test]
    fn tensors_follow_each_other() {
        let (config, weights) = read_llama2c(file(&numbered(3)).path()).unwrap();
        assert!(config.shape.tied);
        let first = |place: Place| weights.get(&place.name()).unwrap().values[0];
        assert_eq!(first(Place::Embedding), 0.0);
        assert_eq!(first(Place::Layer(0, Part::InputNorm)), 24.0);
        let query = weights.get(&Place::Layer(0, Part::Query).name()).unwrap();
        // Rows 0, 2, 1, 3 of the first head, then of the second.
        let rows: Vec<f32> = (0..8).map(|row| (query.row(row)[0] - 32.0) / 8.0).collect();
        assert_eq!(rows, [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
        assert_eq!(first(Place::Layer(0, Part::Value)), 32.0 + 64.0 + 32.0);
        assert_eq!(first(Place::Layer(0, Part::Gate)), 32.0 + 2.0 * 64.0 + 2.0 * 32.0 + 8.0);
        // The file has down before up.
        let gate = first(Place::Layer(0, Part::Gate));
        assert_eq!(first(Place::Layer(0, Part::Down)), gate + 40.0);
        assert_eq!(first(Place::Layer(0, Part::Up)), gate + 80.0);
        assert_eq!(first(Place::FinalNorm), gate + 120.0);
        let (config, weights) = read_llama2c(file(&numbered(-3)).path()).unwrap();
        assert!(!config.shape.tied);
        let head = weights.get(&Place::Head.name()).unwrap();
        assert_eq!(head.values[0], gate + 120.0 + 8.0 + 8.0);
    }

    #[test]
    fn damaged_files_are_named() {
        let whole = numbered(3);
        for (bytes, words) in [
            (&whole[..20], "shorter than its first seven numbers"),
            (&whole[..200], "it ends at byte 200"),
            (&[whole.as_slice(), &[0]].concat()[..], "but its first numbers mean"),
            (&[&[0; 4], &whole[4..]].concat()[..], "one of its sizes is 0"),
        ] {
            let file = file(bytes);
            let error = read_llama2c(file.path()).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("llama2.c"), "{error}");
        }
        let error = read_llama2c(Path::new("nowhere.bin")).unwrap_err().to_string();
        assert!(error.contains("nowhere.bin"), "{error}");
    }
}

//! Losses of whole sequences, many at a time.

use ablate_model::Decoder;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// Sequences as one batch of inputs and targets.
///
/// Shorter sequences are filled up on the right, which changes nothing before the filling: the
/// decoder only looks back. Ids must be below the vocabulary, sequences at most one token longer
/// than the context, and none empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Padded<'a> {
    sequences: &'a [&'a [u32]],
    /// Tokens of the longest input.
    time: usize,
}

impl<'a> Padded<'a> {
    /// `None` where there is nothing to predict.
    pub(crate) fn new(sequences: &'a [&'a [u32]]) -> Option<Self> {
        let time = sequences.iter().map(|tokens| tokens.len() - 1).max().unwrap_or(0);
        (time > 0).then_some(Self { sequences, time })
    }

    /// All tokens but the last of each sequence.
    pub(crate) fn inputs(&self, device: &Device) -> Tensor<2, Int> {
        self.batch(0, device)
    }

    /// All tokens but the first of each sequence.
    pub(crate) fn targets(&self, device: &Device) -> Tensor<2, Int> {
        self.batch(1, device)
    }

    fn batch(&self, skip: usize, device: &Device) -> Tensor<2, Int> {
        let mut ids = Vec::with_capacity(self.sequences.len() * self.time);
        for tokens in self.sequences {
            let row = &tokens[skip..tokens.len() - 1 + skip];
            ids.extend(row.iter().map(|id| i64::from(*id)));
            ids.resize(ids.len() + self.time - row.len(), 0);
        }
        Tensor::from_data(TensorData::new(ids, [self.sequences.len(), self.time]), device)
    }

    /// Of a value for every input token, those of each sequence without the filling.
    pub(crate) fn rows(&self, values: Tensor<2>) -> Vec<Vec<f32>> {
        let values = values.into_data().convert::<f32>();
        // The data was just converted to f32, and an empty list shows up as a loss that is no number.
        let values: Vec<f32> = values.try_into_vec().unwrap_or_default();
        let rows = self.sequences.iter().zip(values.chunks(self.time));
        rows.map(|(tokens, row)| row[..tokens.len() - 1].to_vec()).collect()
    }
}

/// Loss in nats of every token of each sequence but its first: row `i` has one value less than
/// `sequences[i]` has tokens.
pub(crate) fn sequence_losses(model: &Decoder, sequences: &[&[u32]]) -> Vec<Vec<f32>> {
    let Some(padded) = Padded::new(sequences) else {
        return vec![Vec::new(); sequences.len()];
    };
    let device = model.device();
    padded.rows(model.token_losses(padded.inputs(&device), padded.targets(&device)))
}

/// Cuts a list of lengths into batches of at most `batch_tokens` tokens after filling up (but at
/// least one sequence each), longest first. The batches hold positions in the list.
pub(crate) fn batches(lengths: &[usize], batch_tokens: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    // A stable sort: equal lengths keep their order, so that batches depend on nothing else.
    order.sort_by_key(|index| std::cmp::Reverse(lengths[*index]));
    let mut batches = Vec::<Vec<usize>>::new();
    for index in order {
        match batches.last_mut() {
            // The first of a batch is its longest.
            Some(batch) if (batch.len() + 1) * lengths[batch[0]] <= batch_tokens => {
                batch.push(index);
            }
            _ => batches.push(vec![index]),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::batches;

    #[test]
    fn batches_are_sorted_and_bounded() {
        assert_eq!(batches(&[2, 9, 3, 9, 1], 18), [vec![1, 3], vec![2, 0, 4]]);
        assert_eq!(batches(&[5, 7], 0), [vec![1], vec![0]]);
        assert!(batches(&[], 10).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn every_sequence_is_in_one_batch(
            lengths in proptest::collection::vec(1usize..50, 0..40),
            limit in 0usize..300,
        ) {
            let found = batches(&lengths, limit);
            for batch in &found {
                let longest = batch.iter().map(|index| lengths[*index]).max().unwrap();
                proptest::prop_assert!(batch.len() == 1 || batch.len() * longest <= limit);
            }
            let mut all: Vec<usize> = found.concat();
            all.sort_unstable();
            proptest::prop_assert_eq!(all, (0..lengths.len()).collect::<Vec<_>>());
        }
    }
}

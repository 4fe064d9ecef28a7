//! From windows of a shard to the tensors of one forward pass.

use ablate_corpus::{Shard, Windows};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::TrainError;

/// Some windows of `context + 1` tokens, one after the other.
pub(crate) struct Sequences {
    tokens: Vec<u32>,
    context: usize,
}

impl Sequences {
    /// Reads windows and checks that their tokens are below `vocabulary`. The windows must exist.
    pub(crate) fn read(
        shard: &Shard,
        windows: &[u32],
        context: usize,
        vocabulary: usize,
    ) -> Result<Self, TrainError> {
        let places = Windows::of(shard, context);
        let mut tokens = vec![0; windows.len() * (context + 1)];
        for (window, tokens) in windows.iter().zip(tokens.chunks_exact_mut(context + 1)) {
            shard.read_into(places.start(u64::from(*window)), tokens);
            if let Some(token) = tokens.iter().find(|token| **token as usize >= vocabulary) {
                return Err(TrainError::Token { window: *window, token: *token, vocabulary });
            }
        }
        Ok(Self { tokens, context })
    }

    /// Every token but each window's last: `[sequences, context]`.
    pub(crate) fn inputs(&self, device: &Device) -> Tensor<2, Int> {
        self.tensor(0, device)
    }

    /// Every token but each window's first: `[sequences, context]`.
    pub(crate) fn targets(&self, device: &Device) -> Tensor<2, Int> {
        self.tensor(1, device)
    }

    /// Number of targets.
    pub(crate) fn tokens(&self) -> u64 {
        (self.tokens.len() / (self.context + 1) * self.context) as u64
    }

    /// Bytes of text that the targets stand for.
    pub(crate) fn bytes(&self, token_bytes: &[u32]) -> u64 {
        let bytes = |token: &u32| token_bytes.get(*token as usize).copied().unwrap_or(0);
        let windows = self.tokens.chunks_exact(self.context + 1);
        windows.flat_map(|window| &window[1..]).map(|token| u64::from(bytes(token))).sum()
    }

    fn tensor(&self, shift: usize, device: &Device) -> Tensor<2, Int> {
        let windows = self.tokens.chunks_exact(self.context + 1);
        let sequences = windows.len();
        // Ids are below a vocabulary of at most 2^31 entries.
        let ids: Vec<i32> = windows
            .flat_map(|window| &window[shift..shift + self.context])
            .map(|token| *token as i32)
            .collect();
        Tensor::from_data(TensorData::new(ids, [sequences, self.context]), device)
    }
}

#[cfg(test)]
mod tests {
    use ablate_corpus::ShardWriter;

    use super::*;

    #[test]
    fn inputs_and_targets_are_shifted_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shard");
        let mut writer = ShardWriter::create(&path, 20).unwrap();
        writer.push(&(0..13).collect::<Vec<u32>>(), 13).unwrap();
        writer.finish().unwrap();
        let shard = Shard::open(&path).unwrap();
        let read = Sequences::read(&shard, &[2, 0], 4, 20).unwrap();
        let device = Device::flex();
        let ids = |tensor: Tensor<2, Int>| tensor.into_data().iter::<i64>().collect::<Vec<_>>();
        assert_eq!(ids(read.inputs(&device)), [8, 9, 10, 11, 0, 1, 2, 3]);
        assert_eq!(ids(read.targets(&device)), [9, 10, 11, 12, 1, 2, 3, 4]);
        assert_eq!(read.tokens(), 8);
        let lengths: Vec<u32> = (0..20).map(|id| if id == 0 { 0 } else { 10 + id }).collect();
        assert_eq!(read.bytes(&lengths), 80 + (9 + 10 + 11 + 12) + (1 + 2 + 3 + 4));
        let error = Sequences::read(&shard, &[0, 1], 4, 8).err().unwrap().to_string();
        assert!(error.contains("window 1 holds the token 8"), "{error}");
    }
}

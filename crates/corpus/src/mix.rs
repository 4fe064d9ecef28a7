//! Sources interleaved by weight up to a budget of bytes.

use crate::{CorpusError, Document};

/// One source of a [`Mix`].
pub struct MixSource<'a> {
    /// Name for messages and for [`SourceShare`].
    pub name: String,
    /// Share of the bytes relative to the other sources; above 0.
    pub weight: f64,
    /// The documents.
    pub documents: Box<dyn Iterator<Item = Result<Document, CorpusError>> + Send + 'a>,
}

/// What a source has given to a mix so far.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceShare {
    /// The source.
    pub name: String,
    /// Its weight.
    pub weight: f64,
    /// Documents given.
    pub documents: u64,
    /// Bytes of text given.
    pub bytes: u64,
    /// Whether it ran dry before the budget was met; the others then went on without it.
    pub exhausted: bool,
}

/// Documents of several sources, each step from the source that is furthest behind its share
/// (bytes given over weight; ties go to the first). So at any point the byte shares are as near
/// to the weights as whole documents allow, and the same sources give the same sequence.
///
/// The mix stops after the document that meets the budget, so it gives at most one document
/// more than asked; without a budget it ends when every source is exhausted. It ends after the
/// first error of a source.
pub struct Mix<'a> {
    sources: Vec<MixSource<'a>>,
    shares: Vec<SourceShare>,
    budget: Option<u64>,
    failed: bool,
}

impl<'a> Mix<'a> {
    /// Prepares a mix of `sources` with a budget in bytes of text.
    ///
    /// # Errors
    /// A weight that is not above 0.
    pub fn new(sources: Vec<MixSource<'a>>, budget: Option<u64>) -> Result<Self, CorpusError> {
        for MixSource { name, weight, .. } in &sources {
            if !(weight.is_finite() && *weight > 0.0) {
                return Err(CorpusError::BadWeight { name: name.clone(), weight: *weight });
            }
        }
        let shares = sources
            .iter()
            .map(|source| SourceShare {
                name: source.name.clone(),
                weight: source.weight,
                documents: 0,
                bytes: 0,
                exhausted: false,
            })
            .collect();
        Ok(Self { sources, shares, budget, failed: false })
    }

    /// What every source has given so far, in their order.
    pub fn shares(&self) -> &[SourceShare] {
        &self.shares
    }

    /// Bytes given so far.
    pub fn bytes(&self) -> u64 {
        self.shares.iter().map(|share| share.bytes).sum()
    }

    /// The source that is furthest behind.
    fn behind(&self) -> Option<usize> {
        let progress = |i: usize| self.shares[i].bytes as f64 / self.shares[i].weight;
        (0..self.shares.len())
            .filter(|&i| !self.shares[i].exhausted)
            .min_by(|&a, &b| progress(a).total_cmp(&progress(b)))
    }
}

impl Iterator for Mix<'_> {
    /// A document and the index of its source.
    type Item = Result<(usize, Document), CorpusError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.budget.is_some_and(|budget| self.bytes() >= budget) {
            return None;
        }
        loop {
            let index = self.behind()?;
            match self.sources[index].documents.next() {
                Some(Ok(document)) => {
                    let share = &mut self.shares[index];
                    share.documents += 1;
                    share.bytes += document.text.len() as u64;
                    return Some(Ok((index, document)));
                }
                Some(Err(error)) => {
                    self.failed = true;
                    return Some(Err(error));
                }
                None => self.shares[index].exhausted = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn source(name: &str, weight: f64, sizes: Vec<usize>) -> MixSource<'static> {
        let language = name.to_owned();
        let document =
            move |size| Ok(Document { text: "x".repeat(size), language: language.clone() });
        MixSource {
            name: name.to_owned(),
            weight,
            documents: Box::new(sizes.into_iter().map(document)),
        }
    }

    fn drain(mut mix: Mix<'_>) -> (Vec<usize>, Vec<SourceShare>) {
        let mut from = Vec::new();
        for document in mix.by_ref() {
            from.push(document.unwrap().0);
        }
        (from, mix.shares().to_vec())
    }

    #[test]
    fn sources_take_turns_by_weight() {
        let sources = vec![source("en", 2.0, vec![10; 100]), source("zh", 1.0, vec![10; 100])];
        let (from, shares) = drain(Mix::new(sources, Some(85)).unwrap());
        assert_eq!(from, [0, 1, 0, 0, 1, 0, 0, 1, 0]);
        assert_eq!((shares[0].bytes, shares[1].bytes), (60, 30));
        assert!(!shares[0].exhausted && !shares[1].exhausted);
    }

    #[test]
    fn others_go_on_without_an_exhausted_source() {
        let sources = vec![source("small", 1.0, vec![5; 2]), source("large", 1.0, vec![5; 50])];
        let (from, shares) = drain(Mix::new(sources, Some(100)).unwrap());
        assert_eq!(from.len(), 20);
        assert_eq!(
            shares[0],
            SourceShare {
                name: "small".to_owned(),
                weight: 1.0,
                documents: 2,
                bytes: 10,
                exhausted: true
            }
        );
        assert_eq!((shares[1].bytes, shares[1].exhausted), (90, false));
        let all = vec![source("a", 0.1, vec![5; 2]), source("b", 9.0, vec![7; 3])];
        let (_, shares) = drain(Mix::new(all, None).unwrap());
        assert_eq!((shares[0].bytes, shares[1].bytes), (10, 21));
        assert!(shares.iter().all(|share| share.exhausted));
    }

    #[test]
    fn errors_end_the_mix_and_weights_are_checked() {
        let broken = MixSource {
            name: "broken".to_owned(),
            weight: 1.0,
            documents: Box::new(std::iter::repeat_with(|| Err(CorpusError::NoPaths))),
        };
        let mix = Mix::new(vec![source("en", 1.0, vec![4; 9]), broken], None).unwrap();
        let documents: Vec<_> = mix.collect();
        assert_eq!(documents.len(), 2);
        assert!(documents[1].is_err());
        for weight in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let error =
                Mix::new(vec![source("en", weight, vec![1])], None).err().map(|e| e.to_string());
            assert!(error.is_some_and(|e| e.starts_with("source `en` has weight")));
        }
    }

    proptest! {
        #[test]
        fn shares_stay_near_the_weights(
            weights in prop::collection::vec(0.1f64..5.0, 1..5),
            sizes in prop::collection::vec(1usize..40, 400),
            budget in 1u64..1500,
        ) {
            let sources = weights.iter().map(|&weight| source("s", weight, sizes.clone())).collect();
            let (_, shares) = drain(Mix::new(sources, Some(budget)).unwrap());
            let total: u64 = shares.iter().map(|share| share.bytes).sum();
            prop_assert!(total >= budget && total < budget + 40);
            // No source is ahead of another by more than one document.
            for a in &shares {
                for b in &shares {
                    prop_assert!((a.bytes as f64 - 40.0) / a.weight <= b.bytes as f64 / b.weight);
                }
            }
        }
    }
}

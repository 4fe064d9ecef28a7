use proptest::prelude::*;

use super::*;

/// The definition of BPE, one merge at a time: the pair whose turn comes first, leftmost.
fn slow(mut ids: Vec<u32>, merges: &[Merge], turns: Option<&[u32]>) -> Vec<u32> {
    loop {
        let best = ids
            .windows(2)
            .enumerate()
            .filter_map(|(at, pair)| {
                let index = merges.iter().rposition(|m| [m.left, m.right] == *pair)?;
                Some((turns.map_or(index as u32, |turns| turns[index]), at, index))
            })
            .min();
        let Some((_, at, index)) = best else { return ids };
        ids[at] = merges[index].product;
        ids.remove(at + 1);
    }
}

/// Byte b has id b. Merge number i makes id 256 + i out of ids that exist by then, of which 3
/// are bytes of the word.
fn merges_of(pairs: &[(u32, u32)]) -> Vec<Merge> {
    let id = |i: u32, before: u32| match i % (before - 253) {
        made if made >= 3 => made + 253,
        byte => byte,
    };
    let numbered = pairs.iter().zip(256..);
    numbered
        .map(|(&(left, right), product)| Merge {
            left: id(left, product),
            right: id(right, product),
            product,
        })
        .collect()
}

fn bytes_alone() -> [u32; 256] {
    std::array::from_fn(|byte| byte as u32)
}

proptest! {
    #[test]
    fn agrees_with_the_definition(
        word in prop::collection::vec(0u8..3, 0..2 * SHORT),
        pairs in prop::collection::vec((any::<u32>(), any::<u32>()), 0..30),
    ) {
        let merges = merges_of(&pairs);
        let table = MergeTable::of(bytes_alone(), merges.clone());
        let start: Vec<u32> = word.iter().map(|&byte| byte.into()).collect();
        let expected = slow(start.clone(), &merges, None);
        let (mut found, mut scratch) = (Vec::new(), Scratch::default());
        let last = table.merge_bytes(&word, &mut scratch, &mut found);
        prop_assert_eq!(&found, &expected);
        // Both ways whatever the length.
        found.clear();
        let pairs = word.windows(2).map(|pair| table.of_bytes(pair[0], pair[1]));
        let length = word.len();
        let same =
            table.merge_long::<false>(start.into_iter(), pairs, length, &mut scratch, &mut found);
        prop_assert_eq!((&found, same), (&expected, last));
    }

    #[test]
    fn equal_turns_go_from_the_left(
        word in prop::collection::vec(0u8..3, 0..2 * SHORT),
        pairs in prop::collection::vec((any::<u32>(), any::<u32>()), 0..30),
        turns in prop::collection::vec(0u32..5, 30),
    ) {
        let merges = merges_of(&pairs);
        let word: String = word.into_iter().map(char::from).collect();
        let chars = CharIds::new((0..3).map(|id| (char::from(id as u8), id)), Vec::new());
        let turns = turns[..merges.len()].to_vec();
        let start: Vec<u32> = word.chars().map(|c| c as u32).collect();
        let expected = slow(start.clone(), &merges, Some(&turns));
        let mut table = MergeTable::of(bytes_alone(), merges);
        (table.turns, table.chars) = (Some(turns), Some(chars));
        let (mut found, mut scratch) = (Vec::new(), Scratch::default());
        table.merge(&word, &mut scratch, &mut found);
        prop_assert_eq!(&found, &expected);
        found.clear();
        let pairs = start.windows(2).map(|pair| table.ranks.get(pair[0], pair[1]));
        let length = start.len();
        table.merge_long::<true>(start.iter().copied(), pairs, length, &mut scratch, &mut found);
        prop_assert_eq!(&found, &expected);
    }
}

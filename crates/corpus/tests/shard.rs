//! Shards: what is written comes back, and what is damaged is refused.

use std::path::PathBuf;

use ablate_corpus::{CorpusError, Shard, ShardInfo, ShardWriter, TokenBytes, Windows};
use proptest::prelude::*;

struct Written {
    _folder: tempfile::TempDir,
    path: PathBuf,
    info: ShardInfo,
}

fn write(documents: &[Vec<u32>], vocabulary: usize) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.tokens");
    let mut writer = ShardWriter::create(&path, vocabulary).unwrap();
    for (index, document) in documents.iter().enumerate() {
        writer.push(document, 10 + index as u64).unwrap();
    }
    let info = writer.finish().unwrap();
    Written { _folder: folder, path, info }
}

#[test]
fn the_layout_is_the_documented_one() {
    let shard = write(&[vec![5, 256, 0], vec![7, 0]], 300);
    let bytes = std::fs::read(&shard.path).unwrap();
    assert_eq!(&bytes[..16], b"ABLSHARD\x01\0\0\0\x02\0\0\0");
    let longs = |at: usize, n: usize| -> Vec<u64> {
        let words = bytes[at..].chunks_exact(8).take(n);
        words.map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect()
    };
    // Vocabulary, tokens, documents, bytes of text, two spare words.
    assert_eq!(longs(16, 6), [300, 5, 2, 21, 0, 0]);
    assert_eq!(&bytes[64..80], [5, 0, 0, 1, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(longs(80, 9), [0, 3, 5]);
    let wide = std::fs::read(write(&[vec![65_536]], 65_537).path).unwrap();
    assert_eq!(&wide[12..16], 4u32.to_le_bytes());
    assert_eq!(&wide[64..72], [0, 0, 1, 0, 0, 0, 0, 0]);
}

#[test]
fn windows_overlap_by_one_token() {
    let written = write(&[(0..7).collect(), (7..12).collect()], 12);
    let shard = Shard::open(&written.path).unwrap();
    let windows = Windows::of(&shard, 4);
    assert_eq!(windows.count, 2);
    assert_eq!(windows.read(&shard, 0), [0, 1, 2, 3, 4]);
    assert_eq!(windows.read(&shard, 1), [4, 5, 6, 7, 8]);
    // A window needs one target more than inputs.
    for (tokens, context, count) in
        [(0, 4, 0), (1, 4, 0), (4, 4, 0), (5, 4, 1), (8, 4, 1), (9, 4, 2)]
    {
        assert_eq!(Windows::over(tokens, context).count, count, "{tokens}");
    }
}

#[test]
#[should_panic(expected = "3 tokens from 10 on are beyond 12")]
fn a_window_beyond_the_end() {
    let written = write(&[(0..12).collect()], 12);
    Shard::open(&written.path).unwrap().window(10, 3);
}

#[test]
fn what_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let mut writer = ShardWriter::create(&path, 300).unwrap();
    let error = writer.push(&[1, 300], 1).unwrap_err().to_string();
    assert!(error.ends_with("token 300 of document 0 is outside the vocabulary of 300"), "{error}");
    assert!(matches!(writer.push(&[], 1), Err(CorpusError::EmptyDocument { document: 0, .. })));
    assert!(matches!(writer.finish(), Err(CorpusError::Empty { .. })));
    assert!(matches!(Shard::open(&path), Err(CorpusError::BadShard { .. })), "not finished");
    let huge = ShardWriter::create(&path, 1 << 25);
    assert!(matches!(huge, Err(CorpusError::VocabularyTooLarge { .. })));
    let nowhere = ShardWriter::create(&folder.path().join("no/such/folder"), 300);
    assert!(matches!(nowhere, Err(CorpusError::Io { .. })));
}

fn refusal(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged");
    std::fs::write(&path, bytes).unwrap();
    match Shard::open(&path) {
        Err(CorpusError::BadShard { reason, .. }) => reason,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("a damaged shard was opened"),
    }
}

#[test]
fn damaged_shards_are_refused() {
    let whole = std::fs::read(write(&[vec![1, 2, 0], vec![3, 0]], 300).path).unwrap();
    for length in 0..whole.len() {
        refusal(&whole[..length]);
    }
    let changed = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        refusal(&bytes)
    };
    assert_eq!(refusal(&[]), "0 bytes are shorter than its header of 64");
    assert!(changed(0, 0).starts_with("it does not start like one"));
    assert_eq!(changed(8, 2), "version 2 is not 1, which this build reads");
    assert_eq!(changed(12, 4), "4 bytes per token do not fit 300 entries");
    assert!(changed(23, 1).starts_with("no shard has a vocabulary of"));
    assert_eq!(changed(31, 255), "its counts overflow");
    assert_eq!(changed(39, 255), "its counts overflow");
    assert!(changed(24, 9).ends_with("so it was cut or changed"));
    // Tokens 64..74 and padding up to 80, then the offsets 0, 3, 5.
    for (at, byte) in [(80, 1), (88, 0), (88, 5), (96, 6)] {
        assert_eq!(changed(at, byte), "its document offsets are not in order");
    }
    refusal(&[whole.as_slice(), &[0]].concat());
}

#[test]
fn a_stray_token_is_found_by_reading_everything() {
    let written = write(&[vec![1, 2, 0]], 300);
    let mut bytes = std::fs::read(&written.path).unwrap();
    bytes[67] = 2;
    std::fs::write(&written.path, bytes).unwrap();
    let shard = Shard::open(&written.path).unwrap();
    let error = shard.verify().unwrap_err().to_string();
    assert!(error.contains("token 514 in a vocabulary of 300"), "{error}");
}

#[test]
fn counts_of_many_chunks() {
    let document: Vec<u32> = (0..3_000_001u32).map(|i| i % 1000).collect();
    let shard = Shard::open(&write(&[document], 1001).path).unwrap();
    let counts = shard.token_counts().unwrap();
    assert_eq!(counts[0], 3001);
    assert!(counts[1..1000].iter().all(|&count| count == 3000));
    assert_eq!(counts[1000], 0);
}

#[test]
fn token_bytes_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(TokenBytes::FILE);
    let table = TokenBytes(vec![0, 1, 1, 6]);
    table.save(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "[0,1,1,6]\n");
    assert_eq!(TokenBytes::load(&path).unwrap(), table);
    assert_eq!(table.of(&[3, 0, 1, 9]), 7);
    std::fs::write(&path, "[0, -1]").unwrap();
    assert!(matches!(TokenBytes::load(&path), Err(CorpusError::BadTokenBytes { .. })));
}

proptest! {
    #[test]
    fn tokens_come_back(
        documents in prop::collection::vec(prop::collection::vec(0u32..70_000, 1..40), 1..20),
        narrow: bool,
        context in 1usize..50,
    ) {
        let vocabulary = if narrow { 65_536 } else { 70_000 };
        let documents: Vec<Vec<u32>> = documents
            .into_iter()
            .map(|tokens| tokens.into_iter().map(|token| token % vocabulary as u32).collect())
            .collect();
        let written = write(&documents, vocabulary);
        let shard = Shard::open(&written.path).unwrap();
        let all: Vec<u32> = documents.concat();
        prop_assert_eq!(shard.info(), written.info);
        prop_assert_eq!(shard.info().tokens, all.len() as u64);
        prop_assert_eq!(shard.info().documents, documents.len() as u64);
        prop_assert_eq!(shard.window(0, all.len()), all.clone());
        for (bounds, document) in shard.document_bounds().windows(2).zip(&documents) {
            let length = (bounds[1] - bounds[0]) as usize;
            prop_assert_eq!(&shard.window(bounds[0], length), document);
        }
        // Every token but the first, up to the last full window, is a target once.
        let windows = Windows::of(&shard, context);
        let targets: Vec<u32> =
            (0..windows.count).flat_map(|w| windows.read(&shard, w)[1..].to_vec()).collect();
        prop_assert_eq!(&targets, &all[1..=targets.len()].to_vec());
        prop_assert!(all.len() - 1 - targets.len() < context);
        prop_assert!(shard.verify().is_ok());
    }
}

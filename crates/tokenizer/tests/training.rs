//! Training: exact sizes, the order of merges, the same result every time.

use std::path::Path;

use ablate_tokenizer::{LONGEST_PIECE, Tokenizer, TokenizerError};

fn text() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/training.txt");
    std::fs::read_to_string(path).unwrap()
}

fn train(text: &str, vocabulary: usize) -> Result<Tokenizer, TokenizerError> {
    Tokenizer::train(text.split("\n\n"), vocabulary)
}

fn file(tokenizer: &Tokenizer) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    tokenizer.save(&path).unwrap();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn sizes_are_exact() {
    let text = text();
    for vocabulary in [257, 258, 300, 601] {
        let tokenizer = train(&text, vocabulary).unwrap();
        assert_eq!(tokenizer.vocabulary(), vocabulary);
        assert_eq!(tokenizer.end_of_text(), 0);
        let bytes = tokenizer.token_bytes();
        assert_eq!(bytes.len(), vocabulary);
        assert_eq!(bytes[0], 0);
        assert!(bytes[1..257].iter().all(|&bytes| bytes == 1));
        assert!(bytes[257..].iter().all(|&bytes| bytes >= 2));
        let mut all: Vec<u8> = (1..257).flat_map(|id| tokenizer.decode_bytes(&[id])).collect();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..=255));
    }
}

#[test]
fn too_small_and_too_large() {
    let error = train("text", 256).unwrap_err().to_string();
    assert_eq!(
        error,
        "a vocabulary of 256 is too small: 1 special tokens and 256 byte pieces need at least 257"
    );
    let text = text();
    let Err(TokenizerError::NotEnoughText { asked, possible, bytes }) = train(&text, 6400) else {
        panic!("9 kB of text cannot give 6400 entries");
    };
    assert_eq!(asked, 6400);
    assert_eq!(bytes as usize, text.split("\n\n").map(str::len).sum::<usize>());
    // What is said to be possible is, and not one more.
    assert!(train(&text, possible).is_ok());
    assert!(train(&text, possible + 1).is_err());
    assert!(matches!(train("", 258), Err(TokenizerError::NotEnoughText { possible: 257, .. })));
    // A pair that occurs once is none.
    assert!(matches!(
        train("abcdef", 258),
        Err(TokenizerError::NotEnoughText { possible: 257, .. })
    ));
}

#[test]
fn the_most_frequent_pair_comes_first() {
    // The words are "the", "-the" twice, "-th" and "-in" twice. Pairs: "th" 4, "he" and "-t" 3,
    // "-i" and "in" 2. Then "-"+"th" 3 and "th"+"e" 3, a tie.
    let tokenizer = train("the-the-the-th-in-in", 259).unwrap();
    let pieces: Vec<_> = (257..259).map(|id| tokenizer.piece(id).unwrap()).collect();
    assert_eq!(pieces, ["th", "-th"]);
    assert_eq!(tokenizer.encode("-the").len(), 2);
    // Ties go to the pair with the lower ids, which are in the order of the bytes' characters.
    let tied = train("ba.ab.ba.ab", 258).unwrap();
    assert_eq!(tied.piece(257), Some(".a"));
}

#[test]
fn the_same_text_gives_the_same_tokenizer() {
    let text = text();
    let first = file(&train(&text, 640).unwrap());
    for threads in [1, 2, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let again = pool.install(|| train(&text, 640).unwrap());
        assert!(file(&again) == first, "{threads} threads");
    }
    // Nor does the order of the documents matter.
    let reversed = Tokenizer::train(text.split("\n\n").collect::<Vec<_>>().into_iter().rev(), 640);
    assert!(file(&reversed.unwrap()) == first);
}

#[test]
fn every_piece_is_reached() {
    let tokenizer = train(&text(), 640).unwrap();
    let mut whole = 0;
    for id in 1..640 {
        if let Ok(text) = String::from_utf8(tokenizer.decode_bytes(&[id])) {
            assert_eq!(tokenizer.encode(&text), [id], "{text:?}");
            whole += 1;
        }
    }
    assert!(whole > 350, "{whole}");
}

#[test]
fn pieces_stay_short_and_digits_alone() {
    let clause = "他们每天早上都在河边散步然后回家吃饭。".repeat(50);
    let word = "incomprehensibilities ".repeat(50);
    let text = format!("{clause}\n\n{word}\n\n{}", "1234 ".repeat(99));
    let Err(TokenizerError::NotEnoughText { possible, .. }) = train(&text, 9000) else {
        panic!("three words cannot give 9000 entries");
    };
    let tokenizer = train(&text, possible).unwrap();
    let longest = tokenizer.token_bytes().into_iter().max().unwrap();
    assert_eq!(longest as usize, LONGEST_PIECE);
    assert_eq!(tokenizer.encode("1234").len(), 4);
    for id in 257..possible as u32 {
        let bytes = tokenizer.decode_bytes(&[id]);
        assert!(!bytes.iter().any(u8::is_ascii_digit), "{bytes:?}");
    }
}

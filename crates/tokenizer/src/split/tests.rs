//! The scanners against the regular expressions that they stand for.

use super::*;
use proptest::prelude::*;

const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// A splitter and the pattern it must agree with.
fn twins() -> [(Splitter, Splitter); 3] {
    let regex = |pattern: &str| Splitter::Regex(vec![SysRegex::new(pattern).unwrap()]);
    [
        (Splitter::of_pattern(crate::SPLIT_PATTERN).unwrap(), regex(crate::SPLIT_PATTERN)),
        (Splitter::of_pattern(THREE_DIGITS).unwrap(), regex(THREE_DIGITS)),
        (Splitter::Gpt2, regex(GPT2)),
    ]
}

fn words<'t>(splitter: &Splitter, text: &'t str) -> Vec<&'t str> {
    let mut words = Vec::new();
    splitter.words(text, &mut |word| words.push(word));
    words
}

thread_local! {
    static TWINS: [(Splitter, Splitter); 3] = twins();
}

fn check(text: &str) -> Result<(), TestCaseError> {
    TWINS.with(|twins| {
        for (ours, theirs) in twins {
            prop_assert!(!matches!(ours, Splitter::Regex(_)));
            prop_assert_eq!(words(ours, text), words(theirs, text), "{:?}", text);
        }
        Ok(())
    })
}

/// Characters of every class, with those that patterns name several times.
const MEETING: &str = "aabsStTrReEvVmMlLdDſKéß中灯ʰ'''’\"!-_。，\u{301}\u{200b}😀\0   \t\n\n\r\u{b}\u{85}\u{a0}\u{2028}\u{3000}\u{180e}01½Ⅷ٣〇";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn classes_in_any_order(
        text in prop::collection::vec(prop::sample::select(MEETING.chars().collect::<Vec<_>>()), 0..24)
    ) {
        check(&text.into_iter().collect::<String>())?;
    }
}

/// Every character of a plane between two neighbours, closed by what no pattern takes along.
fn plane(number: u32, before: &str, after: &str) -> String {
    let chars = (number << 16..(number + 1) << 16).filter_map(char::from_u32);
    chars.map(|c| format!("{before}{c}{after}\u{301}x")).collect()
}

#[test]
fn every_character_among_all_kinds_of_neighbours() {
    for (before, after) in
        [("'", ""), ("'", "e"), ("'r", ""), ("'l", "!"), (" ", "1"), ("\n", "\n"), ("a", " ")]
    {
        check(&plane(0, before, after)).unwrap();
    }
    for number in 0..17 {
        check(&plane(number, "", "a")).unwrap();
    }
}

#[test]
fn words_of_a_sentence() {
    let [(qwen, _), (llama, _), (gpt2, _)] = twins();
    let text = "It's 2024,  中文'LL\n\n x";
    let words = |splitter| words(splitter, text).join("|");
    assert_eq!(words(&qwen), "It|'s| |2|0|2|4|,| | 中文|'LL|\n\n| x");
    assert_eq!(words(&llama), "It|'s| |202|4|,| | 中文|'LL|\n\n| x");
    assert_eq!(words(&gpt2), "It|'s| 2024|,| | 中文|'|LL|\n\n| x");
}

#[test]
fn pre_tokenizers_that_are_recognised() {
    use serde_json::json;
    let found = |pre: Value| Splitter::of_json(&json!({"pre_tokenizer": pre})).unwrap();
    let bytes = |regex: bool| json!({"type": "ByteLevel", "use_regex": regex});
    let two =
        |first: Value, second: Value| json!({"type": "Sequence", "pretokenizers": [first, second]});
    let split = |pattern: &str, behavior: &str| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": false});
    let digits = |alone: bool| json!({"type": "Digits", "individual_digits": alone});
    assert!(matches!(found(bytes(true)), Some(Splitter::Gpt2)));
    assert!(matches!(found(json!({"type": "ByteLevel"})), Some(Splitter::Gpt2)));
    assert!(found(bytes(false)).is_none());
    assert!(matches!(found(two(digits(true), bytes(true))), Some(Splitter::DigitsThenGpt2)));
    assert!(found(two(digits(false), bytes(true))).is_none());
    let ours = two(split(crate::SPLIT_PATTERN, "Isolated"), bytes(false));
    assert!(matches!(found(ours), Some(Splitter::Clauses { digits: 1 })));
    let other = two(split("a+", "Isolated"), bytes(false));
    assert!(matches!(found(other), Some(Splitter::Regex(_))));
    assert!(found(two(split("a+", "MergedWithNext"), bytes(false))).is_none());
    assert!(found(two(split("a+", "Isolated"), bytes(true))).is_none());
}

#[test]
fn long_blanks_are_cut() {
    for (text, expected) in [
        ("", vec![]),
        ("a b", vec!["a b"]),
        ("a   b   c", vec!["a   b   c"]),
        ("a    b", vec!["a   ", " b"]),
        ("a       \u{3000}", vec!["a   ", "   ", " \u{3000}"]),
    ] {
        assert_eq!(cut_blanks(text, 3).collect::<Vec<_>>(), expected, "{text:?}");
    }
}

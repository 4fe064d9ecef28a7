//! Free-text answers by greedy generation.

use ablate_model::{Decoder, GenerateOptions, generate_batch};
use ablate_tokenizer::Tokenizer;

use crate::losses::batches;

/// A generated answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// What was generated before what ends it, without white space around it.
    pub(crate) text: String,
    /// Whether the beginning of the prompt had to be dropped to make room for the answer.
    pub(crate) truncated: bool,
}

/// What ends an answer, besides the document separator.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop<'a> {
    /// The end of a line.
    Line,
    /// Any of these texts.
    Texts(&'a [String]),
}

/// Continues each context, after `prefix`, until what ends an answer, or `max_new_tokens`. `done` is
/// told how many are finished.
///
/// Prompts are encoded as they are, white space at their end included, as
/// lm-evaluation-harness does for generation.
pub(crate) fn answers(
    model: &Decoder,
    tokenizer: &Tokenizer,
    contexts: &[&str],
    (prefix, stop): (Option<u32>, Stop<'_>),
    max_new_tokens: usize,
    batch_tokens: usize,
    done: &mut dyn FnMut(usize),
) -> Vec<Answer> {
    let prompts: Vec<Vec<u32>> = tokenizer
        .encode_batch(contexts)
        .into_iter()
        .map(|tokens| {
            // A model must be given something to continue.
            let first = prefix.or_else(|| tokens.is_empty().then(|| tokenizer.start_of_text()));
            first.into_iter().chain(tokens).collect()
        })
        .collect();
    let options = GenerateOptions { max_new_tokens, stop: stop.tokens(tokenizer) };
    // What `generate` keeps of a prompt; the last new token is never fed back.
    let room = model.config().context.saturating_sub(max_new_tokens.saturating_sub(1)).max(1);
    let lengths: Vec<usize> =
        prompts.iter().map(|prompt| prompt.len().min(room) + max_new_tokens).collect();
    let mut answers = vec![Answer::default(); prompts.len()];
    let mut finished = 0;
    for batch in batches(&lengths, batch_tokens) {
        let group: Vec<&[u32]> = batch.iter().map(|index| prompts[*index].as_slice()).collect();
        for (index, tokens) in batch.iter().zip(generate_batch(model, &group, &options)) {
            answers[*index] = Answer {
                text: stop.before(&tokenizer.decode(&tokens)),
                truncated: prompts[*index].len() > room,
            };
        }
        finished += batch.len();
        done(finished);
    }
    answers
}

impl Stop<'_> {
    /// The document separator and every token that begins with an end, white space before the end
    /// of a line left out. Tokens with text before an end are kept, and what follows the end is cut.
    fn tokens(self, tokenizer: &Tokenizer) -> Vec<u32> {
        let ends = |id: &u32| {
            let bytes = tokenizer.decode_bytes(&[*id]);
            match self {
                Self::Line => {
                    let text = bytes.iter().position(|byte| !byte.is_ascii_whitespace());
                    bytes[..text.unwrap_or(bytes.len())].contains(&b'\n')
                }
                Self::Texts(texts) => {
                    let begins =
                        |text: &String| !text.is_empty() && bytes.starts_with(text.as_bytes());
                    texts.iter().any(begins)
                }
            }
        };
        let count = u32::try_from(tokenizer.vocabulary()).unwrap_or(u32::MAX);
        std::iter::once(tokenizer.end_of_text()).chain((0..count).filter(ends)).collect()
    }

    /// What stands before the first end.
    fn before(self, text: &str) -> String {
        let line = ["\n".to_owned()];
        let texts = match self {
            Self::Line => &line[..],
            Self::Texts(texts) => texts,
        };
        let places = texts.iter().filter(|end| !end.is_empty()).filter_map(|end| text.find(end));
        text[..places.min().unwrap_or(text.len())].trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_end_with_their_line() {
        assert_eq!(Stop::Line.before(" It rains. \nMore"), "It rains.");
        assert_eq!(Stop::Line.before("\nMore"), "");
        let ends = ["Q:".to_owned(), ".".to_owned(), String::new()];
        assert_eq!(Stop::Texts(&ends).before(" so it is Q: why."), "so it is");
        assert_eq!(Stop::Texts(&ends).before("so it is"), "so it is");
    }

    #[test]
    fn tokens_that_begin_with_an_end_stop() {
        // The only pair of bytes that can be merged.
        let text = "a\n\nb\n\nx\n\n".repeat(20);
        let tokenizer = Tokenizer::train(std::iter::once(text.as_str()), 258).unwrap();
        let ends = ["\n\n".to_owned(), "x".to_owned()];
        let stop = Stop::Texts(&ends).tokens(&tokenizer);
        for id in 0..tokenizer.vocabulary() as u32 {
            let piece = tokenizer.decode_bytes(&[id]);
            let expected = id == tokenizer.end_of_text()
                || piece.starts_with(b"\n\n")
                || piece.starts_with(b"x");
            assert_eq!(stop.contains(&id), expected, "{piece:?}");
        }
        assert_eq!(stop.len(), 3);
    }

    #[test]
    fn line_ends_and_the_separator_stop() {
        let text = "a line\n\nand a line\n \nx.\nx.\n".repeat(20);
        let tokenizer = Tokenizer::train(std::iter::once(text.as_str()), 268).unwrap();
        let stop = Stop::Line.tokens(&tokenizer);
        assert_eq!(stop[0], tokenizer.end_of_text());
        for id in 0..tokenizer.vocabulary() as u32 {
            let piece = tokenizer.decode_bytes(&[id]);
            let expected = id == tokenizer.end_of_text()
                || (piece.contains(&b'\n') && piece.iter().all(u8::is_ascii_whitespace))
                || piece.starts_with(b"\n");
            assert_eq!(stop.contains(&id), expected, "{piece:?}");
        }
        assert!(stop.len() > 2);
    }
}

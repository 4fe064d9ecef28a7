//! Free-text answers by greedy generation.

use ablate_model::{Decoder, GenerateOptions, generate_batch};
use ablate_tokenizer::Tokenizer;

use crate::losses::batches;

/// A generated answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// The first line of what was generated, without white space around it.
    pub(crate) text: String,
    /// Whether the beginning of the prompt had to be dropped to make room for the answer.
    pub(crate) truncated: bool,
}

/// Continues each context until a line end, the document separator, or `max_new_tokens`.
/// `done` is told how many are finished.
///
/// Prompts are encoded as they are, white space at their end included, as
/// lm-evaluation-harness does for generation.
pub(crate) fn answers(
    model: &Decoder,
    tokenizer: &Tokenizer,
    contexts: &[&str],
    max_new_tokens: usize,
    batch_tokens: usize,
    done: &mut dyn FnMut(usize),
) -> Vec<Answer> {
    let prompts: Vec<Vec<u32>> = tokenizer
        .encode_batch(contexts)
        .into_iter()
        .map(|tokens| std::iter::once(tokenizer.start_of_text()).chain(tokens).collect())
        .collect();
    let options = GenerateOptions { max_new_tokens, stop: stop_tokens(tokenizer) };
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
                text: first_line(&tokenizer.decode(&tokens)),
                truncated: prompts[*index].len() > room,
            };
        }
        finished += batch.len();
        done(finished);
    }
    answers
}

/// The document separator and every token that is a line end with at most white space before
/// it. Tokens with text before a line end are kept, and what follows the line end is cut.
fn stop_tokens(tokenizer: &Tokenizer) -> Vec<u32> {
    let ends_line = |id: &u32| {
        let bytes = tokenizer.decode_bytes(&[*id]);
        let text = bytes.iter().position(|byte| !byte.is_ascii_whitespace());
        bytes[..text.unwrap_or(bytes.len())].contains(&b'\n')
    };
    let count = u32::try_from(tokenizer.vocabulary()).unwrap_or(u32::MAX);
    std::iter::once(tokenizer.end_of_text()).chain((0..count).filter(ends_line)).collect()
}

fn first_line(text: &str) -> String {
    text.split('\n').next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_end_with_their_line() {
        assert_eq!(first_line(" It rains. \nMore"), "It rains.");
        assert_eq!(first_line("\nMore"), "");
    }

    #[test]
    fn line_ends_and_the_separator_stop() {
        let text = "a line\n\nand a line\n \nx.\nx.\n".repeat(20);
        let tokenizer = Tokenizer::train(std::iter::once(text.as_str()), 268).unwrap();
        let stop = stop_tokens(&tokenizer);
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

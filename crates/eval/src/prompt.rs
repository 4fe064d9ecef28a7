//! From texts to the tokens that a model is asked about.

use ablate_tokenizer::Tokenizer;

use crate::published::Prefix;

/// A sequence of tokens with a continuation at its end whose likelihood is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The document separator, context and continuation, cut from the left to at most one token
    /// more than the model's context: the last token is only predicted.
    pub(crate) tokens: Vec<u32>,
    /// How many tokens at the end are the continuation.
    pub(crate) continuation: usize,
    /// Whether tokens were cut off.
    pub(crate) truncated: bool,
}

impl Request {
    /// The request for a `whole` text (context and continuation together) whose first
    /// `in_context` tokens are the context, with or without a token before it.
    fn new(prefix: Option<u32>, whole: &[u32], in_context: usize, longest: usize) -> Self {
        let mut tokens = Vec::with_capacity(whole.len() + 1);
        tokens.extend(prefix);
        tokens.extend_from_slice(whole);
        let excess = tokens.len().saturating_sub(longest + 1);
        tokens.drain(..excess);
        // The first token is never predicted, so it cannot count as continuation.
        let continuation = (whole.len() - in_context).min(tokens.len() - 1);
        Self { tokens, continuation, truncated: excess > 0 }
    }
}

/// Context and continuation as texts, after moving the white space at the context's end to the
/// continuation: tokenizers join a space with the word that follows it.
pub(crate) fn move_spaces(context: &str, option: &str) -> (usize, String) {
    // Python's `str.rstrip`, which lm-evaluation-harness uses, strips these separators as well.
    let space = |c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c);
    (context.trim_end_matches(space).len(), format!("{context}{option}"))
}

/// How many tokens of `whole` are its context, given the tokens of the context alone.
///
/// As in lm-evaluation-harness: the continuation is what remains of the whole after as many
/// tokens as the context has. Where merges across the boundary leave nothing (the harness then
/// stops with an error), the context is what both encodings share, and the last token always
/// belongs to the continuation.
pub(crate) fn context_length(context: &[u32], whole: &[u32]) -> usize {
    if context.len() < whole.len() {
        return context.len();
    }
    let shared = context.iter().zip(whole).take_while(|(left, right)| left == right).count();
    shared.min(whole.len().saturating_sub(1))
}

/// Requests for every option of every question, in their order.
pub(crate) fn requests(
    tokenizer: &Tokenizer,
    questions: &[(&str, &[String])],
    longest: usize,
) -> Vec<Vec<Request>> {
    let mut asked: Vec<(&str, &str)> = Vec::new();
    for (context, options) in questions {
        asked.extend(options.iter().map(|option| (*context, option.as_str())));
    }
    let prefix = Prefix::Always(tokenizer.start_of_text());
    let mut all = pairs(tokenizer, &asked, prefix, longest).into_iter();
    questions.iter().map(|(_, options)| all.by_ref().take(options.len()).collect()).collect()
}

/// Requests for pairs of a context and a continuation, as lm-evaluation-harness has them.
pub(crate) fn pairs(
    tokenizer: &Tokenizer,
    pairs: &[(&str, &str)],
    prefix: Prefix,
    longest: usize,
) -> Vec<Request> {
    let mut contexts: Vec<&str> = Vec::with_capacity(pairs.len());
    let mut wholes = Vec::with_capacity(pairs.len());
    for (context, continuation) in pairs {
        let (end, whole) = move_spaces(context, continuation);
        contexts.push(&context[..end]);
        wholes.push(whole);
    }
    let mut distinct = contexts.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let encoded = tokenizer.encode_batch(&distinct);
    let wholes = tokenizer.encode_batch(&wholes.iter().map(String::as_str).collect::<Vec<_>>());
    let request = |(context, whole): (&str, Vec<u32>)| {
        // Every context is among the distinct ones.
        let known =
            distinct.binary_search(&context).map_or(&[][..], |place| encoded[place].as_slice());
        let in_context = context_length(known, &whole);
        match prefix {
            Prefix::Always(token) => Request::new(Some(token), &whole, in_context, longest),
            // A text that begins with the token already is not given another.
            Prefix::WhereEmpty(token) => {
                let empty = known.is_empty() && whole.first() != Some(&token);
                Request::new(empty.then_some(token), &whole, in_context, longest)
            }
        }
    };
    contexts.into_iter().zip(wholes).map(request).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_move_to_the_continuation() {
        let moved = |context: &str| {
            let (end, whole) = move_spaces(context, "yes");
            (context[..end].to_owned(), whole[end..].to_owned())
        };
        assert_eq!(moved("Q: "), ("Q:".into(), " yes".into()));
        assert_eq!(moved("Q:\n\u{3000}"), ("Q:".into(), "\n\u{3000}yes".into()));
        assert_eq!(moved("Q:\u{1f}"), ("Q:".into(), "\u{1f}yes".into()));
        assert_eq!(moved("Q:"), ("Q:".into(), "yes".into()));
        assert_eq!(moved(" "), (String::new(), " yes".into()));
    }

    #[test]
    fn the_continuation_is_never_empty() {
        assert_eq!(context_length(&[1, 2], &[1, 2, 3]), 2);
        // Different tokens in the context do not matter, as in the harness: only their number.
        assert_eq!(context_length(&[1, 2], &[1, 9, 3]), 2);
        assert_eq!(context_length(&[1, 2], &[1, 9]), 1);
        assert_eq!(context_length(&[1, 2, 3], &[1, 2]), 1);
        assert_eq!(context_length(&[1, 2], &[9]), 0);
        assert_eq!(context_length(&[], &[9]), 0);
    }

    #[test]
    fn long_texts_lose_their_beginning() {
        let request = Request::new(Some(0), &[1, 2, 3, 4, 5], 3, 10);
        assert_eq!((request.tokens, request.truncated), (vec![0, 1, 2, 3, 4, 5], false));
        let request = Request::new(Some(0), &[1, 2, 3, 4, 5], 3, 5);
        assert_eq!((request.tokens.len(), request.truncated), (6, false));
        let request = Request::new(Some(0), &[1, 2, 3, 4, 5], 3, 4);
        assert_eq!(request.tokens, [1, 2, 3, 4, 5]);
        assert_eq!((request.continuation, request.truncated), (2, true));
        // A continuation that does not fit: what fits of it is scored.
        let request = Request::new(Some(0), &[1, 2, 3, 4, 5], 1, 2);
        assert_eq!((request.tokens, request.continuation), (vec![3, 4, 5], 2));
    }

    fn tokenizer() -> Tokenizer {
        let text = "the cat sat on the mat. the dog sat on the log. ".repeat(20);
        Tokenizer::train(std::iter::once(text.as_str()), 272).unwrap()
    }

    fn one(tokenizer: &Tokenizer, context: &str, option: &str) -> Request {
        requests(tokenizer, &[(context, &[option.to_owned()])], 64).remove(0).remove(0)
    }

    #[test]
    fn tokens_divide_at_the_border() {
        let tokenizer = tokenizer();
        let request = one(&tokenizer, "the cat sat", " on the mat");
        assert_eq!(request.tokens[0], tokenizer.end_of_text());
        let border = request.tokens.len() - request.continuation;
        assert_eq!(tokenizer.decode(&request.tokens[1..border]), "the cat sat");
        assert_eq!(tokenizer.decode(&request.tokens[border..]), " on the mat");
        assert_eq!(request, one(&tokenizer, "the cat sat ", "on the mat"));
    }

    #[test]
    fn pairs_have_the_prefix_that_is_wanted() {
        let tokenizer = tokenizer();
        let asked = [("the cat sat ", "on the mat"), ("", " the dog"), ("the dog", "")];
        let always = pairs(&tokenizer, &asked, Prefix::Always(7), 64);
        let empty = pairs(&tokenizer, &asked, Prefix::WhereEmpty(7), 64);
        assert_eq!(always[0].tokens[0], 7);
        assert_eq!(always[0].tokens[1..], empty[0].tokens);
        assert_eq!(always[1], empty[1]);
        assert_eq!(empty[1].tokens[0], 7);
        assert_eq!(empty[1].continuation, empty[1].tokens.len() - 1);
        let border = empty[0].tokens.len() - empty[0].continuation;
        assert_eq!(tokenizer.decode(&empty[0].tokens[border..]), " on the mat");
        // A continuation is never empty.
        assert_eq!(empty[2].continuation, 1);
    }

    #[test]
    fn many_questions_are_split_one_by_one() {
        let tokenizer = tokenizer();
        let options = [" on the mat".to_owned(), "!".to_owned()];
        let questions: Vec<(&str, &[String])> =
            ["the cat", "the dog ", "the cat", ""].map(|text| (text, &options[..])).to_vec();
        for ((context, options), found) in
            questions.iter().zip(requests(&tokenizer, &questions, 64))
        {
            let alone: Vec<Request> =
                options.iter().map(|option| one(&tokenizer, context, option)).collect();
            assert_eq!(found, alone);
        }
    }
}

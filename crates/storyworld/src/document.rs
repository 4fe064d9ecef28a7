//! The stream of training documents: which language and kind comes next, and what is refused.

use serde::{Deserialize, Serialize};

use crate::Language;
use crate::draw::Draw;
use crate::kinds::{
    article, cause, conversation, dialogue, entailment, exam, news, plausibility, reading, review,
    routine, setting, story, sums,
};
use crate::world::World;

/// The kinds of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Exam questions with answers: the format of `exam-en` and `exam-zh`.
    Exam,
    /// Easy science questions: the format of `arc-e`.
    Science,
    /// Passages with yes/no questions: the format of `boolq`.
    Reading,
    /// Premise and hypothesis: the format of `axb`.
    Entailment,
    /// Goals and solutions: the format of `piqa`.
    Plausibility,
    /// Reports with a summary: the format of `xsum`.
    News,
    /// Routines step by step, which `hellaswag` continues.
    Routine,
    /// Dialogues with a question: the format of `c3`; in English running talk.
    Dialogue,
    /// Reviews: the format of `eprstmt`; in English with a star rating.
    Review,
    /// Small stories.
    Story,
    /// Fact articles and portraits.
    Article,
    /// Talk about facts, and letters.
    Conversation,
    /// Causes and effects.
    Cause,
    /// Sums and word problems.
    Sums,
    /// One question with four lettered choices.
    Quiz,
    /// Household tips.
    Tips,
}

/// Shares of each language's bytes, in percent. The kinds in a benchmark's own format make up 53
/// (English) and 49 (Chinese).
const ENGLISH: [(Kind, u64); 16] = [
    (Kind::Exam, 7),
    (Kind::Science, 6),
    (Kind::Reading, 12),
    (Kind::Entailment, 13),
    (Kind::Plausibility, 5),
    (Kind::News, 4),
    (Kind::Routine, 6),
    (Kind::Dialogue, 2),
    (Kind::Review, 2),
    (Kind::Story, 8),
    (Kind::Article, 23),
    (Kind::Conversation, 4),
    (Kind::Cause, 2),
    (Kind::Sums, 2),
    (Kind::Quiz, 2),
    (Kind::Tips, 2),
];

const CHINESE: [(Kind, u64); 14] = [
    (Kind::Exam, 17),
    (Kind::Dialogue, 24),
    (Kind::Review, 8),
    (Kind::Science, 2),
    (Kind::Plausibility, 2),
    (Kind::News, 4),
    (Kind::Routine, 3),
    (Kind::Story, 8),
    (Kind::Article, 22),
    (Kind::Conversation, 3),
    (Kind::Cause, 2),
    (Kind::Sums, 2),
    (Kind::Quiz, 1),
    (Kind::Tips, 2),
];

/// One document of the corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its language.
    pub language: Language,
    /// Its kind.
    pub kind: Kind,
    /// Its text: mostly 20 to 100 words, no trailing newline.
    pub text: String,
}

/// The endless stream made by [`World::documents`].
pub struct Documents<'w> {
    world: &'w World,
    draw: Draw,
    /// Bytes written, English then Chinese.
    bytes: [u64; 2],
    /// Bytes and documents of every kind so far, per language, for the shares.
    written: [Vec<(u64, u64)>; 2],
}

impl World {
    /// An endless deterministic stream of documents. English and Chinese are balanced in bytes of
    /// UTF-8: at every point their totals differ by less than one document. Stream 0 is the
    /// training text; other streams are independent draws of the same law (1: validation), and
    /// avoid the reserved combinations too.
    #[must_use]
    pub fn documents(&self, stream: u64) -> Documents<'_> {
        Documents {
            world: self,
            draw: Draw::new(self.seed(), "documents", stream),
            bytes: [0, 0],
            written: [vec![(0, 0); ENGLISH.len()], vec![(0, 0); CHINESE.len()]],
        }
    }

    fn write(&self, draw: &mut Draw, language: Language, kind: Kind) -> String {
        match (kind, language) {
            (Kind::Exam, _) => exam::exam(self, draw, language),
            (Kind::Science, _) => exam::science(self, draw, language),
            (Kind::Reading, _) => reading::document(self, draw),
            (Kind::Entailment, _) => entailment::document(self, draw),
            (Kind::Plausibility, _) => plausibility::document(self, draw, language),
            (Kind::News, _) => news::document(self, draw, language),
            (Kind::Routine, _) => routine::document(self, draw, language),
            (Kind::Dialogue, Language::Zh) if draw.percent(55) => setting::document(self, draw),
            (Kind::Dialogue, Language::Zh) => dialogue::document(self, draw),
            (Kind::Dialogue, Language::En) => dialogue::english(self, draw),
            (Kind::Review, _) => review::document(self, draw, language),
            (Kind::Story, _) => story::document(self, draw, language),
            (Kind::Article, _) => article::document(self, draw, language),
            (Kind::Conversation, _) => conversation::document(self, draw, language),
            (Kind::Cause, _) => cause::document(draw, language),
            (Kind::Sums, _) => sums::document(self, draw, language),
            (Kind::Quiz, _) => exam::quiz(self, draw, language),
            (Kind::Tips, _) => plausibility::tips(self, draw, language),
        }
    }
}

impl Documents<'_> {
    /// Draws the kind with weight share / mean length, so that shares hold in bytes, not in
    /// documents.
    fn kind(&mut self, side: usize) -> (usize, Kind) {
        /// Assumed bytes of a document of a kind that has not been written yet.
        const UNSEEN: u64 = 250;
        let table: &[(Kind, u64)] = if side == 0 { &ENGLISH } else { &CHINESE };
        let weights: Vec<u64> = table
            .iter()
            .zip(&self.written[side])
            .map(|((_, share), (bytes, count))| share * 1_000_000 * (count + 1) / (bytes + UNSEEN))
            .collect();
        let at = self.draw.weighted(&weights);
        (at, table[at].0)
    }
}

impl Iterator for Documents<'_> {
    type Item = Document;

    fn next(&mut self) -> Option<Document> {
        let side = usize::from(self.bytes[1] < self.bytes[0]);
        let language = if side == 0 { Language::En } else { Language::Zh };
        let (at, kind) = self.kind(side);
        let text = loop {
            let text = self.world.write(&mut self.draw, language, kind);
            if !self.world.refuses(language, &text) {
                break text;
            }
        };
        let length = text.len() as u64;
        self.bytes[side] += length;
        let (bytes, count) = &mut self.written[side][at];
        *bytes += length;
        *count += 1;
        Some(Document { language, kind, text })
    }
}

//! Storyworld: one small world model that writes a bilingual corpus of any size and held-out
//! benchmarks about the same world.
//!
//! The world is language-neutral: people, places, things, facts, routines, causes, feelings.
//! Every piece has an English and a simplified Chinese realisation. From a seed the crate makes
//!
//! * an endless deterministic stream of short [`Document`]s, English and Chinese balanced in
//!   **bytes** to within one document ([`World::documents`]);
//! * benchmarks of [`Item`]s that mirror the families and languages of the PanGu-π Pro paper
//!   ([`World::benchmark`], [`benchmarks`]).
//!
//! # What is held out, and how
//!
//! Combinations are reserved by a seeded hash before anything is written. Items are built from
//! reserved combinations only; documents (of every stream) never contain one.
//!
//! | benchmark | reserved combination | what training text still shows |
//! |---|---|---|
//! | `boolq`, `axb`, `c3` | (person, place / food / drink / thing / animal / activity / event) | both, apart |
//! | `xsum` | (person, town) | both, apart |
//! | `hellaswag` | (person, routine) | the routine done by others |
//! | `eprstmt` | (product, main opinion) | both, apart |
//! | `piqa` | (goal, thing): "keep the milk cold" | the goal with other things, the thing elsewhere |
//! | `exam-zh`, `exam-en`, `arc-e` | the question form of a fact, in every wording and both languages; for sums the two operands | the fact as a statement, in several wordings; other sums |
//!
//! Every benchmark mixes difficulties. Half of the fact questions end in the opening of a statement
//! that the answer completes; some passages decide by one word ("did not", "forgot to"), others by
//! who did what; two dialogues in five give their place away, the others must be read.
//!
//! For pairs with a person the rule is enforced on the finished text: a document in which the two
//! surface strings occur, wherever they came from, is thrown away and drawn again.
//!
//! What this crate does **not** do: read or write files, print, tokenise, score. Text that a user
//! brings is the business of `ablate-corpus`.

mod balance;
mod benchmark;
mod document;
mod draw;
mod facts;
#[cfg(test)]
mod held_out;
mod item;
mod kinds;
mod knowledge;
mod lexicon;
mod sample;
mod template;
mod values;
mod watch;
mod world;

pub use document::{Document, Documents, Kind};
pub use item::{BenchmarkInfo, Family, Item, Task, benchmarks};
pub use world::World;

use serde::{Deserialize, Serialize};

/// The two languages of the world; `en` and `zh` in serialised form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
}

impl Language {
    /// `en` or `zh`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Zh => "zh",
        }
    }
}

//! The model card: what the model is, where it comes from, and how it is used.

use std::collections::BTreeSet;
use std::fmt::Write;

use ablate_eval::Score;
use ablate_model::ModelConfig;
use ablate_pipeline::{Artifact, Store};
use ablate_spec::{Init, Origin, Study, Variant};
use ablate_tokenizer::Tokenizer;

use super::Chosen;
use crate::graph::StudyGraph;
use crate::stages::{eval, read_json};

/// Everything that the card tells of.
pub struct Card<'a> {
    pub study: &'a Study,
    /// The study file as it was written.
    pub text: &'a str,
    pub built: &'a StudyGraph,
    pub store: &'a Store,
    pub chosen: &'a Chosen<'a>,
    pub config: &'a ModelConfig,
    pub tokenizer: &'a Tokenizer,
}

impl Card<'_> {
    /// The text of `README.md`.
    pub fn text(&self) -> String {
        [self.front(), self.facts(), self.use_of_it(), self.scores(), self.provenance()].concat()
    }

    fn variant(&self) -> Option<&Variant> {
        let parent = || self.study.parent(self.chosen.name).map(|parent| &parent.variant);
        self.study.variant(self.chosen.name).or_else(parent)
    }

    /// What Hugging Face's hub reads.
    fn front(&self) -> String {
        let mut languages = BTreeSet::new();
        for source in self.variant().into_iter().flat_map(|variant| &variant.corpus.sources) {
            match &source.from {
                Origin::Storyworld(_) => languages.extend(["en".to_owned(), "zh".to_owned()]),
                Origin::Files(files) => {
                    languages.insert(files.language.clone());
                }
            }
        }
        let mut front =
            "---\nlibrary_name: transformers\npipeline_tag: text-generation\n".to_owned();
        if !languages.is_empty() {
            front += "language:\n";
        }
        for language in languages {
            // Anything may be a language's name; JSON's strings are YAML's.
            let _ = writeln!(front, "- {}", serde_json::Value::from(language));
        }
        front += "tags:\n- llama\n- ablate\n---\n\n";
        front
    }

    fn facts(&self) -> String {
        let (Chosen { name, seed, .. }, shape) = (self.chosen, &self.config.shape);
        let title = &self.study.title;
        let mut text = format!("# {} of the study {}\n\n", name, self.study.name);
        if *title != self.study.name {
            let _ = writeln!(text, "{title}\n");
        }
        let tied = if shape.tied { "tied to the embedding" } else { "of its own" };
        let rows = [
            ("parameters", shape.parameters().total.to_string()),
            ("layers", shape.depth.to_string()),
            ("hidden channels", shape.width.to_string()),
            ("heads", format!("{} ({} of keys and values)", shape.heads, shape.kv_heads)),
            ("feed-forward channels", shape.ffn.to_string()),
            ("vocabulary", shape.vocabulary.to_string()),
            ("output head", tied.to_owned()),
            ("context", format!("{} tokens", self.config.context)),
            ("seed", seed.to_string()),
            ("first weights", self.first_weights()),
        ];
        text += "| | |\n|--|--|\n";
        for (what, value) in rows {
            let _ = writeln!(text, "| {what} | {value} |");
        }
        text
    }

    fn first_weights(&self) -> String {
        match self.variant().map(|variant| &variant.init) {
            Some(Init::Inherit(inherit)) => format!("inherited from `{}`", inherit.parent),
            _ => "random".to_owned(),
        }
    }

    fn use_of_it(&self) -> String {
        let piece = self.tokenizer.piece(self.tokenizer.start_of_text()).unwrap_or_default();
        format!(
            "\n## Use\n\n```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n\
             model = AutoModelForCausalLM.from_pretrained(\"path/to/this/folder\")\n\
             tokenizer = AutoTokenizer.from_pretrained(\"path/to/this/folder\")\n\
             ids = tokenizer(\"{piece}\" + \"Once\", return_tensors=\"pt\").input_ids\n\
             print(tokenizer.decode(model.generate(ids, max_new_tokens=40)[0]))\n```\n\n\
             Documents start with `{piece}` in training, and so does every prompt that was scored; the \
             tokenizer does not add it by itself.\n"
        )
    }

    /// What the study measured, where that is there.
    fn scores(&self) -> String {
        let found = self.chosen.eval.and_then(|eval| {
            let node = self.built.graph.node(eval);
            let path = self.store.path(node);
            Artifact::read(&path).ok().flatten()?;
            read_json::<Vec<Score>>(&path.join(eval::SCORES)).ok()
        });
        let Some(found) = found else { return String::new() };
        let mut text =
            "\n## Scores of this seed\n\n| benchmark | language | metric | score | items |\n\
                        |--|--|--|--|--|\n"
                .to_owned();
        for score in found.iter().filter(|score| score.primary) {
            let Score { benchmark, language, metric, value, items, .. } = score;
            let _ =
                writeln!(text, "| {benchmark} | {language} | {metric} | {value:.4} | {items} |");
        }
        text
    }

    /// Every result that the model was made of, and the study file.
    fn provenance(&self) -> String {
        let mut text = format!(
            "\n## Provenance\n\nWritten by ablate {}. The results that the model was made of, by their \
             keys (blake3 of stage, version, recipe and inputs):\n\n| stage | name | key | finished |\n\
             |--|--|--|--|\n",
            env!("CARGO_PKG_VERSION")
        );
        let mut open = vec![self.chosen.train];
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let node = self.built.graph.node(id);
            let record = Artifact::read(&self.store.path(node)).ok().flatten();
            let other = record.as_ref().map(|record| &record.key).filter(|key| *key != node.key());
            let other = other.map_or_else(String::new, |key| format!(" (accepted: `{key}`)"));
            let finished = record.map_or_else(|| "–".to_owned(), |record| record.finished);
            let _ = writeln!(
                text,
                "| {} | {} | `{}`{other} | {finished} |",
                node.stage,
                node.name,
                node.key()
            );
            open.extend(node.inputs.values().copied());
        }
        let _ = write!(text, "\nThe study file:\n\n```toml\n{}\n```\n", self.text.trim_end());
        text
    }
}

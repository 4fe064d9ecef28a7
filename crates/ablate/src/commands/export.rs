//! `ablate export`: a trained variant as a folder that Hugging Face's `transformers` loads.
//!
//! The folder is written beside its place and renamed, so that it is whole or not there.

mod card;

use std::fs;
use std::path::{Path, PathBuf};

use ablate_model::{ModelConfig, Weights};
use ablate_pipeline::{Node, NodeId, State, Store};
use ablate_tokenizer::Tokenizer;
use serde_json::{Value, json};

use super::{print, say};
use crate::cli::ExportArgs;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::graph::{self, StudyGraph};
use crate::root::Root;
use crate::stages::{read_json, train};
use crate::study;

/// The training whose model is written.
pub struct Chosen<'a> {
    name: &'a str,
    seed: u64,
    train: NodeId,
    /// None of a parent, which is not scored.
    eval: Option<NodeId>,
}

pub fn run(root: &Root, args: &ExportArgs) -> CommandResult {
    let loaded = study::load(&args.study)?;
    let built = graph::build(&loaded.study, &root.benchmarks())?;
    let chosen = choose(&loaded.study, &built, args)?;
    let store = root.store();
    let node = built.graph.node(chosen.train);
    let folder = result(&store, node, args, &chosen)?;
    let config: ModelConfig = read_json(&folder.join(train::CONFIG)).map_err(failed)?;
    if !config.shape.pi.is_none() {
        let pi = config.shape.pi;
        return Err(CommandError::usage(format!(
            "`{}` has PanGu-π's additions (`model.pi`: {} activations, {} bottleneck channels), and no \
             architecture of `transformers` computes them: it cannot be exported; export a variant \
             without `model.pi`",
            chosen.name, pi.activations, pi.shortcut
        )));
    }
    let weights = Weights::load(&folder.join(train::WEIGHTS)).map_err(CommandError::machine)?;
    weights.check(&config).map_err(CommandError::machine)?;
    let missing = || CommandError::bug("a training without a tokenizer");
    let tokenizer = node.inputs.get("tokenizer").copied().ok_or_else(missing)?;
    let tokenizer = result(&store, built.graph.node(tokenizer), args, &chosen)?;
    let tokenizer = Tokenizer::load(&Tokenizer::find(&tokenizer)).map_err(CommandError::machine)?;

    let card = card::Card {
        study: &loaded.study,
        text: &loaded.text,
        built: &built,
        store: &store,
        chosen: &chosen,
        config: &config,
        tokenizer: &tokenizer,
    };
    let place = Place::new(&args.folder, args.force)?;
    // What a killed export of the same process number has left.
    place.clean();
    write(&place.partial, &config, &weights, &tokenizer, &card.text())
        .and_then(|()| place.settle())
        .inspect_err(|_| place.clean())
        .map_err(|error| {
            CommandError::machine(format!("cannot write `{}`: {error}", args.folder.display()))
        })?;
    if tokenizer.file_name() != "tokenizer.json" {
        say(&format!(
            "the tokenizer is written as the `{}` that it came from: `transformers` needs the package \
             `sentencepiece` for a `tokenizer.model`, and reads no `tokenizer.bin`",
            tokenizer.file_name()
        ));
    }
    print(&format!("{}\n", args.folder.display()))?;
    Ok(Exit::Ok)
}

/// Finds the training that is asked for.
fn choose<'a>(
    study: &'a ablate_spec::Study,
    built: &'a StudyGraph,
    args: &ExportArgs,
) -> Result<Chosen<'a>, CommandError> {
    let names = || {
        let variants = built.variants.iter().map(|variant| variant.name.as_str());
        variants.chain(built.parents.keys().map(String::as_str)).collect::<Vec<_>>().join(", ")
    };
    let last = |rounds: &[graph::RoundNodes]| {
        let last = rounds.last().map(|round| round.train);
        last.ok_or_else(|| CommandError::bug("a model without a round"))
    };
    let wanted = match (&args.variant, built.variants.as_slice()) {
        (Some(name), _) => name.as_str(),
        (None, [only]) => only.name.as_str(),
        (None, _) => {
            return Err(CommandError::usage(format!(
                "the study has several variants; choose one with `--variant`: {}",
                names()
            )));
        }
    };
    if let Some(variant) = built.variants.iter().find(|variant| variant.name == wanted) {
        let seed = args.seed.unwrap_or_else(|| study.seeds.first().copied().unwrap_or(1));
        let Some(nodes) = variant.seeds.iter().find(|nodes| nodes.seed == seed) else {
            let seeds: Vec<String> = study.seeds.iter().map(u64::to_string).collect();
            let message = format!("the study has no seed {seed}; it has {}", seeds.join(", "));
            return Err(CommandError { exit: Exit::NoMatch, message });
        };
        let (train, eval) = (last(&nodes.rounds)?, Some(nodes.eval));
        return Ok(Chosen { name: &variant.name, seed, train, eval });
    }
    if let Some((name, rounds)) = built.parents.get_key_value(wanted) {
        let seed = study.parent(name).map_or(1, |parent| parent.seed);
        if args.seed.is_some_and(|asked| asked != seed) {
            let message = format!("the parent `{name}` has one seed, {seed}");
            return Err(CommandError { exit: Exit::NoMatch, message });
        }
        return Ok(Chosen { name, seed, train: last(rounds)?, eval: None });
    }
    if let Some(absent) = built.absent.iter().find(|absent| absent.name == wanted) {
        let message =
            format!("variant `{wanted}` cannot be found in the store: {}", absent.reason());
        return Err(CommandError::usage(message));
    }
    let message = format!("there is no variant or parent `{wanted}`; there are {}", names());
    Err(CommandError { exit: Exit::NoMatch, message })
}

/// The folder of a result that is there and whole.
fn result(
    store: &Store,
    node: &Node,
    args: &ExportArgs,
    chosen: &Chosen<'_>,
) -> Result<PathBuf, CommandError> {
    let run = || {
        let mut command = format!("ablate run {}", args.study.study.display());
        if let Some(profile) = &args.study.profile {
            command += &format!(" --profile {profile}");
        }
        for set in &args.study.set {
            command += &format!(" --set {set}");
        }
        command
    };
    let what = format!("`{}` with seed {}", chosen.name, chosen.seed);
    match store.state(node).map_err(CommandError::machine)? {
        State::Done(_) => {}
        State::Failed(failure) => {
            return Err(CommandError::usage(format!(
                "{what} could not be trained: {}; mend it and run `{}`",
                failure.message,
                run()
            )));
        }
        other => {
            return Err(CommandError::usage(format!(
                "{what} is not trained ({}); run `{}` first",
                other.word(),
                run()
            )));
        }
    }
    match store.verify(node).map_err(CommandError::machine)? {
        None => Ok(store.path(node)),
        Some(difference) => Err(CommandError::machine(format!(
            "the result of {what} was damaged ({difference}) and has been set aside; run `{}` again",
            run()
        ))),
    }
}

fn failed(failure: ablate_pipeline::Failure) -> CommandError {
    CommandError::machine(failure.message)
}

/// Writes every file of a model.
fn write(
    folder: &Path,
    config: &ModelConfig,
    weights: &Weights,
    tokenizer: &Tokenizer,
    card: &str,
) -> std::io::Result<()> {
    let other = |error: &dyn std::fmt::Display| std::io::Error::other(error.to_string());
    fs::create_dir_all(folder)?;
    weights.save(&folder.join(train::WEIGHTS)).map_err(|error| other(&error))?;
    tokenizer.save(&folder.join(tokenizer.file_name())).map_err(|error| other(&error))?;
    let (begin, end) = (tokenizer.start_of_text(), tokenizer.end_of_text());
    let mut architecture = config.hugging_face();
    architecture["bos_token_id"] = begin.into();
    architecture["eos_token_id"] = end.into();
    let piece = |id: u32| tokenizer.piece(id).unwrap_or_default();
    let class = match tokenizer.file_name() {
        "tokenizer.model" => "LlamaTokenizer",
        _ => "PreTrainedTokenizerFast",
    };
    let files: [(&str, Value); 4] = [
        ("config.json", architecture),
        (
            "generation_config.json",
            json!({ "bos_token_id": begin, "eos_token_id": end, "do_sample": false }),
        ),
        (
            "tokenizer_config.json",
            json!({
                "tokenizer_class": class,
                "bos_token": piece(begin),
                "eos_token": piece(end),
                "add_bos_token": false,
                "add_eos_token": false,
                "clean_up_tokenization_spaces": false,
                "model_max_length": config.context,
            }),
        ),
        ("special_tokens_map.json", json!({ "bos_token": piece(begin), "eos_token": piece(end) })),
    ];
    for (name, value) in files {
        let text = serde_json::to_string_pretty(&value).map_err(|error| other(&error))?;
        fs::write(folder.join(name), text + "\n")?;
    }
    fs::write(folder.join("README.md"), card)
}

/// Where a folder is to be, and where it is until it is whole.
struct Place {
    folder: PathBuf,
    partial: PathBuf,
    aside: PathBuf,
}

impl Place {
    /// # Errors
    /// A place that is taken.
    fn new(folder: &Path, force: bool) -> Result<Self, CommandError> {
        let shown = folder.display();
        let name = folder.file_name().ok_or_else(|| {
            CommandError::usage(format!("`{shown}` names no folder that could be made"))
        })?;
        if folder.exists() && !folder.is_dir() {
            return Err(CommandError::usage(format!("`{shown}` is a file; name a folder")));
        }
        let holds_something =
            fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
        if holds_something && !force {
            return Err(CommandError::usage(format!(
                "`{shown}` is not empty; name another folder, or replace it with `--force`"
            )));
        }
        let exported =
            [train::WEIGHTS, "config.json"].iter().all(|name| folder.join(name).is_file());
        if holds_something && !exported {
            return Err(CommandError::usage(format!(
                "`{shown}` holds something else than a model, which `--force` does not replace; name \
                 another folder"
            )));
        }
        let beside = |kind: &str| {
            let mut hidden = std::ffi::OsString::from(".");
            hidden.push(name);
            hidden.push(format!(".{kind}-{}", std::process::id()));
            folder.with_file_name(hidden)
        };
        Ok(Self { folder: folder.to_owned(), partial: beside("tmp"), aside: beside("old") })
    }

    /// Puts the whole folder into its place.
    fn settle(&self) -> std::io::Result<()> {
        let replaces = self.folder.exists();
        if replaces {
            fs::rename(&self.folder, &self.aside)?;
        }
        if let Err(error) = fs::rename(&self.partial, &self.folder) {
            if replaces {
                // What was there comes back.
                let _ = fs::rename(&self.aside, &self.folder);
            }
            return Err(error);
        }
        if replaces { fs::remove_dir_all(&self.aside) } else { Ok(()) }
    }

    /// Leaves nothing half written.
    fn clean(&self) {
        let _ = fs::remove_dir_all(&self.partial);
    }
}

//! `ablate generate`: a model goes on with a text, always with the most likely token.

use std::io::Read;

use ablate_model::{Decoder, GenerateOptions, device, generate};
use serde_json::json;

use super::{print, say};
use crate::cli::GenerateArgs;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::foreign::open_model;

pub fn run(args: &GenerateArgs) -> CommandResult {
    let of = &args.model;
    of.backend.check(1).map_err(CommandError::machine)?;
    let model = open_model(&of.model, of.tokenizer.as_deref())?;
    for note in &model.notes {
        say(note);
    }
    let prompt = match &args.prompt {
        Some(prompt) => prompt.clone(),
        None => read_prompt()?,
    };
    let mut ids: Vec<u32> = model.begin.into_iter().collect();
    ids.extend(model.tokenizer.encode(&prompt));
    if ids.is_empty() {
        // A model needs something to go on with.
        ids.push(model.tokenizer.start_of_text());
    }
    let decoder = Decoder::from_weights(&model.config, &model.weights, &device(of.backend))
        .map_err(CommandError::bug)?;
    drop(model.weights);
    let options = GenerateOptions { max_new_tokens: args.max_new_tokens, stop: model.ends.clone() };
    let new = generate(&decoder, &ids, &options);
    let bytes = model.tokenizer.decode_bytes(&new);
    let text = String::from_utf8_lossy(&bytes);
    let out = match of.json {
        false => format!("{prompt}{text}\n"),
        true => {
            let result = json!({
                "prompt": prompt, "prompt_tokens": ids, "tokens": new, "text": text,
            });
            format!("{result}\n")
        }
    };
    print(&out)?;
    Ok(Exit::Ok)
}

/// All of standard input, without the line break at its end.
fn read_prompt() -> Result<String, CommandError> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| CommandError::usage(format!("cannot read the prompt: {error}")))?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

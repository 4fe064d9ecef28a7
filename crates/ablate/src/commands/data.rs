//! `ablate data`: published benchmarks, from their upstream files to prompts.

use std::collections::BTreeSet;
use std::fmt::Write;

use ablate_benchmark::{Ask, Imported, Library, Question, Way, import};
use serde_json::json;

use super::{print, say};
use crate::cli::{DataCommand, ImportArgs, ListArgs, ShowArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::root::Root;

pub fn run(root: &Root, command: &DataCommand) -> CommandResult {
    let library = root.benchmarks();
    match command {
        DataCommand::Import(args) => bring(&library, args),
        DataCommand::List(args) => list(&library, args),
        DataCommand::Show(args) => show(&library, args),
    }
}

fn bring(library: &Library, args: &ImportArgs) -> CommandResult {
    let described = library.definition(&args.name).map_err(CommandError::usage)?;
    let to = args.to.as_deref().unwrap_or(library.imported());
    let text = (described.text.as_str(), described.shipped);
    let about = import(&described.definition, text, &args.path, to).map_err(CommandError::usage)?;
    for rule in &described.definition.files {
        if !about.splits.contains_key(&rule.split) {
            say(&format!("no `{}` there: the split `{}` is missing", rule.path, rule.split));
        }
    }
    let splits: Vec<String> =
        about.splits.iter().map(|(split, count)| format!("{count} {split}")).collect();
    let subjects = match about.subjects {
        0 => String::new(),
        count => format!(" of {count} subjects"),
    };
    let kept = to.join(&about.name);
    print(&format!(
        "{}: {}{subjects}, from {} files, in {}\n",
        about.name,
        splits.join(", "),
        about.files.len(),
        kept.display()
    ))?;
    Ok(Exit::Ok)
}

fn list(library: &Library, args: &ListArgs) -> CommandResult {
    let imports = library.imports();
    let mut text = String::new();
    let mut rows = Vec::new();
    for name in library.names() {
        let described = match library.definition(&name) {
            Ok(described) => described,
            Err(error) => {
                say(&error.to_string());
                continue;
            }
        };
        let definition = &described.definition;
        let about = imports.get(&name);
        let mut ways: Vec<Way> = definition.prompts.iter().map(|prompt| prompt.scoring).collect();
        ways.sort();
        ways.dedup();
        let ways: Vec<&str> = ways.into_iter().map(Way::name).collect();
        if args.json {
            rows.push(json!({
                "name": name,
                "title": definition.title,
                "about": definition.about,
                "shipped": described.shipped,
                "scoring": ways,
                "imported": about,
            }));
            continue;
        }
        let splits = about.map_or_else(
            || "-".to_owned(),
            |about| {
                let counts = about.splits.iter().map(|(split, count)| format!("{count} {split}"));
                counts.collect::<Vec<_>>().join(", ")
            },
        );
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<14} {:<24} {splits}", ways.join(", "));
    }
    if args.json {
        text = serde_json::to_string_pretty(&rows).map_err(CommandError::bug)? + "\n";
    }
    print(&text)?;
    Ok(Exit::Ok)
}

fn show(library: &Library, args: &ShowArgs) -> CommandResult {
    let library = match &args.from {
        Some(from) => Library::new(library.definitions(), from),
        None => library.clone(),
    };
    let mut found = library.open(&args.name).map_err(CommandError::usage)?;
    keep_subjects(&mut found, &args.subject)?;
    let scoring = args.scoring.map(ablate_eval::Scoring::from);
    let limit = (args.count > 0).then_some(args.count);
    let ask = Ask { scoring, shots: args.shots, limit };
    let questions = found.ask(&ask).map_err(CommandError::usage)?;
    let mut text = String::new();
    for question in &questions {
        if args.json {
            text += &(object(question).to_string() + "\n");
        } else {
            text += &sheet(question);
        }
    }
    print(&text)?;
    Ok(Exit::Ok)
}

/// Keeps the records of some subjects, or all if none is named.
///
/// # Errors
/// A subject that the benchmark has not.
pub fn keep_subjects(found: &mut Imported, subjects: &[String]) -> Result<(), CommandError> {
    if subjects.is_empty() {
        return Ok(());
    }
    for subject in subjects {
        let known = found.records.iter().map(|record| record.subject.as_str());
        let known: BTreeSet<&str> = known.filter(|known| !known.is_empty()).collect();
        if !known.contains(subject.as_str()) {
            let known: Vec<&str> = known.into_iter().collect();
            let help = ablate_suggestion::advice(subject, "subjects", &known);
            let help = help.unwrap_or_else(|| "it has none".to_owned());
            return Err(CommandError::usage(format!(
                "`{}` has no subject `{subject}`; {help}",
                found.definition.name
            )));
        }
    }
    found.records.retain(|record| subjects.contains(&record.subject));
    Ok(())
}

/// What is to know of an item.
fn object(question: &Question<'_>) -> serde_json::Value {
    let item = &question.item;
    let pairs: Vec<_> = item
        .options
        .iter()
        .enumerate()
        .map(|(option, text)| json!([item.context_of(option), text]))
        .collect();
    json!({
        "id": item.id,
        "task": question.task,
        "scoring": question.way.name(),
        "shots": question.shots,
        "requests": pairs,
        "item": item,
        "document": question.record.document,
        "file": question.record.file,
        "line": question.record.line,
    })
}

/// An item for people: the whole context, then each option as it follows.
fn sheet(question: &Question<'_>) -> String {
    let item = &question.item;
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "=== {} {} ({}, {} shots; {}, line {})",
        question.task,
        item.id,
        question.way.name(),
        question.shots,
        question.record.file,
        question.record.line
    );
    let own = item.form.as_ref().is_some_and(|form| !form.contexts.is_empty());
    if !own {
        let _ = writeln!(text, "{}", item.context);
    }
    let keys: Vec<usize> = match &item.form {
        Some(form) if !form.keys.is_empty() => form.keys.clone(),
        _ => item.key.into_iter().collect(),
    };
    for (option, follows) in item.options.iter().enumerate() {
        let mark = if keys.contains(&option) { "*" } else { " " };
        let before = if own { format!("{:?} + ", item.context_of(option)) } else { String::new() };
        let _ = writeln!(text, "{mark} {option}: {before}{follows:?}");
    }
    if let Some(reference) = &item.reference {
        let _ = writeln!(text, "= {reference:?}");
    }
    text.push('\n');
    text
}

//! `ablate check`: every error of a study file, or what the file means.

use std::fmt::Write;

use super::{paper::unknown_element, print, say};
use crate::cli::StudyArgs;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::root::Root;
use crate::{graph, study};

pub fn run(root: &Root, args: &StudyArgs) -> CommandResult {
    let loaded = study::load(args)?;
    for warning in &loaded.warnings {
        say(warning);
    }
    for element in &loaded.study.mirrors {
        if ablate_report::element_id(element).map_err(CommandError::bug)?.is_none() {
            say(&unknown_element(element));
        }
    }
    // Files, globs and benchmark names are looked at too; nothing is written.
    graph::build(&loaded.study, &root.benchmarks())?;
    let study = &loaded.study;
    let mut text = format!(
        "{}: {} variants, {} seeds{}\n",
        study.name,
        study.variants.len(),
        study.seeds.len(),
        if study.parents.is_empty() {
            String::new()
        } else {
            format!(", {} parents", study.parents.len())
        },
    );
    for variant in &study.variants {
        let parameters = variant.shape().parameters();
        let _ = writeln!(text, "  {:<28} {:>12} parameters", variant.name, parameters.total);
    }
    print(&text)?;
    Ok(Exit::Ok)
}

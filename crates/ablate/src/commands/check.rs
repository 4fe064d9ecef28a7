//! `ablate check`: every error of a study file, or what the file means.

use std::fmt::Write;

use ablate_spec::Study;

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
    let built = graph::build(&loaded.study, &root.benchmarks())?;
    if !built.absent.is_empty() {
        let lines =
            built.absent.iter().map(|one| format!("variant `{}`: {}", one.name, one.reason()));
        return Err(CommandError::usage(lines.collect::<Vec<_>>().join("\n")));
    }
    for absence in built.externals.iter().filter_map(graph::ExternalNodes::absence) {
        say(&absence);
    }
    for warning in external_rows(&loaded.study)? {
        say(&warning);
    }
    let study = &loaded.study;
    let mut text = format!(
        "{}: {} variants, {} seeds{}{}\n",
        study.name,
        study.variants.len(),
        study.seeds.len(),
        if study.parents.is_empty() {
            String::new()
        } else {
            format!(", {} parents", study.parents.len())
        },
        match study.external().len() {
            0 => String::new(),
            n => format!(", {n} external models"),
        },
    );
    for variant in &study.variants {
        let parameters = variant.shape().parameters();
        let _ = writeln!(text, "  {:<28} {:>12} parameters", variant.name, parameters.total);
    }
    for (external, nodes) in study.external().iter().zip(&built.externals) {
        let total = nodes.found.as_ref().map(|given| given.model.shape.parameters().total);
        let total = total.map_or_else(|_| "–".to_owned(), |total| total.to_string());
        let _ = writeln!(text, "  {:<28} {total:>12} parameters, external", external.name);
    }
    print(&text)?;
    Ok(Exit::Ok)
}

/// What is said of models of others that name rows that the paper does not have.
fn external_rows(study: &Study) -> Result<Vec<String>, CommandError> {
    let mut warnings = Vec::new();
    for external in study.external() {
        let Some(row) = &external.paper else { continue };
        if !ablate_report::has_row(&study.mirrors, row).map_err(CommandError::bug)? {
            warnings.push(format!(
                "warning: the external model `{}` names the row `{row}` of the paper, which no element \
                 that the study mirrors has; it is laid beside nothing",
                external.name
            ));
        }
    }
    Ok(warnings)
}

//! `ablate verify`: whether results are still what was made.

use std::collections::BTreeSet;

use ablate_pipeline::{Acceptance, Entry, Kind, StoreError};
use rayon::prelude::*;

use super::{print, say};
use crate::cli::{StudyArgs, VerifyArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::root::Root;
use crate::{bundle, graph, study};

pub fn run(root: &Root, args: &VerifyArgs) -> CommandResult {
    if let [one] = args.studies.as_slice()
        && bundle::is_bundle(one)
    {
        return super::bundle::verify(one);
    }
    if let Some(one) = args.studies.iter().find(|path| bundle::is_bundle(path)) {
        return Err(CommandError::usage(format!(
            "`{}` is a bundle: verify it by itself",
            one.display()
        )));
    }
    let mut wanted: Option<BTreeSet<String>> = None;
    for path in &args.studies {
        let study =
            StudyArgs { study: path.clone(), profile: args.profile.clone(), set: Vec::new() };
        let built = graph::build(&study::load(&study)?.study, &root.benchmarks())?;
        for absent in &built.absent {
            say(&format!("results of `{}` are not looked for: {}", absent.name, absent.reason()));
        }
        let keys = built.graph.iter().map(|(_, node)| node.key().short().to_owned());
        wanted.get_or_insert_default().extend(keys);
    }
    let accepted = root.store().acceptances().map_err(CommandError::machine)?;
    let records = || accepted.iter().filter_map(|one| one.record.as_ref().ok());
    if let Some(wanted) = &mut wanted {
        let read = records().filter(|record| wanted.contains(record.new.key.short()));
        let read: Vec<String> = read.map(|record| record.old.key.short().to_owned()).collect();
        wanted.extend(read);
    }
    let contents = root.store().contents().map_err(CommandError::machine)?;
    let results: Vec<Entry> = contents
        .into_iter()
        .filter(|entry| entry.kind == Kind::Result)
        .filter(|entry| wanted.as_ref().is_none_or(|wanted| wanted.contains(&entry.short)))
        .collect();
    let look = |entry: &Entry| -> Result<Option<String>, StoreError> {
        if args.quarantine { entry.quarantine() } else { entry.difference() }
    };
    let differences = results
        .par_iter()
        .map(look)
        .collect::<Result<Vec<_>, _>>()
        .map_err(CommandError::machine)?;
    let mut damaged = 0;
    for (entry, difference) in results.iter().zip(differences) {
        if let Some(difference) = difference {
            damaged += 1;
            print(&format!("{}: {difference}\n", entry.name()))?;
        }
    }
    for one in &accepted {
        let name = one.path.file_name().unwrap_or_default().to_string_lossy();
        match &one.record {
            Err(why) => {
                damaged += 1;
                print(&format!("accepted/{name}: {why}; it counts for nothing\n"))?;
                if args.quarantine {
                    let aside = one.path.with_extension("json.corrupt");
                    std::fs::rename(&one.path, aside).map_err(CommandError::machine)?;
                }
            }
            Ok(record) if !one.counts && !is_there(root, record)? => say(&format!(
                "accepted/{name}: `{}` is not there any more, so nothing stands for `{}`",
                record.folder,
                record.new.place()
            )),
            Ok(_) => {}
        }
    }
    let bytes: u64 = results.iter().map(|entry| entry.bytes).sum();
    let standing = accepted.iter().filter(|one| one.counts).count();
    let standing = match standing {
        0 => String::new(),
        count => format!(", {count} accepted in place of others"),
    };
    print(&format!(
        "{} results, {:.1} MB{standing}: {damaged} damaged\n",
        results.len(),
        bytes as f64 / 1e6
    ))?;
    if damaged == 0 {
        return Ok(Exit::Ok);
    }
    say(match args.quarantine {
        true => "they are set aside; `ablate run` makes again what a study needs of them",
        false => {
            "`ablate run` sets aside what it needs of them and makes it again; `--quarantine` \
                  sets all of them aside now"
        }
    });
    Ok(Exit::FailedVariants)
}

/// Whether what an acceptance reads is stored.
fn is_there(root: &Root, record: &Acceptance) -> Result<bool, CommandError> {
    let found = root.store().find(&record.old.stage, record.old.key.as_str());
    Ok(!found.map_err(CommandError::machine)?.is_empty())
}

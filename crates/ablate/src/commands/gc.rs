//! `ablate gc`: what nobody refers to, and how much room it takes.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ablate_pipeline::{Accepted, Entry, Key, Kind};

use super::table::{table, text};
use super::{print, say};
use crate::cli::GcArgs;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::live;
use crate::references::References;
use crate::root::Root;

pub fn run(root: &Root, args: &GcArgs) -> CommandResult {
    let mut folders = vec![PathBuf::from("."), root.path().to_owned()];
    folders.extend(args.studies.iter().cloned());
    let mut references = References::all(root, &folders);
    let accepted = root.store().acceptances().map_err(CommandError::machine)?;
    references.follow(&accepted);
    for (study, why) in &references.unknown {
        say(&format!("what `{study}` refers to is not known: {why}"));
    }
    let contents = root.store().contents().map_err(CommandError::machine)?;
    let known = contents.len() + accepted.len();
    let (mut garbage, kept): (Vec<Entry>, Vec<Entry>) =
        contents.into_iter().partition(|entry| is_garbage(entry, &references));
    garbage.extend(forgotten(&accepted, &references, &kept));
    let mut lines = table(&["kind", "what", ">MB"]);
    for entry in &garbage {
        let size = format!("{:.1}", entry.bytes as f64 / 1e6);
        lines.add_row([entry.kind.word().to_owned(), entry.name(), size]);
    }
    let megabytes = garbage.iter().map(|entry| entry.bytes).sum::<u64>() as f64 / 1e6;
    let mut out = String::new();
    if !garbage.is_empty() {
        out += &text(&lines);
        out.push('\n');
    }
    out += &format!(
        "{} of {known} entries ({megabytes:.1} MB) belong to none of {} studies and profiles, and to \
         no report\n",
        garbage.len(),
        references.studies
    );
    print(&out)?;
    if garbage.is_empty() {
        return Ok(Exit::Ok);
    }
    if !args.delete {
        say("nothing was removed; `--delete` removes them");
        return Ok(Exit::Ok);
    }
    if !references.unknown.is_empty() && !args.force {
        return Err(CommandError::usage(
            "nothing was removed, for some of it may be what those studies refer to: mend or remove \
             them, or say `--force`",
        ));
    }
    for entry in &garbage {
        entry.remove().map_err(CommandError::machine)?;
    }
    live::sweep(root);
    say(&format!("removed {} entries, {megabytes:.1} MB", garbage.len()));
    Ok(Exit::Ok)
}

/// What was said of two results of which neither is needed, nor will be there any more.
fn forgotten(accepted: &[Accepted], references: &References, kept: &[Entry]) -> Vec<Entry> {
    let results = kept.iter().filter(|entry| entry.kind == Kind::Result);
    let stored: BTreeSet<&str> = results.map(|entry| entry.short.as_str()).collect();
    let matters = |key: &Key| stored.contains(key.short()) || references.keys.contains(key.short());
    let forgotten = accepted.iter().filter(|one| {
        one.record
            .as_ref()
            .is_ok_and(|record| !matters(&record.new.key) && !matters(&record.old.key))
    });
    forgotten.filter_map(Accepted::entry).collect()
}

/// Damaged results and left-overs are nobody's; everything else is somebody's when its key is.
fn is_garbage(entry: &Entry, references: &References) -> bool {
    let unwanted = !references.keys.contains(&entry.short);
    !entry.in_use && (unwanted || matches!(entry.kind, Kind::Corrupt | Kind::Rest))
}

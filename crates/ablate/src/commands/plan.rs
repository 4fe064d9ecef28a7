//! `ablate plan`: what a study costs, before a step of it runs.
//!
//! Writes nothing but the file of timings, and goes on without where that cannot be written.

mod blocked;
mod claims;
mod contents;
mod detect;
mod space;
mod text;
mod totals;

use super::{print, say};
use crate::cli::PlanArgs;
use crate::estimate::{Timing, estimate, prefer_threads};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::machine::Machine;
use crate::root::Root;
use crate::{graph, study};
use contents::{Plan, Surroundings};

pub fn run(root: &Root, args: &PlanArgs) -> CommandResult {
    let loaded = study::load(&args.study)?;
    for warning in &loaded.warnings {
        say(warning);
    }
    for warning in claims::warnings(&loaded.study) {
        say(&warning);
    }
    let (study, missing) = graph::stand_in(&loaded.study, &root.benchmarks());
    let mut built = graph::build(&study, &root.benchmarks())?;
    let machine = Machine::current();
    let timing = if args.no_timing { Timing::Cached } else { Timing::Measure };
    let estimates = estimate(&mut built, &study, root, &machine, timing);
    prefer_threads(&mut built, root, (&machine, machine.cores), Timing::Cached);
    let store = root.store();
    let states = built
        .graph
        .iter()
        .map(|(_, node)| store.state(node).map_err(CommandError::machine))
        .collect::<Result<Vec<_>, _>>()?;
    let surroundings = Surroundings {
        states: &states,
        machine: &machine,
        free: space::free(store.root()),
        missing: &missing.by_name,
    };
    let plan = Plan::new(&loaded.study, &built, &estimates, &surroundings);
    let text = if args.json {
        let json = serde_json::to_string_pretty(&plan).map_err(CommandError::bug)?;
        json + "\n"
    } else {
        text::render(&plan, &built)
            + &plan.detectable.as_ref().map(detect::Detectable::text).unwrap_or_default()
            + &claims::notes(&loaded.study)
    };
    print(&text)?;
    Ok(Exit::Ok)
}

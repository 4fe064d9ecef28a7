//! The command `ablate`: parses arguments, wires the stages of language-model studies into
//! the pipeline, prints, and exits. No other crate prints, reads the environment or exits.

#![expect(
    unreachable_pub,
    reason = "a program exports nothing: `pub` marks the interface of a module"
)]

mod bundle;
mod cli;
mod commands;
mod environment;
mod estimate;
mod exit;
mod foreign;
mod graph;
mod live;
mod machine;
mod progress;
mod references;
mod root;
mod rows;
mod stages;
mod study;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use root::Root;

/// What trainings compute with lies in large pieces of memory.
#[global_allocator]
static ALLOCATOR: ablate_kernels::Matrices = ablate_kernels::Matrices;

fn main() -> ExitCode {
    // Temporaries of every operation are large; without this each is mapped and unmapped.
    ablate_kernels::tune_allocator();
    let cli = Cli::parse();
    let root = Root::new(cli.root);
    let result = match cli.command {
        Command::Check(args) => commands::check::run(&root, &args),
        Command::Data(args) => commands::data::run(&root, &args.command),
        Command::Plan(args) => commands::plan::run(&root, &args),
        Command::Run(args) => commands::run::run(&root, &args),
        Command::Status(args) if args.watch => commands::watch::run(&root, &args),
        Command::Status(args) => commands::status::run(&root, &args),
        Command::Why(args) => commands::why::run(&root, &args),
        Command::Diff(args) => commands::diff::run(&root, &args),
        Command::Serve(args) => commands::serve::run(&root, &args),
        Command::Report(args) => commands::report::run(&root, &args),
        Command::Bundle(args) => commands::bundle::run(&root, &args),
        Command::Compare(args) => commands::compare::run(&root, &args),
        Command::Bench(args) => commands::bench::run(&root, &args),
        Command::Eval(args) => commands::eval::run(&root, &args),
        Command::Generate(args) => commands::generate::run(&args),
        Command::Export(args) => commands::export::run(&root, &args),
        Command::Paper(args) => commands::paper::run(&root, &args),
        Command::Schema => commands::schema::run(),
        Command::Cancel(args) => commands::cancel::run(&root, &args),
        Command::Gc(args) => commands::gc::run(&root, &args),
        Command::Verify(args) => commands::verify::run(&root, &args),
        Command::Accept(args) => commands::accept::run(&root, &args),
        Command::Work(args) => commands::work::run(&args),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            // A closed standard error is no reason for another exit code.
            let _ = writeln!(std::io::stderr(), "{error}");
            error.exit.into()
        }
    }
}

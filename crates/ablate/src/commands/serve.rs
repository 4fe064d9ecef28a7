//! `ablate serve`: a study as a page that follows its trainings, for whoever sits at this machine.

mod http;
mod pages;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use super::{print, say};
use crate::cli::ServeArgs;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::live::Follower;
use crate::root::Root;
use crate::{graph, study};

use self::pages::Pages;

pub fn run(root: &Root, args: &ServeArgs) -> CommandResult {
    let loaded = study::load(&args.study)?;
    for warning in &loaded.warnings {
        say(warning);
    }
    let built = graph::build(&loaded.study, &root.benchmarks())?;
    let name = loaded.study.report_name();
    let mut signals = signal_hook::iterator::Signals::new([
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
    ])
    .map_err(CommandError::machine)?;
    let listener = listen(args.port)?;
    let address = listener.local_addr().map_err(CommandError::machine)?;
    let pages = Pages::new(Follower::new(root, &name, built), root.report(&name));
    let answer = Arc::new(move |path: &str| pages.answer(path));
    std::thread::spawn(move || http::serve(&listener, &answer));
    print(&format!("http://{address}/\n"))?;
    say(&format!("{name} at http://{address}/; Ctrl-C ends it"));
    // Until somebody ends it.
    signals.forever().next();
    Ok(Exit::Ok)
}

/// Only this machine can reach it.
fn listen(port: u16) -> Result<TcpListener, CommandError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => CommandError::usage(format!(
            "port {port} is taken (by another `ablate serve`?): name another with `--port N`, or let \
             the system choose with `--port 0`"
        )),
        ErrorKind::PermissionDenied => CommandError::usage(format!(
            "port {port} is not for everybody: name one above 1023 with `--port N`"
        )),
        _ => CommandError::machine(format!("cannot listen on 127.0.0.1:{port}: {error}")),
    })
}

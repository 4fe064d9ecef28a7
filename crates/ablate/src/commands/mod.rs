//! One file per verb.

pub mod accept;
pub mod bench;
pub mod bundle;
pub mod cancel;
pub mod check;
pub mod cluster;
pub mod compare;
pub mod data;
pub mod diff;
pub mod eval;
pub mod export;
pub mod gc;
pub mod generate;
pub mod paper;
pub mod plan;
pub mod report;
pub mod run;
pub mod schema;
pub mod serve;
pub mod status;
pub mod table;
pub mod verify;
pub mod watch;
pub mod why;
pub mod work;

use std::io::{self, Write};

use crate::exit::CommandError;

/// Writes data to standard output. A reader that has gone away (`| head`) is no error.
pub fn print(text: &str) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CommandError::machine(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a line for people to standard error.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

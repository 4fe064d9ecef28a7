//! Exit codes, and the one error type that carries them.

use std::fmt;
use std::process::ExitCode;

/// How the command ends. Documented in the README; scripts rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything asked for is there.
    Ok = 0,
    /// The study finished, but some variants failed.
    FailedVariants = 1,
    /// A wrong command line, study file or input; nothing was started.
    Usage = 2,
    /// A report or a bundle is not what its rows say.
    Stale = 3,
    /// Nothing matched what was asked for.
    NoMatch = 4,
    /// A claim that the study requires is contradicted by its results.
    Contradicted = 5,
    /// What a task of a cluster needs is not there.
    NoInput = 66,
    /// A mistake of ours.
    Bug = 70,
    /// Somebody else is at work, or the machine said no: try again.
    Busy = 75,
    /// Interrupted; the same command goes on from here.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that ends the command.
#[derive(Debug)]
pub struct CommandError {
    /// The exit code.
    pub exit: Exit,
    /// What, where, why and what to do; may have several lines.
    pub message: String,
}

impl CommandError {
    /// A wrong command line, study file or input.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, message: message.to_string() }
    }

    /// The machine said no.
    pub fn machine(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Busy, message: message.to_string() }
    }

    /// A mistake of ours.
    pub fn bug(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Bug, message: message.to_string() }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CommandError {}

/// What every command returns.
pub type CommandResult = Result<Exit, CommandError>;

//! What a failure comes from, in one word that scripts can rely on.

use serde::{Deserialize, Serialize};

use crate::protocol::{Failure, FailureKind};

/// Where a failure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The training's loss became NaN or exploded.
    Diverged,
    /// The worker was ended by SIGKILL: by the system when memory runs out, or by somebody.
    Killed,
    /// The worker ended without a word, and nobody saw how: killed, or with its machine.
    WorkerLost,
    /// An allocation failed, or a control group ended what was above its limit.
    OutOfMemory,
    /// The disk is full, or has no room for what the stage is expected to write.
    DiskFull,
    /// Input that is missing, wrong or was changed.
    Input,
    /// The machine said no in another way.
    Machine,
    /// A mistake of ours.
    Bug,
}

impl Cause {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Diverged => "diverged",
            Self::Killed => "killed",
            Self::WorkerLost => "worker lost",
            Self::OutOfMemory => "out of memory",
            Self::DiskFull => "disk full",
            Self::Input => "missing or wrong input",
            Self::Machine => "the machine said no",
            Self::Bug => "a mistake of ours",
        }
    }
}

impl Failure {
    /// Where it comes from: what its finder says, else what its kind and its message come to.
    pub fn cause(&self) -> Cause {
        // Errors of the disk reach a failure as the text of many libraries; the system's own words
        // are in all of them.
        let full = |text: &str| {
            ["No space left on device", "Disk quota exceeded"].iter().any(|w| text.contains(w))
        };
        match (self.cause, self.kind) {
            (Some(cause), _) => cause,
            (None, FailureKind::Outcome) => Cause::Diverged,
            (None, FailureKind::Input | FailureKind::Machine) if full(&self.message) => {
                Cause::DiskFull
            }
            (None, FailureKind::Input) => Cause::Input,
            (None, FailureKind::Machine) => Cause::Machine,
            (None, FailureKind::Bug) => Cause::Bug,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_systems_words_make_a_full_disk() {
        let of = |errno: i32| {
            let error = io::Error::from_raw_os_error(errno);
            Failure::new(FailureKind::Machine, format!("cannot write `x`: {error}")).cause()
        };
        assert_eq!(of(libc::ENOSPC), Cause::DiskFull);
        assert_eq!(of(libc::EDQUOT), Cause::DiskFull);
        assert_eq!(of(libc::EIO), Cause::Machine);
        assert_eq!(Failure::new(FailureKind::Outcome, "NaN").cause(), Cause::Diverged);
    }

    #[test]
    fn records_of_programs_before_this_one_are_read() {
        let old = r#"{"kind":"outcome","message":"the loss is NaN","step":3}"#;
        let failure: Failure = serde_json::from_str(old).unwrap();
        assert_eq!((failure.cause(), failure.step), (Cause::Diverged, Some(3)));
    }
}

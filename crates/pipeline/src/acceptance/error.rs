//! Why a result cannot stand for another.

use crate::graph::Key;
use crate::lease::LeaseError;
use crate::store::StoreError;

/// Why a result cannot stand for another, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The disk said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Both are the same.
    #[error("both are `{0}`: there is nothing to accept")]
    Same(String),
    /// They are of different kinds.
    #[error(
        "`{old}` is a result of another stage than `{new}`: only what the same stage makes can stand \
         for each other"
    )]
    OtherStage {
        /// The stored one.
        old: String,
        /// The other.
        new: String,
    },
    /// The stored result is not what was made.
    #[error("`{old}` is damaged: {difference}; `ablate verify --quarantine` sets it aside")]
    Damaged {
        /// The stored one.
        old: String,
        /// What differs.
        difference: String,
    },
    /// The new result was made.
    #[error("`{0}` is stored itself, so nothing has to stand for it")]
    Stored(String),
    /// Another result stands for it.
    #[error(
        "`{old}` stands for `{new}` already, because {because}; `ablate accept --revoke {}` takes \
         that back",
        key.short()
    )]
    Taken {
        /// What stands for it.
        old: String,
        /// The new one.
        new: String,
        /// Its key.
        key: Key,
        /// The reason that was given.
        because: String,
    },
    /// It is being made.
    #[error("`{new}` is being made by {owner}: wait for it, or stop it first")]
    Held {
        /// The new one.
        new: String,
        /// Who is at work.
        owner: String,
    },
    /// The lease cannot be taken.
    #[error(transparent)]
    Lease(Box<LeaseError>),
    /// There is nothing to take back.
    #[error("nothing was accepted for `{0}`; `ablate accept --list` shows what was")]
    NotAccepted(String),
    /// It follows from something else.
    #[error(
        "what stands for `{new}` follows from what was accepted for `{}`: take that back with \
         `ablate accept --revoke {}`",
        root.short(), root.short()
    )]
    Follows {
        /// The new one.
        new: String,
        /// Of which it is a consequence.
        root: Key,
    },
}

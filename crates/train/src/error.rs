//! What can go wrong in a training run.

use std::path::PathBuf;

use ablate_model::ModelError;

/// Why a run did not finish, or could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A setting is out of range.
    #[error("the training's `{key}` is {value}, but must be {need}")]
    Config {
        /// Name of the setting.
        key: &'static str,
        /// What it is.
        value: String,
        /// What it must be.
        need: &'static str,
    },
    /// The system gives no threads.
    #[error(
        "{threads} threads for each device of the training could not be started: {reason}; see \
         `ulimit -u`"
    )]
    Threads {
        /// How many.
        threads: usize,
        /// The system's words.
        reason: String,
    },
    /// Training sequences are longer than the model allows.
    #[error(
        "the training's `context` is {context} tokens, but the model's is {model}: shorten the \
         training sequences or lengthen the model's context"
    )]
    Context {
        /// Tokens per training sequence.
        context: usize,
        /// The model's longest sequence.
        model: usize,
    },
    /// A shard was made for more token ids than the model has.
    #[error(
        "the {what} text is tokenized with a vocabulary of {found}, but the model's is {model}: \
         tokenize it with the model's own tokenizer"
    )]
    Vocabulary {
        /// Which shard.
        what: String,
        /// Its vocabulary.
        found: usize,
        /// The model's.
        model: usize,
    },
    /// The table of byte lengths does not fit the shard.
    #[error(
        "there are byte lengths for {found} token ids, but the text is tokenized with a vocabulary \
         of {vocabulary}: the table belongs to another tokenizer"
    )]
    TokenBytes {
        /// Entries of the table.
        found: usize,
        /// Vocabulary of the shard.
        vocabulary: usize,
    },
    /// The order lists fewer windows than the steps visit.
    #[error(
        "the order lists {found} windows, but {steps} steps of {batch} sequences visit {need}: make \
         a longer order or train for fewer steps"
    )]
    OrderTooShort {
        /// Windows in the order.
        found: usize,
        /// Windows that are needed.
        need: u64,
        /// Steps.
        steps: u64,
        /// Sequences per step.
        batch: usize,
    },
    /// The order names a window that the shard does not have.
    #[error(
        "the order names window {window} at position {position}, but the shard has {count} windows \
         of {context} tokens: the order was made for another shard or context"
    )]
    Window {
        /// Place in the order.
        position: usize,
        /// The window.
        window: u32,
        /// Windows of the shard.
        count: u64,
        /// Tokens per window.
        context: usize,
    },
    /// An order does not consist of whole batches.
    #[error(
        "the order lists {windows} windows, which is no whole number of batches of {batch} \
         sequences: score the order that the round was trained on"
    )]
    PartialBatch {
        /// Windows in the order.
        windows: usize,
        /// Sequences per batch.
        batch: usize,
    },
    /// The shard holds a token outside the vocabulary.
    #[error(
        "window {window} holds the token {token} in a vocabulary of {vocabulary}: the shard is \
         damaged; make it again"
    )]
    Token {
        /// The window.
        window: u32,
        /// The token.
        token: u32,
        /// Entries of the vocabulary.
        vocabulary: usize,
    },
    /// A validation shard has not even one window.
    #[error(
        "the held-out text in `{language}` has {tokens} tokens, too few for one window of {context}: \
         hold out more text or shorten the context"
    )]
    ShortValidation {
        /// Language of the shard.
        language: String,
        /// Its tokens.
        tokens: u64,
        /// Tokens per window.
        context: usize,
    },
    /// The held-out tokens stand for no text.
    #[error(
        "the held-out tokens in `{language}` stand for no bytes of text, so there are no bits per \
         byte: hold out more text, or check the table of byte lengths"
    )]
    NoText {
        /// Language of the shard.
        language: String,
    },
    /// The model, its weights or their configuration are at fault.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The loss or the gradient is infinite or not a number. The weights before this update are in
    /// the newest checkpoint, provided that they were finite themselves.
    #[error(
        "training diverged at step {step}: loss {loss}{}; lower the learning rate, lengthen the \
         warm-up or clip harder",
        norm(.gradient_norm)
    )]
    Diverged {
        /// The update that could not be made, counted from 1; for a validation, the updates done.
        step: u64,
        /// The loss.
        loss: f64,
        /// Norm of the gradient, where the loss was finite enough to have one.
        gradient_norm: Option<f64>,
    },
    /// The loss was absurd for longer than the settings allow: see [`Watch`](crate::Watch).
    #[error(
        "training diverged at step {step}: for {patience} steps or more from there on the loss was \
         above {limit:.2}, worse than guessing, and is {loss:.2} now; lower the learning rate, \
         lengthen the warm-up or clip harder (`train.patience` decides how long is too long)"
    )]
    Exploded {
        /// The first of these steps, counted from 1.
        step: u64,
        /// The last loss.
        loss: f64,
        /// The largest loss that is not absurd.
        limit: f64,
        /// How many steps there were.
        patience: u64,
    },
    /// The observer asked to stop. Everything is in the checkpoint; run again to go on.
    #[error("training was stopped after step {step}; run again to go on from there")]
    Stopped {
        /// Updates done.
        step: u64,
    },
    /// A checkpoint cannot be written, read or removed.
    #[error("checkpoint `{}`: {source}", path.display())]
    Checkpoint {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// No checkpoint is whole.
    #[error(
        "checkpoint `{}` is damaged ({reason}), and there is no older one: remove it to train from \
         the start",
        path.display()
    )]
    DamagedCheckpoint {
        /// Its folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A checkpoint of other settings is in the way.
    #[error(
        "checkpoint `{}` belongs to another run (different: {differences}): restore what differs, \
         or remove the folder to train from the start",
        path.display()
    )]
    OtherRun {
        /// Its folder.
        path: PathBuf,
        /// What differs.
        differences: String,
    },
    /// A batch has no usable loss.
    #[error("batch {batch} has the loss {loss}: no probability follows from it")]
    BatchLoss {
        /// Place of the batch.
        batch: usize,
        /// Its loss.
        loss: f32,
    },
    /// An order has fewer batches than parts.
    #[error(
        "{batches} batches do not make {parts} parts: take fewer parts, smaller batches or a longer \
         training"
    )]
    Parts {
        /// Batches of the order.
        batches: usize,
        /// Parts that are asked for.
        parts: usize,
    },
    /// More batches are to be drawn than there are.
    #[error("{wanted} batches cannot be drawn out of {possible} that have a positive probability")]
    Draw {
        /// How many are wanted.
        wanted: usize,
        /// How many there are.
        possible: usize,
    },
}

impl TrainError {
    /// The step at which the run diverged, if that is what happened.
    pub fn diverged_at(&self) -> Option<u64> {
        match self {
            Self::Diverged { step, .. } | Self::Exploded { step, .. } => Some(*step),
            _ => None,
        }
    }
}

fn norm(norm: &Option<f64>) -> String {
    norm.map(|norm| format!(", gradient norm {norm}")).unwrap_or_default()
}

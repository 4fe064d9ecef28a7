//! Rates and sizes behind the estimates that are not timed. Measured once with one thread of a
//! server core on storyworld text; right within a factor of two or so elsewhere, which is enough
//! for stages that take seconds.

/// Seconds that a worker process takes to start, to check its inputs and to publish.
pub const PROCESS_SECONDS: f64 = 0.1;
/// Bytes of a worker process before it holds any data.
pub const PROCESS_MEMORY: u64 = 50_000_000;

/// Bytes of storyworld text written per second.
pub const STORYWORLD: f64 = 15e6;
/// Bytes of the user's text read, cleaned and written per second.
pub const FILES: f64 = 30e6;
/// Bytes of text that a byte of a compressed file stands for.
pub const COMPRESSION: u64 = 3;
/// Bytes on disk of a byte of text as a JSON line.
pub const JSON_LINES: f64 = 1.1;

/// Bytes of sample per second while a tokenizer is trained.
pub const TOKENIZER_BYTES: f64 = 3e6;
/// Merges per second after that.
pub const TOKENIZER_MERGES: f64 = 8e3;
/// Bytes of memory per byte of the sample.
pub const TOKENIZER_MEMORY: u64 = 6;
/// Bytes on disk of a piece with its merge and its length.
pub const PIECE_BYTES: u64 = 40;
/// Bytes of text encoded per second.
pub const ENCODING: f64 = 7e6;
/// Tokens counted per second, to compact a tokenizer.
pub const COUNTING: f64 = 1e8;
/// Bytes of text per token before the text is tokenised: byte-level BPE with a few thousand
/// entries on English and Chinese text.
pub const BYTES_PER_TOKEN: f64 = 3.2;

/// Benchmark items written and checked per second.
pub const ITEMS: f64 = 2e4;
/// Bytes of an item on disk.
pub const ITEM_BYTES: u64 = 300;
/// Bytes of an item's scores on disk.
pub const RESULT_BYTES: u64 = 850;
/// Prompts that an item is scored with.
pub const OPTIONS: u64 = 4;
/// Tokens of a prompt.
pub const PROMPT_TOKENS: u64 = 60;

/// A forward pass over forward and backward pass (Kaplan et al. 2020, section 2.1).
pub const FORWARD: f64 = 1.0 / 3.0;
/// Bytes of weights read, ranked, cut and written per second.
pub const CUTTING: f64 = 1e8;
/// Bytes of checkpoints written and synced per second.
pub const CHECKPOINTS: f64 = 2e8;
/// Checkpoints written in the course of a training.
pub const CHECKPOINT_COUNT: u64 = 8;
/// Checkpoints on disk at the same time while one is written.
pub const CHECKPOINTS_KEPT: u64 = 3;
/// Bytes of a step in the file of metrics.
pub const METRIC_BYTES: u64 = 220;
/// Bytes of the scores of all benchmarks on disk.
pub const SCORES_BYTES: u64 = 6000;
/// Bytes of a batch's loss in a file of them.
pub const LOSS_BYTES: u64 = 14;

/// Operations per second of one core where nothing was measured. A guess.
pub const GUESSED_FLOPS: f64 = 30e9;
/// What each further thread adds to the speed of a worker, as a share of the first.
pub const THREAD_GAIN: f64 = 0.75;

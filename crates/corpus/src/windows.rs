//! Training sequences cut from a shard.

use crate::Shard;

/// Windows of `context + 1` tokens that overlap by one: window `w` covers the tokens
/// `w * context ..= w * context + context`, so its first `context` tokens are inputs, its last
/// `context` tokens are targets, and every token but the first is a target once. Tokens after
/// the last full window are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Inputs, and targets, of one window.
    pub context: usize,
    /// Number of windows.
    pub count: u64,
}

impl Windows {
    /// The windows of a shard.
    ///
    /// # Panics
    /// When `context` is 0.
    pub fn of(shard: &Shard, context: usize) -> Self {
        Self::over(shard.info().tokens, context)
    }

    /// The windows of `tokens` tokens.
    ///
    /// # Panics
    /// When `context` is 0.
    pub fn over(tokens: u64, context: usize) -> Self {
        assert!(context > 0, "a window needs a context of at least one token");
        Self { context, count: tokens.saturating_sub(1) / context as u64 }
    }

    /// Token at which a window starts.
    pub fn start(&self, window: u64) -> u64 {
        window * self.context as u64
    }

    /// The `context + 1` tokens of a window.
    ///
    /// # Panics
    /// When there is no such window in the shard.
    pub fn read(&self, shard: &Shard, window: u64) -> Vec<u32> {
        shard.window(self.start(window), self.context + 1)
    }
}

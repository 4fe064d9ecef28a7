//! What computes a product: how its factors are rounded, and the instructions for it.

use std::cell::Cell;

use serde::{Deserialize, Serialize};

use super::{bf16, dispatch};
use crate::simd::{Level, level};

/// How the factors of matrix products are rounded; sums are always f32.
///
/// It is a property of the calling thread, as the tensors themselves stay f32: see
/// [`Precision::scope`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// As they are.
    #[default]
    F32,
    /// To bf16, to the nearest even: AMX or AVX-512 BF16 where the processor has them, and where
    /// it has neither the same rounding before products in f32 (slower than f32 itself).
    Bf16,
}

thread_local! {
    static CURRENT: Cell<Precision> = const { Cell::new(Precision::F32) };
}

impl Precision {
    /// Whether nothing is rounded. Files leave the precision out then, as they did before there was
    /// a choice, so that what they identify stays the same.
    pub fn is_f32(&self) -> bool {
        *self == Self::F32
    }

    /// That of the calling thread.
    pub(crate) fn current() -> Self {
        CURRENT.get()
    }

    /// Runs `work` with all products of this crate's operations in this precision, in the forward
    /// and in the backward pass, as far as the calling thread starts them.
    pub fn scope<T>(self, work: impl FnOnce() -> T) -> T {
        struct Restore(Precision);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0);
            }
        }
        let _restore = Restore(CURRENT.replace(self));
        work()
    }
}

/// The instructions of a product.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unit {
    /// f32 factors in vectors.
    F32(Level),
    /// Factors rounded to bf16, multiplied as f32.
    Rounded(Level),
    /// Pairs of bf16 factors in vectors: AVX-512 BF16.
    Pairs,
    /// Tiles of bf16 factors: AMX.
    Tiles,
}

impl Unit {
    /// The best for the precision of the calling thread.
    pub(crate) fn current() -> Self {
        match Precision::current() {
            Precision::F32 => Self::F32(level()),
            Precision::Bf16 => Self::bf16(level()),
        }
    }

    fn bf16(level: Level) -> Self {
        // Tests hold the level to less than the machine has.
        let best = bf16::best().filter(|_| level == Level::Avx512);
        best.unwrap_or(Self::Rounded(level))
    }

    /// Rows of the left operand's panels: products of a multiple of them waste nothing.
    pub(crate) fn panel_rows(self) -> usize {
        match self {
            Self::F32(level) | Self::Rounded(level) => dispatch::panel_rows(level),
            Self::Pairs | Self::Tiles => 32,
        }
    }

    /// Columns of the right operand's panels.
    pub(super) fn panel_columns(self) -> usize {
        match self {
            Self::F32(level) | Self::Rounded(level) => dispatch::panel_widths(level)[0],
            Self::Pairs | Self::Tiles => 32,
        }
    }

    /// Rows of a block of the left operand that is packed at a time.
    pub(super) fn block_rows(self) -> usize {
        match self {
            Self::F32(_) | Self::Rounded(_) => 168,
            Self::Pairs | Self::Tiles => 192,
        }
    }
}

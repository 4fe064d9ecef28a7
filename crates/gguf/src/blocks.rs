//! How tensors are written: as floats, or in blocks of small numbers that share a scale.
//!
//! Layouts are those of ggml's `ggml-common.h` and `ggml-quants.c`.

use half::{bf16, f16};

/// A way of writing numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// The upper halves of 32-bit floats.
    Bf16,
    /// 32 bytes and a scale.
    Q8_0,
    /// 32 half bytes and a scale; 8 is zero.
    Q4_0,
    /// 32 half bytes, a scale and a minimum.
    Q4_1,
}

/// ggml's names of types that are not read, for messages.
const OTHERS: [(u32, &str); 20] = [
    (6, "Q5_0"),
    (7, "Q5_1"),
    (9, "Q8_1"),
    (10, "Q2_K"),
    (11, "Q3_K"),
    (12, "Q4_K"),
    (13, "Q5_K"),
    (14, "Q6_K"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (28, "F64"),
    (34, "TQ1_0"),
    (39, "MXFP4"),
];

impl ElementType {
    /// By ggml's number; the error is the name, or the number where there is none.
    pub(crate) fn of(number: u32) -> Result<Self, String> {
        match number {
            0 => Ok(Self::F32),
            1 => Ok(Self::F16),
            2 => Ok(Self::Q4_0),
            3 => Ok(Self::Q4_1),
            8 => Ok(Self::Q8_0),
            30 => Ok(Self::Bf16),
            _ => match OTHERS.iter().find(|(other, _)| *other == number) {
                Some((_, name)) => Err((*name).to_owned()),
                None => Err(format!("number {number}")),
            },
        }
    }

    /// Values of a block, and the bytes that it takes.
    pub(crate) fn block(self) -> (usize, usize) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 | Self::Bf16 => (1, 2),
            Self::Q8_0 => (32, 34),
            Self::Q4_0 => (32, 18),
            Self::Q4_1 => (32, 20),
        }
    }

    /// The values of whole blocks.
    pub(crate) fn values(self, bytes: &[u8]) -> Vec<f32> {
        let (values, size) = self.block();
        let mut out = Vec::with_capacity(bytes.len() / size * values);
        for block in bytes.chunks_exact(size) {
            let half = |at: usize| f16::from_le_bytes([block[at], block[at + 1]]).to_f32();
            match self {
                Self::F32 => out.push(f32::from_le_bytes([block[0], block[1], block[2], block[3]])),
                Self::F16 => out.push(half(0)),
                Self::Bf16 => out.push(bf16::from_le_bytes([block[0], block[1]]).to_f32()),
                Self::Q8_0 => {
                    let scale = half(0);
                    out.extend(block[2..].iter().map(|byte| scale * f32::from(*byte as i8)));
                }
                Self::Q4_0 => {
                    let scale = half(0);
                    let value = |small: u8| scale * f32::from(small as i8 - 8);
                    out.extend(block[2..].iter().map(|byte| value(byte & 15)));
                    out.extend(block[2..].iter().map(|byte| value(byte >> 4)));
                }
                Self::Q4_1 => {
                    let (scale, least) = (half(0), half(2));
                    let value = |small: u8| scale * f32::from(small) + least;
                    out.extend(block[4..].iter().map(|byte| value(byte & 15)));
                    out.extend(block[4..].iter().map(|byte| value(byte >> 4)));
                }
            }
        }
        out
    }
}

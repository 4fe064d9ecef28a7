//! What a tokenizer consists of, whichever kind of file it was read from.

use crate::chars::CharIds;
use crate::preparation::Preparation;

/// One entry of the vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// As written in the file: byte-level characters, characters with marks for spaces, or the
    /// plain text of an added token.
    pub(crate) written: String,
    /// Bytes that the piece stands for; empty for special tokens.
    pub(crate) bytes: Vec<u8>,
    /// Whether it is an added, control or user-defined token, which merges never produce.
    pub(crate) added: bool,
    /// Whether it is a special token, which stands for no text.
    pub(crate) special: bool,
}

/// Two ids that become a third.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Merge {
    pub(crate) left: u32,
    pub(crate) right: u32,
    pub(crate) product: u32,
}

/// What a tokenizer consists of.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    /// By id.
    pub(crate) pieces: Vec<Piece>,
    /// In the order of their turns.
    pub(crate) merges: Vec<Merge>,
    /// By merge: its turn, where several merges share one. None where each has its own.
    pub(crate) turns: Option<Vec<u32>>,
    /// Id of the document separator.
    pub(crate) end_of_text: u32,
    /// Id of each byte's piece; [`NO_PIECE`] for bytes that some makers leave out.
    pub(crate) byte_ids: [u32; 256],
    /// Whether a whole pre-token that is a piece is that piece, whatever the merges say.
    pub(crate) ignore_merges: bool,
    /// What merging starts from.
    pub(crate) symbols: Symbols,
    /// What is done to a text beyond marking its spaces, so that another text comes back.
    pub(crate) changes: Option<String>,
}

/// What merging starts from.
#[derive(Clone, Debug)]
pub(crate) enum Symbols {
    /// The bytes of a text.
    Bytes,
    /// Its characters, with bytes for those that are no pieces.
    Chars(Box<Chars>),
}

/// Characters, and how a text becomes them.
#[derive(Clone, Debug)]
pub(crate) struct Chars {
    pub(crate) ids: CharIds,
    /// Whether a space is put before every text, which decoding takes away again.
    pub(crate) prefix: bool,
    /// None where a text is prepared in a way that only the `tokenizers` crate knows.
    pub(crate) preparation: Option<Preparation>,
}

impl Definition {
    /// Whether every text starts with a space that is not its own.
    pub(crate) fn prefix(&self) -> bool {
        matches!(&self.symbols, Symbols::Chars(chars) if chars.prefix)
    }
}

/// The byte of a piece like `<0x0A>`.
pub(crate) fn byte_of_name(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    let upper = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    let valid = digits.len() == 2 && digits.bytes().all(upper);
    valid.then(|| u8::from_str_radix(digits, 16).ok())?
}

/// Stands for the id of a byte without a piece.
pub(crate) const NO_PIECE: u32 = u32::MAX;

/// The ids of all 256 byte pieces, out of those that there are.
pub(crate) fn byte_ids(bytes: impl Iterator<Item = (u8, u32)>) -> Result<[u32; 256], String> {
    let mut ids = [None; 256];
    for (byte, id) in bytes {
        ids[usize::from(byte)] = Some(id);
    }
    let mut found = [0; 256];
    for (byte, id) in ids.into_iter().enumerate() {
        found[byte] = id.ok_or_else(|| format!("no piece stands for byte {byte}"))?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_bytes() {
        for byte in 0..=255u8 {
            assert_eq!(byte_of_name(&format!("<0x{byte:02X}>")), Some(byte));
        }
        for other in ["<0x0a>", "<0x1>", "<0x123>", "0x12", "<0x+1>", "<0x€>", ""] {
            assert_eq!(byte_of_name(other), None, "{other}");
        }
    }

    #[test]
    fn all_bytes_must_be_there() {
        let bytes = |missing: u8| (0..=255).filter(move |b| *b != missing).map(|b| (b, b.into()));
        assert!(byte_ids(bytes(7)).unwrap_err().contains("byte 7"));
        assert_eq!(byte_ids(bytes(7).chain([(7, 900)])).unwrap()[7], 900);
    }
}

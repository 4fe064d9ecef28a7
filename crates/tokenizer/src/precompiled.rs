//! The normalisation rules of a SentencePiece file: from strings to what stands for them.
//!
//! The map is a trie of strings (a double array as the Darts-clone library writes it), whose
//! values are places in a block of strings that end with a zero byte. The layout is that of
//! SentencePiece's `Normalizer::DecodePrecompiledCharsMap`.

/// A character map.
#[derive(Clone, Debug)]
pub(crate) struct Precompiled {
    units: Vec<u32>,
    strings: String,
}

impl Precompiled {
    /// Reads the field `precompiled_charsmap`.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (trie, strings) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let (units, remainder) = trie.as_chunks();
        if units.is_empty() || !remainder.is_empty() {
            return None;
        }
        let units = units.iter().map(|unit| u32::from_le_bytes(*unit)).collect();
        Some(Self { units, strings: String::from_utf8(strings.to_vec()).ok()? })
    }

    /// The longest string that `text` starts with and the map has: its bytes, and what stands
    /// for it.
    pub(crate) fn longest(&self, text: &str) -> Option<(usize, &str)> {
        let mut at = offset(*self.units.first()?);
        let mut found = None;
        for (length, byte) in (1..).zip(text.bytes()) {
            at ^= usize::from(byte);
            let unit = *self.units.get(at)?;
            // The label, whose highest bit marks values.
            if unit & 0x8000_00ff != u32::from(byte) {
                break;
            }
            at ^= offset(unit);
            if unit >> 8 & 1 == 1 {
                let value = *self.units.get(at)? & 0x7fff_ffff;
                found = Some((length, value as usize));
            }
        }
        let (length, start) = found?;
        let rest = self.strings.get(start..)?;
        text.is_char_boundary(length).then_some(())?;
        Some((length, rest.split('\0').next().unwrap_or(rest)))
    }
}

/// From a node to its children.
fn offset(unit: u32) -> usize {
    ((unit >> 10) << ((unit & (1 << 9)) >> 6)) as usize
}

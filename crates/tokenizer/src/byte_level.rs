//! The byte-level alphabet of GPT-2: one printable character per byte, so that pieces of
//! arbitrary bytes can be written as text.
//!
//! Printable ASCII (but the space) and printable Latin-1 stand for themselves; the other 68
//! bytes get the characters from U+0100 on, in order.

/// Whether a byte is written as the character of the same number.
const fn printable(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff)
}

/// The character of every byte.
const CHARS: [char; 256] = {
    let mut chars = ['\0'; 256];
    let (mut byte, mut shifted) = (0, 0x100);
    while byte < 256 {
        if printable(byte as u8) {
            chars[byte] = byte as u8 as char;
        } else {
            chars[byte] = match char::from_u32(shifted) {
                Some(c) => c,
                None => '\0',
            };
            shifted += 1;
        }
        byte += 1;
    }
    chars
};

/// The byte of every character below U+0144, where the alphabet ends.
const BYTES: [Option<u8>; 0x144] = {
    let mut bytes = [None; 0x144];
    let mut byte = 0;
    while byte < 256 {
        bytes[CHARS[byte] as usize] = Some(byte as u8);
        byte += 1;
    }
    bytes
};

/// The 256 characters, indexed by byte.
pub(crate) fn alphabet() -> &'static [char; 256] {
    &CHARS
}

/// The byte that a character stands for.
pub(crate) fn byte_of(c: char) -> Option<u8> {
    BYTES.get(c as usize).copied().flatten()
}

/// The bytes that a piece stands for, or none if it is not written in the alphabet.
pub(crate) fn bytes_of(piece: &str) -> Option<Vec<u8>> {
    piece.chars().map(byte_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_of_gpt_2() {
        for (byte, c) in
            [(b' ', 'Ġ'), (b'\n', 'Ċ'), (0, 'Ā'), (b'a', 'a'), (0xad, 'Ń'), (0xff, 'ÿ')]
        {
            assert_eq!(alphabet()[byte as usize], c);
        }
        // The tokenizers crate has the same set.
        let theirs = tokenizers::pre_tokenizers::byte_level::ByteLevel::alphabet();
        assert_eq!(theirs, alphabet().iter().copied().collect());
    }

    #[test]
    fn every_byte_comes_back() {
        for byte in 0..=255 {
            assert_eq!(byte_of(alphabet()[byte as usize]), Some(byte));
        }
        assert_eq!(byte_of(' '), None);
        assert_eq!(byte_of('中'), None);
        assert_eq!(bytes_of("Ġa"), Some(b" a".to_vec()));
        assert_eq!(bytes_of("a b"), None);
    }
}

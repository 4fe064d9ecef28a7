//! Stable fingerprints of texts: FNV-1a with 128 bits (Fowler, Noll, Vo), in hexadecimal.
//!
//! They tell whether two rows were scored on the same item and prompt, on any machine and in
//! any later version. They are no protection against somebody who constructs collisions.

const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// FNV-1a-128 of the bytes, 32 hexadecimal digits.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    let hash =
        bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn published_vectors() {
        // From the test suite of Go's hash/fnv.
        assert_eq!(fingerprint(b""), "6c62272e07bb014262b821756295c58d");
        assert_eq!(fingerprint(b"a"), "d228cb696f1a8caf78912b704e4a8964");
        assert_eq!(fingerprint(b"ab"), "08809544bbab1be95aa0733055b69a62");
        assert_eq!(fingerprint(b"abc"), "a68d622cec8b5822836dbc7977af7f3b");
    }
}

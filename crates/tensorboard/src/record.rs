//! The framing of records.

use crate::crc::masked;

/// A record: the length of its data in eight bytes, a checksum of those, the data, a checksum of the
/// data; all little-endian.
pub fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(data.len() + 16);
    record.extend(length);
    record.extend(masked(&length).to_le_bytes());
    record.extend(data);
    record.extend(masked(data).to_le_bytes());
    record
}

//! As much of protobuf's wire format as a SentencePiece file needs, by hand: a file that is read
//! and written again keeps every field that nothing here knows.

/// One field of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field<'a> {
    pub(crate) number: u32,
    pub(crate) value: Value<'a>,
    /// The field as it is in the file, its tag included.
    pub(crate) whole: &'a [u8],
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(&'a [u8]),
    Fixed32([u8; 4]),
}

impl<'a> Value<'a> {
    pub(crate) fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn number(self) -> Option<u64> {
        match self {
            Self::Varint(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn float(self) -> Option<f32> {
        match self {
            Self::Fixed32(bytes) => Some(f32::from_le_bytes(bytes)),
            _ => None,
        }
    }
}

/// The fields of a message, or none where it is no message.
pub(crate) fn fields(message: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut found = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let start = rest;
        let tag = varint(&mut rest)?;
        let value = match tag & 7 {
            0 => Value::Varint(varint(&mut rest)?),
            1 => Value::Fixed64(chunk(&mut rest)?),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                let (bytes, after) = rest.split_at_checked(length)?;
                rest = after;
                Value::Bytes(bytes)
            }
            5 => Value::Fixed32(chunk(&mut rest)?),
            _ => return None,
        };
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0)?;
        found.push(Field { number, value, whole: &start[..start.len() - rest.len()] });
    }
    Some(found)
}

/// The last value of a field, which is the one that counts.
pub(crate) fn last<'a>(fields: &[Field<'a>], number: u32) -> Option<Value<'a>> {
    fields.iter().rev().find(|field| field.number == number).map(|field| field.value)
}

fn chunk<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*bytes)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for at in 0..10 {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        // a = 150, b = "testing", c = 1.0.
        let message = b"\x08\x96\x01\x12\x07testing\x1d\x00\x00\x80\x3f";
        let found = fields(message).unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(last(&found, 1).unwrap().number(), Some(150));
        assert_eq!(last(&found, 2).unwrap().text(), Some("testing"));
        assert_eq!(last(&found, 3).unwrap().float(), Some(1.0));
        assert_eq!(last(&found, 4), None);
        assert_eq!(
            found.iter().flat_map(|field| field.whole).copied().collect::<Vec<_>>(),
            message
        );
    }

    #[test]
    fn what_is_no_message() {
        for broken in [
            &b"\x08"[..],
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x12\x07test",
            b"\x1d\x00",
            b"\x0b\x00",
            b"\x00\x00",
            b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        ] {
            assert_eq!(fields(broken), None, "{broken:?}");
        }
        assert_eq!(fields(b""), Some(vec![]));
    }
}

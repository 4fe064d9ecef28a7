//! A value of a file's metadata.

use crate::GgufError;
use crate::cursor::Cursor;

/// A named value. Whole numbers and floats of all sizes are of one kind each.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(i128),
    /// A float. Those of 32 bits stand for the shortest decimal number that they are nearest to,
    /// which is what was written: `1e-5` and not 9.999999747378752e-6.
    Float(f64),
    /// True or false.
    Flag(bool),
    /// A text.
    Text(String),
    /// Values of one kind.
    List(Vec<Value>),
}

/// Lists in lists that are read.
const DEEPEST: usize = 3;

impl Value {
    /// A whole number that is not negative.
    pub fn size(&self) -> Option<usize> {
        match self {
            Self::Integer(number) => usize::try_from(*number).ok(),
            _ => None,
        }
    }

    /// A number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// True or false.
    pub fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// A text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The values of a list.
    pub fn list(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>, what: &str) -> Result<Self, GgufError> {
        let kind = cursor.u32(what)?;
        Self::of_kind(cursor, kind, what, 0)
    }

    fn of_kind(
        cursor: &mut Cursor<'_>,
        kind: u32,
        what: &str,
        depth: usize,
    ) -> Result<Self, GgufError> {
        let whole = |number: i128| Ok(Self::Integer(number));
        match kind {
            0 => whole(u8::from_le_bytes(cursor.bytes(what)?).into()),
            1 => whole(i8::from_le_bytes(cursor.bytes(what)?).into()),
            2 => whole(u16::from_le_bytes(cursor.bytes(what)?).into()),
            3 => whole(i16::from_le_bytes(cursor.bytes(what)?).into()),
            4 => whole(cursor.u32(what)?.into()),
            5 => whole(i32::from_le_bytes(cursor.bytes(what)?).into()),
            6 => Ok(Self::Float(decimal(f32::from_le_bytes(cursor.bytes(what)?)))),
            7 => Ok(Self::Flag(cursor.bytes::<1>(what)? != [0])),
            8 => Ok(Self::Text(cursor.text(what)?)),
            9 => {
                if depth == DEEPEST {
                    return Err(GgufError::Depth { what: what.to_owned() });
                }
                let (inner, length) = (cursor.u32(what)?, cursor.u64(what)?);
                // A length that is a lie is found before anything is made of what follows.
                if length > (cursor.left() / least_bytes(inner)) as u64 {
                    return Err(cursor.cut(what));
                }
                let mut values = Vec::new();
                for _ in 0..length {
                    values.push(Self::of_kind(cursor, inner, what, depth + 1)?);
                }
                Ok(Self::List(values))
            }
            10 => whole(cursor.u64(what)?.into()),
            11 => whole(i64::from_le_bytes(cursor.bytes(what)?).into()),
            12 => Ok(Self::Float(f64::from_le_bytes(cursor.bytes(what)?))),
            kind => Err(GgufError::Kind { what: what.to_owned(), kind }),
        }
    }
}

/// Bytes that a value of a kind takes at least.
fn least_bytes(kind: u32) -> usize {
    match kind {
        2 | 3 => 2,
        4..=6 => 4,
        8 | 10..=12 => 8,
        9 => 12,
        _ => 1,
    }
}

/// The shortest decimal number that is nearest to this float.
fn decimal(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Value, GgufError> {
        Value::read(&mut Cursor::new(bytes), "`x`")
    }

    #[test]
    fn every_kind_is_read() {
        let of = |kind: u32, bytes: &[u8]| {
            read(&[kind.to_le_bytes().as_slice(), bytes].concat()).unwrap()
        };
        assert_eq!(of(0, &[200]), Value::Integer(200));
        assert_eq!(of(1, &[200]), Value::Integer(-56));
        assert_eq!(of(2, &[1, 2]), Value::Integer(513));
        assert_eq!(of(3, &[255, 255]), Value::Integer(-1));
        assert_eq!(of(4, &[255; 4]), Value::Integer(u32::MAX.into()));
        assert_eq!(of(5, &[255; 4]), Value::Integer(-1));
        assert_eq!(of(6, &1e-5_f32.to_le_bytes()), Value::Float(1e-5));
        assert_eq!(of(7, &[1]), Value::Flag(true));
        assert_eq!(of(8, b"\x02\0\0\0\0\0\0\0hi"), Value::Text("hi".into()));
        assert_eq!(of(10, &[255; 8]), Value::Integer(u64::MAX.into()));
        assert_eq!(of(11, &[255; 8]), Value::Integer(-1));
        assert_eq!(of(12, &0.1_f64.to_le_bytes()), Value::Float(0.1));
        let list = [0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 7, 9];
        assert_eq!(of(9, &list), Value::List(vec![Value::Integer(7), Value::Integer(9)]));
        assert_eq!(of(5, &[3, 0, 0, 0]).size(), Some(3));
        assert_eq!(of(5, &[255; 4]).size(), None);
        assert_eq!(of(0, &[3]).number(), Some(3.0));
    }

    #[test]
    fn lies_about_lengths_end_with_the_file() {
        let error = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        let text = [8u32.to_le_bytes().as_slice(), &[255; 8]].concat();
        assert!(error(&text).contains("before the end of `x`"));
        let list = [9u32.to_le_bytes().as_slice(), &[0; 4], &[255; 8], &[1; 9]].concat();
        assert!(error(&list).contains("it ends at byte 25"));
        // Eight numbers of which the file has two: known before one is read.
        let list = [9u32.to_le_bytes().as_slice(), &[10, 0, 0, 0, 3], &[0; 7], &[1; 16]].concat();
        assert!(error(&list).contains("before the end of `x`"));
        let inner = [9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0].repeat(9);
        let deep = [9u32.to_le_bytes().to_vec(), inner];
        assert!(error(&deep.concat()).contains("and deeper"));
        assert!(error(&[13, 0, 0, 0]).contains("kind 13"));
        assert!(error(&[8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 255]).contains("no UTF-8"));
    }
}

//! A place in the bytes of a file.

use crate::GgufError;

/// Takes one thing after the other; never more than is there.
pub(crate) struct Cursor<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    /// Bytes that are left.
    pub(crate) fn left(&self) -> usize {
        self.all.len() - self.at
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The next `N` bytes, which are `what`, or a part of it.
    pub(crate) fn bytes<const N: usize>(&mut self, what: &str) -> Result<[u8; N], GgufError> {
        let found = self.all[self.at..].first_chunk::<N>().ok_or_else(|| self.cut(what))?;
        self.at += N;
        Ok(*found)
    }

    pub(crate) fn u32(&mut self, what: &str) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.bytes(what)?))
    }

    pub(crate) fn u64(&mut self, what: &str) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.bytes(what)?))
    }

    /// A text after its length.
    pub(crate) fn text(&mut self, what: &str) -> Result<String, GgufError> {
        let length = usize::try_from(self.u64(what)?).map_err(|_| self.cut(what))?;
        let (bytes, _) =
            self.all[self.at..].split_at_checked(length).ok_or_else(|| self.cut(what))?;
        self.at += length;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(GgufError::Text { what: what.to_owned() }),
        }
    }

    pub(crate) fn cut(&self, what: &str) -> GgufError {
        GgufError::Cut { length: self.all.len(), what: what.to_owned() }
    }
}

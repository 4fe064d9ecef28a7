//! A whole file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::blocks::ElementType;
use crate::cursor::Cursor;
use crate::{GgufError, Value};

/// Multiples at which tensors start where a file does not say.
const ALIGNMENT: u64 = 32;

/// A file whose parts are all there.
#[derive(Clone, Debug)]
pub struct Gguf {
    bytes: Vec<u8>,
    metadata: BTreeMap<String, Value>,
    tensors: BTreeMap<String, TensorInfo>,
}

/// Where a tensor lies.
#[derive(Clone, Debug, PartialEq)]
pub struct TensorInfo {
    /// Length of each axis, that of the rows last (files have it first).
    pub shape: Vec<usize>,
    /// How its numbers are written.
    pub element: ElementType,
    start: usize,
    bytes: usize,
}

impl Gguf {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, or [`Gguf::parse`] refuses.
    pub fn read(path: &Path) -> Result<Self, GgufError> {
        let bytes =
            fs::read(path).map_err(|source| GgufError::Read { path: path.to_owned(), source })?;
        Self::parse(bytes)
    }

    /// Takes the content of a file, and checks that everything in it has its place.
    ///
    /// # Errors
    /// Anything but a whole GGUF file of version 2 or 3, or types of tensors that are not read.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, GgufError> {
        let mut cursor = Cursor::new(&bytes);
        if cursor.bytes::<4>("its first bytes").ok() != Some(*b"GGUF") {
            return Err(GgufError::Magic);
        }
        let version = cursor.u32("its version")?;
        if !(2..=3).contains(&version) {
            return Err(GgufError::Version { version });
        }
        let tensor_count = cursor.u64("the number of tensors")?;
        let value_count = cursor.u64("the number of values")?;
        let mut metadata = BTreeMap::new();
        for index in 0..value_count {
            let name = cursor.text(&format!("the name of value {index}"))?;
            let what = format!("the value `{name}`");
            let value = Value::read(&mut cursor, &what)?;
            if metadata.insert(name, value).is_some() {
                return Err(GgufError::Twice { what });
            }
        }
        let alignment = alignment(metadata.get("general.alignment"))?;
        let mut tensors = BTreeMap::new();
        // Tensors lie one after the other, in the order of the list, as llama.cpp demands: an offset that
        // was changed would otherwise read the values of another tensor.
        let mut next = 0u64;
        for index in 0..tensor_count {
            let name = cursor.text(&format!("the name of tensor {index}"))?;
            let (mut info, offset) = info(&mut cursor, &name)?;
            if offset != next {
                return Err(GgufError::Misplaced { name, offset, expected: next });
            }
            // Checked against the length of the file below.
            info.start = usize::try_from(offset).unwrap_or(usize::MAX);
            let after = next.saturating_add(info.bytes as u64);
            next = after.checked_next_multiple_of(alignment).unwrap_or(u64::MAX);
            if tensors.insert(name.clone(), info).is_some() {
                return Err(GgufError::Twice { what: format!("the tensor `{name}`") });
            }
        }
        let data = (cursor.at() as u64).next_multiple_of(alignment);
        for (name, info) in &mut tensors {
            let start = data.saturating_add(info.start as u64);
            let end = start.checked_add(info.bytes as u64);
            if end.is_none_or(|end| end > bytes.len() as u64) {
                let (needs, length) = (info.bytes as u64, bytes.len());
                return Err(GgufError::Outside { name: name.clone(), start, bytes: needs, length });
            }
            info.start = start as usize;
        }
        Ok(Self { bytes, metadata, tensors })
    }

    /// The value of this name.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.metadata.get(name)
    }

    /// Names of the tensors and where they lie.
    pub fn tensors(&self) -> impl ExactSizeIterator<Item = (&str, &TensorInfo)> {
        self.tensors.iter().map(|(name, info)| (name.as_str(), info))
    }

    /// Shape and values of a tensor.
    pub fn tensor(&self, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
        let info = self.tensors.get(name)?;
        let bytes = self.bytes.get(info.start..info.start + info.bytes)?;
        Some((info.shape.clone(), info.element.values(bytes)))
    }
}

fn alignment(value: Option<&Value>) -> Result<u64, GgufError> {
    let Some(value) = value else { return Ok(ALIGNMENT) };
    let size = value.size().map(|size| size as u64);
    size.filter(|size| size.is_power_of_two() && (8..=1 << 16).contains(size))
        .ok_or_else(|| GgufError::Alignment { value: format!("{value:?}") })
}

/// What is said of a tensor, and where it starts among the tensors.
fn info(cursor: &mut Cursor<'_>, name: &str) -> Result<(TensorInfo, u64), GgufError> {
    let what = format!("what is said of the tensor `{name}`");
    let axes = cursor.u32(&what)?;
    let wrong = |found: String| GgufError::Axes { name: name.to_owned(), found };
    if !(1..=4).contains(&axes) {
        return Err(wrong(format!("{axes} axes")));
    }
    let mut shape = Vec::new();
    for _ in 0..axes {
        let length = cursor.u64(&what)?;
        let length = usize::try_from(length).ok().filter(|length| *length > 0);
        shape.insert(0, length.ok_or_else(|| wrong("an axis of no length".to_owned()))?);
    }
    let number = cursor.u32(&what)?;
    let element = ElementType::of(number)
        .map_err(|found| GgufError::Element { name: name.to_owned(), found })?;
    let (block, size) = element.block();
    let columns = shape[shape.len() - 1];
    if !columns.is_multiple_of(block) {
        return Err(GgufError::Blocks { name: name.to_owned(), columns, block });
    }
    let values = shape.iter().try_fold(1usize, |product, length| product.checked_mul(*length));
    let bytes = values
        .filter(|values| *values < usize::MAX / 8)
        .and_then(|values| (values / block).checked_mul(size));
    let bytes = bytes.ok_or_else(|| wrong(format!("the axes {shape:?}")))?;
    let offset = cursor.u64(&what)?;
    Ok((TensorInfo { shape, element, start: 0, bytes }, offset))
}

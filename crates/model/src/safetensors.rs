//! Weights as safetensors files, which Python reads under the same names.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use half::{bf16, f16};
use safetensors::tensor::{Dtype, TensorView, View};
use safetensors::{SafeTensors, serialize};

use crate::{HostTensor, ModelError, Weights};

impl Weights {
    /// Reads a file written by [`Weights::save`] or by Python's `safetensors` (32-bit floats only).
    /// Whether the tensors are those of a model is for [`Weights::check`] to say.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or holds tensors of another type.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let floats = |view: &TensorView<'_>| match view.dtype() {
            Dtype::F32 => floats(view),
            _ => None,
        };
        read(path, "F32", floats)
    }

    /// Reads a file of others: floats of 32 or 16 bits (F32, F16, BF16).
    ///
    /// # Errors
    /// As [`Weights::load`].
    pub fn load_floats(path: &Path) -> Result<Self, ModelError> {
        read(path, "F32, F16 or BF16", floats)
    }

    /// Writes the weights to a new file beside `path` and renames it, so that `path` is never half
    /// written. Equal weights give equal bytes.
    ///
    /// # Errors
    /// If a tensor does not hold as many values as its shape says, or the system refuses.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let tensors = self.iter().map(|(name, tensor)| (name, Encoded(tensor)));
        let bytes = serialize(tensors, Some(metadata))
            .map_err(|error| ModelError::Encode { reason: error.to_string() })?;
        write_atomically(path, &bytes)
            .map_err(|source| ModelError::Write { path: path.into(), source })
    }
}

/// Reads a file whose tensors `floats` understands; `kinds` says which those are.
fn read(
    path: &Path,
    kinds: &'static str,
    floats: impl Fn(&TensorView<'_>) -> Option<Vec<f32>>,
) -> Result<Weights, ModelError> {
    let bytes = fs::read(path).map_err(|source| ModelError::Read { path: path.into(), source })?;
    // Every tensor's extent is checked against the length of the file here.
    let file = SafeTensors::deserialize(&bytes)
        .map_err(|error| ModelError::Format { path: path.into(), reason: error.to_string() })?;
    file.iter()
        .map(|(name, view)| {
            let values = floats(&view).ok_or_else(|| ModelError::ElementType {
                path: path.into(),
                name: name.into(),
                found: view.dtype().to_string(),
                read: kinds,
            })?;
            Ok((name.to_owned(), HostTensor { shape: view.shape().to_vec(), values }))
        })
        .collect()
}

/// The values of a tensor of floats; none for other types.
fn floats(view: &TensorView<'_>) -> Option<Vec<f32>> {
    let (pairs, _) = view.data().as_chunks::<2>();
    match view.dtype() {
        Dtype::F32 => {
            let (words, _) = view.data().as_chunks::<4>();
            Some(words.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
        }
        Dtype::F16 => Some(pairs.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect()),
        Dtype::BF16 => {
            Some(pairs.iter().map(|bytes| bf16::from_le_bytes(*bytes).to_f32()).collect())
        }
        _ => None,
    }
}

struct Encoded<'a>(&'a HostTensor);

impl View for Encoded<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.0.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.0.bytes())
    }

    fn data_len(&self) -> usize {
        self.0.values.len() * size_of::<f32>()
    }
}

fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let name = path.file_name().ok_or(std::io::ErrorKind::InvalidFilename)?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".tmp-{}", std::process::id()));
    let temporary = path.with_file_name(temporary);
    let written = File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    // The rename itself is safe on disk only when the folder is. Some file systems refuse to sync
    // a folder; the file is whole in any case.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
    Ok(())
}

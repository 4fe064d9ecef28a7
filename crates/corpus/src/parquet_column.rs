//! Parquet: the values of one string column, a few rows at a time.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use parquet::basic::Type;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::CorpusError;
use crate::clean::clean;
use crate::lines::LONGEST;

/// Rows decoded at once: enough to amortise a call, few enough to bound memory.
const ROWS: usize = 256;

/// Documents of one parquet file.
pub(crate) struct ParquetReader {
    path: PathBuf,
    file: SerializedFileReader<File>,
    column: usize,
    row_group: usize,
    values: Option<ColumnReaderImpl<ByteArrayType>>,
    batch: std::vec::IntoIter<Option<ByteArray>>,
    /// Rows given.
    row: u64,
}

impl ParquetReader {
    pub(crate) fn open(path: &Path, field: &str) -> Result<Self, CorpusError> {
        let failed =
            |reason: String| CorpusError::Parquet { path: path.to_owned(), row: 0, reason };
        let file = File::open(path).map_err(CorpusError::io(path))?;
        let file = guarded(|| SerializedFileReader::new(file)).map_err(failed)?;
        let schema = file.metadata().file_metadata().schema_descr();
        let names: Vec<String> = schema.columns().iter().map(|c| c.path().string()).collect();
        let Some(column) = names.iter().position(|name| name == field) else {
            let names = names.join("`, `");
            return Err(failed(format!(
                "no column `{field}` among `{names}`: name the one with the text in `text_field`"
            )));
        };
        let description = schema.column(column);
        let physical = description.physical_type();
        if physical != Type::BYTE_ARRAY || description.max_rep_level() > 0 {
            let list = if description.max_rep_level() > 0 { "lists of " } else { "" };
            return Err(failed(format!(
                "column `{field}` holds {list}{physical}, but text is a column of strings"
            )));
        }
        let batch = Vec::new().into_iter();
        Ok(Self { path: path.to_owned(), file, column, row_group: 0, values: None, batch, row: 0 })
    }

    pub(crate) fn next_document(&mut self) -> Result<Option<String>, CorpusError> {
        loop {
            let Some(value) = self.batch.next() else {
                if self.fill()? {
                    continue;
                }
                return Ok(None);
            };
            self.row += 1;
            let Some(value) = value else { continue };
            let bytes = value.data();
            if bytes.len() > LONGEST {
                return Err(self.failed(format!("a text of more than {LONGEST} bytes; split it")));
            }
            let text = std::str::from_utf8(bytes).map_err(|error| {
                self.failed(format!("invalid UTF-8 at byte {} of the text", error.valid_up_to()))
            })?;
            let text = clean(text);
            if !text.is_empty() {
                return Ok(Some(text));
            }
        }
    }

    /// Decodes the next rows; false at the end of the file.
    fn fill(&mut self) -> Result<bool, CorpusError> {
        loop {
            if let Some(reader) = &mut self.values {
                let (mut levels, mut values) = (Vec::new(), Vec::new());
                let read =
                    guarded(|| reader.read_records(ROWS, Some(&mut levels), None, &mut values));
                let (rows, _, _) = read.map_err(|reason| self.failed(reason))?;
                if rows > 0 {
                    self.batch = self.with_nulls(rows, &levels, values)?.into_iter();
                    return Ok(true);
                }
                self.values = None;
            }
            if self.row_group == self.file.num_row_groups() {
                return Ok(false);
            }
            let reader =
                guarded(|| self.file.get_row_group(self.row_group)?.get_column_reader(self.column));
            self.row_group += 1;
            match reader.map_err(|reason| self.failed(reason))? {
                ColumnReader::ByteArrayColumnReader(reader) => self.values = Some(reader),
                _ => return Err(self.failed("the text column changes its type".to_owned())),
            }
        }
    }

    /// Puts nulls back where the definition levels say so.
    fn with_nulls(
        &self,
        rows: usize,
        levels: &[i16],
        values: Vec<ByteArray>,
    ) -> Result<Vec<Option<ByteArray>>, CorpusError> {
        let schema = self.file.metadata().file_metadata().schema_descr();
        let defined = schema.column(self.column).max_def_level();
        let mut values = values.into_iter();
        let batch: Vec<_> = (0..rows)
            .map(|row| {
                let present = defined == 0 || levels.get(row) == Some(&defined);
                if present { values.next() } else { None }
            })
            .collect();
        match values.next() {
            None => Ok(batch),
            Some(_) => Err(self.failed("more values than rows".to_owned())),
        }
    }

    fn failed(&self, reason: String) -> CorpusError {
        CorpusError::Parquet { path: self.path.clone(), row: self.row, reason }
    }
}

/// Runs a call into the parquet crate. It gives errors for most damages but panics at some
/// (a dictionary that is too short, for one), which must not end a study.
fn guarded<T>(call: impl FnOnce() -> parquet::errors::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("the file is damaged beyond what its decoder expects".to_owned()),
    }
}

//! Plain text files: lines gathered into documents.

use crate::clean::{push_clean_line, trim_document};
use crate::lines::{LONGEST, Lines};
use crate::{CorpusError, DocumentSplit};

/// Documents of one text file.
pub(crate) struct TextReader {
    pub(crate) lines: Lines,
    pub(crate) split: DocumentSplit,
}

impl TextReader {
    pub(crate) fn next_document(&mut self) -> Result<Option<String>, CorpusError> {
        let mut document = String::new();
        while let Some(line) = self.lines.next_line()? {
            let start = document.len();
            push_clean_line(line, &mut document);
            let blank = document.len() == start;
            let complete = match self.split {
                DocumentSplit::File => false,
                DocumentSplit::Paragraph => blank,
                DocumentSplit::Line => true,
            };
            if complete {
                let found = trim_document(std::mem::take(&mut document));
                if !found.is_empty() {
                    return Ok(Some(found));
                }
            } else {
                document.push('\n');
            }
            if document.len() > LONGEST {
                return Err(CorpusError::TooLong {
                    path: self.lines.path().to_owned(),
                    line: self.lines.line(),
                    limit: LONGEST,
                });
            }
        }
        let found = trim_document(document);
        Ok((!found.is_empty()).then_some(found))
    }
}

//! The paper's own numbers, embedded from `data/paper`.

mod element;
mod matching;
mod noise;
#[cfg(test)]
mod tests;

use serde::Deserialize;

use crate::ReportError;
pub(crate) use element::{Element, Form, PaperColumn, PaperPanel, PaperRow};
pub(crate) use matching::{Beside, setting};
pub(crate) use noise::Noise;

/// Tables, and figures that have rows or were transcribed by hand.
static DATA: &str = include_str!("../../../../data/paper/pangu-pi-pro.json");
/// Figures that were read out of the vector graphics.
static FIGURES: &str = include_str!("../../../../data/paper/figures.json");

/// Everything that is known of the paper.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paper {
    pub(crate) title: String,
    citation: String,
    #[serde(rename = "note")]
    _note: String,
    /// What a difference may be by chance.
    pub(crate) noise: Noise,
    elements: Vec<Element>,
}

/// Elements of a file of their own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct More {
    elements: Vec<Element>,
}

impl Paper {
    /// The embedded numbers.
    pub(crate) fn embedded() -> Result<Self, ReportError> {
        let broken = |e: serde_json::Error| ReportError::Paper(e.to_string());
        let mut paper: Self = serde_json::from_str(DATA).map_err(broken)?;
        paper.elements.extend(serde_json::from_str::<More>(FIGURES).map_err(broken)?.elements);
        paper.elements.sort_by_key(|e| (!e.is_table(), e.number()));
        Ok(paper)
    }

    /// How the paper is cited.
    pub(crate) fn citation(&self) -> &str {
        &self.citation
    }

    /// Tables, then figures, by their numbers.
    pub(crate) fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The element with this id; spelling of case, spaces and underscores does not matter.
    pub(crate) fn element(&self, id: &str) -> Option<&Element> {
        let id = id.trim().to_lowercase().replace([' ', '_'], "-");
        self.elements.iter().find(|e| e.id == id)
    }
}

//! `ablate compare`: two variants, or two studies, from their saved rows.

use std::path::PathBuf;

use ablate_report::{Adjustment, Selection, Settings, StudyData};

use super::print;
use crate::cli::{Adjust, CompareArgs};
use crate::exit::{CommandError, CommandResult, Exit};
use crate::root::Root;

pub fn run(root: &Root, args: &CompareArgs) -> CommandResult {
    let a = Side::open(root, &args.a)?;
    let b = Side::open(root, &args.b)?;
    if a.variant.is_some() != b.variant.is_some() {
        return Err(CommandError::usage(
            "compare two variants (`STUDY:VARIANT`) or two studies (`STUDY`), not one with the other",
        ));
    }
    let settings = Settings {
        adjustment: match args.adjust {
            Adjust::Holm => Adjustment::Holm,
            Adjust::Bh => Adjustment::BenjaminiHochberg,
            Adjust::None => Adjustment::None,
        },
        other_tests: args.tests,
    };
    let comparison = ablate_report::compare_with(&a.selection(), &b.selection(), settings)
        .map_err(CommandError::usage)?;
    if args.json {
        let json =
            serde_json::to_string_pretty(&comparison.to_json()).map_err(CommandError::bug)?;
        print(&(json + "\n"))?;
    } else {
        print(&comparison.to_text())?;
    }
    Ok(Exit::Ok)
}

struct Side {
    data: StudyData,
    variant: Option<String>,
}

impl Side {
    /// Reads `STUDY` or `STUDY:VARIANT`; the study is a name, the folder of a report, or a
    /// study file (whose name without extension is the study's).
    fn open(root: &Root, text: &str) -> Result<Self, CommandError> {
        let (study, variant) = match text.rsplit_once(':') {
            Some((study, variant)) => (study, Some(variant.to_owned())),
            None => (text, None),
        };
        let folder = [PathBuf::from(study), root.report(study)]
            .into_iter()
            .find(|folder| folder.join("scores.parquet").is_file())
            .or_else(|| {
                let stem = std::path::Path::new(study).file_stem()?.to_str()?;
                Some(root.report(stem)).filter(|folder| folder.is_dir())
            });
        let Some(folder) = folder else {
            return Err(CommandError::usage(format!(
                "there is no report of `{study}` in `{}`; make it with `ablate run` or \
                 `ablate report`",
                root.path().join("reports").display()
            )));
        };
        let data = ablate_report::read(&folder).map_err(CommandError::usage)?;
        Ok(Self { data, variant })
    }

    fn selection(&self) -> Selection<'_> {
        Selection { data: &self.data, variant: self.variant.as_deref() }
    }
}

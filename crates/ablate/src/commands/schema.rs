//! `ablate schema`: the JSON Schema of study files, for editors.

use super::print;
use crate::exit::{CommandError, CommandResult, Exit};

pub fn run() -> CommandResult {
    let text = serde_json::to_string_pretty(&ablate_spec::schema()).map_err(CommandError::bug)?;
    print(&(text + "\n"))?;
    Ok(Exit::Ok)
}

//! Reads a study file, the files that it extends and the `--set` arguments, each checked by
//! itself.

use std::io;
use std::path::{Component, Path, PathBuf};

use toml::de::DeTable;

use crate::diagnostic::SourceText;
use crate::reporter::Reporter;
use crate::structure;
use crate::tree::{At, Node, Table, Value};

/// How a file is read; this crate never touches the disk itself.
pub type Read<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// More files than this in a chain of `extends` are taken for a loop through links.
const LONGEST_CHAIN: usize = 64;

/// Documents in the order in which they are laid over each other, with their texts.
#[derive(Default)]
pub(crate) struct Layers {
    pub(crate) sources: Vec<SourceText>,
    /// Folder that the paths of each source are relative to.
    pub(crate) folders: Vec<PathBuf>,
    /// The file extended last first, the study file itself last.
    pub(crate) files: Vec<Table>,
    /// `--set` arguments in their order.
    pub(crate) arguments: Vec<Table>,
    /// A file is missing or is not TOML: what it would have said is unknown, so that nothing
    /// beyond the texts themselves can be checked.
    pub(crate) incomplete: bool,
}

impl Layers {
    pub(crate) fn add_source(&mut self, name: String, text: String, folder: PathBuf) -> usize {
        self.sources.push(SourceText { name, text });
        self.folders.push(folder);
        self.sources.len() - 1
    }

    /// Reads the study file and, from file to file, what it extends.
    pub(crate) fn read_files(&mut self, entry: &Path, read: Read<'_>, report: &mut Reporter) {
        let mut chain: Vec<PathBuf> = vec![entry.to_path_buf()];
        let mut wanted_at: Option<At> = None;
        while let Some(path) = chain.last().cloned() {
            let name = path.display().to_string();
            let text = match read(&path) {
                Ok(text) => text,
                Err(error) => return self.unreadable(&name, &error, wanted_at, report),
            };
            let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
            let source = self.add_source(name, text, folder.clone());
            let Some(mut table) = parse(&self.sources[source].text, source, report) else {
                self.incomplete = true;
                return;
            };
            structure::check_file(&mut table, report);
            let extends = table.remove("extends");
            self.files.insert(0, table);
            let Some(Node { value: Value::String(target), at }) = extends else { return };
            let next = joined(&folder, &target);
            let is_next =
                |earlier: &PathBuf| joined(Path::new(""), &earlier.to_string_lossy()) == next;
            let cycle = chain.iter().position(is_next);
            chain.push(next);
            if cycle.is_some() || chain.len() > LONGEST_CHAIN {
                let names: Vec<_> = chain[cycle.unwrap_or(0)..]
                    .iter()
                    .map(|path| format!("`{}`", path.display()))
                    .collect();
                let what = format!("`extends` goes in a circle: {}", names.join(" -> "));
                let help = Some("a file cannot extend itself; take one `extends` out".into());
                self.incomplete = true;
                return report.error(&at, what, "closes the circle".into(), help);
            }
            wanted_at = Some(at);
        }
    }

    fn unreadable(
        &mut self,
        name: &str,
        error: &io::Error,
        wanted_at: Option<At>,
        report: &mut Reporter,
    ) {
        self.incomplete = true;
        let why = match error.kind() {
            io::ErrorKind::NotFound => "no such file".to_string(),
            io::ErrorKind::InvalidData => "not UTF-8 text".to_string(),
            _ => error.to_string(),
        };
        let what = format!("cannot read `{name}`");
        match wanted_at {
            Some(at) => {
                let help = "`extends` is relative to the folder of the file that writes it";
                report.error(&at, what, why, Some(help.into()));
            }
            None => {
                let source = self.add_source(name.into(), String::new(), PathBuf::new());
                report.error(&At { source, span: 0..0 }, what, why, None);
            }
        }
    }

    /// Reads `--set` arguments.
    pub(crate) fn read_arguments(&mut self, arguments: &[String], report: &mut Reporter) {
        for argument in arguments {
            let source = self.add_source("--set".into(), argument.clone(), PathBuf::new());
            let Some(mut table) = parse_argument(argument, source, report) else { continue };
            structure::check_file(&mut table, report);
            for key in ["extends", "profile"] {
                let Some(entry) = table.entry(key) else { continue };
                let what = format!("`{key}` cannot be set here");
                let help = match key {
                    "extends" => "write `extends` into the study file",
                    _ => "set the key itself: arguments are laid over profiles",
                };
                report.error(&entry.key_at, what, "has no effect".into(), Some(help.into()));
            }
            self.arguments.push(table);
        }
    }
}

/// A path of a study file, joined with the folder that it is relative to, without `.` and,
/// where possible, without `..`.
pub(crate) fn joined(folder: &Path, path: &str) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(plain.components().next_back(), Some(Component::Normal(_))) =>
            {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

fn parse(text: &str, source: usize, report: &mut Reporter) -> Option<Table> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        report_syntax(error, source, text, report);
    }
    errors.is_empty().then(|| Table::from_toml(table.get_ref(), source))
}

fn report_syntax(error: &toml::de::Error, source: usize, text: &str, report: &mut Reporter) {
    let span = error.span().unwrap_or(text.len()..text.len());
    let what = "this is not TOML".to_string();
    report.error(&At { source, span }, what, error.message().to_string(), None);
}

fn parse_argument(argument: &str, source: usize, report: &mut Reporter) -> Option<Table> {
    let whole = At { source, span: 0..argument.len() };
    let help = || Some("write for example --set train.learning_rate=3e-4".to_string());
    let Some((key, word)) = argument.split_once('=') else {
        let what = format!("`{argument}` sets nothing");
        report.error(&whole, what, "`=` is missing".into(), help());
        return None;
    };
    if argument.contains(['\n', '\r']) || key.trim_start().starts_with('[') {
        let what = "an argument sets one key".to_string();
        report.error(&whole, what, "more than one line or a table header".into(), help());
        return None;
    }
    let error = match DeTable::parse(argument) {
        Ok(table) => return Some(Table::from_toml(table.get_ref(), source)),
        Err(error) => error,
    };
    // Not TOML: a bare word such as `gpt2` or `400k` is taken for a string.
    let placeholder = format!("{key}=0");
    let plain = |c: char| c.is_alphanumeric() || "._%/+-*~".contains(c);
    let value = word.trim();
    match DeTable::parse(&placeholder) {
        Ok(table) if !value.is_empty() && value.chars().all(plain) => {
            let mut table = Table::from_toml(table.get_ref(), source);
            let start = argument.len() - word.trim_start().len();
            let at = At { source, span: start..start + value.len() };
            set_leaf(&mut table, &Node { value: Value::String(value.into()), at });
            Some(table)
        }
        _ => {
            report_syntax(&error, source, argument, report);
            None
        }
    }
}

fn set_leaf(table: &mut Table, leaf: &Node) {
    if let Some(entry) = table.entries.first_mut() {
        match &mut entry.node.value {
            Value::Table(inner) if !inner.entries.is_empty() => set_leaf(inner, leaf),
            _ => entry.node = leaf.clone(),
        }
    }
}

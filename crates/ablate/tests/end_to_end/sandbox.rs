//! A folder of its own for each test: study files in `desk`, everything that a run makes in `root`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A study of two variants and two seeds with a few thousand weights each.
pub(crate) const TINY: &str = r#"
[study]
name = "tiny"
seeds = [1, 2]

[corpus]
bytes = "60kB"
validation_bytes = "2kB"

[tokenizer]
vocabulary = 300

[model]
depth = 1
width = 16
heads = 2
context = 32
ffn.size = 24

[train]
tokens = 5120
batch_tokens = 256
learning_rate = 1e-2
validations = 2

[eval]
benchmarks = ["boolq", "xsum"]
items = 4
max_new_tokens = 4

[[design.list]]
name = "plain"

[[design.list]]
name = "deep"
set.model.depth = 2
"#;

/// The tiny study as a ladder with an ingredient of every axis.
const LADDER: &str = r#"
[parents.teacher]
model = { depth = 3, width = 24, heads = 3 }

[[design.ladder]]
name = "baseline"

[[design.ladder]]
name = "compact"
set.tokenizer = { vocabulary = 280, build.compact = { from = 300 } }

[[design.ladder]]
name = "deep"
set.model.depth = 2

[[design.ladder]]
name = "inherited"
set.init.inherit = { parent = "teacher", first = 1, last = 1, width = "l2" }

[[design.ladder]]
name = "rounds"
set.rounds = { count = 2, rate = 0.5 }
"#;

/// [`TINY`] as a ladder.
pub(crate) fn ladder() -> String {
    let (base, _) = TINY.split_once("[[design.list]]").unwrap();
    format!("{base}{LADDER}")
}

/// Where a test plays. Removed when it is dropped.
pub(crate) struct Sandbox {
    folder: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let folder = TempDir::with_prefix("ablate-").unwrap();
        for name in ["desk", "home", "temporary"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    /// One with a study file `tiny.toml`.
    pub(crate) fn with_study(text: &str) -> Self {
        let sandbox = Self::new();
        sandbox.write("tiny.toml", text);
        sandbox
    }

    /// A path relative to the folder that commands are started in.
    pub(crate) fn desk(&self, name: &str) -> PathBuf {
        self.folder.path().join("desk").join(name)
    }

    /// What commands get as `--root`. It is not there until one makes it. Its name is as odd as
    /// those of users.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("my räume [1] 根")
    }

    /// The report of the study `tiny`.
    pub(crate) fn report(&self) -> PathBuf {
        self.root().join("reports").join("tiny")
    }

    /// Writes a file for commands to read.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.desk(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// A command with these arguments and this root, not started yet.
    pub(crate) fn command_in(&self, root: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ablate"));
        command
            .args(arguments)
            .current_dir(self.folder.path().join("desk"))
            .env("ABLATE_ROOT", root)
            .env("HOME", self.folder.path().join("home"))
            .env("TMPDIR", self.folder.path().join("temporary"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// A command with these arguments, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_in(&self.root(), arguments)
    }

    /// Runs a command to its end.
    pub(crate) fn ablate(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments))
    }

    /// Runs a command that must succeed, and returns its standard output.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let ended = self.ablate(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}\n{ended}");
        ended.stdout
    }

    /// Runs a command that must succeed and prints JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let text = self.succeed(arguments);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Everything outside of `root`, by path: what no command may touch.
    pub(crate) fn outside(&self) -> Vec<(PathBuf, Vec<u8>)> {
        files(self.folder.path())
            .into_iter()
            .filter(|path| !path.starts_with(self.root()))
            .map(|path| (path.clone(), fs::read(&path).unwrap()))
            .collect()
    }
}

impl Ended {
    pub(crate) fn of(mut command: Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// No command may ever end like this.
    pub(crate) fn assert_no_panic(&self) {
        for text in [&self.stdout, &self.stderr] {
            for sign in ["panicked", "RUST_BACKTRACE", "stack backtrace"] {
                assert!(!text.contains(sign), "{self}");
            }
        }
    }
}

impl From<std::process::Output> for Ended {
    fn from(output: std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {:?}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// All files below a folder, sorted; none when there is no such folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        // What is gone by now was a temporary file of a running command.
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(_) => found.push(entry.path()),
                Err(_) => {}
            }
        }
    }
    found.sort();
    found
}

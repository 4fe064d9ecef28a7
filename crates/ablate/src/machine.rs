//! What this machine is.

use std::num::NonZero;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// Facts that timings and provenance need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's own name.
    pub cpu: String,
    /// Logical cores that this process may use.
    pub cores: usize,
    /// Bytes of memory.
    pub memory: u64,
}

impl Machine {
    /// Looks.
    pub fn current() -> Self {
        let system = System::new_with_specifics(
            RefreshKind::nothing()
                .with_cpu(CpuRefreshKind::nothing())
                .with_memory(MemoryRefreshKind::nothing().with_ram()),
        );
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let Ok(system) = system else {
            // A system that hides its facts: a small machine is the safe guess.
            return Self { cpu: "unknown".to_owned(), cores, memory: 4 << 30 };
        };
        let cpu = system.cpus().first().map_or("unknown", |cpu| cpu.brand()).trim().to_owned();
        Self { cpu, cores, memory: system.total_memory() }
    }
}

/// The most bytes of memory that this process has held, 0 where the system does not say.
pub fn peak_memory() -> u64 {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: `getrusage` fills what it is given; all zeros are a value of the type.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    let peak = u64::try_from(usage.ru_maxrss).unwrap_or(0);
    // Bytes on macOS, kilobytes elsewhere.
    if cfg!(target_os = "macos") { peak } else { peak.saturating_mul(1024) }
}

/// Times that a killed `git` is asked again.
const ATTEMPTS: usize = 5;

/// The commit of the source tree that the program was built from, if that is still where it was; with
/// `-dirty` when files differ from it now. The folder that the program is run in may be a repository
/// as well: that is its user's, and says nothing about the program.
pub fn commit() -> Option<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    commit_of(source)
}

/// The commit of a repository, where this folder is its root.
fn commit_of(root: &Path) -> Option<String> {
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(root).args(args).env_remove("GIT_DIR").env_remove("GIT_WORK_TREE");
        // Whoever kills it (the OOM killer) says nothing about the tree: results must not depend on it.
        let mut ends = (0..ATTEMPTS).map(|_| command.output());
        let output = ends.find(|end| end.as_ref().map_or(true, |end| end.status.code().is_some()));
        let output = output?.ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // A package that cargo unpacked may lie within a repository of something else.
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let dirty = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if dirty { format!("{commit}-dirty") } else { commit })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(root: &Path, args: &[&str]) {
        let names = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
        let done = Command::new("git").arg("-C").arg(root).args(names).args(args).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    #[test]
    fn a_commit_is_of_a_root_and_says_whether_files_differ() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("inner")).unwrap();
        std::fs::write(root.join("inner/file"), "a").unwrap();
        git(root, &["init", "--quiet"]);
        assert_eq!(commit_of(root), None);
        git(root, &["add", "."]);
        git(root, &["commit", "--quiet", "--message", "first"]);
        let clean = commit_of(root).unwrap();
        assert!(clean.len() >= 12 && clean.chars().all(|c| c.is_ascii_hexdigit()), "{clean}");
        // Files that are not in the repository are no part of the source.
        std::fs::write(root.join("other"), "b").unwrap();
        assert_eq!(commit_of(root), Some(clean.clone()));
        std::fs::write(root.join("inner/file"), "b").unwrap();
        assert_eq!(commit_of(root), Some(format!("{clean}-dirty")));
        assert_eq!(commit_of(&root.join("inner")), None);
        assert_eq!(commit_of(&root.join("missing")), None);
    }
}

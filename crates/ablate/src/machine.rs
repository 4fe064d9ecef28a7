//! What this machine is.

use std::num::NonZero;
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

/// The commit of the program's source tree, if it is run inside one; with `-dirty` when files
/// differ from it.
pub fn commit() -> Option<String> {
    let git = |args: &[&str]| {
        // Whoever kills it (the OOM killer) says nothing about the tree: results must not depend on it.
        let mut ends = (0..ATTEMPTS).map(|_| Command::new("git").args(args).output());
        let output = ends.find(|end| end.as_ref().map_or(true, |end| end.status.code().is_some()));
        let output = output?.ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let dirty = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if dirty { format!("{commit}-dirty") } else { commit })
}

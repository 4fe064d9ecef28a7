//! Who holds a lease.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A process that holds a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Name of its machine.
    pub host: String,
    /// Its process id.
    pub pid: u32,
    /// Start time of that process in clock ticks, so that a reused id is not taken for it.
    pub started: u64,
    /// The boot of that machine and the space of its process ids: only where both are ours can we
    /// look whether the process is still there. Machines (and containers) may share a name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub boot: String,
    /// A name that no other lease has ever had.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub token: String,
    /// What the process is a start of, where a cluster may start the same work again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Claim>,
}

/// A start of a cluster's task. The cluster may start a task again while an earlier start of it is
/// still alive on a node that it has lost: the later start has the higher number, and wins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The task: of which submission, which job, which index.
    pub task: String,
    /// How often the cluster has started it before.
    pub attempt: u64,
    /// What the task writes, where that is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<PathBuf>,
}

impl Owner {
    /// This process, with a token of its own.
    pub fn current() -> Self {
        let pid = std::process::id();
        Self {
            host: host(),
            pid,
            started: start_time(pid).unwrap_or(0),
            boot: BOOT.clone(),
            token: token(),
            claim: None,
        }
    }

    /// Whoever has not written down yet who it is.
    pub(crate) fn unknown() -> Self {
        Self {
            host: "unknown".to_owned(),
            pid: 0,
            started: 0,
            boot: String::new(),
            token: String::new(),
            claim: None,
        }
    }

    /// Whether the process is known to be gone: it ran here and is no more.
    pub(crate) fn gone(&self) -> bool {
        // Owners of before there were boots in leases are looked for by name.
        let here = self.host == host() && (self.boot.is_empty() || self.boot == *BOOT);
        here && self.pid != 0 && start_time(self.pid) != Some(self.started)
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {} on {}", self.pid, self.host)
    }
}

static BOOT: LazyLock<String> = LazyLock::new(|| {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let space = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    if boot.is_empty() {
        return String::new();
    }
    format!("{} {}", boot.trim(), space.display())
});

/// Sixteen hexadecimal digits that no other process and no other call ever gets.
pub(crate) fn token() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let pid = std::process::id();
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let text = format!("{} {} {pid} {:?} {time} {call}", host(), *BOOT, start_time(pid));
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

fn host() -> String {
    let mut buffer = [0_u8; 256];
    // SAFETY: the buffer outlives the call and its length is passed along.
    let status = unsafe { libc::gethostname(buffer.as_mut_ptr().cast(), buffer.len() - 1) };
    if status != 0 {
        return "unknown".to_owned();
    }
    let end = buffer.iter().position(|&byte| byte == 0).unwrap_or(buffer.len());
    String::from_utf8_lossy(&buffer[..end]).into_owned()
}

/// Start time of a process, or `None` when there is none (or it is a zombie).
fn start_time(pid: u32) -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold spaces: count fields after it.
        let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace();
        if fields.next()? == "Z" {
            return None;
        }
        fields.nth(18)?.parse().ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let pid = i32::try_from(pid).ok()?;
        // SAFETY: signal 0 only asks whether the process exists.
        (unsafe { libc::kill(pid, 0) } == 0).then_some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_all_different() {
        let tokens: std::collections::BTreeSet<String> = (0..1000).map(|_| token()).collect();
        assert_eq!(tokens.len(), 1000);
        assert!(tokens.iter().all(|token| token.len() == 16));
    }

    #[test]
    fn only_processes_of_this_boot_can_be_seen_to_be_gone() {
        let current = Owner::current();
        assert!(!current.gone());
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let gone = Owner { pid: child.id(), ..current.clone() };
        child.wait().unwrap();
        assert!(gone.gone());
        assert!(!Owner { host: "elsewhere".into(), ..gone.clone() }.gone());
        assert!(!Owner { boot: "another boot".into(), ..gone.clone() }.gone());
        assert!(Owner { boot: String::new(), ..gone }.gone(), "as older programs wrote it");
    }

    #[test]
    fn owners_of_older_programs_are_read() {
        let old: Owner = serde_json::from_str(r#"{"host":"a","pid":7,"started":9}"#).unwrap();
        assert_eq!((old.host.as_str(), old.pid, old.claim), ("a", 7, None));
    }
}

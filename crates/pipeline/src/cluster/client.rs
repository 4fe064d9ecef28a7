//! Slurm's commands. Each has a time limit: a daemon that hangs must not hang us.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::queue::{FORMAT, QueueState, QueuedTask, parse};

/// Why Slurm did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SlurmError {
    /// There is no Slurm here.
    #[error(
        "`{0}` is not among the programs of this machine: run this where Slurm's commands are \
         (a login node, after `module load slurm` on some), or write the files without submitting \
         them with `--launcher script`"
    )]
    NotInstalled(&'static str),
    /// It has no configuration here.
    #[error(
        "`{program}` finds no configuration of a cluster (`SLURM_CONF`, `/etc/slurm/slurm.conf`): \
         {said}"
    )]
    NoConfiguration {
        /// The command.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// The controller does not answer.
    #[error(
        "Slurm's controller does not answer `{program}` ({said}); `scontrol ping` says more. What is \
         submitted and what is stored is safe: try again later"
    )]
    NoController {
        /// The command.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// Munge is down or does not agree.
    #[error(
        "Slurm does not know who we are: munge does not answer `{program}` on this machine ({said}). \
         What is submitted and what is stored is safe: try again when `munge -n` works"
    )]
    NoAuthentication {
        /// The command.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// It took too long.
    #[error(
        "`{program}` did not end within {seconds} s (munge or the controller hangs); give it longer \
         with `cluster.timeout_seconds`, or try again later"
    )]
    TimedOut {
        /// The command.
        program: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// It was killed, as everything of a task is when Slurm starts it again.
    #[error("`{program}` was ended by signal {signal}")]
    Ended {
        /// The command.
        program: &'static str,
        /// The signal.
        signal: i32,
    },
    /// It said no.
    #[error("`{program}` did not do it and says: {said}")]
    Refused {
        /// The command.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// It cannot be started, or its answer makes no sense.
    #[error("`{program}`: {source}")]
    Io {
        /// The command.
        program: &'static str,
        /// The reason.
        source: io::Error,
    },
}

/// A Slurm that is spoken to by its commands.
#[derive(Clone, Debug)]
pub struct Slurm {
    /// Where the commands are; empty for those of `PATH`.
    folder: PathBuf,
    limit: Duration,
}

impl Slurm {
    /// Slurm by the commands of `PATH`, each for so long at most.
    pub fn new(limit: Duration) -> Self {
        Self { folder: PathBuf::new(), limit }
    }

    #[cfg(test)]
    pub(crate) fn in_folder(folder: &Path, limit: Duration) -> Self {
        Self { folder: folder.to_owned(), limit }
    }

    /// Submits a script; returns the id of its job.
    ///
    /// # Errors
    /// When Slurm says no or does not answer. In the latter case it may have taken the job.
    pub(crate) fn submit(
        &self,
        options: &[String],
        script: &Path,
        first: usize,
    ) -> Result<String, SlurmError> {
        let mut arguments = vec!["--parsable".to_owned()];
        arguments.extend_from_slice(options);
        arguments.push(script.display().to_string());
        arguments.push(first.to_string());
        let said = self.call("sbatch", &arguments)?;
        // `ID` or `ID;CLUSTER`.
        let id = said.trim().split(';').next().unwrap_or_default().to_owned();
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            let source = io::Error::other(format!("says {said:?} instead of the id of a job"));
            return Err(SlurmError::Io { program: "sbatch", source });
        }
        Ok(id)
    }

    /// This user's tasks that Slurm knows of, those that ended lately among them.
    ///
    /// # Errors
    /// When Slurm does not answer.
    pub fn queue(&self) -> Result<Vec<QueuedTask>, SlurmError> {
        let arguments = ["--me", "-r", "-h", "-t", "all", "-o", FORMAT].map(str::to_owned);
        Ok(parse(&self.call("squeue", &arguments)?))
    }

    /// Cancels jobs.
    ///
    /// # Errors
    /// When Slurm says no or does not answer.
    pub fn cancel(&self, jobs: &BTreeSet<String>) -> Result<(), SlurmError> {
        if jobs.is_empty() {
            return Ok(());
        }
        self.call("scancel", &jobs.iter().cloned().collect::<Vec<_>>()).map(drop)
    }

    /// Starts a task (`JOB_INDEX`, never the raw id of one: that of the last task is the array's) again.
    ///
    /// # Errors
    /// When Slurm says no or does not answer.
    pub fn requeue(&self, task: &str) -> Result<(), SlurmError> {
        self.call("scontrol", &["requeue".to_owned(), task.to_owned()]).map(drop)
    }

    /// One more than the largest index of an array.
    ///
    /// # Errors
    /// When Slurm does not answer.
    pub fn max_array_size(&self) -> Result<Option<usize>, SlurmError> {
        let said = self.call("scontrol", &["show".to_owned(), "config".to_owned()])?;
        let line = said.lines().find_map(|line| line.trim().strip_prefix("MaxArraySize"));
        Ok(line.and_then(|rest| rest.trim_start_matches([' ', '=']).trim().parse().ok()))
    }

    /// The last known states of jobs that the queue has forgotten; none where the site keeps no
    /// accounts, or does not answer.
    pub fn accounts(&self, jobs: &BTreeSet<String>) -> Vec<(String, QueueState)> {
        if jobs.is_empty() {
            return Vec::new();
        }
        let ids = jobs.iter().cloned().collect::<Vec<_>>().join(",");
        // Without a start, only today's are shown.
        let fixed = ["-X", "-P", "-n", "--starttime=1970-01-01", "-o", "JobID,State", "-j"];
        let mut arguments: Vec<String> = fixed.iter().map(|word| (*word).to_owned()).collect();
        arguments.push(ids);
        let said = self.call("sacct", &arguments).unwrap_or_default();
        let pair = |line: &str| {
            let (id, state) = line.split_once('|')?;
            // `CANCELLED by 1000`.
            Some((id.to_owned(), QueueState::of(state.split(' ').next()?, "")))
        };
        said.lines().filter_map(pair).collect()
    }

    fn call(&self, program: &'static str, arguments: &[String]) -> Result<String, SlurmError> {
        let io = |source| SlurmError::Io { program, source };
        let path = if self.folder.as_os_str().is_empty() {
            PathBuf::from(program)
        } else {
            self.folder.join(program)
        };
        let spawned = Command::new(path)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = match spawned {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SlurmError::NotInstalled(program));
            }
            spawned => spawned.map_err(io)?,
        };
        let out = collect(child.stdout.take());
        let errors = collect(child.stderr.take());
        let Some(status) = wait(&mut child, self.limit).map_err(io)? else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(SlurmError::TimedOut { program, seconds: self.limit.as_secs() });
        };
        let (out, errors) = (out.join().unwrap_or_default(), errors.join().unwrap_or_default());
        if let Some(signal) = status.signal() {
            return Err(SlurmError::Ended { program, signal });
        }
        if status.success() { Ok(out) } else { Err(refusal(program, &errors)) }
    }
}

fn collect(from: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            let _ = from.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<std::process::ExitStatus>> {
    let until = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(50));
    }
}

/// What a failed command means, by the words that Slurm uses.
fn refusal(program: &'static str, errors: &str) -> SlurmError {
    let lines: Vec<&str> = errors.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let said = match lines.is_empty() {
        true => "it gives no reason".to_owned(),
        false => lines[lines.len().saturating_sub(3)..].join("; "),
    };
    let has = |words: &[&str]| words.iter().any(|word| errors.contains(word));
    if has(&["Munge", "munge", "authentication"]) {
        SlurmError::NoAuthentication { program, said }
    } else if has(&["Unable to contact slurm controller", "Connection refused"]) {
        SlurmError::NoController { program, said }
    } else if has(&[
        "configuration source",
        "resolve_ctls_from_dns_srv",
        "Unable to process config",
    ]) {
        SlurmError::NoConfiguration { program, said }
    } else {
        SlurmError::Refused { program, said }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long enough for a command that answers, however busy the machine is.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// Commands that say what the real ones said (22.05.8).
    fn speaking(program: &str, script: &str) -> (tempfile::TempDir, Slurm) {
        let folder = tempfile::tempdir().unwrap();
        // A shell writes it: a file that this process writes is open for writing in whatever child
        // another test starts meanwhile, and cannot be executed for so long (`ETXTBSY`).
        let written = Command::new("sh")
            .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$1" > "$2" && chmod 755 "$2""#, "sh", script])
            .arg(folder.path().join(program))
            .status()
            .unwrap();
        assert!(written.success(), "{written}");
        let slurm = Slurm::in_folder(folder.path(), PATIENCE);
        (folder, slurm)
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        let error = |script: &str| {
            let (_folder, slurm) = speaking("squeue", script);
            slurm.queue().unwrap_err()
        };
        let down = error(
            "echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2\nexit 1",
        );
        assert!(matches!(down, SlurmError::NoController { .. }), "{down}");
        let munge = error(
            "echo 'squeue: error: If munged is up, restart with --num-threads=10' >&2\n\
             echo 'Munge encode failed: Failed to access' >&2\nexit 1",
        );
        assert!(matches!(munge, SlurmError::NoAuthentication { .. }), "{munge}");
        let none =
            error("echo 'squeue: fatal: Could not establish a configuration source' >&2\nexit 1");
        assert!(matches!(none, SlurmError::NoConfiguration { .. }), "{none}");
        let no = error("echo 'error: Invalid user' >&2\nexit 1");
        assert!(no.to_string().contains("says: error: Invalid user"), "{no}");
        let (_folder, slurm) = speaking("squeue", "");
        let absent = slurm.requeue("1_2").unwrap_err();
        assert!(absent.to_string().contains("--launcher script"), "{absent}");
    }

    #[test]
    fn a_command_that_hangs_is_left() {
        let (folder, _) = speaking("squeue", "exec sleep 600");
        let clock = Instant::now();
        let hangs =
            Slurm::in_folder(folder.path(), Duration::from_millis(500)).queue().unwrap_err();
        assert!(matches!(hangs, SlurmError::TimedOut { .. }), "{hangs}");
        assert!(clock.elapsed() < PATIENCE);
    }

    #[test]
    fn ids_are_numbers() {
        let id = |script: &str| {
            let (_folder, slurm) = speaking("sbatch", script);
            slurm.submit(&[], Path::new("submit.sbatch"), 0)
        };
        assert_eq!(id("echo 123").unwrap(), "123");
        assert_eq!(id("echo '123;cluster'").unwrap(), "123");
        assert!(id("echo Submitted").unwrap_err().to_string().contains("Submitted"));
    }

    #[test]
    fn the_largest_array_is_read() {
        let (_folder, slurm) = speaking("scontrol", "echo 'MaxArraySize            = 1001'");
        assert_eq!(slurm.max_array_size().unwrap(), Some(1001));
    }
}

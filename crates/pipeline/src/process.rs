//! Worker processes, seen from the launcher.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;

use crate::cause::Cause;
use crate::graph::{Node, NodeId};
use crate::protocol::{Failure, FailureKind, Message, Task};
use crate::space::in_words;

/// How a worker is started.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// The node.
    pub node: &'a Node,
    /// Threads that the worker may keep busy.
    pub threads: usize,
}

/// Builds the command line of a worker. The scheduler adds the pipes.
pub struct WorkerCommand(pub Box<dyn Fn(Launch<'_>) -> Command>);

/// What the scheduler hears of a worker.
pub(crate) enum News {
    Said(Message),
    Ended,
}

/// A worker at work.
pub(crate) struct Worker {
    child: Child,
    /// Kept open for as long as the launcher lives: its end is how a worker learns of it.
    _stdin: ChildStdin,
    log: PathBuf,
    pub(crate) threads: usize,
}

impl Worker {
    /// Starts a worker and a thread that passes on what it says.
    pub(crate) fn start(
        mut command: Command,
        task: &Task,
        log: &Path,
        (id, threads): (NodeId, usize),
        news: Sender<(NodeId, News)>,
    ) -> io::Result<Self> {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder)?;
        }
        let errors = fs::OpenOptions::new().create(true).append(true).open(log)?;
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(errors))
            .spawn()?;
        let mut line = serde_json::to_vec(task)?;
        line.push(b'\n');
        let mut stdin = child.stdin.take().ok_or_else(|| io::Error::other("no pipe"))?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no pipe"))?;
        // A worker that ends before it reads its task is reported when its output ends.
        let _ = stdin.write_all(&line).and_then(|()| stdin.flush());
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Ok(message) = serde_json::from_str(&line) {
                    let _ = news.send((id, News::Said(message)));
                }
            }
            let _ = news.send((id, News::Ended));
        });
        Ok(Self { child, _stdin: stdin, log: log.to_owned(), threads })
    }

    /// Asks the worker to stop and keep what can be resumed.
    pub(crate) fn terminate(&self) {
        self.signal(libc::SIGTERM);
    }

    /// Ends the worker now.
    pub(crate) fn kill(&self) {
        self.signal(libc::SIGKILL);
    }

    fn signal(&self, signal: i32) {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            // SAFETY: the child was not waited for yet, so its id is still its own.
            unsafe { libc::kill(pid, signal) };
        }
    }

    /// Waits for the end of a worker that said neither that it is done nor that it failed; it was
    /// estimated to need so many bytes of memory. Says as well which process it was.
    pub(crate) fn unexpected_end(mut self, memory: u64) -> (Failure, u32) {
        let status = self.child.wait();
        (unexpected_end(status, Some(&self.log), memory), self.child.id())
    }

    /// Waits for the end of a worker that has said how it ended.
    pub(crate) fn reap(mut self) {
        let _ = self.child.wait();
    }
}

/// Why a process ended that said nothing of it: by its status, and by what stands in its log. It was
/// estimated to need so many bytes of memory; 0 when that is not known.
pub fn unexpected_end(status: io::Result<ExitStatus>, log: Option<&Path>, memory: u64) -> Failure {
    use std::os::unix::process::ExitStatusExt;
    let lines = |count| log.map_or_else(String::new, |log| last_lines(log, count));
    // What the standard library says before it gives up stands above a backtrace.
    let allocation = lines(BACKTRACE).contains("memory allocation of ");
    let (mut signal, mut cause) = (None, None);
    let how = match status {
        Ok(status) => {
            signal = status.signal();
            match (signal, status.code()) {
                (Some(libc::SIGKILL), _) => {
                    cause = Some(Cause::Killed);
                    "was killed by signal 9 (by the system when memory runs out, or by \
                     somebody)"
                        .to_owned()
                }
                (Some(libc::SIGABRT), _) if allocation => {
                    cause = Some(Cause::OutOfMemory);
                    "ran out of memory (ended by signal 6)".to_owned()
                }
                (Some(signal), _) => format!("was ended by signal {signal}"),
                (None, Some(101)) => {
                    cause = Some(Cause::Bug);
                    "panicked".to_owned()
                }
                (None, code) => format!("ended with exit code {}", code.unwrap_or(-1)),
            }
        }
        Err(error) => format!("cannot be waited for: {error}"),
    };
    let memory = matches!(cause, Some(Cause::Killed | Cause::OutOfMemory))
        .then_some(memory)
        .filter(|memory| *memory > 0);
    let needed = memory.map_or_else(String::new, |memory| {
        format!("; it was estimated to need {} of memory", in_words(memory))
    });
    let place = log.map_or_else(String::new, |log| format!("; its log is `{}`", log.display()));
    let message = format!("the worker {how}{needed}{place}{}", lines(3));
    let failure = Failure::new(FailureKind::Machine, message);
    Failure { cause, signal, memory, ..failure }
}

/// Lines of a backtrace at most.
const BACKTRACE: usize = 100;

fn last_lines(log: &Path, count: usize) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_default();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!(" and ends with:\n{}", lines[lines.len().saturating_sub(count)..].join("\n"))
}

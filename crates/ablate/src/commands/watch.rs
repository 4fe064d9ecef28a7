//! `ablate status --watch`: a table that follows all variants.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use console::{Term, truncate_str};
use jiff::ZonedDateTime;

use super::{print, say};
use crate::cli::StatusArgs;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::live::{Follower, Room, StudyState};
use crate::root::Root;
use crate::{graph, study};

/// Between two looks, on a terminal and elsewhere.
const INTERVALS: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(30));

pub fn run(root: &Root, args: &StatusArgs) -> CommandResult {
    let loaded = study::load(&args.study)?;
    for warning in &loaded.warnings {
        say(warning);
    }
    let built = graph::build(&loaded.study, &root.benchmarks())?;
    let mut follower = Follower::new(root, &loaded.study.report_name(), built);
    let stop = Arc::new(AtomicUsize::new(0));
    super::run::stop_on_signals(&stop)?;
    let mut screen = Screen::new(Term::buffered_stdout());
    let usual = if screen.is_terminal() { INTERVALS.0 } else { INTERVALS.1 };
    let interval = args.interval.unwrap_or(usual);
    loop {
        let look = follower.look()?;
        screen.show(&|room| look.to_text(room))?;
        match look.state {
            StudyState::Done => return Ok(Exit::Ok),
            StudyState::Failed => return Ok(Exit::FailedVariants),
            StudyState::Running | StudyState::Waiting => {}
        }
        let until = Instant::now() + interval;
        while Instant::now() < until {
            if stop.load(Ordering::SeqCst) > 0 {
                return Ok(Exit::Interrupted);
            }
            let left = until.saturating_duration_since(Instant::now());
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}

/// Where the table is drawn: in its own place on a terminal, one below the other elsewhere.
struct Screen {
    terminal: Option<Term>,
    /// Lines of the table that stands there.
    drawn: usize,
}

impl Screen {
    fn new(term: Term) -> Self {
        let terminal = term.is_term().then_some(term);
        if let Some(term) = &terminal {
            // A cursor that jumps about draws the eye.
            let _ = term.hide_cursor();
        }
        Self { terminal, drawn: 0 }
    }

    fn is_terminal(&self) -> bool {
        self.terminal.is_some()
    }

    /// Shows a table, which is made for what the terminal has room for.
    fn show(&mut self, text: &dyn Fn(Option<Room>) -> String) -> Result<(), CommandError> {
        let time = ZonedDateTime::now().strftime("%H:%M:%S").to_string();
        let Some(term) = &self.terminal else {
            return print(&format!("[{time}] {}\n", text(None)));
        };
        let (height, width) = term.size();
        let room = Room { lines: usize::from(height), columns: usize::from(width) };
        let text = format!("[{time}] {}", text(Some(room)));
        // A line that wraps, or that scrolls away, would be counted wrongly. The last stays empty.
        let most = room.lines.saturating_sub(1).max(1);
        let lines: Vec<_> =
            text.lines().take(most).map(|line| truncate_str(line, room.columns, "…")).collect();
        let drawn = std::mem::replace(&mut self.drawn, lines.len());
        let draw = || -> io::Result<()> {
            term.clear_last_lines(drawn.min(most))?;
            for line in &lines {
                term.write_line(line)?;
            }
            term.flush()
        };
        match draw() {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(CommandError::machine(format!("cannot write to the terminal: {error}")))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if let Some(term) = &self.terminal {
            let _ = term.show_cursor().and_then(|()| term.flush());
        }
    }
}

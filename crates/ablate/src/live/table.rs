//! A look at a study as a table that fits a terminal.

use comfy_table::ContentArrangement;
use console::measure_text_width;

use super::look::{Look, Run, RunState, StudyState};
use crate::commands::table::{table, text};

/// Lines of the table besides its rows, with what stands above and below it.
const AROUND: usize = 6;
/// Columns that a narrow terminal does without, the first first.
const DISPENSABLE: [&str; 6] = ["host", "tokens/s", "stage", "left", "loss", "seed"];

/// How much a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub lines: usize,
    pub columns: usize,
}

/// A column: its title, with `>` where it holds numbers, and what it says of a row.
type Column = (&'static str, fn(&Run) -> String);

const COLUMNS: [Column; 9] = [
    ("variant", |run| run.variant.clone()),
    (">seed", |run| run.seed.to_string()),
    ("state", |run| run.state.word().to_owned()),
    ("stage", |run| run.stage.clone()),
    (">step", |run| match (run.step, run.steps) {
        (Some(step), Some(steps)) => format!("{step}/{steps}"),
        (Some(step), None) => step.to_string(),
        _ => String::new(),
    }),
    (">loss", |run| run.loss.map_or_else(String::new, |loss| format!("{loss:.3}"))),
    (">tokens/s", |run| run.tokens_per_second.map_or_else(String::new, |v| format!("{v:.0}"))),
    (">left", |run| run.seconds_left.map_or_else(String::new, whole)),
    ("host", |run| run.host.clone().unwrap_or_default()),
];

impl Look {
    /// The table. Of more rows than a terminal shows those are left out that are done, then those that
    /// wait; of more columns those that say nothing of any row, then some that can be done without.
    pub fn to_text(&self, room: Option<Room>) -> String {
        let Self { study, done, stages, .. } = self;
        let mut out = match self.state {
            StudyState::Running => format!("{study}: {done} of {stages} stages done, running\n"),
            StudyState::Waiting => {
                format!("{study}: {done} of {stages} stages done, nobody is at work on it\n")
            }
            StudyState::Failed => {
                format!("{study}: {done} of {stages} stages done, over with failures\n")
            }
            StudyState::Done => format!("{study}: all {stages} stages done\n"),
        };
        let (shown, left) = self.fitting(room.map(|room| room.lines));
        let mut columns: Vec<Column> = COLUMNS
            .into_iter()
            .filter(|(_, cell)| shown.iter().any(|run| !cell(run).is_empty()))
            .collect();
        let mut rows = lay_out(&columns, &shown);
        for name in DISPENSABLE {
            let wide = rows.lines().map(measure_text_width).max().unwrap_or(0);
            if room.is_none_or(|room| wide <= room.columns) {
                break;
            }
            columns.retain(|(title, _)| title.trim_start_matches('>') != name);
            rows = lay_out(&columns, &shown);
        }
        out += &rows;
        if !left.is_empty() {
            out += &format!("and {left}\n");
        }
        if let Some(why) = &self.slurm_error {
            out += &format!("what is shown is the store alone: {why}\n");
        }
        out
    }

    /// The rows that are shown, in their order, and what the others are in words.
    fn fitting(&self, lines: Option<usize>) -> (Vec<&Run>, String) {
        let room = lines.map_or(usize::MAX, |lines| lines.saturating_sub(AROUND).max(1));
        let mut order: Vec<usize> = (0..self.runs.len()).collect();
        // Stable: within a state the first ones stay.
        order.sort_by_key(|index| self.runs[*index].state);
        let rest = order.split_off(room.min(order.len()));
        order.sort_unstable();
        let mut parts = Vec::new();
        for state in [
            RunState::Running,
            RunState::Failed,
            RunState::Interrupted,
            RunState::Waiting,
            RunState::Done,
        ] {
            let count = rest.iter().filter(|index| self.runs[**index].state == state).count();
            if count > 0 {
                parts.push(format!("{count} more {}", state.word()));
            }
        }
        (order.into_iter().map(|index| &self.runs[index]).collect(), parts.join(", "))
    }
}

/// A duration in whole seconds.
fn whole(seconds: f64) -> String {
    if seconds < 9.5 { format!("{seconds:.0} s") } else { ablate_report::duration(seconds) }
}

/// A line for every row, whatever it takes: what moves is not wrapped.
fn lay_out(columns: &[Column], shown: &[&Run]) -> String {
    let titles: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
    let mut rows = table(&titles);
    rows.set_content_arrangement(ContentArrangement::Disabled);
    for run in shown {
        rows.add_row(columns.iter().map(|(_, cell)| cell(run)));
    }
    text(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look() -> Look {
        let run = |variant: &str, seed, state| Run {
            variant: variant.to_owned(),
            seed,
            state,
            ..Run::default()
        };
        let training = Run {
            stage: "train".to_owned(),
            step: Some(120),
            steps: Some(400),
            loss: Some(3.21987),
            tokens_per_second: Some(5120.4),
            seconds_left: Some(75.0),
            host: Some("node-7".to_owned()),
            ..run("deep", 1, RunState::Running)
        };
        Look {
            study: "tiny".to_owned(),
            done: 3,
            stages: 9,
            state: StudyState::Running,
            runs: vec![
                run("plain", 1, RunState::Done),
                run("plain", 2, RunState::Waiting),
                training,
                run("deep", 2, RunState::Failed),
            ],
            slurm_error: None,
        }
    }

    #[test]
    fn a_row_says_where_a_training_is() {
        let text = look().to_text(None);
        let row = text.lines().find(|line| line.contains("node-7")).unwrap();
        let words: Vec<&str> = row.split_whitespace().collect();
        let expect = [
            "deep", "1", "running", "train", "120/400", "3.220", "5120", "1", "min", "15", "s",
            "node-7",
        ];
        assert_eq!(words, expect);
        assert!(text.starts_with("tiny: 3 of 9 stages done, running\n"), "{text}");
        assert_eq!(text.lines().count(), 7);
    }

    #[test]
    fn what_is_done_leaves_a_short_terminal_first() {
        let look = look();
        let names = |lines: usize| {
            let (shown, left) = look.fitting(Some(lines));
            let name = |run: &&Run| format!("{} {}", run.variant, run.seed);
            (shown.iter().map(name).collect::<Vec<_>>().join(", "), left)
        };
        let all = "plain 1, plain 2, deep 1, deep 2".to_owned();
        assert_eq!(names(AROUND + 4), (all, String::new()));
        let three = ("plain 2, deep 1, deep 2".to_owned(), "1 more done".to_owned());
        assert_eq!(names(AROUND + 3), three);
        let one = "1 more failed, 1 more waiting, 1 more done".to_owned();
        assert_eq!(names(2), ("deep 1".to_owned(), one));
    }

    #[test]
    fn a_narrow_terminal_does_without_some_columns() {
        let titles = |columns: usize| {
            let text = look().to_text(Some(Room { lines: 99, columns }));
            let wide = text.lines().skip(1).map(measure_text_width).max().unwrap();
            assert!(wide <= columns, "{wide} of {columns}:\n{text}");
            text.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let all = "variant seed state stage step loss tokens/s left host";
        assert_eq!(titles(200), all);
        assert_eq!(titles(80), all.trim_end_matches(" host"));
        assert_eq!(titles(60), "variant seed state step loss left");
        // What says nothing is left out in any case.
        let mut waiting = look();
        waiting.runs.retain(|run| run.state == RunState::Waiting);
        let text = waiting.to_text(None);
        let titles: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(titles, ["variant", "seed", "state"]);
    }
}

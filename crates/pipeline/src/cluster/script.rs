//! Batch scripts, for Slurm and for people.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::plan::Wave;
use super::settings::{REPORT, Settings};
use super::submission::{Chunk, ITEMS, LOGS, SCRIPT};
use crate::graph::Graph;

/// Memory of a process besides what a stage is estimated to need.
const PROCESS_BYTES: u64 = 512 << 20;
/// The least time limit that is asked for where none is given, in minutes.
const LEAST_MINUTES: f64 = 15.0;

/// What all scripts of a submission share.
#[derive(Clone, Debug)]
pub struct Launcher<'a> {
    /// The program, by its whole path.
    pub program: PathBuf,
    /// Name of the study.
    pub study: String,
    /// Where the tasks start.
    pub folder: PathBuf,
    /// What they are asked for.
    pub settings: &'a Settings,
    /// Arguments of the program that end the chain (the report), where there are any.
    pub last: Option<Vec<String>>,
}

/// A word of the shell.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-+/=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A path in a line of `#SBATCH`, where a percent sign would be a pattern.
fn pattern(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('%', "%%"))
}

impl Launcher<'_> {
    /// The script of a wave whose files are in `folder`. `pull`: its tasks take whatever is next.
    pub(crate) fn wave(&self, graph: &Graph, wave: &Wave, folder: &Path, pull: bool) -> String {
        let own = self.settings.of(wave.stage);
        let cpus = own.cpus.unwrap_or(1).max(1);
        let estimates = wave.items.iter().map(|id| graph.node(*id).estimate);
        let memory = estimates.clone().map(|estimate| estimate.memory).max().unwrap_or(0);
        let mem = own.mem.unwrap_or_else(|| {
            format!("{}M", (memory + memory / 2 + PROCESS_BYTES).div_ceil(1 << 20))
        });
        // Estimates are of a CPU: with a GPU, the site's own limit is the better guess.
        let time = own.time.or_else(|| {
            let seconds = estimates.map(|estimate| estimate.seconds).fold(0.0, f64::max);
            let minutes = seconds / 60.0 / f64::from(cpus) * 4.0 + LEAST_MINUTES;
            (!wave.on_gpu && !pull).then(|| format!("{}", minutes.ceil() as u64))
        });
        let gpus = own.gpus_per_task.or(match (wave.on_gpu, &self.settings.gres) {
            (true, None) => Some(self.settings.gpus_per_task.unwrap_or(1)),
            _ => None,
        });
        let mut out = format!(
            "#!/bin/bash\n# Wave {} of the study {}: {} items; `{ITEMS}` says which. Written by the \
             launcher,\n# which submits it with an array and dependencies: see `../submit.sh`.\n",
            wave.name,
            self.study,
            wave.items.len()
        );
        let mut line = |text: String| {
            let _ = writeln!(out, "#SBATCH {text}");
        };
        line(format!("--job-name=ablate-{}-{}", slug(&self.study), wave.name));
        line(format!("--chdir=\"{}\"", self.folder.display()));
        line(format!(
            "--output={}",
            pattern(&folder.join(LOGS).join("%A_%a.log")).replace("%%A_%%a", "%A_%a")
        ));
        line("--open-mode=append".to_owned());
        line("--requeue".to_owned());
        line(format!("--signal=B:USR1@{}", self.settings.warning_seconds));
        line("--kill-on-invalid-dep=yes".to_owned());
        line("--nodes=1".to_owned());
        line("--ntasks=1".to_owned());
        line(format!("--cpus-per-task={cpus}"));
        line(format!("--mem={mem}"));
        if let Some(time) = time {
            line(format!("--time={time}"));
        }
        match (gpus, &self.settings.gres) {
            (Some(0), _) => {}
            (Some(gpus), _) => line(format!("--gpus-per-task={gpus}")),
            (None, Some(gres)) if wave.on_gpu => line(format!("--gres={gres}")),
            (None, _) => {}
        }
        out += &self.common(own.partition.as_deref());
        // The program takes the shell's place, so that signals reach it.
        let _ = write!(
            out,
            "exec {} work {} --threads {cpus} --requeues {} --timeout {}",
            quoted(&self.program.display().to_string()),
            quoted(&folder.join(ITEMS).display().to_string()),
            self.settings.requeues,
            self.settings.timeout_seconds,
        );
        out += match pull {
            true => " --drain\n",
            false => " --item $((SLURM_ARRAY_TASK_ID + ${1:-0}))\n",
        };
        out
    }

    /// What every script asks for, and the lines before the program.
    fn common(&self, partition: Option<&str>) -> String {
        let words = [
            ("partition", partition),
            ("account", self.settings.account.as_deref()),
            ("qos", self.settings.qos.as_deref()),
        ];
        let mut out = String::new();
        for (name, value) in words {
            if let Some(value) = value {
                let _ = writeln!(out, "#SBATCH --{name}={value}");
            }
        }
        for option in &self.settings.options {
            let _ = writeln!(out, "#SBATCH {option}");
        }
        out.push('\n');
        for setup in &self.settings.setup {
            let _ = writeln!(out, "{setup}");
        }
        out
    }

    /// The script that ends the chain.
    pub(crate) fn last(&self, name: &str, folder: &Path, arguments: &[String]) -> String {
        let own = self.settings.of(REPORT);
        let mut out = format!("#!/bin/bash\n# The end of the study {}.\n", self.study);
        let mut line = |text: String| {
            let _ = writeln!(out, "#SBATCH {text}");
        };
        line(format!("--job-name=ablate-{}-{name}", slug(&self.study)));
        line(format!("--chdir=\"{}\"", self.folder.display()));
        line(format!(
            "--output={}",
            pattern(&folder.join(LOGS).join("%j.log")).replace("%%j", "%j")
        ));
        line("--open-mode=append".to_owned());
        line("--requeue".to_owned());
        line("--nodes=1".to_owned());
        line("--ntasks=1".to_owned());
        line(format!("--mem={}", own.mem.unwrap_or_else(|| "2G".to_owned())));
        line(format!("--time={}", own.time.unwrap_or_else(|| "30".to_owned())));
        out += &self.common(own.partition.as_deref());
        let words: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
        let program = quoted(&self.program.display().to_string());
        let _ = writeln!(out, "exec {program} {}", words.join(" "));
        out
    }
}

/// The script that submits all chunks by hand.
pub(crate) fn submit_all(study: &str, chunks: &[Chunk]) -> String {
    let mut out = format!(
        "#!/bin/sh\n# Submits every wave of the study {study}; each waits for those that it needs. \
         What is there\n# already is not made again, however often this is run.\nset -eu\n\
         cd \"$(dirname \"$0\")\"\n\
         submit() {{ # WAVE FIRST COUNT OPTIONS...\n\
         \x20   wave=$1 first=$2 count=$3\n    shift 3\n\
         \x20   id=$(sbatch --parsable \"$@\" \"$wave/{SCRIPT}\" \"$first\")\n    id=${{id%%;*}}\n\
         \x20   echo \"$first $count $id\" >>\"$wave/jobs\"\n\
         \x20   echo \"$wave: job $id\"\n}}\n\n"
    );
    for (position, chunk) in chunks.iter().enumerate() {
        let options = chunk.options(|other| format!("$j{other}"));
        let words: Vec<String> = options.iter().map(|option| format!("\"{option}\"")).collect();
        let _ = writeln!(
            out,
            "submit {} {} {} {}\nj{position}=$id",
            chunk.wave,
            chunk.first,
            chunk.count,
            words.join(" ")
        );
    }
    out
}

/// A name for `squeue`.
fn slug(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
        .collect()
}

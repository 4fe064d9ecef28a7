//! What a cluster is asked for: the table `[cluster]` of an execution file.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A setting that cannot be written into a batch script.
#[derive(Debug, thiserror::Error)]
#[error("cluster.{key} = {value:?} {why}")]
pub struct SettingsError {
    key: String,
    value: String,
    why: &'static str,
}

/// How the tasks of a study are run on a cluster. Never part of what a result is stored by.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Partition.
    pub partition: Option<String>,
    /// Account that is charged.
    pub account: Option<String>,
    /// Quality of service.
    pub qos: Option<String>,
    /// GPUs of a task that computes with a GPU.
    pub gpus_per_task: Option<u32>,
    /// How a GPU is asked for where a site wants it so: `gpu:a100:1`, instead of `gpus_per_task`.
    pub gres: Option<String>,
    /// Time limit of a task, in Slurm's words (`4:00:00`).
    pub time: Option<String>,
    /// Memory of a task, in Slurm's words (`8G`).
    pub mem: Option<String>,
    /// Cores of a task, and the threads that it keeps busy.
    pub cpus: Option<u32>,
    /// Tasks of a wave at a time.
    pub array_limit: Option<u32>,
    /// Tasks of an array; asked of Slurm where it is not given.
    pub max_array_size: Option<u32>,
    /// Seconds before its time limit at which a task is told to write a checkpoint.
    pub warning_seconds: u32,
    /// How often a task that runs into its time limit starts again.
    pub requeues: u64,
    /// Seconds that a command of Slurm may take.
    pub timeout_seconds: u64,
    /// Further options of `sbatch`, as they are.
    pub options: Vec<String>,
    /// Shell lines before the task (`module load …`).
    pub setup: Vec<String>,
    /// What one kind of stage is asked for instead.
    pub stage: BTreeMap<String, StageSettings>,
}

/// The table of workers that take whatever is next.
pub(crate) const PULL: &str = "pull";
/// The table of the job that writes the report.
pub(crate) const REPORT: &str = "report";

/// What one kind of stage is asked for instead.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StageSettings {
    /// Partition.
    pub partition: Option<String>,
    /// Time limit.
    pub time: Option<String>,
    /// Memory.
    pub mem: Option<String>,
    /// Cores.
    pub cpus: Option<u32>,
    /// GPUs, also for a stage that would not ask for one.
    pub gpus_per_task: Option<u32>,
    /// Tasks at a time.
    pub array_limit: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            partition: None,
            account: None,
            qos: None,
            gpus_per_task: None,
            gres: None,
            time: None,
            mem: None,
            cpus: None,
            array_limit: None,
            max_array_size: None,
            warning_seconds: 120,
            requeues: 100,
            timeout_seconds: 30,
            options: Vec::new(),
            setup: Vec::new(),
            stage: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// What a kind of stage is asked for.
    pub(crate) fn of(&self, stage: &str) -> StageSettings {
        let own = self.stage.get(stage).cloned().unwrap_or_default();
        StageSettings {
            partition: own.partition.or_else(|| self.partition.clone()),
            time: own.time.or_else(|| self.time.clone()),
            mem: own.mem.or_else(|| self.mem.clone()),
            cpus: own.cpus.or(self.cpus),
            gpus_per_task: own.gpus_per_task,
            array_limit: own.array_limit.or(self.array_limit),
        }
    }

    /// Looks whether every value can stand in a batch script, and every table of a stage is of one of
    /// `stages`, of [`PULL`] or of [`REPORT`].
    ///
    /// # Errors
    /// The first that cannot.
    pub fn check(&self, stages: &[&str]) -> Result<(), SettingsError> {
        for name in self.stage.keys() {
            if ![PULL, REPORT].contains(&name.as_str()) && !stages.contains(&name.as_str()) {
                let why = "is the name of no stage";
                return Err(SettingsError { key: "stage".to_owned(), value: name.clone(), why });
            }
        }
        let mut words: Vec<(String, &Option<String>)> = vec![
            ("partition".into(), &self.partition),
            ("account".into(), &self.account),
            ("qos".into(), &self.qos),
            ("gres".into(), &self.gres),
            ("time".into(), &self.time),
            ("mem".into(), &self.mem),
        ];
        for (name, stage) in &self.stage {
            words.push((format!("stage.{name}.partition"), &stage.partition));
            words.push((format!("stage.{name}.time"), &stage.time));
            words.push((format!("stage.{name}.mem"), &stage.mem));
        }
        for (key, value) in words {
            let Some(value) = value else { continue };
            let plain = |c: char| c.is_ascii_alphanumeric() || "._:,-+/=@".contains(c);
            if value.is_empty() || !value.chars().all(plain) {
                let why = "is not a word that `sbatch` takes: letters, digits and `._:,-+/=@` only";
                return Err(SettingsError { key, value: value.clone(), why });
            }
        }
        for (position, option) in self.options.iter().enumerate() {
            let (key, value) = (format!("options[{position}]"), option.clone());
            if option.contains('\n') {
                return Err(SettingsError { key, value, why: "has more than one line" });
            }
            if !option.starts_with('-') {
                return Err(SettingsError {
                    key,
                    value,
                    why: "is no option: write `--name=value`",
                });
            }
            let name = option.split(['=', ' ']).next().unwrap_or_default();
            const OURS: [&str; 10] = [
                "--array",
                "-a",
                "--dependency",
                "-d",
                "--comment",
                "--output",
                "-o",
                "--open-mode",
                "--parsable",
                "--signal",
            ];
            if OURS.contains(&name) {
                return Err(SettingsError { key, value, why: "is set by the launcher itself" });
            }
        }
        let mut numbers = vec![
            ("cpus".to_owned(), self.cpus),
            ("array_limit".to_owned(), self.array_limit),
            ("max_array_size".to_owned(), self.max_array_size),
            ("timeout_seconds".to_owned(), (self.timeout_seconds == 0).then_some(0)),
        ];
        for (name, stage) in &self.stage {
            numbers.push((format!("stage.{name}.cpus"), stage.cpus));
            numbers.push((format!("stage.{name}.array_limit"), stage.array_limit));
        }
        for (key, number) in numbers {
            if number == Some(0) {
                let value = "0".to_owned();
                return Err(SettingsError { key, value, why: "must be at least 1" });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_a_script_is_refused() {
        let check = |settings: Settings| {
            settings.check(&["train", "eval"]).map_err(|error| error.to_string())
        };
        assert_eq!(check(Settings::default()), Ok(()));
        let text = |value: &str| Some(value.to_owned());
        let time = Settings { time: text("1-04:00:00"), mem: text("8G"), ..Settings::default() };
        assert_eq!(check(time), Ok(()));
        for bad in ["", "a b", "x\n#SBATCH --uid=0", "$(id)", "'"] {
            let settings = Settings { partition: text(bad), ..Settings::default() };
            assert!(check(settings).unwrap_err().contains("cluster.partition"), "{bad:?}");
        }
        for bad in ["constraint=a100", "--a\n--b", "--array=1-2", "-d afterok:1"] {
            let settings = Settings { options: vec![bad.to_owned()], ..Settings::default() };
            assert!(check(settings).unwrap_err().contains("cluster.options[0]"), "{bad:?}");
        }
        let none = StageSettings { cpus: Some(0), ..StageSettings::default() };
        let of = |name: &str, own: &StageSettings| Settings {
            stage: BTreeMap::from([(name.to_owned(), own.clone())]),
            ..Settings::default()
        };
        for settings in [
            Settings { array_limit: Some(0), ..Settings::default() },
            Settings { timeout_seconds: 0, ..Settings::default() },
            of("train", &none),
        ] {
            assert!(check(settings).unwrap_err().contains("at least 1"));
        }
        let own = StageSettings::default();
        assert!(check(of("trian", &own)).unwrap_err().contains("trian"));
        for known in ["eval", PULL, REPORT] {
            assert_eq!(check(of(known, &own)), Ok(()));
        }
    }

    #[test]
    fn a_stage_has_its_own_or_what_all_have() {
        let mut settings = Settings { cpus: Some(4), ..Settings::default() };
        settings.time = Some("1:00".to_owned());
        let own = StageSettings { cpus: Some(1), ..StageSettings::default() };
        settings.stage.insert("eval".to_owned(), own);
        assert_eq!((settings.of("train").cpus, settings.of("eval").cpus), (Some(4), Some(1)));
        assert_eq!(settings.of("eval").time.as_deref(), Some("1:00"));
    }
}

//! The variables of the environment that the program reads, all of them. Nothing else of the environment
//! enters what it makes: a test reads the source and fails where one is read that is not listed.

/// A variable that the program reads.
struct Variable {
    name: &'static str,
    /// What becomes of it.
    #[expect(dead_code, reason = "for whoever reads this list")]
    used_for: &'static str,
}

const VARIABLES: [Variable; 10] = [
    Variable { name: "ABLATE_ROOT", used_for: "where store and reports lie; in no result" },
    Variable { name: "ABLATE_BACKEND", used_for: "what computes; the records of results name it" },
    Variable { name: "USER", used_for: "who accepts a result, in the record of that" },
    Variable { name: "LOGNAME", used_for: "the same where there is no USER" },
    Variable { name: "NO_COLOR", used_for: "how the terminal is written to; kept nowhere" },
    Variable { name: "SLURM_ARRAY_JOB_ID", used_for: "who holds a lease, while it is held" },
    Variable { name: "SLURM_ARRAY_TASK_ID", used_for: "who holds a lease, while it is held" },
    Variable { name: "SLURM_JOB_ID", used_for: "who holds a lease, while it is held" },
    Variable { name: "SLURM_RESTART_COUNT", used_for: "who holds a lease, while it is held" },
    Variable { name: "TMPDIR", used_for: "where files lie that are removed again; in no result" },
];

/// Where files lie that are removed again.
pub fn scratch() -> std::path::PathBuf {
    std::env::temp_dir()
}

/// The value of a listed variable, where it is set.
pub fn read(name: &str) -> Option<String> {
    debug_assert!(VARIABLES.iter().any(|variable| variable.name == name), "`{name}` is not listed");
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

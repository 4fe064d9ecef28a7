//! A run may be killed at any moment: run again, it ends with the same bytes as if nothing had
//! happened.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::live::assert_feeds_are_whole;
use crate::outcome::{Lasting, lasting, of_stage, results};
use crate::sandbox::{Ended, Sandbox, files};

/// A parent, a child in two rounds and a variant from random weights, long enough to be
/// interrupted: trainings of 120 and 60 steps, with a checkpoint every 20 and a point at which they are
/// scored every 24.
const STUDY: &str = r#"
[study]
name = "tiny"
seeds = [1]

[corpus]
bytes = "60kB"
validation_bytes = "2kB"

[tokenizer]
vocabulary = 300

[model]
depth = 2
width = 16
heads = 2
context = 32
ffn.size = 24

[train]
tokens = 30720
batch_tokens = 256
learning_rate = 1e-2
validations = 3

[eval]
benchmarks = ["boolq", "xsum"]
items = 4
max_new_tokens = 4
points = 5

[parents.teacher]
model = { depth = 3, width = 24, heads = 3 }

[[design.list]]
name = "random"

[[design.list]]
name = "child"
set.init.inherit = { parent = "teacher", first = 1, last = 1 }
set.rounds = { count = 2, rate = 0.5 }
"#;

const RUN: [&str; 3] = ["run", "tiny.toml", "--no-progress"];

/// What an undisturbed run leaves, and how long it took.
static UNDISTURBED: LazyLock<(Lasting, Duration)> = LazyLock::new(|| {
    let sandbox = Sandbox::with_study(STUDY);
    let start = Instant::now();
    sandbox.succeed(&RUN);
    (lasting(&sandbox.root()), start.elapsed())
});

/// A run in a process group of its own, with its workers.
struct Running {
    child: Child,
}

impl Running {
    fn start(sandbox: &Sandbox) -> Self {
        let mut command = sandbox.command(&RUN);
        // Nobody reads while it runs: what is printed goes to a file.
        let log = fs::File::create(sandbox.desk("../run.log")).unwrap();
        command.stdout(Stdio::null()).stderr(log).process_group(0);
        Self { child: command.spawn().unwrap() }
    }

    fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    fn signal(&self, target: i32, signal: i32) {
        // SAFETY: the child was not waited for yet, so the id is its own and so is its group's.
        unsafe { libc::kill(target, signal) };
    }

    /// Ends the launcher and all workers at once, as a loss of power does.
    fn kill_all(mut self) {
        self.signal(-self.pid(), libc::SIGKILL);
        self.child.wait().unwrap();
    }

    /// Ends the launcher only; its workers are left behind.
    fn kill_launcher(mut self) {
        self.signal(self.pid(), libc::SIGKILL);
        self.child.wait().unwrap();
    }

    /// Waits until something is the case; false when the run has ended before.
    fn reaches(&mut self, mut moment: impl FnMut() -> bool) -> bool {
        while self.child.try_wait().unwrap().is_none() {
            if moment() {
                return true;
            }
            std::thread::sleep(Duration::from_micros(300));
        }
        false
    }

    /// Ids of the workers.
    fn workers(&self) -> Vec<i32> {
        let pid = self.pid();
        let path = format!("/proc/{pid}/task/{pid}/children");
        let text = fs::read_to_string(path).unwrap_or_default();
        text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }

    fn wait(mut self, sandbox: &Sandbox) -> Ended {
        let status = self.child.wait().unwrap();
        let stderr = fs::read_to_string(sandbox.desk("../run.log")).unwrap();
        Ended { code: status.code(), stdout: String::new(), stderr }
    }
}

/// Whether a path with all these parts exists below the root.
fn exists(root: &Path, parts: &[&str]) -> bool {
    files(root).iter().any(|path| {
        let path = path.to_string_lossy();
        parts.iter().all(|part| path.contains(part))
    })
}

/// Runs to the end and compares with the undisturbed run.
fn finish(sandbox: &Sandbox, when: &str) {
    let ended = sandbox.ablate(&RUN);
    assert_eq!(ended.code, Some(0), "{when}: {ended}");
    lasting(&sandbox.root()).assert_same(&UNDISTURBED.0, when);
    // The lease of a result that was published just before the kill may stay: nobody needs it.
    let left = |path: &str| [".partial", ".tmp", ".new", ".old"].iter().any(|s| path.contains(s));
    let left: Vec<_> =
        files(&sandbox.root()).into_iter().filter(|p| left(&p.to_string_lossy())).collect();
    assert!(left.is_empty(), "{when}: {left:?}");
    assert_feeds_are_whole(&sandbox.root(), "tiny");
}

/// A multiplicative congruential generator (MINSTD): fractions of one.
fn fractions(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state * 48_271 % 2_147_483_647;
        state as f64 / 2_147_483_647.0
    })
}

#[test]
fn killed_at_random_moments() {
    let sandbox = Sandbox::with_study(STUDY);
    let duration = UNDISTURBED.1;
    for (kill, fraction) in fractions(20_240_203).take(8).enumerate() {
        let mut running = Running::start(&sandbox);
        let until = Instant::now() + duration.mul_f64(fraction * 0.7);
        running.reaches(|| Instant::now() >= until);
        // Every other time the workers are left behind.
        if kill % 2 == 0 { running.kill_all() } else { running.kill_launcher() }
    }
    finish(&sandbox, "after kills at random moments");
}

#[test]
fn killed_at_chosen_moments() {
    let sandbox = Sandbox::with_study(STUDY);
    let root = sandbox.root();
    // In the order in which a run comes by; the flag says whether it stays there long enough to
    // be seen for sure.
    let moments: [(&[&str], bool); 10] = [
        (&["corpus/", ".partial/", "train.jsonl"], false),
        (&["shards/", ".partial/", "train.shard"], false),
        (&["train/", ".partial/", "step-000020"], true),
        (&["train/", ".partial/", ".step-", ".tmp"], false),
        (&["train/", ".partial/", "snapshots/step-000048"], false),
        (&["train/", ".partial/", "model.safetensors"], false),
        (&["train/", ".partial/", ".artifact.json"], false),
        (&["eval/", ".lease"], true),
        (&["progress/", ".partial/", "step-0000"], false),
        (&["reports/", ".tiny.new", ".png"], true),
    ];
    for (parts, sure) in moments {
        let mut running = Running::start(&sandbox);
        let reached = running.reaches(|| exists(&root, parts));
        running.kill_all();
        assert!(reached || !sure, "never saw {parts:?}");
    }
    assert!(!sandbox.report().exists(), "the report was killed before it was in place");
    finish(&sandbox, "after kills at chosen moments");
}

#[test]
fn damaged_checkpoints_cost_no_more_than_themselves() {
    let sandbox = Sandbox::with_study(STUDY);
    let root = sandbox.root();
    let mut running = Running::start(&sandbox);
    assert!(running.reaches(|| exists(&root, &["train/", ".partial/", "/step-000020/"])));
    running.kill_all();
    let headers: Vec<_> = files(&root)
        .into_iter()
        .filter(|path| path.to_string_lossy().contains("/step-") && path.ends_with("state.json"))
        .collect();
    assert!(!headers.is_empty(), "{:?}", files(&root));
    for header in headers {
        fs::write(root.join(header), "{}").unwrap();
    }
    finish(&sandbox, "after all checkpoints were damaged");
}

#[test]
fn interrupted_by_signals() {
    let sandbox = Sandbox::with_study(STUDY);
    let root = sandbox.root();
    // As by `kill`: the launcher alone. As by Ctrl-C: everything on the terminal.
    for (whole_group, signal, wait) in
        [(false, libc::SIGTERM, 150), (true, libc::SIGINT, 50), (true, libc::SIGTERM, 0)]
    {
        let mut running = Running::start(&sandbox);
        assert!(running.reaches(|| exists(&root, &["train/", ".lease"])));
        std::thread::sleep(Duration::from_millis(wait));
        let target = if whole_group { -running.pid() } else { running.pid() };
        running.signal(target, signal);
        let ended = running.wait(&sandbox);
        assert_eq!(ended.code, Some(130), "{ended}");
        assert!(ended.stderr.contains("goes on from here"), "{ended}");
        ended.assert_no_panic();
        assert!(!exists(&root, &[".failed"]), "an interruption is no failure");
    }
    finish(&sandbox, "after signals");
}

#[test]
fn a_killed_worker_costs_its_own_variant() {
    let sandbox = Sandbox::with_study(STUDY);
    let root = sandbox.root();
    let mut running = Running::start(&sandbox);
    // The parent and the variant that does not need it train side by side.
    let partial = |name: &str| ["train/", "-seed-1-", ".partial/", name].map(str::to_owned);
    let wanted = partial("step-000020");
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    assert!(running.reaches(|| exists(&root, &wanted)));
    let workers = running.workers();
    assert!(!workers.is_empty());
    running.signal(workers[0], libc::SIGKILL);
    let ended = running.wait(&sandbox);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stderr.contains("was killed"), "{ended}");
    ended.assert_no_panic();
    // What happened is on record: cause, signal, step, time and log, until there is a result.
    let killed = failed_stages(&sandbox);
    let [stage] = killed.as_slice() else { panic!("{killed:?}") };
    assert_eq!((&stage["cause"], &stage["signal"]), (&"killed".into(), &9.into()), "{stage}");
    let name = stage["name"].as_str().unwrap();
    if exists(&root, &["train/", name, ".partial/", "/step-0000"]) {
        assert!(stage["step"].as_u64().unwrap() >= 20, "{stage}");
    }
    assert!(stage["memory_estimate"].as_u64().unwrap() > 0, "{stage}");
    assert!(stage["failed_at"].as_str().unwrap().ends_with('Z'), "{stage}");
    assert!(Path::new(stage["log"].as_str().unwrap()).exists(), "{stage}");
    let shown = sandbox.succeed(&["status", "tiny.toml"]);
    for part in ["cause: killed", "killed by signal 9", "of memory", "log: "] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // The other variant came through, and what is there is reported.
    assert!(!of_stage(&root, "eval").is_empty(), "{ended}");
    assert!(sandbox.report().join("index.html").exists(), "{ended}");
    finish(&sandbox, "after a worker was killed");
    assert_eq!(failed_stages(&sandbox), Vec::<serde_json::Value>::new());
}

/// A child whose channels are chosen by masks that take some hundred updates to learn.
fn masked() -> String {
    let (base, _) = STUDY.split_once("[[design.list]]").unwrap();
    let masks = "[[design.list]]\nname = \"masked\"\nset.init.inherit = { parent = \"teacher\", first = 1, \
                 last = 1, width.learned = { tokens = \"256k\", mask_learning_rate = 0.02 } }\n";
    format!("{base}{masks}")
}

#[test]
fn masks_are_learned_on_from_their_checkpoint() {
    let whole = Sandbox::with_study(&masked());
    whole.succeed(&RUN);
    let sandbox = Sandbox::with_study(&masked());
    let root = sandbox.root();
    let feed = root.join("data/live/tiny/masked/masks/metrics.jsonl");
    let lines = || -> Vec<serde_json::Value> {
        let text = fs::read_to_string(&feed).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let mut running = Running::start(&sandbox);
    assert!(running.reaches(|| exists(&root, &["masks/", ".partial/", "/step-000"])));
    running.kill_all();
    let killed = std::time::SystemTime::now();
    let killed = killed.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    // It could be followed, and what became of it is known.
    let before = lines().len();
    assert!((1..1000).contains(&before), "{before}");
    let status = sandbox.json(&["status", "tiny.toml", "--json"]);
    let stages = status["stages"].as_array().unwrap();
    let stage = stages.iter().find(|stage| stage["stage"] == "masks").unwrap();
    assert_eq!((&stage["state"], &stage["cause"]), (&"failed".into(), &"worker-lost".into()));
    assert!(stage["step"].as_u64().unwrap() >= 100, "{stage}");

    sandbox.succeed(&RUN);
    lasting(&root).assert_same(&lasting(&whole.root()), "after masks were interrupted");
    // There is no clock in what is stored of masks: the very same bytes, line by line.
    let own = |root: &Path| {
        let name = &of_stage(root, "masks")[0];
        let folder = root.join("data/store").join(name);
        assert!(!folder.join("checkpoints").exists());
        fs::read(folder.join("metrics.jsonl")).unwrap()
    };
    assert!(own(&root) == own(&whole.root()));
    // Every update once, the first ones as they were written before the kill.
    let lines = lines();
    let steps: Vec<u64> = lines.iter().map(|line| line["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, (1..=1000).collect::<Vec<_>>());
    let time = |step: usize| lines[step - 1]["time"].as_f64().unwrap();
    assert!(time(100) < killed && time(1000) > killed, "{} {killed} {}", time(100), time(1000));
    let last = &lines[999];
    assert_eq!((&last["steps"], &last["split"]), (&1000.into(), &"train".into()));
    assert!(last["masks"]["sparsity"]["hidden"].as_f64().unwrap() > 0.0, "{last}");
    // TensorBoard has two starts.
    let events = fs::read_dir(feed.parent().unwrap()).unwrap().flatten();
    let events = events.filter(|e| e.file_name().to_string_lossy().contains("tfevents"));
    assert_eq!(events.count(), 2);
}

/// What `status` says of the stages that failed.
fn failed_stages(sandbox: &Sandbox) -> Vec<serde_json::Value> {
    let status = sandbox.json(&["status", "tiny.toml", "--json"]);
    let stages = status["stages"].as_array().unwrap();
    stages.iter().filter(|stage| stage["state"] == "failed").cloned().collect()
}

#[test]
fn a_second_signal_stops_now() {
    for whole_group in [false, true] {
        let sandbox = Sandbox::with_study(STUDY);
        let root = sandbox.root();
        let mut running = Running::start(&sandbox);
        assert!(running.reaches(|| exists(&root, &["train/", ".lease"])));
        let target = if whole_group { -running.pid() } else { running.pid() };
        running.signal(target, libc::SIGINT);
        std::thread::sleep(Duration::from_millis(5));
        running.signal(target, libc::SIGINT);
        let asked = Instant::now();
        let ended = running.wait(&sandbox);
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        assert_eq!(ended.code, Some(130), "{ended}");
        assert!(ended.stderr.contains("goes on from here"), "{ended}");
        ended.assert_no_panic();
        assert!(!exists(&root, &[".failed"]), "an interruption is no failure");
        finish(&sandbox, "after two signals");
    }
}

#[test]
fn what_a_crash_leaves_is_cleared_up() {
    let sandbox = Sandbox::with_study(STUDY);
    sandbox.succeed(&RUN);
    let store = sandbox.root().join("data/store");
    let aside = |name: &str| store.join(format!("{name}.partial"));
    let (trained, scored) = (of_stage(&sandbox.root(), "train"), of_stage(&sandbox.root(), "eval"));
    assert!(trained.len() == 4 && scored.len() == 2);
    // The trainings whose weights are scored: nobody looks at the others any more.
    let needed: Vec<&String> = trained
        .iter()
        .filter(|name| {
            let key = &name[name.len() - 12..];
            let record =
                |name: &String| fs::read_to_string(store.join(name).join(".artifact.json"));
            scored.iter().any(|name| record(name).unwrap().contains(key))
        })
        .collect();
    assert_eq!(needed.len(), 2);

    // Before the record: everything is there but not known to be.
    fs::rename(store.join(&scored[0]), aside(&scored[0])).unwrap();
    fs::remove_file(aside(&scored[0]).join(".artifact.json")).unwrap();
    // Between record and rename, with the lease of a process that is gone.
    fs::rename(store.join(&scored[1]), aside(&scored[1])).unwrap();
    // Of this machine: one of another machine is watched for a minute before it is taken over.
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let lease = format!(r#"{{"host": "{}", "pid": 999999, "started": 1}}"#, host.trim());
    fs::write(store.join(format!("{}.lease", scored[1])), lease).unwrap();
    // A trained model whose checkpoints were being removed, half-way.
    fs::rename(store.join(needed[0]), aside(needed[0])).unwrap();
    fs::remove_file(aside(needed[0]).join(".artifact.json")).unwrap();
    let checkpoint = aside(needed[0]).join("checkpoints/step-000120");
    fs::create_dir_all(&checkpoint).unwrap();
    fs::write(checkpoint.join("state.json"), "{}").unwrap();
    // A file that was being written, and a folder without a record in the place of a result.
    fs::rename(store.join(needed[1]), aside(needed[1])).unwrap();
    fs::remove_file(aside(needed[1]).join(".artifact.json")).unwrap();
    fs::write(aside(needed[1]).join(".model.json.tmp-999999"), "{").unwrap();
    fs::create_dir(store.join(needed[1])).unwrap();
    fs::write(store.join(needed[1]).join("model.json"), "{}").unwrap();
    // A report between its two renames.
    fs::rename(sandbox.report(), sandbox.root().join("reports/.tiny.old")).unwrap();
    fs::create_dir(sandbox.root().join("reports/.tiny.new")).unwrap();
    fs::write(sandbox.root().join("reports/.tiny.new/index.html"), "<html>").unwrap();

    finish(&sandbox, "after a crash");
}

#[test]
fn two_runs_at_once_share_the_work() {
    let sandbox = Sandbox::with_study(STUDY);
    let mut running = Running::start(&sandbox);
    assert!(running.reaches(|| exists(&sandbox.root(), &["train/", ".partial/"])));
    let second = sandbox.ablate(&RUN);
    let first = running.wait(&sandbox);
    assert_eq!((first.code, second.code), (Some(0), Some(0)), "{first}\n{second}");
    finish(&sandbox, "after two runs at once");
}

#[test]
fn threads_change_nothing() {
    // Large enough that kernels split their work.
    let study = STUDY
        .replace("width = 16\nheads = 2\ncontext = 32", "width = 64\nheads = 4\ncontext = 64")
        .replace("width = 24, heads = 3", "width = 96, heads = 6")
        .replace("ffn.size = 24", "ffn.size = 128")
        .replace("tokens = 30720\nbatch_tokens = 256", "tokens = 16384\nbatch_tokens = 2048");
    let sandbox = Sandbox::with_study(&study);
    let run = |root: &Path, threads: &str| {
        let arguments = ["run", "tiny.toml", "--quiet", "--threads", threads, "--jobs", "1"];
        let ended = Ended::of(sandbox.command_in(root, &arguments));
        assert_eq!(ended.code, Some(0), "{ended}");
        lasting(root)
    };
    let roots =
        ["1", "2", "3"].map(|threads| (threads, sandbox.desk("..").join(format!("r{threads}"))));
    let one = run(&roots[0].1, roots[0].0);
    for (threads, root) in &roots[1..] {
        one.assert_same(&run(root, threads), &format!("{threads} threads instead of 1"));
    }
    assert_eq!(results(&roots[0].1).len(), results(&roots[1].1).len());
}

//! Studies for a cluster, without one: the files, the tasks, and what is said where there is no Slurm.
//! `.ci/slurm.sh` does the same with a real one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::outcome::{lasting, of_stage, results};
use crate::sandbox::{Ended, Sandbox, TINY, files};

const SCRIPT: [&str; 5] = ["run", "tiny.toml", "--quiet", "--launcher", "script"];

/// A training of some seconds, with checkpoints.
fn long() -> String {
    TINY.replace("tokens = 5120", "tokens = 256000")
        .replace("seeds = [1, 2]", "seeds = [1]")
        .replace("width = 16", "width = 32")
}

/// Folders of the waves of the only submission, in order.
fn waves(root: &Path) -> Vec<PathBuf> {
    let runs = root.join("data/runs/tiny");
    let submission = fs::read_dir(runs).unwrap().next().unwrap().unwrap().path();
    let mut waves: Vec<PathBuf> = fs::read_dir(submission)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("items.jsonl").exists())
        .collect();
    waves.sort();
    waves
}

fn wave(root: &Path, stage: &str) -> PathBuf {
    let mut waves = waves(root).into_iter();
    waves.find(|wave| wave.to_string_lossy().ends_with(stage)).unwrap()
}

fn items(wave: &Path) -> usize {
    fs::read_to_string(wave.join("items.jsonl")).unwrap().lines().count()
}

fn work(sandbox: &Sandbox, wave: &Path, more: &[&str]) -> Command {
    let items = wave.join("items.jsonl");
    let mut command = sandbox.command(&["work", items.to_str().unwrap()]);
    command.args(more);
    command
}

fn make(sandbox: &Sandbox, wave: &Path) {
    for item in 0..items(wave) {
        let ended = Ended::of(work(sandbox, wave, &["--item", &item.to_string()]));
        assert_eq!(ended.code, Some(0), "{} {item}: {ended}", wave.display());
    }
}

/// As Slurm would start it.
fn started(mut command: Command, attempt: u32) -> Command {
    command.env("SLURM_ARRAY_JOB_ID", "12").env("SLURM_ARRAY_TASK_ID", "0");
    if attempt > 0 {
        command.env("SLURM_RESTART_COUNT", attempt.to_string());
    }
    command
}

fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(120);
    while !reached() {
        assert!(Instant::now() < end, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn has_checkpoint(root: &Path) -> bool {
    files(root).iter().any(|path| {
        let path = path.to_string_lossy();
        path.contains(".partial/t-") && path.contains("/step-") && path.ends_with("state.json")
    })
}

#[test]
fn what_is_written_can_be_made_by_hand() {
    let local = Sandbox::with_study(TINY);
    local.succeed(&["run", "tiny.toml", "--quiet"]);
    let sandbox = Sandbox::with_study(TINY);
    let root = sandbox.root();
    sandbox.succeed(&SCRIPT);
    assert!(results(&root).is_empty());
    let names: Vec<String> = waves(&root)
        .iter()
        .map(|wave| format!("{} {}", wave.file_name().unwrap().to_string_lossy(), items(wave)))
        .collect();
    let wanted = ["01-benchmarks 1", "02-corpus 1", "03-tokenizer 1", "04-shards 1", "05-train 4"];
    assert_eq!(names[..5], wanted);
    assert_eq!(names[5], "06-eval 4");
    let submit = waves(&root)[0].with_file_name("submit.sh");
    let submit = fs::read_to_string(submit).unwrap();
    assert!(submit.contains("\"--array=0-3\""), "{submit}");
    // Scores wait for their own training, and for the items.
    assert!(submit.contains("\"--dependency=aftercorr:$j4,afterany:$j0"), "{submit}");
    // What is needed first is not there: that is told, and is no failure of the training.
    let ended = Ended::of(work(&sandbox, &wave(&root, "train"), &["--item", "0"]));
    assert_eq!(ended.code, Some(66), "{ended}");
    assert!(ended.stdout.contains("its input `shards` is not there"), "{ended}");
    assert!(!files(&root).iter().any(|path| path.to_string_lossy().ends_with(".failed")));

    for wave in &waves(&root)[..4] {
        make(&sandbox, wave);
    }
    // A damaged input is set aside instead of used.
    let shards = root.join("data/store").join(&of_stage(&root, "shards")[0]);
    fs::write(shards.join("train.shard"), "damage").unwrap();
    let ended = Ended::of(work(&sandbox, &wave(&root, "train"), &["--item", "0"]));
    assert_eq!(ended.code, Some(66), "{ended}");
    assert!(ended.stdout.contains("was damaged and is set aside"), "{ended}");
    for wave in &waves(&root)[3..] {
        make(&sandbox, wave);
    }
    sandbox.succeed(&["report", "tiny.toml"]);
    lasting(&root).assert_same(&lasting(&local.root()), "item by item");
    // Nothing is left to be written, and an item that is there is left alone.
    let ended = sandbox.ablate(&SCRIPT);
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(fs::read_dir(root.join("data/runs/tiny")).unwrap().count(), 1);
    let ended = Ended::of(work(&sandbox, &wave(&root, "eval"), &["--item", "3"]));
    assert!(ended.stdout.contains("is there"), "{ended}");
}

#[test]
fn workers_share_what_is_to_be_done() {
    let local = Sandbox::with_study(TINY);
    local.succeed(&["run", "tiny.toml", "--quiet"]);
    let sandbox = Sandbox::with_study(TINY);
    let root = sandbox.root();
    let mut pull = SCRIPT.to_vec();
    pull.extend(["--pull", "2"]);
    sandbox.succeed(&pull);
    let wave = wave(&root, "pull");
    let workers: Vec<_> = (0..2)
        .map(|index| {
            let mut command = work(&sandbox, &wave, &["--drain"]);
            command.env("SLURM_ARRAY_TASK_ID", index.to_string());
            command.spawn().unwrap()
        })
        .collect();
    let ends: Vec<Ended> =
        workers.into_iter().map(|worker| worker.wait_with_output().unwrap().into()).collect();
    for ended in &ends {
        assert_eq!(ended.code, Some(0), "{ended}");
        assert!(ended.stdout.contains("0 failed, 0 need what is not there"), "{ended}");
    }
    sandbox.succeed(&["report", "tiny.toml"]);
    lasting(&root).assert_same(&lasting(&local.root()), "by two workers");
    // Each item once: as many that were made as there are.
    let made: usize = ends
        .iter()
        .flat_map(|ended| ended.stdout.lines())
        .filter(|line| line.contains("] done "))
        .count();
    assert_eq!(made, items(&wave));
}

/// The process that holds the only lease of the store.
fn at_work(root: &Path) -> Option<u32> {
    let lease = files(root).into_iter().find(|path| path.to_string_lossy().ends_with(".lease"))?;
    let text = fs::read_to_string(lease).ok()?;
    let owner: serde_json::Value = serde_json::from_str(text.lines().next()?).ok()?;
    u32::try_from(owner["pid"].as_u64()?).ok()
}

fn signal(pid: u32, signal: i32) {
    // SAFETY: the process is one that this test started and has not waited for.
    unsafe { libc::kill(i32::try_from(pid).unwrap(), signal) };
}

#[test]
fn a_worker_that_is_killed_is_on_record() {
    // One training, so that there is one lease at a time.
    let study = long();
    let (study, _) = study.split_once("\n[[design.list]]\nname = \"deep\"").unwrap();
    let local = Sandbox::with_study(study);
    local.succeed(&["run", "tiny.toml", "--quiet"]);
    let sandbox = Sandbox::with_study(study);
    let root = sandbox.root();
    sandbox.succeed(&[&SCRIPT[..], &["--pull", "1"]].concat());
    let wave = wave(&root, "pull");
    fs::create_dir_all(wave.join("logs")).unwrap();
    let log = wave.join("logs/12_0.log");
    fs::write(&log, "what Slurm keeps\n").unwrap();
    let drain = |attempt| started(work(&sandbox, &wave, &["--drain"]), attempt).spawn().unwrap();
    let seen = || -> Option<serde_json::Value> {
        let status = sandbox.json(&["status", "tiny.toml", "--json"]);
        let stages = status["stages"].as_array().unwrap();
        stages.iter().find(|stage| stage["state"] == "failed").cloned()
    };
    let failed = || seen().expect("a failure");

    // One that takes whatever is next outlives its item, and says what became of that.
    let mut worker = drain(0);
    until("a checkpoint", || has_checkpoint(&root));
    let killed = at_work(&root).unwrap();
    signal(killed, libc::SIGKILL);
    until("the end of the item", || seen().is_some_and(|stage| stage["cause"] == "killed"));
    let first = failed();
    assert_eq!((&first["cause"], &first["signal"]), (&"killed".into(), &9.into()), "{first}");
    assert!(first["failure"].as_str().unwrap().contains("12_0.log"), "{first}");
    assert_eq!(worker.wait().unwrap().code(), Some(1));

    // Where both are ended nobody is left to say anything, and the lease speaks for them.
    for path in files(&root).iter().filter(|path| path.to_string_lossy().ends_with(".failed")) {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(std::time::SystemTime::now() - Duration::from_secs(60)).unwrap();
    }
    let mut worker = drain(1);
    until("another training", || at_work(&root).is_some_and(|pid| pid != killed));
    signal(worker.id(), libc::SIGSTOP);
    let item = at_work(&root).expect("somebody at work");
    signal(item, libc::SIGKILL);
    worker.kill().unwrap();
    worker.wait().unwrap();
    // Until the system has cleared the process away it counts as alive.
    until("the end of the item", || seen().is_some_and(|stage| stage["cause"] == "worker-lost"));
    let second = failed();
    assert_eq!((&second["lost"]["pid"], &second["lost"]["attempt"]), (&item.into(), &1.into()));
    assert!(!second["lost"]["host"].as_str().unwrap().is_empty(), "{second}");
    assert_eq!(second["log"], log.to_str().unwrap(), "{second}");
    let shown = sandbox.succeed(&["status", "tiny.toml"]);
    assert!(shown.contains("cause: worker lost") && shown.contains("start 2 of task"), "{shown}");

    // The next one makes what was lost, and the record goes.
    let third = Ended::from(drain(2).wait_with_output().unwrap());
    assert_eq!(third.code, Some(0), "{third}");
    assert!(third.stdout.contains("0 failed"), "{third}");
    assert!(!files(&root).iter().any(|path| path.to_string_lossy().ends_with(".failed")));
    sandbox.succeed(&["report", "tiny.toml"]);
    lasting(&root).assert_same(&lasting(&local.root()), "after two workers that were killed");
}

#[test]
fn a_task_that_was_started_again_while_it_lives_is_made_once() {
    let local = Sandbox::with_study(&long());
    local.succeed(&["run", "tiny.toml", "--quiet"]);
    let sandbox = Sandbox::with_study(&long());
    let root = sandbox.root();
    sandbox.succeed(&SCRIPT);
    for wave in &waves(&root)[..4] {
        make(&sandbox, wave);
    }
    let trains = wave(&root, "train");
    let item = ["--item", "0"];
    let first = started(work(&sandbox, &trains, &item), 0).spawn().unwrap();
    until("a checkpoint", || has_checkpoint(&root));
    let second = started(work(&sandbox, &trains, &item), 1).spawn().unwrap();
    let first = Ended::from(first.wait_with_output().unwrap());
    assert_eq!(first.code, Some(75), "{first}");
    assert!(first.stdout.contains("has taken it over"), "{first}");
    // An earlier start that comes late gives way at once.
    let late = Ended::of(started(work(&sandbox, &trains, &item), 0));
    let second = Ended::from(second.wait_with_output().unwrap());
    assert_eq!(second.code, Some(0), "{second}");
    assert!(second.stdout.contains("start 2") && second.stdout.contains("done train"), "{second}");
    assert!(
        late.code == Some(75) && late.stdout.contains("a later start of this task")
            || late.stdout.contains("is there"),
        "{late}"
    );

    // Time is up: a checkpoint is written; without Slurm nobody can be asked to start it again.
    let before = files(&root).len();
    let item = ["--item", "1"];
    let child = work(&sandbox, &trains, &item).spawn().unwrap();
    until("a checkpoint", || has_checkpoint(&root));
    // SAFETY: the child was not waited for yet, so its id is its own.
    unsafe { libc::kill(i32::try_from(child.id()).unwrap(), libc::SIGUSR1) };
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(75), "{ended}");
    assert!(ended.stdout.contains("what can be resumed is kept"), "{ended}");
    assert!(files(&root).len() > before && has_checkpoint(&root));
    let status = sandbox.succeed(&["status", "tiny.toml"]);
    assert!(status.contains("interrupted"), "{status}");
    for wave in &waves(&root)[4..] {
        make(&sandbox, wave);
    }
    sandbox.succeed(&["report", "tiny.toml"]);
    lasting(&root).assert_same(&lasting(&local.root()), "after two copies and an interruption");
}

#[test]
fn without_slurm_everything_says_so_and_nothing_is_left() {
    let sandbox = Sandbox::with_study(TINY);
    let slurm = ["run", "tiny.toml", "--launcher", "slurm"];
    let nowhere = |arguments: &[&str]| {
        let mut command = sandbox.command(arguments);
        command.env("PATH", "/nowhere");
        Ended::of(command)
    };
    for arguments in [&slurm[..], &["cancel", "tiny.toml"]] {
        let ended = nowhere(arguments);
        assert_eq!(ended.code, Some(75), "{ended}");
        assert!(ended.stderr.contains("--launcher script"), "{ended}");
        ended.assert_no_panic();
    }
    assert!(!sandbox.root().join("data/runs").exists());
    assert_eq!(nowhere(&["status", "tiny.toml"]).code, Some(0));

    // Wrong settings are told before anything is asked for.
    for (text, words) in [
        ("[cluster]\npartion = \"gpu\"\n", "partion"),
        ("[cluster]\npartition = \"a b\"\n", "cluster.partition"),
        ("[cluster]\noptions = [\"--array=1\"]\n", "launcher itself"),
    ] {
        sandbox.write("here.toml", text);
        let ended = sandbox.ablate(&[&slurm[..], &["--execution", "here.toml"]].concat());
        assert_eq!(ended.code, Some(2), "{ended}");
        assert!(ended.stderr.contains("here.toml") || ended.stderr.contains("cluster."), "{ended}");
        assert!(ended.stderr.contains(words), "{words}: {ended}");
    }
    // Neither can every folder stand in a script.
    let odd = sandbox.desk("a \"b\"");
    let mut command = sandbox.command_in(&odd, &SCRIPT);
    let ended = Ended::from(command.output().unwrap());
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("another folder"), "{ended}");
    // Where it runs is not part of what it is: keys do not change.
    sandbox.write("here.toml", "[cluster]\npartition = \"gpu\"\ncpus = 2\n");
    sandbox.succeed(&[&SCRIPT[..], &["--execution", "here.toml"]].concat());
    let script = fs::read_to_string(wave(&sandbox.root(), "train").join("submit.sbatch")).unwrap();
    assert!(script.contains("#SBATCH --partition=gpu\n") && script.contains("cpus-per-task=2\n"));
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let other = Sandbox::with_study(TINY);
    other.succeed(&["run", "tiny.toml", "--quiet"]);
    assert!(results(&sandbox.root()).keys().eq(results(&other.root()).keys()));
}

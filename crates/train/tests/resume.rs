//! Runs that stop, are killed, diverge or find something odd on the way.

mod small;

use std::fs;
use std::path::{Path, PathBuf};

use ablate_corpus::{Shard, ShardWriter, order};
use ablate_model::{Backend, ModelConfig, Scheme, Weights, random_weights, training_devices};
use ablate_train::{
    Checkpoints, Observer, Outcome, Precision, StepRecord, TrainConfig, TrainData, TrainError,
    ValidationRecord, train, truncate_metrics,
};
use tempfile::TempDir;

/// A small run in a folder of its own.
struct Bench {
    folder: TempDir,
    config: TrainConfig,
    model: ModelConfig,
    fingerprint: &'static str,
    seed: u64,
    devices: usize,
}

/// Keeps records in a file, as the command does; stops, or copies the checkpoints away, on demand.
struct Metrics {
    path: PathBuf,
    lines: String,
    stop_after: Option<u64>,
    copy: Option<(u64, PathBuf, PathBuf)>,
    begun: Vec<Option<u64>>,
    done: u64,
}

impl Metrics {
    fn write(&mut self, record: &impl serde::Serialize) {
        // Only `flush` makes lines durable, as with a buffered file.
        self.lines.push_str(&serde_json::to_string(record).unwrap());
        self.lines.push('\n');
    }
}

impl Observer for Metrics {
    fn begin(&mut self, resumed: Option<u64>) {
        self.begun.push(resumed);
        truncate_metrics(&self.path, resumed).unwrap();
        self.lines = fs::read_to_string(&self.path).unwrap_or_default();
    }

    fn step(&mut self, record: &StepRecord) {
        assert!(record.tokens_per_second > 0.0);
        // The clock differs between runs, so it is left out of what is compared.
        self.write(&StepRecord { tokens_per_second: 0.0, ..record.clone() });
        self.done = record.step;
        if let Some((step, from, to)) = &self.copy
            && *step == record.step
        {
            // Checkpoints are written beside the training; these steps take less time than a file.
            let written = from.join("step-000005");
            while record.step > 5 && !written.exists() {
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            copy_folder(from, to);
            fs::write(to.join("metrics.jsonl"), &self.lines).unwrap();
        }
    }

    fn validation(&mut self, record: &ValidationRecord) {
        self.write(record);
    }

    fn flush(&mut self) {
        fs::write(&self.path, &self.lines).unwrap();
    }

    fn stop(&mut self) -> bool {
        self.stop_after.is_some_and(|step| self.done >= step)
    }
}

/// What happens to a file of a checkpoint.
type Damage<'a> = &'a dyn Fn(&Path);

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            config: TrainConfig {
                micro_sequences: 3,
                learning_rate: 1e-2,
                validate_every: 4,
                checkpoint_every: 5,
                ..small::config()
            },
            model: small::model(),
            fingerprint: "bench",
            seed: 1,
            devices: 1,
        }
    }

    fn checkpoints(&self) -> PathBuf {
        self.folder.path().join("checkpoints")
    }

    fn metrics(&self) -> Metrics {
        Metrics {
            path: self.folder.path().join("metrics.jsonl"),
            lines: String::new(),
            stop_after: None,
            copy: None,
            begun: Vec::new(),
            done: 0,
        }
    }

    fn text(&self, name: &str, tokens: u32) -> Shard {
        let path = self.folder.path().join(name);
        let mut writer = ShardWriter::create(&path, 24).unwrap();
        let text: Vec<u32> = (0..tokens).map(|i| (i * i + i / 5) % 24).collect();
        writer.push(&text, 0).unwrap();
        writer.finish().unwrap();
        Shard::open(&path).unwrap()
    }

    fn run(&self, metrics: &mut Metrics) -> Result<Outcome, TrainError> {
        let init = random_weights(&self.model, Scheme::Constant, 0.1, self.seed);
        self.run_from(init, metrics)
    }

    fn run_from(&self, init: Weights, metrics: &mut Metrics) -> Result<Outcome, TrainError> {
        let shard = self.text("train", 200);
        let held_out = self.text("held-out", 50);
        let order = order(33, self.config.visits(), 3);
        let token_bytes: Vec<u32> = (0..24).collect();
        let data = TrainData {
            shard: &shard,
            order: &order,
            token_bytes: &token_bytes,
            validation: vec![("en".into(), &held_out), ("zh".into(), &held_out)],
        };
        let checkpoints = Checkpoints::new(self.checkpoints(), self.fingerprint);
        let devices = training_devices(Backend::Flex, self.devices);
        train(&self.config, &self.model, init, &data, &checkpoints, &devices, metrics)
    }

    fn steps_on_disk(&self) -> Vec<String> {
        let entries = fs::read_dir(self.checkpoints()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The undisturbed run.
    fn reference() -> (Outcome, String) {
        let bench = Self::new();
        let mut metrics = bench.metrics();
        let outcome = bench.run(&mut metrics).unwrap();
        (outcome, metrics.lines)
    }
}

#[test]
fn an_undisturbed_run_records_everything_once() {
    let bench = Bench::new();
    let mut metrics = bench.metrics();
    let outcome = bench.run(&mut metrics).unwrap();
    assert_eq!(metrics.begun, [None]);
    assert_eq!(bench.steps_on_disk(), ["step-000010", "step-000012"]);
    let records: Vec<serde_json::Value> =
        metrics.lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps = |validation: bool| -> Vec<u64> {
        let chosen = records.iter().filter(|r| r.get("language").is_some() == validation);
        chosen.map(|r| r["step"].as_u64().unwrap()).collect()
    };
    assert_eq!(steps(false), (1..=12).collect::<Vec<u64>>());
    assert_eq!(steps(true), [0, 0, 4, 4, 8, 8, 12, 12]);
    assert_eq!(outcome.tokens, 12 * 4 * 6);
    let last = records.iter().rev().find(|r| r.get("language").is_none()).unwrap();
    assert_eq!(last["loss"].as_f64(), Some(outcome.final_loss));

    // A finished run, run again, has nothing left to do and says the same.
    let mut again = bench.metrics();
    assert_eq!(bench.run(&mut again).unwrap(), outcome);
    assert_eq!(again.begun, [Some(12)]);
    assert_eq!(again.lines, metrics.lines);
}

#[test]
fn stopped_and_run_again() {
    let (reference, lines) = Bench::reference();
    for stop in [0, 1, 5, 7, 11] {
        let bench = Bench::new();
        let mut metrics = bench.metrics();
        metrics.stop_after = Some(stop);
        match bench.run(&mut metrics) {
            Err(TrainError::Stopped { step }) => assert_eq!(step, stop),
            other => panic!("{other:?}"),
        }
        let mut metrics = bench.metrics();
        assert_eq!(bench.run(&mut metrics).unwrap(), reference, "stopped after {stop}");
        assert_eq!(metrics.begun, [Some(stop)]);
        assert_eq!(metrics.lines, lines, "stopped after {stop}");
    }
}

/// However many devices the portions of a batch are divided among, the run is the same: stopped on
/// one, gone on with on others, with fewer portions (here two) than devices.
#[test]
fn stopped_and_run_again_on_other_devices() {
    let (reference, lines) = Bench::reference();
    for (before, after) in [(1, 2), (2, 1), (2, 2), (3, 2)] {
        let mut bench = Bench { devices: before, ..Bench::new() };
        let mut metrics = bench.metrics();
        metrics.stop_after = Some(7);
        assert!(matches!(bench.run(&mut metrics), Err(TrainError::Stopped { step: 7 })));
        bench.devices = after;
        let mut metrics = bench.metrics();
        assert_eq!(bench.run(&mut metrics).unwrap(), reference, "{before}, then {after}");
        assert_eq!(metrics.lines, lines, "{before}, then {after}");
    }
    let mut bench = Bench { devices: 0, ..Bench::new() };
    let error = bench.run(&mut bench.metrics()).unwrap_err().to_string();
    assert_eq!(error, "the training's `devices` is 0, but must be at least 1");
    // What a device rounds is what its settings say, on whatever thread.
    bench = Bench::new();
    bench.config.precision = Precision::Bf16;
    let rounded = bench.run(&mut bench.metrics()).unwrap();
    assert_ne!(rounded.weights, reference.weights);
    let mut bench = Bench { devices: 2, ..Bench::new() };
    bench.config.precision = Precision::Bf16;
    assert_eq!(bench.run(&mut bench.metrics()).unwrap(), rounded);
}

/// What is kept of a forward pass changes nothing, not even in the middle of a run.
#[test]
fn stopped_and_run_again_without_keeping_activations() {
    let (reference, lines) = Bench::reference();
    let mut bench = Bench::new();
    let mut metrics = bench.metrics();
    metrics.stop_after = Some(7);
    assert!(matches!(bench.run(&mut metrics), Err(TrainError::Stopped { step: 7 })));
    bench.config.recompute = true;
    let mut metrics = bench.metrics();
    assert_eq!(bench.run(&mut metrics).unwrap(), reference);
    assert_eq!(metrics.begun, [Some(7)]);
    assert_eq!(metrics.lines, lines);
}

#[test]
fn killed_and_run_again() {
    let (reference, lines) = Bench::reference();
    // What a kill after these steps leaves behind: before the first checkpoint, and after one.
    for (kill, resumed) in [(3, None), (8, Some(5))] {
        let bench = Bench::new();
        fs::create_dir_all(bench.checkpoints()).unwrap();
        let copy = bench.folder.path().join("copy");
        let mut metrics = bench.metrics();
        metrics.copy = Some((kill, bench.checkpoints(), copy.clone()));
        bench.run(&mut metrics).unwrap();
        fs::remove_dir_all(bench.checkpoints()).unwrap();
        // The metrics file had been written beyond the checkpoint, its last line half.
        let mut half = fs::read_to_string(copy.join("metrics.jsonl")).unwrap();
        half.push_str("{\"step\":");
        fs::write(&metrics.path, half).unwrap();
        fs::remove_file(copy.join("metrics.jsonl")).unwrap();
        fs::rename(&copy, bench.checkpoints()).unwrap();
        // And a checkpoint was being written.
        let unfinished = bench.checkpoints().join(".step-000010.tmp");
        fs::create_dir(&unfinished).unwrap();
        fs::write(unfinished.join("state.safetensors"), "half").unwrap();

        let mut metrics = bench.metrics();
        assert_eq!(bench.run(&mut metrics).unwrap(), reference, "killed after {kill}");
        assert_eq!(metrics.begun, [resumed]);
        assert_eq!(metrics.lines, lines, "killed after {kill}");
        assert_eq!(bench.steps_on_disk(), ["step-000010", "step-000012"]);
    }
}

#[test]
fn a_damaged_checkpoint_falls_back_to_the_one_before() {
    let (reference, lines) = Bench::reference();
    let flip = |path: &Path, at: usize| {
        let mut bytes = fs::read(path).unwrap();
        let at = bytes.len() - at;
        bytes[at] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    let cut = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    };
    let change_tokens = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replace("\"tokens\": 288", "\"tokens\": 289")).unwrap();
    };
    let damages: [(&str, &str, Damage); 6] = [
        ("state.safetensors", "checksum of state.safetensors", &|path| flip(path, 9)),
        ("state.safetensors", "safetensors file", &cut),
        ("state.safetensors", "cannot read", &|path| fs::remove_file(path).unwrap()),
        ("state.json", "state.json cannot be read", &cut),
        ("state.json", "checksum of state.json", &change_tokens),
        ("state.json", "lacks state.json", &|path| fs::remove_file(path).unwrap()),
    ];
    for (file, reason, damage) in damages {
        let bench = Bench::new();
        bench.run(&mut bench.metrics()).unwrap();
        damage(&bench.checkpoints().join("step-000012").join(file));
        let mut metrics = bench.metrics();
        assert_eq!(bench.run(&mut metrics).unwrap(), reference, "{reason}");
        assert_eq!(metrics.begun, [Some(10)]);
        assert_eq!(metrics.lines, lines, "{reason}");
        assert_eq!(bench.steps_on_disk(), ["step-000010", "step-000012"]);

        damage(&bench.checkpoints().join("step-000012").join(file));
        fs::remove_dir_all(bench.checkpoints().join("step-000010")).unwrap();
        let error = bench.run(&mut bench.metrics()).unwrap_err();
        assert!(matches!(error, TrainError::DamagedCheckpoint { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn checkpoints_of_another_run_are_refused() {
    let check = |change: fn(&mut Bench), expect: &str| {
        let mut bench = Bench::new();
        bench.run(&mut bench.metrics()).unwrap();
        change(&mut bench);
        let error = bench.run(&mut bench.metrics()).unwrap_err();
        assert!(matches!(error, TrainError::OtherRun { .. }), "{error}");
        assert!(error.to_string().contains(&format!("(different: {expect})")), "{error}");
    };
    check(|bench| bench.fingerprint = "other", "the caller's fingerprint");
    check(|bench| bench.config.learning_rate = 0.02, "training settings");
    check(|bench| bench.config.batch_sequences = 3, "training settings, order of the windows");
    check(|bench| bench.model.norm_eps = 1e-6, "model configuration");
    check(|bench| bench.seed = 2, "initial weights");

    // How often checkpoints are written is not part of the run.
    let mut bench = Bench::new();
    let outcome = bench.run(&mut bench.metrics()).unwrap();
    bench.config.checkpoint_every = 1;
    assert_eq!(bench.run(&mut bench.metrics()).unwrap(), outcome);
}

#[test]
fn divergence_is_an_error_and_keeps_the_last_good_weights() {
    let mut bench = Bench::new();
    bench.config.learning_rate = 1e18;
    bench.config.checkpoint_every = 0;
    let mut metrics = bench.metrics();
    let Err(TrainError::Diverged { step, loss, gradient_norm }) = bench.run(&mut metrics) else {
        panic!("a learning rate of 1e18 went well");
    };
    assert!(step > 1);
    assert!(!loss.is_finite() || gradient_norm.is_some_and(|norm| !norm.is_finite()));
    assert_eq!(bench.steps_on_disk(), [format!("step-{:06}", step - 1)]);

    // Run again, it goes on from there and ends the same way.
    let mut again = bench.metrics();
    match bench.run(&mut again) {
        Err(TrainError::Diverged { step: second, .. }) => assert_eq!(second, step),
        other => panic!("{other:?}"),
    }
    assert_eq!(again.begun, [Some(step - 1)]);
    assert_eq!(again.lines, fs::read_to_string(&metrics.path).unwrap());
}

#[test]
fn what_does_not_fit_is_said_before_anything_is_written() {
    let check = |change: fn(&mut Bench), expect: &str| {
        let mut bench = Bench::new();
        change(&mut bench);
        let mut metrics = bench.metrics();
        let error = bench.run(&mut metrics).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
        assert!(metrics.begun.is_empty() && !bench.checkpoints().exists());
    };
    check(|bench| bench.config.steps = 0, "`steps` is 0");
    check(|bench| bench.config.context = 7, "`context` is 7 tokens, but the model's is 6");
    check(|bench| bench.model.shape.vocabulary = 20, "vocabulary of 24, but the model's is 20");
    check(
        |bench| {
            bench.config.context = 5;
            bench.model.context = 5;
            bench.model.shape.heads = 3;
        },
        "width",
    );

    let bench = Bench::new();
    let mut init = random_weights(&bench.model, Scheme::Constant, 0.1, 1);
    init.get_mut("model.norm.weight").unwrap().values[3] = f32::NAN;
    let error = bench.run_from(init, &mut bench.metrics()).unwrap_err().to_string();
    assert!(error.contains("`model.norm.weight` holds NaN at position 3"), "{error}");
}

#[test]
fn orders_and_tables_that_do_not_fit() {
    let bench = Bench::new();
    let shard = bench.text("train", 200);
    let short = bench.text("short", 6);
    let token_bytes = vec![1; 24];
    let order = order(33, 48, 3);
    let check = |data: TrainData, expect: &str| {
        let error = data.check(&bench.config, &bench.model).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    let good = TrainData {
        shard: &shard,
        order: &order,
        token_bytes: &token_bytes,
        validation: vec![("en".into(), &shard)],
    };
    good.check(&bench.config, &bench.model).unwrap();
    check(TrainData { order: &order[1..], ..good.clone() }, "lists 47 windows, but 12 steps of 4");
    let mut wrong = order.clone();
    wrong[5] = 33;
    check(TrainData { order: &wrong, ..good.clone() }, "window 33 at position 5");
    check(TrainData { token_bytes: &[1; 23], ..good.clone() }, "byte lengths for 23 token ids");
    let validation = vec![("zh".to_owned(), &short)];
    check(TrainData { validation, ..good.clone() }, "held-out text in `zh` has 6 tokens");
}

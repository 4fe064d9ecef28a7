//! Learning masks that is interrupted: it goes on from its checkpoint, with the same bits.

mod small;

use std::fs;
use std::path::Path;

use ablate_corpus::{Shard, ShardWriter, order};
use ablate_model::{Backend, Scheme, random_weights, training_device};
use ablate_train::masks::{Learned, MaskConfig, MaskObserver, MaskRecord, MaskTarget, learn};
use ablate_train::{Checkpoints, TrainConfig, TrainError};

/// Keeps what it hears, and ends it after an update.
#[derive(Default)]
struct Ear {
    begun: Option<Option<u64>>,
    records: Vec<MaskRecord>,
    stop_after: Option<u64>,
    /// Nothing can be kept.
    full: bool,
}

impl MaskObserver for Ear {
    fn begin(&mut self, resumed: Option<u64>) {
        self.begun = Some(resumed);
    }

    fn update(&mut self, record: &MaskRecord) -> bool {
        self.records.push(record.clone());
        self.stop_after != Some(record.step)
    }

    fn flush(&mut self) -> bool {
        !self.full
    }
}

struct Bench {
    folder: tempfile::TempDir,
    config: MaskConfig,
}

impl Bench {
    fn new(frozen: bool) -> Self {
        let train = TrainConfig { checkpoint_every: 5, micro_sequences: 3, ..small::config() };
        let config =
            MaskConfig { train, frozen, mask_learning_rate: 0.3, sparsity_warmup: 0.3, seed: 7 };
        Self { folder: tempfile::tempdir().unwrap(), config }
    }

    fn checkpoints(&self) -> std::path::PathBuf {
        self.folder.path().join("checkpoints")
    }

    fn run(&self, ear: &mut Ear) -> Result<Option<Learned>, TrainError> {
        let checkpoints = Checkpoints::new(self.checkpoints(), "bench");
        self.learn(Some(&checkpoints), ear)
    }

    fn learn(
        &self,
        checkpoints: Option<&Checkpoints>,
        ear: &mut Ear,
    ) -> Result<Option<Learned>, TrainError> {
        let path = self.folder.path().join("train");
        let mut writer = ShardWriter::create(&path, 24).unwrap();
        let text: Vec<u32> = (0..200).map(|i| (i * i + i / 5) % 24).collect();
        writer.push(&text, 0).unwrap();
        writer.finish().unwrap();
        let shard = Shard::open(&path).unwrap();
        let order = order(33, self.config.train.visits(), 3);
        let model = small::model();
        let weights = random_weights(&model, Scheme::Constant, 0.1, 1);
        let target =
            MaskTarget { layers: None, width: 6, kv_heads: 1, pooled: 1, ffn: 5, shortcut: 0 };
        let device = training_device(Backend::Flex);
        let data = (&shard, order.as_slice());
        learn(&self.config, &target, (&model, &weights), data, checkpoints, &device, ear)
    }
}

fn steps(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .map(|entries| entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn interrupted_anywhere_it_ends_with_the_same_bits() {
    for frozen in [false, true] {
        let mut whole = Ear::default();
        let undisturbed = Bench::new(frozen).learn(None, &mut whole).unwrap().unwrap();
        assert_eq!((whole.begun, whole.records.len()), (Some(None), 12));
        // Checkpoints change nothing.
        let mut kept = Ear::default();
        let bench = Bench::new(frozen);
        assert_eq!(bench.run(&mut kept).unwrap().unwrap(), undisturbed);
        assert_eq!(kept.records, whole.records);
        assert_eq!(steps(&bench.checkpoints()), ["step-000005", "step-000010"]);

        for stop in [1, 4, 5, 6, 11] {
            let bench = Bench::new(frozen);
            let mut first = Ear { stop_after: Some(stop), ..Ear::default() };
            assert!(bench.run(&mut first).unwrap().is_none());
            let mut second = Ear::default();
            let learned = bench.run(&mut second).unwrap().unwrap();
            assert_eq!(second.begun, Some(Some(stop)), "frozen: {frozen}");
            assert_eq!(learned, undisturbed, "stopped after {stop}, frozen: {frozen}");
            let all: Vec<_> = first.records.into_iter().chain(second.records).collect();
            assert_eq!(all, whole.records, "stopped after {stop}");
        }
    }
}

#[test]
fn killed_after_a_checkpoint_it_makes_the_rest_again() {
    let bench = Bench::new(false);
    let undisturbed = bench.learn(None, &mut Ear::default()).unwrap().unwrap();
    let mut first = Ear::default();
    bench.run(&mut first).unwrap();
    // As a kill after update 7 leaves it: what came later is gone.
    fs::remove_dir_all(bench.checkpoints().join("step-000010")).unwrap();
    let mut second = Ear::default();
    assert_eq!(bench.run(&mut second).unwrap().unwrap(), undisturbed);
    assert_eq!(second.begun, Some(Some(5)));
    assert_eq!(second.records, first.records[5..]);
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let mut bench = Bench::new(false);
    let stop = || Ear { stop_after: Some(6), ..Ear::default() };
    bench.run(&mut stop()).unwrap();
    bench.config.mask_learning_rate = 0.2;
    let error = bench.run(&mut Ear::default()).unwrap_err();
    assert!(matches!(error, TrainError::OtherRun { .. }), "{error}");
    // A file that is damaged is no checkpoint.
    bench.config.mask_learning_rate = 0.3;
    for step in steps(&bench.checkpoints()) {
        fs::write(bench.checkpoints().join(step).join("state.json"), "{}").unwrap();
    }
    let error = bench.run(&mut Ear::default()).unwrap_err();
    assert!(matches!(error, TrainError::DamagedCheckpoint { .. }), "{error}");
    // Nothing is gone on from whose records are not whole.
    let bench = Bench::new(false);
    assert!(bench.run(&mut Ear { full: true, ..stop() }).unwrap().is_none());
    assert_eq!(steps(&bench.checkpoints()), [""; 0]);
}

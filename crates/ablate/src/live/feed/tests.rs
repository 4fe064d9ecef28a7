use std::path::PathBuf;

use ablate_tensorboard::{Event, record};

use super::*;

/// A training's own metrics and its feed, in a folder of their own.
struct Training {
    folder: tempfile::TempDir,
}

fn metric(step: u64, loss: f64) -> Metric {
    Metric { step, split: TRAIN.to_owned(), loss, ..Metric::default() }
}

impl Training {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn live(&self) -> PathBuf {
        self.folder.path().join("live")
    }

    fn own(&self) -> PathBuf {
        self.folder.path().join("metrics.jsonl")
    }

    /// One start: what a training does with both.
    fn start(&self, resumed: Option<u64>, steps: std::ops::RangeInclusive<u64>, loss: f64) {
        ablate_train::truncate_metrics(&self.own(), resumed).unwrap();
        let mut feed = Feed::open(&self.live(), lines(&self.own()).unwrap(), resumed, 9).unwrap();
        let mut own = File::options().create(true).append(true).open(self.own()).unwrap();
        for step in steps {
            let metric = metric(step, loss);
            write_line_of(&mut own, &metric);
            feed.add(&metric).unwrap();
        }
        feed.sync().unwrap();
    }

    fn steps(&self) -> Vec<(u64, f64)> {
        let lines: Vec<Line> = lines(&self.live().join(METRICS)).unwrap();
        assert!(lines.iter().all(|line| line.steps == 9 && line.time > 1.7e9));
        lines.iter().map(|line| (line.metric.step, line.metric.loss)).collect()
    }

    /// Every event file's bytes, for the times that stand in the feed.
    fn events(&self) -> Vec<Vec<u8>> {
        event_files(&self.live()).unwrap().iter().map(|path| fs::read(path).unwrap()).collect()
    }
}

fn write_line_of(out: &mut impl Write, metric: &Metric) {
    serde_json::to_writer(&mut *out, metric).unwrap();
    out.write_all(b"\n").unwrap();
}

/// Whether a file says that everything from a step on is void: times are not compared.
fn is_void_from(file: &[u8], step: u64) -> bool {
    let time = 1.0_f64;
    let event = Event::Restart { time, step }.to_bytes();
    // Behind the time: step and status.
    let rest = &event[9..];
    let framed = record(&event).len();
    let first = record(&Event::Version { time }.to_bytes()).len();
    file.get(first..first + framed).is_some_and(|found| {
        let data = &found[12..found.len() - 4];
        data[0] == event[0] && &data[9..] == rest
    })
}

#[test]
fn steps_after_the_checkpoint_appear_once() {
    let training = Training::new();
    training.start(None, 0..=5, 1.0);
    training.start(Some(3), 4..=7, 2.0);
    let lines: Vec<(u64, f64)> =
        (0..=3).map(|s| (s, 1.0)).chain((4..=7).map(|s| (s, 2.0))).collect();
    assert_eq!(training.steps(), lines);
    let events = training.events();
    assert_eq!(events.len(), 2);
    assert!(is_void_from(&events[1], 4) && !is_void_from(&events[1], 3));
    assert!((0..9).all(|step| !is_void_from(&events[0], step)));
}

#[test]
fn a_training_that_starts_over_leaves_nothing_of_before() {
    let training = Training::new();
    training.start(None, 0..=5, 1.0);
    training.start(None, 0..=2, 2.0);
    assert_eq!(training.steps(), [(0, 2.0), (1, 2.0), (2, 2.0)]);
    let events = training.events();
    assert_eq!(events.len(), 1);
    assert!(is_void_from(&events[0], 0));
}

#[test]
fn a_feed_that_lacks_steps_is_written_anew() {
    let lose: [fn(&Training); 3] = [
        |training| fs::remove_dir_all(training.live()).unwrap(),
        |training| {
            for path in event_files(&training.live()).unwrap() {
                fs::remove_file(path).unwrap();
            }
        },
        // What a machine without power has not written.
        |training| {
            let path = training.live().join(METRICS);
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        },
    ];
    for lose in lose {
        let training = Training::new();
        training.start(None, 0..=5, 1.0);
        let whole = training.events().concat().len();
        lose(&training);
        training.start(Some(5), 6..=6, 2.0);
        assert_eq!(training.steps().len(), 7);
        let events = training.events();
        assert_eq!(events.len(), 1);
        assert!(events[0].len() > whole, "all steps are in the one file");
    }
}

#[test]
fn lines_are_those_of_the_training_with_a_time() {
    let metric = Metric {
        language: Some("en".to_owned()),
        bits_per_byte: Some(0.1 + 0.2),
        split: "validation".to_owned(),
        ..metric(7, 1.0 / 3.0)
    };
    let line = Line { time: 1.7e9 + 0.125, steps: 9, metric: metric.clone() };
    let text = serde_json::to_string(&line).unwrap();
    assert!(text.starts_with(r#"{"time":1700000000.125,"steps":9,"step":7,"#), "{text}");
    assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line);
    assert_eq!(serde_json::from_str::<Metric>(&text).unwrap(), metric);
}

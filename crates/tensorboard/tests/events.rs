//! Against files that TensorBoard's own package wrote, and how files of a folder follow each other.

use std::fs;

use ablate_tensorboard::{Event, EventFile, event_files, record};

#[test]
fn the_same_bytes_as_tensorboards_own_writer() {
    let long = format!("train/{}", "x".repeat(200));
    let events = [
        Event::Version { time: 1_700_000_000.25 },
        Event::Restart { time: 1_700_000_000.5, step: 201 },
        Event::Scalars {
            time: 1_700_000_001.0,
            step: 0,
            values: &[("validation/en/loss", 6.25), ("validation/en/bits_per_byte", 0.0)],
        },
        Event::Scalars {
            time: 1_700_000_002.125,
            step: 201,
            values: &[("train/loss", 3.219_876_543_21)],
        },
        Event::Scalars {
            time: 1_700_000_003.0,
            step: 3_000_000_000,
            values: &[(&long, -1e-40), ("train/loss", f64::INFINITY)],
        },
    ];
    let ours: Vec<u8> = events.iter().flat_map(|event| record(&event.to_bytes())).collect();
    assert_eq!(ours, include_bytes!("fixtures/events.bin"));
}

#[test]
fn a_later_file_comes_later_whatever_the_clock_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    // The same second, a clock that was put back, a host's odd name.
    for (time, suffix) in [(2_000.9, "a.7"), (2_000.1, "a.7"), (1_500.0, "a.7"), (9.0, "b/c d.7")] {
        let mut file = EventFile::create(folder.path(), time, suffix).unwrap();
        file.restart(time, 3).unwrap();
        file.scalars(time, 3, &[("train/loss", 1.0)]).unwrap();
        file.flush().unwrap();
        let newest = event_files(folder.path()).unwrap().pop().unwrap();
        let event = |event: Event<'_>| record(&event.to_bytes());
        let expect = [
            event(Event::Version { time }),
            event(Event::Restart { time, step: 3 }),
            event(Event::Scalars { time, step: 3, values: &[("train/loss", 1.0)] }),
        ];
        assert_eq!(fs::read(&newest).unwrap(), expect.concat());
        names.push(newest.file_name().unwrap().to_str().unwrap().to_owned());
    }
    assert_eq!(
        names,
        [
            "events.out.tfevents.0000002000.a.7",
            "events.out.tfevents.0000002001.a.7",
            "events.out.tfevents.0000002002.a.7",
            "events.out.tfevents.0000002003.b-c-d.7",
        ]
    );
    assert_eq!(event_files(&folder.path().join("none")).unwrap().len(), 0);
}

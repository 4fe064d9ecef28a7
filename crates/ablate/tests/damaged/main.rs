//! What others write may be cut short, changed or made up: that costs an error each, and never a
//! panic, memory for a length that is a lie, or a wait without an end.

mod benchmarks;
mod corpora;
mod damage;
mod models;
mod reader;
mod studies;
mod tokenizers;

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use proptest::prelude::*;

use damage::fuzz;
use reader::Reader;

fn readers() -> Vec<Reader> {
    [models::READERS, tokenizers::READERS, benchmarks::READERS, corpora::READERS, studies::READERS]
        .concat()
}

/// A file of the tests of another crate.
fn fixture(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

#[test]
fn whole_files_are_read() {
    for reader in readers() {
        let folder = tempfile::tempdir().unwrap();
        let read = (reader.read)(&(reader.whole)(), folder.path());
        assert_eq!(read, Ok(()), "{}", reader.name);
    }
}

fn any_reader() -> impl Strategy<Value = Reader> {
    prop::sample::select(readers())
}

/// Changed bytes by their place, as a share of the file.
fn changes() -> impl Strategy<Value = Vec<(f64, u8)>> {
    prop::collection::vec((0.0..1.0, any::<u8>()), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_bytes(reader in any_reader(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().unwrap();
        let read = (reader.read)(&bytes, folder.path());
        prop_assert!(read.is_err() || !reader.closed, "{}", reader.name);
    }

    #[test]
    fn bytes_that_were_changed(reader in any_reader(), changes in changes(), early: bool) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = (reader.whole)();
        // Headers are where lies are.
        let length = if early { bytes.len().min(400) } else { bytes.len() };
        for (at, byte) in changes {
            bytes[(at * length as f64) as usize] = byte;
        }
        // It may still be what it was.
        let _ = (reader.read)(&bytes, folder.path());
    }

    #[test]
    fn files_that_were_cut_short(reader in any_reader(), share in 0.0..1.0) {
        let folder = tempfile::tempdir().unwrap();
        let bytes = (reader.whole)();
        let kept = (share * bytes.len() as f64) as usize;
        // A last line break may go.
        prop_assume!(kept + 1 < bytes.len());
        let read = (reader.read)(&bytes[..kept], folder.path());
        prop_assert!(read.is_err() || !reader.closed, "{}: {kept} of {}", reader.name, bytes.len());
    }
}

/// Where random places seldom are: the last bytes of a file, and files of a byte.
#[test]
fn ends_that_were_cut_off() {
    for reader in readers().into_iter().filter(|reader| reader.closed) {
        let folder = tempfile::tempdir().unwrap();
        let bytes = (reader.whole)();
        // A last line break may go.
        let last = bytes.len() - 1;
        for kept in last.saturating_sub(40)..last {
            let read = (reader.read)(&bytes[..kept], folder.path());
            assert!(read.is_err(), "{}: {kept} of {}", reader.name, bytes.len());
        }
        let mut short = vec![Vec::new()];
        short.extend((0..=u8::MAX).map(|byte| vec![byte]));
        for bytes in short {
            let read = (reader.read)(&bytes, folder.path());
            assert!(read.is_err(), "{}: {bytes:?}", reader.name);
        }
    }
}

/// Damages files of every reader for as many seconds of processor time as `ABLATE_FUZZ_SECONDS`
/// says (2 without it), as many readers at once as there are cores. `ABLATE_FUZZ_READER` names one:
/// `ABLATE_FUZZ_SECONDS=600 cargo test --release --workspace --test damaged -- --ignored`.
#[test]
#[ignore = "runs for a minute or more"]
fn damaged_for_a_long_time() {
    let set = |name| std::env::var(name).ok();
    let seconds = set("ABLATE_FUZZ_SECONDS").and_then(|text| text.parse().ok()).unwrap_or(2);
    let mut chosen = readers();
    if let Some(name) = set("ABLATE_FUZZ_READER") {
        chosen.retain(|reader| reader.name == name);
        assert!(!chosen.is_empty(), "there is no reader `{name}`");
    }
    let waiting = Mutex::new(chosen.into_iter());
    let next = || waiting.lock().unwrap().next();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(reader) = next() {
                    fuzz(&reader, Duration::from_secs(seconds));
                }
            });
        }
    });
}

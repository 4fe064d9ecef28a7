//! Random damage, and reading what is left for a given time.

use std::io::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::reader::Reader;

/// No file of a few kilobytes needs so much processor time, or so much more memory than was taken
/// before.
const SLOW: Duration = Duration::from_secs(20);
const LARGE: u64 = 1 << 30;

/// What text formats trip over.
const WORDS: [&[u8]; 16] = [
    b"null",
    b"-1",
    b"0",
    b"1e999",
    b"\"\"",
    b"[]",
    b"{}",
    b"\"",
    b"[",
    b"}",
    b"\n",
    b",",
    b"18446744073709551616",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r\n",
];

/// xorshift64*, from the clock: every run tries others, and says which if it fails.
struct Damage(u64);

impl Damage {
    fn new() -> Self {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self(clock.as_nanos() as u64 | 1)
    }

    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % below.max(1)
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.next(8) {
            if bytes.is_empty() {
                return;
            }
            // Headers are where lies are.
            let length = if self.next(2) == 0 { bytes.len().min(600) } else { bytes.len() };
            let place = self.next(length);
            let end = (place + self.next(40)).min(bytes.len());
            match self.next(8) {
                0 => bytes[place] = self.next(256) as u8,
                1 => bytes[place] ^= 1 << self.next(8),
                2 => bytes.truncate(place.max(1)),
                3 => {
                    let more = bytes[place..end].to_vec();
                    bytes.splice(place..place, more);
                }
                4 => drop(bytes.drain(place..end)),
                5 => {
                    let word = WORDS[self.next(WORDS.len())];
                    let end = if self.next(2) == 0 { place } else { end };
                    bytes.splice(place..end, word.iter().copied());
                }
                6 => {
                    let from = self.next(bytes.len());
                    let to = (from + self.next(40)).min(bytes.len());
                    let other = bytes[from..to].to_vec();
                    bytes.splice(place..end, other);
                }
                _ => {
                    let word = [u64::MAX, 1 << 63, 1 << 32, 0, 1][self.next(5)].to_le_bytes();
                    for (byte, new) in bytes[place..].iter_mut().zip(word) {
                        *byte = new;
                    }
                }
            }
        }
    }
}

/// Reads damaged files until the time is over. What panics, takes too long or wants too much memory
/// is kept for whoever looks into it.
pub(crate) fn fuzz(reader: &Reader, time: Duration) {
    let folder = tempfile::tempdir().unwrap();
    let whole = (reader.whole)();
    let mut damage = Damage::new();
    let clock = Clock::new();
    let (mut tried, mut taken) = (0u64, 0u64);
    while clock.elapsed() < time {
        let mut bytes = whole.clone();
        damage.change(&mut bytes);
        let keep = |what: &str| -> ! {
            let kept = std::env::temp_dir().join(format!("ablate-fuzz-{}", reader.name));
            std::fs::write(&kept, &bytes).unwrap();
            panic!("a file of kind {} {what}; it is kept as {}", reader.name, kept.display());
        };
        let (before, start) = (largest_memory(), Clock::new());
        let read = std::panic::catch_unwind(|| (reader.read)(&bytes, folder.path()));
        match read {
            Err(_) => keep("panics"),
            Ok(read) => taken += u64::from(read.is_ok()),
        }
        if start.elapsed() > SLOW {
            keep("takes too long");
        }
        if largest_memory().saturating_sub(before) > LARGE {
            keep("wants too much memory");
        }
        tried += 1;
    }
    let line = format!("{}: {tried} damaged files, {taken} of them still read\n", reader.name);
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    assert!(tried > 100 && taken < tried, "{line}");
}

/// Processor time of this thread where the system tells it, else time by the clock.
struct Clock(Option<Duration>, Instant);

impl Clock {
    fn new() -> Self {
        Self(processor(), Instant::now())
    }

    fn elapsed(&self) -> Duration {
        match (self.0, processor()) {
            (Some(start), Some(now)) => now.saturating_sub(start),
            _ => self.1.elapsed(),
        }
    }
}

fn processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split_whitespace().next()?.parse().ok()?))
}

/// The most addresses that the process has had so far, in bytes; 0 where the system does not tell.
fn largest_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    number.unwrap_or(0) * 1024
}

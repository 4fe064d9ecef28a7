//! How fast texts are learnt from and encoded.
//!
//! ```sh
//! cargo run --release -p ablate-tokenizer --example throughput -- train en.txt zh.txt --vocabulary 8192 --threads 2 --save tokenizer.json
//! cargo run --release -p ablate-tokenizer --example throughput -- encode en.txt zh.txt --load tokenizer.json --threads 2
//! ```
//!
//! Every line of the files is a document. Prints one JSON object: seconds of wall time and of
//! processor time (of all threads, user and system) without reading files, bytes of the
//! documents, tokens (entries of the vocabulary after training), and a checksum of the ids.

#![allow(clippy::print_stdout, reason = "the result is what it prints")]

use std::path::PathBuf;
use std::time::Instant;

use ablate_tokenizer::Tokenizer;

struct Arguments {
    verb: String,
    files: Vec<PathBuf>,
    vocabulary: usize,
    threads: usize,
    load: Option<PathBuf>,
    save: Option<PathBuf>,
}

fn arguments() -> Result<Arguments, String> {
    let mut rest = std::env::args().skip(1);
    let verb = rest.next().filter(|verb| ["train", "encode"].contains(&verb.as_str()));
    let verb = verb.ok_or("usage: throughput train|encode FILE... [--vocabulary N] [--threads N] [--load FILE] [--save FILE]")?;
    let (mut files, mut load, mut save) = (Vec::new(), None, None);
    let (mut vocabulary, mut threads) = (8192, 2);
    while let Some(word) = rest.next() {
        let mut value = || rest.next().ok_or(format!("{word} needs a value"));
        let number = |text: String| text.parse().map_err(|_| format!("{text} is no number"));
        match word.as_str() {
            "--vocabulary" => vocabulary = number(value()?)?,
            "--threads" => threads = number(value()?)?,
            "--load" => load = Some(value()?.into()),
            "--save" => save = Some(value()?.into()),
            _ => files.push(word.into()),
        }
    }
    Ok(Arguments { verb, files, vocabulary, threads, load, save })
}

/// Seconds of processor time that this process has used, or 0 where there is no `/proc`.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = arguments()?;
    rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build_global()?;
    let texts: Result<Vec<String>, _> =
        arguments.files.iter().map(std::fs::read_to_string).collect();
    let texts = texts?;
    let documents: Vec<&str> = texts.iter().flat_map(|text| text.lines()).collect();
    let bytes: usize = documents.iter().map(|document| document.len()).sum();
    let train = || Tokenizer::train(documents.iter().copied(), arguments.vocabulary);
    let (tokens, checksum, seconds, processor) = if arguments.verb == "train" {
        let (start, used) = (Instant::now(), processor_seconds());
        let tokenizer = train()?;
        let (seconds, processor) = (start.elapsed().as_secs_f64(), processor_seconds() - used);
        if let Some(path) = &arguments.save {
            tokenizer.save(path)?;
        }
        (tokenizer.vocabulary(), 0, seconds, processor)
    } else {
        let tokenizer = match &arguments.load {
            Some(path) => Tokenizer::load(path)?,
            None => train()?,
        };
        let (start, used) = (Instant::now(), processor_seconds());
        let encoded = tokenizer.encode_batch(&documents);
        let (seconds, processor) = (start.elapsed().as_secs_f64(), processor_seconds() - used);
        let ids = || encoded.iter().flatten();
        let mix = |sum: u64, id: &u32| (sum * 31 + u64::from(*id)) % 1_000_000_007;
        (ids().count(), ids().fold(7, mix), seconds, processor)
    };
    println!(
        "{}",
        serde_json::json!({
            "seconds": seconds,
            "processor_seconds": processor,
            "bytes": bytes,
            "tokens": tokens,
            "checksum": checksum,
        })
    );
    Ok(())
}

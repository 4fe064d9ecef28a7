//! Reports that prove themselves: `report check`, `report why`, `bundle` and `verify` of a bundle.

use std::fs;
use std::path::Path;

use ablate_report::StudyData;

use crate::outcome::of_stage;
use crate::sandbox::{Ended, Sandbox, TINY, files, ladder};

const CHECK: [&str; 3] = ["report", "check", "tiny.toml"];

/// A study with a report.
fn reported() -> Sandbox {
    let sandbox = Sandbox::with_study(TINY);
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    sandbox
}

/// Ends with exit code 3 and says all of this.
#[track_caller]
fn found(ended: &Ended, expected: &[&str]) {
    ended.assert_no_panic();
    assert_eq!(ended.code, Some(3), "{ended}");
    for expected in expected {
        assert!(ended.stdout.contains(expected), "no {expected:?} in\n{ended}");
    }
}

/// Replaces the first occurrence in a file that is there.
#[track_caller]
fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "no {from:?} in {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// Replaces the last occurrence in the row of the variant `plain` of a table.
#[track_caller]
fn edit_row(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    let is_row = |line: &&str| line.trim_start_matches(['|', ' ']).starts_with("plain");
    let row = text.lines().find(is_row).unwrap_or_else(|| panic!("no row in {text}"));
    let at = row.rfind(from).unwrap_or_else(|| panic!("no {from:?} in {row}"));
    let changed = format!("{}{to}{}", &row[..at], &row[at + from.len()..]);
    fs::write(path, text.replacen(row, &changed, 1)).unwrap();
}

/// Writes the report again after a change of its rows: all of it belongs together.
fn rewrite(sandbox: &Sandbox, change: impl FnOnce(&mut StudyData)) {
    let mut data = ablate_report::read(&sandbox.report()).unwrap();
    change(&mut data);
    ablate_report::write(&data, &sandbox.report()).unwrap();
}

/// The average of the first variant, unrounded and as it is read.
fn average(sandbox: &Sandbox) -> (String, String) {
    let text = fs::read_to_string(sandbox.report().join("tables/benchmarks.csv")).unwrap();
    let mut lines = text.lines();
    let place = lines.next().unwrap().split(',').position(|head| head == "Average").unwrap();
    let value = lines.next().unwrap().split(',').nth(place).unwrap().to_owned();
    let shown = format!("{:.1}", value.parse::<f64>().unwrap());
    (value, shown)
}

#[test]
fn an_untouched_report_passes_and_every_cell_says_where_it_comes_from() {
    let sandbox = reported();
    let before: Vec<_> = files(&sandbox.report());
    let shown = sandbox.succeed(&CHECK);
    assert!(shown.contains("all are what the rows say"), "{shown}");
    // By name and by folder as well, where there is no store either.
    sandbox.succeed(&["report", "check", "tiny"]);
    let elsewhere = sandbox.desk("copy");
    copy(&sandbox.report(), &elsewhere);
    sandbox.succeed(&["report", "check", "copy"]);
    assert_eq!(files(&sandbox.report()), before, "nothing is written");

    let text =
        fs::read_to_string(sandbox.report().join("tables/benchmarks.provenance.json")).unwrap();
    let provenance: serde_json::Value = serde_json::from_str(&text).unwrap();
    let eval = of_stage(&sandbox.root(), "eval");
    let runs = provenance["runs"].as_object().unwrap();
    assert_eq!(runs.len(), 4, "{text}");
    for run in runs.values() {
        let key = run["eval"]["key"].as_str().unwrap();
        assert!(eval.iter().any(|name| name.ends_with(&key[..12])), "{key}");
        assert_eq!(run["checkpoint"]["backend"], "flex");
        assert!(!run["checkpoint"]["host"].as_str().unwrap().is_empty());
        assert!(run["eval"]["program"].as_str().unwrap().starts_with("ablate "));
        assert_eq!(run["eval"]["version"], 2);
    }
    let cells = provenance["cells"].as_array().unwrap();
    let plain = cells.iter().find(|c| c["column"] == "Average" && c["row"][1] == "plain").unwrap();
    // Two benchmarks of four items.
    assert_eq!((&plain["items"], &plain["seeds"]), (&8.into(), &serde_json::json!([1, 2])));
    assert_eq!(plain["rows"], 4);
    // Every number of every table is accounted for.
    for table in ["main", "benchmarks", "parameters", "cost", "deltas"] {
        let path = sandbox.report().join(format!("tables/{table}.provenance.json"));
        let text = fs::read_to_string(path).unwrap();
        let provenance: serde_json::Value = serde_json::from_str(&text).unwrap();
        for cell in provenance["cells"].as_array().unwrap() {
            assert!(!cell["estimator"].as_str().unwrap().is_empty(), "{cell}");
            assert!(cell["rows"].as_u64().unwrap() > 0, "{table}: {cell}");
        }
    }
}

fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&path, target).unwrap();
    }
}

#[test]
fn an_edited_digit_is_found_in_every_format() {
    let sandbox = reported();
    let (value, shown) = average(&sandbox);
    let tables = sandbox.report().join("tables");
    let pristine: Vec<_> =
        files(&tables).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    let other = |text: &str| {
        let at = text.rfind(|c: char| c.is_ascii_digit()).unwrap();
        let digit = if &text[at..=at] == "7" { "8" } else { "7" };
        format!("{}{digit}{}", &text[..at], &text[at + 1..])
    };
    for (suffix, from) in [("md", &shown), ("tex", &shown), ("csv", &value)] {
        edit_row(&tables.join(format!("benchmarks.{suffix}")), from, &other(from));
        let ended = sandbox.ablate(&CHECK);
        let file = format!("tables/benchmarks.{suffix}");
        found(&ended, &[&file, "edited by hand"]);
        if suffix != "csv" {
            // In the unrounded numbers the last digit is one that machines may differ in.
            found(&ended, &["[plain, ", &format!("recomputed {from}")]);
        }
        for (path, bytes) in &pristine {
            fs::write(path, bytes).unwrap();
        }
    }
    // The first digits of unrounded numbers count, whatever the checksums say.
    let digit = if value.starts_with('9') { "8" } else { "9" };
    let wrong = format!("{digit}{}", &value[1..]);
    edit_row(&tables.join("benchmarks.csv"), &value, &wrong);
    let sum = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
    let (_, bytes) = pristine.iter().find(|(path, _)| path.ends_with("benchmarks.csv")).unwrap();
    let changed = fs::read(tables.join("benchmarks.csv")).unwrap();
    edit(&sandbox.report().join("study.json"), &sum(bytes), &sum(&changed));
    let ended = sandbox.ablate(&CHECK);
    found(
        &ended,
        &["tables/benchmarks.csv [plain, ", &format!("printed {wrong}, recomputed {value}")],
    );
    assert!(!ended.stdout.contains("edited by hand"), "{ended}");
    // A file that is gone.
    fs::write(tables.join("benchmarks.csv"), bytes).unwrap();
    fs::remove_file(tables.join("main.tex")).unwrap();
    found(&sandbox.ablate(&CHECK), &["tables/main.tex: missing"]);
    // The report is written again, and well.
    sandbox.succeed(&["report", "tiny.toml"]);
    sandbox.succeed(&CHECK);
}

#[test]
fn rows_that_are_older_than_the_store_are_found() {
    let sandbox = reported();
    // As if the evaluation had been made again since, and came out otherwise.
    rewrite(&sandbox, |data| {
        let row = data
            .scores
            .iter_mut()
            .find(|row| row.variant == "deep" && row.metric == "bits_per_byte")
            .unwrap();
        row.value += 0.25;
    });
    // The report by itself is consistent.
    sandbox.succeed(&["report", "check", "tiny"]);
    let ended = sandbox.ablate(&CHECK);
    found(&ended, &["scores.parquet deep seed 1", "stale", "the store", "tables/main.md [deep, "]);
    sandbox.succeed(&["report", "tiny.toml"]);
    sandbox.succeed(&CHECK);
    // A study file that asks for something else by now.
    let ended = sandbox.ablate(&[&CHECK[..], &["--set", "eval.items=5"]].concat());
    found(&ended, &["plain seed 1: stale", "the study file asks for eval"]);
}

#[test]
fn mixed_versions_of_a_benchmark_are_found() {
    let sandbox = reported();
    rewrite(&sandbox, |data| {
        for row in &mut data.items {
            if row.variant == "deep" && row.benchmark == "boolq" {
                row.document_hash = format!("new-{}", row.document_hash);
            }
        }
    });
    let ended = sandbox.ablate(&["report", "check", "tiny"]);
    found(&ended, &["items.parquet boolq", "mixed evaluation versions", "deep/1", "plain/1"]);
    sandbox.succeed(&["report", "tiny.toml"]);
    // Another version of the stage, all rows the same.
    rewrite(&sandbox, |data| {
        let of = |run: &&ablate_report::RunRecord| run.variant == "deep";
        let key = data.provenance.runs.iter().find(of).unwrap().eval.clone();
        let results = &mut data.provenance.results;
        results.iter_mut().find(|result| result.key == key).unwrap().version = 1;
    });
    let ended = sandbox.ablate(&["report", "check", "tiny"]);
    found(&ended, &["stage eval: mixed evaluation versions", "version 1", "version 2"]);
}

#[test]
fn a_deleted_seed_is_found() {
    let sandbox = reported();
    rewrite(&sandbox, |data| {
        data.scores.retain(|row| row.variant != "deep" || row.seed != 2);
        data.items.retain(|row| row.variant != "deep" || row.seed != 2);
    });
    let ended = sandbox.ablate(&["report", "check", "tiny"]);
    found(&ended, &["scores.parquet deep seed 2: deleted seed"]);
    found(&sandbox.ablate(&CHECK), &["deleted seed", "no rows of"]);
    // Some items of a seed.
    sandbox.succeed(&["report", "tiny.toml"]);
    rewrite(&sandbox, |data| data.items.truncate(data.items.len() - 1));
    let ended = sandbox.ablate(&["report", "check", "tiny"]);
    found(&ended, &["not what its items say", "3 items of 4 are there"]);
}

#[test]
fn a_cell_tells_its_chain() {
    let sandbox = Sandbox::with_study(&ladder());
    sandbox.succeed(&["run", "tiny.toml", "--quiet"]);
    let root = sandbox.root();
    let why = |cell: &str| sandbox.ablate(&["report", "why", "tiny.toml", cell]);
    let shown = why("main[rounds,Average (%)]");
    assert_eq!(shown.code, Some(0), "{shown}");
    for expected in ["estimator", "scores.parquet", "rounds/1", "rounds/2", "ablate 0.", " on "] {
        assert!(shown.stdout.contains(expected), "{expected}: {shown}");
    }
    // Everything on the way, by the names that it has in the store.
    for stage in
        ["eval", "train", "select", "inherit", "shards", "tokenizer", "corpus", "benchmarks"]
    {
        let all = of_stage(&root, stage);
        let key = |name: &String| name.rsplit('-').next().unwrap().to_owned();
        assert!(all.iter().any(|name| shown.stdout.contains(&key(name))), "{stage}: {shown}");
    }
    // By numbers and by titles without units, the same; a difference has both variants.
    assert_eq!(why("main[5,Average]").stdout, shown.stdout);
    let difference = why("main[deep, Δ to the rung below (points)]");
    assert!(difference.stdout.contains("compact/1"), "{difference}");
    assert!(
        difference.stdout.contains("deep/2") && difference.stdout.contains("paired over seeds")
    );
    assert_eq!(why("parameters[deep,Depth]").code, Some(0));
    for (cell, expected) in [
        ("mian[deep,Average]", "did you mean `main`?"),
        ("main[depe,Average]", "did you mean `deep`?"),
        ("main[deep,Avrage (%)]", "did you mean `Average (%)`?"),
        ("main[99,Average]", "there is no row `99`"),
        ("main[deep]", "no comma"),
        ("main", "is no cell"),
    ] {
        let ended = why(cell);
        ended.assert_no_panic();
        assert_eq!(ended.code, Some(2), "{ended}");
        assert!(ended.stderr.contains(expected), "{expected}: {ended}");
    }
    let ended = sandbox.ablate(&["report", "why", "nothing", "main[1,1]"]);
    assert_eq!(ended.code, Some(2), "{ended}");
}

#[test]
fn a_bundle_proves_itself_without_the_store() {
    let sandbox = reported();
    sandbox.succeed(&["bundle", "tiny.toml"]);
    let file = sandbox.desk("tiny.bundle.tar.zst");
    let bytes = fs::read(&file).unwrap();
    sandbox.succeed(&["bundle", "tiny.toml", "-o", "again.tar.zst"]);
    assert!(fs::read(sandbox.desk("again.tar.zst")).unwrap() == bytes, "the same bytes");

    let text = zstd::decode_all(bytes.as_slice()).unwrap();
    let mut archive = tar::Archive::new(text.as_slice());
    let mut names = Vec::new();
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        let header = entry.header();
        assert_eq!((header.mtime().unwrap(), header.uid().unwrap()), (0, 0));
        names.push(entry.path().unwrap().display().to_string());
    }
    assert!(names.is_sorted(), "{names:?}");
    for name in ["bundle.json", "lock.json", "study.toml", "report/scores.parquet"] {
        assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("safetensors")), "no weights");

    // On a machine that has nothing but the file.
    let other = Sandbox::new();
    other.write("tiny.tar.zst", &bytes);
    let shown = other.succeed(&["verify", "tiny.tar.zst"]);
    assert!(shown.contains("all are what the rows say") && shown.contains(" 0 wrong"), "{shown}");
    assert!(!other.root().exists(), "nothing is left");

    // Repacked with another number in a table, checksums of the bundle and the report made to fit.
    let (value, _) = average(&sandbox);
    let digit = if value.starts_with('9') { "8" } else { "9" };
    let table = sandbox.report().join("tables/benchmarks.csv");
    let sum = |path: &Path| blake3::hash(&fs::read(path).unwrap()).to_hex().to_string();
    let before = sum(&table);
    edit_row(&table, &value, &format!("{digit}{}", &value[1..]));
    edit(&sandbox.report().join("study.json"), &before, &sum(&table));
    let ended = sandbox.ablate(&["bundle", "tiny.toml", "-o", "forged.tar.zst"]);
    found(&ended, &["tables/benchmarks.csv [plain, "]);
    assert!(!sandbox.desk("forged.tar.zst").exists(), "nothing is packed");
    other.write(
        "forged.tar.zst",
        repacked(&text, |name, content| match name {
            "report/tables/benchmarks.csv" => fs::read(&table).unwrap(),
            "report/study.json" => fs::read(sandbox.report().join("study.json")).unwrap(),
            _ => content,
        }),
    );
    found(
        &other.ablate(&["verify", "forged.tar.zst"]),
        &[
            "tables/benchmarks.csv [plain, ",
            "report/study.json: its bytes are not those that were packed",
        ],
    );
    // Another recipe under the same key.
    other.write(
        "recipe.tar.zst",
        repacked(&text, |name, content| match name {
            "lock.json" => String::from_utf8(content).unwrap().replacen("5120", "5376", 1).into(),
            _ => content,
        }),
    );
    found(&other.ablate(&["verify", "recipe.tar.zst"]), &["its recipe gives the key"]);
    // Half of it.
    other.write("half.tar.zst", &bytes[..bytes.len() / 2]);
    let ended = other.ablate(&["verify", "half.tar.zst"]);
    ended.assert_no_panic();
    assert_eq!(ended.code, Some(2), "{ended}");
    assert!(ended.stderr.contains("damaged or cut off"), "{ended}");
}

/// The files of an unpacked bundle, some of them changed, packed again.
fn repacked(archive: &[u8], change: impl Fn(&str, Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    use std::io::Read;
    let mut builder = tar::Builder::new(Vec::new());
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let content = change(&name, content);
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, content.as_slice()).unwrap();
    }
    zstd::encode_all(builder.into_inner().unwrap().as_slice(), 3).unwrap()
}

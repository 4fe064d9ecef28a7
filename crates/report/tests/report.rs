//! Whole reports: what is in the folder, that rows come back, that an interrupted write never loses a report, that the page is self-contained.

mod synthetic;

use std::fs;
use std::path::Path;

use ablate_report::{
    AcceptedRow, MaskShare, ReportError, Selection, StudyData, compare, headline, read, tokenizers,
    write,
};

fn text(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

#[test]
fn rows_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("reports/quickstart");
    for data in [
        synthetic::ladder(&[1, 2, 3], 12),
        synthetic::with_failures(&[1, 2], 5),
        synthetic::text_only(&[7]),
        synthetic::grid(&[1, 2], 4),
        synthetic::rounds(&[1, 2], 4),
        StudyData::default(),
    ] {
        let written = write(&data, &dir).unwrap();
        assert_eq!(read(&dir).unwrap(), data);
        for file in &written.files {
            assert!(dir.join(file).is_file(), "{}", file.display());
        }
        // Nothing of an earlier report is left over, nothing beside the folder either.
        let mut found = 0;
        for entry in ["", "tables", "figures"] {
            let listing = fs::read_dir(dir.join(entry)).unwrap();
            found += listing.filter(|e| e.as_ref().unwrap().path().is_file()).count();
        }
        assert_eq!(found, written.files.len());
        assert_eq!(fs::read_dir(dir.parent().unwrap()).unwrap().count(), 1);
    }
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let data = synthetic::ladder(&[1, 2, 3], 10);
    let mut shuffled = data.clone();
    shuffled.scores.rotate_left(31);
    shuffled.items.rotate_left(400);
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    let written = write(&data, &a).unwrap();
    write(&data, &b).unwrap();
    for file in &written.files {
        assert_eq!(fs::read(a.join(file)).unwrap(), fs::read(b.join(file)).unwrap());
    }
    // Only the order in which benchmarks are listed may depend on the order of the rows.
    write(&shuffled, &b).unwrap();
    assert_eq!(text(&a, "tables/main.csv"), text(&b, "tables/main.csv"));
}

#[test]
fn an_interrupted_write_is_completed_and_foreign_files_stay() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("study");
    let (old, new) = (synthetic::text_only(&[1]), synthetic::ladder(&[1, 2], 5));
    let beside = |suffix: &str| folder.path().join(format!(".study.{suffix}"));

    // Killed while the new folder was being filled.
    write(&old, &dir).unwrap();
    fs::write(dir.join("notes.md"), "mine").unwrap();
    fs::create_dir_all(beside("new").join("tables")).unwrap();
    fs::write(beside("new").join("tables/main.md"), "half").unwrap();
    assert_eq!(read(&dir).unwrap(), old);
    write(&new, &dir).unwrap();
    assert_eq!(read(&dir).unwrap(), new);
    assert_eq!(text(&dir, "notes.md"), "mine");

    // Killed between the two renames: the old report can still be read, and the next write completes.
    fs::rename(&dir, beside("old")).unwrap();
    fs::create_dir_all(beside("new")).unwrap();
    assert_eq!(read(&dir).unwrap(), new);
    write(&old, &dir).unwrap();
    assert_eq!(read(&dir).unwrap(), old);
    assert_eq!(text(&dir, "notes.md"), "mine");

    // Killed before the old folder was removed, its foreign file not yet moved.
    write(&new, &beside("old")).unwrap();
    fs::rename(dir.join("notes.md"), beside("old").join("notes.md")).unwrap();
    write(&old, &dir).unwrap();
    assert_eq!(text(&dir, "notes.md"), "mine");
    assert!(!beside("old").exists() && !beside("new").exists());
    assert!(!dir.join("tables/benchmarks.md").exists());
}

#[test]
fn the_page_is_self_contained_and_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let mut data = synthetic::ladder(&[1, 2, 3], 8);
    data.study.title = "<script>alert(1)</script> & \"co\"".into();
    data.variants[1].label = "<img src=x onerror=alert(1)>".into();
    data.provenance.machine = "<b>fast</b>".into();
    write(&data, folder.path().join("r").as_path()).unwrap();
    let page = text(folder.path(), "r/index.html");
    for forbidden in ["<script", "<img", "<b>fast", "http://", "https://", "@import", "NaN"] {
        let page = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for id in ["findings", "results", "paper", "benchmarks", "learning", "provenance"] {
        assert!(page.contains(&format!("id=\"{id}\"")) && page.contains(&format!("\"#{id}\"")));
    }
    assert_eq!(page.matches("<svg ").count(), page.matches("</svg>").count());
    // Ids are unique, and links to files lead to files.
    let mut ids: Vec<&str> =
        page.split(" id=\"").skip(1).filter_map(|p| p.split('"').next()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    for link in page.split("href=\"").skip(1).filter_map(|p| p.split('"').next()) {
        if !link.starts_with('#') && !link.starts_with("data:") {
            assert!(folder.path().join("r").join(link).is_file(), "{link}");
        }
    }
}

#[test]
fn failures_and_single_seeds_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("r");
    write(&synthetic::with_failures(&[1, 2, 3], 10), &dir).unwrap();
    let main = text(&dir, "tables/main.md");
    assert!(main.contains("| failed |") && main.contains("loss is not a number at step 12"));
    assert!(text(&dir, "tables/benchmarks.md").contains("failed"));

    write(&synthetic::ladder(&[4], 10), &dir).unwrap();
    for table in ["main", "benchmarks", "paper"] {
        let text = text(&dir, &format!("tables/{table}.md"));
        assert!(!text.contains('±') && !text.contains("**4"), "{text}");
    }
    assert!(text(&dir, "tables/main.md").contains("One seed: no intervals"));
    assert!(text(&dir, "index.html").contains("There is one seed"));

    write(&synthetic::text_only(&[1, 2, 3]), &dir).unwrap();
    let main = text(&dir, "tables/main.md");
    assert!(!main.contains("Average") && main.contains("bits/byte"));
    assert!(!dir.join("tables/benchmarks.md").exists());
}

#[test]
fn reading_something_else_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let error = read(&folder.path().join("nothing")).unwrap_err();
    assert!(matches!(error, ReportError::NoReport { .. }) && error.to_string().contains("ablate"));
    let dir = folder.path().join("r");
    write(&synthetic::text_only(&[1]), &dir).unwrap();
    fs::write(dir.join("scores.parquet"), "not parquet").unwrap();
    let error = read(&dir).unwrap_err();
    assert!(error.to_string().contains("scores.parquet"), "{error}");
    fs::write(dir.join("study.json"), "{").unwrap();
    assert!(read(&dir).unwrap_err().to_string().contains("study.json"));
    // A folder that cannot be made: its parent is a file.
    let error = write(&synthetic::text_only(&[1]), &dir.join("study.json/inner")).unwrap_err();
    assert!(matches!(error, ReportError::Io { .. }), "{error}");
}

#[test]
fn studies_are_compared_by_variant_name_and_only_on_the_same_items() {
    let ours = synthetic::ladder(&[1, 2, 3], 40);
    let all = |data| Selection { data, variant: None };
    let same = compare(&all(&ours), &all(&ours)).unwrap();
    assert_eq!(same.pairs.len(), 5);
    for score in same.pairs.iter().flat_map(|p| &p.scores) {
        assert_eq!((score.difference, score.verdict.as_str()), (0.0, "not distinguishable"));
    }

    let mut theirs = ours.clone();
    theirs.study.name = "other".into();
    theirs.variants.remove(4);
    theirs.variants[0].name = "renamed".into();
    for row in &mut theirs.items {
        if row.benchmark == "summary" && row.item.ends_with("0003") {
            row.document_hash = "something else".into();
        }
    }
    let found = compare(&all(&ours), &all(&theirs)).unwrap();
    assert_eq!(found.pairs.len(), 3);
    assert_eq!(found.unmatched.len(), 3);
    let scores = &found.pairs[0].scores;
    let summary = scores.iter().find(|s| s.measure.starts_with("summary")).unwrap();
    assert_eq!((summary.verdict.as_str(), summary.p, summary.items), ("not tested", None, 0));
    assert!(summary.note.as_ref().unwrap().contains("1 of 40 items"));
    let exam = scores.iter().find(|s| s.measure.starts_with("exam")).unwrap();
    assert_eq!((exam.seeds, exam.items, exam.basis.as_str()), (3, 40, "seeds and items"));
    assert!(found.to_text().contains("ask different things"));
    assert_eq!(found.to_json()["pairs"][0]["a"], "compact-tokenizer");

    let missing = Selection { data: &ours, variant: Some("nope") };
    let error = compare(&missing, &all(&ours)).unwrap_err().to_string();
    assert!(error.contains("nope") && error.contains("inheritance"), "{error}");
}

#[test]
fn swapping_the_sides_turns_every_difference_round() {
    let data = synthetic::ladder(&[1, 2, 3], 60);
    let side = |variant| Selection { data: &data, variant: Some(variant) };
    let forth = compare(&side("baseline"), &side("inheritance")).unwrap();
    let back = compare(&side("inheritance"), &side("baseline")).unwrap();
    for (x, y) in forth.pairs[0].scores.iter().zip(&back.pairs[0].scores) {
        assert!((x.difference + y.difference).abs() < 1e-9);
        assert!((x.difference - (x.b - x.a)).abs() < 1e-9, "{}", x.measure);
        let ((a, b), (c, d)) = (x.interval.unwrap(), y.interval.unwrap());
        assert!((a + d).abs() < 1e-9 && (b + c).abs() < 1e-9);
    }
    let average = &forth.pairs[0].scores[0];
    assert_eq!((average.measure.as_str(), average.verdict.as_str()), ("Average score", "better"));
    let bits = forth.pairs[0].scores.last().unwrap();
    assert!(bits.unit == "bits/byte" && bits.difference < 0.0 && bits.verdict == "better");
}

#[test]
fn the_terminal_table_is_short() {
    let table = headline(&synthetic::ladder(&[1, 2, 3], 10)).unwrap();
    let text = table.to_text();
    assert!(text.lines().take(8).all(|l| l.chars().count() <= 140), "{text}");
    assert_eq!(table.rows.len(), 5);
    assert!(headline(&StudyData::default()).unwrap().rows.is_empty());
}

#[test]
fn tokenizers_before_and_after_compaction() {
    let folder = tempfile::tempdir().unwrap();
    let data = synthetic::ladder(&[1, 2], 5);
    write(&data, folder.path()).unwrap();
    let table = text(folder.path(), "tables/tokenizers.csv");
    let mut lines = table.lines();
    let heading: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert!(heading.contains(&"Compacted from") && heading.contains(&"Rule"), "{heading:?}");
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), data.variants.len());
    for (row, variant) in rows.iter().zip(&data.variants) {
        let compacted = variant.vocabulary == 1536;
        assert_eq!(row[0], variant.label);
        assert_eq!(row[1].parse::<u64>().unwrap(), variant.vocabulary);
        assert_eq!(row[2] == "4096", compacted, "{row:?}");
        let covered = if compacted { 0.951 } else { 1.0 };
        let holds = covered > 0.9 && variant.share < 0.2;
        assert_eq!(*row.last().unwrap(), if holds { "holds" } else { "does not hold" }, "{row:?}");
    }
    let page = text(folder.path(), "index.html");
    assert!(page.contains("The 1210 most frequent of 4096 pieces of “bpe-4096” cover more than"));
    assert!(page.contains("its text is changed before it is encoded (spaces go)"));
    let figure = text(folder.path(), "figures/coverage.svg");
    assert_eq!(figure.matches("Coverage (%)").count(), 1);
    let alone = tokenizers(&data).unwrap();
    assert_eq!((alone.name.as_str(), alone.rows.len()), ("tokenizers", rows.len()));
}

/// Rounds beside one round of the same tokens; where there is none of the same operations, the table
/// says what to do. The reading is named once.
#[test]
fn rounds_are_compared_at_equal_prices() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("rounds");
    write(&synthetic::rounds(&[1, 2, 3], 8), &dir).unwrap();
    let table = text(&dir, "tables/rounds-budget.md");
    let row = |name: &str| {
        let row = table.lines().find(|line| line.starts_with(&format!("| {name} ")));
        row.unwrap_or_else(|| panic!("{name}: {table}"))
            .split('|')
            .map(str::trim)
            .collect::<Vec<_>>()
    };
    let two = row("two");
    assert_eq!(two[4], "1×: 50.0%, 2×: 50.0%");
    assert!(two[8].contains('['), "beside `longer`: {two:?}");
    assert_eq!(two[9], "–", "no single round of its operations: {two:?}");
    assert!(row("one")[8..].iter().all(|cell| cell.is_empty() || *cell == "–"), "{table}");
    assert!(table.contains("within-flops"), "{table}");
    assert_eq!(table.matches("fresh optimiser").count(), 1, "{table}");
    let ledger = text(&dir, "tables/rounds.md");
    assert!(ledger.contains("25.0 ± 2.5") && ledger.contains("p over the whole set"), "{ledger}");
    // What the rounds bring, seeds paired; those of `one` and `two` are the first ones of `three`.
    let progress = text(&dir, "tables/progress.md");
    let rows: Vec<Vec<&str>> = progress
        .lines()
        .filter(|line| line.starts_with("| three ") || line.starts_with("| longer "))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let tokens = |row: &[&str]| row[4].split_whitespace().collect::<String>();
    let places: Vec<_> = rows.iter().map(|row| (row[1], row[2], row[3], tokens(row))).collect();
    let expected = [
        ("three", "1", "10", "100k".to_string()),
        ("three", "2", "5", "150k".to_string()),
        ("three", "3", "5", "200k".to_string()),
        ("longer", "1", "10", "150k".to_string()),
    ];
    assert_eq!(places, expected, "{progress}");
    assert!(rows.iter().all(|row| row[9].contains('[')), "{progress}");
    assert!(progress.contains("Rounds of one, two are those of three."), "{progress}");
    let forgetting = text(&dir, "tables/forgetting.md");
    assert!(forgetting.contains("−0.0"), "{forgetting}");
}

/// A divergence is in the tables with its step.
#[test]
fn divergences_are_in_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("batches");
    write(&synthetic::grid(&[1, 2], 4), &dir).unwrap();
    for table in ["main", "optimisation"] {
        let table = text(&dir, &format!("tables/{table}.md"));
        let row = table.lines().find(|line| line.contains("batch 8k, power 1.5")).unwrap();
        assert!(row.contains("diverged at steps 12 to 13"), "{row}");
    }
    let table = text(&dir, "tables/optimisation.md");
    assert!(table.contains("2.26e-2") && table.contains("2.83e-3"), "{table}");
}

#[test]
fn masks_that_missed_their_target_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("study");
    let mut data = synthetic::ladder(&[1, 2], 6);
    let share = |units: &str, shut, target| MaskShare { units: units.into(), shut, target };
    data.variants[1].mask_shares = vec![share("hidden", 0.39, 0.4), share("ffn", 0.16, 0.2)];
    write(&data, &dir).unwrap();
    let told = |place: &str| text(&dir, place).contains("masks shut");
    assert!(!told("tables/main.md") && !told("index.html"), "they are near");

    data.variants[1].mask_shares[0].shut = 0.03;
    write(&data, &dir).unwrap();
    assert_eq!(read(&dir).unwrap(), data);
    let words = format!(
        "{}: when their learning ended, masks shut hidden 3% (target 40%)",
        data.variants[1].title()
    );
    assert!(text(&dir, "tables/main.md").contains(&words), "{}", text(&dir, "tables/main.md"));
    let page = text(&dir, "index.html");
    let title = data.variants[1].title();
    let finding = format!(
        "Learned masks did not come to their target: {title}. As many units as wanted were kept all the same, by"
    );
    assert!(page.contains(&finding) && page.contains(&words), "{finding}");
}

#[test]
fn what_rests_on_accepted_results_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("r");
    let mut data = synthetic::ladder(&[1, 2, 3], 8);
    write(&data, &dir).unwrap();
    for place in ["index.html", "tables/main.md", "study.json"] {
        assert!(!text(&dir, place).contains("accepted"), "{place}: nothing is");
    }
    let key = |digit: &str| digit.repeat(64);
    data.variants[1].accepted = vec![(1, key("a")), (3, key("a"))];
    data.provenance.accepted = vec![AcceptedRow {
        stage: "tokenizer".into(),
        name: "bpe-4096".into(),
        key: key("a"),
        by_key: key("b"),
        because: "<b>only</b> the log changed".into(),
        by: "me@here".into(),
        at: "2026-01-01T00:00:00Z".into(),
    }];
    write(&data, &dir).unwrap();
    assert_eq!(read(&dir).unwrap(), data);
    let words = format!("tokenizer bpe-4096 ({} by {}: ", &key("a")[..12], &key("b")[..12]);
    let main = text(&dir, "tables/main.md");
    assert!(main.contains("rests on accepted results: ") && main.contains(&words), "{main}");
    assert!(main.contains("seeds 1, 3"), "{main}");
    let page = text(&dir, "index.html");
    let title = data.variants[1].title();
    assert!(page.contains(&format!("Rests on accepted results: {title}.")), "{title}");
    assert!(!page.contains("<b>only"));
    for shown in [key("a"), key("b"), "me@here".to_owned(), "only&lt;".to_owned()] {
        assert!(page.contains(&shown), "{shown}");
    }
}

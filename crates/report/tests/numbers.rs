//! The numbers in the tables against a recomputation from the rows that shares no code with the crate: plain loops and printed quantiles.

mod synthetic;

use std::collections::BTreeMap;

use ablate_report::{StudyData, write};

/// 97.5% quantile of Student's t with 2 and 3 degrees of freedom (printed tables: 4.303, 3.182).
const T2: f64 = 4.302_652_729_911_275;
const T3: f64 = 3.182_446_305_284_263;

/// A CSV table by row name and heading.
type Csv = BTreeMap<String, BTreeMap<String, String>>;

fn csv(data: &StudyData, table: &str) -> Csv {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("r");
    write(data, &dir).unwrap();
    let text = std::fs::read_to_string(dir.join(format!("tables/{table}.csv"))).unwrap();
    let mut lines = text.lines().map(fields);
    let heads = lines.next().unwrap();
    lines.map(|f| (f[0].clone(), heads.iter().cloned().zip(f.iter().cloned()).collect())).collect()
}

fn fields(line: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(String::new()),
            other => out.last_mut().unwrap().push(other),
        }
    }
    out
}

fn number(table: &Csv, row: &str, column: &str) -> f64 {
    table[row][column].parse().unwrap_or_else(|_| panic!("{row}/{column}: {:?}", table[row]))
}

/// The mark of a cell; a column in which nothing is marked has no column of marks.
fn mark<'a>(table: &'a Csv, row: &str, column: &str) -> &'a str {
    table[row].get(&format!("{column} mark")).map_or("", String::as_str)
}

fn close(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{a} {b}");
}

/// Mean and half-width with a given quantile.
fn student(values: &[f64], quantile: f64) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (mean, quantile * (squares / (n - 1.0)).sqrt() / n.sqrt())
}

/// Scores (percent) of a variant by seed: the mean over the benchmarks, or one of them.
fn scores(data: &StudyData, variant: &str, benchmark: Option<(&str, &str)>) -> Vec<f64> {
    let mut by_seed: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for row in &data.scores {
        let wanted = match benchmark {
            Some((name, language)) => row.benchmark == name && row.language == language,
            None => row.metric != "bits_per_byte",
        };
        if row.variant == variant && wanted {
            by_seed.entry(row.seed).or_default().push(row.value);
        }
    }
    by_seed.values().map(|v| 100.0 * v.iter().sum::<f64>() / v.len() as f64).collect()
}

#[test]
fn main_table() {
    let data = synthetic::ladder(&[11, 12, 13], 50);
    let table = csv(&data, "main");
    assert_eq!(table.len(), 5);
    let mut below: Option<Vec<f64>> = None;
    for variant in &data.variants {
        let row = variant.label.as_str();
        close(number(&table, row, "Parameters"), variant.params.total as f64);
        close(number(&table, row, "Emb. + head (%)"), 100.0 * variant.share);
        close(number(&table, row, "Training (FLOP)"), variant.train_flops);
        let values = scores(&data, &variant.name, None);
        let (mean, half) = student(&values, T2);
        close(number(&table, row, "Average (%)"), mean);
        close(number(&table, row, "Average (%) low"), mean - half);
        close(number(&table, row, "Average (%) high"), mean + half);
        for language in ["en", "zh"] {
            let bits: Vec<f64> = data
                .scores
                .iter()
                .filter(|r| r.variant == variant.name && r.language == language)
                .filter(|r| r.metric == "bits_per_byte")
                .map(|r| r.value)
                .collect();
            let (mean, half) = student(&bits, T2);
            let column = format!("Text, {language} (bits/byte)");
            close(number(&table, row, &column), mean);
            close(number(&table, row, &format!("{column} high")), mean + half);
        }
        if let Some(below) = &below {
            let differences: Vec<f64> = values.iter().zip(below).map(|(a, b)| a - b).collect();
            let (mean, half) = student(&differences, T2);
            let column = "Δ to the rung below (points)";
            close(number(&table, row, column), mean);
            let low = number(&table, row, &format!("{column} low"));
            let high = number(&table, row, &format!("{column} high"));
            // The interval also covers new items, so it is never narrower than the one over seeds.
            assert!(low <= mean - half + 1e-9 && high >= mean + half - 1e-9);
            let marked = mark(&table, row, column) == "indistinct";
            assert_eq!(marked, low <= 0.0 && 0.0 <= high, "{row}");
        }
        below = Some(values);
    }
}

#[test]
fn benchmark_table() {
    let data = synthetic::ladder(&[1, 2, 3, 4], 80);
    let table = csv(&data, "benchmarks");
    for (name, language, chance) in [("exam", "zh", 25.0), ("boolq", "en", 50.0)] {
        let column = format!("{name} ({language})");
        close(number(&table, "Chance", &column), chance);
        close(number(&table, "Items", &column), 80.0);
        let mut means = Vec::new();
        for variant in &data.variants {
            let row = variant.label.as_str();
            let values = scores(&data, &variant.name, Some((name, language)));
            let (mean, half) = student(&values, T3);
            close(number(&table, row, &column), mean);
            close(number(&table, row, &format!("{column} low")), mean - half);
            let mark = mark(&table, row, &column);
            if (mean - chance).abs() <= half {
                assert_eq!(mark, "at-chance", "{row} {column}");
            }
            means.push((mean, mark.to_string(), values));
        }
        for (mean, mark, values) in &means {
            if mark == "best" {
                for (other, _, others) in means.iter().filter(|m| m.0 != *mean) {
                    let pairs: Vec<f64> = values.iter().zip(others).map(|(a, b)| a - b).collect();
                    let (difference, half) = student(&pairs, T3);
                    assert!(mean > other && difference > half);
                }
            }
        }
    }
    // With these made-up skills the hopeless benchmark is at chance for the baseline, the easy one is not for the best.
    assert_eq!(mark(&table, "Baseline", "boolq (en)"), "at-chance");
    assert_ne!(mark(&table, "+ multiple-round training", "exam (zh)"), "at-chance");
}

fn set_summary(data: &mut StudyData, variant: &str, value: f64) {
    for row in &mut data.scores {
        if row.benchmark == "summary" && row.variant == variant {
            row.value = value;
        }
    }
    for item in &mut data.items {
        if item.benchmark == "summary" && item.variant == variant {
            item.score = value;
        }
    }
}

#[test]
fn a_clear_winner_is_bold_and_a_tie_is_not() {
    let mut data = synthetic::ladder(&[1, 2, 3], 60);
    let column = "summary (en)";
    // The same answers for two variants, the best by far: neither is marked.
    for variant in ["inheritance", "rounds"] {
        set_summary(&mut data, variant, 0.9);
    }
    let table = csv(&data, "benchmarks");
    assert!(table.keys().all(|row| mark(&table, row, column) != "best"));
    set_summary(&mut data, "rounds", 0.95);
    let table = csv(&data, "benchmarks");
    let best: Vec<&String> =
        table.keys().filter(|row| mark(&table, row, column) == "best").collect();
    assert_eq!(best, ["+ multiple-round training"]);
}

#[test]
fn a_benchmark_that_a_variant_misses_keeps_it_out_of_the_average() {
    let mut data = synthetic::ladder(&[1, 2, 3], 20);
    data.scores
        .retain(|r| !(r.variant == "baseline" && r.benchmark == "exam" && r.language == "zh"));
    let table = csv(&data, "main");
    assert_eq!(table["Baseline"]["Average (%)"], "");
    close(
        number(&table, "+ compact tokenizer", "Average (%)"),
        student(&scores(&data, "compact-tokenizer", None), T2).0,
    );
}

#[test]
fn beside_the_paper() {
    let table = csv(&synthetic::ladder(&[1, 2, 3], 20), "paper");
    let gains: Vec<f64> = [
        "+ compact tokenizer",
        "+ architecture tweak",
        "+ parameter inheritance",
        "+ multiple-round training",
    ]
    .iter()
    .map(|row| number(&table, row, "Paper, gain"))
    .collect();
    for (gain, printed) in gains.iter().zip([1.70, 2.42, 3.26, 1.49]) {
        assert!((gain - printed).abs() < 1e-9);
    }
    close(number(&table, "Baseline", "Paper, average (%)"), 42.41);
}

/// Benchmarks that have the names of the paper's tasks stand beside them, in every table of rows.
#[test]
fn task_by_task_beside_the_paper() {
    let mut data = synthetic::ladder(&[1, 2, 3], 20);
    data.study.design = "list".into();
    data.study.mirrors = vec!["table-5".into(), "table-11".into(), "table-8".into()];
    let names = ["base", "l1", "l2", "taylor", "random-channels"];
    let rename = |old: &str, data: &StudyData| {
        data.variants.iter().position(|v| v.name == old).map(|v| names[v].to_string()).unwrap()
    };
    let old = data.clone();
    for row in &mut data.scores {
        row.variant = rename(&row.variant, &old);
        row.benchmark = match (row.benchmark.as_str(), row.language.as_str()) {
            ("exam", "en") => "arc-e",
            ("continuation", _) => "hellaswag",
            (other, _) => other,
        }
        .to_string();
    }
    for row in &mut data.items {
        row.variant = rename(&row.variant, &old);
    }
    for (variant, name) in data.variants.iter_mut().zip(names) {
        variant.name = name.into();
        variant.label = name.into();
    }
    let tasks = csv(&data, "paper-tasks");
    for (row, arc, hellaswag) in
        [("base", 36.68, 40.34), ("l1", 39.51, 47.70), ("taylor", 43.21, 48.43)]
    {
        close(number(&tasks, row, "ARC-E, paper (%)"), arc);
        close(number(&tasks, row, "HellaSwag, paper (%)"), hellaswag);
        let ours = scores(&data, row, Some(("arc-e", "en")));
        close(number(&tasks, row, "ARC-E, here (%)"), student(&ours, T2).0);
    }
    // C3 was not scored here, and the paper has no random channels.
    assert!(!tasks["base"].contains_key("C3, paper (%)"));
    assert_eq!(tasks["random-channels"]["ARC-E, paper (%)"], "");
    close(number(&tasks, "Chance here", "ARC-E, here (%)"), 25.0);
    let averages = csv(&data, "paper");
    close(number(&averages, "l2", "Paper, average (%)"), 47.0);
    close(number(&averages, "l2", "Paper, Δ to the first"), 47.0 - 42.06);
    assert_eq!(averages["random-channels"]["Paper, average (%)"], "");
    // What does not correspond to the variants is shown as it is.
    let schemes = csv(&data, "paper-table-11");
    close(number(&schemes, "Ours", "Average (%)"), 42.94);
    close(number(&csv(&data, "paper-table-8"), "Phi2-2.7B", "MMLU (%)"), 58.49);
}

/// Where no average is printed and no benchmark is common, ours stands beside the rows all the same.
#[test]
fn rows_without_an_average_stand_beside_ours() {
    let mut data = synthetic::ladder(&[1, 2, 3], 20);
    data.study.design = "list".into();
    data.study.mirrors = vec!["table-10".into()];
    for (variant, label) in data.variants.iter_mut().zip(["MHA", "GQA"]) {
        variant.label = label.into();
    }
    let table = csv(&data, "paper");
    for (v, row, mmlu) in [(0, "MHA", 53.76), (1, "GQA", 51.97)] {
        close(number(&table, row, "MMLU (%)"), mmlu);
        assert_eq!(table[row]["Here"], row);
        let ours = scores(&data, &data.variants[v].name, None);
        close(number(&table, row, "Here, average score (%)"), student(&ours, T2).0);
    }
}

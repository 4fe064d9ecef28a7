//! The numbers of the paper against each other: what is printed must come out of what is kept.

use super::matching::{by_rank, by_words};
use super::*;
use crate::rows::VariantRow;

fn variant(name: &str, vocabulary: u64) -> VariantRow {
    VariantRow { name: name.to_string(), vocabulary, ..VariantRow::default() }
}

fn averages(rows: &[Option<&PaperRow>]) -> Vec<Option<f64>> {
    rows.iter().map(|row| row.and_then(|row| row.average)).collect()
}

/// Points of a series by the panel's title and its own label.
fn points(paper: &Paper, id: &str, panel: &str, label: &str) -> Vec<(f64, f64)> {
    let element = paper.element(id).unwrap();
    let panel = element.panels.iter().find(|p| p.title == panel).unwrap();
    element.points(panel.series.iter().find(|s| s.label == label).unwrap())
}

#[test]
fn every_table_and_figure_is_there_with_its_source() {
    let paper = Paper::embedded().unwrap();
    let ids: Vec<&str> = paper.elements().iter().map(|e| e.id.as_str()).collect();
    let expect: Vec<String> = (1..=13)
        .map(|n| format!("table-{n}"))
        .chain((1..=12).map(|n| format!("figure-{n}")))
        .collect();
    assert_eq!(ids, expect);
    for element in paper.elements() {
        assert!(element.source.contains("2402.02791v2"), "{}", element.id);
        assert!(element.source.contains(&element.place), "{}", element.id);
        assert_eq!(element.is_table(), element.panels.is_empty(), "{}", element.id);
        assert!(!element.rows.is_empty() || !element.panels.is_empty(), "{}", element.id);
        for row in element.all_rows() {
            for column in &element.columns {
                let known = row.values.contains_key(&column.key);
                assert!(
                    known != row.texts.contains_key(&column.key),
                    "{} {}",
                    element.id,
                    row.label
                );
            }
            let columns = row.values.len() + row.texts.len();
            assert_eq!(columns, element.columns.len(), "{} {}", element.id, row.label);
        }
        for panel in &element.panels {
            for series in &panel.series {
                let points = element.points(series);
                assert!(
                    !points.is_empty() && points.len() <= 60,
                    "{} {}",
                    element.id,
                    series.label
                );
                assert!(points.windows(2).all(|w| w[0].0 <= w[1].0 || series.label.is_empty()));
            }
        }
    }
    assert!(paper.element("Figure 1").is_some());
    assert!(paper.element("figure-99").is_none());
}

/// Averages are the means of their columns, rounded to two decimals as these are. Table 8's last row
/// is printed as 56.49 where its columns give 56.54.
#[test]
fn every_printed_average_is_the_mean_of_its_columns() {
    let paper = Paper::embedded().unwrap();
    let mut rows = 0;
    for element in paper.elements() {
        let keys: Vec<&str> = element.tasks().map(|c| c.key.as_str()).collect();
        for row in element.all_rows().filter(|_| !keys.is_empty()) {
            let scores: Vec<f64> = keys.iter().map(|key| row.values[*key]).collect();
            let mean = scores.iter().sum::<f64>() / scores.len() as f64;
            let Some(printed) = row.average else {
                assert_eq!(element.id, "table-10");
                continue;
            };
            if element.id == "table-8" && row.label == "PanGu-π-1.5B Pro" {
                assert!((mean - 56.537).abs() < 1e-9 && printed == 56.49);
            } else {
                assert!((mean - printed).abs() < 0.0101, "{} {}: {mean}", element.id, row.label);
            }
            rows += 1;
        }
    }
    // Tables 1 to 7, 8, 11, 12, 13.
    assert_eq!(rows, 6 + 5 + 4 + 3 + 5 + 5 + 3 + 13 + 4 + 3 + 5);
}

/// One run is in seven tables, and the steps of Figure 1 are in Table 8.
#[test]
fn what_is_printed_twice_agrees() {
    let paper = Paper::embedded().unwrap();
    for id in ["table-1", "table-2", "table-3", "table-4", "table-11", "table-12", "table-13"] {
        let rows = &paper.element(id).unwrap().rows;
        let baseline = rows.iter().find(|row| row.average == Some(41.19)).unwrap();
        for (task, score) in [("arc_e", 34.39), ("hellaswag", 41.48), ("c3", 47.70)] {
            assert_eq!(baseline.values[task], score, "{id}");
        }
    }
    let average = |id: &str, label: &str| {
        let element = paper.element(id).unwrap();
        element.all_rows().find(|row| row.label == label).unwrap().average
    };
    for (step, model) in [
        ("PanGu-π-1B", "PanGu-π-1B"),
        ("+ multiple-round training", "PanGu-π-1B Pro"),
        ("PanGu-π-1.5B Pro", "PanGu-π-1.5B Pro"),
        ("Qwen-1.8B", "Qwen-1.8B"),
    ] {
        assert_eq!(average("figure-1", step), average("table-8", model), "{model}");
    }
    let last = |id: &str, label: &str| points(&paper, id, "", label).last().unwrap().1;
    // Table 6 without a second round is the end of Figure 10's first.
    let once = paper.element("table-6").unwrap().rows[0].values["hellaswag"];
    assert_eq!(last("figure-10", "PanGu-π-1B Pro, round 1"), once);
    // Table 10's whole model is Table 8's last.
    let whole = &paper.element("table-10").unwrap().rows[0].values;
    let last = &paper.element("table-8").unwrap().rows[12].values;
    assert!(["c_eval", "cmmlu", "mmlu", "agi_eval"].iter().all(|task| whole[*task] == last[*task]));
}

/// The text gives the coverage of six vocabularies, Figure 2 of twenty-five.
#[test]
fn figure_2_covers_what_the_text_says() {
    let paper = Paper::embedded().unwrap();
    let bars = points(&paper, "figure-2", "", "");
    assert_eq!(bars.len(), 25);
    assert!(bars.windows(2).all(|w| w[1].0 - w[0].0 == 4.0 && w[1].1 >= w[0].1));
    for (size, printed) in
        [(8.0, 78.68), (16.0, 87.24), (32.0, 94.49), (48.0, 97.86), (72.0, 99.84), (100.0, 100.0)]
    {
        let bar = bars.iter().find(|bar| bar.0 == size).unwrap().1;
        assert!((bar - printed).abs() < 0.0101, "{size}k: {bar}, printed {printed}");
    }
}

/// `2 V d + L (4 d² + 3 d I + 2 d) + d` gives the shares of Table 1 and Figure 3.
#[test]
fn shares_come_out_of_the_shapes() {
    let paper = Paper::embedded().unwrap();
    let (d, ffn) = (1792.0, 4864.0);
    let rows = &paper.element("table-1").unwrap().rows;
    for row in rows {
        let ends = 2.0 * row.values["vocabulary"] * d;
        let layer = 4.0 * d * d + 3.0 * d * ffn + 2.0 * d;
        let total = ends + row.values["depth"] * layer + d;
        let share = 100.0 * ends / total;
        assert!((share - row.values["share"]).abs() < 0.0151, "{}: {share}", row.label);
        assert!((total / 1e6 - row.values["total_m"]).abs() < 0.051, "{}: {total}", row.label);
    }
    let ends = points(&paper, "figure-3", "", "Embedding and head");
    let body = points(&paper, "figure-3", "", "Main body");
    for (place, row) in [(0, &rows[5]), (1, &rows[3])] {
        assert_eq!(ends[place].1, row.values["share"]);
        assert!((ends[place].1 + body[place].1 - 100.0).abs() < 1e-9);
    }
}

/// The paper prints the rank correlations of its Figure 4; the points give them again.
#[test]
fn figure_4_correlates_as_printed() {
    let paper = Paper::embedded().unwrap();
    let element = paper.element("figure-4").unwrap();
    assert_eq!((element.rows.len(), element.panels.len()), (34, 3));
    for panel in &element.panels {
        let points = element.points(&panel.series[0]);
        assert_eq!(points.len(), 34);
        let (sizes, scores): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
        let rho = ablate_stats::spearman(&sizes, &scores).unwrap().value;
        let printed = panel.spearman.unwrap();
        assert!((rho - printed).abs() < 0.002, "{}: {rho}, printed {printed}", panel.x.title);
    }
    // 2 V d + L (4 d² + 3 d I + 2 d) + d with V = 48,000, as far as the printed million goes.
    for row in &element.rows {
        let of = |key: &str| row.values[key];
        let (d, ffn) = (of("width"), of("ffn"));
        let layer = 4.0 * d * d + 3.0 * d * ffn + 2.0 * d;
        let total = 96_000.0 * d + of("depth") * layer + d;
        assert!((total / 1e6 - of("total_m")).abs() < 0.06, "{}: {total}", row.label);
        assert!((ffn / d - of("rate")).abs() < 0.0006, "{}", row.label);
    }
}

/// Figure 5 is the mean of Figure 12's three tasks.
#[test]
fn figure_5_is_the_mean_of_figure_12() {
    let paper = Paper::embedded().unwrap();
    let mut compared = 0;
    for panel in &paper.element("figure-5").unwrap().panels {
        for series in &panel.series {
            let of = |task: &str| {
                points(&paper, "figure-12", &format!("{task}, {}", panel.title), &series.label)
            };
            let tasks = ["ARC-E", "HellaSwag", "C3"].map(of);
            let means = paper.element("figure-5").unwrap().points(series);
            for (i, (layer, mean)) in means.iter().enumerate() {
                assert!(tasks.iter().all(|task| task[i].0 == *layer));
                let expect = tasks.iter().map(|task| task[i].1).sum::<f64>() / 3.0;
                assert!((mean - expect).abs() <= 0.0101, "{} {layer}: {mean}", panel.title);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 371);
}

/// The thinned losses end where the whole curves do: means of 45 to 49 B tokens as they were read.
#[test]
fn losses_end_where_they_did() {
    let paper = Paper::embedded().unwrap();
    let end = |id: &str, panel: &str, label: &str| {
        let late: Vec<f64> = points(&paper, id, panel, label)
            .into_iter()
            .filter(|p| (45.0..=49.0).contains(&p.0))
            .map(|p| p.1)
            .collect();
        assert!(late.len() >= 4);
        late.iter().sum::<f64>() / late.len() as f64
    };
    let inherited =
        [("Base", 2.653), ("L1", 2.600), ("L2", 2.581), ("Taylor", 2.572), ("Learned mask", 2.511)];
    for (label, expect) in inherited {
        assert!((end("figure-6", "", label) - expect).abs() < 0.02, "{label}");
    }
    for (size, half, one) in [
        ("1M", 2.654, 2.654),
        ("2M", 2.675, 2.656),
        ("4M", 2.679, 2.668),
        ("8M", 2.744, 2.762),
        ("16M", 2.950, 2.946),
        ("32M", 3.288, 3.392),
    ] {
        assert!((end("figure-7", "r = 0.5", size) - half).abs() < 0.025, "{size}");
        assert!((end("figure-7", "r = 1.0", size) - one).abs() < 0.025, "{size}");
    }
}

/// All rules are the baseline at the smallest batch.
#[test]
fn figure_8_starts_at_the_baseline() {
    let paper = Paper::embedded().unwrap();
    for series in &paper.element("figure-8").unwrap().panels[0].series {
        let points = paper.element("figure-8").unwrap().points(series);
        assert_eq!(points[0], (1.0, 41.19), "{}", series.label);
    }
}

#[test]
fn ladder_rows_are_found_by_words() {
    let paper = Paper::embedded().unwrap();
    let element = paper.element("figure-1").unwrap();
    let variants: Vec<VariantRow> =
        ["baseline", "compact-tokenizer", "architecture", "inheritance", "rounds"]
            .map(|n| variant(n, 512))
            .into();
    let found = averages(&by_words(element, &variants).unwrap());
    assert_eq!(found, [42.41, 44.11, 46.53, 49.79, 51.28].map(Some));
    assert!(by_words(element, &[variant("something-else", 1)]).is_none());
}

#[test]
fn variants_that_the_paper_has_not_get_no_row() {
    let paper = Paper::embedded().unwrap();
    let named = |names: &[&str]| -> Vec<VariantRow> {
        names.iter().map(|name| variant(name, 512)).collect()
    };
    let table_5 = paper.element("table-5").unwrap();
    let variants = named(&["base", "first-channels", "l1", "l2"]);
    let found = averages(&by_words(table_5, &variants).unwrap());
    assert_eq!(found, [Some(42.06), None, Some(46.06), Some(47.0)]);
    // One name alone may be an accident.
    assert!(by_words(table_5, &named(&["base", "wide", "deep"])).is_none());
    // The same schemes are in two tables, the fourth in one.
    let schemes = named(&["constant", "gpt2", "internlm", "depth-adaptive"]);
    let four = averages(&by_words(paper.element("table-4").unwrap(), &schemes).unwrap());
    assert_eq!(four, [Some(42.59), Some(42.13), Some(41.19), None]);
    let eleven = averages(&by_words(paper.element("table-11").unwrap(), &schemes).unwrap());
    assert_eq!(eleven[3], Some(42.94));
}

/// The final recipes of `experiments/paper/table9.toml`, under the labels of both its profiles.
#[test]
fn the_final_recipes_are_three_rows_of_table_8() {
    let paper = Paper::embedded().unwrap();
    let labels = ["Baseline", "Pro", "Pro, half as large again"];
    let published = ["PanGu-π-1B", "PanGu-π-1B Pro", "PanGu-π-1.5B Pro"];
    for labels in [labels, published] {
        let names = ["1b", "1b-pro", "1.5b-pro"].into_iter().zip(labels);
        let variants: Vec<VariantRow> = names
            .map(|(name, label)| VariantRow { label: label.into(), ..variant(name, 512) })
            .collect();
        let rows = by_words(paper.element("table-8").unwrap(), &variants).unwrap();
        let found: Vec<&str> = rows.iter().map(|row| row.unwrap().label.as_str()).collect();
        assert_eq!(found, published);
    }
}

#[test]
fn table_rows_are_found_by_rank() {
    let paper = Paper::embedded().unwrap();
    let element = paper.element("table-1").unwrap();
    let sizes = [4096, 300, 512, 1024, 2048, 8192];
    let variants: Vec<VariantRow> = sizes.iter().map(|s| variant("v", *s)).collect();
    let rows = by_rank(element, &variants).unwrap();
    let labels: Vec<&str> = rows.iter().map(|r| r.unwrap().label.as_str()).collect();
    assert_eq!(labels, ["72k", "8k", "16k", "32k", "48k", "100k"]);
    assert!(by_rank(element, &variants[..3]).is_none());
    assert!(by_rank(element, &vec![variant("v", 1); 6]).is_none());
}

/// A study of rates and numbers of rounds is both Table 6 and Table 7.
#[test]
fn rounds_are_found_in_both_of_their_tables() {
    let paper = Paper::embedded().unwrap();
    let of = |count: &str, rate: Option<&str>| {
        let mut delta = vec![("rounds.count".to_string(), "1".to_string(), count.to_string())];
        delta.extend(rate.map(|rate| ("rounds.rate".into(), "0.5".into(), rate.into())));
        VariantRow { delta, ..variant("v", 512) }
    };
    let variants = [
        variant("once", 512),
        of("2", Some("0.25")),
        of("2", None),
        of("2", Some("0.75")),
        of("2", Some("1.0")),
        of("3", None),
    ];
    let rates = averages(&by_rank(paper.element("table-6").unwrap(), &variants).unwrap());
    assert_eq!(rates, [Some(51.61), Some(53.17), Some(54.46), Some(54.67), Some(54.87), None]);
    // What two rounds are worth within the tokens of one is not in the paper.
    let mut within = of("2", None);
    within.delta.push(("rounds.budget".into(), "\"extra\"".into(), "\"within\"".into()));
    let more: Vec<VariantRow> = variants.iter().cloned().chain([within]).collect();
    for id in ["table-6", "table-7"] {
        let element = paper.element(id).unwrap();
        let mut expect = averages(&by_rank(element, &variants).unwrap());
        expect.push(None);
        assert_eq!(averages(&by_rank(element, &more).unwrap()), expect);
    }
    let counts = averages(&by_rank(paper.element("table-7").unwrap(), &variants).unwrap());
    assert_eq!(counts, [Some(51.61), None, Some(54.46), None, None, Some(54.44)]);
}

#[test]
fn benchmarks_are_found_by_name() {
    let paper = Paper::embedded().unwrap();
    let column = |id: &str, key: &str| {
        paper.element(id).unwrap().columns.iter().find(|c| c.key == key).unwrap().clone()
    };
    for name in ["arc-e", "ARC-Easy", "arc_easy"] {
        assert!(column("table-5", "arc_e").is_benchmark(name));
    }
    assert!(column("table-8", "ax_b").is_benchmark("axb"));
    assert!(column("table-8", "c_eval").is_benchmark("ceval"));
    assert!(!column("table-8", "c3").is_benchmark("arc-e"));
    assert_eq!(column("table-13", "weight_decay").written(0.0001), "0.0001");
    assert_eq!(column("table-2", "hellaswag").written(41.0), "41.00");
    assert_eq!(column("table-2", "depth").written(40.0), "40");
}

//! Claims against what scipy and statsmodels say by the same rules (`fixtures/make_claims.py`), what cannot be compared, the paper's side,
//! and what becomes of it in a report.

mod synthetic;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ablate_report::{
    Compared, Expectation, JudgedClaim, Judgement, ScoreRow, SkipRow, StudyData, StudyInfo,
    VariantRow, write,
};
use serde::Deserialize;
use synthetic::{claim, order};

/// Judges the claims of a study by writing its report.
fn judge(data: &StudyData) -> Vec<JudgedClaim> {
    let folder = tempfile::tempdir().unwrap();
    write(data, &folder.path().join("r")).unwrap().claims
}

fn one(data: &StudyData) -> JudgedClaim {
    judge(data).remove(0)
}

#[derive(Deserialize)]
struct Fixture {
    depths: Vec<u64>,
    values: BTreeMap<String, Vec<f64>>,
    claims: Vec<Expected>,
}

#[derive(Deserialize)]
struct Expected {
    id: String,
    order: Option<Vec<String>>,
    gains: Option<Vec<(String, String)>>,
    equal: Option<Vec<String>>,
    within: Option<f64>,
    size: Option<String>,
    rises: Option<bool>,
    verdict: String,
    p: f64,
    adjusted: f64,
    level: f64,
    tests: Vec<ExpectedTest>,
}

#[derive(Deserialize)]
struct ExpectedTest {
    value: f64,
    p: f64,
    low: f64,
    high: f64,
}

impl Expected {
    fn expectation(&self) -> Expectation {
        if let Some(pairs) = &self.gains {
            return gains(pairs);
        }
        match (&self.order, &self.equal, self.within) {
            (Some(names), ..) => Expectation::Order(names.clone()),
            (_, Some(names), Some(within)) => {
                Expectation::Equal { variants: names.clone(), within }
            }
            (_, _, Some(within)) => {
                Expectation::Unrelated { size: self.size.clone().unwrap(), within }
            }
            _ => {
                Expectation::Trend { size: self.size.clone().unwrap(), rises: self.rises.unwrap() }
            }
        }
    }
}

/// An order of gains.
fn gains(pairs: &[(String, String)]) -> Expectation {
    let mut variants: Vec<String> = Vec::new();
    let mut place = |name: &String| {
        variants.iter().position(|known| known == name).unwrap_or_else(|| {
            variants.push(name.clone());
            variants.len() - 1
        })
    };
    let gains = pairs.iter().map(|(a, b)| (place(a), place(b))).collect();
    Expectation::Gains { gains, variants }
}

fn fixture() -> (Fixture, StudyData) {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/claims.json")).unwrap();
    let mut data =
        bits(&fixture.values.iter().map(|(n, v)| (n.as_str(), v.clone())).collect::<Vec<_>>());
    for variant in &mut data.variants {
        variant.depth = variant.name[1..].parse().unwrap();
        assert!(fixture.depths.contains(&variant.depth));
    }
    data.claims = fixture
        .claims
        .iter()
        .map(|expected| claim(&expected.id, "bits_per_byte", expected.expectation()))
        .collect();
    (fixture, data)
}

/// A study of bits per byte: values by seed, from seed 1 on.
fn bits(values: &[(&str, Vec<f64>)]) -> StudyData {
    let mut data = StudyData {
        study: StudyInfo { name: "bits".into(), design: "list".into(), ..StudyInfo::default() },
        ..StudyData::default()
    };
    for (name, values) in values {
        data.variants.push(VariantRow { name: (*name).into(), width: 64, ..VariantRow::default() });
        for (seed, value) in (1..).zip(values) {
            data.scores.push(ScoreRow {
                variant: (*name).into(),
                seed,
                benchmark: "validation".into(),
                language: "en".into(),
                metric: "bits_per_byte".into(),
                value: *value,
                primary: true,
                ..ScoreRow::default()
            });
        }
    }
    data
}

#[track_caller]
fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-7 * expected.abs().max(1e-3), "{found} {expected}");
}

#[test]
fn verdicts_are_those_of_scipy() {
    let (fixture, data) = fixture();
    let mut seen = Vec::new();
    for (found, expected) in judge(&data).iter().zip(&fixture.claims) {
        assert_eq!(found.verdict.words(), expected.verdict, "{}", found.id);
        close(found.p.unwrap(), expected.p);
        close(found.p_adjusted.unwrap(), expected.adjusted);
        close(found.level.unwrap(), expected.level);
        assert_eq!(found.tests.len(), expected.tests.len(), "{}", found.id);
        for (test, expected) in found.tests.iter().zip(&expected.tests) {
            close(test.value, expected.value);
            close(test.p, expected.p);
            let (low, high) = test.interval.unwrap();
            close(low, expected.low);
            close(high, expected.high);
            assert_eq!(
                test.basis,
                if test.compared == Compared::Ranks { "variants" } else { "seeds" }
            );
        }
        seen.push(found.verdict);
    }
    for verdict in [Judgement::Holds, Judgement::Contradicted, Judgement::Inconclusive] {
        assert!(seen.contains(&verdict), "{verdict:?}");
    }
}

#[test]
fn what_cannot_be_told_says_what_would_be_enough() {
    let (_, data) = fixture();
    for found in judge(&data) {
        let open = found.verdict == Judgement::Inconclusive;
        for test in &found.tests {
            assert_eq!(test.enough.is_some(), open, "{}", found.id);
        }
    }
    // Alone, the pair needs the seeds that scipy's noncentral t gives (see ablate-stats) for its mean and spread.
    let mut data =
        bits(&[("a", vec![1.52, 1.49, 1.50, 1.55]), ("b", vec![1.50, 1.50, 1.47, 1.53])]);
    data.claims = vec![claim("c", "bits_per_byte", order(&["a", "b"]))];
    let found = one(&data);
    assert_eq!(found.verdict, Judgement::Inconclusive);
    let enough = found.tests[0].enough.unwrap();
    close(enough.effect, 0.015);
    // Differences 0.02, -0.01, 0.03, 0.02: mean 0.015, sd 0.0173205; with 13 seeds the power is 0.8173, with 12 0.7796.
    assert_eq!((enough.seeds, enough.items), (Some(13), None));
    assert!(found.line().contains("to tell: 13 seeds"), "{}", found.line());
}

#[test]
fn what_cannot_be_compared_says_why() {
    let check = |data: &StudyData, said: &str| {
        let found = one(data);
        assert_eq!(found.verdict, Judgement::NotComparable);
        let reason = found.reason.clone().unwrap();
        assert!(reason.contains(said), "{reason}");
        assert!(found.tests.is_empty() && found.p.is_none() && !found.fails());
        assert!(found.line().contains(said));
    };
    let with = |mut data: StudyData, metric: &str, expectation| {
        data.claims = vec![claim("c", metric, expectation)];
        data.claims[0].require = true;
        data
    };
    let pair = || order(&["rounds", "baseline"]);
    let three = [1, 2, 3];
    check(&with(synthetic::ladder(&[1], 10), "average", pair()), "one seed in common");
    check(
        &with(synthetic::ladder(&three, 5), "arc", pair()),
        "no metric `arc`; there are: average",
    );
    check(&with(synthetic::ladder(&three, 5), "exam", pair()), "write exam-zh or exam-en");
    check(&with(synthetic::text_only(&three), "average", pair()), "no metric `average`");
    check(
        &with(synthetic::with_failures(&three, 5), "average", order(&["rounds", "architecture"])),
        "loss is not a number at step 12",
    );
    check(&with(synthetic::ladder(&three, 5), "average", order(&["rounds", "nobody"])), "`nobody`");
    let depth = || Expectation::Trend { size: "depth".into(), rises: true };
    check(&with(synthetic::many(4, &three, 5), "average", depth()), "5 variants");
    let heads = Expectation::Unrelated { size: "heads".into(), within: 0.3 };
    check(&with(synthetic::ladder(&three, 5), "average", heads), "the same heads");
    let mut other = synthetic::ladder(&three, 5);
    for row in other.items.iter_mut().filter(|row| row.variant == "rounds") {
        row.document_hash += "x";
    }
    check(&with(other, "average", pair()), "ask different things");
    // Seeds that do not meet.
    let mut apart = synthetic::ladder(&three, 5);
    for row in apart.scores.iter_mut().filter(|row| row.variant == "rounds") {
        row.seed += 10;
    }
    check(&with(apart, "bits_per_byte", pair()), "no seed in common");
}

/// Metrics are found by the names that tables show, in any spelling.
#[test]
fn metrics_have_names() {
    let mut data = synthetic::ladder(&[1, 2, 3], 20);
    for (metric, unit) in [
        ("average", "points"),
        ("exam-en", "points"),
        ("Exam (zh)", "points"),
        ("boolq", "points"),
        ("bits_per_byte", "bits/byte"),
        ("bits_per_byte-zh", "bits/byte"),
    ] {
        data.claims = vec![claim("c", metric, order(&["inheritance", "baseline"]))];
        let found = one(&data);
        assert_eq!(found.unit, unit, "{metric}");
        assert_eq!(found.tests[0].items > 1, unit == "points");
    }
    // Fewer bits are better: the same two variants the other way round.
    data.claims = vec![claim("c", "bits_per_byte", order(&["baseline", "inheritance"]))];
    assert!(one(&data).tests[0].value > 0.0);
}

#[test]
fn the_papers_effect_stands_beside() {
    let mut data = synthetic::ladder(&[1, 2, 3], 30);
    let ladder = judge(&data);
    let effects: Vec<f64> = ladder[0].tests.iter().map(|test| test.paper.unwrap()).collect();
    // The printed gains of Figure 1, last step first.
    for (found, printed) in effects.iter().zip([1.49, 3.26, 2.42, 1.70]) {
        assert!((found - printed).abs() < 1e-9, "{effects:?}");
    }
    assert!((ladder[1].tests[0].paper.unwrap() - 8.87).abs() < 1e-9);
    assert_eq!(ladder[0].paper.as_deref(), Some("Figure 1"));
    assert!(ladder[0].remarks.is_empty(), "{:?}", ladder[0].remarks);

    // Rows by name: 41.19 and 40.40, within two standard errors of 0.79.
    data.claims = vec![claim("c", "average", order(&["compact-tokenizer", "baseline"]))];
    data.claims[0].source = "Table 1".into();
    data.claims[0].paper = vec!["48k".into(), "100K".into()];
    let found = one(&data);
    assert!((found.tests[0].paper.unwrap() - 0.79).abs() < 1e-9);
    let remark = found.remarks.join(" ");
    assert!(remark.contains("+0.79 is below two standard errors") && remark.contains("0.8 points"));
    assert!(remark.contains("1 seed and no error bars") && remark.contains("1.40"), "{remark}");

    // Clear of the noise: 42.02 and 35.46.
    data.claims[0].source = "Table 2".into();
    data.claims[0].paper = vec!["40 layers x 1280".into(), "9 layers x 2560".into()];
    let found = one(&data);
    assert!((found.tests[0].paper.unwrap() - 6.56).abs() < 1e-9 && found.remarks.is_empty());

    // A row that is not there, and a source that is no element of the paper.
    data.claims[0].paper[0] = "50 layers".into();
    let found = one(&data);
    assert!(found.tests[0].paper.is_none() && found.remarks[0].contains("no row `50 layers`"));
    data.claims[0].source = "somebody 2023".into();
    let found = one(&data);
    assert!(found.paper.is_none() && found.remarks.is_empty());

    // Equality: the paper's own difference against the tolerance.
    let equal =
        Expectation::Equal { variants: vec!["rounds".into(), "inheritance".into()], within: 1.0 };
    data.claims = vec![claim("c", "average", equal)];
    data.claims[0].paper =
        vec!["+ multiple-round training".into(), "+ parameter inheritance".into()];
    let found = one(&data);
    assert!(found.remarks.join(" ").contains("+1.49 is beyond the tolerance of 1"), "{found:?}");

    // A correlation as printed.
    data.claims =
        vec![claim("c", "average", Expectation::Trend { size: "depth".into(), rises: true })];
    data.claims[0].source = "Figure 4".into();
    let test = one(&data).tests.remove(0);
    assert!((test.paper.unwrap() - 0.528).abs() < 0.002 && test.compared == Compared::Ranks);
    let (low, high) = test.paper_interval.unwrap();
    assert!(low > 0.1 && high < 0.8);

    // The paper has no bits per byte.
    data.claims = vec![claim("c", "bits_per_byte", order(&["baseline", "rounds"]))];
    let found = one(&data);
    assert!(found.tests[0].paper.is_none() && found.remarks[0].contains("does not report"));
}

/// Of gains the paper's own: in Figure 1 inheritance adds 3.26 and the tokenizer 1.70.
#[test]
fn gains_are_compared_over_seeds_and_items() {
    let mut data = synthetic::ladder(&[1, 2, 3], 30);
    let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
    let steps = [
        pair("inheritance", "architecture"),
        pair("architecture", "compact-tokenizer"),
        pair("compact-tokenizer", "baseline"),
    ];
    data.claims = vec![claim("c", "average", gains(&steps))];
    let found = one(&data);
    assert_eq!((found.tests.len(), found.unit.as_str()), (2, "points"));
    let test = &found.tests[0];
    assert_eq!(
        (test.compared, test.seeds, test.basis.as_str()),
        (Compared::Gains, 3, "seeds and items")
    );
    assert!(test.items > 1);
    close(test.paper.unwrap(), 3.26 - 2.42);
    close(found.tests[1].paper.unwrap(), 2.42 - 1.70);
    // The difference of the differences of the averages.
    let average = |variant: &str| {
        let rows = data.scores.iter().filter(|row| row.variant == variant && row.primary);
        let values: Vec<f64> =
            rows.filter(|row| row.metric != "bits_per_byte").map(|row| 100.0 * row.value).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let expected =
        average("inheritance") - 2.0 * average("architecture") + average("compact-tokenizer");
    assert!((test.value - expected).abs() < 1e-6, "{} {expected}", test.value);
    assert!(found.line().contains(") − (“"), "{}", found.line());
}

/// By hand: two models of eight layers, whose first two layers cost 20 and 24 points more than the middle.
#[test]
fn ends_matter_more_than_the_middle() {
    let layers = |first, count| Expectation::Layers { first, count };
    let mut data = bits(&[("a", vec![1.0, 1.0]), ("b", vec![1.0])]);
    for variant in &mut data.variants {
        variant.depth = 8;
    }
    let skip = |variant: &str, seed: u64, first: u64, value: f64| SkipRow {
        variant: variant.into(),
        seed,
        count: 1,
        first,
        benchmark: "x".into(),
        language: "en".into(),
        metric: "acc".into(),
        value,
        ..SkipRow::default()
    };
    for (variant, seed, start) in [("a", 1, 0.30), ("a", 2, 0.26), ("b", 1, 0.28)] {
        data.skips.extend((0..2).map(|layer| skip(variant, seed, layer, start)));
        data.skips.extend((2..8).map(|layer| skip(variant, seed, layer, 0.50)));
    }
    data.scores.push(ScoreRow {
        variant: "a".into(),
        seed: 1,
        benchmark: "x".into(),
        language: "en".into(),
        metric: "acc".into(),
        value: 0.5,
        primary: true,
        ..ScoreRow::default()
    });
    data.claims = vec![claim("c", "average", layers(true, 2))];
    data.claims[0].source = "Figure 5".into();
    let found = one(&data);
    let test = &found.tests[0];
    assert_eq!((test.compared, test.seeds, test.basis.as_str()), (Compared::Layers, 3, "models"));
    // 20, 24 and 22 points; t = 22 / (2 / sqrt 3) with two degrees of freedom, where p = 1 - t / sqrt(t² + 2).
    close(test.value, 22.0);
    close(test.p, 1.0 - (363.0_f64 / 365.0).sqrt());
    assert_eq!(found.verdict, Judgement::Holds);
    // In the paper the first layers of four models cost far more than the middle.
    assert!(test.paper.unwrap() > 20.0, "{:?}", test.paper);
    // The last layer is as the middle.
    data.claims = vec![claim("c", "average", layers(false, 1))];
    assert_eq!(one(&data).tests[0].value, 0.0);
    data.claims = vec![claim("c", "bits_per_byte", layers(true, 2))];
    assert!(one(&data).reason.unwrap().contains("not for bits per byte"));
    data.skips.clear();
    data.claims = vec![claim("c", "average", layers(true, 2))];
    assert!(one(&data).reason.unwrap().contains("eval.skip_layers"));
}

/// Each rank, each row of its own among the variants of the claim.
#[test]
fn a_part_of_a_study_is_lined_up_by_itself() {
    let mut data = synthetic::many(8, &[1, 2, 3], 10);
    let names: Vec<String> =
        [5, 4, 3, 1, 0].iter().map(|v| data.variants[*v].name.clone()).collect();
    data.claims = vec![claim("c", "average", Expectation::Order(names))];
    data.claims[0].source = "table-2".into();
    let found = one(&data);
    let effects: Vec<f64> = found.tests.iter().map(|test| test.paper.unwrap()).collect();
    for (found, expected) in effects.iter().zip([0.58, 0.25, 3.62, 2.11]) {
        assert!((found - expected).abs() < 1e-9, "{effects:?}");
    }
}

#[test]
fn claims_are_rendered() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("r");
    let (_, mut data) = fixture();
    data.claims[1].require = true;
    data.claims[1].statement = "Fewer <bits> & more".into();
    let written = write(&data, &dir).unwrap();
    assert!(written.claims[1].fails() && !written.claims[0].fails());
    let text = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    for name in ["tables/claims.md", "tables/claims.tex", "tables/claims.csv"] {
        let table = text(name);
        for word in ["holds", "contradicted (required)", "inconclusive", "a-close-pair"] {
            assert!(table.contains(word), "{name}: {table}");
        }
    }
    let page = text("index.html");
    assert!(page.contains("id=\"claims\"") && page.contains("Fewer &lt;bits&gt; &amp; more"));
    let finding = "Of 12 claims: 4 hold (fewer-when-deeper, equal, falls, gains), 5 contradicted";
    assert!(page.contains(finding), "{page}");
    let json: serde_json::Value = serde_json::from_str(&text("claims.json")).unwrap();
    let json = &json["claims"];
    assert_eq!(json.as_array().unwrap().len(), 12);
    assert_eq!(
        (&json[0]["verdict"], &json[0]["id"]),
        (&"holds".into(), &"fewer-when-deeper".into())
    );
    assert!(json[2]["tests"][0]["enough"]["seeds"].as_u64().unwrap() > 5);
    for found in &written.claims {
        assert_eq!(found.line().lines().count(), 1);
    }
    assert!(written.claims[1].line().starts_with("claim the-other-way: contradicted (required): "));

    // Without claims there is none of it.
    data.claims.clear();
    write(&data, &dir).unwrap();
    let there = |name: &str| Path::new(&dir.join(name)).exists();
    assert!(!there("claims.json") && !there("tables/claims.md"));
    assert!(!text("index.html").contains("id=\"claims\""));
}

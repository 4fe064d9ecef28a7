//! Comparisons of made-up studies, by numbers that are computed here in another way.

use ablate_stats::{clustered_standard_error, holm, mcnemar_exact, standard_error, wilson};

use super::*;
use crate::frames::Rows;
use crate::rows::ItemRow;
use crate::synthetic;

fn side<'a>(data: &'a StudyData, variant: &'a str) -> Selection<'a> {
    Selection { data, variant: Some(variant) }
}

fn found(data: &StudyData, settings: Settings) -> Comparison {
    compare_with(&side(data, "baseline"), &side(data, "inheritance"), settings).unwrap()
}

fn score<'a>(comparison: &'a Comparison, measure: &str) -> &'a ScoreDifference {
    let all = &comparison.pairs[0].scores;
    all.iter().find(|score| score.measure.starts_with(measure)).unwrap()
}

/// Scores of a variant's items on `exam` in English, seed 1.
fn exam(data: &StudyData, variant: &str) -> Vec<f64> {
    let wanted = |row: &&ItemRow| {
        (row.variant.as_str(), row.benchmark.as_str(), row.language.as_str(), row.seed)
            == (variant, "exam", "en", 1)
    };
    data.items.iter().filter(wanted).map(|row| row.score).collect()
}

#[test]
fn one_seed_of_right_and_wrong_is_mcnemars_test() {
    let data = synthetic::ladder(&[1], 60);
    let comparison = found(&data, Settings { other_tests: true, ..Settings::default() });
    let english = score(&comparison, "exam (en)");
    let (a, b) = (exam(&data, "baseline"), exam(&data, "inheritance"));
    let only = |x: &[f64], y: &[f64]| x.iter().zip(y).filter(|(x, y)| x > y).count() as u64;
    let p = mcnemar_exact(only(&b, &a), only(&a, &b));
    assert_eq!(
        (english.p, english.test, english.basis.as_str()),
        (Some(p), Some("mcnemar"), "items")
    );
    assert_eq!(english.other_tests.as_ref().unwrap().mcnemar, [p]);
    let right = a.iter().filter(|score| **score == 1.0).count() as u64;
    let ends = wilson(right, 60, 0.95).unwrap();
    let (low, high) = english.a_scored.interval.unwrap();
    assert!(
        (low - 100.0 * ends.low.unwrap()).abs() < 1e-9
            && (high - 100.0 * ends.high.unwrap()).abs() < 1e-9
    );
    let error = english.a_scored.standard_error.unwrap();
    assert!((error - 100.0 * standard_error(&a).unwrap()).abs() < 1e-9);
    // Free text has scores in between.
    assert_eq!(score(&comparison, "summary").test, Some("t"));
    let text = comparison.to_text();
    assert!(
        text.contains("McNemar's, exact") && text.contains("not for another training run"),
        "{text}"
    );
}

#[test]
fn p_is_adjusted_over_the_whole_table_and_decides() {
    let data = synthetic::ladder(&[1, 2, 3], 60);
    let plain = found(&data, Settings { adjustment: Adjustment::None, ..Settings::default() });
    let strict = found(&data, Settings::default());
    let loose =
        found(&data, Settings { adjustment: Adjustment::BenjaminiHochberg, ..Settings::default() });
    // The average is a family of its own, as there is one pair.
    let rest = |comparison: &Comparison, of: fn(&ScoreDifference) -> Option<f64>| -> Vec<f64> {
        let average = &comparison.pairs[0].scores[0];
        assert!(average.headline && average.p == average.p_adjusted && average.p.is_some());
        comparison.pairs[0].scores[1..].iter().filter_map(of).collect()
    };
    let ps = rest(&plain, |score| score.p);
    let adjusted = |comparison| rest(comparison, |score| score.p_adjusted);
    assert_eq!((strict.tested, strict.adjustment), (1 + ps.len(), "holm"));
    assert_eq!((loose.adjustment, plain.adjustment), ("benjamini-hochberg", "none"));
    assert_eq!(adjusted(&plain), ps);
    assert_eq!(adjusted(&strict), holm(&ps).unwrap());
    assert_eq!(adjusted(&loose), ablate_stats::benjamini_hochberg(&ps).unwrap());
    // Averages of several pairs are adjusted for each other.
    let all = Selection { data: &data, variant: None };
    let mut other = data.clone();
    other.variants.rotate_left(1);
    let names: Vec<String> = data.variants.iter().map(|v| v.name.clone()).collect();
    for row in &mut other.variants {
        let place = names.iter().position(|name| *name == row.name).unwrap();
        row.name = names[(place + 1) % names.len()].clone();
    }
    let rename = |name: &mut String| {
        let place = names.iter().position(|known| known == name).unwrap();
        *name = names[(place + 1) % names.len()].clone();
    };
    other.scores.iter_mut().for_each(|row| rename(&mut row.variant));
    other.items.iter_mut().for_each(|row| rename(&mut row.variant));
    let many = compare(&all, &Selection { data: &other, variant: None }).unwrap();
    let averages: Vec<&ScoreDifference> = many.pairs.iter().map(|pair| &pair.scores[0]).collect();
    let ps: Vec<f64> = averages.iter().filter_map(|score| score.p).collect();
    let found: Vec<f64> = averages.iter().filter_map(|score| score.p_adjusted).collect();
    assert_eq!((ps.len(), found), (5, holm(&ps).unwrap()));
    for comparison in [&plain, &strict, &loose] {
        for score in &comparison.pairs[0].scores {
            let told = score.p_adjusted.unwrap() < 0.05;
            assert_eq!(score.verdict == "not distinguishable", !told, "{}", score.measure);
        }
    }
    // Somewhere the number of tests matters.
    let told = |c: &Comparison| {
        c.pairs[0].scores.iter().filter(|s| s.verdict != "not distinguishable").count()
    };
    assert!(told(&strict) < told(&plain), "{} {}", told(&strict), told(&plain));
    assert!(strict.to_text().contains("1 average and, apart from it, "));
    assert!(loose.to_text().contains("Benjamini and Hochberg"));
    assert!(!plain.to_text().contains("Adjusted"));
}

#[test]
fn what_was_asked_with_other_prompts_is_not_paired() {
    let ours = synthetic::ladder(&[1, 2, 3], 20);
    let mut theirs = ours.clone();
    let exam = |row: &&mut ItemRow| row.benchmark == "exam" && row.language == "en";
    theirs.items.iter_mut().filter(exam).for_each(|row| row.prompt_hash += "5-shot");
    let both = |theirs: &StudyData| {
        compare(&side(&ours, "baseline"), &side(theirs, "inheritance")).unwrap()
    };
    let comparison = both(&theirs);
    let english = score(&comparison, "exam (en)");
    assert_eq!((english.verdict.as_str(), english.p, english.items), ("not tested", None, 0));
    let note = english.note.as_ref().unwrap();
    assert!(note.contains("20 of 20 items were asked with different prompts"), "{note}");
    assert!(score(&comparison, "Average").note.as_ref().unwrap().contains("different prompts"));
    assert_eq!(score(&comparison, "exam (zh)").items, 20);
    // A report of an earlier version does not know its prompts: documents decide.
    theirs.items.iter_mut().for_each(|row| row.prompt_hash.clear());
    assert_eq!(score(&both(&theirs), "exam (en)").items, 20);
}

/// Items of a subject stand and fall together: what is drawn are subjects.
#[test]
fn items_of_a_subject_go_together() {
    let mut data = synthetic::ladder(&[1], 60);
    let number = |row: &ItemRow| row.item.rsplit('-').next().unwrap().parse::<usize>().unwrap();
    for row in data.items.iter_mut().filter(|row| row.benchmark == "exam") {
        row.subject = Some(format!("subject {}", number(row) % 7));
    }
    let comparison = found(&data, Settings { other_tests: true, ..Settings::default() });
    let english = score(&comparison, "exam (en)");
    let (a, b) = (exam(&data, "baseline"), exam(&data, "inheritance"));
    let subjects: Vec<usize> = (0..60).map(|item| item % 7).collect();
    let error = 100.0 * clustered_standard_error(&a, &subjects).unwrap();
    assert_eq!(english.a_scored.over, "subjects");
    assert!((english.a_scored.standard_error.unwrap() - error).abs() < 1e-9);
    // t over seven subjects: 2.4469 standard errors.
    let d: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 100.0 * (b - a)).collect();
    let error = clustered_standard_error(&d, &subjects).unwrap();
    let (low, high) = english.interval.unwrap();
    assert!(((high - low) / 2.0 - 2.446_911_85 * error).abs() < 1e-6);
    assert_eq!((english.test, english.items), (Some("t"), 60));
    assert!(english.other_tests.as_ref().unwrap().mcnemar.is_empty(), "items are not independent");
}

/// Where every subject counts the same, so do their items' differences, and items can be paired still.
#[test]
fn subjects_that_count_the_same_are_paired_by_item() {
    let mut data = synthetic::ladder(&[1, 2, 3], 60);
    let number = |row: &ItemRow| row.item.rsplit('-').next().unwrap().parse::<usize>().unwrap();
    let in_exam = |benchmark: &str, language: &str| benchmark == "exam" && language == "en";
    for row in data.items.iter_mut().filter(|row| in_exam(&row.benchmark, &row.language)) {
        row.subject = Some(if number(row) < 10 { "few" } else { "many" }.into());
        row.by_subject = true;
    }
    let items = data.items.clone();
    for row in data.scores.iter_mut().filter(|row| in_exam(&row.benchmark, &row.language)) {
        let mean = |subject: &str| {
            let own: Vec<f64> = items
                .iter()
                .filter(|item| item.variant == row.variant && item.seed == row.seed)
                .filter(|item| in_exam(&item.benchmark, &item.language))
                .filter(|item| item.subject.as_deref() == Some(subject))
                .map(|item| item.score)
                .collect();
            own.iter().sum::<f64>() / own.len() as f64
        };
        row.value = (mean("few") + mean("many")) / 2.0;
    }
    let comparison = found(&data, Settings::default());
    let english = score(&comparison, "exam (en)");
    assert_eq!(
        (english.items, english.basis.as_str(), &english.note),
        (60, "seeds and items", &None)
    );
}

#[test]
fn other_tests_and_what_is_detectable() {
    let data = synthetic::ladder(&[1, 2, 3], 60);
    assert!(found(&data, Settings::default()).pairs[0].scores[0].other_tests.is_none());
    let comparison = found(&data, Settings { other_tests: true, ..Settings::default() });
    for score in &comparison.pairs[0].scores {
        let tests = score.other_tests.as_ref().unwrap();
        assert!(tests.sign_flip.unwrap() >= 0.25);
        let choices = score.items == 60 && !score.measure.starts_with("summary");
        assert_eq!(tests.mcnemar.len(), if choices { 3 } else { 0 }, "{}", score.measure);
        assert_eq!(tests.bootstrap.is_some(), score.items > 1, "{}", score.measure);
        if let Some(found) = tests.bootstrap {
            assert!(found.interval.0 <= score.difference && score.difference <= found.interval.1);
        }
        // More than half the interval's width: what is just told is told half of the time.
        let (low, high) = score.interval.unwrap();
        assert!(score.detectable.unwrap() > (high - low) / 2.0, "{}", score.measure);
    }
    let text = comparison.to_text();
    assert!(text.contains("Sign flips") && text.contains("None of these decides"), "{text}");
    assert_eq!(comparison.to_json()["adjustment"], "holm");
}

/// Items that an earlier version saved have neither prompts nor subjects.
#[test]
fn items_of_earlier_reports_are_read() {
    let rows = synthetic::ladder(&[1], 3).items;
    let frame = ItemRow::to_frame(&rows).unwrap();
    let old = frame.drop_many(["prompt_hash", "subject", "by_subject"]);
    let read = ItemRow::from_frame(&old).unwrap();
    assert_eq!((read.len(), read[0].prompt_hash.as_str()), (rows.len(), ""));
    assert_eq!(read[0].document_hash, rows[0].document_hash);
    assert_eq!(ItemRow::from_frame(&frame).unwrap(), rows);
}

#[test]
fn other_corpora_are_said_where_text_is_compared() {
    let mut ours = synthetic::ladder(&[1, 2, 3], 5);
    ours.provenance.keys = vec![("corpus".into(), "text-1000".into(), "k1".into())];
    let mut theirs = ours.clone();
    let notes = |theirs: &StudyData| -> Vec<Option<String>> {
        let found = compare(&side(&ours, "baseline"), &side(theirs, "inheritance")).unwrap();
        found.pairs[0].scores.iter().map(|score| score.note.clone()).collect()
    };
    assert!(notes(&theirs).iter().all(Option::is_none));
    theirs.provenance.keys[0].2 = "k2".into();
    let found = notes(&theirs);
    let said = |note: &&Option<String>| note.as_ref().is_some_and(|n| n.contains("corpora"));
    // Two languages of held-out text; items have hashes of their own.
    assert_eq!(found.iter().filter(said).count(), 2, "{found:?}");
}

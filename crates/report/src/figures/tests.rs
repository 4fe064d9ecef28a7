//! Every figure of every odd study: labels inside the picture and apart from each other, both formats drawn.

use super::scene::Shape;
use super::{Figure, all};
use crate::analysis::Analysis;
use crate::paper::Paper;
use crate::rows::StudyData;
use crate::synthetic;

fn figures(data: &StudyData) -> Vec<Figure> {
    let analysis = Analysis::of(data).unwrap();
    all(&analysis, &Paper::embedded().unwrap()).unwrap()
}

/// Texts stay inside the canvas and do not overlap.
fn check_layout(study: &str, figure: &Figure) {
    let texts: Vec<_> = figure
        .scene
        .shapes
        .iter()
        .filter_map(
            |s| if let Shape::Text(t) = s { Some((t.text.clone(), t.extent())) } else { None },
        )
        .collect();
    let at = |t: &str| format!("{study}/{}: `{t}`", figure.name);
    for (i, (text, a)) in texts.iter().enumerate() {
        let inside =
            a.0 >= 0.0 && a.1 >= 0.0 && a.2 <= figure.scene.width && a.3 <= figure.scene.height;
        assert!(inside, "{} leaves the canvas: {a:?}", at(text));
        for (other, b) in &texts[i + 1..] {
            let apart = a.2 <= b.0 || b.2 <= a.0 || a.3 <= b.1 || b.3 <= a.1;
            assert!(apart, "{} overlaps `{other}`: {a:?} {b:?}", at(text));
        }
    }
}

#[test]
fn labels_never_overlap_or_leave_the_picture() {
    let studies = [
        ("ladder", synthetic::ladder(&[1, 2, 3], 30)),
        ("text", synthetic::text_only(&[1, 2])),
        ("failures", synthetic::with_failures(&[1, 2, 3], 20)),
        ("one seed", synthetic::ladder(&[5], 30)),
        ("thirty", synthetic::many(30, &[1, 2], 5)),
        ("one", synthetic::many(1, &[1], 5)),
        ("grid", synthetic::grid(&[1, 2], 10)),
        ("rounds", synthetic::rounds(&[1, 2], 10)),
    ];
    for (name, data) in &studies {
        let figures = figures(data);
        assert!(figures.len() >= 3, "{name}");
        for figure in &figures {
            check_layout(name, figure);
        }
    }
}

#[test]
fn odd_numbers_are_drawn_without_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let mut broken = synthetic::ladder(&[1, 2], 4);
    for (i, row) in broken.curves.iter_mut().enumerate() {
        row.bits_per_byte =
            [Some(f64::NAN), Some(f64::INFINITY), None, Some(-1e300), Some(2.0)][i % 5];
        row.tokens = if i % 7 == 0 { u64::MAX } else { 0 };
    }
    for (i, row) in broken.scores.iter_mut().enumerate() {
        row.value = [0.0, 1.0, f64::NAN, 0.5][i % 4];
    }
    for row in &mut broken.coverage {
        row.coverage = 1.0;
    }
    let mut equal = synthetic::many(3, &[1, 2], 4);
    for row in &mut equal.scores {
        row.value = 0.25;
    }
    for variant in &mut equal.variants {
        variant.params.total = 0;
        variant.label = "\u{0}<b>\"&' 很长的标签 ".repeat(30);
    }
    let mut point = synthetic::text_only(&[1]);
    point.curves.truncate(1);
    for (name, data) in [("broken", broken), ("equal", equal), ("point", point)] {
        for figure in figures(&data) {
            check_layout(name, &figure);
            let svg = figure.svg().unwrap();
            assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}/{}", figure.name);
            let path = folder.path().join(format!("{name}-{}.png", figure.name));
            figure.png(&path).unwrap();
            assert!(std::fs::read(&path).unwrap().starts_with(b"\x89PNG"));
        }
    }
}

/// Number of crosses: each has two slanted lines in colour, on two of paper.
fn crosses(figure: &Figure) -> usize {
    let slanted = |shape: &&Shape| match shape {
        Shape::Path { points, thickness, .. } if points.len() == 2 && *thickness == 2.5 => {
            let (dx, dy) = (points[1].0 - points[0].0, points[1].1 - points[0].1);
            dx != 0.0 && (dx.abs() - dy.abs()).abs() < 1e-9
        }
        _ => false,
    };
    figure.scene.shapes.iter().filter(slanted).count() / 2
}

/// What diverged is marked where it happened and where its score would be.
#[test]
fn divergences_are_crosses() {
    let data = synthetic::grid(&[1, 2], 10);
    let figures = figures(&data);
    let find = |name: &str| figures.iter().find(|figure| figure.name == name).unwrap();
    assert_eq!((crosses(find("grid")), crosses(find("grid-curves"))), (1, 1));
    assert!(find("grid").caption.contains("diverged"), "{}", find("grid").caption);
    // A line for each power, a tick for each batch size; a panel for each power over the tokens.
    let texts = |figure: &Figure| -> Vec<String> {
        let texts = figure.scene.shapes.iter();
        texts
            .filter_map(|s| if let Shape::Text(t) = s { Some(t.text.clone()) } else { None })
            .collect()
    };
    for text in ["1k", "2k", "4k", "8k", "power 0", "power 0.5", "power 1.5", "Batch tokens"] {
        assert!(texts(find("grid")).iter().any(|t| t == text), "{text}");
    }
    for text in ["power 0", "power 0.5", "power 1.5", "batch tokens 4k"] {
        assert!(texts(find("grid-curves")).iter().any(|t| t == text), "{text}");
    }
}

/// A panel of bars for each variant whose batches were scored.
#[test]
fn forgetting_is_bars_by_part() {
    let data = synthetic::rounds(&[1, 2], 10);
    let figures = figures(&data);
    let figure = figures.iter().find(|figure| figure.name == "forgetting").unwrap();
    let bars = figure.scene.shapes.iter();
    let bars = bars.filter(|s| matches!(s, Shape::Rect { alpha, .. } if *alpha == 0.85));
    assert_eq!(bars.count(), 2 * 8);
}

/// A line for every training that is not the beginning of another, in a panel for the average and for
/// each benchmark, and a mark where a round begins.
#[test]
fn scores_during_the_training_go_through_all_rounds() {
    let mut data = synthetic::rounds(&[1, 2, 3], 10);
    data.study.mirrors = vec!["figure-10".into()];
    let figures = figures(&data);
    let find = |name: &str| figures.iter().find(|figure| figure.name == name).unwrap();
    let texts = |figure: &Figure| -> Vec<String> {
        let texts = figure.scene.shapes.iter();
        texts
            .filter_map(|s| if let Shape::Text(t) = s { Some(t.text.clone()) } else { None })
            .collect()
    };
    let figure = find("progress");
    let shown = texts(figure);
    for text in ["Average score", "hellaswag (en)", "exam (en)", "summary (en)", "three", "longer"]
    {
        assert_eq!(shown.iter().filter(|shown| *shown == text).count(), 1, "{text}: {shown:?}");
    }
    assert!(!shown.iter().any(|text| text == "one" || text == "two"), "{shown:?}");
    assert!(figure.caption.contains("“one”, “two” are the beginning of “three”"));
    for text in ["round 2", "round 3"] {
        assert_eq!(shown.iter().filter(|shown| *shown == text).count(), 4, "{text}: {shown:?}");
    }
    let bands = figure.scene.shapes.iter();
    let bands = bands.filter(|s| matches!(s, Shape::Polygon { alpha, .. } if *alpha == 0.16));
    assert_eq!(bands.count(), 4 * 2);

    // Beside the paper: the benchmark that it shows, a series for every round.
    let beside = find("paper-figure-10");
    check_layout("rounds", beside);
    let shown = texts(beside);
    for text in ["This study", "hellaswag (en) (%)", "three, round 1", "three, round 3", "longer"] {
        assert!(shown.iter().any(|shown| shown == text), "{text}: {shown:?}");
    }
    assert!(shown.iter().any(|text| text == "PanGu-π-1B Pro, round 2"), "{shown:?}");
    // Where that benchmark was not scored, the average stands beside it.
    data.progress.retain(|row| row.benchmark != "hellaswag");
    let figures = self::figures(&data);
    let beside = figures.iter().find(|figure| figure.name == "paper-figure-10").unwrap();
    assert!(texts(beside).iter().any(|text| text == "Average score (%)"));
}

#[test]
fn no_rows_no_figures() {
    assert!(figures(&StudyData::default()).is_empty());
}

/// Every figure of the paper by itself.
#[test]
fn the_papers_figures_are_drawn() {
    let paper = Paper::embedded().unwrap();
    let mut drawn = 0;
    for element in paper.elements() {
        let Some(figure) = super::of_paper(element) else {
            assert!(element.is_table(), "{}", element.id);
            continue;
        };
        check_layout("the paper", &figure);
        let svg = figure.svg().unwrap();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", element.id);
        drawn += 1;
    }
    assert_eq!(drawn, 12);
}

/// The paper's bars have differences to the same rows as ours, and its scale stops before their heading.
#[test]
fn the_papers_table_stands_beside_ours() {
    let mut data = synthetic::many(3, &[1, 2], 5);
    data.study.design = "list".into();
    data.study.mirrors = vec!["table-7".into()];
    for (variant, rounds) in data.variants.iter_mut().zip(["1", "2", "3"]) {
        variant.delta = vec![("rounds.count".into(), "1".into(), rounds.into())];
    }
    let figures = figures(&data);
    let figure = figures.iter().find(|figure| figure.name == "variants").unwrap();
    check_layout("rounds", figure);
    let texts: Vec<&str> = figure
        .scene
        .shapes
        .iter()
        .filter_map(|s| if let Shape::Text(t) = s { Some(t.text.as_str()) } else { None })
        .collect();
    // 51.61, 54.46 and 54.44: two differences to the first row.
    assert!(texts.contains(&"+2.85") && texts.contains(&"+2.83"), "{texts:?}");
    assert_eq!(texts.iter().filter(|text| **text == "Δ to first").count(), 2);
    assert!(figure.caption.contains("1.6 T tokens in the first round"), "{}", figure.caption);
}

/// A study that mirrors all figures has one beside each, ours in it where it measured the like.
#[test]
fn a_study_lies_beside_every_figure_that_it_mirrors() {
    let mut data = synthetic::ladder(&[1, 2, 3], 12);
    data.study.design = "list".into();
    data.study.mirrors = (2..=12).map(|n| format!("figure-{n}")).collect();
    for (v, (batch, rate)) in [
        ("1024", "0.001"),
        ("2048", "0.001"),
        ("4096", "0.001"),
        ("2048", "0.002"),
        ("4096", "0.004"),
    ]
    .into_iter()
    .enumerate()
    {
        let change = |path: &str, from: &str, to: &str| (path.into(), from.into(), to.into());
        data.variants[v].delta = vec![
            change("train.batch_tokens", "1024", batch),
            change("train.learning_rate", "0.001", rate),
        ];
    }
    data.variants[1].mask_tokens = 1000;
    let figures = figures(&data);
    for n in 2..=12 {
        let name = format!("paper-figure-{n}");
        let figure = figures.iter().find(|f| f.name == name).unwrap_or_else(|| panic!("{name}"));
        check_layout("mirrors", figure);
        let texts: Vec<&str> = figure
            .scene
            .shapes
            .iter()
            .filter_map(|s| if let Shape::Text(t) = s { Some(t.text.as_str()) } else { None })
            .collect();
        // The parts of the data and scores during the training were not measured.
        let measured = !matches!(n, 9 | 10);
        assert_eq!(texts.contains(&"This study"), measured, "{name}");
        assert_eq!(figure.caption.contains("has measured nothing"), !measured, "{name}");
        let axis = texts.iter().any(|text| text.ends_with(", without those of masks"));
        assert_eq!(axis, matches!(n, 6 | 7), "{name}: {texts:?}");
        if n == 8 {
            // Half of its own and the paper's: the batch of 1,024 is in both lines of ours.
            assert!(texts.contains(&"r = 0") && texts.contains(&"r = 1"), "{texts:?}");
            assert!(texts.contains(&"r = 0.5") && texts.contains(&"r = 1.5"), "{texts:?}");
        }
    }
    // Many variants still fit.
    let mut many = synthetic::many(30, &[1, 2], 5);
    many.study.mirrors = ["figure-3", "figure-4", "figure-6"].map(String::from).into();
    for figure in self::figures(&many) {
        check_layout("many", &figure);
    }
}

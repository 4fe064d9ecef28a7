//! The sampling rule on the paper's own losses (Figure 9): `p_i = exp(l_i) / sum_j exp(l_j)`, and
//! `N0 = r N` of them drawn.

use ablate_train::rounds::{draw, kept_batches, probabilities};

static FIGURES: &str = include_str!("../../../data/paper/figures.json");

fn losses() -> Vec<f32> {
    let figures: serde_json::Value = serde_json::from_str(FIGURES).unwrap();
    let elements = figures["elements"].as_array().unwrap();
    let figure = elements.iter().find(|element| element["id"] == "figure-9").unwrap();
    let points = figure["panels"][0]["series"][0]["points"].as_array().unwrap();
    points.iter().map(|point| point[1].as_f64().unwrap() as f32).collect()
}

#[test]
fn parts_are_sampled_by_the_softmax_of_their_losses() {
    let losses = losses();
    assert_eq!(losses.len(), 8);
    // The printed spread: earlier parts are worse by 0.036.
    assert!((losses[0] - losses[6] - 0.0357).abs() < 1e-4);
    let p = probabilities(&losses).unwrap();
    assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let sum: f64 = losses.iter().map(|loss| f64::from(*loss).exp()).sum();
    for (p, loss) in p.iter().zip(&losses) {
        assert!((p - f64::from(*loss).exp() / sum).abs() < 1e-12);
    }
    // The first part is e^0.0357 times as likely as the seventh: the selection is mild.
    assert!((p[0] / p[6] - 0.0357_f64.exp()).abs() < 1e-4);
    let effective = 1.0 / p.iter().map(|p| p * p).sum::<f64>();
    assert!(effective > 7.99 && effective < 8.0, "{effective}");
}

/// The rates of Table 6 of 75,000 batches, and of the eight parts.
#[test]
fn a_rate_is_a_share_of_the_batches() {
    for (rate, batches) in [(0.25, 18_750), (0.5, 37_500), (0.75, 56_250), (1.0, 75_000)] {
        assert_eq!(kept_batches(rate, 75_000), batches);
    }
    let p = probabilities(&losses()).unwrap();
    for (rate, parts) in [(0.25, 2), (0.5, 4), (0.75, 6), (1.0, 8)] {
        let mut drawn = draw(&p, kept_batches(rate, p.len()), 1).unwrap();
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), parts);
    }
}

/// Over many seeds every part is in about half of the draws of four, the worst more often than the
/// best.
#[test]
fn worse_parts_are_drawn_more_often() {
    let p = probabilities(&losses()).unwrap();
    let mut counts = [0_u32; 8];
    for seed in 0..100_000 {
        for part in draw(&p, 4, seed).unwrap() {
            counts[part] += 1;
        }
    }
    assert_eq!(counts.iter().sum::<u32>(), 400_000);
    assert!(counts[0] > counts[6], "{counts:?}");
    // Near one half each, within four standard deviations and the effect of the losses.
    assert!(counts.iter().all(|count| (48_800..51_200).contains(count)), "{counts:?}");
}

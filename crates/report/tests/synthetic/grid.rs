//! A made-up grid like the paper's Figures 7 and 8, with trainings that diverge, further rounds, scores
//! on the way and losses by batch.

use ablate_report::{
    AxisInfo, BatchLossRow, CurveRow, LedgerRow, ProgressRow, StudyData, StudyInfo, VariantRow,
    VisitRow,
};

use super::{Noise, runs, variant};

const BATCHES: [(&str, u64); 4] = [("1k", 1000), ("2k", 2000), ("4k", 4000), ("8k", 8000)];
const POWERS: [(&str, f64); 3] = [("0", 0.0), ("0.5", 0.5), ("1.5", 1.5)];
const TOKENS: u64 = 400_000;

/// Four batch sizes by three powers; the largest rate diverges.
pub(crate) fn grid(seeds: &[u64], items: u64) -> StudyData {
    let mut data = StudyData {
        study: StudyInfo {
            name: "batches".into(),
            title: "Batch sizes and learning rates".into(),
            design: "grid".into(),
            seeds: seeds.to_vec(),
            factors: vec!["train.batch_tokens".into(), "train.learning_rate.power".into()],
            ..StudyInfo::default()
        },
        ..StudyData::default()
    };
    let (mut batches, mut powers) = (AxisInfo::default(), AxisInfo::default());
    (batches.name, powers.name) = ("batch_tokens".into(), "power".into());
    for (b, (batch_text, batch)) in BATCHES.iter().enumerate() {
        for (p, (power_text, power)) in POWERS.iter().enumerate() {
            let index = (b * POWERS.len() + p) as u64;
            let name = format!("batch-{batch_text}_power-{power_text}");
            let label = format!("batch {batch_text}, power {power_text}");
            let mut row = variant(&name, &label, &[], 1536, index);
            row.batch_tokens = *batch;
            row.learning_rate = 1e-3 * (*batch as f64 / 1000.0).powf(*power);
            row.rounds = 1;
            row.train_tokens = TOKENS;
            let diverges = b + p == 5;
            let end = if diverges { TOKENS / 4 } else { TOKENS };
            if diverges {
                let step = end / batch;
                row.diverged = seeds.iter().map(|seed| (*seed, step + seed % 2)).collect();
                let failed = |seed: &u64| (*seed, format!("training diverged at step {step}"));
                row.failed = seeds.iter().map(failed).collect();
            } else {
                let skill = 0.6 - 0.05 * b as f64 + 0.04 * p as f64;
                runs(&mut data, &row, skill, index, seeds, items);
                data.curves.retain(|point| point.variant != name || point.split != "train");
            }
            train_curve(&mut data, &row, seeds, end, diverges);
            batches.texts.push((*batch_text).into());
            batches.numbers.push(Some(*batch as f64));
            powers.texts.push((*power_text).into());
            powers.numbers.push(Some(*power));
            data.variants.push(row);
        }
    }
    data.study.axes = vec![batches, powers];
    data
}

fn train_curve(data: &mut StudyData, row: &VariantRow, seeds: &[u64], tokens: u64, diverges: bool) {
    for seed in seeds {
        for step in 1..=tokens / row.batch_tokens {
            let share = (step * row.batch_tokens) as f64 / TOKENS as f64;
            let noise = 0.05 * Noise::of(&[*seed, step, row.batch_tokens]).normal();
            let up = if diverges { 40.0 * share * share } else { 0.0 };
            data.curves.push(CurveRow {
                variant: row.name.clone(),
                seed: *seed,
                round: 1,
                step,
                tokens: step * row.batch_tokens,
                bytes: 3 * step * row.batch_tokens,
                split: "train".into(),
                loss: 2.5 + 3.5 * (-9.0 * share).exp() + up + noise,
                ..CurveRow::default()
            });
        }
    }
}

/// Scores at ten points of the first round and five of each further one, of three benchmarks. Rounds of
/// one, two and three are the same.
fn progress(data: &mut StudyData, name: &str, seeds: &[u64], (rounds, first): (u64, u64)) {
    for seed in seeds {
        for round in 1..=rounds {
            let (before, points) = match round {
                1 => (0, 10),
                round => (first + (round - 2) * first / 2, 5),
            };
            for point in 1..=points {
                let round_tokens = point * first / 10;
                let tokens = before + round_tokens;
                for (b, benchmark) in ["hellaswag", "exam", "summary"].into_iter().enumerate() {
                    let noise = Noise::of(&[*seed, tokens, b as u64, first]).normal();
                    let grown = 1.0 - (-3e-5 * tokens as f64).exp();
                    data.progress.push(ProgressRow {
                        variant: name.into(),
                        seed: *seed,
                        round: u32::try_from(round).unwrap(),
                        tokens,
                        round_tokens,
                        benchmark: benchmark.into(),
                        language: "en".into(),
                        metric: "acc_ppl".into(),
                        value: 0.25 + 0.1 * b as f64 + 0.3 * grown + 0.01 * noise,
                        items: 100,
                        chance: (b < 2).then_some(0.25),
                    });
                }
            }
        }
    }
}

/// One round, two, three, and one of the price of two; losses by batch for the first two.
pub(crate) fn rounds(seeds: &[u64], items: u64) -> StudyData {
    let reading = "losses recomputed with the frozen model, p over the whole set, fresh optimiser";
    let mut data = StudyData {
        study: StudyInfo {
            name: "rounds".into(),
            title: "Rounds".into(),
            design: "list".into(),
            seeds: seeds.to_vec(),
            ..StudyInfo::default()
        },
        ..StudyData::default()
    };
    let kinds: [(&str, u64, u64); 4] =
        [("one", 1, 100), ("two", 2, 150), ("three", 3, 200), ("longer", 1, 150)];
    for (v, (name, rounds, batches)) in kinds.into_iter().enumerate() {
        let mut row = variant(name, name, &[], 1536, 0);
        row.rounds = rounds;
        row.batch_tokens = 1000;
        row.learning_rate = 1e-3;
        row.train_tokens = 1000 * batches;
        row.scoring_flops = 1e9 * 100.0 * (rounds - 1) as f64;
        row.train_flops = 3e9 * batches as f64 + row.scoring_flops;
        row.reading = if rounds > 1 { reading.into() } else { String::new() };
        row.passes = Some(0.7);
        runs(&mut data, &row, 0.4 + 0.1 * v as f64, v as u64, seeds, items);
        let first = if rounds > 1 { 100_000 } else { 1000 * batches };
        progress(&mut data, name, seeds, (rounds, first));
        for seed in seeds {
            for round in 2..=rounds {
                let again = round > 2;
                data.rounds.push(LedgerRow {
                    variant: name.into(),
                    seed: *seed,
                    round: round as u32,
                    batches: 100,
                    kept: 50,
                    mean_loss_all: 2.4,
                    mean_loss_kept: 2.41,
                    effective_share: 0.99,
                    perplexity_share: 0.995,
                    probability_ratio: 1.6,
                    scored_tokens: 100_000,
                    overlap: again.then_some(27),
                    overlap_expected: again.then_some(25.0),
                    overlap_deviation: again.then_some(2.5),
                });
            }
            let visits: &[(u64, u64)] = match rounds {
                1 => &[],
                2 => &[(1, 50), (2, 50)],
                _ => &[(1, 27), (2, 46), (3, 27)],
            };
            data.visits.extend(visits.iter().map(|(times, batches)| VisitRow {
                variant: name.into(),
                seed: *seed,
                times: *times,
                batches: *batches,
                tokens: 1000 * times * batches,
            }));
            if v < 2 {
                data.batch_losses.extend((0..100).map(|batch| BatchLossRow {
                    variant: name.into(),
                    seed: *seed,
                    batch,
                    part: batch * 8 / 100,
                    loss: 2.3 - 0.0004 * batch as f64
                        + 0.01 * Noise::of(&[*seed, batch, 77]).normal(),
                }));
            }
        }
        data.variants.push(row);
    }
    data
}

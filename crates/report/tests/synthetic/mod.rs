//! Made-up studies for tests and the demo: the right shape and plausible sizes, no measurement.

#![allow(dead_code)]

mod grid;

use std::collections::BTreeMap;

use ablate_report::{
    ClaimRow, CoverageRow, CurveRow, Expectation, InfluenceRow, ItemRow, LedgerRow, Params,
    Provenance, ScoreRow, SkipRow, SpreadRow, StudyData, StudyInfo, TokenizerRow, VariantRow,
};

#[allow(unused_imports, reason = "not every test draws grids")]
pub(crate) use grid::{grid, rounds};

/// Name, language, metric, options (0 for generation), how far above chance the benchmark lets a model come.
const BENCHMARKS: [(&str, &str, &str, u32, f64); 9] = [
    ("exam", "zh", "acc_ppl", 4, 0.30),
    ("exam", "en", "acc_ppl", 4, 0.35),
    ("boolq", "en", "acc_ppl", 2, 0.02),
    ("entailment", "en", "acc_ppl", 2, 0.14),
    ("plausibility", "en", "acc_ppl", 2, 0.20),
    ("sentiment", "zh", "acc_ppl", 2, 0.34),
    ("dialogue", "zh", "acc_ppl", 4, 0.24),
    ("summary", "en", "rouge1", 0, 0.38),
    ("continuation", "en", "acc_ppl", 4, 0.22),
];

/// Name, label, skill from 0 to 1, delta, vocabulary.
type Rung =
    (&'static str, &'static str, f64, &'static [(&'static str, &'static str, &'static str)], u64);

/// Splitmix64: portable made-up noise.
pub(crate) struct Noise(u64);

impl Noise {
    /// A stream of its own for every purpose.
    pub(crate) fn of(parts: &[u64]) -> Self {
        let mut noise = Self(0x9e37_79b9_7f4a_7c15);
        for part in parts {
            noise.0 ^= part.wrapping_mul(0xbf58_476d_1ce4_e5b9);
            noise.unit();
        }
        noise
    }

    /// Uniform in 0..1.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Roughly normal, standard deviation 1.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// A ladder like the paper's Figure 1: five rungs, the given seeds, nine benchmarks of `items` items.
pub(crate) fn ladder(seeds: &[u64], items: u64) -> StudyData {
    let rungs: [Rung; 5] = [
        ("baseline", "Baseline", 0.10, &[], 4096),
        (
            "compact-tokenizer",
            "+ compact tokenizer",
            0.32,
            &[("tokenizer.vocabulary", "4096", "1536")],
            1536,
        ),
        (
            "architecture",
            "+ architecture tweak",
            0.42,
            &[("model.depth", "4", "8"), ("model.width", "160", "128")],
            1536,
        ),
        (
            "inheritance",
            "+ parameter inheritance",
            0.74,
            &[("init", "random.gpt2", "inherit.l2")],
            1536,
        ),
        (
            "rounds",
            "+ multiple-round training",
            0.80,
            &[("rounds.count", "1", "2"), ("rounds.rate", "0.5", "0.5")],
            1536,
        ),
    ];
    let mut data = StudyData {
        study: StudyInfo {
            name: "quickstart".into(),
            title: "The cumulative ladder at laptop scale".into(),
            mirrors: vec!["figure-1".into()],
            design: "ladder".into(),
            seeds: seeds.to_vec(),
            factors: ["tokenizer.vocabulary", "model.depth", "init", "rounds.count"]
                .map(String::from)
                .into(),
            ..StudyInfo::default()
        },
        provenance: Provenance {
            commit: "0123abc".into(),
            version: "0.1.0".into(),
            backend: "flex".into(),
            machine: "made-up processor, 2 cores".into(),
            started: "2025-01-01T12:00:00Z".into(),
            finished: "2025-01-01T12:09:41Z".into(),
            keys: vec![
                ("tokenizer".into(), "bpe-4096".into(), "4f0c2b7a9d11".into()),
                ("train".into(), "baseline/seed-1".into(), "91be0d3377aa".into()),
            ],
            ..Provenance::default()
        },
        claims: vec![
            claim("every-step", "average", order(&[
                "rounds",
                "inheritance",
                "architecture",
                "compact-tokenizer",
                "baseline",
            ])),
            claim("together", "average", order(&["rounds", "baseline"])),
        ],
        spec_text: "[study]\nname = \"quickstart\"\ntitle = \"The cumulative ladder <at> laptop scale\"\nmirrors = \"figure-1\"\n".into(),
        ..StudyData::default()
    };
    let mut delta_so_far = Vec::new();
    for (v, (name, label, skill, delta, vocabulary)) in rungs.iter().enumerate() {
        // A delta is against the base, so that of a rung holds those of the rungs below.
        delta_so_far.extend(*delta);
        let variant = variant(name, label, &delta_so_far, *vocabulary, v as u64);
        runs(&mut data, &variant, *skill, v as u64, seeds, items);
        layers(&mut data, &variant, seeds);
        data.variants.push(variant);
    }
    for seed in seeds {
        for round in 1..=2 {
            data.rounds.push(LedgerRow {
                variant: "rounds".into(),
                seed: *seed,
                round,
                batches: 400,
                kept: if round == 1 { 400 } else { 200 },
                mean_loss_all: 2.731 - 0.2 * f64::from(round),
                mean_loss_kept: 2.731 - 0.2 * f64::from(round)
                    + if round == 1 { 0.0 } else { 0.013 },
                effective_share: if round == 1 { 1.0 } else { 0.987 },
                ..LedgerRow::default()
            });
        }
    }
    for k in 1..=16u64 {
        let kept = (k * 256) as f64;
        data.coverage.push(CoverageRow {
            tokenizer: "bpe-4096".into(),
            vocabulary: k * 256,
            coverage: 1.0 - 0.42 * (1.0 - kept / 4096.0) * (-kept / 900.0).exp(),
        });
    }
    let tokenizer = |name: &str, vocabulary: u64, variants: &[&str]| TokenizerRow {
        name: name.into(),
        variants: variants.iter().map(|v| (*v).into()).collect(),
        vocabulary,
        tokens: 2_000_000 - 100 * vocabulary,
        bytes_per_token: BTreeMap::from([("en".into(), 3.6), ("zh".into(), 2.9)]),
        ..TokenizerRow::default()
    };
    data.tokenizers = vec![
        TokenizerRow { needed: Some(1210), ..tokenizer("bpe-4096", 4096, &["baseline"]) },
        TokenizerRow {
            larger: Some("bpe-4096".into()),
            coverage: Some(0.951),
            changes: Some("spaces go".into()),
            bytes_per_token: BTreeMap::from([("en".into(), 3.2), ("zh".into(), 2.5)]),
            ..tokenizer(
                "compact-1536-of-4096",
                1536,
                &["compact-tokenizer", "architecture", "inheritance", "rounds"],
            )
        },
    ];
    data
}

/// An order of variants, largest first.
pub(crate) fn order(names: &[&str]) -> Expectation {
    Expectation::Order(names.iter().map(|name| (*name).into()).collect())
}

/// A claim without a source.
pub(crate) fn claim(id: &str, metric: &str, expectation: Expectation) -> ClaimRow {
    let expect = match &expectation {
        Expectation::Order(names) => names.join(" > "),
        Expectation::Gains { gains, variants } => {
            let gain = |(a, b): &(usize, usize)| format!("{} - {}", variants[*a], variants[*b]);
            gains.iter().map(gain).collect::<Vec<_>>().join(" > ")
        }
        Expectation::Layers { first, count } => {
            format!("{} {count} layers > middle layers", if *first { "first" } else { "last" })
        }
        Expectation::Equal { variants, .. } => variants.join(" = "),
        Expectation::Trend { size, rises: true } => format!("rises with {size}"),
        Expectation::Trend { size, .. } => format!("falls with {size}"),
        Expectation::Unrelated { size, .. } => format!("unrelated to {size}"),
    };
    ClaimRow {
        id: id.into(),
        statement: expect.clone(),
        metric: metric.into(),
        expect,
        expectation,
        source: String::new(),
        paper: Vec::new(),
        require: false,
    }
}

fn variant(
    name: &str,
    label: &str,
    delta: &[(&str, &str, &str)],
    vocabulary: u64,
    index: u64,
) -> VariantRow {
    let width = 160 - 8 * (index / 2);
    let embedding = vocabulary * width;
    let total = 1_612_000 + 4_321 * index;
    VariantRow {
        name: name.into(),
        label: label.into(),
        delta: delta.iter().map(|(a, b, c)| ((*a).into(), (*b).into(), (*c).into())).collect(),
        params: Params {
            total,
            embedding,
            head: embedding,
            non_embedding: total - 2 * embedding.min(total / 2),
        },
        share: 2.0 * embedding as f64 / total as f64,
        depth: 4 + index,
        width,
        heads: 4,
        kv_heads: 4,
        ffn: 512,
        vocabulary,
        context: 128,
        train_tokens: 410_000 + if index == 4 { 205_000 } else { 0 },
        train_bytes: (410_000.0 * if vocabulary > 2000 { 3.9 } else { 3.2 }) as u64,
        mask_tokens: 0,
        train_flops: 3.9e12 + 2e10 * index as f64,
        seconds: 31.0 + 4.5 * index as f64,
        residual: Some(0.0027 * index as f64 - 0.004),
        coverage: Some(if vocabulary > 2000 { 1.0 } else { 0.951 }),
        bytes_per_token: BTreeMap::from([("en".into(), 3.6), ("zh".into(), 2.9)]),
        ..VariantRow::default()
    }
}

/// Scores without layers of two benchmarks, and influence: the first layers matter most.
fn layers(data: &mut StudyData, variant: &VariantRow, seeds: &[u64]) {
    for seed in seeds {
        let mut skip = |count: u64, first: u64| {
            for (name, language, metric, ..) in &BENCHMARKS[..2] {
                let noise = 0.01 * Noise::of(&[*seed, count, first, variant.depth]).normal();
                let lost = 0.3 * (-(first as f64)).exp() * (count as f64).sqrt();
                data.skips.push(SkipRow {
                    variant: variant.name.clone(),
                    seed: *seed,
                    count,
                    first,
                    benchmark: (*name).into(),
                    language: (*language).into(),
                    metric: (*metric).into(),
                    value: 0.55 - lost + noise,
                    items: 100,
                    chance: Some(0.25),
                });
            }
        };
        skip(0, 0);
        for count in 1..=3 {
            (0..=variant.depth - count).for_each(|first| skip(count, first));
        }
        for (m, matrix) in ["q", "k", "v", "o", "gate", "up", "down"].into_iter().enumerate() {
            data.spreads.extend((0..variant.depth).map(|layer| SpreadRow {
                variant: variant.name.clone(),
                seed: *seed,
                layer,
                matrix: matrix.into(),
                std: 0.02 + 0.003 * m as f64 + 0.001 * layer as f64 + 0.0005 * *seed as f64,
            }));
        }
        data.influence.extend((0..variant.depth).map(|layer| InfluenceRow {
            variant: variant.name.clone(),
            seed: *seed,
            layer,
            influence: 0.8 / (1.0 + layer as f64),
        }));
    }
}

/// Scores, items and curves of one variant.
fn runs(
    data: &mut StudyData,
    variant: &VariantRow,
    skill: f64,
    index: u64,
    seeds: &[u64],
    items: u64,
) {
    for seed in seeds {
        let luck = 0.03 * Noise::of(&[*seed, index, 7]).normal();
        for (b, (name, language, metric, options, reach)) in BENCHMARKS.iter().enumerate() {
            let chance = (*options > 0).then(|| 1.0 / f64::from(*options));
            let level = chance.unwrap_or(0.0) + reach * (skill + luck).max(0.0);
            let mut scores = Vec::new();
            for item in 0..items {
                // What is hard for one variant is hard for the others.
                let hard = Noise::of(&[b as u64, item]).normal();
                let own = Noise::of(&[b as u64, item, *seed, index]).normal();
                let latent = (0.8 * hard + 0.6 * own) / 1.0;
                let score = if *options > 0 {
                    f64::from(u8::from(normal_cdf(latent) < level))
                } else {
                    (level + 0.1 * latent).clamp(0.0, 1.0)
                };
                scores.push(score);
                let key = (item % u64::from((*options).max(1))) as i64;
                let choice =
                    if score == 1.0 { key } else { (key + 1) % i64::from((*options).max(1)) };
                data.items.push(ItemRow {
                    variant: variant.name.clone(),
                    seed: *seed,
                    benchmark: (*name).into(),
                    language: (*language).into(),
                    item: format!("{name}-{language}-{item:04}"),
                    document_hash: format!("{:016x}", (b as u64) << 32 | item),
                    option_logliks: (0..*options).map(|o| -12.5 - f64::from(o)).collect(),
                    choice: (*options > 0).then_some(choice),
                    key: (*options > 0).then_some(key),
                    score,
                    prediction: (*options == 0).then(|| "the fox gave the key to Ann".into()),
                    reference: (*options == 0).then(|| "Ann got the key, \"at last\", 钥匙".into()),
                });
            }
            let mean = scores.iter().sum::<f64>() / scores.len() as f64;
            let spread = scores.iter().map(|s| (s - mean).powi(2)).sum::<f64>();
            data.scores.push(ScoreRow {
                variant: variant.name.clone(),
                seed: *seed,
                benchmark: (*name).into(),
                language: (*language).into(),
                metric: (*metric).into(),
                value: mean,
                standard_error: (spread / (scores.len() as f64 - 1.0) / scores.len() as f64).sqrt(),
                items,
                chance,
                primary: true,
            });
        }
        for (language, floor) in [("en", 1.62), ("zh", 1.98)] {
            let last = curve(data, variant, *seed, language, floor - 0.45 * (skill + luck));
            data.scores.push(ScoreRow {
                variant: variant.name.clone(),
                seed: *seed,
                benchmark: "validation".into(),
                language: language.into(),
                metric: "bits_per_byte".into(),
                value: last,
                standard_error: 0.004,
                items: 120,
                chance: None,
                primary: true,
            });
        }
    }
}

fn curve(data: &mut StudyData, variant: &VariantRow, seed: u64, language: &str, floor: f64) -> f64 {
    let mut last = f64::NAN;
    for k in 0..=12u64 {
        let share = k as f64 / 12.0;
        let noise = 0.012 * Noise::of(&[seed, k, floor.to_bits()]).normal();
        last = floor + 3.4 * (-9.0 * share).exp() + 0.5 * (1.0 - share) + noise;
        data.curves.push(CurveRow {
            variant: variant.name.clone(),
            seed,
            round: 1,
            step: k * 33,
            tokens: (variant.train_tokens as f64 * share) as u64,
            bytes: (variant.train_bytes as f64 * share) as u64,
            split: "validation".into(),
            language: language.into(),
            loss: last * 2.2,
            bits_per_byte: Some(last),
            tokens_per_second: None,
        });
    }
    for k in 1..=12u64 {
        data.curves.push(CurveRow {
            variant: variant.name.clone(),
            seed,
            round: 1,
            step: k * 33,
            tokens: variant.train_tokens * k / 12,
            bytes: variant.train_bytes * k / 12,
            split: "train".into(),
            loss: 4.0 - 0.1 * k as f64,
            tokens_per_second: Some(13_000.0 + 10.0 * k as f64),
            ..CurveRow::default()
        });
    }
    last
}

/// The same study without benchmarks: real text, bits per byte only.
pub(crate) fn text_only(seeds: &[u64]) -> StudyData {
    let mut data = ladder(seeds, 20);
    data.scores.retain(|s| s.metric == "bits_per_byte");
    data.items.clear();
    data.rounds.clear();
    data.claims = vec![claim("fewer-bits", "bits_per_byte", order(&["baseline", "rounds"]))];
    data.study = StudyInfo {
        name: "pydocs".into(),
        title: "Vocabulary on real text".into(),
        mirrors: Vec::new(),
        design: "list".into(),
        ..data.study
    };
    data
}

/// Logistic stand-in for the normal distribution function.
fn normal_cdf(x: f64) -> f64 {
    1.0 / (1.0 + (-1.702 * x).exp())
}

/// The ladder with one rung that failed for every seed and one that lost a seed.
pub(crate) fn with_failures(seeds: &[u64], items: u64) -> StudyData {
    let mut data = ladder(seeds, items);
    let lost = |variant: &str, seed: u64| {
        variant == "architecture" || (variant == "rounds" && seed == seeds[0])
    };
    data.scores.retain(|r| !lost(&r.variant, r.seed));
    data.items.retain(|r| !lost(&r.variant, r.seed));
    data.curves.retain(|r| !lost(&r.variant, r.seed));
    for variant in &mut data.variants {
        variant.failed = seeds
            .iter()
            .filter(|s| lost(&variant.name, **s))
            .map(|s| (*s, "loss is not a number at step 12".into()))
            .collect();
    }
    data
}

/// `count` variants with long names in a list design.
pub(crate) fn many(count: usize, seeds: &[u64], items: u64) -> StudyData {
    let mut data = StudyData {
        study: StudyInfo {
            name: "many".into(),
            title: "Many variants".into(),
            mirrors: Vec::new(),
            design: "grid".into(),
            seeds: seeds.to_vec(),
            factors: vec!["model.depth".into(), "model.width".into()],
            ..StudyInfo::default()
        },
        ..StudyData::default()
    };
    for v in 0..count as u64 {
        let name = format!("depth-{}-width-{}", 2 + v % 6, 64 + 32 * (v / 6));
        let label = format!(
            "{} layers of {} channels, everything else as the base",
            2 + v % 6,
            64 + 32 * (v / 6)
        );
        let depth = (2 + v % 6).to_string();
        let mut variant = variant(&name, &label, &[("model.depth", "4", &depth)], 1536, v);
        variant.params.total = 200_000 + 90_000 * v;
        variant.residual = None;
        runs(&mut data, &variant, 0.1 + 0.8 * (v as f64 / count.max(2) as f64), v, seeds, items);
        data.variants.push(variant);
    }
    data
}

//! What a study means: defaults, paths, derived sizes; and that no text makes `load` panic.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use ablate_cost::Pi;
use ablate_spec::{
    Budget, Build, Corpus, Eval, Failure, Grouping, Inherit, Init, LayerCriterion, Loaded, Model,
    Normalisation, Options, Origin, Outline, Precision, RandomInit, RoundBudget, RoundLosses,
    RoundOptimiser, RoundSchedule, Rounds, Scheme, Scoring, Severity, Solved, Source, Storyworld,
    Tokenizer, Train, TrainBpe, WidthCriterion, load, outline, render,
};
use proptest::prelude::*;

const SMALL: &str = r#"
[corpus]
bytes = "1MB"
[tokenizer]
vocabulary = 1000
[model]
depth = 4
width = 64
heads = 4
[train]
tokens = "400k"
batch_tokens = 2000
learning_rate = 1e-3
[model.ffn]
rate = 1.9
"#;

fn load_from(files: &[(&str, &str)], options: &Options) -> Result<Loaded, Failure> {
    let files: BTreeMap<_, _> = files.iter().copied().collect();
    let read = |path: &Path| match files.get(path.to_str().unwrap()) {
        Some(text) => Ok((*text).to_string()),
        None => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    load(Path::new("studies/a.toml"), &read, options)
}

fn good(files: &[(&str, &str)], set: &[&str]) -> Loaded {
    let set = set.iter().map(|argument| (*argument).to_string()).collect();
    load_from(files, &Options { profile: None, set }).unwrap_or_else(|failure| panic!("{failure}"))
}

#[test]
fn defaults() {
    let loaded = good(&[("studies/a.toml", SMALL)], &["model.context=100"]);
    let study = &loaded.study;
    assert_eq!((study.name.as_str(), study.title.as_str()), ("a", "a"));
    assert_eq!(study.seeds, [1]);
    assert_eq!((study.parents.len(), study.claims.len(), study.mirrors.len()), (0, 0, 0));
    let [base] = study.variants.as_slice() else { panic!("one variant") };
    assert_eq!((base.name.as_str(), base.label.as_str(), base.delta.len()), ("base", "base", 0));
    let storyworld = Origin::Storyworld(Storyworld { seed: 1 });
    let corpus = Corpus {
        seed: 1,
        bytes: Some(1_000_000),
        validation_bytes: 100_000,
        sources: vec![Source { weight: 1.0, from: storyworld }],
    };
    assert_eq!(base.corpus, corpus);
    let build = Build::Train(TrainBpe { bytes: 4_000_000 });
    assert_eq!(base.tokenizer, Tokenizer { vocabulary: 1000, build });
    let model = Model {
        depth: 4,
        width: 64,
        heads: 4,
        kv_heads: 4,
        // floor(1.9 * 64) = 121, rounded up to a multiple of 256.
        ffn: 256,
        pi: Pi::NONE,
        tied: false,
        context: 100,
        rope_theta: 10_000.0,
        norm_eps: 1e-5,
    };
    assert_eq!(base.model, model);
    assert_eq!(base.init, Init::Random(RandomInit { scheme: Scheme::Constant, std: 0.02 }));
    let train = Train {
        budget: Budget::Tokens(400_000),
        batch_tokens: 2000,
        // 4096 at most, but no more than a batch.
        micro_tokens: 2000,
        learning_rate: 1e-3,
        final_ratio: 0.1,
        warmup: 0.03,
        weight_decay: 0.1,
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 1e-8,
        clip: 1.0,
        validations: 8,
        precision: Precision::F32,
        recompute: false,
        patience: 50,
    };
    assert_eq!(base.train, train);
    let rounds = Rounds {
        count: 1,
        rate: 0.5,
        budget: RoundBudget::Extra,
        learning_rate_ratio: 1.0,
        parts: 1,
        normalisation: Normalisation::Set,
        losses: RoundLosses::Recomputed,
        optimiser: RoundOptimiser::Fresh,
        schedule: RoundSchedule::Restart,
    };
    assert_eq!(base.rounds, rounds);
    let eval = Eval {
        benchmarks: vec!["all".into()],
        items: 100,
        scoring: Scoring::Ppl,
        files: Vec::new(),
        max_new_tokens: 24,
        skip_layers: vec![],
        parts: None,
    };
    assert_eq!(base.eval, eval);
    assert_eq!(base.held, None);
}

/// Whole windows only: 4096 is no multiple of 100.
#[test]
fn forward_passes_hold_whole_windows() {
    let files = [("studies/a.toml", SMALL)];
    let set = ["model.context=100", "train.batch_tokens=8k"];
    assert_eq!(good(&files, &set).study.variants[0].train.micro_tokens, 4000);
}

#[test]
fn paths_are_relative_to_the_file_that_writes_them() {
    let base = format!(
        "{SMALL}\n[[corpus.sources]]\nfrom.files = {{ paths = [\"./texts/*.txt\", \"/abs/x\"], \
         language = \"en\" }}\n[eval]\nfiles = [\"items.jsonl\"]\n"
    );
    let study = "extends = \"../shared/base.toml\"\n[tokenizer.build]\nfile.path = \"t.json\"\n";
    let files = [("studies/a.toml", study), ("shared/base.toml", base.as_str())];
    let set = ["model.context=100", "eval.files=[\"here.jsonl\"]"];
    let variant = |set: &[&str]| good(&files, set).study.variants[0].clone();
    let Origin::Files(sources) = &variant(&set[..1]).corpus.sources[0].from else { panic!() };
    assert_eq!(sources.paths, ["shared/texts/*.txt", "/abs/x"]);
    assert_eq!(sources.text_field, "text");
    assert_eq!(variant(&set[..1]).eval.files, ["shared/items.jsonl"]);
    assert_eq!(variant(&set).eval.files, ["here.jsonl"]);
    let Build::File(file) = variant(&set[..1]).tokenizer.build else { panic!() };
    assert_eq!(file.path, "studies/t.json");
}

#[test]
fn parts_of_a_delta_merge_with_the_base() {
    let text = format!(
        "{SMALL}\n[init.inherit]\nparent = \"big\"\nwidth = \"l1\"\n[parents.big]\nseed = 5\n\
         [parents.big.model]\ndepth = 8\ncontext = 200\n[[design.list]]\nname = \"x\"\n\
         set.init.inherit.last = 2\n"
    );
    let set = ["model.context=100"];
    let loaded = good(&[("studies/a.toml", &text)], &set);
    let expect = Inherit {
        parent: "big".into(),
        first: 2,
        last: 2,
        layers: LayerCriterion::Even,
        calibration: 64_000,
        width: WidthCriterion::L1,
        grouping: Grouping::Kept,
    };
    assert_eq!(loaded.study.variants[0].init, Init::Inherit(expect));
    let parent = loaded.study.parent("big").unwrap();
    assert_eq!((parent.seed, parent.variant.model.depth), (5, 8));
    assert!(matches!(parent.variant.init, Init::Random(_)));
}

#[test]
fn a_parent_that_exists_lies_beside_the_file_that_names_it() {
    let text = format!(
        "{SMALL}\n[init.inherit]\nparent = \"found\"\n[parents.found]\npath = \"models/found.gguf\"\n"
    );
    let study = good(&[("studies/a.toml", &text)], &["model.context=100"]).study;
    assert!(study.parents.is_empty() && study.parent("found").is_none());
    assert_eq!(study.given("found").unwrap().path, "studies/models/found.gguf");
}

#[test]
fn unreadable_files_say_why() {
    let read = |_: &Path| Err(io::Error::from(io::ErrorKind::InvalidData));
    let failure = load(Path::new("a.toml"), &read, &Options::default()).unwrap_err();
    assert_eq!(
        failure.to_string(),
        "error: cannot read `a.toml`\n --> a.toml:1:1\n  |\n1 |\n  | ^ not UTF-8 text\n"
    );
}

#[test]
fn places_are_counted_in_characters() {
    let text = "[study]\ntitle = \"标题\"; x\n";
    let failure = load_from(&[("studies/a.toml", text)], &Options::default()).unwrap_err();
    let first = &failure.diagnostics[0];
    assert_eq!(first.line_column(&failure.sources), (2, 13));
    assert_eq!(first.severity, Severity::Error);
}

/// Everything at once, to be torn apart by the property below.
const EVERYTHING: &str = r#"extends = "base.toml"
[study]
name = "all"
title = "Alles 全部"
seeds = [1, 2]
[model]
head_dim = 16
ffn = { rate = 2.5, multiple = 8 }
[hold]
params = "total"
tolerance = "20%"
[parents.big]
model = { depth = 8, width = 96, head_dim = 16 }
[[design.ladder]]
name = "one"
[[design.ladder]]
name = "two"
set.tokenizer = { vocabulary = 700, build.compact = { from = "1k" } }
[[design.ladder]]
name = "three"
set.init.inherit = { parent = "big", first = 1 }
[[claim]]
id = "c"
metric = "average"
expect = "two > one"
[profile.smoke]
train.tokens = "8k"
"#;

/// Every diagnostic can be rendered and lies in its text.
fn is_sound(result: &Result<Loaded, Failure>) {
    let (diagnostics, sources) = match result {
        Ok(loaded) => (&loaded.warnings, &loaded.sources),
        Err(failure) => (&failure.diagnostics, &failure.sources),
    };
    assert!(result.is_ok() || diagnostics.iter().any(|d| d.severity == Severity::Error));
    for diagnostic in diagnostics {
        let text = &sources[diagnostic.source].text;
        assert!(diagnostic.span.end <= text.len(), "{}", render(diagnostic, sources));
        assert!(text.get(diagnostic.span.clone()).is_some());
        assert!(!diagnostic.message.is_empty() && !diagnostic.label.is_empty());
    }
}

#[test]
fn everything_together() {
    let files = [("studies/a.toml", EVERYTHING), ("studies/base.toml", SMALL)];
    let loaded = good(&files, &["model.context=100"]);
    assert_eq!(loaded.study.variants.len(), 3);
    assert_eq!(loaded.warnings, []);
    is_sound(&Ok(loaded));
}

proptest! {
    /// Cut, double or replace any piece of a study: diagnostics or a study, never a panic.
    #[test]
    fn no_text_makes_it_panic(
        start in 0..EVERYTHING.len(), length in 0_usize..40,
        insert in prop_oneof![
            Just(""), Just("0"), Just("\""), Just("{}"), Just("[]"), Just("= 3\n"), Just("99999999"),
            Just("\n[model]\n"), Just("-1"), Just("全"), Just("."), Just("\"9T\""), Just("true"),
        ],
    ) {
        let floor = |mut at: usize| {
            while !EVERYTHING.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (from, to) = (floor(start), floor((start + length).min(EVERYTHING.len())));
        let text = format!("{}{insert}{}", &EVERYTHING[..from], &EVERYTHING[to.max(from)..]);
        let files = [("studies/a.toml", text.as_str()), ("studies/base.toml", SMALL)];
        let set = vec!["model.context=100".to_string()];
        is_sound(&load_from(&files, &Options { profile: None, set }));
    }

    #[test]
    fn no_argument_makes_it_panic(argument in "[a-z.\"\\[\\]{}= 0-9k%-]{0,24}") {
        let files = [("studies/a.toml", SMALL)];
        is_sound(&load_from(&files, &Options { profile: None, set: vec![argument] }));
    }

    /// Whatever is held is within the tolerance, and what moved is what the report says.
    #[test]
    fn held_variants_are_within_tolerance(
        vocabularies in prop::collection::btree_set(257_u64..5000, 1..5),
        depth in 4_u64..20, width in 4_u64..20, solve_width: bool, tolerance in 0.01_f64..0.3,
    ) {
        let solve = if solve_width { "width" } else { "depth" };
        let values: Vec<_> = vocabularies.iter().map(u64::to_string).collect();
        let text = format!(
            "{SMALL}\n[hold]\nparams = \"total\"\nsolve = \"{solve}\"\ntolerance = {tolerance}\n\
             [design.grid]\n\"tokenizer.vocabulary\" = [{}]\n", values.join(", ")
        );
        let set = [
            "model.context=100", &format!("model.depth={depth}"), &format!("model.width={}", width * 8),
            "model.head_dim=8", "model.ffn.multiple=8", "tokenizer.vocabulary=1000",
        ].map(str::to_string);
        let options = Options { profile: None, set: set.to_vec() };
        match load_from(&[("studies/a.toml", &text)], &options) {
            Ok(loaded) => for variant in &loaded.study.variants {
                let held = variant.held.as_ref().unwrap();
                prop_assert!(held.residual().abs() <= tolerance + 1e-9);
                prop_assert_eq!(held.actual, variant.shape().parameters().total);
                prop_assert!(variant.shape().check().is_ok());
                let (fixed, moved) = match held.solved {
                    Solved::Depth => (variant.model.width as u64 == width * 8, variant.model.depth),
                    Solved::Width => (variant.model.depth as u64 == depth, variant.model.width),
                };
                prop_assert!(fixed);
                prop_assert_eq!(moved, held.value);
            },
            Err(failure) => {
                let reason = |d: &ablate_spec::Diagnostic| d.message.starts_with("hold has no solution");
                prop_assert!(failure.diagnostics.iter().all(reason), "{failure}");
            }
        }
    }
}

#[test]
fn one_element_of_the_paper_or_several() {
    let mirrors = |value: &str| {
        let set = ["model.context=100", &format!("study.mirrors={value}")];
        good(&[("studies/a.toml", SMALL)], &set).study.mirrors
    };
    assert_eq!(mirrors("figure-1"), ["figure-1"]);
    assert_eq!(mirrors("[\"table-5\", \"figure-6\"]"), ["table-5", "figure-6"]);
    for wrong in ["5", "[5]", "{ table = 5 }"] {
        let set = vec![format!("study.mirrors={wrong}")];
        let options = Options { profile: None, set };
        let failure = load_from(&[("studies/a.toml", SMALL)], &options).unwrap_err().to_string();
        assert!(failure.contains("`study.mirrors` is"), "{failure}");
        assert!(failure.contains("expected a string"), "{failure}");
    }
}

#[test]
fn profiles_name_their_reports() {
    let text = format!(
        "{SMALL}\n[profile.mini]\nmodel.depth = 2\n[profile.\"Far Away/../b\"]\nmodel.depth = 3\n[profile.small]\nstudy.name = \"a-small\"\n"
    );
    let name = |profile: Option<&str>| {
        let options =
            Options { profile: profile.map(String::from), set: vec!["model.context=100".into()] };
        load_from(&[("studies/a.toml", &text)], &options).unwrap().study.report_name()
    };
    assert_eq!(name(None), "a");
    assert_eq!(name(Some("mini")), "a-mini");
    assert_eq!(name(Some("Far Away/../b")), "a-far-away-..-b");
    assert_eq!(name(Some("small")), "a-small");
}

/// Also of a file that is wrong elsewhere.
#[test]
fn an_outline_needs_no_sound_study() {
    let base = "[study]\nmirrors = \"table-5\"\n[profile.paper]\nmodel.depth = 20\n";
    let top = "extends = \"b.toml\"\n[model]\ndepht = 3\n[profile.mini]\nmodel.depth = 2\n";
    let files = BTreeMap::from([("studies/a.toml", top), ("studies/b.toml", base)]);
    let read = |path: &Path| {
        let text = files.get(path.to_str().unwrap()).map(|text| (*text).to_string());
        text.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    };
    let found = outline(Path::new("studies/a.toml"), &read);
    assert_eq!(found.mirrors, ["table-5"]);
    assert_eq!(found.profiles, ["paper", "mini"]);
    assert_eq!(outline(Path::new("studies/c.toml"), &read), Outline::default());
}

//! Layers: what is added to them, what is kept of them, and what they are worth.

use std::fs;

use serde_json::Value;

use crate::outcome::{lasting, number, of_stage, results, rows, text};
use crate::sandbox::{Sandbox, TINY};

/// A grandchild of the plain layer: PanGu-π's, inherited from one of the same kind.
fn with_pi() -> String {
    let (base, _) = TINY.split_once("[[design.list]]").unwrap();
    let base = base.replace("depth = 1", "depth = 2\npi = { activations = 2, shortcut = 4 }");
    format!(
        "{base}\nskip_layers = [1, 2]\n[parents.teacher]\nmodel = {{ depth = 3, width = 24, heads = 3 \
         }}\n[[design.list]]\nname = \"random\"\n[[design.list]]\nname = \"child\"\n\
         set.init.inherit = {{ parent = \"teacher\", first = 1, last = 1 }}\n"
    )
}

#[test]
fn scores_without_layers_reach_the_report() {
    let sandbox = Sandbox::with_study(&with_pi());
    let plan = sandbox.json(&["plan", "tiny.toml", "--json", "--no-timing"]);
    assert_eq!(plan["totals"]["by_stage"]["skips"], 4);
    sandbox.succeed(&["run", "tiny.toml"]);
    assert_eq!(of_stage(&sandbox.root(), "skips").len(), 4);

    let skips = rows(&sandbox.report().join("skips.parquet"));
    // Of two layers: none, the first, the second, both; of one choice benchmark in its language.
    assert_eq!(skips.len(), 2 * 2 * 4);
    let scores = rows(&sandbox.report().join("scores.parquet"));
    for whole in skips.iter().filter(|row| number(row, "count") == 0.0) {
        let same = |key: &str, row: &_| text(row, key) == text(whole, key);
        let score = scores.iter().find(|row| {
            ["variant", "benchmark", "metric"].iter().all(|key| same(key, row))
                && number(row, "seed") == number(whole, "seed")
        });
        assert_eq!(number(score.unwrap(), "value"), number(whole, "value"));
    }
    let influence = rows(&sandbox.report().join("influence.parquet"));
    assert_eq!(influence.len(), 2 * 2 * 2);
    assert!(influence.iter().all(|row| (0.0..2.0).contains(&number(row, "influence"))));
    // Seven matrices of two layers.
    let spreads = rows(&sandbox.report().join("spreads.parquet"));
    assert_eq!(spreads.len(), 2 * 2 * 2 * 7);
    assert!(spreads.iter().all(|row| (1e-3..1.0).contains(&number(row, "std"))));
    let page = fs::read_to_string(sandbox.report().join("index.html")).unwrap();
    for figure in ["layer-skips", "block-influence", "weight-spreads"] {
        assert!(page.contains(&format!("id=\"figure-{figure}\"")), "{figure} is on the page");
    }
    // A study that does not ask has neither.
    sandbox.succeed(&["run", "tiny.toml", "--set", "eval.skip_layers=[]"]);
    let page = fs::read_to_string(sandbox.report().join("index.html")).unwrap();
    assert!(!page.contains("figure-layer-skips"));
}

/// What is kept of a forward pass is no part of a result, and changes nothing in it.
#[test]
fn computing_activations_again_gives_the_same_bytes() {
    let [kept, again] = [false, true].map(|recompute| {
        let sandbox = Sandbox::with_study(&with_pi());
        let recompute = format!("train.recompute={recompute}");
        sandbox.succeed(&["run", "tiny.toml", "--set", &recompute]);
        lasting(&sandbox.root())
    });
    assert!(kept == again);
}

/// Layers are inherited by what the parent is without them, or by what they change.
#[test]
fn the_layers_that_matter_most_are_inherited() {
    let (base, _) = TINY.split_once("[[design.list]]").unwrap();
    let base = base.replace("depth = 1", "depth = 2");
    let study = format!(
        "{base}\n[parents.teacher]\nmodel = {{ depth = 4, width = 24, heads = 3 }}\n\
         [[design.list]]\nname = \"even\"\n\
         set.init.inherit = {{ parent = \"teacher\", first = 0, last = 0 }}\n\
         [[design.list]]\nname = \"skips\"\n\
         set.init.inherit = {{ parent = \"teacher\", first = 0, last = 0, layers = \"skips\" }}\n\
         [[design.list]]\nname = \"influence\"\n\
         set.init.inherit = {{ parent = \"teacher\", first = 1, last = 0, layers = \"influence\" }}\n"
    );
    let sandbox = Sandbox::with_study(&study);
    sandbox.succeed(&["run", "tiny.toml"]);
    let json = |name: &str, file: &str| -> Value {
        let folder = &results(&sandbox.root())[name];
        serde_json::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap()
    };
    // The parent is scored without its layers once, for both that ask.
    let [skips] = of_stage(&sandbox.root(), "skips").try_into().unwrap();
    let found = json(&skips, "skips.json");
    let influence: Vec<f64> = serde_json::from_value(found["influence"].clone()).unwrap();
    let score = |entry: &Value| {
        let scores = entry["scores"].as_array().unwrap();
        let primary = scores.iter().find(|score| score["primary"] == true).unwrap();
        primary["value"].as_f64().unwrap()
    };
    // The whole model comes first.
    let without: Vec<f64> = found["scores"].as_array().unwrap()[1..].iter().map(score).collect();
    assert_eq!((influence.len(), without.len()), (4, 4));
    // Positions of the two largest, the earlier of equals.
    let two = |values: &[f64]| {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
        let mut kept = vec![order[0], order[1]];
        kept.sort_unstable();
        kept
    };
    let lost: Vec<f64> = without.iter().map(|score| -score).collect();
    let rest = influence[1..].iter().copied().enumerate();
    let most = rest.fold((0, f64::MIN), |best, next| if next.1 > best.1 { next } else { best }).0;
    let mut expected = vec![vec![1, 3], two(&lost), vec![0, most + 1]];
    let mut kept: Vec<Vec<usize>> = of_stage(&sandbox.root(), "inherit")
        .iter()
        .map(|name| {
            serde_json::from_value(json(name, "inheritance.json")["layers"].clone()).unwrap()
        })
        .collect();
    expected.sort();
    kept.sort();
    assert_eq!(kept, expected);
}

//! Layers: what is added to them, what is kept of them, and what they are worth.

use std::fs;

use crate::outcome::{lasting, number, of_stage, rows, text};
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
    let page = fs::read_to_string(sandbox.report().join("index.html")).unwrap();
    for figure in ["layer-skips", "block-influence"] {
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

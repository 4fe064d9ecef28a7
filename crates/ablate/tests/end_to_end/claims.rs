//! Claims from the study file to the exit code.

use std::fs;

use crate::sandbox::{Sandbox, TINY};

/// Three seeds of a variant that learns and of one that hardly moves, and a claim about them.
fn study(claim: &str) -> String {
    let study = TINY
        .replace("seeds = [1, 2]", "seeds = [1, 2, 3]")
        .replace("name = \"deep\"", "name = \"stuck\"")
        .replace("set.model.depth = 2", "set.train.learning_rate = 1e-7");
    format!("{study}\n[[claim]]\nid = \"c\"\nstatement = \"What is claimed.\"\n{claim}\n")
}

/// The untrained model has fewer bits per byte, so this says, and the run must fail if it has not.
const WRONG: &str =
    "metric = \"bits_per_byte\"\nexpect = \"stuck < plain\"\nrequire = true\nsource = \"Table 1\"";

#[test]
fn a_required_claim_that_is_contradicted_ends_with_five() {
    let sandbox = Sandbox::with_study(&study(WRONG));
    let ended = sandbox.ablate(&["run", "tiny.toml"]);
    assert_eq!(ended.code, Some(5), "{ended}");
    assert!(ended.stdout.contains("claim c: contradicted (required): “plain” − “stuck” −"));
    assert!(ended.stderr.contains("contradicted although required: c; see "), "{ended}");
    ended.assert_no_panic();

    // Everything is there nevertheless.
    let text = |name: &str| fs::read_to_string(sandbox.report().join(name)).unwrap();
    for name in ["tables/claims.md", "tables/claims.tex", "tables/claims.csv", "index.html"] {
        assert!(text(name).contains("contradicted (required)"), "{name}");
    }
    let json: serde_json::Value = serde_json::from_str(&text("claims.json")).unwrap();
    let json = &json["claims"];
    assert_eq!((&json[0]["id"], &json[0]["verdict"]), (&"c".into(), &"contradicted".into()));
    assert!(json[0]["tests"][0]["value"].as_f64().unwrap() < 0.0);
    assert!(text("tables/main.md").contains("stuck"));

    // The report says so again, quiet runs too, and not when the claim is not required.
    assert_eq!(sandbox.ablate(&["report", "tiny.toml"]).code, Some(5));
    let quiet = sandbox.ablate(&["run", "tiny.toml", "--quiet"]);
    assert_eq!((quiet.code, quiet.stdout.as_str()), (Some(5), ""), "{quiet}");
    assert!(quiet.stderr.contains("required: c"), "{quiet}");
    sandbox.write("tiny.toml", study(&WRONG.replace("require = true", "require = false")));
    let text = sandbox.succeed(&["report", "tiny.toml"]);
    assert!(text.contains("claim c: contradicted: "), "{text}");

    // The other way round it holds, required or not.
    sandbox.write("tiny.toml", study(&WRONG.replace("stuck < plain", "stuck > plain")));
    let text = sandbox.succeed(&["report", "tiny.toml"]);
    assert!(text.contains("claim c: holds (required): "), "{text}");
}

#[test]
fn a_required_claim_that_cannot_be_told_is_no_failure() {
    let claim = "metric = \"boolq\"\nexpect = \"plain > stuck\"\nrequire = true";
    let sandbox = Sandbox::with_study(&study(claim));
    let text = sandbox.succeed(&["run", "tiny.toml"]);
    assert!(text.contains("claim c: inconclusive (required): "), "{text}");
    // With one seed there is nothing to test; a plan says so before it runs.
    let one = ["--set", "study.seeds=[1]"];
    let text = sandbox.succeed(&[&["report", "tiny.toml"], &one[..]].concat());
    assert!(text.contains("claim c: not comparable (required): "), "{text}");
    let plan = sandbox.ablate(&[&["plan", "tiny.toml", "--no-timing"], &one[..]].concat());
    assert!(plan.code == Some(0) && plan.stderr.contains("will not be comparable: c"), "{plan}");
    let plan = sandbox.ablate(&["plan", "tiny.toml", "--no-timing"]);
    assert!(plan.stdout.contains("3 seeds tell two variants apart"), "{plan}");
    assert!(!plan.stderr.contains("warning"), "{plan}");
}

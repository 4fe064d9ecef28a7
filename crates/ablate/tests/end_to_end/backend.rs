//! What computes: chosen by name, no part of what results are stored by.

use std::fs;

use crate::outcome::{number, rows, snapshot, text};
use crate::sandbox::{Sandbox, TINY, files};

#[test]
fn one_that_is_not_compiled_in_is_refused() {
    let sandbox = Sandbox::with_study(TINY);
    for verb in ["run", "bench"] {
        let ended = sandbox.ablate(&[verb, "tiny.toml", "--backend", "wgpu"]);
        assert_eq!(ended.code, Some(2), "{ended}");
        assert!(ended.stderr.contains("there is no backend `wgpu`"), "{ended}");
        assert!(ended.stderr.contains("compiled in: `flex`"), "{ended}");
        assert!(files(&sandbox.root()).is_empty(), "{verb}");
    }
}

/// Nothing is started that could only fail, variant by variant.
#[test]
fn one_without_its_gpu_is_refused() {
    let gpu = std::process::Command::new("nvidia-smi").arg("--list-gpus").output();
    if gpu.is_ok_and(|output| output.status.success()) {
        return;
    }
    let sandbox = Sandbox::with_study(TINY);
    for (backend, built) in [("tch-cuda", cfg!(feature = "tch")), ("cuda", cfg!(feature = "cuda"))]
    {
        let ended = sandbox.ablate(&["run", "tiny.toml", "--backend", backend]);
        if built {
            assert_eq!(ended.code, Some(75), "{ended}");
            assert!(ended.stderr.contains("finds no NVIDIA GPU"), "{ended}");
        } else {
            assert_eq!(ended.code, Some(2), "{ended}");
            assert!(ended.stderr.contains(" builds it in"), "{ended}");
        }
        assert!(files(&sandbox.root()).is_empty(), "{backend}");
    }
}

/// Every backend that computes on this machine: scores that agree, and each takes the other's
/// results for its own.
#[test]
fn results_do_not_depend_on_it() {
    let backends: &[&str] = if cfg!(feature = "tch") { &["flex", "tch"] } else { &["flex"] };
    let bits = |sandbox: &Sandbox| -> Vec<(String, f64)> {
        let scores = rows(&sandbox.report().join("scores.parquet"));
        let held_out = scores.iter().filter(|row| text(row, "metric") == "bits_per_byte");
        held_out.map(|row| (text(row, "variant").to_owned(), number(row, "value"))).collect()
    };
    let mut first: Option<Vec<(String, f64)>> = None;
    for backend in backends {
        let sandbox = Sandbox::with_study(TINY);
        sandbox.succeed(&["run", "tiny.toml", "--backend", backend]);
        let page = fs::read_to_string(sandbox.report().join("index.html")).unwrap();
        assert!(page.contains(&format!(">{backend}<")), "the page names {backend}");
        let found = bits(&sandbox);
        assert_eq!(found.len(), 2 * 2 * 2, "variants, seeds and languages");
        for ((name, a), (other, b)) in found.iter().zip(first.as_ref().unwrap_or(&found)) {
            // Twenty steps from the same weights through the same batches: rounding is all.
            assert!(name == other && (a - b).abs() < 1e-3 * b, "{backend}, {name}: {a}, not {b}");
        }
        first.get_or_insert(found);

        let store = snapshot(&sandbox.root());
        for other in backends {
            sandbox.succeed(&["run", "tiny.toml", "--backend", other]);
        }
        assert!(snapshot(&sandbox.root()) == store, "another backend made something again");
    }
}

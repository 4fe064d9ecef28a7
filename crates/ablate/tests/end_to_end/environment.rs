//! The variables of the environment that the program reads: the list in `src/environment.rs`, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::sandbox::{Sandbox, TINY, files};

/// The names in the program's list.
fn listed() -> BTreeSet<String> {
    let text = include_str!("../../src/environment.rs");
    let names = text.split("name: \"").skip(1);
    names.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// Source files of the program and of its libraries, without tests, examples and benchmarks.
fn sources() -> Vec<std::path::PathBuf> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for folder in fs::read_dir(crates).unwrap() {
        found.extend(files(&folder.unwrap().path().join("src")));
    }
    found.retain(|path| path.extension().is_some_and(|e| e == "rs"));
    assert!(found.len() > 300, "{}", found.len());
    found
}

#[test]
fn only_listed_variables_are_read_and_only_in_one_way() {
    let listed = listed();
    assert!(listed.contains("ABLATE_ROOT") && listed.contains("NO_COLOR"), "{listed:?}");
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for path in sources() {
        let name = path.display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let place = format!("{name}:{}: {}", number + 1, line.trim());
            if name.ends_with("src/environment.rs") {
                continue;
            }
            // `env!` is read by the compiler; `current_exe` and the like are no variables.
            for word in ["env::var", "env::vars", "env::temp_dir", "env::home_dir", "getenv"] {
                // Updating the schema and cases is for tests inside of libraries.
                let test = line.contains("UPDATE_SCHEMA") || line.contains("UPDATE_CASES");
                if line.contains(word) && !test {
                    wrong.push(place.clone());
                }
            }
            // As arguments: `env = "NAME"`, not `target_env`.
            for rest in line.split(" env = \"").skip(1) {
                used.insert(rest.split('"').next().unwrap().to_owned());
            }
            for rest in line.split("environment::read(\"").skip(1) {
                used.insert(rest.split('"').next().unwrap().to_owned());
            }
        }
    }
    assert!(wrong.is_empty(), "read through `environment::read`, and list them:\n{wrong:#?}");
    let unlisted: Vec<_> = used.difference(&listed).collect();
    assert!(unlisted.is_empty(), "not in src/environment.rs: {unlisted:?}");
}

#[test]
fn no_secret_of_the_environment_gets_into_what_a_run_leaves() {
    let sandbox = Sandbox::with_study(TINY);
    let secret = "s3cret-0f-th3-3nvironm3nt";
    let mut command = sandbox.command(&["run", "tiny.toml", "--quiet"]);
    command.env("HF_TOKEN", secret).env("AWS_SECRET_ACCESS_KEY", secret).env("USER", secret);
    assert_eq!(crate::sandbox::Ended::of(command).code, Some(0));
    sandbox.succeed(&["bundle", "tiny.toml"]);
    let bundle = fs::read(sandbox.desk("tiny.bundle.tar.zst")).unwrap();
    let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
    assert!(!holds(&zstd::decode_all(bundle.as_slice()).unwrap()));
    // Links to folders are no files.
    for path in files(&sandbox.root()).into_iter().filter(|path| path.is_file()) {
        assert!(!holds(&fs::read(&path).unwrap()), "{}", path.display());
    }
}

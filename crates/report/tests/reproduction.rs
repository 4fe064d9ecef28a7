//! The page of the whole paper: all elements, what studies found beside them, nothing from outside.

mod synthetic;

use std::fs;
use std::path::Path;

use ablate_report::{ClaimSummary, Mirror, MirrorState, write, write_reproduction};

fn mirrors() -> Vec<Mirror> {
    let mut data = synthetic::ladder(&[1, 2, 3], 10);
    data.study.mirrors = vec!["figure-1".into(), "figure-5".into(), "table-9".into()];
    let run = Mirror {
        file: "experiments/paper/<ladder>.toml".into(),
        profile: Some("mini".into()),
        study: data.study.name.clone(),
        elements: data.study.mirrors.clone(),
        state: MirrorState::Rendered,
        variants: 5,
        seeds: vec![1, 2, 3],
        runs: 15,
        done: 15,
        parameters: Some((1_612_000, 1_629_284)),
        tokens: Some((410_000, 615_000)),
        finished: Some("2025-01-01T12:09:41Z".into()),
        report: Some("quickstart".into()),
        claims: vec![ClaimSummary {
            id: "tokenizer".into(),
            statement: "a <compact> tokenizer helps".into(),
            verdict: "held".into(),
        }],
        data: Some(data),
        ..Mirror::default()
    };
    let planned = Mirror {
        file: "experiments/paper/table-5.toml".into(),
        study: "table-5".into(),
        elements: vec!["table-5".into()],
        state: MirrorState::Planned,
        variants: 5,
        seeds: vec![1],
        runs: 5,
        ..Mirror::default()
    };
    let broken = Mirror {
        file: "experiments/paper/b.toml".into(),
        elements: vec!["table-6".into()],
        problem: Some("error: unknown key `<depht>`".into()),
        ..Mirror::default()
    };
    vec![planned, run, broken]
}

#[test]
fn the_page_is_complete_self_contained_and_the_same_every_time() {
    let folder = tempfile::tempdir().unwrap();
    let mirrors = mirrors();
    let reports = folder.path();
    write(mirrors[1].data.as_ref().unwrap(), &reports.join("quickstart")).unwrap();
    let written = write_reproduction(&mirrors, &reports.join("paper")).unwrap();
    let page = fs::read_to_string(reports.join("paper/index.html")).unwrap();
    let before: Vec<Vec<u8>> =
        written.files.iter().map(|f| fs::read(reports.join("paper").join(f)).unwrap()).collect();
    write_reproduction(&mirrors, &reports.join("paper")).unwrap();
    for (file, bytes) in written.files.iter().zip(&before) {
        assert_eq!(&fs::read(reports.join("paper").join(file)).unwrap(), bytes);
    }
    for forbidden in
        ["<script", "<img", "<compact>", "<depht>", "<ladder>", "http://", "https://", "NaN"]
    {
        let page = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    // Ids are unique, links inside lead to ids, links to files to files.
    let mut ids: Vec<&str> =
        page.split(" id=\"").skip(1).filter_map(|p| p.split('"').next()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    for link in page.split("href=\"").skip(1).filter_map(|p| p.split('"').next()) {
        match link.strip_prefix('#') {
            Some(id) => assert!(ids.binary_search(&id).is_ok(), "{link}"),
            None if link.starts_with("data:") => {}
            None => assert!(reports.join("paper").join(link).is_file(), "{link}"),
        }
    }
    // Twelve figures of the paper, two of the study; thirteen tables of it.
    assert_eq!(page.matches("<svg ").count(), 14);
    for n in 1..=13 {
        assert!(ids.binary_search(&format!("table-table-{n}").as_str()).is_ok(), "{n}");
    }
    // Beside Figure 1 row by row; Table 9 has nothing to set against, so what was found is shown.
    for id in
        ["table-figure-1-quickstart", "figure-figure-5-quickstart", "table-table-9-quickstart"]
    {
        assert!(ids.binary_search(&id).is_ok(), "{id}");
    }
    for words in [
        "5 variants × 3 seeds, 1.63 M parameters, 410 k to 615 k tokens; all runs scored",
        "<strong>held</strong> a &lt;compact&gt; tokenizer helps",
        "56.49",
        "from PanGu-π-7B",
        "3 with results so far",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn nothing_run_is_a_page_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("paper");
    write_reproduction(&[], &dir).unwrap();
    let page = fs::read_to_string(dir.join("index.html")).unwrap();
    assert_eq!(page.matches("<strong>not covered</strong>").count(), 25);
    assert_eq!(fs::read_dir(Path::new(&dir).parent().unwrap()).unwrap().count(), 1);
}

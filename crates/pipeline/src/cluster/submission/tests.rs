use serde_json::json;

use super::*;
use crate::cluster::plan::plan;
use crate::cluster::settings::Settings;
use crate::graph::NodeId;

/// A text, five trainings of it and their scores.
fn graph() -> (Graph, Vec<NodeId>) {
    let mut graph = Graph::new();
    let text = graph.add("corpus", 1, "text", json!({}), []).unwrap();
    for n in 0..5 {
        let name = format!("t{n}");
        let train = graph.add("train", 1, &name, json!({ "n": n }), [("text", text)]).unwrap();
        graph.node_mut(train).estimate.memory = 1 << 30;
        graph.add("eval", 1, &name, json!({ "n": n }), [("weights", train)]).unwrap();
    }
    let ids = graph.iter().map(|(id, _)| id).collect();
    (graph, ids)
}

fn launcher<'a>(folder: &Path, settings: &'a Settings) -> Launcher<'a> {
    Launcher {
        program: folder.join("my bin/ablate"),
        study: "tiny".to_owned(),
        folder: folder.to_owned(),
        settings,
        last: Some(vec!["report".to_owned(), "my study.toml".to_owned()]),
    }
}

#[test]
fn files_say_all_that_is_submitted() {
    let root = tempfile::tempdir().unwrap();
    let (graph, ids) = graph();
    let store = Store::new(root.path().join("store"));
    let settings = Settings {
        array_limit: Some(2),
        partition: Some("gpu".to_owned()),
        time: Some("1:00:00".to_owned()),
        setup: vec!["module load cuda".to_owned()],
        ..Settings::default()
    };
    let waves = plan(&graph, &ids, |id| graph.node(id).stage == "train");
    let cut = Cut { array: 1000, ..Cut::default() };
    let launcher = launcher(root.path(), &settings);
    let runs = root.path().join("50% runs");
    let written = Submission::write(&runs, &launcher, (&graph, &store), &waves, &cut).unwrap();
    let read = Submission::all(&runs);
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].chunks, written.chunks);

    let script = fs::read_to_string(written.folder.join("02-train/submit.sbatch")).unwrap();
    for line in [
        "#SBATCH --open-mode=append",
        "#SBATCH --requeue",
        "#SBATCH --signal=B:USR1@120",
        "#SBATCH --kill-on-invalid-dep=yes",
        "#SBATCH --partition=gpu",
        "#SBATCH --time=1:00:00",
        "#SBATCH --mem=2048M",
        "#SBATCH --gpus-per-task=1",
        "module load cuda",
    ] {
        assert!(script.lines().any(|own| own == line), "{line} in {script}");
    }
    assert!(script.contains("50%% runs") && script.contains("/logs/%A_%a.log\""), "{script}");
    let last = script.lines().last().unwrap();
    assert!(last.starts_with("exec '") && last.contains("my bin/ablate' work '"), "{last}");
    assert!(last.ends_with("--item $((SLURM_ARRAY_TASK_ID + ${1:-0}))"), "{last}");
    let eval = fs::read_to_string(written.folder.join("03-eval/submit.sbatch")).unwrap();
    assert!(!eval.contains("gpus"), "{eval}");
    let report = fs::read_to_string(written.folder.join("04-report/submit.sbatch")).unwrap();
    assert!(report.ends_with("ablate' report 'my study.toml'\n"), "{report}");

    let items = written.folder.join("02-train/items.jsonl");
    let all = read_items(&items).unwrap();
    assert_eq!(all.len(), 5);
    assert_eq!(read_item(&items, 3).unwrap().key, all[3].key);
    assert!(read_item(&items, 5).unwrap_err().to_string().contains("has 5 items"));
    assert_eq!(all[0].inputs["text"], store.path(graph.node(ids[0])));

    let submit = fs::read_to_string(written.folder.join("submit.sh")).unwrap();
    assert!(submit.contains("\"--array=0-4%2\" \"--dependency=afterany:$j0\""), "{submit}");
    assert!(submit.contains("\"--dependency=aftercorr:$j1\""), "{submit}");
    assert!(submit.contains("\"--dependency=afterany:$j0:$j1:$j2\""), "{submit}");

    // What is written down is found again, by place and by id.
    written.record(&written.chunks[1], "77").unwrap();
    assert_eq!(written.jobs(), [("02-train", 0, "77".to_owned())]);
    let place = Place::of_comment(&written.chunks[1].comment, 3).unwrap();
    assert_eq!(written.keys(&place), [all[3].key.clone()]);
}

#[test]
fn large_waves_are_several_arrays() {
    let root = tempfile::tempdir().unwrap();
    let (graph, ids) = graph();
    let waves = plan(&graph, &ids, |_| false);
    let settings = Settings::default();
    let launcher = launcher(root.path(), &settings);
    let cut = Cut { array: 2, ..Cut::default() };
    let chunks = chunks("tag", &launcher, &waves, &cut);
    let shown: Vec<_> = chunks
        .iter()
        .map(|c| (c.first, c.array.as_deref().unwrap(), c.after_each.clone(), c.after_all.clone()))
        .collect();
    assert_eq!(
        shown,
        [
            (0, "0-0", vec![], vec![]),
            (0, "0-1", vec![], vec![0]),
            (2, "0-1", vec![], vec![0]),
            (4, "0-0", vec![], vec![0]),
            (0, "0-1", vec![1], vec![]),
            (2, "0-1", vec![2], vec![]),
            (4, "0-0", vec![3], vec![]),
        ]
    );
    // With a limit they go one after another.
    let settings = Settings { array_limit: Some(1), ..Settings::default() };
    let launcher = Launcher { settings: &settings, ..launcher };
    let limited = super::chunks("tag", &launcher, &waves, &cut);
    assert_eq!(limited[2].after_all, [0, 1]);
    assert_eq!(limited[1].array.as_deref(), Some("0-1%1"));
}

#[test]
fn workers_that_take_whatever_is_next_are_one_array() {
    let root = tempfile::tempdir().unwrap();
    let (graph, ids) = graph();
    let store = Store::new(root.path().join("store"));
    let settings = Settings::default();
    let launcher = launcher(root.path(), &settings);
    let wave = Wave {
        name: "01-pull".to_owned(),
        stage: "pull",
        on_gpu: false,
        items: ids.clone(),
        after: Vec::new(),
    };
    let cut = Cut { array: 2, workers: Some(3), ..Cut::default() };
    let runs = root.path().join("runs");
    let written = Submission::write(&runs, &launcher, (&graph, &store), &[wave], &cut).unwrap();
    assert_eq!(written.chunks.len(), 2);
    assert_eq!(written.chunks[0].array.as_deref(), Some("1-3"));
    let place = Place::of_comment(&written.chunks[0].comment, 2).unwrap();
    assert_eq!(written.keys(&place).len(), ids.len());
    let script = fs::read_to_string(written.folder.join("01-pull/submit.sbatch")).unwrap();
    assert!(script.ends_with("--drain\n"), "{script}");
}

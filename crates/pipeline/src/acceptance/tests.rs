use serde_json::json;

use super::*;
use crate::attempt::Entry;
use crate::graph::NodeId;
use crate::protocol::Task;
use crate::sample::artifact;
use crate::store::State;

/// A text, what is made of it, what is made of that, and something that needs none of them.
fn chain(version: u32) -> (Graph, [NodeId; 4]) {
    let mut graph = Graph::new();
    let mut add = |stage, version, recipe, inputs: &[(&'static str, NodeId)]| {
        graph.add(stage, version, "mine", recipe, inputs.iter().copied()).unwrap()
    };
    let text = add("text", version, json!({"bytes": 10, "share": 0.1}), &[]);
    let train = add("train", 1, json!({"rate": 3e-4}), &[("text", text)]);
    let eval = add("eval", 1, json!({}), &[("train", train), ("text", text)]);
    let other = add("text", 7, json!({"other": true}), &[]);
    (graph, [text, train, eval, other])
}

fn finish(store: &Store, graph: &Graph, id: NodeId) {
    let node = graph.node(id);
    let entry = Entry { path: store.place(node) };
    let lease = Lease::take(&entry.lease()).unwrap();
    let folder = entry.open(&lease, false).unwrap();
    fs::write(folder.join("out.txt"), format!("version {}", node.version)).unwrap();
    let inputs = Identity::of(graph, id).inputs;
    entry.publish(&lease, Artifact { inputs, ..artifact(node) }).unwrap();
}

fn say(because: &str) -> Testimony {
    let at = "2026-01-01T00:00:00Z".to_owned();
    Testimony { because: because.to_owned(), by: "me@here".to_owned(), at }
}

/// Accepts the first of `graph` for what is stored of `old`.
fn accept(
    store: &Store,
    (graph, new): (&Graph, NodeId),
    (others, old): (&Graph, NodeId),
) -> Result<Acceptance, AcceptError> {
    let folder = store.place(others.node(old));
    let record = valid_record(&folder).unwrap().unwrap();
    store.accept(Identity::of(graph, new), (&folder, &record), &say("the same"))
}

#[test]
fn what_is_accepted_is_there_and_read_from_the_other_folder() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path());
    let (old, [text, ..]) = chain(1);
    let (new, [wanted, train, ..]) = chain(2);
    finish(&store, &old, text);
    let (made, node) = (store.place(old.node(text)), new.node(wanted));
    assert!(matches!(store.state(node).unwrap(), State::Missing));
    accept(&store, (&new, wanted), (&old, text)).unwrap();

    let state = store.state(node).unwrap();
    assert_eq!(state.word(), "done");
    assert_eq!(state.accepted(node), Some(old.node(text).key()));
    assert_eq!(store.path(node), made);
    let said = store.acceptance(node).unwrap().unwrap();
    assert_eq!((said.testimony, said.old.version, said.new.version), (say("the same"), 1, 2));
    let task = Task::in_store(&new, &store, train);
    assert_eq!(task.inputs["text"], made);
    assert_eq!(task.input_keys["text"], *node.key());
    assert_eq!(task.accepted["text"], *old.node(text).key());
    assert_eq!(task.missing_input(), None);
    let again: Task = serde_json::from_value(serde_json::to_value(&task).unwrap()).unwrap();
    assert_eq!(again.missing_input(), None, "a task of a cluster comes from a file");

    // Of the old one nothing has changed.
    assert_eq!(store.state(old.node(text)).unwrap().accepted(old.node(text)), None);
    // Damage sets the stored one aside, and nothing stands for the new one any more.
    fs::write(made.join("out.txt"), "other").unwrap();
    assert!(store.verify(node).unwrap().unwrap().contains("out.txt"));
    assert!(matches!(store.state(node).unwrap(), State::Missing));
    assert!(!store.acceptances().unwrap()[0].counts);
    assert!(Task::in_store(&new, &store, train).accepted.is_empty());
    // One's own counts more than what stands for it.
    finish(&store, &new, wanted);
    finish(&store, &old, text);
    assert_eq!(store.path(node), store.place(node));
    assert_eq!(store.state(node).unwrap().accepted(node), None);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path());
    let (old, [text, train, _, other]) = chain(1);
    let (new, [wanted, ..]) = chain(2);
    for id in [text, train, other] {
        finish(&store, &old, id);
    }
    let refused = |from, to| accept(&store, from, to).unwrap_err().to_string();
    assert!(refused((&old, text), (&old, text)).contains("nothing to accept"));
    assert!(refused((&new, wanted), (&old, train)).contains("another stage"));
    assert!(refused((&old, other), (&old, text)).contains("is stored itself"));

    let lease = Lease::take(&store.lease(new.node(wanted))).unwrap();
    assert!(refused((&new, wanted), (&old, text)).contains("being made by process"));
    drop(lease);

    let file = store.place(old.node(text)).join("out.txt");
    fs::write(&file, "other").unwrap();
    assert!(refused((&new, wanted), (&old, text)).contains("is damaged: `out.txt`"));
    fs::write(&file, "version 1").unwrap();
    assert!(store.acceptances().unwrap().is_empty());

    accept(&store, (&new, wanted), (&old, text)).unwrap();
    accept(&store, (&new, wanted), (&old, text)).unwrap();
    let taken = refused((&new, wanted), (&old, other));
    assert!(taken.contains("stands for") && taken.contains("--revoke"), "{taken}");
    let error = store.revoke(old.node(text).key()).unwrap_err().to_string();
    assert!(error.contains("nothing was accepted"), "{error}");
}

#[test]
fn no_acceptance_is_read_through_another() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path());
    let graphs = [chain(1), chain(2), chain(3)];
    let node = |at: usize| graphs[at].0.node(graphs[at].1[0]);
    finish(&store, &graphs[0].0, graphs[0].1[0]);
    finish(&store, &graphs[1].0, graphs[1].1[0]);
    accept(&store, (&graphs[2].0, graphs[2].1[0]), (&graphs[1].0, graphs[1].1[0])).unwrap();
    fs::remove_dir_all(store.place(node(1))).unwrap();
    accept(&store, (&graphs[1].0, graphs[1].1[0]), (&graphs[0].0, graphs[0].1[0])).unwrap();
    assert_eq!(store.state(node(1)).unwrap().word(), "done");
    assert_eq!(store.state(node(2)).unwrap().word(), "missing");
    let counts: usize = store.acceptances().unwrap().iter().filter(|one| one.counts).count();
    assert_eq!(counts, 1);
}

#[test]
fn what_was_made_in_the_same_way_follows_and_is_taken_back_with_it() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path());
    let (old, [text, train, eval, other]) = chain(1);
    let (new, ids) = chain(2);
    // The training in the middle was removed since: its score follows all the same.
    for id in [text, eval, other] {
        finish(&store, &old, id);
    }
    assert!(store.accept_dependants(&new, &say("")).unwrap().is_empty());
    let root_key = new.node(ids[0]).key().clone();
    accept(&store, (&new, ids[0]), (&old, text)).unwrap();
    let follow = store.accept_dependants(&new, &say("the same")).unwrap();
    let names: Vec<&str> = follow.iter().map(|one| one.new.stage.as_str()).collect();
    assert_eq!(names, ["eval"]);
    assert_eq!(follow[0].old.key, *old.node(eval).key());
    assert_eq!(follow[0].roots(), std::slice::from_ref(&root_key));
    assert_eq!(store.state(new.node(ids[2])).unwrap().word(), "done");
    assert_eq!(store.state(new.node(ids[1])).unwrap().word(), "missing");
    // What is stored since then follows when it is asked again.
    finish(&store, &old, train);
    assert_eq!(store.accept_dependants(&new, &say("the same")).unwrap().len(), 1);

    let error = store.revoke(new.node(ids[2]).key()).unwrap_err().to_string();
    assert!(error.contains("follows from") && error.contains(root_key.short()), "{error}");
    let revoked = store.revoke(&root_key).unwrap();
    assert_eq!(revoked.len(), 3);
    assert_eq!(revoked[0].new.key, revoked[1].roots()[0]);
    assert!(store.acceptances().unwrap().is_empty());
    assert_eq!(store.state(new.node(ids[0])).unwrap().word(), "missing");
    assert_eq!(store.state(old.node(text)).unwrap().word(), "done");
}

#[test]
fn a_record_that_was_changed_by_hand_is_not_believed() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::new(root.path());
    let (old, [text, ..]) = chain(1);
    let (new, [wanted, ..]) = chain(2);
    finish(&store, &old, text);
    accept(&store, (&new, wanted), (&old, text)).unwrap();
    let path = store.acceptances().unwrap()[0].path.clone();
    let whole = fs::read_to_string(&path).unwrap();
    let changes = [
        ("\"share\": 0.1", "\"share\": 0.2", "not the one of its key"),
        ("\"folder\": \"text/", "\"folder\": \"../", "is no folder of the stage"),
        ("\"because\"", "\"why\"", "because"),
    ];
    for (from, to, why) in changes {
        assert!(whole.contains(from), "{whole}");
        fs::write(&path, whole.replace(from, to)).unwrap();
        assert_eq!(store.state(new.node(wanted)).unwrap().word(), "missing", "{to}");
        let all = store.acceptances().unwrap();
        let fault = all[0].record.as_ref().unwrap_err();
        assert!(fault.contains(why) && !all[0].counts, "{fault}");
    }
    fs::rename(&path, path.with_file_name("0000.json")).unwrap();
    fs::write(path.with_file_name("0000.json"), &whole).unwrap();
    assert!(store.acceptances().unwrap()[0].record.as_ref().unwrap_err().contains("its name"));
    fs::write(&path, &whole).unwrap();
    assert_eq!(store.state(new.node(wanted)).unwrap().word(), "done");
    assert_eq!(store.find("text", &new.node(wanted).key().as_str()[..8]).unwrap().len(), 0);
    assert_eq!(store.find("text", &old.node(text).key().as_str()[..8]).unwrap().len(), 1);
}

//! The definitions that the program brings, on small files in upstream's layouts and, where it lies
//! beside the checkout, on upstream's own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ablate_benchmark::{Ask, Imported, Library, Provenance, SHIPPED, Way, import};
use ablate_eval::Scoring;

fn library(root: &Path) -> Library {
    Library::new(root.join("definitions"), root.join("imported"))
}

fn bring(library: &Library, name: &str, from: &Path) -> Result<Provenance, String> {
    let described = library.definition(name).unwrap();
    let text = (described.text.as_str(), described.shipped);
    import(&described.definition, text, from, library.imported()).map_err(|error| error.to_string())
}

/// Files of a benchmark that are written into a folder, then imported.
fn small(files: &[(&str, &str)], name: &str) -> (tempfile::TempDir, Result<Imported, String>) {
    let root = tempfile::tempdir().unwrap();
    let upstream = root.path().join("upstream");
    for (path, text) in files {
        let path = upstream.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let library = library(root.path());
    let imported = bring(&library, name, &upstream).map(|_| library.open(name).unwrap());
    (root, imported)
}

fn ask(scoring: Scoring) -> Ask {
    Ask { scoring: Some(scoring), ..Ask::default() }
}

#[test]
fn all_are_read_and_have_the_right_name() {
    for (name, text) in SHIPPED {
        let found = ablate_benchmark::Definition::parse(text, name).unwrap();
        assert_eq!(found.name, name);
        assert!(found.about.ends_with('.') && !found.folders.is_empty(), "{name}");
    }
}

#[test]
fn winogrande_fills_the_blank() {
    let line = r#"{"qID":"1-1","sentence":"Ann told Eve that _ was late. ","option1":"Ann","option2":"Eve","answer":"2"}"#;
    let (_root, imported) = small(&[("winogrande_1.1/dev.jsonl", line)], "winogrande");
    let imported = imported.unwrap();
    let item = imported.ask(&ask(Scoring::Continuation)).unwrap().remove(0).item;
    let form = item.form.as_ref().unwrap();
    assert_eq!(form.contexts, ["Ann told Eve that Ann", "Ann told Eve that Eve"]);
    assert_eq!(item.options, [" was late.", " was late."]);
    assert_eq!((item.key, item.check()), (Some(1), Ok(())));
    let item = imported.ask(&ask(Scoring::Ppl)).unwrap().remove(0).item;
    let whole = format!("{}{}", item.context, item.options[1]);
    assert_eq!(whole, "Good sentence: Ann told Eve that Eve was late. ");
}

#[test]
fn hellaswag_loses_its_brackets() {
    let line = r#"{"ind":24,"activity_label":"Roof","ctx_a":"A man sits.","ctx_b":"he","ctx":"A man sits. he","split":"val","label":"3","endings":["[step] runs.","is  done [title] Go","x","y"]}"#;
    let (_root, imported) = small(&[("hellaswag_val.jsonl", line)], "hellaswag");
    let item = imported.unwrap().ask(&ask(Scoring::Continuation)).unwrap().remove(0).item;
    assert_eq!(item.context, "Roof: A man sits. He");
    assert_eq!(item.options, ["  runs.", " is done. Go", " x", " y"]);
    assert_eq!(item.form.unwrap().metric.as_deref(), Some("acc_norm"));
}

#[test]
fn lambada_asks_for_the_last_word() {
    let line = "{\"text\": \"so she went to the sea\"}\n";
    let (_root, imported) = small(&[("lambada_test.jsonl", line)], "lambada");
    // Also where the study asks for perplexities.
    let imported = imported.unwrap();
    for scoring in [Scoring::Continuation, Scoring::Ppl] {
        let question = imported.ask(&ask(scoring)).unwrap().remove(0);
        assert_eq!((question.task.as_str(), question.way), ("lambada_openai", Way::Continuation));
        assert_eq!(question.item.context, "so she went to the");
        assert_eq!(question.item.options, [" sea"]);
        assert_eq!(question.item.check(), Ok(()));
    }
}

#[test]
fn blimp_sciq_and_openbookqa() {
    let line = r#"{"sentence_good":"Who left?","sentence_bad":"Left who?","UID":"wh"}"#;
    let (_root, imported) = small(&[("blimp/data/wh_questions.jsonl", line)], "blimp");
    let imported = imported.unwrap();
    let question = imported.ask(&Ask::default()).unwrap().remove(0);
    assert_eq!(
        (question.task.as_str(), question.item.context.as_str()),
        ("blimp_wh_questions", "")
    );
    assert_eq!(question.item.options, [" Who left?", " Left who?"]);

    let text = r#"[{"question":"What?","distractor3":"c","distractor1":"a","distractor2":"b","correct_answer":"d","support":" It is d."}]"#;
    let (_root, imported) = small(&[("SciQ dataset-2 3/test.json", text)], "sciq");
    let item = imported.unwrap().ask(&Ask::default()).unwrap().remove(0).item;
    assert_eq!(item.context, "It is d.\nQuestion: What?\nAnswer:");
    assert_eq!((item.options[3].as_str(), item.key), (" d", Some(3)));

    let line = r#"{"id":"7-980","question":{"stem":"The sun is","choices":[{"text":"hot","label":"A"},{"text":"cold","label":"B"}]},"answerKey":" A"}"#;
    let (_root, imported) = small(&[("Data/Main/test.jsonl", line)], "openbookqa");
    let imported = imported.unwrap();
    let item = imported.ask(&ask(Scoring::Ppl)).unwrap().remove(0).item;
    assert_eq!(item.context, "Question: The sun is\nA. hot\nB. cold\nAnswer:\n");
    assert_eq!((item.options, item.key), (vec!["A".into(), "B".into()], Some(0)));
}

/// A MMLU-like folder: two subjects.
fn exam(test: &str) -> Vec<(&'static str, String)> {
    let rows = |from: usize| -> String {
        (from..from + 5).map(|n| format!("What is {n}?,{n},b{n},c,d,A\n")).collect()
    };
    vec![
        ("data/dev/high_law_dev.csv", rows(1)),
        ("data/dev/art_dev.csv", rows(11)),
        ("data/test/high_law_test.csv", rows(21)),
        ("data/test/art_test.csv", test.to_owned()),
    ]
}

fn mmlu(test: &str) -> (tempfile::TempDir, Result<Imported, String>) {
    let files = exam(test);
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    small(&files, "mmlu")
}

#[test]
fn mmlu_has_five_examples_of_the_subject() {
    let (_root, imported) = mmlu("\" Quote \"\"this\"\"\nhere \",a,b,c,d,D\n");
    let imported = imported.unwrap();
    let questions = imported.ask(&Ask::default()).unwrap();
    assert_eq!(questions.len(), 6);
    let art = questions.iter().find(|question| question.task == "mmlu_art").unwrap();
    let text = &art.item.context;
    assert!(text.starts_with(
        "The following are multiple choice questions (with answers) about art.\n\nWhat is 11?\nA. 11\n"
    ));
    assert_eq!(text.matches("Answer: A\n\n").count(), 5);
    assert!(text.ends_with("Answer: A\n\nQuote \"this\"\nhere\nA. a\nB. b\nC. c\nD. d\nAnswer:"));
    assert_eq!((art.item.key, art.item.options[3].as_str()), (Some(3), " D"));
    let law = questions.iter().find(|question| question.task == "mmlu_high_law").unwrap();
    assert!(law.item.context.contains("about high law.\n\nWhat is 1?"));
    let none = imported.ask(&Ask { shots: Some(0), ..Ask::default() }).unwrap();
    assert!(!none[0].item.context.contains("Answer: "));
    let many = imported.ask(&Ask { shots: Some(6), ..Ask::default() }).unwrap_err().to_string();
    assert!(many.contains("6 examples are wanted, but the split `dev` of `art` has 5"), "{many}");
    // Spread over all items: the first of each subject, as it falls.
    let two = imported.ask(&Ask { limit: Some(2), ..Ask::default() }).unwrap();
    assert_eq!(two.iter().map(|q| q.item.id.as_str()).collect::<Vec<_>>(), ["art-0", "high_law-2"]);
}

#[track_caller]
fn refused(found: Result<Imported, String>, expected: &str) {
    let message = found.unwrap_err();
    assert!(message.contains(expected), "{message}");
}

#[test]
fn malformed_files_are_named_with_their_line() {
    let good = "What?,a,b,c,d,A\n";
    for (test, expected) in [
        (
            "What?,a,b,c,d,A\nWhat?,a,b,c,A\n".to_owned(),
            "data/test/art_test.csv, line 2: it has 5 columns, not the 6",
        ),
        (
            format!("{good}{}", good.replace(",A", ",E")),
            "line 2: the key \"E\" is none of `A`, `B`, `C`, `D`",
        ),
        (format!("{good}{}", good.replace(",A", ",")), "line 2: the key is empty"),
        (format!("{good}What?,a,b"), "line 2: the last line is cut off"),
        (format!("{good}\"What?,a,b,c,d,A\n"), "line 2: a quote that opens here is never closed"),
        (String::new(), "line 1: the file holds no records"),
    ] {
        refused(mmlu(&test).1, expected);
    }
    // A mark, carriage returns and a missing last line end are no mistakes.
    let odd = format!("\u{feff}{}", good.repeat(2).trim_end().replace('\n', "\r\n"));
    assert_eq!(mmlu(&odd).1.unwrap().records.len(), 17);

    let line =
        |id: &str| format!("{{\"id\":\"{id}\",\"goal\":\"g\",\"sol1\":\"a\",\"sol2\":\"b\"}}\n");
    let piqa = |lines: &str, labels: &str| {
        small(&[("dev.jsonl", lines), ("dev-labels.lst", labels)], "piqa").1
    };
    refused(piqa(&(line("1") + &line("1")), "0\n1\n"), "line 2: its id \"1\" is that of line 1");
    refused(piqa(&line("1"), "0\n1\n"), "dev-labels.lst, line 2: there are 2 labels for 1 records");
    let blank = line("1").replace("\"b\"", "\" \"");
    refused(piqa(&blank, "0\n"), "dev.jsonl, line 1: option 2 is empty");
    refused(piqa(&line("1"), "2\n"), "line 1: the key \"2\" is none of `0`, `1`");
    refused(
        piqa(&line("1").replace("goal", "gaol"), "0\n"),
        "no field `goal`; did you mean `gaol`?",
    );
    refused(
        small(&[("dev.jsonl", &line("1"))], "piqa").1,
        "its labels, `dev-labels.lst`, is missing",
    );
    refused(small(&[("other.jsonl", "{}")], "piqa").1, "holds no `dev.jsonl` of `piqa`");
    let two = [("a/dev.jsonl", "{}"), ("b/dev.jsonl", "{}")];
    refused(small(&two, "piqa").1, "in several folders, `a` and `b`");
}

#[test]
fn what_was_imported_is_checked_when_it_is_used() {
    let (root, imported) = mmlu("What?,a,b,c,d,A\n");
    imported.unwrap();
    let library = library(root.path());
    assert_eq!(
        library.imports()["mmlu"].splits,
        BTreeMap::from([("dev".into(), 10), ("test".into(), 6)])
    );
    let path = library.imported().join("mmlu/records.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("What", "Who")).unwrap();
    let message = library.open("mmlu").unwrap_err().to_string();
    assert!(message.contains("is not what was imported"), "{message}");
    let message = library.open("piqa").unwrap_err().to_string();
    assert!(message.contains("`ablate data import piqa PATH`"), "{message}");
    let message = library.open("pika").unwrap_err().to_string();
    assert_eq!(message, "there is no benchmark `pika`; did you mean `piqa`?");
}

/// The archive beside the checkout.
fn upstream() -> Option<PathBuf> {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = checkout.join("../shared/data/paper-benchmarks.tar.xz");
    let there = path.is_file();
    if !there {
        #[expect(clippy::print_stderr, reason = "a test that does nothing says so")]
        {
            eprintln!("left out: there is no {}", path.display());
        }
    }
    there.then_some(path)
}

/// Name, records of each split and number of subjects.
type Count = (&'static str, &'static [(&'static str, usize)], usize);

/// Of the benchmarks of the paper, and ARC.
const COUNTS: [Count; 11] = [
    ("mmlu", &[("dev", 285), ("test", 14_042), ("val", 1_531)], 57),
    ("ceval", &[("dev", 260), ("val", 1_346)], 52),
    ("cmmlu", &[("dev", 335), ("test", 11_582)], 67),
    ("agieval", &[("test", 8_269)], 21),
    ("boolq", &[("dev", 3_270)], 0),
    ("ax_b", &[("test", 1_104)], 0),
    ("piqa", &[("dev", 1_838)], 0),
    ("eprstmt", &[("dev", 160), ("test", 610)], 0),
    ("xsum", &[("test", 1_000)], 0),
    ("c3", &[("dev", 1_825), ("mixed", 1_991)], 0),
    ("arc_easy", &[("dev", 570), ("test", 2_376)], 0),
];

#[test]
fn all_of_the_paper_s_benchmarks_are_imported_whole() {
    let Some(archive) = upstream() else { return };
    let root = tempfile::tempdir().unwrap();
    let library = library(root.path());
    let challenge = ("arc_challenge", &[("dev", 299), ("test", 1_172)][..], 0);
    for (name, splits, subjects) in COUNTS.into_iter().chain([challenge]) {
        let about = bring(&library, name, &archive).unwrap();
        let expected: BTreeMap<String, usize> =
            splits.iter().map(|(split, count)| ((*split).to_owned(), *count)).collect();
        assert_eq!((about.splits, about.subjects), (expected, subjects), "{name}");
        let imported = library.open(name).unwrap();
        for scoring in [None, Some(Scoring::Ppl), Some(Scoring::Continuation)] {
            let asked = imported.ask(&Ask { scoring, ..Ask::default() }).unwrap();
            let wrong = asked.iter().find_map(|question| question.item.check().err());
            assert_eq!(wrong, None, "{name}");
            let right = asked.iter().filter(|q| q.item.key == Some(0)).count();
            match (name, scoring) {
                ("boolq", _) => assert!((right as f64 / 3_270.0 - 0.378).abs() < 1e-3),
                ("ax_b", Some(Scoring::Ppl)) => {
                    assert!((right as f64 / 1_104.0 - 0.417).abs() < 1e-3);
                }
                ("agieval", Some(Scoring::Continuation)) => {
                    let generated = asked.iter().filter(|q| q.way == Way::Generate).count();
                    // One question has no answer, and is not asked.
                    assert_eq!((asked.len(), generated), (8_268, 1_118));
                }
                _ => {}
            }
        }
    }
}

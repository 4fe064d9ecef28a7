use serde_json::json;

use super::*;

fn record() -> Value {
    json!({
        "question": {"stem": " Why? ", "choices": [
            {"text": "so", "label": "A"}, {"text": "Because", "label": "B"}
        ]},
        "n": 3, "yes": true, "none": null, "sentence": "Ann saw _ in the hall. _",
        "how": "[header] Fold it [title] now [step] done\n[open", "outer": [["a", "b"], 7],
    })
}

#[track_caller]
fn gives(template: &str, expected: &str) {
    assert_eq!(Template::parse(template).unwrap().render(&record()).unwrap(), expected);
}

#[track_caller]
fn fails(template: &str, expected: &str) {
    let error = match Template::parse(template) {
        Err(error) => error,
        Ok(template) => template.render(&record()).unwrap_err(),
    };
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn fields_and_paths() {
    gives("Q: {question.stem|strip}\nA:", "Q: Why?\nA:");
    gives("{{n}} is {n}, {yes}", "{n} is 3, true");
    gives("{question.choices[-1].text}", "Because");
    gives("{outer[0]|join(\" / \")} {outer[1]}", "a / b 7");
    gives("{question.choices[].text|lettered(\". \")|join(\"\\n\")}", "A. so\nB. Because");
    gives("{question.choices[].text|upper|join(\",\")}", "SO,BECAUSE");
    gives("{question.choices|count}{question.choices|last_letter}", "2B");
    gives("{none|default(\"\")}{absent|default(\"x\")}{none|default(\"\")|then(\"\\n\")}", "x");
}

#[test]
fn filters() {
    gives("{sentence|before(\"_\")}|{sentence|after(\"_\")}", "Ann saw | in the hall. _");
    gives("{sentence|before_last(\" \")}|{sentence|after_last(\" \")}", "Ann saw _ in the hall.|_");
    gives("{question.choices[1].text|lower|capitalize}", "Because");
    gives("{question.stem|lstrip}|{question.stem|rstrip}", "Why? | Why?");
    // As the harness prepares HellaSwag; what is not closed on its line stays.
    gives(
        "{how|strip|replace(\" [title]\", \". \")|drop(\"[\",\"]\")|replace(\"  \", \" \")}",
        " Fold it. now done\n[open",
    );
    gives("{n|then(\"!\")}{n|join(\",\")}", "3!3");
}

#[test]
fn lists() {
    let list = |text| Template::parse(text).unwrap().list(&record()).unwrap();
    assert_eq!(list("{question.choices[].label}"), [json!("A"), json!("B")]);
    assert_eq!((list("{n}"), list("{none}")), (vec![json!(3)], vec![]));
    assert_eq!(list("is {n}"), [json!("is 3")]);
}

#[test]
fn mistakes_are_named_with_their_place() {
    fails("{qestion}", "there is no field `qestion`; did you mean `question`?");
    fails("{question.stam}", "no field `question.stam`; did you mean `stem`?");
    fails("{zzz}", "there are `question`, `n`");
    fails("{outer[2]}", "`outer[2]`; the list has 2 elements");
    fails("{n[0]}", "no list");
    fails("{n.x}", "no object");
    fails("{none}", "`none` is null");
    fails("{question}", "is an object");
    fails("{outer}", "is a list");
    fails("{n|count}", "no list");
    fails("{sentence|after(\"#\")}", "does not contain \"#\", which `after`");
    fails("ab {", "character 5 of the template: the name of a field");
    fails("{n", "character 3 of the template: `}`, `|`");
    fails("n}", "character 2 of the template: `}` closes nothing");
    fails("{n|stripp}", "character 4 of the template: there is no filter `stripp`; did you mean");
    fails("{n|replace(\"a\")}", "takes 2 texts, not 1");
    fails("{n|replace(\"a\",)}", "in double quotes");
    fails("{n|then(\"a}", "`\"` is missing");
    fails("{n|then(\"\\q\")}", "after `\\` comes");
    fails("{outer[x]}", "position");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[{}a-c|.()\\[\\]\"\\\\0-9-]{0,24}") {
        if let Ok(template) = Template::parse(&text) {
            let _ = template.render(&json!({"a": [{"b": null}], "b": {"c": "x"}, "c": "b[c]"}));
        }
    }

    #[test]
    fn braces_survive(text in ".*") {
        let escaped = text.replace('{', "{{").replace('}', "}}");
        let rendered = Template::parse(&escaped).unwrap().render(&json!({})).unwrap();
        proptest::prop_assert_eq!(rendered, text);
    }
}

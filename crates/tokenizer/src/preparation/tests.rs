use super::*;

fn plain() -> Preparation {
    Preparation {
        prefix: true,
        collapse: false,
        map: None,
        space: MARK,
        whole: Whole::default(),
        cut: Cut::BeforeSpaces,
    }
}

fn parts(preparation: &Preparation, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    preparation.parts(text, &mut String::new(), &mut |part| {
        found.push(match part {
            Part::Word(word) => word.to_owned(),
            Part::Piece(id) => format!("#{id}"),
            Part::Mark => "mark".to_owned(),
        });
    });
    found
}

#[test]
fn spaces_become_marks_and_words_start_with_them() {
    assert_eq!(parts(&plain(), "the  lantern"), ["▁the", "▁▁lantern"]);
    assert_eq!(parts(&plain(), " a "), ["▁▁a", "▁"]);
    assert_eq!(parts(&plain(), ""), [""; 0]);
    let whole = Preparation { cut: Cut::Never, ..plain() };
    assert_eq!(parts(&whole, "the  lantern"), ["▁the▁▁lantern"]);
    let every = Preparation { cut: Cut::EverySpace, prefix: false, ..plain() };
    assert_eq!(parts(&every, "the  lantern"), ["the", "▁", "▁lantern"]);
    let spaces = Preparation { space: ' ', ..plain() };
    assert_eq!(parts(&spaces, "a b▁c"), [" a", " b▁c"]);
}

#[test]
fn marks_of_the_text_are_no_spaces() {
    assert_eq!(parts(&plain(), "a▁b ▁"), ["▁a", "mark", "b", "▁", "mark"]);
    let collapse = Preparation { collapse: true, ..plain() };
    assert_eq!(parts(&collapse, "▁ "), ["▁", "mark"]);
}

#[test]
fn spaces_that_are_too_many_go() {
    let collapse = Preparation { collapse: true, ..plain() };
    assert_eq!(parts(&collapse, "  the   lantern  "), ["▁the", "▁lantern"]);
    assert_eq!(parts(&collapse, "   "), [""; 0]);
}

#[test]
fn whole_pieces_are_found_first() {
    let whole = Whole::new([("<a>", 7), ("<a><b>", 8), ("▁▁", 9)].into_iter());
    let preparation = Preparation { whole, ..plain() };
    assert_eq!(parts(&preparation, "x<a>y<a><b>  z"), ["▁x", "#7", "y", "#8", "#9", "z"]);
}

#[test]
fn cuts_that_lose_nothing() {
    let cut = |pieces: &[&str]| Cut::without_loss(pieces.iter().copied(), MARK);
    assert_eq!(cut(&["▁the", "▁▁", "a"]), Cut::BeforeSpaces);
    assert_eq!(cut(&["of▁the"]), Cut::Never);
    assert_eq!(cut(&["the▁"]), Cut::Never);
    assert_eq!(cut(&[]), Cut::BeforeSpaces);
}

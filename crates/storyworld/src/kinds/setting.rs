//! The easier half of dialogue comprehension (C3): what people say gives away where they are.

use crate::Language;
use crate::draw::Draw;
use crate::lexicon::{PEOPLE, PLACES, SETTINGS};
use crate::template::Slots;
use crate::values::{Class, Value};
use crate::world::World;

/// The setting's place as a value.
pub(crate) fn place(setting: usize) -> Value {
    let index = PLACES.iter().position(|p| p.zh == SETTINGS[setting].place).unwrap_or(0);
    Value { class: Class::Place, index }
}

/// The setting of a place, if it has one.
pub(crate) fn of(value: Value) -> Option<usize> {
    (0..SETTINGS.len()).find(|&s| place(s) == value)
}

/// The prompt about (person, setting).
pub(crate) fn context(draw: &mut Draw, person: usize, setting: usize) -> String {
    let mut slots = Slots::new(Language::Zh);
    slots.person("p", person).person("q", draw.other(PEOPLE.len(), &[person]));
    let mut lines = SETTINGS[setting].lines;
    draw.shuffle(&mut lines);
    slots.text("one", lines[0]).text("two", lines[1]).text("three", lines[2]);
    slots.fill(
        draw,
        "对话：\n[{p}：{one}\n{q}：{two}|{q}：{one}\n{p}：{two}|{p}：{one}\n{q}：{two}\n{p}：{three}]\n问题：[{p}在哪里？|{p}可能在哪里？|{p}和{q}在哪里？]\n答案：[|{p}在]",
    )
}

/// A training document: two or three solved dialogues about free pairs.
pub(crate) fn document(world: &World, draw: &mut Draw) -> String {
    let mut solved = Vec::new();
    let wanted = draw.between(2, 3);
    while solved.len() < wanted {
        let (person, setting) = (draw.below(PEOPLE.len()), draw.below(SETTINGS.len()));
        if !world.reserved(person, place(setting)) {
            let context = context(draw, person, setting);
            solved.push(format!("{context}{}", SETTINGS[setting].place));
        }
    }
    solved.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_a_place_that_its_lines_do_not_name() {
        for (i, setting) in SETTINGS.iter().enumerate() {
            assert_eq!(place(i).noun().zh, setting.place);
            assert_eq!(of(place(i)), Some(i));
            assert!(setting.lines.iter().all(|line| PLACES.iter().all(|p| !line.contains(p.zh))));
        }
    }
}

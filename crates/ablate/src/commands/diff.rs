//! `ablate diff`: in what two variants, or two studies, differ, and what follows from it.

mod pair;
mod side;

use std::collections::{BTreeMap, BTreeSet};

use ablate_report::count;
use serde_json::json;

use self::pair::{Difference, Kind, Pair};
use self::side::{Side, parse};
use super::print;
use super::table::{table, text};
use crate::cli::DiffArgs;
use crate::exit::{CommandError, CommandResult, Exit};
use crate::root::Root;

pub fn run(root: &Root, args: &DiffArgs) -> CommandResult {
    let first = parse(&args.a);
    let mut second = parse(&args.b);
    if second.0.as_os_str().is_empty() {
        second.0.clone_from(&first.0);
    }
    if first.1.is_some() != second.1.is_some() {
        return Err(CommandError::usage(
            "compare two variants (`FILE:VARIANT`) or two studies (`FILE`), not one with the other",
        ));
    }
    let a = Side::open(root, first, args.profile.as_ref())?;
    let b = Side::open(root, second, args.profile.as_ref())?;
    let out = match (a.variant, b.variant) {
        (Some(one), Some(other)) => {
            let pair = Pair::new((&a, one), (&b, other))?;
            match args.json {
                true => pretty(&pair.to_json())?,
                false => variants(&pair),
            }
        }
        _ => studies(&a, &b, args.json)?,
    };
    print(&out)?;
    Ok(Exit::Ok)
}

fn pretty(value: &serde_json::Value) -> Result<String, CommandError> {
    Ok(serde_json::to_string_pretty(value).map_err(CommandError::bug)? + "\n")
}

/// Variants of the same name, one after the other; what all of them have in common first.
fn studies(a: &Side, b: &Side, json: bool) -> Result<String, CommandError> {
    let names = |side: &Side| -> Vec<String> {
        side.study.variants.iter().map(|variant| variant.name.clone()).collect()
    };
    let (left, right) = (names(a), names(b));
    let mut pairs = Vec::new();
    for (one, name) in left.iter().enumerate() {
        if let Some(other) = right.iter().position(|known| known == name) {
            pairs.push(Pair::new((a, one), (b, other))?);
        }
    }
    let only = |own: &[String], all: &[String]| -> Vec<String> {
        own.iter().filter(|name| !all.contains(name)).cloned().collect()
    };
    let (only_a, only_b) = (only(&left, &right), only(&right, &left));
    let everywhere = common(&pairs);
    let seeds = [&a.study.seeds, &b.study.seeds];
    if json {
        return pretty(&json!({
            "a": a.study.report_name(),
            "b": b.study.report_name(),
            "seeds": seeds,
            "only_a": only_a,
            "only_b": only_b,
            "everywhere": everywhere,
            "variants": pairs.iter().map(Pair::to_json).collect::<Vec<_>>(),
        }));
    }
    let mut out = format!("{} → {}\n", a.study.report_name(), b.study.report_name());
    if seeds[0] != seeds[1] {
        out += &format!("\nseeds {:?} → {:?}\n", seeds[0], seeds[1]);
    }
    for (what, names) in [("the first", &only_a), ("the second", &only_b)] {
        if !names.is_empty() {
            out += &format!("\nonly in {what}: {}\n", names.join(", "));
        }
    }
    if pairs.is_empty() {
        return Ok(out + "\nno variant has the same name in both\n");
    }
    if !everywhere.is_empty() {
        out += "\nin every variant that both have\n";
        out += &lines(&everywhere.iter().collect::<Vec<_>>(), "first", "second");
    }
    let mut same = Vec::new();
    for pair in pairs {
        let confounded = pair.confounded.len() > 1;
        let is_same = pair.is_same();
        let pair = pair.without(&everywhere);
        if is_same {
            same.push(pair.a);
        } else if !pair.differences.is_empty() || everywhere.is_empty() || confounded {
            out += &format!("\n{}", variants(&pair));
        }
    }
    if !same.is_empty() {
        out += &format!("\nthe same in both: {}\n", same.join(", "));
    }
    Ok(out)
}

/// Differences that all of several pairs have.
fn common(pairs: &[Pair]) -> BTreeSet<Difference> {
    let of = |pair: &Pair| -> BTreeSet<Difference> { pair.differences.iter().cloned().collect() };
    match pairs {
        [first, rest @ ..] if !rest.is_empty() => {
            rest.iter().fold(of(first), |all, pair| all.intersection(&of(pair)).cloned().collect())
        }
        _ => BTreeSet::new(),
    }
}

fn variants(pair: &Pair) -> String {
    let mut out = format!("{} → {}\n", pair.a, pair.b);
    if pair.is_same() {
        return out + "\nnothing differs: they are the same trainings and scores\n";
    }
    for (kind, title) in [(Kind::Declared, "written"), (Kind::Follows, "follows from it")] {
        let of: Vec<&Difference> = pair.differences.iter().filter(|d| d.kind == kind).collect();
        if !of.is_empty() {
            out += &format!("\n{title}\n{}", lines(&of, &pair.a, &pair.b));
        }
    }
    out += "\nconsequences\n";
    let mut rows = table(&["", ">first", ">second", ">change"]);
    let change = |a: f64, b: f64| match a == b {
        true => "–".to_owned(),
        false if a == 0.0 => "new".to_owned(),
        false => format!("{:+.1}%", 100.0 * (b / a - 1.0)),
    };
    let [[pa, pb], [ta, tb]] = [pair.parameters, pair.train_tokens].map(|n| n.map(|n| n as f64));
    let [fa, fb] = pair.train_flops;
    rows.add_row(["parameters".to_owned(), count(pa), count(pb), change(pa, pb)]);
    let [sa, sb] = pair.embedding_head_share.map(|share| 100.0 * share);
    let share = |share: f64| format!("{share:.1}%");
    let points = if sa == sb { "–".to_owned() } else { format!("{:+.1} points", sb - sa) };
    rows.add_row(["embedding and head".to_owned(), share(sa), share(sb), points]);
    rows.add_row(["tokens".to_owned(), count(ta), count(tb), change(ta, tb)]);
    rows.add_row(["training FLOP".to_owned(), count(fa), count(fb), change(fa, fb)]);
    out += &text(&rows);
    let list = |stages: &BTreeMap<&str, usize>| -> String {
        let words: Vec<String> = stages
            .iter()
            .map(|(stage, times)| match times {
                1 => (*stage).to_owned(),
                _ => format!("{stage} × {times}"),
            })
            .collect();
        if words.is_empty() { "none".to_owned() } else { words.join(", ") }
    };
    out += &format!(
        "\nshared stages: {}\nof the first alone: {}\nof the second alone: {}\n",
        list(&pair.shared),
        list(&pair.only_a),
        list(&pair.only_b)
    );
    if !pair.confounded.is_empty() {
        out += &format!(
            "\nconfounded: {} settings were changed together ({}); a difference of scores belongs to none \
             of them alone\n",
            pair.confounded.len(),
            pair.confounded.join(", ")
        );
    }
    out
}

fn lines(differences: &[&Difference], a: &str, b: &str) -> String {
    let mut rows = table(&["", a, b]);
    let of = |side: &Option<String>| side.clone().unwrap_or_else(|| "–".to_owned());
    for difference in differences {
        rows.add_row([difference.field.clone(), of(&difference.a), of(&difference.b)]);
    }
    text(&rows)
}

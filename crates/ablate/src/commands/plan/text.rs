//! A plan for people.

use std::fmt::Write;

use ablate_report::{duration, si, si_unit, signed};

use super::contents::{ExternalPlan, Plan, VariantPlan};
use super::totals::Totals;
use crate::commands::table::{names, table, text};
use crate::estimate::{Source, rows_stages};
use crate::graph::StudyGraph;

/// Variants, shared stages, totals.
pub fn render(plan: &Plan, built: &StudyGraph) -> String {
    let mut out = format!("{}\n\n", plan.study);
    if !plan.variants.is_empty() {
        out += &variants(&plan.variants);
        out += &notes(&plan.variants);
        out.push('\n');
    }
    if !plan.externals.is_empty() {
        out += &externals(&plan.externals);
        out.push('\n');
    }
    out += &shared(plan, built);
    out.push('\n');
    out += &totals(&plan.totals);
    out
}

fn variants(variants: &[VariantPlan]) -> String {
    let held = variants.iter().any(|variant| variant.held_residual.is_some());
    let mut titles =
        vec!["variant", ">params", ">emb+head", ">depth × width", ">vocabulary", ">tokens"];
    titles.extend([">FLOPs", ">memory", ">time"]);
    if held {
        titles.insert(2, ">held");
    }
    let first = variants.first().map(|variant| (variant.batch_tokens, variant.learning_rate));
    let rates = variants.iter().any(|v| Some((v.batch_tokens, v.learning_rate)) != first);
    if rates {
        titles.extend([">batch", ">learning rate"]);
    }
    let mut table = table(&titles);
    for variant in variants {
        let about = if variant.train_tokens_exact { "" } else { "~" };
        let mut cells = vec![
            variant.name.clone(),
            si(variant.params.total as f64),
            format!("{:.1}%", 100.0 * variant.embedding_head_share),
            format!("{} × {}", variant.depth, variant.width),
            variant.vocabulary.to_string(),
            format!("{about}{}", si(variant.train_tokens as f64)),
            si(variant.train_flops),
            si_unit(variant.peak_memory_bytes as f64, "B"),
            span(variant.seconds),
        ];
        if held {
            let residual = variant.held_residual.map(|r| format!("{}%", signed(100.0 * r, 1)));
            cells.insert(2, residual.unwrap_or_else(|| "–".to_owned()));
        }
        if rates {
            cells.push(si(variant.batch_tokens as f64));
            cells.push(format!("{:.3e}", variant.learning_rate));
        }
        table.add_row(cells);
    }
    text(&table)
}

/// Models of others.
fn externals(externals: &[ExternalPlan]) -> String {
    let mut table = table(&["external", ">params", ">vocabulary", ">memory", ">time", "scores"]);
    let none = || "–".to_owned();
    for external in externals {
        let here = external.params.is_some();
        table.add_row([
            external.name.clone(),
            external.params.map_or_else(none, |params| si(params.total as f64)),
            external.vocabulary.map_or_else(none, |entries| entries.to_string()),
            if here { si_unit(external.memory_bytes as f64, "B") } else { none() },
            if here { span(external.seconds) } else { none() },
            external.state.to_owned(),
        ]);
    }
    let mut out = text(&table);
    for external in externals {
        if let Some(reason) = &external.blocked {
            let _ = writeln!(out, "left out: {}: {reason}", external.name);
        }
    }
    out
}

fn notes(variants: &[VariantPlan]) -> String {
    let runs = variants.first().map_or(0, |variant| variant.runs);
    let mut out = format!(
        "tokens, FLOPs and time are of one seed of {runs}, with one thread, without shared stages\n"
    );
    if variants.iter().any(|variant| !variant.train_tokens_exact) {
        out += "~ the budget is in bytes and the text is not tokenised yet\n";
    }
    let worst = variants.iter().map(|variant| variant.speed).max();
    match worst {
        Some(Source::Guessed) => {
            out += "nothing was timed on this machine: times are a guess from the FLOPs\n";
        }
        Some(Source::Extrapolated) => {
            out += "some shapes were not timed: their times follow from the FLOPs\n";
        }
        _ => {}
    }
    let mut shared: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, other) in variants.iter().filter_map(|v| Some((&v.name, v.same_as.as_ref()?))) {
        match shared.iter_mut().find(|(first, _)| first == other) {
            Some((_, names)) => names.push(name),
            None => shared.push((other, vec![name])),
        }
    }
    for (first, names) in shared {
        let _ = writeln!(out, "trained once: {first} = {}", names.join(" = "));
    }
    for variant in variants {
        if let Some(reason) = &variant.blocked {
            let _ = writeln!(out, "cannot run: {}: {reason}", variant.name);
        }
    }
    out
}

/// The stages that no row has for itself.
fn shared(plan: &Plan, built: &StudyGraph) -> String {
    let own = rows_stages(built);
    let here = built.externals.iter().filter(|external| external.found.is_ok()).count();
    let all = plan.variants.len() + here;
    let mut table = table(&["shared stage", "name", "for", "state", ">time", ">disk"]);
    for ((id, _), stage) in built.graph.iter().zip(&plan.stages) {
        if own.contains(&id) {
            continue;
        }
        table.add_row([
            stage.stage.to_owned(),
            stage.name.clone(),
            names(stage.variants.iter(), all),
            stage.state.to_owned(),
            span(stage.measured_seconds.unwrap_or(stage.seconds)),
            si_unit(stage.disk_bytes as f64, "B"),
        ]);
    }
    text(&table)
}

fn totals(totals: &Totals) -> String {
    let time = if totals.done == totals.stages {
        "nothing left to do".to_owned()
    } else {
        let (all, rows) = (about(totals.wall_seconds), about(totals.rows_wall_seconds));
        let of_shared = if all == rows { "" } else { &format!(" ({rows} without shared stages)") };
        format!("about {all}{of_shared} with {}", plural(totals.jobs, "job"))
    };
    let kept = match totals.snapshot_bytes {
        0 => String::new(),
        bytes => format!(" (weights for `eval.points`: {})", si_unit(bytes as f64, "B")),
    };
    let accepted = match totals.accepted {
        0 => String::new(),
        count => format!(" ({count} accepted in place of others)"),
    };
    format!(
        "{}, {}, {time}, {} of {} done{accepted}, {} on disk{kept}\n",
        plural(totals.trainings, "training"),
        plural(totals.tokenizers, "tokenizer"),
        totals.done,
        plural(totals.stages, "stage"),
        si_unit(totals.disk_bytes as f64, "B")
    )
}

/// A duration without digits that an estimate does not have.
fn about(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        0..2 => format!("{} s", (seconds / 5.0).ceil() as u64 * 5),
        2..120 => format!("{minutes} min"),
        120..2880 => format!("{:.0} h", seconds / 3600.0),
        _ => span(seconds),
    }
}

/// A duration of any length: models of paper size take a laptop years.
fn span(seconds: f64) -> String {
    const DAY: f64 = 86_400.0;
    const YEAR: f64 = 365.25 * DAY;
    if seconds < 2.0 * DAY {
        duration(seconds)
    } else if seconds < 2.0 * YEAR {
        format!("{:.0} days", seconds / DAY)
    } else {
        format!("{:.0} years", seconds / YEAR)
    }
}

fn plural(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::super::contents::tests::ladder;
    use super::*;

    #[test]
    fn every_variant_and_every_shared_stage_has_a_line() {
        let (plan, built) = ladder(None);
        let text = render(&plan, &built);
        let line = |start: &str| {
            let found = text.lines().find(|line| line.trim_start().starts_with(start));
            found.unwrap_or_else(|| panic!("no line `{start}` in\n{text}"))
        };
        assert!(line("compact").contains("4 × 64"));
        assert!(line("rounds").contains("602 k"), "{text}");
        assert!(line("corpus").contains("all"));
        // A stage for one or two variants names them.
        assert!(line("train").contains("inherit, rounds"), "{text}");
        assert_eq!(text.matches("\n train").count() + text.matches("\ntrain").count(), 1);
        let last = text.lines().last().unwrap();
        assert!(last.starts_with("9 trainings, 2 tokenizers, about "), "{last}");
        assert!(last.contains(" with 2 jobs, 0 of "), "{last}");
        assert!(text.contains("nothing was timed"), "{text}");
    }

    #[test]
    fn durations_have_no_false_digits() {
        let check = |seconds: f64, expect: &str| assert_eq!(about(seconds), expect);
        check(0.4, "5 s");
        check(42.0, "45 s");
        check(89.0, "90 s");
        check(91.0, "2 min");
        check(431.0, "7 min");
        check(7300.0, "2 h");
        check(3.0 * 86_400.0, "3 days");
        check(1e10, "317 years");
        assert_eq!(span(75.0), "1 min 15 s");
        assert_eq!(plural(1, "job"), "1 job");
        assert_eq!(plural(2, "job"), "2 jobs");
    }
}

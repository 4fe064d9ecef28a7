//! The page: one HTML file with everything in it. Layout and style live in `templates/`; this file only decides what goes where.

use minijinja::{Environment, Value, context};

use crate::ReportError;
use crate::analysis::Analysis;
use crate::claims::JudgedClaim;
use crate::figures::{self, Figure, our_scale};
use crate::findings::findings;
use crate::frames::Rows;
use crate::paper::Paper;
use crate::render::escape_html;
use crate::rows::{
    BatchLossRow, CoverageRow, CurveRow, InfluenceRow, ItemRow, LedgerRow, ProgressRow, ScoreRow,
    SkipRow, SpreadRow, StudyData, TokenizerRow, VariantRow, VisitRow,
};
use crate::table::Table;

static TEMPLATE: &str = include_str!("../templates/page.html");
/// The style sheet of all pages.
pub static STYLE: &str = include_str!("../templates/style.css");
/// The typeface of all pages, as WOFF2.
pub static REGULAR: &[u8] = include_bytes!("../assets/Inter-Regular.woff2");
/// The same for what is set off.
pub static SEMIBOLD: &[u8] = include_bytes!("../assets/Inter-SemiBold.woff2");

/// Which tables (`t:`) and figures (`f:`) each section shows, in reading order. A section without any of them is left out.
const SECTIONS: [(&str, &str, &[&str]); 11] = [
    ("results", "Results", &["f:ladder", "f:variants", "t:main"]),
    ("claims", "Claims", &["t:claims"]),
    ("paper", "Beside the paper", &["t:paper*", "f:paper-*"]),
    ("grid", "Over the grid", &["f:grid", "t:optimisation", "f:grid-curves"]),
    ("benchmarks", "Benchmarks", &["f:benchmarks", "t:benchmarks"]),
    (
        "learning",
        "Learning curves",
        &["f:curves-tokens", "f:curves-bytes", "f:progress", "t:progress"],
    ),
    ("variants", "Variants", &["t:deltas", "t:parameters", "f:score-parameters", "t:correlations"]),
    ("tokenizer", "Tokenizers", &["t:tokenizers", "f:coverage"]),
    ("layers", "Layers", &["f:layer-skips", "f:block-influence", "f:weight-spreads"]),
    ("cost", "Cost", &["t:cost"]),
    (
        "rounds",
        "Rounds and forgetting",
        &["t:rounds-budget", "t:rounds", "f:forgetting", "t:forgetting"],
    ),
];

/// Renders the page.
pub(crate) fn page(
    analysis: &Analysis<'_>,
    paper: &Paper,
    claims: &[JudgedClaim],
    tables: &[Table],
    figures: &[(Figure, String)],
) -> Result<String, ReportError> {
    // A name that ends in a star stands for all that begin like it.
    let parts_of = |name: &&str| -> Vec<String> {
        let (kind, name) = name.split_at(2);
        let is = |found: &str| match name.strip_suffix('*') {
            Some(start) => found.starts_with(start),
            None => found == name,
        };
        if kind == "t:" {
            let found = tables.iter().filter(|t| is(&t.name) && !t.rows.is_empty());
            found.map(table_part).collect()
        } else {
            let found = figures.iter().filter(|(f, _)| is(&f.name));
            found.map(|(f, svg)| figure_part(f, svg)).collect()
        }
    };
    let sections: Vec<Value> = SECTIONS
        .iter()
        .filter_map(|(id, title, names)| {
            let parts: Vec<String> = names.iter().flat_map(parts_of).collect();
            (!parts.is_empty()).then(|| context! { id => *id, title => *title, parts => parts })
        })
        .collect();
    let frames = [
        VariantRow::TABLE,
        ScoreRow::TABLE,
        ItemRow::TABLE,
        CurveRow::TABLE,
        CoverageRow::TABLE,
        TokenizerRow::TABLE,
        LedgerRow::TABLE,
        VisitRow::TABLE,
        BatchLossRow::TABLE,
        ProgressRow::TABLE,
        SkipRow::TABLE,
        InfluenceRow::TABLE,
        SpreadRow::TABLE,
    ];
    let data = analysis.data;
    let mut environment = Environment::new();
    let fail = |e: minijinja::Error| ReportError::Page(e.to_string());
    environment.add_template("page.html", TEMPLATE).map_err(fail)?;
    let template = environment.get_template("page.html").map_err(fail)?;
    template
        .render(context! {
            style => STYLE,
            font_regular => base64(REGULAR),
            font_semibold => base64(SEMIBOLD),
            name => &data.study.name,
            title => if data.study.title.is_empty() { &data.study.name } else { &data.study.title },
            seeds => data.study.seeds.clone(),
            introduction => introduction(analysis, paper),
            findings => findings(analysis, paper, claims),
            sections => sections,
            provenance => provenance(data),
            spec_text => &data.spec_text,
            frames => frames,
        })
        .map_err(fail)
}

fn provenance(data: &StudyData) -> Value {
    let from = &data.provenance;
    let keys: Vec<Value> = from
        .keys
        .iter()
        .map(|(stage, name, key)| context! { stage => stage, name => name, key => key })
        .collect();
    let accepted: Vec<Value> = from
        .accepted
        .iter()
        .map(|row| {
            context! {
                stage => &row.stage,
                name => &row.name,
                key => &row.key,
                by_key => &row.by_key,
                because => &row.because,
                by => &row.by,
                at => &row.at,
            }
        })
        .collect();
    context! {
        commit => &from.commit,
        version => &from.version,
        backend => &from.backend,
        machine => &from.machine,
        started => &from.started,
        finished => &from.finished,
        stages => keys,
        accepted => accepted,
    }
}

/// What the study is, in two sentences.
fn introduction(analysis: &Analysis<'_>, paper: &Paper) -> String {
    let study = &analysis.data.study;
    let count = analysis.variants().len();
    let runs = analysis.seeds().len();
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let design = match study.design.as_str() {
        "ladder" => {
            "A cumulative ladder: each variant adds one change to the one before it.".to_string()
        }
        "one-at-a-time" => {
            "One change at a time: each variant differs from the base in one setting.".to_string()
        }
        "random" => "Variants drawn at random from ranges.".to_string(),
        "single" if count == 0 => "Nothing is trained: models of others alone.".to_string(),
        "single" => "A single variant.".to_string(),
        "" => String::new(),
        other => format!("Design: {other}."),
    };
    let factors = if study.factors.is_empty() {
        String::new()
    } else {
        format!(" What varies: {}.", study.factors.join(", "))
    };
    let beside = paper.beside(analysis);
    let places: Vec<&str> = beside.iter().map(|b| b.element.place.as_str()).collect();
    let mirrors = beside
        .first()
        .map(|first| {
            format!(
                " The study mirrors {} of “{}” at another scale: {} here, {} there.",
                places.join(" and "),
                paper.title,
                our_scale(analysis),
                first.element.scale
            )
        })
        .unwrap_or_default();
    let given = plural(analysis.data.externals.len(), "external model");
    let runs = match count {
        0 if !analysis.data.externals.is_empty() => given.clone(),
        _ => format!("{} × {}", plural(count, "variant"), plural(runs, "seed")),
    };
    let externals = match analysis.data.externals.len() {
        0 => String::new(),
        _ if count == 0 => String::new(),
        _ => format!(" Beside them: {given}."),
    };
    let scale =
        if mirrors.is_empty() { format!(", {}", our_scale(analysis)) } else { String::new() };
    format!("{design} {runs}{scale}.{factors}{externals}{mirrors}")
}

pub(crate) fn table_part(table: &Table) -> String {
    let links = [("md", "Markdown"), ("tex", "LaTeX"), ("csv", "CSV")]
        .map(|(suffix, name)| {
            format!("<a href=\"tables/{}.{suffix}\">{name}</a>", escape_html(&table.name))
        })
        .join(" · ");
    format!("{}<p class=\"files\">{links}</p>", table.to_html())
}

pub(crate) fn figure_part(figure: &Figure, svg: &str) -> String {
    let name = &figure.name;
    format!(
        "<figure class=\"plot\" id=\"figure-{name}\"><div class=\"scroll\" tabindex=\"0\">{}</div><figcaption>{}</figcaption></figure>\
         <p class=\"files\"><a href=\"figures/{name}.svg\">SVG</a> · <a href=\"figures/{name}.png\">PNG</a></p>",
        figures::themed(svg),
        escape_html(&figure.caption),
    )
}

/// RFC 4648 base 64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            if digit <= chunk.len() {
                out.push(char::from(DIGITS[(word >> (18 - 6 * digit) & 63) as usize]));
            } else {
                out.push('=');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_matches_the_examples_of_rfc_4648() {
        for (text, code) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), code);
        }
    }
}

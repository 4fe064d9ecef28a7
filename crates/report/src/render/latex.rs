//! LaTeX with booktabs: a complete `table` environment to `\input`. A wide table gets headings of several lines, intervals below their values
//! and, where that is not enough, the width of the line.

use super::{legend, sign};
use crate::table::{Align, Cell, Mark, Table, letter};

/// Characters of small type that fit a line of text.
const LINE: usize = 92;
/// Characters after which a heading of a wide table is broken.
const HEADING: usize = 10;

impl Table {
    /// The table as LaTeX. Needs `\usepackage{booktabs,graphicx}`.
    pub fn to_latex(&self) -> String {
        let wide = self.characters(false) > LINE;
        let scaled = wide && self.characters(true) > LINE;
        let spec: String =
            self.columns.iter().map(|c| if c.align == Align::Right { 'r' } else { 'l' }).collect();
        let mut out = String::from("% needs \\usepackage{booktabs,graphicx}\n\\begin{table}[t]\n");
        out += "  \\centering\\small\n";
        out += &format!("  \\caption{{{}}}\n", escape(&self.caption));
        out += &format!("  \\label{{tab:{}}}\n", label(&self.name));
        if wide {
            out += "  \\setlength{\\tabcolsep}{4pt}\n";
        }
        if scaled {
            out += "  \\resizebox{\\linewidth}{!}{%\n";
        }
        out += &format!("  \\begin{{tabular}}{{{spec}}}\n    \\toprule\n");
        let heads: Vec<String> =
            self.columns
                .iter()
                .map(|c| {
                    if wide { stacked_heading(&c.heading(), c.align) } else { escape(&c.heading()) }
                })
                .collect();
        out += &format!("    {} \\\\\n    \\midrule\n", heads.join(" & "));
        for (i, row) in self.rows.iter().enumerate() {
            if row.rule && i > 0 {
                out += "    \\midrule\n";
            }
            let cells: Vec<String> = row.cells.iter().map(|c| cell(self, c, wide)).collect();
            out += &format!("    {} \\\\\n", cells.join(" & "));
        }
        out += "    \\bottomrule\n  \\end{tabular}";
        out += if scaled { "}\n" } else { "\n" };
        let mut notes: Vec<String> = Vec::new();
        for (i, note) in self.cell_notes().iter().enumerate() {
            notes.push(format!("\\textsuperscript{{{}}}~{}", letter(i), escape(note)));
        }
        notes.extend(legend(self, "Bold").iter().map(|n| escape(n)));
        notes.extend(self.notes.iter().map(|n| escape(n)));
        if !notes.is_empty() {
            out += "\n  \\vspace{4pt}\n  \\begin{minipage}{\\linewidth}\\footnotesize\n";
            for note in notes {
                out += &format!("    {note}\\par\n");
            }
            out += "  \\end{minipage}\n";
        }
        out += "\\end{table}\n";
        out
    }

    /// Width in characters, with headings broken and intervals below their values or not.
    fn characters(&self, stacked: bool) -> usize {
        let length = |text: &str| text.chars().count();
        let of_column = |c: usize| {
            let heading = self.columns[c].heading();
            let heading = if stacked {
                broken(&heading).iter().map(|l| length(l)).max().unwrap_or(0)
            } else {
                length(&heading)
            };
            let cells = self.rows.iter().map(|row| {
                let text = length(&row.cells[c].text);
                let spread = row.cells[c].spread.as_deref().map_or(0, length);
                if stacked { text.max(spread * 3 / 4) } else { text + spread }
            });
            cells.max().unwrap_or(0).max(heading) + 2
        };
        (0..self.columns.len()).map(of_column).sum()
    }
}

fn cell(table: &Table, cell: &Cell, stacked: bool) -> String {
    let mut text = escape(&cell.text);
    match cell.mark {
        Some(Mark::Best) => text = format!("\\textbf{{{text}}}"),
        Some(Mark::Failed) => text = format!("\\emph{{{text}}}"),
        Some(Mark::AtChance | Mark::Indistinct) | None => {}
    }
    text += &escape(sign(cell));
    if let Some(letter) = table.note_letter(cell) {
        text += &format!("\\textsuperscript{{{letter}}}");
    }
    if let Some(spread) = &cell.spread {
        let spread = format!("{{\\scriptsize {}}}", escape(spread));
        text = if stacked {
            // A nested table hangs from its first line, so that the values stand in line with the names.
            format!("\\begin{{tabular}}[t]{{@{{}}r@{{}}}}{text}\\\\[-3pt]{spread}\\end{{tabular}}")
        } else {
            format!("{text} {spread}")
        };
    }
    // A cell that opens with `[` would be read as an option of the `\\` before it.
    if text.starts_with('[') { format!("{{}}{text}") } else { text }
}

fn stacked_heading(heading: &str, align: Align) -> String {
    let lines: Vec<String> = broken(heading).iter().map(|l| escape(l)).collect();
    if lines.len() < 2 {
        return lines.concat();
    }
    let side = if align == Align::Right { 'r' } else { 'l' };
    format!("\\shortstack[{side}]{{{}}}", lines.join("\\\\"))
}

/// A heading in lines of few characters.
fn broken(heading: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in heading.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < HEADING => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// Escapes LaTeX's special characters and writes the signs that reports use as commands.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut open = false;
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            '\\' => out.push_str("\\textbackslash{}"),
            '~' => out.push_str("$\\sim$"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '|' => out.push_str("\\textbar{}"),
            '"' => {
                out.push_str(if open { "''" } else { "``" });
                open = !open;
            }
            '\u{a0}' => out.push_str("\\,"),
            '−' => out.push_str("$-$"),
            '±' => out.push_str("$\\pm$"),
            '×' => out.push_str("$\\times$"),
            '→' => out.push_str("$\\rightarrow$"),
            '≥' => out.push_str("$\\geq$"),
            '≤' => out.push_str("$\\leq$"),
            '≈' => out.push_str("$\\approx$"),
            '°' => out.push_str("$^{\\circ}$"),
            '²' => out.push_str("$^2$"),
            'α' => out.push_str("$\\alpha$"),
            'β' => out.push_str("$\\beta$"),
            'λ' => out.push_str("$\\lambda$"),
            'μ' => out.push_str("$\\mu$"),
            'π' => out.push_str("$\\pi$"),
            'σ' => out.push_str("$\\sigma$"),
            'Δ' => out.push_str("$\\Delta$"),
            'Σ' => out.push_str("$\\Sigma$"),
            '–' => out.push_str("--"),
            '—' => out.push_str("---"),
            '“' => out.push_str("``"),
            '”' => out.push_str("''"),
            '…' => out.push_str("\\ldots{}"),
            '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// A label may hold only plain characters.
fn label(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect()
}

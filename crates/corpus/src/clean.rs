//! Cleaning: what is removed from text before it becomes a document.

/// The byte order mark, which some editors put at the start of a file.
const BOM: char = '\u{feff}';

/// Cleans a text: byte order marks at its start go, CRLF and lone CR become LF, control
/// characters but `\n` and `\t` go, white space at the ends of lines goes, and so do blank
/// lines at both ends. Everything else stays as it is.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        push_clean_line(line, &mut out);
    }
    trim_document(out)
}

/// Appends one cleaned line (given without its `\n`) to a document.
pub(crate) fn push_clean_line(line: &str, out: &mut String) {
    let line = line.trim_end();
    if !line.bytes().any(suspicious) {
        out.push_str(line);
        return;
    }
    let mut start = out.len();
    for c in line.chars() {
        match c {
            '\r' => {
                trim_end_from(out, start);
                out.push('\n');
                start = out.len();
            }
            '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    // A control character may have hidden white space before it.
    trim_end_from(out, start);
}

/// Drops blank lines at both ends and byte order marks at the start.
pub(crate) fn trim_document(mut document: String) -> String {
    document.truncate(document.trim_end().len());
    let start = document.len() - document.trim_start_matches(['\n', BOM]).len();
    if start > 0 {
        document.drain(..start);
        // A mark may have hidden a blank line.
        let blank = document.len() - document.trim_start_matches('\n').len();
        document.drain(..blank);
    }
    document
}

fn trim_end_from(text: &mut String, start: usize) {
    let kept = text[start..].trim_end().len();
    text.truncate(start + kept);
}

/// Bytes that a character of Unicode category Cc may start with: C0 and DEL are bytes of
/// their own, C1 (U+0080..U+009F) starts with C2. Tabs pass.
fn suspicious(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f || byte == 0xc2
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_goes_and_what_stays() {
        for (raw, expected) in [
            ("plain\ntext", "plain\ntext"),
            ("\u{feff}marked", "marked"),
            ("\u{feff}\n\u{feff}\n twice", " twice"),
            ("one\r\ntwo\r\n", "one\ntwo"),
            ("old\rmac \r\rtext", "old\nmac\n\ntext"),
            ("nul\0 bell\u{7} c1\u{85}\u{9f} del\u{7f}.", "nul bell c1 del."),
            ("tab\tstays\t\nspace goes \t \n", "tab\tstays\nspace goes"),
            ("hidden \0\nend", "hidden\nend"),
            ("\n\n  indented\n\n\nend\n\n", "  indented\n\n\nend"),
            ("中文。\u{3000}\n　缩进", "中文。\n　缩进"),
            ("caf\u{e9} \u{a9} £5\u{a0}", "caf\u{e9} \u{a9} £5"),
            ("zero\u{200d}width\u{feff}inside", "zero\u{200d}width\u{feff}inside"),
            (" \n\0\n\t", ""),
            ("", ""),
        ] {
            assert_eq!(clean(raw), expected, "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn cleaning_twice_changes_nothing(text in "[ab \\t\\r\\n\\x00\\x07\u{85}\u{feff}\u{3000}é中]{0,40}") {
            let once = clean(&text);
            prop_assert_eq!(clean(&once), once.clone());
            prop_assert!(!once.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
            prop_assert!(!once.lines().any(|line| line.ends_with(char::is_whitespace)));
            prop_assert!(!once.starts_with(['\n', BOM]));
        }

        #[test]
        fn only_whitespace_and_controls_go(text in any::<String>()) {
            let kept = |t: &str| t.chars().filter(|c| !c.is_control() && !c.is_whitespace() && *c != '\u{feff}').collect::<String>();
            prop_assert_eq!(kept(&clean(&text)), kept(&text));
        }
    }
}

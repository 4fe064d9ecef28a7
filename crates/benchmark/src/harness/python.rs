//! Texts that Python would write for the same values.

use std::fmt::Write;

use serde_json::Value;

/// `json.dumps(value, indent=2, ensure_ascii=False)`.
pub(super) fn dumps(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0);
    text
}

fn write(text: &mut String, value: &Value, depth: usize) {
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    };
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (None, None, Some(value)) => text.push_str(&float(value)),
            _ => text.push_str(&number.to_string()),
        },
        Value::String(value) => quote(text, value),
        Value::Array(values) if values.is_empty() => text.push_str("[]"),
        Value::Object(values) if values.is_empty() => text.push_str("{}"),
        Value::Array(values) => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                line(text, depth + 1);
                write(text, value, depth + 1);
            }
            line(text, depth);
            text.push(']');
        }
        Value::Object(values) => {
            text.push('{');
            for (index, (key, value)) in values.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                line(text, depth + 1);
                quote(text, key);
                text.push_str(": ");
                write(text, value, depth + 1);
            }
            line(text, depth);
            text.push('}');
        }
    }
}

fn quote(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            c if c < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

/// `repr(float)`: the shortest digits that read back the same, with an exponent below 1e-4 and from
/// 1e16 on.
pub(super) fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    let digits = format!("{value:e}");
    let (mantissa, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let plain = value.to_string();
    if plain.contains('.') { plain } else { plain + ".0" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn floats() {
        // python3: [repr(x) for x in (...)]
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-12.5, "-12.5"),
            (0.1, "0.1"),
            (1e-4, "0.0001"),
            (1.5e-5, "1.5e-05"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.2345e-300, "1.2345e-300"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, expected) in cases {
            assert_eq!(float(value), expected);
        }
    }

    #[test]
    fn documents() {
        let value = json!({"a": [1, 2.5, []], "b": {}, "c": "\u{1}\u{7f}\u{2028}\"\\é", "d": null, "e": [{"f": true}]});
        // python3: json.dumps(value, indent=2, ensure_ascii=False)
        let expected = "{\n  \"a\": [\n    1,\n    2.5,\n    []\n  ],\n  \"b\": {},\n  \"c\": \
                        \"\\u0001\u{7f}\u{2028}\\\"\\\\é\",\n  \"d\": null,\n  \"e\": [\n    {\n      \
                        \"f\": true\n    }\n  ]\n}";
        assert_eq!(dumps(&value), expected);
    }
}

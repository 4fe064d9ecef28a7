//! How numbers are written: a fixed number of digits, a true minus sign, SI prefixes.

/// Minus sign of running text (U+2212), as wide as a plus.
pub(crate) const MINUS: char = '\u{2212}';
/// What stands for a number that does not exist.
pub(crate) const MISSING: &str = "–";

/// A number with `digits` decimals; not-a-number and infinities are `–`.
pub fn fixed(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return MISSING.to_string();
    }
    let text = format!("{value:.digits$}");
    let zero = text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.');
    match text.strip_prefix('-') {
        Some(rest) if zero => rest.to_string(),
        Some(rest) => format!("{MINUS}{rest}"),
        None => text,
    }
}

/// Like [`fixed`], with a plus sign before positive numbers.
pub fn signed(value: f64, digits: usize) -> String {
    let text = fixed(value, digits);
    let zero = text.chars().all(|c| c == '0' || c == '.');
    if !value.is_finite() || zero || text.starts_with(MINUS) { text } else { format!("+{text}") }
}

/// A count in three significant digits: `413 k`, `1.62 M`, `49.2 B`, `1.60 T`.
pub fn count(value: f64) -> String {
    scaled(value, &[(1e12, " T"), (1e9, " B"), (1e6, " M"), (1e3, " k"), (1.0, "")])
}

/// Three significant digits with an SI prefix: `1.62 M`, `3.90 T`, `0`.
pub fn si(value: f64) -> String {
    const PREFIXES: [(f64, &str); 7] = [
        (1e18, " E"),
        (1e15, " P"),
        (1e12, " T"),
        (1e9, " G"),
        (1e6, " M"),
        (1e3, " k"),
        (1.0, ""),
    ];
    scaled(value, &PREFIXES)
}

fn scaled(value: f64, prefixes: &[(f64, &str)]) -> String {
    if !value.is_finite() {
        return MISSING.to_string();
    }
    let size = value.abs();
    // 0.9995 and up would round to 1.00 of the next prefix.
    for (scale, prefix) in prefixes {
        if size >= scale * 0.9995 {
            // Whole numbers below a thousand stay whole.
            if *scale == 1.0 && value.fract() == 0.0 {
                return fixed(value, 0);
            }
            return format!("{}{prefix}", significant(value / scale));
        }
    }
    if size == 0.0 { "0".to_string() } else { significant(value) }
}

/// Like [`si`], always followed by a unit: `1.62 MB`, `413 B`.
pub fn si_unit(value: f64, unit: &str) -> String {
    let text = si(value);
    if text == MISSING {
        text
    } else if text.ends_with(|c: char| c.is_ascii_alphabetic()) {
        format!("{text}{unit}")
    } else {
        format!("{text} {unit}")
    }
}

/// Seconds as people say them: `41 s`, `3 min 20 s`, `2 h 05 min`.
pub fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return MISSING.to_string();
    }
    if seconds < 9.95 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match whole {
        0..=59 => format!("{whole} s"),
        60..=3599 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A count with thin groups of three: `48 000`.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            out.push('\u{a0}');
        }
        out.push(c);
    }
    out
}

/// Three significant digits for a number between 1 and 1000.
fn significant(value: f64) -> String {
    let size = value.abs();
    let digits = if size >= 99.95 {
        0
    } else if size >= 9.995 {
        1
    } else if size >= 0.9995 {
        2
    } else if size > 0.0 {
        (2 - size.log10().floor() as i32).clamp(0, 12) as usize
    } else {
        0
    };
    fixed(value, digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_and_signed_never_write_negative_zero() {
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(fixed(-1.5, 1), "−1.5");
        assert_eq!(signed(-0.04, 1), "0.0");
        assert_eq!(signed(0.05001, 1), "+0.1");
        assert_eq!(signed(f64::NAN, 1), "–");
    }

    #[test]
    fn si_keeps_three_digits_across_prefixes() {
        for (value, text) in [
            (0.0, "0"),
            (7.0, "7"),
            (7.5, "7.50"),
            (999.4, "999"),
            (999.6, "1.00 k"),
            (1_620_000.0, "1.62 M"),
            (952_043_264.0, "952 M"),
            (2.8e20, "280 E"),
            (0.0421, "0.0421"),
        ] {
            assert_eq!(si(value), text);
        }
        assert_eq!(count(49.152e9), "49.2 B");
        assert_eq!(count(2.8e20), "280000000 T");
        assert_eq!(si_unit(413.0, "B"), "413 B");
        assert_eq!(si_unit(1.6e6, "B"), "1.60 MB");
    }

    #[test]
    fn durations_and_groups() {
        assert_eq!(duration(9.96), "10 s");
        assert_eq!(duration(200.0), "3 min 20 s");
        assert_eq!(duration(7500.0), "2 h 05 min");
        assert_eq!(grouped(48_000), "48\u{a0}000");
        assert_eq!(grouped(4096), "4096");
    }
}

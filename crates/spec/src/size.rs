//! Sizes and shares as people write them: `"400k"`, `"6 MB"`, `"3%"`.
//!
//! A number of tokens, parameters or entries takes the suffixes k, M, G or B, and T (powers
//! of a thousand; `50B` is fifty billion). A number of bytes takes B, kB, MB, GB and TB
//! (powers of a thousand), KiB, MiB, GiB and TiB (powers of 1024), or k, M, G and T; there
//! `50B` is fifty bytes. Whole numbers only: `"1.5k"` is 1500, `"1.5"` is an error.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Which suffixes a size takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Count,
    Bytes,
}

impl Unit {
    /// The `format` by which a schema marks such a size.
    pub(crate) const fn format(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Bytes => "bytes",
        }
    }

    pub(crate) fn of_format(format: &str) -> Option<Self> {
        [Self::Count, Self::Bytes].into_iter().find(|unit| unit.format() == format)
    }

    fn factor(self, suffix: &str) -> Option<u64> {
        const K: u64 = 1000;
        const KI: u64 = 1024;
        Some(match (self, suffix) {
            (_, "") => 1,
            (_, "k" | "K") => K,
            (_, "M") => K * K,
            (_, "G") | (Self::Count, "B") => K * K * K,
            (_, "T") => K * K * K * K,
            (Self::Bytes, "B") => 1,
            (Self::Bytes, "kB" | "KB") => K,
            (Self::Bytes, "MB") => K * K,
            (Self::Bytes, "GB") => K * K * K,
            (Self::Bytes, "TB") => K * K * K * K,
            (Self::Bytes, "KiB") => KI,
            (Self::Bytes, "MiB") => KI * KI,
            (Self::Bytes, "GiB") => KI * KI * KI,
            (Self::Bytes, "TiB") => KI * KI * KI * KI,
            _ => return None,
        })
    }

    const fn suffixes(self) -> &'static str {
        match self {
            Self::Count => "k, M, G or B (a thousand million) and T",
            Self::Bytes => "B, kB, MB, GB, TB, KiB, MiB, GiB and TiB",
        }
    }
}

/// Reads a size.
///
/// # Errors
/// Why the text is not a whole number of that unit.
pub(crate) fn parse(text: &str, unit: Unit) -> Result<u64, String> {
    let trimmed = text.trim();
    let digits = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_');
    let (number, suffix) = trimmed.split_at(digits.unwrap_or(trimmed.len()));
    let number: String = number.chars().filter(|c| *c != '_').collect();
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    if whole.is_empty() || fraction.contains('.') || whole.len() + fraction.len() > 18 {
        return Err(format!("not a number with one of the suffixes {}", unit.suffixes()));
    }
    let suffix = suffix.trim();
    let factor = unit
        .factor(suffix)
        .ok_or_else(|| format!("`{suffix}` is none of the suffixes {}", unit.suffixes()))?;
    let digits: u128 = format!("{whole}{fraction}").parse().map_err(|_| "not a number")?;
    let scaled = digits * u128::from(factor);
    let divisor = 10_u128.pow(fraction.len() as u32);
    if !scaled.is_multiple_of(divisor) {
        return Err("not a whole number".into());
    }
    u64::try_from(scaled / divisor)
        .ok()
        .filter(|size| i64::try_from(*size).is_ok())
        .ok_or_else(|| "too large".into())
}

/// Reads a share such as `3%`.
///
/// # Errors
/// Why the text is not a percentage.
pub(crate) fn parse_share(text: &str) -> Result<f64, String> {
    let number = text.trim().strip_suffix('%').map(str::trim);
    let value = number.and_then(|number| number.parse::<f64>().ok()).filter(|v| v.is_finite());
    value.map(|percent| percent / 100.0).ok_or_else(|| "not a percentage such as \"3%\"".into())
}

/// The `format` by which a schema marks a share.
pub(crate) const SHARE: &str = "share";

/// A number of tokens, parameters or entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) u64);

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u64);

/// A fraction of one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share(pub(crate) f64);

/// A number, or the text of one.
struct Either<T>(fn(&str) -> Result<T, String>, fn(f64) -> T, fn(u64) -> T);

impl<T> de::Visitor<'_> for Either<T> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number or a string such as \"400k\"")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        Ok(self.2(number))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        Ok(self.1(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        self.0(text).map_err(E::custom)
    }
}

macro_rules! written_as_text_or_number {
    ($name:ident, $parse:expr, $float:expr, $integer:expr, $number:literal, $format:expr) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Either($parse, $float, $integer))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": [$number, "string"], "format": $format, "minimum": 0 })
            }
        }
    };
}

written_as_text_or_number!(
    Count,
    |text| parse(text, Unit::Count).map(Count),
    |float| Count(float as u64),
    Count,
    "integer",
    Unit::Count.format()
);
written_as_text_or_number!(
    Bytes,
    |text| parse(text, Unit::Bytes).map(Bytes),
    |float| Bytes(float as u64),
    Bytes,
    "integer",
    Unit::Bytes.format()
);
written_as_text_or_number!(
    Share,
    |text| parse_share(text).map(Share),
    Share,
    |integer| Share(integer as f64),
    "number",
    SHARE
);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, count: Option<u64>, bytes: Option<u64>) {
        assert_eq!(parse(text, Unit::Count).ok(), count, "{text} as a count");
        assert_eq!(parse(text, Unit::Bytes).ok(), bytes, "{text} as bytes");
    }

    #[test]
    fn suffixes() {
        check("400k", Some(400_000), Some(400_000));
        check("1.5M", Some(1_500_000), Some(1_500_000));
        check("50B", Some(50_000_000_000), Some(50));
        check("6MB", None, Some(6_000_000));
        check("6 kB", None, Some(6_000));
        check("2GiB", None, Some(2 << 30));
        check("1_000", Some(1000), Some(1000));
        check("1.6T", Some(1_600_000_000_000), Some(1_600_000_000_000));
        check("0.0005k", None, None);
        check("1.5", None, None);
        check("1.50", None, None);
        check("2.0", Some(2), Some(2));
        check("m", None, None);
        check("4m", None, None);
        check("-4k", None, None);
        check("4e5", None, None);
        check("", None, None);
        check("1.2.3k", None, None);
        check("99999999999T", None, None);
        check("99999999999999999999", None, None);
    }

    #[test]
    fn shares() {
        assert_eq!(parse_share("3%"), Ok(0.03));
        assert_eq!(parse_share("12.5 %"), Ok(0.125));
        assert!(parse_share("3").is_err());
        assert!(parse_share("inf%").is_err());
    }
}

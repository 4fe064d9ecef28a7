//! One byte string for one recipe.

use serde_json::Value;

/// Why a recipe has no canonical form.
#[derive(Debug, thiserror::Error)]
pub enum CanonicalError {
    /// The value is not JSON (a map with keys that are not strings, or a NaN).
    #[error("recipe cannot be written as JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// A number is not finite.
    #[error("recipe holds a null at `{0}`: a NaN or an infinite number has no canonical form")]
    NotFinite(String),
}

/// Writes a value as JSON with sorted keys and no spaces. Floats are written by their
/// shortest form that reads back equal, so the same recipe has the same bytes on every
/// machine. Fields left at their default must be left out by the type that is written
/// (`skip_serializing_if`): adding an option then keeps all old keys.
///
/// # Errors
/// When the value has no canonical form.
pub fn canonical_json(value: &Value) -> Result<String, CanonicalError> {
    let mut out = String::new();
    write(value, &mut String::from("$"), &mut out)?;
    Ok(out)
}

fn write(value: &Value, path: &mut String, out: &mut String) -> Result<(), CanonicalError> {
    match value {
        Value::Null => return Err(CanonicalError::NotFinite(path.clone())),
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (position, key) in keys.into_iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                out.push_str(&serde_json::to_string(key)?);
                out.push(':');
                let length = path.len();
                path.push('.');
                path.push_str(key);
                write(&map[key], path, out)?;
                path.truncate(length);
            }
            out.push('}');
        }
        Value::Array(values) => {
            out.push('[');
            for (position, value) in values.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write(value, path, out)?;
            }
            out.push(']');
        }
        other => out.push_str(&serde_json::to_string(other)?),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn order_of_keys_does_not_matter() {
        let a = json!({"b": [1, 2.5, "x"], "a": {"d": true, "c": 0.1}});
        let b = json!({"a": {"c": 0.1, "d": true}, "b": [1, 2.5, "x"]});
        assert_eq!(canonical_json(&a).unwrap(), r#"{"a":{"c":0.1,"d":true},"b":[1,2.5,"x"]}"#);
        assert_eq!(canonical_json(&a).unwrap(), canonical_json(&b).unwrap());
    }

    #[test]
    fn not_a_number_is_refused_with_its_place() {
        let error = canonical_json(&json!({"train": {"lr": f64::NAN}})).unwrap_err();
        assert!(error.to_string().contains("$.train.lr"), "{error}");
    }

    proptest! {
        #[test]
        fn floats_read_back_equal(x in proptest::num::f64::NORMAL) {
            let text = canonical_json(&json!({ "x": x })).unwrap();
            let back: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(back["x"].as_f64().unwrap().to_bits(), x.to_bits());
        }
    }
}

//! Comparison of results that were computed in batches of other sizes: their values differ by rounding.

use serde_json::Value;

const BOUND: f64 = 1e-5;

fn are_near(left: f64, right: f64) -> bool {
    (left - right).abs() <= BOUND * right.abs().max(1.0)
}

/// Asserts that two JSON values differ in numbers only, by rounding.
pub fn assert_near_json(left: &Value, right: &Value, what: &str) {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            assert_eq!(left.len(), right.len(), "{what}");
            for (at, (left, right)) in left.iter().zip(right).enumerate() {
                assert_near_json(left, right, &format!("{what}[{at}]"));
            }
        }
        (Value::Object(left), Value::Object(right)) => {
            assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>(), "{what}");
            for (key, left) in left {
                assert_near_json(left, &right[key], &format!("{what}.{key}"));
            }
        }
        (Value::Number(left), Value::Number(right)) => {
            assert!(are_near(left.as_f64().unwrap(), right.as_f64().unwrap()), "{what}: {left}, expected {right}");
        }
        _ => assert_eq!(left, right, "{what}"),
    }
}

/// Asserts that two texts, or two files of f32 values, differ in numbers only, by rounding.
pub fn assert_near_bytes(left: &[u8], right: &[u8], what: &str) {
    let (Ok(left), Ok(right)) = (str::from_utf8(left), str::from_utf8(right)) else {
        let values = |bytes: &[u8]| {
            let (values, rest) = bytes.as_chunks::<4>();
            assert!(rest.is_empty(), "{what}");
            values.iter().map(|value| f64::from(f32::from_le_bytes(*value))).collect::<Vec<_>>()
        };
        let (left, right) = (values(left), values(right));
        assert_eq!(left.len(), right.len(), "{what}");
        assert!(left.iter().zip(&right).all(|(left, right)| are_near(*left, *right)), "{what}");
        return;
    };
    let cells = |text: &str| text.split([',', '\n', ' ', ';']).map(str::to_owned).collect::<Vec<_>>();
    let (left, right) = (cells(left), cells(right));
    assert_eq!(left.len(), right.len(), "{what}");
    for (left, right) in left.iter().zip(&right) {
        let is_near = match (left.parse::<f64>(), right.parse::<f64>()) {
            (Ok(left), Ok(right)) => are_near(left, right),
            _ => left == right,
        };
        assert!(is_near, "{what}: {left}, expected {right}");
    }
}

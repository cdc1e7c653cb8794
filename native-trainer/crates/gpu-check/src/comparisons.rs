//! Comparisons of a phase, those that are wrong among them.

use super::report::Wrong;
use anyhow::{Error, Result};
use serde_json::Value;

/// Wrong comparisons that are named in a sentence; the file has all.
const MOST_NAMED: usize = 4;

/// What a phase compared, and what was wrong.
#[derive(Default)]
pub struct Comparisons {
    rows: Vec<Value>,
    wrong: Vec<String>,
}

impl Comparisons {
    /// Adds a comparison, with a sentence if it is wrong.
    pub fn add(&mut self, row: Value, wrong: Option<String>) {
        self.rows.push(row);
        self.wrong.extend(wrong);
    }

    /// Adds what could not be compared.
    pub fn failed(&mut self, what: &str, err: &Error) {
        self.wrong.push(format!("{what} failed: {err:#}"));
    }

    /// All comparisons.
    ///
    /// # Errors
    /// [`Wrong`], with all comparisons, when one is wrong.
    pub fn judged(self) -> Result<Value> {
        let Self { rows, wrong } = self;
        let figures = Value::Array(rows);
        if wrong.is_empty() {
            return Ok(figures);
        }
        let mut why = wrong.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join("; ");
        if wrong.len() > MOST_NAMED {
            why += &format!("; and {} more", wrong.len() - MOST_NAMED);
        }
        Err(Wrong { why, figures }.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;
    use serde_json::json;

    #[test]
    fn a_wrong_comparison_is_named_beside_all_rows() {
        let mut found = Comparisons::default();
        found.add(json!(1), None);
        found.add(json!(2), Some("the second differs".into()));
        found.failed("the third", &anyhow!("no memory"));
        let Wrong { why, figures } = found.judged().unwrap_err().downcast().unwrap();
        assert_eq!((why.as_str(), figures), ("the second differs; the third failed: no memory", json!([1, 2])));

        let mut found = Comparisons::default();
        (0..6).for_each(|row| found.add(json!(row), Some(format!("row {row}"))));
        assert_eq!(found.judged().unwrap_err().to_string(), "row 0; row 1; row 2; row 3; and 2 more");
        assert_eq!(Comparisons::default().judged().unwrap(), json!([]));
    }
}

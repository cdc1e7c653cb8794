//! Label lists in JSON.

use super::labels_error;
use crate::Result;
use crate::json_kind::json_kind;
use serde_json::Value;

/// Returns the names of a JSON list; `None` for text that does not begin like JSON.
///
/// # Errors
/// When it begins like JSON and is no list of names.
pub(super) fn json(text: &str) -> Result<Option<Vec<String>>> {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if !text.starts_with(['[', '{']) {
        return Ok(None);
    }
    let failed = |found: &str| labels_error("labels", "a JSON list of names, as in [\"acne\", \"nevus\"]", found);
    let value: Value =
        serde_json::from_str(text).map_err(|err| failed(&format!("text that is not JSON: {err}")))?;
    let Value::Array(items) = value else { return Err(failed("a JSON object")) };
    let name = |(at, item): (usize, &Value)| match item {
        Value::String(name) => Ok(name.clone()),
        other => Err(failed(&format!("{} as item {}", json_kind(other), at + 1))),
    };
    items.iter().enumerate().map(name).collect::<Result<_>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_json_must_be_a_list_of_names() {
        for (text, expected) in [
            ("[\"acne\", \"nevus\"", "line 1 column"),
            ("[\n\"acne\",\n\"nevus\",\n]", "line 4 column 1"),
            ("['acne', 'nevus']", "line 1 column 2"),
            ("[acne, nevus]", "line 1 column 2"),
            ("[\"acne\"] [\"nevus\"]", "line 1 column 10"),
            ("{\"labels\": [\"acne\"]}", "a JSON object"),
            ("[{\"name\": \"acne\"}]", "an object as item 1"),
            ("[\"acne\", 2]", "a number as item 2"),
            ("{", "line 1 column 1"),
        ] {
            let message = json(text).unwrap_err().to_string();
            assert!(message.contains(expected) && message.contains("a JSON list of names"), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_list_keeps_its_names_and_other_text_is_none_of_ours() {
        assert_eq!(json("\u{feff} [\"a, b\", \" c\"]\n").unwrap().unwrap(), ["a, b", " c"]);
        assert_eq!(json("acne, [unclear]").unwrap(), None);
    }
}

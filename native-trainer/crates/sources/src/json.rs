//! JSON: an object on each line, or a list of objects.

use crate::Result;
use crate::builder::Builder;
use crate::error::SourceError;
use crate::lines::LineCounter;
use crate::problem::RowFault;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use shared_model::text_file::{self, shortened};
use std::borrow::Cow;
use std::fmt;

/// The keys and values of an object, in its order; values as texts.
pub(crate) type Record = Vec<(String, String)>;

/// Reads JSON lines or a list of objects.
///
/// # Errors
/// When the text is neither; a line among others that is no object is a problem of its row.
pub(crate) fn read(bytes: &[u8], builder: &mut Builder) -> Result<()> {
    let path = builder.path().to_path_buf();
    let text = text_file::decode(bytes).map_err(|source| SourceError::Text { path: path.clone(), source })?;
    let text = without_not_a_number(text);
    let failed = |detail: String| SourceError::Json { detail, path: path.clone() };
    if text.trim_start().starts_with('[') {
        let records = records_of_list(&text).map_err(|err| failed(format!("the list cannot be read: {err}")))?;
        records.into_iter().for_each(|record| push(builder, 0, &record));
        return Ok(());
    }
    let (mut n_objects, mut first_error) = (0, None);
    let mut lines = LineCounter::new(text.as_bytes(), 1);
    for line in text_file::lines(&text).filter(|line| !line.trim().is_empty()) {
        let number = lines.line_of((line.as_ptr() as usize - text.as_ptr() as usize) as u64);
        match record(line) {
            Ok(record) => {
                n_objects += 1;
                push(builder, number, &record);
            }
            Err(err) => {
                let detail = format!("line {number} is no JSON object ({err}): {}", shortened(line.trim()));
                first_error.get_or_insert_with(|| detail.clone());
                builder.problem(RowFault::Unreadable { detail });
                builder.push(number, &[], None);
            }
        }
    }
    match first_error {
        Some(detail) if n_objects == 0 => Err(failed(detail)),
        _ => Ok(()),
    }
}

fn push(builder: &mut Builder, line: u64, record: &Record) {
    let cells = record_cells(builder, record);
    builder.push(line, &cells, None);
}

/// The cells of a record, with their columns. Of a key that is there twice, the last value counts, as in Python.
pub(crate) fn record_cells<'a>(builder: &mut Builder, record: &'a Record) -> Vec<(usize, Cow<'a, str>)> {
    record.iter().map(|(key, value)| (builder.column(key), Cow::Borrowed(value.as_str()))).collect()
}

/// Reads one object.
///
/// # Errors
/// When the text is no JSON object.
pub(crate) fn record(text: &str) -> serde_json::Result<Record> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let record = OneRecord.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(record)
}

fn records_of_list(text: &str) -> serde_json::Result<Vec<Record>> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let records = deserializer.deserialize_seq(ListVisitor)?;
    deserializer.end()?;
    Ok(records)
}

/// Adds a value, and those of objects inside it as `outer.inner`.
fn flatten(key: &str, value: &Value, record: &mut Record) {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(object) => {
            object.iter().for_each(|(inner, value)| flatten(&format!("{key}.{inner}"), value, record));
            return;
        }
        other => other.to_string(),
    };
    record.push((key.to_owned(), text));
}

struct OneRecord;

impl<'de> DeserializeSeed<'de> for OneRecord {
    type Value = Record;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Record, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for OneRecord {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Record, A::Error> {
        let mut record = Record::new();
        while let Some((key, value)) = map.next_entry::<String, Value>()? {
            flatten(&key, &value, &mut record);
        }
        Ok(record)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = Vec<Record>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Vec<Record>, A::Error> {
        let mut records = Vec::new();
        while let Some(record) = list.next_element_seed(OneRecord)? {
            records.push(record);
        }
        Ok(records)
    }
}

/// Replaces the words that Python writes for a missing number, and that JSON does not have, by `null`.
fn without_not_a_number(text: &str) -> Cow<'_, str> {
    const WORDS: [&str; 3] = ["NaN", "-Infinity", "Infinity"];
    if !WORDS.iter().any(|word| text.contains(word)) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let (mut is_string, mut rest) = (false, text);
    while let Some(c) = rest.chars().next() {
        let word = WORDS.iter().find(|word| !is_string && rest.starts_with(**word));
        let taken = match (word, c) {
            (Some(word), _) => {
                kept.push_str("null");
                rest = &rest[word.len()..];
                continue;
            }
            (None, '\\') if is_string => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            (None, '"') => {
                is_string = !is_string;
                1
            }
            (None, '\n') => {
                is_string = false; // no string goes on in the next line
                1
            }
            (None, c) => c.len_utf8(),
        };
        kept.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_keeps_its_order_and_nested_keys_are_joined() {
        let found = record(r#"{"z": 1, "a": {"b": "x", "c": [1, "y"]}, "n": null, "t": true, "z2": 0.5}"#).unwrap();
        let expected = [("z", "1"), ("a.b", "x"), ("a.c", "[1,\"y\"]"), ("n", ""), ("t", "true"), ("z2", "0.5")];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        for bad in ["[1]", "1", "{", "{} {}", ""] {
            assert!(record(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_python_writes_for_missing_numbers_is_null_outside_of_texts() {
        assert_eq!(
            without_not_a_number("{\"a\": NaN, \"b\": \"NaN \\\" NaN\", \"c\": -Infinity}"),
            "{\"a\": null, \"b\": \"NaN \\\" NaN\", \"c\": null}"
        );
        assert!(matches!(without_not_a_number("{}"), Cow::Borrowed(_)));
    }
}

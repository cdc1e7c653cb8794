//! The values of a Parquet file as texts.

use parquet::record::Field;
use serde_json::Value;

/// Adds the text of a field, and those of a struct's fields as `outer.inner`.
pub(super) fn flatten(name: &str, field: &Field, texts: &mut Vec<(String, String)>) {
    match field {
        Field::Group(row) => {
            row.get_column_iter().for_each(|(inner, field)| flatten(&format!("{name}.{inner}"), field, texts))
        }
        field => texts.push((name.to_owned(), text(field))),
    }
}

fn text(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned(),
        Field::Float(value) if value.is_nan() => String::new(),
        Field::Double(value) if value.is_nan() => String::new(),
        Field::ListInternal(_) | Field::MapInternal(_) => json_of(field).to_string(),
        // Numbers as Rust writes them: the shortest text that means the same number.
        Field::Float(value) => value.to_string(),
        Field::Double(value) => value.to_string(),
        other => other.to_string(),
    }
}

fn json_of(field: &Field) -> Value {
    match field {
        Field::ListInternal(list) => list.elements().iter().map(json_of).collect(),
        Field::MapInternal(map) => map.entries().iter().map(|(key, value)| (text(key), json_of(value))).collect(),
        Field::Group(row) => row.get_column_iter().map(|(name, field)| (name.clone(), json_of(field))).collect(),
        Field::Null => Value::Null,
        Field::Bool(value) => (*value).into(),
        Field::Byte(value) => (*value).into(),
        Field::Short(value) => (*value).into(),
        Field::Int(value) => (*value).into(),
        Field::Long(value) => (*value).into(),
        Field::UByte(value) => (*value).into(),
        Field::UShort(value) => (*value).into(),
        Field::UInt(value) => (*value).into(),
        Field::ULong(value) => (*value).into(),
        Field::Float(value) => (*value).into(),
        Field::Double(value) => (*value).into(),
        other => text(other).into(),
    }
}

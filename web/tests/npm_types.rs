//! The TypeScript types of the JavaScript package's answers, `npm/types.d.ts`, from the Rust types of the messages.
//!
//! `DERMAKE_WRITE_TYPES=1 cargo test -p web --test npm_types` writes the file again.

#![cfg(not(target_arch = "wasm32"))]

use schemars::generate::SchemaSettings;
use serde_json::Value;
use shared_model::calibration::Certainty;
use shared_model::concepts::Presence;
use shared_model::labels::LabelSet;
use shared_model::preprocess::PictureFormat;
use shared_model::zero_shot::Prediction;
use std::collections::BTreeMap;
use web::crop::Crop;
use web::error::Error;
use web::worker::protocol::{ModelInfo, Progress};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/npm/types.d.ts");

/// Definitions by their names.
fn definitions() -> BTreeMap<String, Value> {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    generator.subschema_for::<Prediction>();
    generator.subschema_for::<Certainty>();
    generator.subschema_for::<Presence>();
    generator.subschema_for::<LabelSet>();
    generator.subschema_for::<Progress>();
    generator.subschema_for::<Error>();
    generator.subschema_for::<Crop>();
    generator.subschema_for::<ModelInfo>();
    generator.take_definitions(true).into_iter().collect()
}

/// The type of a schema, indented as a part of a definition.
fn type_of(schema: &Value, indent: &str) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().into();
    }
    if !schema["const"].is_null() {
        return schema["const"].to_string();
    }
    if let Some(values) = schema["enum"].as_array() {
        return union(values.iter().map(Value::to_string));
    }
    for keyword in ["oneOf", "anyOf"] {
        if let Some(types) = schema[keyword].as_array() {
            return union(types.iter().map(|of| type_of(of, indent)));
        }
    }
    match &schema["type"] {
        Value::Array(names) => union(names.iter().map(|name| named(name.as_str(), schema, indent))),
        name => named(name.as_str(), schema, indent),
    }
}

fn union(types: impl Iterator<Item = String>) -> String {
    types.collect::<Vec<_>>().join(" | ")
}

fn named(name: Option<&str>, schema: &Value, indent: &str) -> String {
    match name {
        Some("string") => "string".into(),
        Some("number" | "integer") => "number".into(),
        Some("boolean") => "boolean".into(),
        Some("null") => "null".into(),
        Some("array") => {
            let item = type_of(&schema["items"], indent);
            if item.contains('|') { format!("({item})[]") } else { format!("{item}[]") }
        }
        Some("object") => object(schema, indent),
        _ => panic!("a schema that has no TypeScript type yet: {schema}"),
    }
}

fn object(schema: &Value, indent: &str) -> String {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let inner = format!("{indent}  ");
    let mut text = String::from("{\n");
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let optional = if required.contains(&Value::from(name.as_str())) { "" } else { "?" };
        text += &comment(property, &inner);
        text += &format!("{inner}{name}{optional}: {};\n", type_of(property, &inner));
    }
    text + indent + "}"
}

/// The Rust doc comment, without the marks and targets of its links.
fn comment(schema: &Value, indent: &str) -> String {
    let Some(text) = schema["description"].as_str() else { return String::new() };
    let mut parts = text.split("](");
    let mut plain = parts.next().unwrap_or_default().to_string();
    parts.for_each(|part| plain += part.split_once(')').map_or(part, |(_, rest)| rest));
    let plain = plain.replace(['[', ']', '`'], "").replace("Self::", "").replace('\n', " ");
    format!("{indent}/** {plain} */\n")
}

fn generated() -> String {
    let mut text = String::from("// Made from the Rust types by tests/npm_types.rs; do not edit.\n");
    for (name, schema) in definitions() {
        text += &format!("\n{}export type {name} = {};\n", comment(&schema, ""), type_of(&schema, ""));
    }
    text
}

#[test]
fn the_types_of_the_package_are_those_of_the_messages() {
    let generated = generated();
    if std::env::var_os("DERMAKE_WRITE_TYPES").is_some() {
        std::fs::write(FILE, &generated).unwrap();
    }
    let written = std::fs::read_to_string(FILE).unwrap_or_default();
    assert_eq!(written, generated, "DERMAKE_WRITE_TYPES=1 writes {FILE} again");
}

#[test]
fn the_package_and_the_page_know_builds_by_the_same_modules() {
    let modules = |text: &str| -> Vec<String> {
        let arrays = text.split("[").filter(|array| array.trim_start().starts_with("0, 97, 115, 109"));
        arrays.map(|array| array.split(']').next().unwrap_or_default().replace(char::is_whitespace, "")).collect()
    };
    let (page, package) = (modules(include_str!("../boot.js")), modules(include_str!("../npm/builds.js")));
    assert_eq!((page.len(), &page), (2, &package));
}

#[test]
fn the_element_and_the_examples_accept_the_formats_that_are_read() {
    let accepted = PictureFormat::ALL.map(PictureFormat::media_type).join(",");
    for text in [
        include_str!("../npm/element.js"),
        include_str!("../npm/examples/plain.html"),
        include_str!("../npm/examples/react/main.jsx"),
        include_str!("../npm/examples/extension/popup.html"),
    ] {
        assert!(text.contains(&format!("\"{accepted}\"")), "expected {accepted} in:\n{text}");
    }
}

#[test]
fn the_worker_knows_its_threads_by_the_name_that_the_package_tells_them_by() {
    let name = include_str!("../src/worker/pool.rs").split("POOL_THREAD: &str = \"").nth(1).unwrap();
    let name = name.split('"').next().unwrap();
    assert!(include_str!("../npm/pack.sh").contains(&format!("self.name === \"{name}\"")), "{name}");
}

//! JSON bodies into photos and parameters: one object whose keys are those of a form's fields.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use shared_model::api::fields::TOP_K;
use shared_model::preprocess::{FileKind, OtherFile};

use super::parameters::{Parameters, Value};
use super::photo::{Photo, Place, is_photo_field};
use crate::error::HttpError;

/// Most entries of an object or a list.
const MAX_ENTRIES: usize = 16_384;

/// Fields of an object that may have a photo's text, as in `{"type": "image_url", "image_url": {"url": "data:…"}}`.
const PHOTO_KEYS: [&str; 6] = ["url", "image_url", "source", "data", "b64_json", "base64"];

/// Returns the photos of a JSON body; its other entries are added to the parameters.
///
/// # Errors
/// [`HttpError::Malformed`] for what is not JSON, [`HttpError::Invalid`] for JSON of another form.
pub(super) fn read(text: &str, parameters: &mut Parameters) -> Result<Vec<Photo>, HttpError> {
    if text.trim().is_empty() {
        return Err(HttpError::malformed("the body is empty, expected a JSON object"));
    }
    let Body(entries) = serde_json::from_str(text).map_err(|err| match err.classify() {
        serde_json::error::Category::Data => HttpError::invalid(format!("the JSON body cannot be used: {err}")),
        _ => HttpError::malformed(format!("the body is not JSON: {err}")),
    })?;
    let mut photos = Vec::new();
    for (name, node) in entries {
        if is_photo_field(&name) {
            for item in node.items() {
                photos.push(photo(item, &name)?);
            }
        } else if let Some(value) = node.into_value(&name)? {
            parameters.add(name, value)?;
        }
    }
    Ok(photos)
}

fn photo(item: Item, name: &str) -> Result<Photo, HttpError> {
    let place = Place::Field(name.to_owned());
    match item {
        Item::Text(text) => {
            let photo = Photo::from_text(&text, place)?;
            match is_path_in_base64(&text, &photo) {
                false => Ok(photo),
                true => {
                    Err(photo.place.invalid(format!("it is {text:?}, expected a photo in base64 or as a data URI")))
                }
            }
        }
        other => Err(place.invalid(format!("it holds {other}, expected a photo in base64 or as a data URI"))),
    }
}

/// Returns whether a text looks like a path: it has only base64 digits, and they decode to no known format.
fn is_path_in_base64(text: &str, photo: &Photo) -> bool {
    const MAX_PATH_BYTES: usize = 256;
    let is_nothing = || FileKind::of(&photo.bytes) == FileKind::Other(OtherFile::Unknown);
    text.trim().starts_with('/') && text.len() <= MAX_PATH_BYTES && is_nothing()
}

/// The entries of the object.
struct Body(Vec<(String, Node)>);

/// A JSON value of a kind that is supported.
enum Node {
    Null,
    One(Item),
    Many(Vec<Item>),
}

enum Item {
    Text(String),
    Number(String),
    /// Names the kind of an unsupported value, for messages.
    Other(&'static str),
}

impl Node {
    fn items(self) -> Vec<Item> {
        match self {
            Self::Null => Vec::new(),
            Self::One(item) => vec![item],
            Self::Many(items) => items,
        }
    }

    fn into_item(self) -> Item {
        match self {
            Self::Null => Item::Other("null"),
            Self::One(item) => item,
            Self::Many(_) => Item::Other("a list"),
        }
    }

    /// As a parameter; `None` for null, which means that the parameter is not given.
    fn into_value(self, name: &str) -> Result<Option<Value>, HttpError> {
        let expected = if name == TOP_K { "a whole number" } else { "text" };
        let no_text = |item: Item| HttpError::invalid(format!("`{name}` holds {item}, expected {expected}"));
        Ok(Some(match self {
            Self::Null => return Ok(None),
            Self::One(Item::Text(text)) => Value::Text(text),
            Self::One(Item::Number(number)) => Value::Number(number),
            Self::One(other) => return Err(no_text(other)),
            Self::Many(items) => {
                let text = |item| match item {
                    Item::Text(text) => Ok(text),
                    other => Err(no_text(other)),
                };
                Value::List(items.into_iter().map(text).collect::<Result<_, _>>()?)
            }
        }))
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("text"),
            Self::Number(number) => write!(f, "the number {number}"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Body;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object such as {\"image\": \"data:image/jpeg;base64,…\", \"labels\": [\"acne\"]}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    if entries.len() == MAX_ENTRIES {
                        return Err(de::Error::custom(format!("more than {MAX_ENTRIES} keys")));
                    }
                    entries.push(entry);
                }
                Ok(Body(entries))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number or a list of texts")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, is_true: bool) -> Result<Node, E> {
        Ok(Node::One(Item::Other(if is_true { "true" } else { "false" })))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::One(Item::Number(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::One(Item::Number(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::One(Item::Number(number.to_string())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::One(Item::Text(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::One(Item::Text(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(node) = list.next_element::<Node>()? {
            if items.len() == MAX_ENTRIES {
                return Err(de::Error::custom(format!("more than {MAX_ENTRIES} entries in a list")));
            }
            items.push(node.into_item());
        }
        Ok(Node::Many(items))
    }

    /// Returns the text under one of [`PHOTO_KEYS`], at any depth.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            if PHOTO_KEYS.contains(&key.as_str()) && found.is_none() {
                found = Some(map.next_value::<Node>()?.into_item()).filter(|item| matches!(item, Item::Text(_)));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Node::One(found.unwrap_or(Item::Other("an object"))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(Vec<Photo>, Parameters), HttpError> {
        let mut parameters = Parameters::default();
        Ok((read(text, &mut parameters)?, parameters))
    }

    #[test]
    fn photos_come_in_the_forms_of_other_apis() {
        for (json, n_photos) in [
            (r#"{"image": "data:image/gif;base64,R0lG"}"#, 1),
            (r#"{"images": ["R0lG", "R0lG\n"]}"#, 2),
            (r#"{"image": {"url": "data:image/gif;base64,R0lG"}}"#, 1),
            (r#"{"image": {"type": "image_url", "image_url": {"url": "data:;base64,R0lG", "detail": "low"}}}"#, 1),
            (r#"{"image": {"type": "image", "source": {"type": "base64", "data": "R0lG"}}}"#, 1),
            (r#"{"image": {"b64_json": "R0lG"}}"#, 1),
            (r#"{"image": null, "labels": "a"}"#, 0),
        ] {
            let (photos, _) = parsed(json).unwrap();
            assert_eq!(photos.len(), n_photos, "{json}");
            assert!(photos.iter().all(|photo| &photo.bytes[..] == b"GIF"), "{json}");
        }
    }

    #[test]
    fn other_keys_are_parameters() {
        let json = r#"{"labels": ["a, b", "c"], "top_k": 5.0, "model": "m", "text": null}"#;
        let (_, mut parameters) = parsed(json).unwrap();
        assert_eq!(parameters.texts("labels").unwrap(), ["a, b", "c"]);
        assert_eq!(parameters.top_k(1), Ok(5));
        assert_eq!(parameters.one("model").unwrap().as_deref(), Some("m"));
        assert_eq!(parameters.finish(), Ok(()));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (json, expected) in [
            (r#"{"image": 5}"#, "`image`: it holds the number 5"),
            (r#"{"image": {"name": "a.jpg"}}"#, "`image`: it holds an object"),
            (r#"{"image": [["R0lG"]]}"#, "`image`: it holds a list"),
            (r#"{"labels": true}"#, "`labels` holds true, expected text"),
            (r#"{"top_k": true}"#, "`top_k` holds true, expected a whole number"),
            (r#"{"image": "/etc/passwd"}"#, "`image`: it is \"/etc/passwd\", expected a photo in base64"),
            (r#"{"texts": ["a", 1]}"#, "`texts` holds the number 1"),
            (r#"{"texts": ["a", null]}"#, "`texts` holds null"),
            ("[1]", "expected an object"),
            ("\"text\"", "expected an object"),
        ] {
            match parsed(json) {
                Err(HttpError::Invalid { what }) => assert!(what.contains(expected), "{json}: {what}"),
                other => panic!("{json}: {:?}", other.err()),
            }
        }
        for json in ["", " \n", "{", "{\"a\": }", "a=b", &"[".repeat(1000)] {
            assert!(
                matches!(parsed(json), Err(HttpError::Malformed { .. } | HttpError::Invalid { .. })),
                "{json:.20}"
            );
        }
        let many = format!("{{\"texts\": [{}0]}}", "0,".repeat(MAX_ENTRIES));
        assert!(matches!(parsed(&many), Err(HttpError::Invalid { what }) if what.contains("more than")));
    }
}

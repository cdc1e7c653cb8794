//! An ontology of skin conditions from a JSON file.
//!
//! Two forms are read: a map from each node to the list of its children, as Derm1M publishes (`{"root": ["inflammatory",
//! …], "inflammatory": ["infectious", …]}`), and nested objects (`{"inflammatory": {"infectious": {…}}}`). In both,
//! names may be written in any case. A name with commas lists synonyms (`"Nail diseases, nail disease"`).

use serde_json::{Map, Value};
use shared_model::json_kind::json_kind;
use std::collections::{BTreeMap, HashSet};

/// The node whose name is not part of a path.
const ROOT: &str = "root";

/// Why a file is no ontology.
#[derive(Debug, thiserror::Error)]
pub enum OntologyError {
    #[error("expected a JSON object of names, found {found}")]
    NotAnObject { found: &'static str },
    #[error("the node {node:?} has {found}, expected a list of names, an object or null")]
    Child { node: String, found: &'static str },
    #[error("the node {node:?} is its own ancestor")]
    Circle { node: String },
    #[error("the file is no JSON")]
    Json(#[from] serde_json::Error),
}

/// Names of conditions and their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ontology {
    paths: BTreeMap<String, Vec<String>>,
    /// The node of each synonym that is no node itself.
    synonyms: BTreeMap<String, String>,
}

impl Ontology {
    /// Reads the content of a file.
    ///
    /// # Errors
    /// [`OntologyError`] if it is no JSON, has other values than names, or a node that is its own ancestor.
    pub fn from_json(text: &str) -> Result<Self, OntologyError> {
        let value: Value = serde_json::from_str(text)?;
        let Value::Object(nodes) = value else {
            return Err(OntologyError::NotAnObject { found: json_kind(&value) });
        };
        let mut ontology = Self::default();
        if nodes.values().all(|value| matches!(value, Value::Array(_) | Value::Null)) {
            ontology.read_lists(&nodes)?;
        } else {
            ontology.read_nested(&nodes, &mut Vec::new())?;
        }
        ontology.read_synonyms();
        Ok(ontology)
    }

    /// The path of a condition, from the most general group to its own node.
    pub fn path(&self, name: &str) -> Option<&[String]> {
        let name = name.to_lowercase();
        self.paths.get(self.synonyms.get(&name).unwrap_or(&name)).map(Vec::as_slice)
    }

    /// All nodes and their paths, without the most general groups, which name no condition.
    pub fn conditions(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.paths.iter().filter(|(_, path)| path.len() > 1).map(|(name, path)| (name.as_str(), path.as_slice()))
    }

    fn read_synonyms(&mut self) {
        for node in self.paths.keys().filter(|node| node.contains(',')) {
            for name in node.split(',').map(str::trim).filter(|name| !self.paths.contains_key(*name)) {
                self.synonyms.entry(name.to_owned()).or_insert_with(|| node.clone());
            }
        }
    }

    fn read_lists(&mut self, nodes: &Map<String, Value>) -> Result<(), OntologyError> {
        let mut children: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (node, value) in nodes {
            let names = children.entry(node.to_lowercase()).or_default();
            for child in value.as_array().into_iter().flatten() {
                let Value::String(name) = child else {
                    return Err(OntologyError::Child { node: node.clone(), found: json_kind(child) });
                };
                names.push(name.to_lowercase());
            }
        }
        let is_child: HashSet<&String> = children.values().flatten().collect();
        let tops: Vec<&String> = match children.get(ROOT) {
            Some(tops) => tops.iter().collect(),
            None => children.keys().filter(|node| !is_child.contains(node)).collect(),
        };
        if tops.is_empty() {
            let node = children.keys().next().cloned().unwrap_or_default();
            return if children.is_empty() { Ok(()) } else { Err(OntologyError::Circle { node }) };
        }
        let mut pending: Vec<(String, Vec<String>)> =
            tops.into_iter().rev().map(|top| (top.clone(), Vec::new())).collect();
        while let Some((node, mut path)) = pending.pop() {
            if path.contains(&node) {
                return Err(OntologyError::Circle { node });
            }
            if self.paths.contains_key(&node) {
                continue; // a node with two parents has the path that is read first
            }
            path.push(node.clone());
            for child in children.get(&node).into_iter().flatten().rev() {
                pending.push((child.clone(), path.clone()));
            }
            self.paths.insert(node, path);
        }
        Ok(())
    }

    fn read_nested(&mut self, nodes: &Map<String, Value>, path: &mut Vec<String>) -> Result<(), OntologyError> {
        for (node, value) in nodes {
            let name = node.to_lowercase();
            let is_root = path.is_empty() && name == ROOT;
            if !is_root {
                path.push(name.clone());
                self.paths.entry(name).or_insert_with(|| path.clone());
            }
            match value {
                Value::Object(children) => self.read_nested(children, path)?,
                Value::Array(children) => self.read_leaves(node, children, path)?,
                Value::Null => {}
                Value::String(text) if text.is_empty() => {}
                _ => return Err(OntologyError::Child { node: node.clone(), found: json_kind(value) }),
            }
            if !is_root {
                path.pop();
            }
        }
        Ok(())
    }

    fn read_leaves(&mut self, node: &str, children: &[Value], path: &mut Vec<String>) -> Result<(), OntologyError> {
        for child in children {
            match child {
                Value::String(name) => {
                    path.push(name.to_lowercase());
                    self.paths.entry(name.to_lowercase()).or_insert_with(|| path.clone());
                    path.pop();
                }
                Value::Object(nested) => self.read_nested(nested, path)?,
                _ => return Err(OntologyError::Child { node: node.to_owned(), found: json_kind(child) }),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_children_and_nested_objects_give_the_same_paths() {
        let lists = r#"{"root": ["Inflammatory"], "Inflammatory": ["infectious"], "infectious": ["wart", "Scabies"], "wart": []}"#;
        let without_root = r#"{"inflammatory": ["infectious"], "infectious": ["wart", "scabies"]}"#;
        let nested = r#"{"inflammatory": {"infectious": {"wart": {}, "scabies": null}}}"#;
        let leaves = r#"{"root": {"inflammatory": {"infectious": ["wart", "scabies"]}}}"#;
        let expected = Ontology::from_json(lists).unwrap();
        assert_eq!(expected.path("Scabies").unwrap(), ["inflammatory", "infectious", "scabies"]);
        for text in [without_root, nested, leaves] {
            assert_eq!(Ontology::from_json(text).unwrap(), expected, "{text}");
        }
        assert_eq!(expected.conditions().count(), 3);
    }

    #[test]
    fn a_name_with_commas_is_found_by_each_of_its_synonyms() {
        let ontology = Ontology::from_json(
            r#"{"hereditary": {"Darier-White disease, Dariers disease": {}, "porphyria": {}}}"#,
        );
        let ontology = ontology.unwrap();
        let node = "darier-white disease, dariers disease";
        for name in ["Dariers disease", "darier-white disease", node] {
            assert_eq!(ontology.path(name).unwrap(), ["hereditary", node], "{name}");
        }
        assert_eq!((ontology.path("darier"), ontology.conditions().count()), (None, 2));
    }

    #[test]
    fn other_files_are_refused() {
        for (text, expected) in [
            ("[]", "found a list"),
            ("{\"a\": [1]}", "has a number"),
            ("{\"a\": {\"b\": 3}}", "\"b\" has a number"),
            ("{\"a\": [\"b\"], \"b\": [\"a\"]}", "its own ancestor"),
            ("{\"root\": [\"a\"], \"a\": [\"a\"]}", "its own ancestor"),
            ("{", "no JSON"),
        ] {
            let message = Ontology::from_json(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
        assert_eq!(Ontology::from_json("{}").unwrap(), Ontology::default());
    }
}

//! A checkpoint of another library under our own keys.
//!
//! Names and shapes are compared in the file's own words, so that an error names what the file has. What is several
//! tensors there and one here (queries, keys and values) is put together when it is read.

use super::derived::{Derived, DerivedPart};
use super::families::FAMILIES;
use super::key_rules::{Form, Part, Rule};
use super::{StoredTensor, Weights};
use crate::Result;
use crate::config::{ClipConfig, Parameter};
use std::collections::{BTreeMap, BTreeSet};

/// The rules for the keys of both towers, told by keys that only one family has.
pub struct KeyMap {
    rules: Vec<&'static Rule>,
}

/// Where one of our parameters is in the file.
struct Source {
    ours: Parameter,
    parts: Vec<SourcePart>,
    form: Form,
    scaled_by: Option<Parameter>,
}

struct SourcePart {
    /// The whole tensor in the file; without a name, zeros.
    theirs: Parameter,
    first_row: usize,
    n_rows: usize,
}

impl Weights {
    /// The tensors of a model of this config under our own names, with open_clip's position embeddings resized where
    /// the config asks for another length.
    ///
    /// # Errors
    /// [`crate::Error::CheckpointMismatch`] with every tensor that is missing, unexpected or misshapen.
    pub fn for_model(mut self, config: &ClipConfig) -> Result<Self> {
        self.fit_positions(config)?;
        KeyMap::of(&self).apply(self, config)
    }
}

impl KeyMap {
    /// Tells the families of both towers by the names of the tensors. Keys that are open_clip's own need no rule.
    pub fn of(weights: &Weights) -> Self {
        let shapes = weights.shapes();
        // open_clip's own projection is a parameter; as a layer it is called as transformers calls its.
        let is_own = |key: &str| key == "token_embedding.weight" && !shapes.contains_key("text_projection.weight");
        let is_there = |key: &str| shapes.contains_key(key) && !is_own(key);
        let rules = FAMILIES.iter().filter(|family| is_there(family.key)).flat_map(|family| family.rules.iter());
        let (mut rules, alternatives): (Vec<_>, Vec<_>) =
            rules.partition(|rule| rule.theirs.iter().all(|part| is_present(&shapes, part.name)));
        rules.extend(alternatives);
        Self { rules }
    }

    /// The names and shapes that the file of a model of this config has, each once.
    pub fn file_parameters(&self, config: &ClipConfig) -> Vec<Parameter> {
        let mut seen = BTreeSet::new();
        let sources = config.parameters().into_iter().map(|ours| self.source(ours));
        let theirs =
            sources.flat_map(|source| source.parts.into_iter().map(|part| part.theirs).chain(source.scaled_by));
        theirs.filter(|theirs| !theirs.name.is_empty() && seen.insert(theirs.name.clone())).collect()
    }

    /// Gives the tensors our own names.
    ///
    /// # Errors
    /// [`crate::Error::CheckpointMismatch`] with every tensor that the config does not lead to.
    pub fn apply(&self, mut weights: Weights, config: &ClipConfig) -> Result<Weights> {
        weights.check(&self.file_parameters(config), &[])?;
        if self.rules.is_empty() {
            return Ok(weights);
        }
        let sources: Vec<Source> = config.parameters().into_iter().map(|ours| self.source(ours)).collect();
        let file = std::mem::take(&mut weights.tensors);
        for Source { ours, parts, form, scaled_by } in sources {
            if let [part] = &parts[..]
                && form != Form::Transposed
                && scaled_by.is_none()
                && part.theirs.shape.iter().product::<usize>() == ours.shape.iter().product::<usize>()
                && let Some(stored) = file.get(&part.theirs.name)
            {
                weights.tensors.insert(ours.name, StoredTensor { shape: ours.shape, ..stored.clone() });
                continue;
            }
            let parts = parts.into_iter().map(|part| DerivedPart {
                stored: file.get(&part.theirs.name).map(|stored| (part.theirs.name, stored.clone())),
                first_row: part.first_row,
                n_rows: part.n_rows,
            });
            let derived = Derived {
                parts: parts.collect(),
                is_transposed: form == Form::Transposed,
                scale: scaled_by.and_then(|scale| Some((scale.name.clone(), file.get(&scale.name)?.clone()))),
                shape: ours.shape,
            };
            weights.derived.insert(ours.name, derived);
        }
        Ok(weights)
    }

    fn source(&self, ours: Parameter) -> Source {
        let found = self.rules.iter().find_map(|rule| Some((rule, Wildcards::of(rule.ours, &ours.name)?)));
        let Some((rule, wildcards)) = found else {
            let n_rows = ours.shape.first().copied().unwrap_or(1);
            let parts = vec![SourcePart { theirs: ours.clone(), first_row: 0, n_rows }];
            return Source { ours, parts, form: Form::Same, scaled_by: None };
        };
        let shape = match (rule.form, &ours.shape[..]) {
            (Form::Transposed, [n_in, n_out]) => vec![*n_out, *n_in],
            (_, shape) => shape.to_vec(),
        };
        let (n_rows, others) = shape.split_first().map_or((1, &[][..]), |(n_rows, others)| (*n_rows, others));
        let n_taken: usize = rule.theirs.iter().map(|part| part.taken).sum();
        let group_rows = n_rows / n_taken.max(1);
        let part = |part: &Part| {
            let mut shape = vec![group_rows * part.groups];
            shape.extend(others);
            if let Form::Leading(sides) = rule.form {
                shape.splice(..0, std::iter::repeat_n(1, sides));
            }
            SourcePart {
                theirs: Parameter { name: wildcards.fill(part.name), shape },
                first_row: group_rows * part.first,
                n_rows: group_rows * part.taken,
            }
        };
        let parts = rule.theirs.iter().map(part).collect();
        let scaled_by = rule.scaled_by.map(|name| Parameter { name: wildcards.fill(name), shape: vec![n_rows] });
        Source { ours, parts, form: rule.form, scaled_by }
    }
}

/// Whether a tensor of this layer is there, be it its weight or its bias.
fn is_present(shapes: &BTreeMap<&str, Vec<usize>>, pattern: &str) -> bool {
    let layer = |name| str::rsplit_once(name, '.').map_or("", |(layer, _)| layer);
    pattern.is_empty() || shapes.keys().any(|name| Wildcards::of(layer(pattern), layer(name)).is_some())
}

/// The parts of a name that match `{}` and a `*` at the end of a pattern.
struct Wildcards<'a> {
    number: &'a str,
    ending: &'a str,
}

impl<'a> Wildcards<'a> {
    fn of(pattern: &str, name: &'a str) -> Option<Self> {
        let (pattern, name, ending) = match pattern.strip_suffix('*') {
            Some(pattern) => {
                let ending = ["weight", "bias"].into_iter().find(|ending| name.ends_with(ending))?;
                (pattern, name.strip_suffix(ending)?, ending)
            }
            None => (pattern, name, ""),
        };
        match pattern.split_once("{}") {
            None => (pattern == name).then_some(Self { number: "", ending }),
            Some((before, behind)) => {
                let number = name.strip_prefix(before)?.strip_suffix(behind)?;
                let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
                is_number.then_some(Self { number, ending })
            }
        }
    }

    fn fill(&self, pattern: &str) -> String {
        let filled = pattern.replacen("{}", self.number, 1);
        match filled.strip_suffix('*') {
            Some(stem) => format!("{stem}{}", self.ending),
            None => filled,
        }
    }
}

//! What a checkpoint's tensors say of towers that its config does not describe.

use super::section::config_error;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// Names and shapes of a checkpoint's tensors, and the config of its text tower.
pub(super) struct Tensors<'a> {
    pub shapes: BTreeMap<&'a str, Vec<usize>>,
    /// `config.json` of the text tower.
    pub text_config: Option<&'a [u8]>,
}

/// The width of a head in all published models whose files do not say it.
const HEAD_WIDTH: usize = 64;

impl Tensors<'_> {
    pub fn has(&self, name: &str) -> bool {
        self.shapes.contains_key(name)
    }

    /// The sides of a tensor.
    pub fn shape<const N: usize>(&self, name: &str) -> Result<[usize; N]> {
        let shape = self.shapes.get(name);
        let shape = shape.ok_or_else(|| Error::Weights { detail: format!("tensor {name} is missing") })?;
        shape[..]
            .try_into()
            .map_err(|_| Error::Weights { detail: format!("tensor {name} is {shape:?}, expected {N} sides") })
    }

    /// How many layers there are: the layer after the highest one whose keys begin with `prefix` and a number.
    pub fn layers(&self, prefix: &str) -> usize {
        let number = |name: &&str| name.strip_prefix(prefix)?.split('.').next()?.parse::<usize>().ok();
        self.shapes.keys().filter_map(number).max().map_or(0, |last| last.saturating_add(1))
    }

    /// The number of heads of a tower whose files do not say it: each 64 wide, or one where the tower is narrower.
    pub fn heads(field: &str, width: usize) -> Result<usize> {
        match width.max(HEAD_WIDTH) {
            width if width.is_multiple_of(HEAD_WIDTH) => Ok(width / HEAD_WIDTH),
            _ => {
                let found = format!("absent, and the width of its tower is {width}");
                Err(config_error(field, found, &format!("heads that are {HEAD_WIDTH} wide")))
            }
        }
    }
}

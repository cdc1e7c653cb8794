//! Rows that stay together, and draws of a share of them.

use crate::table::Table;
use anyhow::Result;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashSet};

/// The group of each place. Without a column of groups, each row is one of its own.
pub struct Groups<'a> {
    column: Option<&'a str>,
    of_places: Vec<String>,
}

impl<'a> Groups<'a> {
    /// The groups that a column names. A row without a name is a group of its own.
    ///
    /// # Errors
    /// When the column is missing.
    pub fn of(table: &Table, rows: &[usize], name: Option<&'a str>) -> Result<Self> {
        let column = name.map(|name| table.column(&[name])).transpose()?;
        let group = |(place, &row): (usize, &usize)| match column.map(|column| table.cell(row, column).trim()) {
            Some(name) if !name.is_empty() => format!("group {name}"),
            _ => format!("row {place}"),
        };
        Ok(Self { column: name, of_places: rows.iter().enumerate().map(group).collect() })
    }

    /// The name of the column, if there is one.
    pub fn column(&self) -> Option<&'a str> {
        self.column
    }

    /// The places of `from` whose group no place of `others` has.
    pub fn free_of(&self, others: &[usize], from: &[usize]) -> Vec<usize> {
        let of_others = self.names(others);
        from.iter().copied().filter(|&place| !of_others.contains(self.name(place))).collect()
    }

    /// How many places of `from` are of a group that `others` have, too.
    pub fn n_shared(&self, from: &[usize], others: &[usize]) -> usize {
        from.len() - self.free_of(others, from).len()
    }

    /// How many groups some places are of.
    pub fn n_groups(&self, places: &[usize]) -> usize {
        self.names(places).len()
    }

    /// A share of some places, ascending: of each class the same share, or whole groups until the share is reached.
    pub fn drawn(&self, from: &[usize], labels: &[usize], share: f64, seed: u64) -> Vec<usize> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut together: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let key = |place: usize| match self.column {
            Some(_) => self.name(place).to_owned(),
            None => format!("class {:09}", labels[place]),
        };
        from.iter().for_each(|&place| together.entry(key(place)).or_default().push(place));
        let mut taken = Vec::new();
        if self.column.is_some() {
            let mut groups: Vec<Vec<usize>> = together.into_values().collect();
            groups.shuffle(&mut rng);
            let n = (share * from.len() as f64).round() as usize;
            for group in groups {
                if taken.len() >= n {
                    break;
                }
                taken.extend(group);
            }
        } else {
            for mut places in together.into_values() {
                places.shuffle(&mut rng);
                let n = (share * places.len() as f64).round() as usize;
                taken.extend(&places[..n.min(places.len())]);
            }
        }
        taken.sort_unstable();
        taken
    }

    fn name(&self, place: usize) -> &str {
        &self.of_places[place]
    }

    fn names(&self, places: &[usize]) -> HashSet<&str> {
        places.iter().map(|&place| self.name(place)).collect()
    }
}

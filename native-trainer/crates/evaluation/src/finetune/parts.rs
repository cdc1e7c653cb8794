//! The rows of each part of labeled data, and what readers must know of them.

use crate::report;
use crate::results::UnreadableImage;
use anyhow::{Context, Result};
use std::collections::HashSet;

/// Places among the rows that were given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parts {
    pub train: Vec<usize>,
    pub validation: Vec<usize>,
    pub test: Vec<usize>,
    /// How they came about and what is wrong with them, in words.
    pub notes: Vec<String>,
}

impl Parts {
    /// The parts with their names.
    pub fn named(&self) -> [(&'static str, &[usize]); 3] {
        [("training", &self.train), ("validation", &self.validation), ("test", &self.test)]
    }

    /// Adds a note that the user should see at once.
    pub fn warn(&mut self, note: String) {
        tracing::warn!("{note}");
        self.notes.push(note);
    }

    /// Warns of images that cannot be read, with their number in each part; `rows` are the rows of all places.
    pub fn warn_of_unreadable(&mut self, unreadable: &[UnreadableImage], rows: &[usize]) {
        let unreadable_rows: HashSet<usize> = unreadable.iter().map(|image| image.row - 1).collect();
        let of_part = |(name, part): (&str, &[usize])| {
            let n = part.iter().filter(|&&place| unreadable_rows.contains(&rows[place])).count();
            (n > 0).then(|| format!("{n} of the {name}"))
        };
        let of_parts: Vec<String> = self.named().into_iter().filter_map(of_part).collect();
        let of_parts = format!(" ({})", of_parts.join(", "));
        if let Some(note) = report::unreadable(unreadable, rows.len(), &of_parts) {
            self.warn(note);
        }
    }
}

/// Takes out of the training what is in the validation or the test by the content of its file, and out of the validation
/// what is in the test.
pub fn without_copies(parts: &mut Parts, content: impl Fn(usize) -> Option<String>) -> Result<()> {
    let contents =
        |places: &[usize]| places.iter().filter_map(|&place| content(place)).collect::<HashSet<String>>();
    let mut others = contents(&parts.test);
    let mut n_left_out = 0;
    let mut keep = |places: &mut Vec<usize>, others: &HashSet<String>| {
        let before = places.len();
        places.retain(|&place| content(place).is_none_or(|content| !others.contains(&content)));
        n_left_out += before - places.len();
    };
    keep(&mut parts.validation, &others);
    others.extend(contents(&parts.validation));
    keep(&mut parts.train, &others);
    if n_left_out > 0 {
        parts.warn(format!("{n_left_out} rows are left out whose image is also in the validation or the test"));
    }
    let is_trainable = !parts.train.is_empty() && !parts.validation.is_empty();
    is_trainable.then_some(()).context("every training or validation image is also in the test")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_of_test_images_are_left_out() {
        let mut parts = Parts { train: vec![0, 1, 2], validation: vec![3, 4], test: vec![5], notes: vec![] };
        let contents = ["a", "t", "v", "v", "t", "t"];
        without_copies(&mut parts, |place| Some(contents[place].to_string())).unwrap();
        assert_eq!((parts.train, parts.validation), (vec![0], vec![3]));
        assert!(parts.notes[0].starts_with("3 rows are left out"), "{:?}", parts.notes);
        let mut all = Parts { train: vec![0], validation: vec![1], test: vec![2], notes: vec![] };
        assert!(without_copies(&mut all, |_| Some("same".into())).is_err());
    }

    #[test]
    fn unreadable_images_are_counted_by_part() {
        let mut parts = Parts { train: vec![0, 1, 2], validation: vec![3], test: vec![4], notes: vec![] };
        let rows = [10, 11, 12, 13, 14];
        parts.warn_of_unreadable(&[], &rows);
        assert_eq!(parts.notes, Vec::<String>::new());
        let image = |row: usize| UnreadableImage { row: row + 1, file: "a.jpg".into(), problem: "no file".into() };
        parts.warn_of_unreadable(&[image(10), image(12), image(14)], &rows);
        let expected =
            "3 of 5 images cannot be read and are left out (2 of the training, 1 of the test): row 11: no file";
        assert!(parts.notes[0].starts_with(expected), "{:?}", parts.notes);
    }
}

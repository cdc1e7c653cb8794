//! The parts of a table: rows to train on, and rows that are kept for the validation or the test.

use super::TrainingTable;
use dermake_sources::columns::{self, are_of_part};
use std::collections::BTreeMap;

/// What the rows of a table are used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Training,
    Validation,
}

/// What rows are called whose part is not known.
const NO_PART: &str = "no known part";

impl TrainingTable {
    /// The table with the rows of one part: if its column `split` says of some row that it is of this part, all others are
    /// left out. They keep their numbers, but are neither usable nor bad, and none of their captions counts.
    pub fn of_part(mut self, part: Part) -> Self {
        let name = match part {
            Part::Training => columns::TRAIN,
            Part::Validation => columns::VALIDATION,
        };
        let is_of_part = are_of_part(&self.parts, name);
        for row in (0..is_of_part.len()).filter(|&row| !is_of_part[row]) {
            self.left_out.insert(row, self.parts[row].unwrap_or(NO_PART));
            self.is_usable[row] = false;
            self.masks[row] = 0;
        }
        let left_out = &self.left_out;
        self.problems.retain(|problem| !left_out.contains_key(&problem.row));
        self
    }

    /// The rows that are not left out, usable or not.
    pub fn rows_of_part(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(|row| !self.left_out.contains_key(row))
    }

    /// Number of rows that are not left out.
    pub fn n_rows_of_part(&self) -> usize {
        self.len() - self.left_out.len()
    }

    /// Rows that are left out, counted by their part.
    pub fn n_left_out(&self) -> BTreeMap<&'static str, usize> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        self.left_out.values().for_each(|part| *counts.entry(*part).or_default() += 1);
        counts
    }

    /// Says which rows are left out: "5 rows of test and 4 of validation".
    pub fn left_out_in_words(&self) -> Option<String> {
        let counts: Vec<(&str, usize)> = self.n_left_out().into_iter().collect();
        let (&(part, n), others) = counts.split_first()?;
        let rows = if n == 1 { "row" } else { "rows" };
        let others: String = others.iter().map(|(part, n)| format!(" and {n} of {part}")).collect();
        Some(format!("{n} {rows} of {part}{others}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Part;
    use crate::schema::TableOptions;
    use crate::table::TrainingTable;
    use std::path::Path;

    fn table(rows: &str) -> TrainingTable {
        let text = format!("image,caption,Split\n{rows}");
        TrainingTable::from_bytes(text.as_bytes(), Path::new("t.csv"), &TableOptions::default()).unwrap()
    }

    #[test]
    fn rows_of_other_parts_are_neither_trained_on_nor_bad() {
        let rows = "a.png,x,train\nb.png,y, Test \n,z,test\nd.png,v,val\ne.png,w,Training\nf.png,u,\n";
        let whole = table(rows);
        assert_eq!((whole.usable_rows().count(), whole.problems().len()), (5, 1));
        let hash = whole.content_sha256();
        let train = whole.of_part(Part::Training);
        assert_eq!(train.usable_rows().collect::<Vec<_>>(), [0, 4]);
        assert_eq!((train.n_rows_of_part(), train.len(), train.problems().len()), (2, 6, 0));
        assert!(train.mask(1).all(|counts| !counts) && train.mask(4).any(|counts| counts));
        let left_out = train.left_out_in_words();
        assert_eq!(left_out.as_deref(), Some("1 row of no known part and 2 of test and 1 of validation"));
        assert_ne!(train.content_sha256(), hash, "other rows are another training");
        assert_eq!(table(rows).of_part(Part::Validation).usable_rows().collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn a_table_that_names_no_row_of_the_part_is_used_whole() {
        for rows in ["a.png,x,test\nb.png,y,test\n", "a.png,x,1\nb.png,y,2\n", "a.png,x,\nb.png,y,\n"] {
            let table = table(rows).of_part(Part::Training);
            assert_eq!((table.usable_rows().count(), table.left_out_in_words()), (2, None), "{rows}");
        }
    }
}

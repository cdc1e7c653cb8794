//! The cells of a data set, in one string, so that a million rows fit in memory.

/// Rows of texts. Rows may differ in length: columns that were found later are missing in earlier rows.
#[derive(Default)]
pub(crate) struct Cells {
    texts: String,
    /// Where each cell ends in `texts`.
    ends: Vec<usize>,
    /// The first cell of each row.
    starts: Vec<usize>,
}

impl Cells {
    pub fn push_row<'a>(&mut self, cells: impl Iterator<Item = &'a str>) {
        self.starts.push(self.ends.len());
        for cell in cells {
            self.texts.push_str(cell);
            self.ends.push(self.texts.len());
        }
    }

    /// A cell, empty where it is missing.
    ///
    /// # Panics
    /// When there is no row of this number.
    pub fn get(&self, row: usize, column: usize) -> &str {
        let end = self.starts.get(row + 1).copied().unwrap_or(self.ends.len());
        let cell = self.starts[row] + column;
        if cell >= end {
            return "";
        }
        let start = cell.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.texts[start..self.ends[cell]]
    }

    pub fn shrink_to_fit(&mut self) {
        self.texts.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.starts.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_may_differ_in_length() {
        let mut cells = Cells::default();
        for row in [vec!["a", "", "bc"], vec![], vec!["d"]] {
            cells.push_row(row.into_iter());
        }
        let all: Vec<&str> =
            (0..3).flat_map(|row| (0..3).map(move |column| (row, column))).map(|(r, c)| cells.get(r, c)).collect();
        assert_eq!(all, ["a", "", "bc", "", "", "", "d", "", ""]);
    }
}

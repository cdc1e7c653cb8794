//! Tokens of texts that begin alike.

use std::collections::HashMap;

/// The tokens of texts of a causal tower: each beginning that several texts have is there once, since nothing behind a
/// token changes it.
pub(crate) struct SharedTokens {
    /// The id of each distinct token.
    pub ids: Vec<u32>,
    /// Its position in its texts.
    pub positions: Vec<u32>,
    /// Its first place in [`Self::rows`].
    pub places: Vec<usize>,
    /// Of all texts behind one another: the row of each token among the distinct ones.
    pub rows: Vec<usize>,
    /// The first place in `rows` of each text and behind them the number of all.
    pub starts: Vec<usize>,
}

impl SharedTokens {
    /// Finds the distinct beginnings of texts.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a [u32]>) -> Self {
        let mut shared = Self { ids: vec![], positions: vec![], places: vec![], rows: vec![], starts: vec![0] };
        // The row of the token before, and the id.
        let mut known: HashMap<(Option<usize>, u32), usize> = HashMap::new();
        for text in texts {
            let mut before = None;
            for (position, &id) in text.iter().enumerate() {
                let row = *known.entry((before, id)).or_insert_with(|| {
                    shared.ids.push(id);
                    shared.positions.push(position as u32);
                    shared.places.push(shared.rows.len());
                    shared.ids.len() - 1
                });
                shared.rows.push(row);
                before = Some(row);
            }
            shared.starts.push(shared.rows.len());
        }
        shared
    }

    /// Returns the rows of the last token of each text.
    pub fn last_rows(&self) -> Vec<usize> {
        self.starts[1..].iter().map(|&end| self.rows[end - 1]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_there_once() {
        let texts: [&[u32]; 4] = [&[7, 1, 9], &[7, 1, 2, 9], &[7, 2, 9], &[7, 1, 9]];
        let shared = SharedTokens::of(texts);
        assert_eq!(shared.ids, [7, 1, 9, 2, 9, 2, 9]);
        assert_eq!(shared.positions, [0, 1, 2, 2, 3, 1, 2]);
        assert_eq!(shared.rows, [0, 1, 2, 0, 1, 3, 4, 0, 5, 6, 0, 1, 2]);
        assert_eq!(shared.starts, [0, 3, 7, 10, 13]);
        assert_eq!(shared.last_rows(), [2, 4, 6, 2]);
        assert!(shared.places.iter().enumerate().all(|(row, &place)| shared.rows[place] == row));
    }
}

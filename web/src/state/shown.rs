//! How many rows of a list are shown before the visitor expands it.

/// Fewest rows that are hidden: a button in place of one row saves no room.
const MIN_HIDDEN: usize = 2;

/// Number of rows to show of `n_rows`, if `n_first` are enough.
pub fn n_shown(n_rows: usize, n_first: usize) -> usize {
    if n_rows < n_first + MIN_HIDDEN { n_rows } else { n_first }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_hides_no_row_alone() {
        assert_eq!([0, 4, 5, 6, 7, 114].map(|n_rows| n_shown(n_rows, 5)), [0, 4, 5, 6, 5, 5]);
    }
}

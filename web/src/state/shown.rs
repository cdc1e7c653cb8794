//! How many rows of a list are shown before the visitor expands it.

/// Fewest rows that a list hides: a button takes as much room as one row.
const MIN_HIDDEN: usize = 2;

/// Returns how many of `n_rows` are shown at first: `n_first`, or all if that would hide only one.
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

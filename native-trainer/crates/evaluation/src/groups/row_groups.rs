//! Which group each row is of.

/// Rows by a group each.
#[derive(Clone, Debug, PartialEq)]
pub struct RowGroups {
    /// In their order, the unknown last.
    pub names: Vec<String>,
    /// The place of each row's group among the names.
    pub of_rows: Vec<usize>,
}

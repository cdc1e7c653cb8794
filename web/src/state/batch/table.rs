//! The rows of the table that are shown: filtered, sorted, a page at a time.

use super::Batch;
use super::row::Row;

/// Rows on a page.
const PAGE_ROWS: usize = 50;

/// The rows of one page.
#[derive(Clone, Debug, PartialEq)]
pub struct TablePage {
    /// Each with its index among all files.
    pub rows: Vec<(usize, Row)>,
    /// Rows on all pages.
    pub n_rows: usize,
    pub page: usize,
    pub n_pages: usize,
}

impl Batch {
    /// The page of the table that is shown. `remark` is what the table says of a row beside its name and English label,
    /// in the visitor's language: the filter finds it, too.
    pub fn shown(&self, remark: impl Fn(&Row) -> Option<String>) -> TablePage {
        let part = self.view.filter.trim().to_lowercase();
        let mut rows: Vec<(usize, &Row)> =
            self.rows.iter().enumerate().filter(|(_, row)| row.contains(&part, remark(row))).collect();
        // A photo that is searched is before its copies.
        let is_other = |(index, _): &(usize, &Row)| Some(*index) != self.searched_photo();
        rows.sort_by(|a, b| self.view.compare(a, b).then(is_other(a).cmp(&is_other(b))).then(a.0.cmp(&b.0)));
        let n_pages = rows.len().div_ceil(PAGE_ROWS).max(1);
        let page = self.view.page.min(n_pages - 1);
        let shown = rows.iter().skip(page * PAGE_ROWS).take(PAGE_ROWS).map(|(index, row)| (*index, (*row).clone()));
        TablePage { rows: shown.collect(), n_rows: rows.len(), page, n_pages }
    }
}

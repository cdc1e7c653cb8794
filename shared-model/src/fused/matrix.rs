//! Products of f32 matrices within slices.

use crate::output::Rows;
use gemm::Parallelism;

/// A matrix within a slice, or its transpose.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    /// Values from one row to the next, and from one column to the next.
    strides: (usize, usize),
}

impl<'a> Matrix<'a> {
    /// Takes all of `values` as rows of `columns` values.
    ///
    /// # Panics
    /// When they are no whole rows.
    pub fn new(values: &'a [f32], columns: usize) -> Self {
        assert!(columns > 0 && values.len().is_multiple_of(columns), "{} values, {columns} columns", values.len());
        Self { values, rows: values.len() / columns, columns, strides: (columns, 1) }
    }

    /// Takes rows that begin at the start of `values` and every `stride` values from there.
    ///
    /// # Panics
    /// When they are not within `values`.
    pub fn strided(values: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        let fits = rows == 0 || columns == 0 || (rows - 1) * stride + columns <= values.len();
        assert!(fits, "{rows} rows of {columns} values, {stride} apart, of {}", values.len());
        Self { values, rows, columns, strides: (stride, 1) }
    }

    /// Returns the number of rows.
    pub fn rows(self) -> usize {
        self.rows
    }

    /// Returns the number of columns.
    pub fn columns(self) -> usize {
        self.columns
    }

    /// Returns the rows from `start` to `end`.
    ///
    /// # Panics
    /// When it has fewer.
    pub fn rows_between(self, start: usize, end: usize) -> Self {
        assert!(start < end && end <= self.rows, "rows {start} to {end} of {}", self.rows);
        Self { values: &self.values[start * self.strides.0..], rows: end - start, ..self }
    }

    /// Returns the transpose.
    pub fn t(self) -> Self {
        let (row_stride, column_stride) = self.strides;
        Self { rows: self.columns, columns: self.rows, strides: (column_stride, row_stride), ..self }
    }
}

/// How [`product`] computes and stores a product.
#[derive(Clone, Copy)]
pub(super) struct Mode {
    /// The factor of the product.
    pub scale: f32,
    /// Whether the product is added to what is stored.
    pub accumulates: bool,
    /// On which threads.
    pub parallelism: Parallelism,
}

/// `out = scale a b`, or `out += scale a b`.
///
/// # Panics
/// When the sizes of the matrices do not fit.
pub(super) fn product(a: Matrix<'_>, b: Matrix<'_>, mut out: Rows<'_, f32>, mode: Mode) {
    let size = out.size();
    assert_eq!(a.columns, b.rows, "the inner sizes of a matrix product differ");
    assert_eq!((size.n_rows, size.width), (a.rows, b.columns), "the size of a matrix product");
    // SAFETY: `a` and `b` are within their slices and `out` is exclusive: their constructors checked it.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            size.stride as isize,
            mode.accumulates,
            a.values.as_ptr(),
            a.strides.1 as isize,
            a.strides.0 as isize,
            b.values.as_ptr(),
            b.strides.1 as isize,
            b.strides.0 as isize,
            if mode.accumulates { 1.0 } else { 0.0 },
            mode.scale,
            false,
            false,
            false,
            mode.parallelism,
        );
    }
}

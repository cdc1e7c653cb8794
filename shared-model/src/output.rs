//! Arrays that parallel tasks fill, each task in places of its own.
//!
//! [`Output`] checks bounds; that no two tasks use one place is the promise behind its `unsafe` functions.

use std::marker::PhantomData;

/// An array that several tasks fill at the same time.
pub(crate) struct Output<'a, T> {
    start: *mut T,
    len: usize,
    _array: PhantomData<&'a mut [T]>,
}

// SAFETY: an `Output` is an exclusive borrow of the array, and tasks that share it use places of their own.
unsafe impl<T: Send> Send for Output<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Output<'_, T> {}

impl<T> Clone for Output<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Output<'_, T> {}

impl<'a, T> Output<'a, T> {
    /// Borrows `values` for the tasks.
    pub fn new(values: &'a mut [T]) -> Self {
        Self { start: values.as_mut_ptr(), len: values.len(), _array: PhantomData }
    }

    /// Returns the `len` values from `offset` on.
    ///
    /// # Safety
    /// Nothing else reads or writes these values as long as the slice is used.
    ///
    /// # Panics
    /// When they are not within the array.
    #[inline(always)]
    pub unsafe fn slice(self, offset: usize, len: usize) -> &'a mut [T] {
        assert!(offset <= self.len && len <= self.len - offset, "{len} values from {offset} on, of {}", self.len);
        // SAFETY: the values are within the array, which is borrowed for `'a`; they are not shared, as promised.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(offset), len) }
    }

    /// Returns rows within the array, the first of them from `offset` on.
    ///
    /// # Safety
    /// Nothing else reads or writes the values of these rows as long as they are used.
    ///
    /// # Panics
    /// When they are not within the array, or overlap.
    pub unsafe fn rows(self, offset: usize, size: RowsSize) -> Rows<'a, T> {
        let RowsSize { n_rows, width, stride } = size;
        let is_empty = n_rows == 0 || width == 0;
        let before_last =
            n_rows.saturating_sub(1).checked_mul(stride).and_then(|values| values.checked_add(offset));
        let end = before_last.and_then(|values| values.checked_add(width));
        let fits = is_empty || (width <= stride && end.is_some_and(|end| end <= self.len));
        assert!(fits, "{n_rows} rows of {width} values, {stride} apart, from {offset} on, of {}", self.len);
        // SAFETY: the offset is within the array, or nothing is read or written.
        Rows { start: unsafe { self.start.add(if is_empty { 0 } else { offset }) }, size, _array: PhantomData }
    }
}

/// Sizes of [`Rows`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowsSize {
    /// Number of rows.
    pub n_rows: usize,
    /// Values of one row.
    pub width: usize,
    /// Values from the start of one row to that of the next.
    pub stride: usize,
}

/// Rows within an array that nothing else uses.
pub(crate) struct Rows<'a, T> {
    start: *mut T,
    size: RowsSize,
    _array: PhantomData<&'a mut [T]>,
}

impl<'a, T> Rows<'a, T> {
    /// Takes all of `values` as rows of `width` values.
    ///
    /// # Panics
    /// When they are no whole rows.
    pub fn of(values: &'a mut [T], width: usize) -> Self {
        let n_rows = values.len().checked_div(width).unwrap_or(0);
        assert_eq!(values.len(), n_rows * width, "values of rows of {width}");
        // SAFETY: the array is borrowed by nothing else.
        unsafe { Output::new(values).rows(0, RowsSize { n_rows, width, stride: width }) }
    }

    /// Takes rows within `values`, the first of them from `offset` on.
    ///
    /// # Panics
    /// When they are not within the array, or overlap.
    pub fn within(values: &'a mut [T], offset: usize, size: RowsSize) -> Self {
        // SAFETY: the array is borrowed by nothing else.
        unsafe { Output::new(values).rows(offset, size) }
    }

    /// Returns the sizes.
    pub fn size(&self) -> RowsSize {
        self.size
    }

    /// Returns the address of the first value, for code that writes rows by their [`size`](Self::size).
    pub fn as_mut_ptr(&mut self) -> *mut T {
        self.start
    }

    /// Returns `len` values of a row from `column` on.
    ///
    /// # Panics
    /// When they are not within the row.
    #[inline(always)]
    pub fn part(&mut self, row: usize, column: usize, len: usize) -> &mut [T] {
        let RowsSize { n_rows, width, stride } = self.size;
        assert!(row < n_rows && column <= width && len <= width - column, "values {column} of row {row}");
        // SAFETY: the part is within a row, and the rows are within their array and borrowed by nothing else.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(row * stride + column), len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn tasks_fill_their_own_places() {
        let mut values = vec![0; 12];
        let output = Output::new(&mut values);
        for task in 0..2 {
            // SAFETY: each task has columns of its own.
            let mut rows = unsafe { output.rows(task * 2, RowsSize { n_rows: 3, width: 2, stride: 4 }) };
            for row in 0..3 {
                rows.part(row, 0, 2).copy_from_slice(&[10 * row + task, 10 * row + task]);
            }
        }
        assert_eq!(values, [0, 0, 1, 1, 10, 10, 11, 11, 20, 20, 21, 21]);
    }

    #[test]
    fn places_outside_of_the_array_are_refused() {
        let mut values = vec![0u8; 10];
        let output = Output::new(&mut values);
        let refuses = |work: &dyn Fn()| catch_unwind(AssertUnwindSafe(work)).is_err();
        // SAFETY: none of the places is used.
        unsafe {
            for (offset, len) in [(10, 1), (0, 11), (11, 0), (9, usize::MAX)] {
                assert!(
                    refuses(&|| {
                        output.slice(offset, len);
                    }),
                    "{len} from {offset} on"
                );
            }
            for (offset, n_rows, width, stride) in
                [(0, 3, 4, 4), (3, 2, 4, 4), (0, 2, 3, 2), (usize::MAX, 1, 4, 4), (0, usize::MAX, 4, 4)]
            {
                let size = RowsSize { n_rows, width, stride };
                assert!(
                    refuses(&|| {
                        output.rows(offset, size);
                    }),
                    "{size:?} from {offset} on"
                );
            }
            output.rows(99, RowsSize { n_rows: 0, width: 4, stride: 4 });
        }
        let mut rows = Rows::of(&mut values, 5);
        for (row, column, len) in [(2, 0, 1), (0, 5, 1), (1, 1, 5)] {
            assert!(
                catch_unwind(AssertUnwindSafe(|| {
                    rows.part(row, column, len);
                }))
                .is_err()
            );
        }
    }
}

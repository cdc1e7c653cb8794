//! The order in which a packed int8 matrix is stored: `[out / 16, in / 4, 16, 4]`, as the kernels read it.

/// Output channels in a panel, the outer unit of a packed matrix.
pub(crate) const INT8_PANEL: usize = 16;

/// Steps along `in` that are stored together for each channel of a panel.
pub(crate) const INT8_QUAD: usize = 4;

/// Bytes of a quad of all channels of a panel.
pub(crate) const QUAD_BYTES: usize = INT8_PANEL * INT8_QUAD;

/// Returns whether a matrix `[n_out, n_in]` can be packed: whole panels and whole quads.
pub(crate) fn is_packable(n_out: usize, n_in: usize) -> bool {
    n_in > 0 && n_out.is_multiple_of(INT8_PANEL) && n_in.is_multiple_of(INT8_QUAD)
}

/// Reorders a row-major matrix `[n_out, n_in]` that [`is_packable`] into the packed order.
pub(crate) fn pack(values: &[i8], n_out: usize, n_in: usize) -> Vec<i8> {
    let quad_of = |panel: usize, quad: usize| {
        (0..INT8_PANEL).flat_map(move |channel| {
            let start = (panel * INT8_PANEL + channel) * n_in + quad * INT8_QUAD;
            start..start + INT8_QUAD
        })
    };
    (0..n_out / INT8_PANEL)
        .flat_map(|panel| (0..n_in / INT8_QUAD).flat_map(move |quad| quad_of(panel, quad)))
        .map(|index| values[index])
        .collect()
}

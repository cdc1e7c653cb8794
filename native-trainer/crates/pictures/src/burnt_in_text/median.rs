//! The median.

/// The middle of the values, or the mean of the two in the middle; 0 if there are none.
pub fn median(values: &mut [f32]) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    let n = values.len();
    if n == 0 { 0.0 } else { f32::midpoint(values[(n - 1) / 2], values[n / 2]) }
}

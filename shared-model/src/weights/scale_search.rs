//! Chooses the scale of weights that are rounded to codes of a few bits.

/// Number of scales that are tried.
const TRIED: usize = 16;

/// Returns the scale with the least squared error, each weight's counted `importance` times.
///
/// Tries `widest`, the scale for the largest weight, and fractions of it down to a half, each as `stored` rounds it.
/// `nearest` returns the code of a weight at a scale.
pub(crate) fn least_error_scale(
    weights: &[f32],
    widest: f32,
    stored: impl Fn(f32) -> f32,
    nearest: impl Fn(f32, f32) -> i8,
    importance: impl Fn(usize) -> f32,
) -> f32 {
    let error = |scale: f32| -> f32 {
        let of = |weight: f32| weight - scale * f32::from(nearest(weight, scale));
        weights.iter().enumerate().map(|(at, &weight)| importance(at) * of(weight) * of(weight)).sum()
    };
    let tried = (0..TRIED).map(|step| stored(widest * (1.0 - step as f32 / (2 * TRIED) as f32)));
    let tried = tried.map(|scale| (scale, error(scale)));
    tried.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(widest, |(scale, _)| scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_scale_is_kept_unless_a_smaller_one_has_less_error() {
        let nearest = |weight: f32, scale: f32| (weight / scale).round().clamp(-1.0, 1.0) as i8;
        let best = |weights: &[f32], importance: &[f32]| {
            least_error_scale(weights, 1.0, |scale| scale, nearest, |at| importance[at])
        };
        assert_eq!(best(&[1.0, -1.0, 0.0], &[1.0; 3]), 1.0);
        // 0.75 is one of the fractions; the weight that counts is then exact.
        assert_eq!(best(&[1.0, 0.75], &[0.0, 1.0]), 0.75);
    }

    #[test]
    fn a_scale_is_tried_as_it_is_stored() {
        let nearest = |weight: f32, scale: f32| (weight / scale).round().clamp(-1.0, 1.0) as i8;
        let to_quarters = |scale: f32| (scale * 4.0).round() / 4.0;
        assert_eq!(least_error_scale(&[0.7], 1.0, to_quarters, nearest, |_| 1.0), 0.75);
    }
}

//! Luma: how bright a color is to people.

/// Weights of red, green and blue in luma (ITU-R BT.601), as in Pillow's mode L.
pub const LUMA_WEIGHTS: [f64; 3] = [0.299, 0.587, 0.114];

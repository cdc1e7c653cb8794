//! CPU kernels of a transformer block on slices of f32, forward and backward, for training engines.
//!
//! The towers use the forward kernels on the CPU; Dermake's trainer uses all of them instead of candle's autograd.
//! Matrices are row-major. Sums over rows do not depend on the number of threads.
//!
//! Letters in shapes: T tokens of all sequences, D width, H heads, W width of a head.

mod activation;
mod attention;
pub(crate) mod exp;
mod layer_norm;
mod matrix;
mod product;

pub(crate) use activation::activate;
pub use activation::{activation, activation_gradient};
pub(crate) use attention::attention_of_first;
pub use attention::{Heads, attention, attention_gradient};
pub(crate) use exp::softmax;
pub(crate) use layer_norm::normalize;
pub use layer_norm::{layer_norm, layer_norm_gradient};
pub(crate) use matrix::Matrix;
pub use product::{add_column_sums, add_weight_gradient, input_gradient, linear, project};
pub(crate) use product::{add_scaled, add_symmetric};

/// Rows of one task. The number is fixed, so that sums over rows do not depend on the number of threads.
const ROWS_PER_TASK: usize = 64;

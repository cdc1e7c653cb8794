//! Matrix products of weights that are packed once.
//!
//! [`int8`] multiplies weights of signed bytes by activations of seven bits, [`short`] 16-bit integers by 16-bit
//! integers; their sums are equal on every instruction set, and the property tests compare every kernel with a scalar
//! reference. [`dense`] multiplies f32 weights by f32 activations.

pub(crate) mod dense;
pub(crate) mod int8;
mod panel_groups;
mod panel_matrix;
pub(crate) mod short;
mod weighted_rows;

pub(crate) use panel_groups::{MOST_PANELS, PanelGroups, occupies_threads};
pub(crate) use panel_matrix::{PanelMatrix, Place, Values, multiply_apart};
pub(crate) use weighted_rows::weighted_rows;

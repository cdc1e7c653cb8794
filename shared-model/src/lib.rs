//! One model crate.

//! One model crate.
pub mod config;
mod error;
pub use error::{Error, MismatchReport, Misshapen, Result};

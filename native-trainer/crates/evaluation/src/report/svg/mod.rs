//! The figures of the report that are drawn as SVG.

pub mod confusion;
pub mod embedding_map;
pub mod probe_curves;
pub mod reliability;
pub mod roc;
mod wrapped;

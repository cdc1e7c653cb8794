//! Checks of what reads strangers' bytes. A check takes any bytes, and panics where the reader breaks a promise.

mod api;
mod check;
mod config;
mod dataset;
mod image;
mod labels;
mod manifest;
mod mask;
mod pickle;
mod quantized;
mod safetensors;
mod shards;
mod table;
mod text;

pub use check::Check;

/// A reader that is fuzzed. Its seeds are in `seeds/NAME`.
pub struct Target {
    pub name: &'static str,
    /// Makes what the check needs for all inputs.
    pub prepare: fn() -> Check,
}

/// All targets, by name.
pub const TARGETS: &[Target] = &[
    Target { name: "api", prepare: api::prepare },
    Target { name: "config", prepare: || Box::new(config::run) },
    Target { name: "dataset", prepare: || Box::new(dataset::run) },
    Target { name: "image", prepare: || Box::new(image::run) },
    Target { name: "labels", prepare: || Box::new(labels::run) },
    Target { name: "manifest", prepare: || Box::new(manifest::run) },
    Target { name: "mask", prepare: || Box::new(mask::run) },
    Target { name: "pickle", prepare: || Box::new(pickle::run) },
    Target { name: "quantized", prepare: || Box::new(quantized::run) },
    Target { name: "safetensors", prepare: || Box::new(safetensors::run) },
    Target { name: "shards", prepare: || Box::new(shards::run) },
    Target { name: "table", prepare: || Box::new(table::run) },
    Target { name: "text", prepare: text::prepare },
];

//! Features that are kept on the device, if the visitor wants that: a photo that comes again is not computed again.
//!
//! A folder of the origin private file system has a file for each model, named by a hash of everything that a feature depends
//! on except the photo. At most two files are kept, of the models that were used last. A file is locked only while it is read
//! or written, so that several tabs keep features; where it is locked, or damaged, or there is no room, the photo is computed.
//!
//! Features are of whole photos, as in the table. The GPU's are kept, too: it computes only if it gives the processor's.

#[cfg(target_arch = "wasm32")]
mod features;
#[cfg(target_arch = "wasm32")]
mod folder;
mod ring;

#[cfg(target_arch = "wasm32")]
pub use features::KeptFeatures;
#[cfg(target_arch = "wasm32")]
pub use folder::{delete_all, report};
#[cfg(target_arch = "wasm32")]
pub use ring::PhotoHash;

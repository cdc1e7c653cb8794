//! The kernels of this machine.

#[cfg(target_arch = "wasm32")]
use super::wasm;
#[cfg(target_arch = "x86_64")]
use super::x86;
use super::{scalar, tile::TileKernel};

/// Returns the kernels that this processor runs, fastest first. The last one is the scalar reference.
pub(crate) fn available_kernels() -> impl Iterator<Item = TileKernel> {
    let scalar: TileKernel = scalar::multiply;
    #[cfg(target_arch = "wasm32")]
    let own = std::iter::once(wasm::multiply as TileKernel);
    #[cfg(target_arch = "x86_64")]
    let own = x86::available();
    #[cfg(not(any(target_arch = "wasm32", target_arch = "x86_64")))]
    let own = std::iter::empty();
    own.chain([scalar])
}

/// Returns the fastest of [`available_kernels`].
pub(crate) fn fastest_kernel() -> TileKernel {
    available_kernels().next().expect("the scalar kernel is always there")
}

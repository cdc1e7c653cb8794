//! The kernels of this machine.

use super::kernel::PanelKernel;
#[cfg(target_arch = "aarch64")]
use super::neon;
#[cfg(all(target_arch = "wasm32", not(feature = "relaxed-simd")))]
use super::plain_wasm;
#[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
use super::relaxed_wasm;
use super::scalar;
#[cfg(target_arch = "x86_64")]
use super::x86;
use std::sync::OnceLock;

/// Returns the kernels that this processor runs, fastest first. The last one is the scalar reference.
pub(super) fn available_kernels() -> impl Iterator<Item = PanelKernel> {
    let scalar = PanelKernel::Sums(scalar::multiply);
    #[cfg(all(target_arch = "wasm32", not(feature = "relaxed-simd")))]
    let own = std::iter::once(PanelKernel::Sums(plain_wasm::multiply));
    #[cfg(all(target_arch = "wasm32", feature = "relaxed-simd"))]
    let own = relaxed_wasm::available();
    #[cfg(target_arch = "x86_64")]
    let own = x86::available();
    #[cfg(target_arch = "aarch64")]
    let own = neon::available();
    #[cfg(not(any(target_arch = "wasm32", target_arch = "x86_64", target_arch = "aarch64")))]
    let own = std::iter::empty();
    own.chain([scalar])
}

/// Returns the fastest of [`available_kernels`].
pub(super) fn fastest_kernel() -> PanelKernel {
    static FASTEST: OnceLock<PanelKernel> = OnceLock::new();
    *FASTEST.get_or_init(|| available_kernels().next().expect("the scalar kernel is always there"))
}

//! The kernels of this machine.

use super::kernel::Kernel;
#[cfg(target_arch = "x86_64")]
use super::x86;
use std::sync::OnceLock;

/// Returns the kernels that this processor runs, fastest first; none where [`gemm`] is as fast.
pub(super) fn available_kernels() -> impl Iterator<Item = Kernel> {
    #[cfg(target_arch = "x86_64")]
    return x86::available();
    #[cfg(not(target_arch = "x86_64"))]
    std::iter::empty()
}

/// Returns the fastest of [`available_kernels`].
pub(super) fn fastest_kernel() -> Option<Kernel> {
    static FASTEST: OnceLock<Option<Kernel>> = OnceLock::new();
    *FASTEST.get_or_init(|| available_kernels().next())
}

//! x86-64: the sixteen channels of a panel for four steps of `k` are two registers of 256 bits or one of 512. Sums
//! become values before they leave the registers.

mod avx2;
mod levels;
mod vnni;
mod ymm;
mod ymm_vnni;

use super::kernel::{PanelKernel, ValuesKernel};

/// Returns the kernels that the processor runs, fastest first.
pub(super) fn available() -> impl Iterator<Item = PanelKernel> {
    let has_avx2 = is_x86_feature_detected!("avx2");
    let has_vnni = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni");
    let has_vnni_256 = has_avx2 && has_vnni && is_x86_feature_detected!("avx512vl");
    // SAFETY: the features that each function needs were just detected.
    let vnni: ValuesKernel = |product, values| unsafe { vnni::multiply(product, values) };
    // SAFETY: as above.
    let avx_vnni: ValuesKernel = |product, values| unsafe { ymm_vnni::avx::multiply(product, values) };
    // SAFETY: as above.
    let vnni_256: ValuesKernel = |product, values| unsafe { ymm_vnni::avx512vl::multiply(product, values) };
    // SAFETY: as above.
    let avx2: ValuesKernel = |product, values| unsafe { avx2::multiply(product, values) };
    let candidates = [
        (has_vnni, vnni),
        (has_avx2 && is_x86_feature_detected!("avxvnni"), avx_vnni),
        (has_vnni_256, vnni_256),
        (has_avx2, avx2),
    ];
    candidates.into_iter().filter(|(is_available, _)| *is_available).map(|(_, kernel)| PanelKernel::Values(kernel))
}

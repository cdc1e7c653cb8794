//! Levels as the kernels of x86-64 read them.

/// Returns four levels.
///
/// # Safety
/// `at` is within `levels`, and so are the three after it.
#[inline(always)]
pub(super) unsafe fn load_quad(levels: &[u8], at: usize) -> i32 {
    // SAFETY: as the caller promised.
    unsafe { levels.as_ptr().add(at).cast::<i32>().read_unaligned() }
}

//! The process made ready for long work: memory kept, threads not spinning.

/// `mi_option_purge_delay` of mimalloc.h, which the crate does not name: milliseconds before memory goes back; -1: never.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Tells the allocator to keep what it has and candle's own thread pool to stay out.
///
/// A step frees gigabytes and takes them again at once: given back to the kernel in between, every page is cleared
/// anew, a fifth of a step's time. candle's pool for element-wise operations spins while it waits, beside the threads
/// that multiply and decode. Both together took one run on two cores from 60 to 92 samples/s (EXPERIMENTS.md).
pub fn prepare() {
    // SAFETY: sets one number of the allocator.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) };
    if std::env::var_os("CANDLE_NUM_THREADS").is_none() {
        // SAFETY: called before this program has started a thread that could read the environment.
        unsafe { std::env::set_var("CANDLE_NUM_THREADS", "1") };
    }
}

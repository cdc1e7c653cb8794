//! Prepares the process: environment variables, signals, allocator, thread pools.

use std::ffi::OsStr;
use std::path::PathBuf;

/// `mi_option_purge_delay` of mimalloc.h, which the crate does not name: milliseconds before memory goes back; -1: never.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Variables that set the size of a thread pool.
const THREAD_VARIABLES: [&str; 3] = ["RAYON_NUM_THREADS", "RAYON_RS_NUM_CPUS", "CANDLE_NUM_THREADS"];
/// Threads per core that are allowed, and the least limit: starting many more takes minutes.
const MAX_THREADS_PER_CORE: usize = 4;
const MIN_THREAD_LIMIT: usize = 64;

/// Prepares the process before anything reads the environment; returns warnings for the log.
///
/// Empty variables of dermake count as unset, as compose files write them (`${X:-}`). Thread counts are limited. A file
/// that grows beyond `ulimit -f` or a quota fails with an error instead of ending the process (SIGXFSZ).
///
/// Call it first in `main`, before any thread is started.
pub fn begin() -> Vec<String> {
    for (name, _) in std::env::vars_os().filter(|(name, value)| is_empty_setting(name, value)) {
        // SAFETY: no thread that could read the environment has been started yet.
        unsafe { std::env::remove_var(name) };
    }
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut warnings = Vec::new();
    for name in THREAD_VARIABLES {
        let Some((typed, limit)) = std::env::var(name).ok().and_then(|typed| over_limit(typed, n_cores)) else {
            continue;
        };
        // SAFETY: as above.
        unsafe { std::env::set_var(name, limit.to_string()) };
        warnings.push(format!("{name} is {typed}, over the limit of {limit} threads; using {limit}"));
    }
    #[cfg(unix)]
    // SAFETY: to ignore a signal installs no handler.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
    warnings
}

fn is_empty_setting(name: &OsStr, value: &OsStr) -> bool {
    name.to_string_lossy().starts_with("DERMAKE_") && value.to_string_lossy().trim().is_empty()
}

/// A thread count that is too high, and the limit to use instead.
fn over_limit(typed: String, n_cores: usize) -> Option<(String, usize)> {
    let limit = MIN_THREAD_LIMIT.max(MAX_THREADS_PER_CORE * n_cores);
    typed.trim().parse().is_ok_and(|n_threads: usize| n_threads > limit).then_some((typed, limit))
}

/// The folder of this program in the user's cache; `None` without a home directory.
pub fn cache_dir() -> Option<PathBuf> {
    // A relative path is not valid there, says the specification of these variables.
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|cache| cache.is_absolute());
    let cache = cache.or_else(|| Some(home_dir()?.join(".cache")))?;
    Some(cache.join("dermake"))
}

/// The user's home directory; `None` if the variable `HOME` is empty or relative, since files would then be written to
/// the working folder.
pub fn home_dir() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| home.is_absolute())
}

/// Sets the allocator to keep freed memory, and turns candle's own thread pool off.
///
/// A step frees gigabytes and allocates them again. If they go back to the kernel in between, the kernel clears every
/// page again, which takes a fifth of a step. candle's pool for element-wise operations spins while it waits and slows
/// the threads that multiply and decode. The two settings took one run on two cores from 60 to 92 samples/s
/// (EXPERIMENTS.md).
pub fn prepare() {
    // SAFETY: sets one number of the allocator.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) };
    if std::env::var_os("CANDLE_NUM_THREADS").is_none() {
        // SAFETY: called before this program has started a thread that could read the environment.
        unsafe { std::env::set_var("CANDLE_NUM_THREADS", "1") };
    }
}

/// Divides this computer's cores among `n_processes`, unless RAYON_NUM_THREADS is set.
pub fn share_cores(n_processes: usize) {
    if n_processes < 2 || std::env::var_os("RAYON_NUM_THREADS").is_some() {
        return;
    }
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    // SAFETY: called before this program has started a thread that could read the environment.
    unsafe { std::env::set_var("RAYON_NUM_THREADS", (n_cores / n_processes).max(1).to_string()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_empty_variables_of_dermake_count_as_unset() {
        let is_unset = |name: &str, value: &str| is_empty_setting(name.as_ref(), value.as_ref());
        assert!(is_unset("DERMAKE_MODEL", "") && is_unset("DERMAKE_PORT", " \t"));
        assert!(!is_unset("DERMAKE_MODEL", "demo") && !is_unset("HOME", ""));
    }

    #[test]
    fn thread_counts_are_limited() {
        let limit = |typed: &str, n_cores| over_limit(typed.into(), n_cores).map(|(_, limit)| limit);
        assert_eq!((limit("64", 2), limit("65", 2), limit("999999", 32)), (None, Some(64), Some(128)));
        assert_eq!((limit("many", 2), limit("", 2)), (None, None));
    }
}

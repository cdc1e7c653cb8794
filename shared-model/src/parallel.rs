//! Loops over independent pieces of work: on rayon's threads natively and in wasm with threads, else one after the other.

use rayon::prelude::*;
#[cfg(target_arch = "wasm32")]
use std::sync::atomic::{AtomicBool, Ordering};

/// Set in wasm once there are threads; before that, rayon would try to start its own, which it cannot.
#[cfg(target_arch = "wasm32")]
static HAS_THREADS: AtomicBool = AtomicBool::new(false);

/// Lets the model compute on rayon's global pool, in wasm: whoever calls this has built it, of threads that run.
/// Natively it does so anyway.
pub fn use_threads() {
    #[cfg(target_arch = "wasm32")]
    HAS_THREADS.store(true, Ordering::Relaxed);
}

fn has_threads() -> bool {
    #[cfg(target_arch = "wasm32")]
    return HAS_THREADS.load(Ordering::Relaxed);
    #[cfg(not(target_arch = "wasm32"))]
    true
}

/// Runs `work` on each chunk of `data`, with the chunk's index; the last one may be shorter.
pub fn for_each_chunk<T: Send>(data: &mut [T], chunk: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if has_threads() {
        data.par_chunks_mut(chunk).enumerate().for_each(|(index, data)| work(index, data));
    } else {
        data.chunks_mut(chunk).enumerate().for_each(|(index, data)| work(index, data));
    }
}

/// [`for_each_chunk`], and what the chunks give in their order.
pub fn map_chunks<T: Send, R: Send>(
    data: &mut [T],
    chunk: usize,
    work: impl Fn(usize, &mut [T]) -> R + Sync + Send,
) -> Vec<R> {
    if has_threads() {
        return data.par_chunks_mut(chunk).enumerate().map(|(index, data)| work(index, data)).collect();
    }
    data.chunks_mut(chunk).enumerate().map(|(index, data)| work(index, data)).collect()
}

/// Runs tasks 0 to `n_tasks`, each with a scratch that `init` makes once a thread or so.
pub fn for_each_task<S>(n_tasks: usize, init: impl Fn() -> S + Sync + Send, work: impl Fn(&mut S, usize) + Sync) {
    if has_threads() {
        (0..n_tasks).into_par_iter().for_each_init(init, |scratch, task| work(scratch, task));
    } else {
        let mut scratch = init();
        (0..n_tasks).for_each(|task| work(&mut scratch, task));
    }
}

/// What tasks 0 to `n_tasks` give, in their order.
pub fn map_tasks<T: Send>(n_tasks: usize, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    if has_threads() {
        return (0..n_tasks).into_par_iter().map(work).collect();
    }
    (0..n_tasks).map(work).collect()
}

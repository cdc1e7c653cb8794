//! Loops over independent tasks: on rayon's threads natively and in wasm with threads, otherwise one after the other.

use rayon::prelude::*;
use std::cell::Cell;
#[cfg(target_arch = "wasm32")]
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether there are threads in wasm. Without them rayon would try to start its own and fail.
#[cfg(target_arch = "wasm32")]
static HAS_THREADS: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether this thread runs a task of [`map_alone`], whose loops stay on it.
    static IS_ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Lets the model compute on rayon's global thread pool in wasm. The caller has built the pool, and its threads run.
///
/// Natively this changes nothing: the model always uses the pool.
pub fn use_threads() {
    #[cfg(target_arch = "wasm32")]
    HAS_THREADS.store(true, Ordering::Relaxed);
}

/// Parts of [`for_each_task`] for each thread: rayon alone would make two or four, and one thread would wait long for
/// the last one.
const PARTS_PER_THREAD: usize = 16;

fn has_threads() -> bool {
    #[cfg(target_arch = "wasm32")]
    if !HAS_THREADS.load(Ordering::Relaxed) {
        return false;
    }
    !IS_ALONE.get()
}

/// Returns the number of threads that tasks run on.
pub(crate) fn n_threads() -> usize {
    if has_threads() { rayon::current_num_threads() } else { 1 }
}

/// Runs `work`, which has many loops, on one of the threads that they run on: elsewhere, each loop would wake these
/// threads, and the caller would sleep until it ends.
///
/// `work` must not take locks: other work that waits on the same thread could hold them.
pub(crate) fn on_threads<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if has_threads() { rayon::scope(|_| work()) } else { work() }
}

/// Runs `work` on each chunk of `data` with its index. The last chunk may be shorter.
pub fn for_each_chunk<T: Send>(data: &mut [T], chunk: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    if has_threads() {
        data.par_chunks_mut(chunk).enumerate().for_each(|(index, data)| work(index, data));
    } else {
        data.chunks_mut(chunk).enumerate().for_each(|(index, data)| work(index, data));
    }
}

/// Runs `work` on each chunk of `data` with its index and returns the results in order.
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

/// Runs `n_tasks` tasks. `init` makes the scratch memory of a part of them, which one thread runs.
pub fn for_each_task<S>(n_tasks: usize, init: impl Fn() -> S + Sync + Send, work: impl Fn(&mut S, usize) + Sync) {
    if has_threads() {
        let most = n_tasks.div_ceil(n_threads() * PARTS_PER_THREAD).max(1);
        (0..n_tasks).into_par_iter().with_max_len(most).for_each_init(init, |scratch, task| work(scratch, task));
    } else {
        let mut scratch = init();
        (0..n_tasks).for_each(|task| work(&mut scratch, task));
    }
}

/// Runs `n_tasks` tasks that have many loops, each on one thread with all of its loops; returns their results in order.
///
/// Threads wait for each other once, not at each loop, and what a task computes stays in its thread's cache.
pub(crate) fn map_alone<T: Send>(n_tasks: usize, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    let work = |task| {
        let _alone = Alone::begin();
        work(task)
    };
    if has_threads() {
        return (0..n_tasks).into_par_iter().with_max_len(1).map(work).collect();
    }
    (0..n_tasks).map(work).collect()
}

/// While it lives, loops stay on this thread.
struct Alone {
    was_alone: bool,
}

impl Alone {
    fn begin() -> Self {
        Self { was_alone: IS_ALONE.replace(true) }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        IS_ALONE.set(self.was_alone);
    }
}

/// Runs `n_tasks` tasks and returns their results in order.
pub fn map_tasks<T: Send>(n_tasks: usize, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    if has_threads() {
        return (0..n_tasks).into_par_iter().map(work).collect();
    }
    (0..n_tasks).map(work).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn the_loops_of_a_task_stay_on_its_thread() {
        let of_task = |task: usize| {
            let on_one_thread = thread::current().id();
            let mut values = vec![0; 100];
            for_each_chunk(&mut values, 1, |_, value| {
                assert_eq!(thread::current().id(), on_one_thread);
                value[0] = task;
            });
            let ids = map_tasks(100, |_| on_threads(|| thread::current().id()));
            assert!(ids.iter().all(|&id| id == on_one_thread));
            (n_threads(), values.iter().sum::<usize>())
        };
        let expected: Vec<_> = (0..9).map(|task| (1, 100 * task)).collect();
        assert_eq!(map_alone(9, of_task), expected);
        assert_eq!(map_alone(2, |_| map_alone(9, of_task)), [expected.clone(), expected]);
        assert_eq!(n_threads(), rayon::current_num_threads(), "the loops behind them use all threads again");
    }

    #[test]
    fn a_task_that_panics_leaves_its_thread_usable() {
        let panicked = std::panic::catch_unwind(|| map_alone(4, |task| assert_ne!(task, 2, "a test of a panic")));
        assert!(panicked.is_err());
        assert!(
            map_tasks(64, |_| n_threads()).into_iter().all(|n_threads| n_threads == rayon::current_num_threads())
        );
    }
}

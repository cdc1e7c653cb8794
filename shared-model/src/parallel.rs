//! Loops over independent pieces of work: on rayon's threads natively, one after the other in wasm.

/// An f32 array that tasks fill, each in places of its own.
#[derive(Clone, Copy)]
pub struct Output(*mut f32);
// SAFETY: who makes one promises that no two tasks write to one place.
unsafe impl Send for Output {}
unsafe impl Sync for Output {}

impl Output {
    pub fn new(values: &mut [f32]) -> Self {
        Self(values.as_mut_ptr())
    }

    pub fn at(self, offset: usize) -> *mut f32 {
        // SAFETY: callers stay inside the array.
        unsafe { self.0.add(offset) }
    }
}

/// Runs `work` on each chunk of `data`, with the chunk's index; the last one may be shorter.
pub fn for_each_chunk<T: Send>(data: &mut [T], chunk: usize, work: impl Fn(usize, &mut [T]) + Sync) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        data.par_chunks_mut(chunk).enumerate().for_each(|(index, data)| work(index, data));
    }
    #[cfg(target_arch = "wasm32")]
    data.chunks_mut(chunk).enumerate().for_each(|(index, data)| work(index, data));
}

/// Runs tasks 0 to `n_tasks`, each with a scratch that `init` makes once a thread or so.
pub fn for_each_task<S>(n_tasks: usize, init: impl Fn() -> S + Sync + Send, work: impl Fn(&mut S, usize) + Sync) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        (0..n_tasks).into_par_iter().for_each_init(init, |scratch, task| work(scratch, task));
    }
    #[cfg(target_arch = "wasm32")]
    {
        let mut scratch = init();
        (0..n_tasks).for_each(|task| work(&mut scratch, task));
    }
}

/// What tasks 0 to `n_tasks` give, in their order.
pub fn map_tasks<T: Send>(n_tasks: usize, work: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        (0..n_tasks).into_par_iter().map(work).collect()
    }
    #[cfg(target_arch = "wasm32")]
    (0..n_tasks).map(work).collect()
}

//! Threads for the model, in the builds whose memory can be shared.
//!
//! Each is a worker of this worker's, with the same program on the same memory, and runs one of rayon's threads until
//! the page ends. Without them (the browser refuses workers of a worker, or has one core) the model computes alone.

use super::protocol::Reply;
use super::serve::Line;
use futures_util::future::try_join_all;
use rayon::{ThreadBuilder, ThreadPoolBuilder};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, Worker};

/// A phone's further cores are slow ones, and each thread takes megabytes.
const MOST_THREADS: usize = 4;

/// Where pool threads get what they run; it lives as long as they do.
type Jobs = Mutex<Receiver<ThreadBuilder>>;

/// Whether this instance of the program is a thread of another one's.
pub fn is_pool_thread() -> bool {
    js_sys::Reflect::has(&js_sys::global(), &"isPoolThread".into()).unwrap_or(false)
}

/// Starts the threads, and lets the model use them if all came up; returns how many compute.
///
/// It waits as long as it takes: the page, which is told of each thread, decides how long that may be.
pub async fn start(line: &Rc<Line>) -> usize {
    let n_threads = n_threads(&line.scope);
    if n_threads == 1 || start_threads(line, n_threads).await.is_none() {
        return 1;
    }
    shared_model::use_threads();
    n_threads
}

/// One a core, or as many as the page's `threads=` says.
fn n_threads(scope: &DedicatedWorkerGlobalScope) -> usize {
    let query = scope.location().search();
    let asked = query.trim_start_matches('?').split('&').find_map(|part| part.strip_prefix("threads="));
    let cores = scope.navigator().hardware_concurrency() as usize;
    asked.and_then(|number| number.parse().ok()).unwrap_or(cores).clamp(1, MOST_THREADS)
}

async fn start_threads(line: &Rc<Line>, n_threads: usize) -> Option<()> {
    let script = line.scope.location().href().replace("_loader.js", "_pool.js");
    let (sender, receiver): (Sender<ThreadBuilder>, _) = channel();
    let jobs: &'static Jobs = Box::leak(Box::new(Mutex::new(receiver)));
    let workers = (0..n_threads).map(|_| Worker::new(&script)).collect::<Result<Vec<_>, _>>().ok()?;
    let started = workers.iter().map(|worker| async {
        let ready = JsFuture::from(when_ready(worker, jobs)).await;
        line.say(0, Reply::Starting);
        ready
    });
    try_join_all(started).await.ok()?;
    // Every thread waits for its job now, so this one may wait for them.
    let send = |job| sender.send(job).map_err(|_| std::io::Error::other("the threads are gone"));
    ThreadPoolBuilder::new().num_threads(n_threads).spawn_handler(send).build_global().ok()?;
    workers.into_iter().for_each(std::mem::forget);
    Some(())
}

/// Gives a worker the program and the memory; resolves when it has both.
fn when_ready(worker: &Worker, jobs: &'static Jobs) -> js_sys::Promise {
    js_sys::Promise::new(&mut |resolve, reject| {
        worker.set_onmessage(Some(&resolve));
        worker.set_onerror(Some(&reject));
        let address = JsValue::from(std::ptr::from_ref(jobs) as usize as u32);
        let parts = js_sys::Array::of3(&wasm_bindgen::module(), &wasm_bindgen::memory(), &address);
        if let Err(err) = worker.post_message(&parts) {
            // The promise is already there to be told.
            let _ = reject.call1(&JsValue::UNDEFINED, &err);
        }
    })
}

/// What a pool thread does: takes one of rayon's threads and is it.
///
/// `jobs` is the address that [`when_ready`] sent.
#[wasm_bindgen]
pub fn run_thread(jobs: u32) {
    // SAFETY: the address of the leaked `Jobs` of the worker that started this one, in the memory that both have.
    let jobs = unsafe { &*(jobs as usize as *const Jobs) };
    let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
    if let Ok(job) = job {
        job.run();
    }
}

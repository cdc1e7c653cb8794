//! Threads for the model, in the builds with shared memory.
//!
//! Each thread is a worker that this worker starts, with the same program and memory. It runs one of rayon's threads until
//! the page is closed. If the browser refuses nested workers or has one core, the model runs on this worker's thread.

use super::connection::Connection;
use super::protocol::Reply;
use futures_util::future::try_join_all;
use rayon::{ThreadBuilder, ThreadPoolBuilder};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, Worker, WorkerOptions};

/// Maximum number of threads: the other cores of a phone are slow, and each thread takes megabytes.
const MAX_THREADS: usize = 4;

/// Name of the worker of a thread. The JavaScript package has one script for all workers, which tells them by it.
const POOL_THREAD: &str = "dermake-pool";

/// Queue from which pool threads take their jobs. It lives as long as they do.
type Jobs = Mutex<Receiver<ThreadBuilder>>;

/// Whether this instance of the program is a pool thread.
pub fn is_pool_thread() -> bool {
    js_sys::Reflect::has(&js_sys::global(), &"isPoolThread".into()).unwrap_or(false)
}

/// Starts the threads, and lets the model use them if all have started; returns the number of threads.
///
/// Has no timeout of its own: the page gets a message for each thread, and terminates a worker that stops sending them.
pub async fn start(connection: &Rc<Connection>) -> usize {
    let n_threads = n_threads(&connection.scope);
    if n_threads == 1 || start_threads(connection, n_threads).await.is_none() {
        return 1;
    }
    shared_model::use_threads();
    n_threads
}

/// One thread per core, or the number in the URL's `threads=`, which follows a `#` in the URL of a blob.
fn n_threads(scope: &DedicatedWorkerGlobalScope) -> usize {
    let url = scope.location().href();
    let requested = url.split(['?', '#', '&']).find_map(|part| part.strip_prefix("threads="));
    let cores = scope.navigator().hardware_concurrency() as usize;
    requested.and_then(|number| number.parse().ok()).unwrap_or(cores).clamp(1, MAX_THREADS)
}

async fn start_threads(connection: &Rc<Connection>, n_threads: usize) -> Option<()> {
    let script = connection.scope.location().href().replace("_loader.js", "_pool.js");
    let (sender, receiver): (Sender<ThreadBuilder>, _) = channel();
    let jobs: &'static Jobs = Box::leak(Box::new(Mutex::new(receiver)));
    let options = WorkerOptions::new();
    options.set_name(POOL_THREAD);
    let workers =
        (0..n_threads).map(|_| Worker::new_with_options(&script, &options)).collect::<Result<Vec<_>, _>>().ok()?;
    let started = workers.iter().map(|worker| async {
        let ready = JsFuture::from(when_ready(worker, jobs)).await;
        connection.send(0, Reply::Starting);
        ready
    });
    try_join_all(started).await.ok()?;
    // Every thread now waits for its job, so that `build_global` can wait for the threads.
    let send = |job| sender.send(job).map_err(|_| std::io::Error::other("the threads are gone"));
    ThreadPoolBuilder::new().num_threads(n_threads).spawn_handler(send).build_global().ok()?;
    workers.into_iter().for_each(std::mem::forget);
    Some(())
}

/// Sends the program and the memory to a worker; resolves when it has started.
fn when_ready(worker: &Worker, jobs: &'static Jobs) -> js_sys::Promise {
    js_sys::Promise::new(&mut |resolve, reject| {
        worker.set_onmessage(Some(&resolve));
        worker.set_onerror(Some(&reject));
        let address = JsValue::from(std::ptr::from_ref(jobs) as usize as u32);
        let parts = js_sys::Array::of3(&wasm_bindgen::module(), &wasm_bindgen::memory(), &address);
        if let Err(err) = worker.post_message(&parts) {
            // Only the promise reports the error.
            let _ = reject.call1(&JsValue::UNDEFINED, &err);
        }
    })
}

/// Takes one of rayon's threads from the queue and runs it.
///
/// `jobs` is the address of the queue that [`when_ready`] sent.
#[wasm_bindgen]
pub fn run_thread(jobs: u32) {
    // SAFETY: the address is that of the leaked `Jobs` of the worker that started this one; both have the same memory.
    let jobs = unsafe { &*(jobs as usize as *const Jobs) };
    let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
    if let Ok(job) = job {
        job.run();
    }
}

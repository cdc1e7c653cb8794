//! Runs work without the GIL, while Python's main thread still notices Ctrl-C.

use crate::errors::Error;
use anyhow::{Context, Result};
use dermake_process::interrupt::CallStop;
use pyo3::prelude::*;
use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Time between two looks at Python's signals.
const POLL: Duration = Duration::from_millis(50);

/// As the main thread of a program has.
const STACK_BYTES: usize = 8 << 20;

/// The process that has started threads.
static PROCESS: OnceLock<u32> = OnceLock::new();

/// Runs `work` in a thread of its own, without the GIL. After Ctrl-C, `work` is requested to stop, and Python's exception
/// is raised when it has. Other calls go on.
///
/// # Errors
/// What `exception` makes of the error of `work`; in a process that was forked, whose threads are not there.
pub fn run<T: Send>(
    py: Python<'_>,
    exception: fn(anyhow::Error) -> PyErr,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    if is_forked() {
        return Err(Error::new_err(
            "this process was forked from one that had used dermake, whose threads it does not have; start it with \
             multiprocessing.get_context(\"spawn\"), or use threads: the GIL is released",
        ));
    }
    watched(py, exception, work)
}

/// As [`run`], also in a process that was forked. There, `work` computes on one thread: the processes of a `DataLoader`
/// share the cores.
///
/// # Errors
/// What `exception` makes of the error of `work`.
pub fn run_after_fork<T: Send>(
    py: Python<'_>,
    exception: fn(anyhow::Error) -> PyErr,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    if is_forked() { watched(py, exception, || on_one_thread(work)) } else { watched(py, exception, work) }
}

/// Returns whether this process was forked from one that has started threads. Only the thread that forks is in it, so
/// loops would wait for ever for the threads of rayon.
fn is_forked() -> bool {
    *PROCESS.get_or_init(std::process::id) != std::process::id()
}

/// Runs `work` with loops on a new thread, in place of those of rayon.
fn on_one_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).stack_size(STACK_BYTES).build();
    pool.context("cannot start a thread")?.install(work)
}

/// Runs `work` in a thread of its own while this one looks at Python's signals.
fn watched<T: Send>(
    py: Python<'_>,
    exception: fn(anyhow::Error) -> PyErr,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    py.detach(|| {
        let stop = CallStop::default();
        thread::scope(|scope| {
            let (running, finished) = channel::<()>();
            let worker = thread::Builder::new().name("dermake".into()).stack_size(STACK_BYTES);
            let of_worker = stop.clone();
            let worker = worker.spawn_scoped(scope, move || {
                let outcome = of_worker.run(work);
                drop(running);
                outcome
            })?;
            let mut signal = None;
            while finished.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
                if signal.is_none() {
                    signal = Python::attach(|py| py.check_signals()).err();
                    if signal.is_some() {
                        stop.request();
                    }
                }
            }
            let outcome = worker.join().unwrap_or_else(|panic| resume_unwind(panic));
            signal.map_or_else(|| outcome.map_err(exception), Err)
        })
    })
}

//! Runs work without the GIL, while Python's main thread still notices Ctrl-C.

use crate::errors::Error;
use anyhow::Result;
use dermake_process::interrupt;
use pyo3::prelude::*;
use std::panic::resume_unwind;
use std::sync::LazyLock;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Time between two looks at Python's signals.
const POLL: Duration = Duration::from_millis(50);

/// As the main thread of a program has.
const STACK_BYTES: usize = 8 << 20;

/// The process that loaded this module.
static PROCESS: LazyLock<u32> = LazyLock::new(std::process::id);

/// Remembers the process.
pub fn note_process() {
    LazyLock::force(&PROCESS);
}

/// Runs `work` in a thread of its own, without the GIL. After Ctrl-C, `work` is requested to stop, and Python's exception
/// is raised when it has.
///
/// # Errors
/// What `exception` makes of the error of `work`; in a process that was forked, whose threads are not there.
pub fn run<T: Send>(
    py: Python<'_>,
    exception: fn(anyhow::Error) -> PyErr,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    if *PROCESS != std::process::id() {
        return Err(Error::new_err(
            "this process was forked from one that had imported dermake, whose threads it does not have; start it with \
             multiprocessing.get_context(\"spawn\"), or use threads: the GIL is released",
        ));
    }
    py.detach(|| {
        thread::scope(|scope| {
            let (running, finished) = channel::<()>();
            let worker = thread::Builder::new().name("dermake".into()).stack_size(STACK_BYTES);
            let worker = worker.spawn_scoped(scope, move || {
                let outcome = work();
                drop(running);
                outcome
            })?;
            let mut signal = None;
            while finished.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
                if signal.is_none() {
                    signal = Python::attach(|py| py.check_signals()).err();
                    if signal.is_some() {
                        interrupt::request();
                    }
                }
            }
            let outcome = worker.join().unwrap_or_else(|panic| resume_unwind(panic));
            match signal {
                Some(signal) => {
                    interrupt::withdraw();
                    Err(signal)
                }
                None => outcome.map_err(exception),
            }
        })
    })
}

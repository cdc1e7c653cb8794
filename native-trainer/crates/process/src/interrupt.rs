//! A request to stop: Ctrl-C, SIGTERM, the end of the terminal, or a batch system's notice (SIGUSR1). Long loops
//! check it between steps.

use crate::print;
use anyhow::{Context, Result};
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

static REQUESTED: AtomicBool = AtomicBool::new(false);
/// Whether a handler is ending the program.
static ENDING: AtomicBool = AtomicBool::new(false);
/// What the loop that checks for requests does between two checks; without a loop, a request ends the program.
static STEP: OnceLock<&'static str> = OnceLock::new();
/// Signals whose repetition does not mean that the user insists: a closing terminal may send several, and a batch
/// system (SIGUSR1) one to each process of a job.
#[cfg(unix)]
const NOT_INSISTING: [i32; 2] = [signal_hook::consts::SIGHUP, signal_hook::consts::SIGUSR1];
#[cfg(not(unix))]
const NOT_INSISTING: [i32; 0] = [];

/// Whether another part of the process handles signals.
static IS_HOSTED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// The stop of the call that this thread runs.
    static CALL: RefCell<Option<CallStop>> = const { RefCell::new(None) };
}

/// The user stopped the command; finished work is kept.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("interrupted; what was done is kept, and the same command goes on from there")]
pub struct Interrupted;

/// From now on, a stop request sets the flag of [`is_requested`], which the loop checks after each `step`; a second
/// request ends the program at once. SIGUSR1 is a stop request too: batch systems such as Slurm send it before a job's
/// time ends. While there are [`Unfinished`] files, a request removes them and ends the program instead.
///
/// # Errors
/// When the system takes no handler.
pub fn listen(step: &'static str) -> Result<()> {
    // One command may run several loops, such as those of a sweep.
    if STEP.set(step).is_err() || IS_HOSTED.load(Ordering::SeqCst) {
        return Ok(());
    }
    handle_requests()?;
    handle_notices()
}

/// Until the returned value is dropped, a stop request removes these files and folders and ends the program.
///
/// # Errors
/// When the system takes no handler.
pub fn discard_on_request(paths: Vec<PathBuf>) -> Result<Unfinished> {
    unfinished().extend(paths.iter().cloned());
    let added = Unfinished { paths };
    handle_requests()?;
    Ok(added)
}

/// Files and folders that a stop request removes, until this is dropped.
#[derive(Debug)]
#[must_use = "dropping it keeps the files at a stop request"]
pub struct Unfinished {
    paths: Vec<PathBuf>,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Waits for a handler that is ending the program.
        let mut unfinished = unfinished();
        for path in &self.paths {
            if let Some(at) = unfinished.iter().position(|other| other == path) {
                unfinished.swap_remove(at);
            }
        }
    }
}

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a stop request does, by a signal of this number.
fn react(signal: i32) {
    static HAS_INSISTED: AtomicBool = AtomicBool::new(false);
    let unfinished = unfinished();
    match STEP.get() {
        Some(step) if unfinished.is_empty() || is_notice(signal) => {
            drop(unfinished);
            if is_insisting(signal) && HAS_INSISTED.swap(true, Ordering::SeqCst) {
                stop_at_once();
            }
            REQUESTED.store(true, Ordering::SeqCst);
            print::remark(format_args!("stopping after this {step}; press Ctrl-C again to stop at once"));
        }
        _ => {
            ENDING.store(true, Ordering::SeqCst);
            let is_half_done = !unfinished.is_empty();
            for path in unfinished.iter() {
                // Other threads may still be writing. What is left in the end the next run removes.
                let mut attempts =
                    (0..10).map(|_| std::fs::remove_dir_all(path).or_else(|_| std::fs::remove_file(path)));
                attempts.any(|removed| removed.is_ok() || !path.exists());
            }
            print::remark(match is_half_done {
                true => "interrupted: what was not finished is removed",
                false => "interrupted",
            });
            end_by(signal);
        }
    }
}

/// Never returns while a stop request is ending the program, since failures are then caused by that.
pub fn give_way() {
    while ENDING.load(Ordering::SeqCst) {
        std::thread::park();
    }
}

/// Whether the repetition of a signal means that the user insists.
pub fn is_insisting(signal: std::ffi::c_int) -> bool {
    !NOT_INSISTING.contains(&signal)
}

/// Ends the program at a signal, with the exit code that shells give to it.
pub fn end_by(signal: std::ffi::c_int) -> ! {
    end_at_once(128 + signal)
}

/// Ends the program for a user who insists.
pub fn stop_at_once() -> ! {
    end_at_once(130)
}

/// Ends the program while other threads work. Unlike [`std::process::exit`], it runs no exit handler: the allocator's
/// collects memory that those threads are using, and may wait for ever.
#[cfg(unix)]
pub fn end_at_once(code: i32) -> ! {
    // SAFETY: it takes any number, and what the program holds goes back to the system.
    unsafe { libc::_exit(code) }
}

/// Ends the program while other threads work.
#[cfg(not(unix))]
pub fn end_at_once(code: i32) -> ! {
    std::process::exit(code)
}

/// Leaves signals to the host of this library, such as Python: from now on, [`listen`] and [`discard_on_request`] install
/// no handler. The host runs each call by [`CallStop::run`].
pub fn leave_to_host() {
    IS_HOSTED.store(true, Ordering::SeqCst);
}

/// A request to stop one call of a host, which may run several calls at a time.
#[derive(Clone, Debug, Default)]
pub struct CallStop(Arc<AtomicBool>);

impl CallStop {
    /// Requests the call to stop. Other calls go on.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Runs a call on this thread, where [`is_requested`] returns meanwhile whether this stop was requested.
    pub fn run<T>(&self, call: impl FnOnce() -> T) -> T {
        let before = CALL.replace(Some(self.clone()));
        let returned = call();
        CALL.set(before);
        returned
    }
}

/// Returns whether a stop was requested: of the process, or of the call that this thread runs.
pub fn is_requested() -> bool {
    let is_set = |stop: &CallStop| stop.0.load(Ordering::SeqCst);
    REQUESTED.load(Ordering::SeqCst) || CALL.with_borrow(|call| call.as_ref().is_some_and(is_set))
}

/// The signals that request a stop, except those that were ignored when the program started.
///
/// `nohup` makes a program ignore SIGHUP, and a shell without job control makes background jobs ignore SIGINT: such a
/// program is meant to continue.
#[cfg(unix)]
pub fn signals() -> Vec<std::ffi::c_int> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| !is_ignored(signal)).collect()
}

#[cfg(unix)]
fn is_ignored(signal: std::ffi::c_int) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action, sigaction only writes the present one to where it is told.
    let known = unsafe { libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) } == 0;
    // SAFETY: zeroed bytes are a valid action, and so is what the system wrote.
    known && unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN
}

/// Has [`react`] called at each request to stop, from the first call on.
#[cfg(unix)]
fn handle_requests() -> Result<()> {
    if is_to_handle() { on_signals(signals()) } else { Ok(()) }
}

/// The same at the notice of a batch system, unless it was ignored when the program started.
#[cfg(unix)]
fn handle_notices() -> Result<()> {
    use signal_hook::consts::SIGUSR1;
    if is_ignored(SIGUSR1) { Ok(()) } else { on_signals(vec![SIGUSR1]) }
}

#[cfg(unix)]
fn is_notice(signal: i32) -> bool {
    signal == signal_hook::consts::SIGUSR1
}

/// Calls [`react`] in a separate thread at each of these signals.
#[cfg(unix)]
fn on_signals(signals: Vec<std::ffi::c_int>) -> Result<()> {
    let mut requests = signal_hook::iterator::Signals::new(signals).context("cannot listen for Ctrl-C")?;
    let thread = std::thread::Builder::new().name("signals".into());
    thread.spawn(move || requests.forever().for_each(react)).context("cannot listen for Ctrl-C")?;
    Ok(())
}

#[cfg(not(unix))]
fn handle_requests() -> Result<()> {
    const INTERRUPT: i32 = 2;
    if !is_to_handle() {
        return Ok(());
    }
    ctrlc::set_handler(|| react(INTERRUPT)).context("cannot listen for Ctrl-C")
}

#[cfg(not(unix))]
fn handle_notices() -> Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn is_notice(_: i32) -> bool {
    false
}

/// Returns whether requests have to be handled and are not yet: one handler knows both what is unfinished and whether a
/// loop checks for requests.
fn is_to_handle() -> bool {
    static IS_HANDLED: AtomicBool = AtomicBool::new(false);
    !IS_HOSTED.load(Ordering::SeqCst) && !IS_HANDLED.swap(true, Ordering::SeqCst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_finished_is_not_removed_at_a_request() {
        leave_to_host();
        let (a, b) = (PathBuf::from("a"), PathBuf::from("b"));
        let first = discard_on_request(vec![a.clone(), b.clone()]).unwrap();
        let second = discard_on_request(vec![a.clone()]).unwrap();
        drop(first);
        assert_eq!(*unfinished(), [a]);
        drop(second);
        assert!(unfinished().is_empty());
    }

    #[test]
    fn a_request_stops_one_call_and_no_other() {
        let (stopped, other) = (CallStop::default(), CallStop::default());
        stopped.request();
        assert!(stopped.run(is_requested) && !other.run(is_requested) && !is_requested());
        let within = other.run(|| (stopped.run(is_requested), is_requested()));
        assert_eq!(within, (true, false));
        let elsewhere = stopped.run(|| std::thread::spawn(is_requested).join().unwrap());
        assert!(!elsewhere, "a thread that the call has started does not run it");
    }
}

//! A request to stop: Ctrl-C, SIGTERM, the end of the terminal, or a batch system's notice (SIGUSR1). Long loops
//! check it between steps.

use crate::print;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);
/// Whether a handler is ending the program.
static ENDING: AtomicBool = AtomicBool::new(false);
/// Signals whose repetition does not mean that the user insists: a closing terminal may send several, and a batch
/// system (SIGUSR1) one to each process of a job.
#[cfg(unix)]
const NOT_INSISTING: [i32; 2] = [signal_hook::consts::SIGHUP, signal_hook::consts::SIGUSR1];
#[cfg(not(unix))]
const NOT_INSISTING: [i32; 0] = [];

/// Whether another part of the process handles signals.
static IS_HOSTED: AtomicBool = AtomicBool::new(false);

/// The user stopped the command; finished work is kept.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("interrupted; what was done is kept, and the same command goes on from there")]
pub struct Interrupted;

/// From now on, a stop request sets the flag of [`is_requested`], which the loop checks after each `step`; a second
/// request ends the program at once. SIGUSR1 is a stop request too: batch systems such as Slurm send it before a job's
/// time ends.
///
/// # Errors
/// When the system takes no handler.
pub fn listen(step: &'static str) -> Result<()> {
    static IS_LISTENING: AtomicBool = AtomicBool::new(false);
    // One command may run several loops, such as those of a sweep.
    if IS_LISTENING.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    let insisted = AtomicBool::new(false);
    on_request(Listen::WithNotices, move |signal| {
        if is_insisting(signal) && insisted.swap(true, Ordering::SeqCst) {
            stop_at_once();
        }
        REQUESTED.store(true, Ordering::SeqCst);
        print::remark(format_args!("stopping after this {step}; press Ctrl-C again to stop at once"));
    })
}

/// From now on, a stop request removes these files and folders and ends the program.
///
/// # Errors
/// When the system takes no handler.
pub fn discard_on_request(unfinished: Vec<PathBuf>) -> Result<()> {
    on_request(Listen::RequestsOnly, move |signal| {
        ENDING.store(true, Ordering::SeqCst);
        for path in &unfinished {
            // Other threads may still be writing. What is left in the end the next run removes.
            let mut attempts =
                (0..10).map(|_| std::fs::remove_dir_all(path).or_else(|_| std::fs::remove_file(path)));
            attempts.any(|removed| removed.is_ok() || !path.exists());
        }
        std::process::exit(128 + signal);
    })
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

/// Ends the program for a user who insists.
pub fn stop_at_once() -> ! {
    std::process::exit(130)
}

/// Leaves signals to the host of this library, such as Python: from now on, [`listen`] and [`discard_on_request`] install
/// no handler. The host calls [`request`].
pub fn leave_to_host() {
    IS_HOSTED.store(true, Ordering::SeqCst);
}

/// Requests a stop, as Ctrl-C does.
pub fn request() {
    REQUESTED.store(true, Ordering::SeqCst);
}

/// Withdraws the request, once the work has stopped and the process goes on.
pub fn withdraw() {
    REQUESTED.store(false, Ordering::SeqCst);
}

/// Returns whether a stop was requested.
pub fn is_requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
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

/// Which signals count as a request to stop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listen {
    /// Signals that end the program by default.
    RequestsOnly,
    /// Also the notice of a batch system.
    WithNotices,
}

/// Runs `react` in a separate thread at each request, with the number of the signal.
#[cfg(unix)]
fn on_request(listen: Listen, react: impl Fn(i32) + Send + 'static) -> Result<()> {
    use signal_hook::consts::SIGUSR1;
    if IS_HOSTED.load(Ordering::SeqCst) {
        return Ok(());
    }
    let notice = (listen == Listen::WithNotices && !is_ignored(SIGUSR1)).then_some(SIGUSR1);
    let signals = signals().into_iter().chain(notice);
    let mut requests = signal_hook::iterator::Signals::new(signals).context("cannot listen for Ctrl-C")?;
    let thread = std::thread::Builder::new().name("signals".into());
    thread.spawn(move || requests.forever().for_each(react)).context("cannot listen for Ctrl-C")?;
    Ok(())
}

#[cfg(not(unix))]
fn on_request(_: Listen, react: impl Fn(i32) + Send + 'static) -> Result<()> {
    const INTERRUPT: i32 = 2;
    if IS_HOSTED.load(Ordering::SeqCst) {
        return Ok(());
    }
    ctrlc::set_handler(move || react(INTERRUPT)).context("cannot listen for Ctrl-C")
}

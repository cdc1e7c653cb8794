//! Programs that a test starts: killed at a time limit, so that one that hangs is a failed test and not a suite that
//! never ends; and killed when dropped.

use std::ops::{Deref, DerefMut};
use std::process::{Child, Command, Output};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Far more than any of them takes on a busy machine.
pub const TIME_LIMIT: Duration = Duration::from_secs(10 * 60);

/// This program as it is for somebody who has set nothing.
pub fn dermake() -> Command {
    without_settings(Command::new(env!("CARGO_BIN_EXE_dermake")))
}

/// A command without the settings of this run of tests, such as the page's folder, which may not be built yet.
pub fn without_settings(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DERMAKE_")) {
        command.env_remove(name);
    }
    command.env("HF_HUB_OFFLINE", "1");
    command
}

/// A program with a time limit.
pub struct Limited {
    child: Option<Child>,
    /// Its end tells the thread that waits for the time limit.
    _watch: Sender<()>,
}

impl Limited {
    pub fn start(command: &mut Command) -> Self {
        let child = command.spawn().unwrap();
        let id = child.id().to_string();
        let (watch, dropped) = channel();
        std::thread::spawn(move || {
            if dropped.recv_timeout(TIME_LIMIT) == Err(RecvTimeoutError::Timeout) {
                Command::new("kill").args(["-KILL", &id]).status().ok();
            }
        });
        Self { child: Some(child), _watch: watch }
    }

    /// Waits for its end; returns what it wrote to the pipes that nobody has taken.
    pub fn output(mut self) -> Output {
        self.child.take().unwrap().wait_with_output().unwrap()
    }
}

impl Deref for Limited {
    type Target = Child;

    fn deref(&self) -> &Child {
        self.child.as_ref().unwrap()
    }
}

impl DerefMut for Limited {
    fn deref_mut(&mut self) -> &mut Child {
        self.child.as_mut().unwrap()
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

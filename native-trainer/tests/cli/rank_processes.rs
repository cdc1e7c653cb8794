//! The program as several ranks on this machine, as torchrun starts it.

use crate::limited::{self, Limited};
use std::ffi::OsStr;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The processes of a run.
pub struct RankProcesses {
    pub children: Vec<Limited>,
}

/// How a process ended, and what it wrote to stderr.
pub type Ended = (Option<i32>, String);

impl RankProcesses {
    pub fn start<S: AsRef<OsStr>>(size: usize, arguments: &[S]) -> Self {
        let port = free_port();
        Self { children: (0..size).map(|rank| spawn(rank, size, port, arguments)).collect() }
    }

    pub fn wait(self) -> Vec<Output> {
        self.children.into_iter().map(Limited::output).collect()
    }

    pub fn send(&self, signal: &str, rank: usize) {
        let id = self.children[rank].id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits until `is_there`; fails if the first process ends before.
    pub fn wait_until(&mut self, is_there: impl Fn() -> bool) {
        let started = Instant::now();
        while !is_there() {
            assert!(started.elapsed() < Duration::from_secs(120), "it did not come");
            assert!(self.children[0].try_wait().unwrap().is_none(), "the run ended before it was seen");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// How each rank ends.
    pub fn ended(self) -> Vec<Ended> {
        let said = |output: Output| (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned());
        self.wait().into_iter().map(said).collect()
    }

    /// Fails if a process is still there after ten seconds.
    pub fn ends_within_ten_seconds(mut self) -> Vec<Ended> {
        let started = Instant::now();
        while self.children.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
            if started.elapsed() > Duration::from_secs(10) {
                self.children.iter_mut().for_each(|child| child.kill().unwrap());
                panic!("a rank is still there ten seconds after another died");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        self.ended()
    }
}

/// Starts one rank.
pub fn spawn<S: AsRef<OsStr>>(rank: usize, size: usize, port: u16, arguments: &[S]) -> Limited {
    Limited::start(&mut command(rank, size, port, arguments))
}

/// The process of one rank, which has not been started.
pub fn command<S: AsRef<OsStr>>(rank: usize, size: usize, port: u16, arguments: &[S]) -> Command {
    let mut command = limited::dermake();
    command.args(arguments);
    as_rank(command, rank, size, port)
}

/// The same for a rank whose files may not grow beyond half a megabyte, as on a full disk.
pub fn command_on_full_disk<S: AsRef<OsStr>>(rank: usize, size: usize, port: u16, arguments: &[S]) -> Command {
    let mut command = limited::without_settings(Command::new("bash"));
    command.args(["-c", "ulimit -f 512; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_dermake")]).args(arguments);
    as_rank(command, rank, size, port)
}

fn as_rank(mut command: Command, rank: usize, size: usize, port: u16) -> Command {
    command.env("MASTER_PORT", port.to_string());
    command.env("RANK", rank.to_string()).env("LOCAL_RANK", rank.to_string());
    command.env("WORLD_SIZE", size.to_string()).env("LOCAL_WORLD_SIZE", size.to_string());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs so many ranks to their end; returns what all have written, the first one first.
pub fn over_tcp(size: usize, arguments: &[&OsStr]) -> Output {
    let mut ended = RankProcesses::start(size, arguments).wait().into_iter();
    let mut all = ended.next().unwrap();
    for output in ended {
        all.stdout.extend(output.stdout);
        all.stderr.extend(output.stderr);
        if all.status.success() {
            all.status = output.status;
        }
    }
    all
}

//! Ranks over TCP: every rank has a connection to every other.
//!
//! A thread for each connection receives, so a rank may send as much as it likes before it receives, and notices the end
//! of another rank while it computes. Connections are neither encrypted nor authenticated, as those of MPI, NCCL and
//! PyTorch are not: ranks belong in a network of their own.

mod failure;
mod frames;
mod hello;
mod meeting;
mod place;

pub use place::Place;

use super::Collectives;
use super::error::{ConnectError, RankError};
use super::launch::Master;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use failure::{Failure, OnLost};
use frames::{Frame, Header, Kind};
use meeting::Meeting;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Time between two looks at whether another rank has failed, while data are waited for.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// Time that a failed rank tries to tell each of the others why.
const TO_SAY_WHY: Duration = Duration::from_secs(2);
/// Time that a rank which has finished waits for the others to finish.
const TO_FINISH: Duration = Duration::from_secs(10);

/// Ranks that are connected by TCP.
pub struct Tcp {
    rank: usize,
    /// By rank; none for this one.
    peers: Vec<Option<Peer>>,
    failure: Arc<Failure>,
    /// Number of the next operation, which every frame has.
    operation: AtomicU32,
    sent_bytes: AtomicU64,
}

struct Peer {
    stream: Mutex<TcpStream>,
    received: Receiver<Frame>,
    reader: Option<JoinHandle<()>>,
}

impl Tcp {
    /// Connects this rank to all others, which may come up to five minutes later.
    ///
    /// # Errors
    /// When ranks do not come, belong to another run, or two processes have one rank.
    pub fn connect(place: &Place, master: &Master, on_lost: OnLost) -> Result<Self, ConnectError> {
        let streams = Meeting::new(*place).of(master)?;
        Self::over(place.rank, streams, on_lost)
    }

    /// Connects ranks that are threads of this process, for tests and measurements.
    ///
    /// # Errors
    /// When a connection cannot be made.
    pub fn in_threads(size: usize) -> Result<Vec<Self>, ConnectError> {
        let listener = meeting::listen(0, true)?;
        let port = listener.local_addr().map_err(ConnectError::Own)?.port();
        let master = Master { host: "127.0.0.1".into(), port };
        let meeting = |rank| Meeting::new(Place { rank, size, is_local: true, run: 0 });
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..size)
                .map(|rank| {
                    let master = &master;
                    scope.spawn(move || Self::over(rank, meeting(rank).with_master(master)?, |_| ()))
                })
                .collect();
            let first = Self::over(0, meeting(0).as_master(&listener)?, |_| ())?;
            let others = others
                .into_iter()
                .zip(1..)
                .map(|(thread, rank)| thread.join().unwrap_or(Err(ConnectError::Ended { rank })));
            std::iter::once(Ok(first)).chain(others).collect()
        })
    }

    fn over(rank: usize, streams: Vec<Option<TcpStream>>, on_lost: OnLost) -> Result<Self, ConnectError> {
        let failure = Arc::new(Failure::new(on_lost));
        let peers = streams
            .into_iter()
            .enumerate()
            .map(|(peer, stream)| stream.map(|stream| Peer::new(peer, stream, Arc::clone(&failure))).transpose());
        let peers = peers.collect::<Result<_, _>>()?;
        Ok(Self { rank, peers, failure, operation: AtomicU32::new(0), sent_bytes: AtomicU64::new(0) })
    }

    fn receive(&self, rank: usize, peer: &Peer, operation: u32) -> Result<Vec<u8>, RankError> {
        loop {
            match peer.received.recv_timeout(BETWEEN_LOOKS) {
                Ok(frame) if frame.operation == operation => return Ok(frame.data),
                Ok(frame) => {
                    return Err(RankError::OtherOperation { rank, found: frame.operation, expected: operation });
                }
                Err(RecvTimeoutError::Timeout) => match self.failure.found() {
                    Some(failure) => return Err(failure),
                    None => continue,
                },
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(self.failure.found().unwrap_or(RankError::Left { rank }));
                }
            }
        }
    }

    /// This rank's peers from the next rank on, so that not all ranks begin with the first.
    fn others(&self) -> impl Iterator<Item = (usize, &Peer)> {
        let size = self.peers.len();
        let ranks = (1..size).map(move |distance| (self.rank + distance) % size);
        ranks.filter_map(|rank| self.peers[rank].as_ref().map(|peer| (rank, peer)))
    }
}

impl Collectives for Tcp {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.peers.len()
    }

    fn exchange(&self, parts: &[&[u8]]) -> Result<Vec<Vec<u8>>, RankError> {
        assert_eq!(parts.len(), self.size(), "one part a rank");
        if let Some(failure) = self.failure.found() {
            return Err(failure);
        }
        let operation = self.operation.fetch_add(1, Ordering::Relaxed);
        for (rank, peer) in self.others() {
            let header = Header { kind: Kind::Data, operation, n_bytes: parts[rank].len() as u64 };
            // Why a rank has gone is known to the thread that receives from it.
            peer.send(header, parts[rank]).map_err(|err| {
                self.failure.soon_found().unwrap_or(RankError::Lost { rank, cause: err.to_string() })
            })?;
            self.sent_bytes.fetch_add(parts[rank].len() as u64, Ordering::Relaxed);
        }
        let receive = |(rank, peer): (usize, &Option<Peer>)| match peer {
            Some(peer) => self.receive(rank, peer, operation),
            None => Ok(parts[rank].to_vec()),
        };
        self.peers.iter().enumerate().map(receive).collect()
    }

    fn leave(&self) {
        if self.failure.found().is_some() || self.failure.has_ended() {
            return;
        }
        self.failure.end();
        for (_, peer) in self.others() {
            // Ranks that still compute are told that nothing more comes; where the connection is gone they know.
            let _ = peer.send(Header { kind: Kind::Goodbye, operation: 0, n_bytes: 0 }, &[]);
            let _ = peer.stream().shutdown(Shutdown::Write);
        }
    }

    fn abort(&self, message: &str) {
        self.failure.end();
        for (_, peer) in self.others() {
            let header = Header { kind: Kind::Abort, operation: 0, n_bytes: message.len() as u64 };
            // A rank that cannot be told sees its connection end.
            let _ = peer.stream().set_write_timeout(Some(TO_SAY_WHY));
            let _ = peer.send(header, message.as_bytes());
            let _ = peer.stream().shutdown(Shutdown::Write);
        }
    }

    fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }
}

impl Drop for Tcp {
    fn drop(&mut self) {
        // Those of a rank that has failed or left were told so, or know it.
        let has_failed = self.failure.found().is_some() || self.failure.has_ended();
        match has_failed {
            true => self.others().for_each(|(_, peer)| drop(peer.stream().shutdown(Shutdown::Write))),
            false => self.leave(),
        }
        self.failure.end();
        // A connection that is closed with unread data would be reset, and what was sent last be lost.
        let deadline = Instant::now() + if has_failed { Duration::ZERO } else { TO_FINISH };
        for reader in self.peers.iter_mut().flatten().filter_map(|peer| peer.reader.take()) {
            while !reader.is_finished() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

impl Peer {
    fn new(rank: usize, stream: TcpStream, failure: Arc<Failure>) -> Result<Self, ConnectError> {
        let (sender, received) = unbounded();
        let mut reading = stream.try_clone().map_err(ConnectError::Thread)?;
        let reader = std::thread::Builder::new()
            .name(format!("rank-{rank}"))
            .spawn(move || read_all(rank, &mut reading, &sender, &failure))
            .map_err(ConnectError::Thread)?;
        Ok(Self { stream: Mutex::new(stream), received, reader: Some(reader) })
    }

    fn send(&self, header: Header, data: &[u8]) -> std::io::Result<()> {
        header.write(&mut *self.stream(), data)
    }

    fn stream(&self) -> std::sync::MutexGuard<'_, TcpStream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Receives until the rank has left or failed.
fn read_all(rank: usize, stream: &mut TcpStream, data: &Sender<Frame>, failure: &Arc<Failure>) {
    loop {
        match Frame::read(stream) {
            Ok(frame) => match frame.kind {
                // Nobody receives any more: this rank is ending, and reads on so that the connection is not reset.
                Kind::Data => drop(data.send(frame)),
                Kind::Goodbye => return,
                Kind::Abort => {
                    let message = String::from_utf8_lossy(&frame.data).into_owned();
                    return failure.report(RankError::Failed { rank, message });
                }
            },
            Err(err) => return failure.report(RankError::Lost { rank, cause: err.to_string() }),
        }
    }
}

#[cfg(test)]
mod tests;

//! How ranks find each other: all connect to rank 0, which tells each where the others listen.

use super::hello::{Answer, ENTRY_BYTES, Hello, entry, table_of};
use super::place::Place;
use crate::error::ConnectError;
use crate::launch::Master;
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// Time in which all ranks must have come: containers of one job may start minutes apart.
const WAITS: Duration = Duration::from_secs(300);
/// Time between two attempts.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(50);
/// Time that a connection has to say who it is.
const TO_SAY_WHO: Duration = Duration::from_secs(5);
/// A machine that does not answer for so long is gone.
const SILENCE: Duration = Duration::from_secs(8);

/// One rank that looks for the others.
#[derive(Clone, Copy)]
pub struct Meeting {
    place: Place,
    waits: Duration,
}

impl Meeting {
    pub fn new(place: Place) -> Self {
        Self { place, waits: WAITS }
    }

    /// Connections by rank.
    pub fn of(self, master: &Master) -> Result<Vec<Option<TcpStream>>, ConnectError> {
        match self.place.rank {
            0 => self.as_master(&listen(master.port, self.place.is_local)?),
            _ => self.with_master(master),
        }
    }

    /// Rank 0: waits for the others, and tells each where they are.
    pub fn as_master(self, listener: &TcpListener) -> Result<Vec<Option<TcpStream>>, ConnectError> {
        let mut ports = vec![0; self.place.size];
        let mut streams = self.accept(listener, |hello| ports[hello.rank as usize] = hello.port)?;
        let address = |stream: &Option<TcpStream>| Some(stream.as_ref()?.peer_addr().ok()?.ip());
        let addresses: Vec<Option<IpAddr>> = streams.iter().map(address).collect();
        let table = table_of(&addresses, &ports);
        for (rank, stream) in streams.iter_mut().enumerate() {
            let Some(stream) = stream else { continue };
            stream.write_all(&table).map_err(|_| ConnectError::Ended { rank })?;
        }
        Ok(streams)
    }

    /// The other ranks: connect to rank 0, then to the ranks below, and wait for those above.
    pub fn with_master(self, master: &Master) -> Result<Vec<Option<TcpStream>>, ConnectError> {
        let Place { rank: own, size, is_local, .. } = self.place;
        let listener = listen(0, is_local)?;
        let port = listener.local_addr().map_err(ConnectError::Own)?.port();
        let hello = Hello::of(&self.place, port);
        let mut first = self.reach(master)?;
        let mut table = vec![0; size * ENTRY_BYTES];
        let address = || format!("{}:{}", master.host, master.port);
        let ended = |err: io::Error| ConnectError::MasterEnded { address: address(), cause: cause(&err) };
        match Answer::to(hello, &mut first, self.waits).map_err(ended)? {
            Answer::Welcome => {}
            Answer::OtherRun => return Err(ConnectError::OtherRun { rank: 0, address: address() }),
        }
        let told = first.set_read_timeout(Some(self.waits)).and_then(|()| {
            first.read_exact(&mut table)?;
            first.set_read_timeout(None)
        });
        told.map_err(ended)?;
        let of_master = first.peer_addr().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip());
        let mut streams: Vec<Option<TcpStream>> = (0..size).map(|_| None).collect();
        streams[0] = Some(first);
        for (rank, stream) in streams.iter_mut().enumerate().take(own).skip(1) {
            let address = entry(&table, rank, of_master);
            let cannot = |source| ConnectError::Peer { rank, address: address.to_string(), source };
            let mut connected = TcpStream::connect_timeout(&address, self.waits).map_err(cannot)?;
            prepare(&connected).map_err(cannot)?;
            match Answer::to(hello, &mut connected, self.waits).map_err(cannot)? {
                Answer::Welcome => *stream = Some(connected),
                Answer::OtherRun => return Err(ConnectError::OtherRun { rank, address: address.to_string() }),
            }
        }
        let above = self.accept(&listener, |_| ())?;
        for (stream, accepted) in streams.iter_mut().zip(above) {
            *stream = stream.take().or(accepted);
        }
        Ok(streams)
    }

    /// Waits for the ranks above this one.
    fn accept(
        self,
        listener: &TcpListener,
        mut came: impl FnMut(Hello),
    ) -> Result<Vec<Option<TcpStream>>, ConnectError> {
        let Place { rank: own, size, .. } = self.place;
        listener.set_nonblocking(true).map_err(ConnectError::Own)?;
        let mut streams: Vec<Option<TcpStream>> = (0..size).map(|_| None).collect();
        let (started, mut n_missing) = (Instant::now(), size - 1 - own);
        while n_missing > 0 {
            if started.elapsed() > self.waits {
                let missing = (own + 1..size).filter(|&rank| streams[rank].is_none());
                let missing = missing.map(|rank| rank.to_string()).collect::<Vec<_>>().join(", ");
                return Err(ConnectError::Missing { size, missing, waited: self.waits });
            }
            let Ok((mut stream, _)) = listener.accept() else {
                std::thread::sleep(BETWEEN_ATTEMPTS);
                continue;
            };
            // Others may find the port, too; only ranks of this run are let in.
            let hello = prepare(&stream).and_then(|()| Hello::read(&mut stream, TO_SAY_WHO));
            let Ok(hello) = hello else { continue };
            if !self.expects(hello) {
                tracing::warn!("refused rank {} of {} of another run", hello.rank, hello.size);
                let _ = Answer::OtherRun.write(&mut stream); // it has gone
                continue;
            }
            let place = &mut streams[hello.rank as usize];
            if place.is_some() {
                return Err(ConnectError::Twice { rank: hello.rank as usize });
            }
            // One that has gone may be started again.
            if Answer::Welcome.write(&mut stream).is_err() {
                continue;
            }
            came(hello);
            *place = Some(stream);
            n_missing -= 1;
        }
        Ok(streams)
    }

    fn expects(self, hello: Hello) -> bool {
        let Place { rank, size, run, .. } = self.place;
        hello.run == run && hello.size as usize == size && (rank + 1..size).contains(&(hello.rank as usize))
    }

    fn reach(self, master: &Master) -> Result<TcpStream, ConnectError> {
        let started = Instant::now();
        loop {
            // Names are looked up each time: a container's may appear only now.
            let attempt = (master.host.as_str(), master.port).to_socket_addrs().and_then(|addresses| {
                let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
                for address in addresses {
                    match TcpStream::connect_timeout(&address, TO_SAY_WHO) {
                        Ok(stream) => return prepare(&stream).map(|()| stream),
                        Err(err) => last = err,
                    }
                }
                Err(last)
            });
            match attempt {
                Ok(stream) => return Ok(stream),
                Err(err) if started.elapsed() > self.waits => {
                    return Err(ConnectError::NoMaster {
                        address: format!("{}:{}", master.host, master.port),
                        waited: self.waits,
                        cause: err.to_string(),
                    });
                }
                Err(_) => std::thread::sleep(BETWEEN_ATTEMPTS),
            }
        }
    }
}

/// Listens on this machine alone, or for all.
pub fn listen(port: u16, is_local: bool) -> Result<TcpListener, ConnectError> {
    let cannot = |source| ConnectError::Listen { port, source };
    if is_local {
        return TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(cannot);
    }
    // Takes IPv4, too, unless the machine has no IPv6.
    TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))
        .or_else(|_| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)))
        .map_err(cannot)
}

/// Small messages leave at once, and a machine that vanished is noticed.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(SILENCE / 4).with_interval(SILENCE / 8);
    #[cfg(target_os = "linux")]
    let keepalive = keepalive.with_retries(6);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(SILENCE))?;
    Ok(())
}

/// Why a connection ended.
fn cause(err: &io::Error) -> String {
    match err.kind() {
        ErrorKind::UnexpectedEof => "it closed the connection".into(),
        _ => err.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use socket2::{Domain, Socket, Type};
    use std::net::SocketAddr;

    fn meeting(rank: usize, size: usize) -> Meeting {
        Meeting { place: Place { rank, size, is_local: true, run: 7 }, waits: Duration::from_millis(300) }
    }

    fn hello(rank: usize, size: usize, run: u64) -> Vec<u8> {
        Hello::of(&Place { rank, size, is_local: true, run }, 1).bytes()
    }

    #[test]
    fn ranks_that_do_not_come_are_named() {
        let listener = listen(0, true).unwrap();
        let error = meeting(0, 3).as_master(&listener).unwrap_err().to_string();
        assert!(error.contains("of 3 ranks, these did not connect") && error.contains(": 1, 2;"), "{error}");
        // Bound, so that no other test gets the port, and nobody listens.
        let silent = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        silent.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        let port = silent.local_addr().unwrap().as_socket().unwrap().port();
        let master = Master { host: "127.0.0.1".into(), port };
        let error = meeting(1, 2).of(&master).unwrap_err().to_string();
        assert!(error.contains("rank 0 was not reached"), "{error}");
    }

    #[test]
    fn only_ranks_of_the_run_are_let_in_and_each_once() {
        let listener = listen(0, true).unwrap();
        let address = listener.local_addr().unwrap();
        let say = |bytes: &[u8]| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(bytes).unwrap();
            stream
        };
        let waiting = [
            say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n----"),
            say(&hello(2, 2, 7)),
            say(&hello(1, 3, 7)),
            say(&hello(1, 2, 8)),
            say(&hello(1, 2, 7)),
        ];
        let streams = meeting(0, 2).as_master(&listener).unwrap();
        assert_eq!(streams[1].as_ref().unwrap().peer_addr().unwrap(), waiting[4].local_addr().unwrap());
        let _twice = [say(&hello(1, 3, 7)), say(&hello(1, 3, 7))];
        let error = meeting(0, 3).as_master(&listener).unwrap_err().to_string();
        assert!(error.contains("two processes have rank 1"), "{error}");
    }

    #[test]
    fn a_rank_of_another_run_is_told_so_and_the_run_goes_on() {
        let listener = listen(0, true).unwrap();
        let master = Master { host: "127.0.0.1".into(), port: listener.local_addr().unwrap().port() };
        let of_run = |run| Meeting { place: Place { run, ..meeting(1, 2).place }, waits: Duration::from_secs(20) };
        std::thread::scope(|scope| {
            let (first, listener) = (Meeting { waits: Duration::from_secs(20), ..meeting(0, 2) }, &listener);
            let first = scope.spawn(move || first.as_master(listener));
            let error = of_run(8).with_master(&master).unwrap_err().to_string();
            assert!(error.contains("belongs to another run") && error.contains("MASTER_PORT"), "{error}");
            assert!(of_run(7).with_master(&master).unwrap()[0].is_some());
            assert!(first.join().unwrap().unwrap()[1].is_some());
        });
    }
}

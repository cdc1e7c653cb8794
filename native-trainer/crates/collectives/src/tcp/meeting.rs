//! How ranks find each other: all connect to rank 0, which tells each where the others listen.

use crate::error::ConnectError;
use crate::launch::Master;
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// Time in which all ranks must have come: containers of one job may start minutes apart.
pub const WAITS: Duration = Duration::from_secs(300);
/// Time between two attempts.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(50);
/// Time that a connection has to say who it is.
const TO_SAY_WHO: Duration = Duration::from_secs(5);
/// A machine that does not answer for so long is gone.
const SILENCE: Duration = Duration::from_secs(8);

const MAGIC: [u8; 8] = *b"dermake1";

/// One rank that looks for the others.
#[derive(Clone, Copy)]
pub struct Meeting {
    pub rank: usize,
    pub size: usize,
    pub is_local: bool,
    pub waits: Duration,
}

/// What a rank says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hello {
    rank: u32,
    size: u32,
    /// Where it listens for ranks above it.
    port: u16,
}

impl Meeting {
    /// Connections by rank.
    pub fn of(self, master: &Master) -> Result<Vec<Option<TcpStream>>, ConnectError> {
        match self.rank {
            0 => self.as_master(&listen(master.port, self.is_local)?),
            _ => self.with_master(master),
        }
    }

    /// Rank 0: waits for the others, and tells each where they are.
    pub fn as_master(self, listener: &TcpListener) -> Result<Vec<Option<TcpStream>>, ConnectError> {
        let mut ports = vec![0; self.size];
        let mut streams = self.accept(listener, |hello| ports[hello.rank as usize] = hello.port)?;
        let mut table = Vec::new();
        for (rank, stream) in streams.iter().enumerate() {
            let address = stream.as_ref().and_then(|stream| stream.peer_addr().ok()).map(|address| address.ip());
            let ip = address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
            table.extend(as_v6(ip).octets());
            table.extend(ports[rank].to_le_bytes());
        }
        for (rank, stream) in streams.iter_mut().enumerate() {
            let Some(stream) = stream else { continue };
            stream.write_all(&table).map_err(|_| ConnectError::Protocol { rank })?;
        }
        Ok(streams)
    }

    /// The other ranks: connect to rank 0, then to the ranks below, and wait for those above.
    pub fn with_master(self, master: &Master) -> Result<Vec<Option<TcpStream>>, ConnectError> {
        let listener = listen(0, self.is_local)?;
        let port = listener.local_addr().map_err(|source| ConnectError::Listen { port: 0, source })?.port();
        let hello = Hello { rank: self.rank as u32, size: self.size as u32, port };
        let mut first = self.reach(master)?;
        let mut table = vec![0; self.size * ENTRY_BYTES];
        let answered = first.write_all(&hello.bytes()).and_then(|()| {
            first.set_read_timeout(Some(self.waits))?;
            first.read_exact(&mut table)?;
            first.set_read_timeout(None)
        });
        answered.map_err(|err| ConnectError::NoMaster {
            address: format!("{}:{}", master.host, master.port),
            waited: self.waits,
            cause: match err.kind() {
                ErrorKind::UnexpectedEof => "it closed the connection; its own message says why".into(),
                _ => err.to_string(),
            },
        })?;
        let of_master = first.peer_addr().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip());
        let mut streams: Vec<Option<TcpStream>> = (0..self.size).map(|_| None).collect();
        streams[0] = Some(first);
        for (rank, stream) in streams.iter_mut().enumerate().take(self.rank).skip(1) {
            let address = entry(&table, rank, of_master);
            let cannot = |source| ConnectError::Peer { rank, address: address.to_string(), source };
            let mut connected = TcpStream::connect_timeout(&address, self.waits).map_err(cannot)?;
            prepare(&connected).map_err(cannot)?;
            connected.write_all(&hello.bytes()).map_err(cannot)?;
            *stream = Some(connected);
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
        let cannot = |source| ConnectError::Listen { port: 0, source };
        listener.set_nonblocking(true).map_err(cannot)?;
        let mut streams: Vec<Option<TcpStream>> = (0..self.size).map(|_| None).collect();
        let (started, mut n_missing) = (Instant::now(), self.size - 1 - self.rank);
        while n_missing > 0 {
            if started.elapsed() > self.waits {
                let missing = (self.rank + 1..self.size).filter(|&rank| streams[rank].is_none());
                let missing = missing.map(|rank| rank.to_string()).collect::<Vec<_>>().join(", ");
                return Err(ConnectError::Missing { size: self.size, missing, waited: self.waits });
            }
            let Ok((mut stream, _)) = listener.accept() else {
                std::thread::sleep(BETWEEN_ATTEMPTS);
                continue;
            };
            // Others may find the port, too; only ranks of this run are let in.
            let Some(hello) = Hello::read(&mut stream).ok().filter(|hello| self.expects(*hello)) else { continue };
            let place = &mut streams[hello.rank as usize];
            if place.is_some() {
                return Err(ConnectError::Twice { rank: hello.rank as usize });
            }
            came(hello);
            *place = Some(stream);
            n_missing -= 1;
        }
        Ok(streams)
    }

    fn expects(self, hello: Hello) -> bool {
        hello.size as usize == self.size && (self.rank + 1..self.size).contains(&(hello.rank as usize))
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

const HELLO_BYTES: usize = 18;

impl Hello {
    fn bytes(self) -> Vec<u8> {
        [&MAGIC[..], &self.rank.to_le_bytes(), &self.size.to_le_bytes(), &self.port.to_le_bytes()].concat()
    }

    fn read(stream: &mut TcpStream) -> io::Result<Self> {
        prepare(stream)?;
        stream.set_read_timeout(Some(TO_SAY_WHO))?;
        let mut bytes = [0; HELLO_BYTES];
        stream.read_exact(&mut bytes)?;
        stream.set_read_timeout(None)?;
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        match bytes[..8] == MAGIC {
            true => {
                Ok(Self { rank: number(8), size: number(12), port: u16::from_le_bytes([bytes[16], bytes[17]]) })
            }
            false => Err(io::Error::new(ErrorKind::InvalidData, "this is no rank")),
        }
    }
}

/// Bytes of an address and a port.
const ENTRY_BYTES: usize = 18;

/// Where a rank listens. One that rank 0 sees at a loopback address is on its machine.
fn entry(table: &[u8], rank: usize, of_master: IpAddr) -> SocketAddr {
    let entry = &table[rank * ENTRY_BYTES..][..ENTRY_BYTES];
    let mut octets = [0; 16];
    octets.copy_from_slice(&entry[..16]);
    let ip = Ipv6Addr::from(octets).to_canonical();
    let ip = if ip.is_loopback() { of_master.to_canonical() } else { ip };
    SocketAddr::new(ip, u16::from_le_bytes([entry[16], entry[17]]))
}

fn as_v6(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meeting(rank: usize, size: usize) -> Meeting {
        Meeting { rank, size, is_local: true, waits: Duration::from_millis(300) }
    }

    #[test]
    fn ranks_that_do_not_come_are_named() {
        let listener = listen(0, true).unwrap();
        let error = meeting(0, 3).as_master(&listener).unwrap_err().to_string();
        assert!(error.contains("these ranks of 3 did not come") && error.ends_with("1, 2"), "{error}");
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let master = Master { host: "127.0.0.1".into(), port };
        let error = meeting(1, 2).of(&master).unwrap_err().to_string();
        assert!(error.contains("rank 0 did not answer"), "{error}");
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
        let hello = |rank, size| Hello { rank, size, port: 1 }.bytes();
        let waiting =
            [say(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), say(&hello(2, 2)), say(&hello(1, 3)), say(&hello(1, 2))];
        let streams = meeting(0, 2).as_master(&listener).unwrap();
        assert_eq!(streams[1].as_ref().unwrap().peer_addr().unwrap(), waiting[3].local_addr().unwrap());
        let _twice = [say(&hello(1, 3)), say(&hello(1, 3))];
        let error = meeting(0, 3).as_master(&listener).unwrap_err().to_string();
        assert!(error.contains("two processes have rank 1"), "{error}");
    }

    #[test]
    fn a_rank_beside_the_first_is_found_by_ranks_elsewhere() {
        let mut table = vec![0; ENTRY_BYTES];
        table.extend(Ipv4Addr::LOCALHOST.to_ipv6_mapped().octets());
        table.extend(77u16.to_le_bytes());
        let master = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 5));
        assert_eq!(entry(&table, 1, master), "10.0.0.5:77".parse().unwrap());
    }
}

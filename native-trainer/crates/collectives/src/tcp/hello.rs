//! What ranks say when they meet: who they are, whether they belong together, and where each listens.

use super::place::Place;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// The protocol and its version.
const MAGIC: [u8; 8] = *b"dermake2";
const HELLO_BYTES: usize = 26;

/// What a rank says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    pub rank: u32,
    pub size: u32,
    pub run: u64,
    /// Where it listens for ranks above it.
    pub port: u16,
}

/// What it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Welcome = 1,
    /// It is no rank of this run, or one that is not expected here.
    OtherRun = 2,
}

impl Hello {
    pub fn of(place: &Place, port: u16) -> Self {
        Self { rank: place.rank as u32, size: place.size as u32, run: place.run, port }
    }

    pub fn bytes(self) -> Vec<u8> {
        let Self { rank, size, run, port } = self;
        [&MAGIC[..], &rank.to_le_bytes(), &size.to_le_bytes(), &run.to_le_bytes(), &port.to_le_bytes()].concat()
    }

    /// # Errors
    /// When nothing comes within `waits`, or something else.
    pub fn read(stream: &mut TcpStream, waits: Duration) -> io::Result<Self> {
        stream.set_read_timeout(Some(waits))?;
        let mut bytes = [0; HELLO_BYTES];
        stream.read_exact(&mut bytes)?;
        stream.set_read_timeout(None)?;
        if bytes[..8] != MAGIC {
            return Err(io::Error::new(ErrorKind::InvalidData, "this is no rank"));
        }
        let number = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let run = u64::from(number(20)) << 32 | u64::from(number(16));
        Ok(Self { rank: number(8), size: number(12), run, port: u16::from_le_bytes([bytes[24], bytes[25]]) })
    }
}

impl Answer {
    /// Says hello, and returns what comes back within `waits`.
    pub fn to(hello: Hello, stream: &mut TcpStream, waits: Duration) -> io::Result<Self> {
        stream.write_all(&hello.bytes())?;
        stream.set_read_timeout(Some(waits))?;
        let mut answer = [0];
        stream.read_exact(&mut answer)?;
        stream.set_read_timeout(None)?;
        match answer[0] {
            1 => Ok(Self::Welcome),
            2 => Ok(Self::OtherRun),
            other => Err(io::Error::new(ErrorKind::InvalidData, format!("it answered {other}, expected 1 or 2"))),
        }
    }

    pub fn write(self, stream: &mut TcpStream) -> io::Result<()> {
        stream.write_all(&[self as u8])
    }
}

/// Bytes of an address and a port.
pub const ENTRY_BYTES: usize = 18;

/// The addresses and ports of all ranks; the first one's own address is not known to it.
pub fn table_of(addresses: &[Option<IpAddr>], ports: &[u16]) -> Vec<u8> {
    let entry = |(address, port): (&Option<IpAddr>, &u16)| {
        let ip = match address.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)) {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        [&ip.octets()[..], &port.to_le_bytes()].concat()
    };
    addresses.iter().zip(ports).flat_map(entry).collect()
}

/// Where a rank listens. One that rank 0 sees at a loopback address is on its machine.
pub fn entry(table: &[u8], rank: usize, of_master: IpAddr) -> SocketAddr {
    let entry = &table[rank * ENTRY_BYTES..][..ENTRY_BYTES];
    let mut octets = [0; 16];
    octets.copy_from_slice(&entry[..16]);
    let ip = Ipv6Addr::from(octets).to_canonical();
    let ip = if ip.is_loopback() { of_master.to_canonical() } else { ip };
    SocketAddr::new(ip, u16::from_le_bytes([entry[16], entry[17]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_beside_the_first_is_found_by_ranks_elsewhere() {
        let table = table_of(&[None, Some(IpAddr::V4(Ipv4Addr::LOCALHOST))], &[0, 77]);
        let master = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 5));
        assert_eq!(entry(&table, 1, master), "10.0.0.5:77".parse().unwrap());
    }
}

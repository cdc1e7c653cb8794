//! What goes over a connection: frames of a header and data.

use std::io::{self, ErrorKind, Read, Write};

/// Data of one frame at most; what is longer did not come from a rank.
const MAX_BYTES: u64 = 1 << 34;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Data = 1,
    /// The rank failed; the data say why.
    Abort = 2,
    /// The rank has finished.
    Goodbye = 3,
}

#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub kind: Kind,
    pub operation: u32,
    pub n_bytes: u64,
}

#[derive(Debug)]
pub struct Frame {
    pub kind: Kind,
    pub operation: u32,
    pub data: Vec<u8>,
}

const HEADER_BYTES: usize = 16;

impl Header {
    pub fn write(self, stream: &mut impl Write, data: &[u8]) -> io::Result<()> {
        let mut header = [0; HEADER_BYTES];
        header[0] = self.kind as u8;
        header[4..8].copy_from_slice(&self.operation.to_le_bytes());
        header[8..].copy_from_slice(&self.n_bytes.to_le_bytes());
        if data.len() <= 1 << 12 {
            return stream.write_all(&[&header, data].concat()); // one packet
        }
        stream.write_all(&header)?;
        stream.write_all(data)
    }
}

impl Frame {
    pub fn read(stream: &mut impl Read) -> io::Result<Self> {
        let mut header = [0; HEADER_BYTES];
        stream.read_exact(&mut header).map_err(|err| match err.kind() {
            ErrorKind::UnexpectedEof => io::Error::new(err.kind(), "the connection was closed"),
            _ => err,
        })?;
        let kind = match header[0] {
            1 => Kind::Data,
            2 => Kind::Abort,
            3 => Kind::Goodbye,
            other => return Err(io::Error::new(ErrorKind::InvalidData, format!("a frame of kind {other}"))),
        };
        let [operation, low, high] =
            [4, 8, 12].map(|at| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]));
        let n_bytes = u64::from(high) << 32 | u64::from(low);
        if n_bytes > MAX_BYTES {
            return Err(io::Error::new(ErrorKind::InvalidData, format!("a frame of {n_bytes} bytes")));
        }
        let mut data = Vec::new();
        stream.take(n_bytes).read_to_end(&mut data)?;
        match data.len() as u64 == n_bytes {
            true => Ok(Self { kind, operation, data }),
            false => Err(io::Error::new(ErrorKind::UnexpectedEof, "the connection was closed")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_as_they_were_sent() {
        for n_bytes in [0, 1, 4096, 100_000] {
            let (data, mut sent) = (vec![7u8; n_bytes], Vec::new());
            let header = Header { kind: Kind::Data, operation: 9, n_bytes: n_bytes as u64 };
            header.write(&mut sent, &data).unwrap();
            let frame = Frame::read(&mut sent.as_slice()).unwrap();
            assert_eq!((frame.kind, frame.operation, &frame.data), (Kind::Data, 9, &data));
            let cut = Frame::read(&mut &sent[..sent.len() - 1]).unwrap_err();
            assert_eq!(cut.to_string(), "the connection was closed");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        assert!(Frame::read(&mut &b"GET / HTTP/1.1\r\n\r\n"[..]).unwrap_err().to_string().contains("kind 71"));
        let mut header = [0u8; HEADER_BYTES];
        header[0] = 1;
        header[15] = 1;
        assert!(Frame::read(&mut &header[..]).unwrap_err().to_string().contains("bytes"));
    }
}

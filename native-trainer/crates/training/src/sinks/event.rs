//! One entry of TensorBoard's event files: an `Event` of its `event.proto`, encoded by hand, in a TFRecord frame.
//!
//! The fields that a scalar log needs are few, and their numbers are fixed for ever by the files that exist:
//! <https://github.com/tensorflow/tensorboard/blob/2.21.0/tensorboard/compat/proto/event.proto> and `summary.proto`
//! beside it. The frame is described in <https://www.tensorflow.org/tutorials/load_data/tfrecord>.

use crc::{CRC_32_ISCSI, Crc};

/// The format's version, which tells TensorBoard to look for [`Content::SessionStart`].
const FILE_VERSION: &[u8] = b"brain.Event:2";
const CRC_32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// An entry of an event file.
pub(super) struct Event<'a> {
    /// Seconds since 1970.
    pub wall_secs: f64,
    pub step: u64,
    pub content: Content<'a>,
}

/// The content of an [`Event`].
pub(super) enum Content<'a> {
    /// The first entry of a file, with the name of what wrote it.
    Header { writer: &'a str },
    /// A run starts or continues: TensorBoard then ignores the values of earlier files from this step on.
    SessionStart,
    /// Names and values of a step; they are stored as f32.
    Scalars(&'a [(String, f64)]),
}

impl Event<'_> {
    /// The bytes of the entry in the file: length, its checksum, the event, its checksum.
    pub(super) fn to_frame(&self) -> Vec<u8> {
        let event = self.to_message().0;
        let length = (event.len() as u64).to_le_bytes();
        let mut frame = Vec::with_capacity(event.len() + 16);
        frame.extend(length);
        frame.extend(masked_crc(&length).to_le_bytes());
        frame.extend(&event);
        frame.extend(masked_crc(&event).to_le_bytes());
        frame
    }

    fn to_message(&self) -> Message {
        let mut event = Message::default();
        // A field that holds its type's default is not written: that is how protobuf itself encodes the message.
        if self.wall_secs != 0.0 {
            event.double(1, self.wall_secs);
        }
        if self.step != 0 {
            event.varint(2, self.step);
        }
        match &self.content {
            Content::Header { writer } => {
                let mut source = Message::default();
                source.bytes(1, writer.as_bytes());
                event.bytes(3, FILE_VERSION);
                event.bytes(10, &source.0);
            }
            Content::Scalars(scalars) => event.bytes(5, &summary(scalars).0),
            Content::SessionStart => {
                let mut session = Message::default();
                session.varint(1, 1); // status: START
                event.bytes(7, &session.0);
            }
        }
        event
    }
}

fn summary(scalars: &[(String, f64)]) -> Message {
    let mut summary = Message::default();
    for (tag, scalar) in scalars {
        let mut value = Message::default();
        value.bytes(1, tag.as_bytes());
        value.float(2, *scalar as f32);
        summary.bytes(1, &value.0);
    }
    summary
}

/// The checksum of a TFRecord: CRC-32C, rotated and shifted so that the checksum of data with checksums in it is sound.
fn masked_crc(bytes: &[u8]) -> u32 {
    CRC_32C.checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A protobuf message under construction. A field's key is its number and, in the low three bits, its wire type.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, field: u64, value: u64) {
        self.raw_varint(field << 3);
        self.raw_varint(value);
    }

    fn double(&mut self, field: u64, value: f64) {
        self.raw_varint(field << 3 | 1);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.raw_varint(field << 3 | 2);
        self.raw_varint(value.len() as u64);
        self.0.extend(value);
    }

    fn float(&mut self, field: u64, value: f32) {
        self.raw_varint(field << 3 | 5);
        self.0.extend(value.to_le_bytes());
    }

    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_is_castagnolis() {
        // The check value of the catalog, and the first vectors of RFC 3720, B.4.
        assert_eq!(CRC_32C.checksum(b"123456789"), 0xe306_9283);
        assert_eq!(CRC_32C.checksum(&[0; 32]), 0x8a91_36aa);
        assert_eq!(CRC_32C.checksum(&[0xff; 32]), 0x62a8_ab43);
    }

    #[test]
    fn varints_take_seven_bits_a_byte() {
        for (value, bytes) in [(0, vec![0]), (127, vec![0x7f]), (128, vec![0x80, 1]), (300, vec![0xac, 2])] {
            let mut message = Message::default();
            message.raw_varint(value);
            assert_eq!(message.0, bytes, "{value}");
        }
    }
}

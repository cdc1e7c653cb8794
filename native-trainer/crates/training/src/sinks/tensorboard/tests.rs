//! Event files against an independent reader, against a file of TensorBoard's own, and against TensorBoard itself.

use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

use super::*;

/// An event as the reader below, the golden file's JSON and this test's expectations know it.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Decoded {
    wall_secs: f64,
    step: u64,
    file_version: Option<String>,
    writer: Option<String>,
    session_status: Option<u64>,
    scalars: Vec<(String, f32)>,
}

/// Splits a file into the events of its frames; a torn end is left out, a wrong checksum panics.
fn read_events(mut file: &[u8]) -> Vec<Decoded> {
    let mut events = Vec::new();
    while file.len() >= 12 {
        let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
        assert_eq!(masked(&file[..8]), u32::from_le_bytes(file[8..12].try_into().unwrap()), "checksum of a length");
        if file.len() < 16 + length {
            break;
        }
        let (event, rest) = file[12..].split_at(length);
        assert_eq!(masked(event), u32::from_le_bytes(rest[..4].try_into().unwrap()), "checksum of an event");
        events.push(decode(event));
        file = &rest[4..];
    }
    events
}

/// The masked CRC-32C bit by bit, from the definition.
fn masked(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 };
        }
    }
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// A field of a protobuf message: a varint or fixed number as it is, or the bytes of what is nested.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn number(&self) -> u64 {
        let Field::Number(number) = self else { panic!("expected a number") };
        *number
    }
    fn bytes(&self) -> &'a [u8] {
        let Field::Bytes(bytes) = self else { panic!("expected bytes") };
        bytes
    }
    fn text(&self) -> String {
        String::from_utf8(self.bytes().to_vec()).unwrap()
    }
}

fn fields(mut message: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let value = match key & 7 {
            0 => Field::Number(varint(&mut message)),
            1 => Field::Number(u64::from_le_bytes(take(&mut message, 8).try_into().unwrap())),
            2 => {
                let length = varint(&mut message) as usize;
                Field::Bytes(take(&mut message, length))
            }
            5 => Field::Number(u64::from(u32::from_le_bytes(take(&mut message, 4).try_into().unwrap()))),
            wire => panic!("wire type {wire}"),
        };
        fields.push((key >> 3, value));
    }
    fields
}

fn take<'a>(message: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = message.split_at(length);
    *message = rest;
    taken
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..).step_by(7) {
        let byte = take(message, 1)[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            break;
        }
    }
    value
}

fn decode(event: &[u8]) -> Decoded {
    let mut decoded = Decoded::default();
    for (number, field) in fields(event) {
        match number {
            1 => decoded.wall_secs = f64::from_bits(field.number()),
            2 => decoded.step = field.number(),
            3 => decoded.file_version = Some(field.text()),
            5 => {
                for (_, value) in fields(field.bytes()) {
                    let value = fields(value.bytes());
                    let [(1, tag), (2, scalar)] = &value[..] else { panic!("a value that is no scalar") };
                    decoded.scalars.push((tag.text(), f32::from_bits(scalar.number() as u32)));
                }
            }
            7 => decoded.session_status = Some(fields(field.bytes())[0].1.number()),
            10 => decoded.writer = Some(fields(field.bytes())[0].1.text()),
            _ => panic!("field {number}"),
        }
    }
    decoded
}

fn record(step: u64, loss: f64) -> Record {
    let scalars = vec![("loss/total".into(), loss), ("lr".into(), 1e-4 * step as f64)];
    Record { step, epoch: 0, wall_secs: 1000.25 + step as f64, scalars }
}

/// The event that a record becomes.
fn expected(record: &Record) -> Decoded {
    let scalars = record.scalars.iter().map(|(tag, value)| (tag.clone(), *value as f32)).collect();
    Decoded { wall_secs: record.wall_secs, step: record.step, scalars, ..Decoded::default() }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tensorboard").join(name)
}

#[test]
fn tensorboards_own_file_is_decoded_and_reproduced_byte_for_byte() {
    let golden = fs::read(script("golden.tfevents")).unwrap();
    let events: Vec<Decoded> = serde_json::from_slice(&fs::read(script("golden.json")).unwrap()).unwrap();
    assert_eq!(read_events(&golden), events);

    let encoded: Vec<u8> = events.iter().flat_map(encode).collect();
    assert_eq!(encoded, golden);
}

fn encode(event: &Decoded) -> Vec<u8> {
    let scalars: Vec<_> = event.scalars.iter().map(|(tag, value)| (tag.clone(), f64::from(*value))).collect();
    let content = match (&event.writer, event.session_status) {
        (Some(writer), _) => Content::Header { writer },
        (None, Some(_)) => Content::SessionStart,
        (None, None) => Content::Scalars(&scalars),
    };
    Event { wall_secs: event.wall_secs, step: event.step, content }.to_frame()
}

#[test]
fn a_file_is_a_header_a_session_start_and_a_record_each() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = EventWriter::create(&folder.path().join("run/tensorboard")).unwrap();
    let records = [record(0, 5.5), record(300, f64::INFINITY), record(1 << 40, -1e-30)];
    for (index, record) in records.iter().enumerate() {
        writer.append(record).unwrap();
        let so_far = read_events(&fs::read(writer.path()).unwrap());
        assert_eq!(so_far.len(), 3 + index, "every record is in the file at once");
    }
    let events = read_events(&fs::read(writer.path()).unwrap());
    assert_eq!(events[0].file_version.as_deref(), Some("brain.Event:2"));
    assert_eq!((events[1].session_status, events[1].step), (Some(1), 0));
    assert_eq!(events[2..], records.each_ref().map(expected));

    let nan = record(1, f64::NAN);
    writer.append(&nan).unwrap();
    assert!(read_events(&fs::read(writer.path()).unwrap())[5].scalars[0].1.is_nan());
}

#[test]
fn a_resumed_run_adds_a_file_that_sorts_after_all_others() {
    let folder = tempfile::tempdir().unwrap();
    // A clock that was set back must not put the new file before the old.
    fs::write(folder.path().join(format!("{FILE_PREFIX}4000000000.zebra.99999")), b"").unwrap();
    let mut names = vec![];
    for step in [7, 8, 9] {
        let writer = EventWriter::resume_at(folder.path(), step).unwrap();
        names.push(writer.path().to_path_buf());
        let events = read_events(&fs::read(writer.path()).unwrap());
        assert_eq!((events[0].step, events[1].session_status, events[1].step), (0, Some(1), step));
    }
    let mut paths: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert_eq!(paths[1..], names);
}

/// Output of `read_events.py`: for each of TensorBoard's readers and each tag, steps and values.
type Seen = std::collections::BTreeMap<String, std::collections::BTreeMap<String, Vec<(u64, Option<f32>)>>>;

#[test]
fn tensorboard_shows_a_killed_and_resumed_run_as_one() {
    let Some(python) = std::env::var_os("DERMAKE_TENSORBOARD_PYTHON") else {
        eprintln!("not asked of TensorBoard itself: DERMAKE_TENSORBOARD_PYTHON names no Python that has it");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut killed = EventWriter::create(folder.path()).unwrap();
    (0..10).for_each(|step| killed.append(&record(step, 100.0)).unwrap());
    let whole = fs::read(killed.path()).unwrap();
    fs::write(killed.path(), &whole[..whole.len() - 5]).unwrap(); // the last write was torn

    let mut resumed = EventWriter::resume_at(folder.path(), 6).unwrap();
    (6..12).for_each(|step| resumed.append(&record(step, step as f64)).unwrap());
    resumed.append(&record(12, f64::NAN)).unwrap();

    let output = Command::new(python).arg(script("read_events.py")).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Seen = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!seen.is_empty());
    let loss = |step: u64| if step < 6 { 100.0 } else { step as f32 };
    for (reader, tags) in seen {
        let mut losses: Vec<_> = (0..12).map(|step| (step, Some(loss(step)))).collect();
        losses.push((12, None));
        assert_eq!(tags["loss/total"], losses, "{reader}");
        let rates = (0..=12_u64).map(|step| (step, Some((1e-4 * step as f64) as f32)));
        assert_eq!(tags["lr"], rates.collect::<Vec<_>>(), "{reader}");
        assert_eq!(tags.len(), 2, "{reader}");
    }
}

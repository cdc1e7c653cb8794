//! Hostile checkpoints, put together by hand: an archive with a good checksum around any pickle.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod any;

use super::*;
use crate::Error;
use safetensors::Dtype;
use std::io::Write;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// An archive with this pickle and one storage, `0`, of the bytes 0, 1, 2, ….
fn archive(pickle: &[u8], n_stored_bytes: usize) -> Bytes {
    archive_of_order(b"little", pickle, n_stored_bytes)
}

fn archive_of_order(byte_order: &[u8], pickle: &[u8], n_stored_bytes: usize) -> Bytes {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let storage: Vec<u8> = (0..n_stored_bytes).map(|byte| byte as u8).collect();
    for (name, content) in [("a/data.pkl", pickle), ("a/byteorder", byte_order), ("a/data/0", &storage)] {
        archive.start_file(name, stored).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner().into()
}

/// A pickle that is being written.
#[derive(Clone, Default)]
struct Written(Vec<u8>);

impl Written {
    fn op(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, text: &str) -> Self {
        self.op(b"X").op(&(text.len() as u32).to_le_bytes()).op(text.as_bytes())
    }

    fn int(self, value: u64) -> Self {
        self.op(&[0x8a, 8]).op(&value.to_le_bytes())
    }

    fn ints(self, values: &[u64]) -> Self {
        values.iter().fold(self.op(b"("), |written, &value| written.int(value)).op(b"t")
    }

    /// A tensor of f32 in storage `0`.
    fn tensor(self, n_stored: u64, offset: u64, shape: &[u64], strides: &[u64]) -> Self {
        self.op(b"ctorch._utils\n_rebuild_tensor_v2\n(")
            .op(b"(")
            .text("storage")
            .op(b"ctorch\nFloatStorage\n")
            .text("0")
            .text("cpu")
            .int(n_stored)
            .op(b"tQ")
            .int(offset)
            .ints(shape)
            .ints(strides)
            .op(b"\x89NtR")
    }

    /// The whole: a dict in which this is the value of `w`.
    fn as_w(&self) -> Vec<u8> {
        Self::default().op(b"\x80\x02}(").text("w").op(&self.0).op(b"u.").0
    }
}

fn read_w(value: &Written, n_stored_bytes: usize) -> Result<Vec<(String, StoredTensor)>> {
    read(archive(&value.as_w(), n_stored_bytes))
}

fn complaint(result: Result<Vec<(String, StoredTensor)>>) -> String {
    match result {
        Err(Error::Weights { detail }) => detail,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tensor_is_a_slice_or_a_copy_of_its_storage() {
    let whole = read_w(&Written::default().tensor(6, 1, &[2, 2], &[2, 1]), 24).unwrap();
    assert_eq!((whole[0].0.as_str(), whole[0].1.dtype, &whole[0].1.shape), ("w", Dtype::F32, &vec![2, 2]));
    assert_eq!(whole[0].1.data, (4..20).collect::<Vec<u8>>());
    let transposed = read_w(&Written::default().tensor(6, 0, &[3, 2], &[1, 3]), 24).unwrap();
    let firsts: Vec<u8> = transposed[0].1.data.chunks(4).map(|value| value[0]).collect();
    assert_eq!(firsts, [0, 12, 4, 16, 8, 20]);
    let empty = read_w(&Written::default().tensor(6, 900, &[0, 7], &[0, 0]), 24).unwrap();
    assert!(empty[0].1.data.is_empty());
    let scalar = read_w(&Written::default().tensor(6, 5, &[], &[]), 24).unwrap();
    assert_eq!(scalar[0].1.data[..], [20, 21, 22, 23]);
}

#[test]
fn values_of_another_byte_order_are_refused() {
    let pickle = Written::default().tensor(6, 1, &[2, 2], &[2, 1]).as_w();
    assert!(read(archive_of_order(b"little", &pickle, 24)).is_ok());
    let found = complaint(read(archive_of_order(b"big", &pickle, 24)));
    assert!(found.contains("big-endian, expected little-endian"), "{found}");
}

#[test]
fn no_tensor_is_larger_than_what_it_looks_at() {
    let huge = u64::MAX >> 1;
    for (offset, shape, strides, expected) in [
        (0, &[1 << 40, 6][..], &[0, 1][..], "values are more than the 24 bytes of its storage"),
        (0, &[7], &[0], "values are more than the 24 bytes of its storage"),
        (0, &[huge, huge], &[1, 1], "values are more than the 24 bytes of its storage"),
        (3, &[4], &[1], "past the 24 bytes"),
        (huge, &[1], &[1], "past the 24 bytes"),
        (0, &[2, 3], &[1, 3], "past the 24 bytes"),
        (0, &[2, 2], &[huge, 1], "past the 24 bytes"),
        (0, &[2], &[1, 1], "2 strides for 1 dimensions"),
        (0, &[1; 9], &[1; 9], "9 dimensions, expected at most 8"),
    ] {
        let found = complaint(read_w(&Written::default().tensor(6, offset, shape, strides), 24));
        assert!(found.contains("tensor w: ") && found.contains(expected), "{shape:?} {strides:?}: {found}");
    }
    let short = complaint(read_w(&Written::default().tensor(7, 0, &[1], &[1]), 24));
    assert!(short.contains("24 bytes, expected 7 values of 4"), "{short}");
    // Of one value, the stride may be anything.
    assert!(read_w(&Written::default().tensor(6, 0, &[1, 2, 2], &[huge, 1, 2]), 24).is_ok());
}

#[test]
fn views_do_not_multiply_a_storage() {
    let written = |shape: &[u64], strides: &[u64]| {
        let open = Written::default().op(b"\x80\x02}(");
        let all = (0..200).fold(open, |written, n| written.text(&format!("w{n}")).tensor(1024, 0, shape, strides));
        archive(&all.op(b"u.").0, 4096)
    };
    let found = complaint(read(written(&[32, 32], &[1, 32])));
    assert!(found.contains("more is to be transposed than the file holds"), "{found}");
    // Slices cost nothing.
    assert_eq!(read(written(&[32, 32], &[32, 1])).unwrap().len(), 200);
    // Nor does one long key that is said often.
    let key = Written::default().text(&"k".repeat(100_000)).op(b"q\0").0;
    let often = (0..1000).fold(Written::default().op(b"\x80\x02}(").op(&key), |written, _| {
        written.tensor(6, 0, &[6], &[1]).op(b"h\0")
    });
    assert_eq!(read(archive(&often.op(b"Nu.").0, 24)).unwrap().len(), 0, "its last value is None");
}

#[test]
fn neither_depth_nor_cycles_matter() {
    let deep = [vec![b')'], vec![0x85; 1_000_000], b".".to_vec()].concat();
    assert!(complaint(read(archive(&deep, 0))).contains("not a dict"));
    let laughs = [b")q\0".to_vec(), b"h\0h\0\x86q\0".repeat(100), b".".to_vec()].concat();
    assert!(complaint(read(archive(&laughs, 0))).contains("not a dict"));
    let itself = Written::default().op(b"\x80\x02}q\0").text("state_dict").op(b"h\0s").text("w").op(b"h\0s.").0;
    assert_eq!(read(archive(&itself, 0)).unwrap().len(), 0);
    let parameter = |inner: Written| Written::default().op(b"ctorch._utils\n_rebuild_parameter\n").op(&inner.0);
    let wrapped = |n: usize| {
        let tensor = Written::default().tensor(6, 0, &[6], &[1]);
        (0..n).fold(tensor, |inner, _| parameter(inner).op(b"\x85R"))
    };
    assert_eq!(read_w(&wrapped(1), 24).unwrap()[0].1.shape, [6]);
    assert!(complaint(read_w(&wrapped(100_000), 24)).contains("wrapped more than 4 times"));
}

/// A pickle of nested dicts; a path's last part names a tensor of one value.
fn dicts(paths: &[&str]) -> Vec<u8> {
    fn dict(written: Written, paths: &[(Vec<&str>, u64)]) -> Written {
        let mut keys: Vec<&str> = paths.iter().map(|(path, _)| path[0]).collect();
        keys.dedup();
        let open = written.op(b"}(");
        let all = keys.into_iter().fold(open, |written, key| {
            let inner: Vec<_> = paths.iter().filter(|(path, _)| path[0] == key).cloned().collect();
            match &inner[..] {
                [(path, offset)] if path.len() == 1 => written.text(key).tensor(8, *offset, &[1], &[1]),
                _ => {
                    let inner: Vec<_> = inner.into_iter().map(|(path, at)| (path[1..].to_vec(), at)).collect();
                    dict(written.text(key), &inner)
                }
            }
        });
        all.op(b"u")
    }
    let paths: Vec<_> = paths.iter().zip(0..).map(|(path, at)| (path.split('/').collect(), at)).collect();
    dict(Written::default().op(b"\x80\x02"), &paths).op(b".").0
}

#[test]
fn the_model_is_found_under_any_key() {
    let read_keys = |paths: &[&str]| {
        let file = crate::weights::FileTensors::from_pickle(archive(&dicts(paths), 32)).unwrap();
        let weights = crate::weights::Weights::from(file);
        let keys: Vec<String> = weights.shapes().into_keys().map(String::from).collect();
        (keys, weights.left_out().to_vec())
    };
    let plain = ["token_embedding.weight".to_string(), "visual.conv1.weight".into()];
    for path in [
        "",
        "state_dict/",
        "model/",
        "model_state_dict/",
        "ema/",
        "student/",
        "module/",
        "checkpoint/model/",
        "net/clip/",
        "a/b/c/d/e/f/",
    ] {
        for prefix in ["", "module.", "_orig_mod.model.", "clip.module."] {
            let named = plain.each_ref().map(|key| format!("{path}{prefix}{key}"));
            let others = ["optimizer/exp_avg/visual.conv1.weight", "zz_loss/weight"];
            let paths: Vec<&str> = others.iter().copied().chain(named.iter().map(String::as_str)).collect();
            assert_eq!(read_keys(&paths), (plain.to_vec(), Vec::new()), "{named:?}");
        }
    }
    let copy = ["ema/visual.conv1.weight", "ema/token_embedding.weight"];
    let beside = [
        "state_dict/loss.weight",
        "state_dict/model.token_embedding.weight",
        "state_dict/model.visual.conv1.weight",
    ];
    let (keys, left_out) = read_keys(&[&copy[..], &beside].concat());
    assert_eq!((keys, left_out), (plain.to_vec(), vec!["state_dict.loss.weight".to_string()]));
    // Of two models none is taken, nor what an optimizer keeps.
    for dicts in [["a", "b"], ["optimizer/exp_avg", "optimizer/grad"]] {
        let paths: Vec<String> =
            dicts.iter().flat_map(|dict| plain.each_ref().map(|key| format!("{dict}/{key}"))).collect();
        let (keys, _) = read_keys(&paths.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(keys, paths.iter().map(|path| path.replace('/', ".")).collect::<Vec<_>>());
    }
    // Without a model, the keys of the state dict are what a message is about.
    let (keys, _) = read_keys(&["state_dict/vit.a", "epochs/x", "epochs/y"]);
    assert_eq!(keys, ["vit.a"]);
}

#[test]
fn nothing_is_run_and_the_unknown_is_left_alone() {
    for odd in [
        &b"cos\nsystem\nX\x02\0\0\0ls\x85R"[..],
        b"cbuiltins\neval\n)\x81}b",
        b"ca\nB\n)R(X\x01\0\0\0kK\x01u",
        b"](K\x01G\0\0\0\0\0\0\0\0e",
        b"\x8f(K\x01\x90",
        b"(K\x01\x91",
        b"\x8a\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"X\x03\0\0\0\xed\xa0\x80",
        b"ctorch\nLongStorage\n",
        b"\x8c\x01a\x8c\x01B\x93)}\x92",
    ] {
        assert_eq!(read_w(&Written(odd.to_vec()), 0).unwrap().len(), 0, "{odd:?}");
    }
}

#[test]
fn what_is_no_pickle_is_said_with_its_place() {
    for (pickle, expected) in [
        (&b"\x80\x02}\x97."[..], "opcode 0x97 is none that torch.save writes, at byte 3"),
        (b"\x80\x01}.", "protocol 1, expected 2 to 5, at byte 0"),
        (b"\x80\x02X\xff\xff\xff\xffab.", "3 bytes are left where 4294967295 are wanted, at byte 2"),
        (b"\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xffa.", "are wanted, at byte 2"),
        (b"\x80\x02K\x01(\x85.", "a tuple's members are missing on the stack, at byte 5"),
        (b"\x80\x02}(K\x01u.", "a dict's key without a value, at byte 6"),
        (b"\x80\x02u.", "no mark on the stack, at byte 2"),
        (b"\x80\x02h\x07.", "nothing was memorized as 7, at byte 2"),
        (b"\x80\x02K\x01NNs.", "items for what is no dict, at byte 6"),
        (b"\x80\x02", "0 bytes are left where 1 are wanted, at byte 2"),
    ] {
        let found = complaint(read(archive(pickle, 0)));
        assert!(found.starts_with("a/data.pkl is not a pickle") && found.contains(expected), "{found}");
    }
}

#[test]
fn tensors_that_make_no_sense_are_named() {
    let call = |arguments: &[u8]| Written(b"ctorch._utils\n_rebuild_tensor_v2\n".to_vec()).op(arguments);
    for (value, expected) in [
        (call(b"NR"), "has no arguments"),
        (call(b")R"), "found 0 arguments"),
        (call(b"(NNNNtR"), "its storage is no persistent name"),
        (call(b"(NQNNNtR"), "not named by type, key, place and number"),
        (Written(b"ctorch._utils\n_rebuild_parameter\n)R".to_vec()), "0 arguments, which are too few"),
    ] {
        let found = complaint(read_w(&value, 24));
        assert!(found.starts_with("tensor w: ") && found.contains(expected), "{found}");
    }
    let other_storage = Written::default().tensor(6, 0, &[6], &[1]).0;
    let at = other_storage.windows(6).position(|window| window == b"X\x01\0\0\x000").unwrap() + 5;
    let other_storage = Written([&other_storage[..at], b"9", &other_storage[at + 1..]].concat());
    let found = complaint(read_w(&other_storage, 24));
    assert!(found.contains("its values are not there: a/data/9"), "{found}");
}

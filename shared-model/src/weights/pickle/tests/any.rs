//! Any opcodes and any views.

use super::*;
use proptest::prelude::*;

/// Opcodes as they come, most of them such as do something.
fn opcodes() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(b"(.012JKMNQRX]abcdehjlqrstu})\x81\x85\x86\x87\x8a\x8c\x93\x94".to_vec());
    let text = prop::sample::select(vec![
        Written::default().text("w").0,
        Written::default().tensor(6, 0, &[2, 3], &[1, 2]).0,
        b"ctorch._utils\n_rebuild_tensor_v2\n".to_vec(),
        b"ccollections\nOrderedDict\n)R".to_vec(),
    ]);
    let piece = prop_oneof![
        4 => known.prop_map(|opcode| vec![opcode]),
        2 => any::<u8>().prop_map(|byte| vec![byte]),
        2 => text,
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_opcodes_give_tensors_within_the_file_or_an_error(opcodes in opcodes()) {
        let pickle = [b"\x80\x02}(", &opcodes[..], b"u."].concat();
        let file = archive(&pickle, 24);
        if let Ok(tensors) = read(file.clone()) {
            prop_assert!(tensors.iter().all(|(_, stored)| stored.data.len() <= 24));
        }
    }

    /// As NumPy's `as_strided` has it, value by value.
    #[test]
    fn any_view_is_what_its_strides_say(
        offset in 0u64..8,
        dimensions in prop::collection::vec((0u64..4, 0u64..8), 0..4),
    ) {
        let (shape, strides): (Vec<u64>, Vec<u64>) = dimensions.into_iter().unzip();
        let n_values: u64 = shape.iter().product();
        let value_at = |mut index: u64| {
            let mut at = offset;
            for (length, stride) in shape.iter().zip(&strides).rev() {
                at += index % length * stride;
                index /= length;
            }
            at
        };
        let is_inside = n_values <= 16 && (0..n_values).all(|index| value_at(index) < 16);
        let found = read_w(&Written::default().tensor(16, offset, &shape, &strides), 64);
        prop_assert_eq!(found.is_ok(), is_inside);
        if let Ok(tensors) = found {
            let firsts: Vec<u64> = tensors[0].1.data.chunks(4).map(|value| u64::from(value[0]) / 4).collect();
            prop_assert_eq!(firsts, (0..n_values).map(value_at).collect::<Vec<_>>());
        }
    }
}

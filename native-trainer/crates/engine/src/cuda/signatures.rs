//! The kernels by name, with the types of their parameters and the sizes of their launches: a copy of what
//! `kernels/` declares, which the tests compare with it.

#![cfg_attr(not(feature = "cuda"), allow(dead_code, reason = "without CUDA only the tests read it"))]

/// Rows of a block, in kernels that give each row to a warp.
pub const ROWS_PER_BLOCK: usize = 8;
/// Values of a block, in element-wise kernels.
pub const ELEMENTS_PER_BLOCK: usize = 2048;
/// Threads of a block, in both kinds and in most others.
pub const ROW_THREADS: u32 = 256;
/// Threads and columns of a block, in kernels that add partial sums.
pub const FINISH_THREADS: u32 = 512;
pub const FINISH_COLUMNS: usize = 32;
/// Rows of one partial sum of the gradients of a layer norm's parameters.
pub const LAYER_NORM_PART_ROWS: usize = 64;
/// Rows of one partial sum of columns, and columns of a block.
pub const COLUMN_SUM_ROWS: usize = 256;
pub const COLUMN_SUM_COLUMNS: usize = 256;
/// Values of one partial sum of squares.
pub const SQUARES_PER_PART: usize = 65_536;
/// Rows of the longest piece of an embedding's gradient; threads and columns of a block.
pub const EMBEDDING_PIECE_ROWS: usize = 128;
pub const EMBEDDING_THREADS: u32 = 128;
pub const EMBEDDING_COLUMNS: usize = 512;
/// Values of a block.
pub const ADAMW_PER_BLOCK: usize = 4096;
/// Threads of a block of every attention kernel; rows of a block.
pub const ATTENTION_THREADS: u32 = 128;
pub const ATTENTION_HALF_ROWS: usize = 64;
pub const ATTENTION_F32_ROWS: usize = 16;
pub const ATTENTION_DELTA_LANES: usize = 8;
/// Widths of a head that the kernels of bf16 and f16 are compiled for.
pub const ATTENTION_WIDTHS: [usize; 7] = [16, 32, 48, 64, 80, 96, 128];
/// The widest head in f32.
pub const ATTENTION_F32_MAX_WIDTH: usize = 128;

/// Shared memory that every kernel may use, static and dynamic together.
const USUAL_SHARED_BYTES: u32 = 48 << 10;
/// Static shared memory of a kernel that has dynamic shared memory, too: the rows of a block of `layer_norm_backward`.
const STATIC_SHARED_BYTES: u32 = 128;

/// Whether a launch with so much dynamic shared memory needs an attribute of its kernel.
pub fn needs_more_shared_memory(shared_bytes: u32) -> bool {
    shared_bytes > USUAL_SHARED_BYTES - STATIC_SHARED_BYTES
}

/// Kernels of three forms, `{name}_bf16`, `{name}_f16` and `{name}_f32`. Parameters: `p` an address, `i` a 32-bit integer,
/// `l` a 64-bit one, `d` a 64-bit float.
const OF_EVERY_TYPE: [(&str, &str); 14] = [
    ("layer_norm_forward", "ppppii"),
    ("layer_norm_backward", "ppppppii"),
    ("activation_forward", "ppli"),
    ("activation_backward", "ppli"),
    ("column_sums", "ppil"),
    ("embedding_forward", "pppppii"),
    ("embedding_backward", "ppppi"),
    ("patches_forward", "ppppii"),
    ("patches_from_values", "ppii"),
    ("assemble_tokens_forward", "ppppiii"),
    ("assemble_tokens_backward", "ppiii"),
    ("gather_rows", "pppii"),
    ("scatter_rows", "pppii"),
    ("attention_delta", "ppplii"),
];

const OF_ONE_TYPE: [(&str, &str); 12] = [
    ("layer_norm_backward_finish", "pppii"),
    ("column_sums_finish", "ppil"),
    ("embedding_backward_finish", "ppppi"),
    ("assemble_tokens_finish", "pppiii"),
    ("cast_f32_to_bf16", "ppl"),
    ("cast_f32_to_f16", "ppl"),
    ("sum_of_squares", "ppl"),
    ("sum_of_squares_finish", "ppi"),
    ("adamw", "ppppllpdddddddd"),
    ("attention_forward_f32", "ppppiiii"),
    ("attention_backward_q_f32", "ppppppiiii"),
    ("attention_backward_kv_f32", "ppppppiiii"),
];

/// Attention in bf16 and f16, a kernel for each width: `{name}_w{width}_bf16`.
const OF_EACH_WIDTH: [(&str, &str); 3] = [
    ("attention_forward", "ppppiii"),
    ("attention_backward_q", "ppppppiii"),
    ("attention_backward_kv", "ppppppiii"),
];

/// Name and parameters of each kernel that is launched.
pub fn signatures() -> Vec<(String, &'static str)> {
    let typed = OF_EVERY_TYPE.iter().flat_map(|&(name, parameters)| {
        ["bf16", "f16", "f32"].map(|element| (format!("{name}_{element}"), parameters))
    });
    let of_widths = OF_EACH_WIDTH.iter().flat_map(|&(name, parameters)| {
        let of_width = move |width| ["bf16", "f16"].map(|half| (format!("{name}_w{width}_{half}"), parameters));
        ATTENTION_WIDTHS.into_iter().flat_map(of_width)
    });
    let others = OF_ONE_TYPE.iter().map(|&(name, parameters)| (name.to_string(), parameters));
    typed.chain(of_widths).chain(others).collect()
}

/// Dynamic shared memory of an attention kernel with `n_tiles` tiles of its own rows and, with `row_statistics`, the
/// statistics of the rows that it reads.
pub fn attention_shared_bytes(is_half: bool, width: usize, n_tiles: usize, row_statistics: bool) -> usize {
    if is_half {
        let streamed = if width <= 64 { 64 } else { 32 };
        let statistics = if row_statistics { 16 * streamed } else { 0 };
        (n_tiles * ATTENTION_HALF_ROWS + 4 * streamed) * (width + 8) * 2 + statistics
    } else {
        ((n_tiles * ATTENTION_F32_ROWS + 64) * (width + 1) + 2 * ATTENTION_THREADS as usize) * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::path::Path;

    fn sources() -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels");
        let mut text = String::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "cuh") {
                text += &std::fs::read_to_string(path).unwrap();
            }
        }
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        code.collect::<Vec<_>>().join("\n").replace("\\\n", " ")
    }

    fn letter(parameter: &str) -> char {
        match parameter {
            _ if parameter.contains('*') => 'p',
            _ if parameter.starts_with("int64_t ") => 'l',
            _ if parameter.starts_with("int ") => 'i',
            _ if parameter.starts_with("double ") => 'd',
            _ => panic!("a parameter of an unknown type: {parameter}"),
        }
    }

    /// Name and parameters of each `KERNEL void name(...)`; the names of a macro's kernels hold `##`.
    fn declared() -> BTreeMap<String, String> {
        let mut kernels = BTreeMap::new();
        for text in sources().split("KERNEL void ").skip(1) {
            let text = text.strip_prefix("LAUNCH_BOUNDS(").map_or(text, behind_bracket);
            let (name, rest) = text.split_once('(').unwrap();
            let parameters = rest.split_once(')').unwrap().0;
            let letters = parameters.split(',').map(|parameter| letter(parameter.trim())).collect();
            kernels.insert(name.trim().to_string(), letters);
        }
        kernels
    }

    /// What follows the bracket that closes one opened before `text`.
    fn behind_bracket(text: &str) -> &str {
        let mut depth = 1;
        let end = text.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        });
        &text[end.unwrap() + 1..]
    }

    #[test]
    fn kernels_have_these_parameters() {
        let declared = declared();
        for (name, parameters) in signatures() {
            let found = declared.get(&name).or_else(|| {
                // attention_backward_##part##_w##width##_##type and attention_forward_w##width##_##type
                let stem = name.split("_w").next().unwrap();
                let stem =
                    stem.replace("backward_q", "backward_##part##").replace("backward_kv", "backward_##part##");
                declared.get(&format!("{stem}_w##width##_##type"))
            });
            assert_eq!(found.map(String::as_str), Some(parameters), "{name}");
        }
    }

    #[test]
    fn static_and_dynamic_shared_memory_are_limited_together() {
        // The layer norm of a width of 6,144: 48 KiB of sums, and the statistics of eight rows.
        assert!(needs_more_shared_memory(8 * 6144) && !needs_more_shared_memory(8 * 6128));
        assert!(sources().contains("SHARED RowGradient row_gradients[ROWS_PER_BLOCK];"));
    }

    #[test]
    fn launches_have_these_sizes() {
        let sources = sources();
        let constant = |name: &str| -> usize {
            let start = sources.find(&format!("constexpr int {name} = ")).unwrap_or_else(|| panic!("{name}"));
            let value = sources[start..].split(['=', ';']).nth(1).unwrap().trim();
            let factors = value.split('*').map(|factor| match factor.trim() {
                "ATTENTION_WARPS" => 4,
                "WARP_SIZE" => 32,
                "VECTOR" => 8,
                "ELEMENT_THREADS" | "ADAMW_THREADS" => 256,
                "ADAMW_VECTOR" => 4,
                "EMBEDDING_THREADS" => 128,
                "ROW_THREADS / WARP_SIZE" => 8,
                number => number.parse().unwrap_or_else(|_| panic!("{name} is {value}")),
            });
            factors.product()
        };
        let sizes = [
            ("ROWS_PER_BLOCK", ROWS_PER_BLOCK),
            ("ELEMENTS_PER_BLOCK", ELEMENTS_PER_BLOCK),
            ("ROW_THREADS", ROW_THREADS as usize),
            ("ELEMENT_THREADS", ROW_THREADS as usize),
            ("COLUMN_SUM_THREADS", ROW_THREADS as usize),
            ("SQUARES_THREADS", ROW_THREADS as usize),
            ("PATCH_THREADS", ROW_THREADS as usize),
            ("ADAMW_THREADS", ROW_THREADS as usize),
            ("FINISH_THREADS", FINISH_THREADS as usize),
            ("FINISH_COLUMNS", FINISH_COLUMNS),
            ("LAYER_NORM_PART_ROWS", LAYER_NORM_PART_ROWS),
            ("COLUMN_SUM_ROWS", COLUMN_SUM_ROWS),
            ("COLUMN_SUM_COLUMNS", COLUMN_SUM_COLUMNS),
            ("SQUARES_PER_PART", SQUARES_PER_PART),
            ("EMBEDDING_PIECE_ROWS", EMBEDDING_PIECE_ROWS),
            ("EMBEDDING_THREADS", EMBEDDING_THREADS as usize),
            ("EMBEDDING_COLUMNS", EMBEDDING_COLUMNS),
            ("ADAMW_PER_BLOCK", ADAMW_PER_BLOCK),
            ("ATTENTION_THREADS", ATTENTION_THREADS as usize),
            ("ATTENTION_HALF_ROWS", ATTENTION_HALF_ROWS),
            ("ATTENTION_F32_ROWS", ATTENTION_F32_ROWS),
            ("ATTENTION_DELTA_LANES", ATTENTION_DELTA_LANES),
        ];
        for (name, size) in sizes {
            assert_eq!(constant(name), size, "{name}");
        }
    }
}

//! Deliberate mistakes in the kernels. Each must make its family's test program fail.

/// `from` becomes `to` wherever it occurs in a file of `kernels/`, which must be `times` times.
pub struct Mutant {
    /// The test program that must fail: `tests/kernels/{family}.cpp`
    pub family: &'static str,
    pub file: &'static str,
    pub times: usize,
    pub from: &'static str,
    pub to: &'static str,
}

const fn attention(file: &'static str, times: usize, from: &'static str, to: &'static str) -> Mutant {
    Mutant { family: "attention", file, times, from, to }
}

/// A mistake in another family, in a text that occurs once.
const fn other(family: &'static str, file: &'static str, from: &'static str, to: &'static str) -> Mutant {
    Mutant { family, file, times: 1, from, to }
}

const FORWARD: &str = "attention_half_forward.cuh";
const BACKWARD: &str = "attention_half_backward.cuh";

pub const MUTANTS: &[Mutant] = &[
    // The emulator.
    other("emulator", "emulator_tensor.h", "rows(8 * i + 2 * t)[g]", "rows(8 * i + g)[2 * t]"),
    other("emulator", "emulator_numbers.h", "0x7fff + ((bits >> 16) & 1)", "0x8000"),
    other("emulator", "emulator_numbers.h", "std::nearbyint", "std::round"),
    other("emulator", "emulator_numbers.h", "magnitude >= 65520.0f", "magnitude > 1e5f"),
    other("emulator", "emulator_numbers.h", "magnitude < 0x1p-14f", "magnitude < 0x1p-24f"),
    other("emulator", "emulator.h", "shared_memory[i] != POISON", "false"),
    other("emulator", "emulator_tensor.h", "given((2 * t + i) * 4", "given((2 * t + 1 - i) * 4"),
    // The order of streams.
    other("stream_order", "stream_order.h", "at(clock, user) < position", "false"),
    other("stream_order", "stream_order.h", "overlap(buffer, bytes, copy.to, copy.bytes)) {", "false) {"),
    other("stream_order", "stream_order.h", "sum(copy.from, copy.bytes) != copy.sum", "false"),
    other("stream_order", "stream_order.h", "join(clock, event);", ""),
    other("stream_order", "stream_order.h", "join(clocks[stream], host);", ""),
    other("stream_order", "stream_order.h", "run_pending(stream, UINT64_MAX);", ""),
    // Barriers and waits.
    attention(FORWARD, 1, "copy_async_wait<0>();\n    __syncthreads();", "copy_async_wait<0>();"),
    attention(
        FORWARD,
        1,
        "    copy_async_wait<0>();\n    __syncthreads();",
        "    copy_async_wait<1>();\n    __syncthreads();",
    ),
    attention(BACKWARD, 2, "copy_async_wait<0>();\n    __syncthreads();", "copy_async_wait<0>();"),
    attention("attention_f32.cuh", 3, "__syncthreads();\n    UNROLL", "UNROLL"),
    attention("attention_f32.cuh", 3, "    __syncthreads();\n    load_rows", "    load_rows"),
    attention("attention_f32.cuh", 3, "      __syncwarp();\n    }", "    }"),
    // Fragments and tiles.
    attention(
        "matrix_tiles.cuh",
        1,
        "pack<T>(weights[0][2], weights[0][3]),",
        "pack<T>(weights[0][3], weights[0][2]),",
    ),
    attention("matrix_tiles.cuh", 1, "lane / 16 * 8 + lane % 8) * TILE", "lane / 8 % 2 * 8 + lane % 8) * TILE"),
    attention("matrix_tiles.cuh", 1, "load_matrices_transposed(b,", "load_matrices(b,"),
    attention("matrix_tiles.cuh", 1, "row < n_rows;", "row <= n_rows;"),
    attention("matrix_tiles.cuh", 1, "if (row >= n_rows) continue;", "if (row > n_rows) continue;"),
    attention("attention_half.cuh", 1, "buffers + buffer * 2 * TILE + row", "buffers + row"),
    // Masks.
    attention(FORWARD, 1, "key <= query", "key < query + 2"),
    attention(FORWARD, 1, "key < rows.length && ", ""),
    attention("attention.cuh", 1, "key <= query", "key < query"),
    attention("attention.cuh", 1, "query < length && key < length", "key < length"),
    attention(BACKWARD, 1, "max(0, rows.warp_first - start)", "max(0, rows.warp_first + 16 - start)"),
    attention("attention_half.cuh", 1, "min(length, from + n)", "min(length, from)"),
    // Formulas.
    attention(FORWARD, 1, "LOG2_E * rsqrtf(static_cast<float>(WIDTH))", "LOG2_E"),
    attention(FORWARD, 1, "total[half] *= factor;", ""),
    attention(BACKWARD, 1, "weight * (d_score - deltas[half])", "weight * d_score"),
    attention(BACKWARD, 1, "weight * (d_score - deltas[column])", "weight * d_score"),
    attention("attention.cuh", 1, "offset = ATTENTION_DELTA_LANES / 2", "offset = ATTENTION_DELTA_LANES / 4"),
    attention("attention_f32.cuh", 1, "d_query[i], scale", "d_query[i], 1.0f"),
    // Layer normalization.
    other("layer_norm", "layer_norm.cuh", " + LAYER_NORM_EPS)", ")"),
    other(
        "layer_norm",
        "layer_norm.cuh",
        "squares += (values[i] - mean) * (values[i] - mean);",
        "squares += values[i] * values[i];",
    ),
    other(
        "layer_norm",
        "layer_norm.cuh",
        "    __syncthreads();\n    for (int column = first_column",
        "    for (int column = first_column",
    ),
    other("layer_norm", "layer_norm.cuh", "    __syncthreads();\n  }\n", "  }\n"),
    other("layer_norm", "layer_norm.cuh", " - x_hat * row.mean_projection", ""),
    other("layer_norm", "layer_norm.cuh", "gain_gradient[column] += sum;", "gain_gradient[column] = sum;"),
    // Activations.
    other("activation", "activation.cuh", "1.702f * x * (1.0f - gate)", "x * (1.0f - gate)"),
    other(
        "activation",
        "activation.cuh",
        "normal_distribution(x) + x * density",
        "normal_distribution(x) - x * density",
    ),
    other("activation", "vectors.cuh", "start + VECTOR <= n", "start < n"),
    // Embeddings.
    other("embedding", "embedding.cuh", "int64_t(position_ids[row])", "int64_t(ids[row])"),
    other("embedding", "embedding.cuh", "piece < end;", "piece < start + 1;"),
    other("embedding", "embedding.cuh", "int64_t(order[i])", "int64_t(i)"),
    // Patches and tokens.
    other("patches", "patches.cuh", "channel = line / patch_size", "channel = line % 3"),
    other("patches", "patches.cuh", " - mean[channel]) / deviation[channel]; }", " - mean[channel]); }"),
    other("patches", "patches.cuh", "positions + token * width", "positions"),
    other("patches", "patches.cuh", "row + row / patches + 1", "row + row / patches"),
    other("patches", "patches.cuh", "if (column < width) class_gradient", "if (column <= width) class_gradient"),
    // Rows and the cast.
    other("rows", "rows.cuh", "int64_t(index[row])", "index[row]"),
    other("rows", "rows.cuh", "source[row] < 0 ? nullptr", "source[row] < 0 ? x"),
    other("rows", "vectors.cuh", "i < n && i < start + VECTOR", "i < n - 1 && i < start + VECTOR"),
    // Sums.
    other("reduction", "reduction.cuh", "= sums[i];\n  __syncthreads();", "= sums[i];"),
    other("reduction", "reduction.cuh", "  __syncthreads(); // before", " // before"),
    other(
        "reduction",
        "reduction.cuh",
        "    __syncthreads();\n    if (threadIdx.x < distance)",
        "    if (threadIdx.x < distance)",
    ),
    other("reduction", "reduction.cuh", "other < FINISH_GROUPS;", "other < FINISH_GROUPS - 1;"),
    other("reduction", "reduction.cuh", "double(values[i]) * double(values[i])", "values[i] * values[i]"),
    other(
        "reduction",
        "reduction.cuh",
        "part < n_parts; part += SQUARES_THREADS",
        "part < SQUARES_THREADS; part += SQUARES_THREADS",
    ),
    // The optimizer.
    other("adamw", "adamw.cuh", "  __syncthreads();\n", ""),
    other("adamw", "adamw.cuh", "start + i < buffers.n_decayed", "start + i <= buffers.n_decayed"),
    other("adamw", "adamw.cuh", "norm < INFINITY", "true"),
    other("adamw", "adamw.cuh", "buffers.second_moments + start, second", "buffers.second_moments + start, first"),
    other("adamw", "vectors.cuh", "% 16 == 0", "% 4 == 0"),
];

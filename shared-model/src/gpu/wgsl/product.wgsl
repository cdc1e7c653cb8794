// Product of seven-bit activations and int8 weights, or of 14-bit ones in two passes. For row r and channel c:
//
//   y = scale[c] * sum over blocks and passes (step * sum(level * weight) - offset * sum(weight)) + bias[c]
//
// A workgroup computes a tile of TILE_ROWS x 64 outputs, a thread ROWS_PER_THREAD x 4 of them. The tiles of levels and
// weights pass through workgroup memory, eight quads (32 columns) at a time. The sums over a block are exact integers.
//
// Operations: 2 * rows * n_out * 4 * quads. Bytes: each level is read n_out / 64 times, each weight rows / TILE_ROWS
// times.

struct Sizes {
    rows: u32,
    n_out: u32,
    quads: u32,
    block_quads: u32,
    epilogue: u32,
    passes: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
// [passes][rows][quads]: four levels of 0 to 127
@group(0) @binding(1) var<storage, read> levels: array<u32>;
// [passes][rows][blocks]: step and offset of a block of a row
@group(0) @binding(2) var<storage, read> steps: array<vec2f>;
// [n_out / 16][quads][16]: four signed bytes
@group(0) @binding(3) var<storage, read> weights: array<vec4u>;
// [n_out]: scale and bias
@group(0) @binding(4) var<storage, read> channels: array<vec2f>;
// [blocks][n_out]
@group(0) @binding(5) var<storage, read> weight_sums: array<f32>;
// [rows][n_out]
@group(0) @binding(6) var<storage, read_write> outputs: array<f32>;

const STORE = 0u;
const ADD = 1u;
const QUICK_GELU = 2u;
const GELU = 3u;

const TILE_ROWS = 16u * ROWS_PER_THREAD;
const TILE_COLUMNS = 64u;
const TILE_QUADS = 8u;

// [quad][row]
var<workgroup> level_tile: array<u32, TILE_QUADS * TILE_ROWS>;
// [quad][column / 4]
var<workgroup> weight_tile: array<vec4u, TILE_QUADS * 16u>;

fn load_levels(pass_row: u32, first_row: u32, first_quad: u32, end_quad: u32, thread: u32) {
    for (var at = thread; at < TILE_ROWS * TILE_QUADS; at += 256u) {
        let row = first_row + at / TILE_QUADS;
        let quad = first_quad + at % TILE_QUADS;
        let is_inside = row < sizes.rows && quad < end_quad;
        let index = (pass_row + min(row, sizes.rows - 1u)) * sizes.quads + min(quad, end_quad - 1u);
        level_tile[at % TILE_QUADS * TILE_ROWS + at / TILE_QUADS] = select(0u, levels[index], is_inside);
    }
}

// Columns and quads beyond the matrix repeat the last ones: their products are not stored, or are with zeros.
fn load_weights(first_column: u32, first_quad: u32, end_quad: u32, thread: u32) {
    if thread < TILE_QUADS * 16u {
        let panel = min(first_column / 16u + thread / 4u % 4u, sizes.n_out / 16u - 1u);
        let quad = min(first_quad + thread / 16u, end_quad - 1u);
        weight_tile[thread] = weights[(panel * sizes.quads + quad) * 4u + thread % 4u];
    }
}

fn dots(level: u32, weight: vec4u) -> vec4i {
    return vec4i(
        dot4I8Packed(level, weight.x),
        dot4I8Packed(level, weight.y),
        dot4I8Packed(level, weight.z),
        dot4I8Packed(level, weight.w),
    );
}

// The cumulative normal distribution, within 1e-7: Abramowitz and Stegun 7.1.26.
fn normal_cdf(x: f32) -> f32 {
    let z = abs(x) * 0.70710678;
    let t = 1.0 / (1.0 + 0.3275911 * z);
    let poly = 0.2548296 + t * (-0.28449674 + t * (1.4214137 + t * (-1.453152 + t * 1.0614054)));
    let beyond = 0.5 * t * poly * exp(-z * z);
    return select(1.0 - beyond, beyond, x < 0.0);
}

fn store(row: u32, column: u32, value: f32) {
    let index = row * sizes.n_out + column;
    switch sizes.epilogue {
        case ADD: { outputs[index] += value; }
        // Beyond 80, exp overflows where the result is 0 within 1e-30.
        case QUICK_GELU: { outputs[index] = value / (1.0 + exp(min(-1.702 * value, 80.0))); }
        case GELU: { outputs[index] = value * normal_cdf(value); }
        default: { outputs[index] = value; }
    }
}

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) tile: vec3u,
    @builtin(local_invocation_id) place: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let first_row = tile.y * TILE_ROWS;
    let first_column = tile.x * TILE_COLUMNS;
    let own_row = first_row + place.y * ROWS_PER_THREAD;
    let own_column = first_column + place.x * 4u;
    let is_inside = own_column < sizes.n_out;
    let n_blocks = (sizes.quads + sizes.block_quads - 1u) / sizes.block_quads;
    var values: array<vec4f, ROWS_PER_THREAD>;
    for (var turn = 0u; turn < n_blocks * sizes.passes; turn++) {
        let block = turn / sizes.passes;
        let pass_row = turn % sizes.passes * sizes.rows;
        let end_quad = min((block + 1u) * sizes.block_quads, sizes.quads);
        var sums: array<vec4i, ROWS_PER_THREAD>;
        for (var i = 0u; i < ROWS_PER_THREAD; i++) {
            sums[i] = vec4i();
        }
        for (var quad = block * sizes.block_quads; quad < end_quad; quad += TILE_QUADS) {
            load_levels(pass_row, first_row, quad, end_quad, thread);
            load_weights(first_column, quad, end_quad, thread);
            workgroupBarrier();
            for (var q = 0u; q < TILE_QUADS; q++) {
                let weight = weight_tile[q * 16u + place.x];
                for (var i = 0u; i < ROWS_PER_THREAD; i++) {
                    sums[i] += dots(level_tile[q * TILE_ROWS + place.y * ROWS_PER_THREAD + i], weight);
                }
            }
            workgroupBarrier();
        }
        let column = min(own_column, sizes.n_out - 4u);
        let at = block * sizes.n_out + column;
        let block_sums = vec4f(weight_sums[at], weight_sums[at + 1u], weight_sums[at + 2u], weight_sums[at + 3u]);
        for (var i = 0u; i < ROWS_PER_THREAD; i++) {
            let step = steps[(pass_row + min(own_row + i, sizes.rows - 1u)) * n_blocks + block];
            values[i] += step.x * vec4f(sums[i]) - step.y * block_sums;
        }
    }
    for (var i = 0u; i < ROWS_PER_THREAD; i++) {
        if is_inside && own_row + i < sizes.rows {
            for (var j = 0u; j < 4u; j++) {
                let channel = channels[own_column + j];
                store(own_row + i, own_column + j, values[i][j] * channel.x + channel.y);
            }
        }
    }
}

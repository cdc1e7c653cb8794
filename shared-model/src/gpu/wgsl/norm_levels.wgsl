// Layer norm of each row, rounded to levels. A workgroup has one row, and passes over it three times.
//
// Bytes: 48 * rows * quads read, 4 * passes * rows * quads written.

struct Sizes {
    rows: u32,
    quads: u32,
    block_quads: u32,
    passes: u32,
    eps: f32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
// [rows][quads]
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
// [2][quads]: weight and bias
@group(0) @binding(2) var<storage, read> norm: array<vec4f>;
// [passes][rows][quads]
@group(0) @binding(3) var<storage, read_write> levels: array<u32>;
// [passes][rows][blocks]
@group(0) @binding(4) var<storage, read_write> steps: array<vec2f>;

fn row_quad(row: u32, quad: u32) -> vec4f {
    return x[row * sizes.quads + quad];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let row = group.x;
    let row_moments = moments(row, thread, sizes.quads, sizes.eps);
    let n_blocks = (sizes.quads + sizes.block_quads - 1u) / sizes.block_quads;
    for (var block = 0u; block < n_blocks; block++) {
        let own_quad = block * sizes.block_quads + thread;
        let is_inside = thread < sizes.block_quads && own_quad < sizes.quads;
        let quad = min(own_quad, sizes.quads - 1u);
        let normalized = (row_quad(row, quad) - row_moments.x) * row_moments.y;
        let value = normalized * norm[quad] + norm[sizes.quads + quad];
        store_levels(row, block, thread, select(vec4f(), value, is_inside));
    }
}

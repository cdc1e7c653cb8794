// Rounds activations, times a factor for each column, to levels. A workgroup has one block of one row.
//
// Bytes: 32 * rows * quads read, 4 * passes * rows * quads written.

struct Sizes {
    rows: u32,
    quads: u32,
    block_quads: u32,
    passes: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
// [rows][quads]
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
// [quads]
@group(0) @binding(2) var<storage, read> factors: array<vec4f>;
// [passes][rows][quads]
@group(0) @binding(3) var<storage, read_write> levels: array<u32>;
// [passes][rows][blocks]
@group(0) @binding(4) var<storage, read_write> steps: array<vec2f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let quad = group.y * sizes.block_quads + thread;
    let is_inside = thread < sizes.block_quads && quad < sizes.quads;
    let column = min(quad, sizes.quads - 1u);
    let value = x[group.x * sizes.quads + column] * factors[column];
    store_levels(group.x, group.y, thread, select(vec4f(), value, is_inside));
}

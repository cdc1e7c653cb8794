// The tokens of a text: int8 rows of the embedding table by id, each with its position. A workgroup has one token.
//
// Bytes: 20 * rows * quads read, 16 * rows * quads written.

struct Sizes {
    n_tokens: u32,
    quads: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
// [B][L]
@group(0) @binding(1) var<storage, read> ids: array<u32>;
// [V][quads]: four signed bytes
@group(0) @binding(2) var<storage, read> table: array<u32>;
// [V]
@group(0) @binding(3) var<storage, read> scales: array<f32>;
// [L][quads]
@group(0) @binding(4) var<storage, read> positions: array<vec4f>;
// [B][L][quads]
@group(0) @binding(5) var<storage, read_write> x: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let row = group.x;
    let id = ids[row];
    for (var quad = thread; quad < sizes.quads; quad += 64u) {
        let embedding = vec4f(unpack4xI8(table[id * sizes.quads + quad])) * scales[id];
        x[row * sizes.quads + quad] = embedding + positions[row % sizes.n_tokens * sizes.quads + quad];
    }
}

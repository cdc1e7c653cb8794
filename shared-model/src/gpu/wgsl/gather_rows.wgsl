// Copies one token of each sample: the one that is pooled. A workgroup has one sample.
//
// Bytes: 16 * B * quads read and written.

struct Sizes {
    n_tokens: u32,
    quads: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
// [B]: the position of the token in its sample
@group(0) @binding(1) var<storage, read> positions: array<u32>;
// [B][N][quads]
@group(0) @binding(2) var<storage, read> x: array<vec4f>;
// [B][quads]
@group(0) @binding(3) var<storage, read_write> pooled: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let row = group.x * sizes.n_tokens + positions[group.x];
    for (var quad = thread; quad < sizes.quads; quad += 64u) {
        pooled[group.x * sizes.quads + quad] = x[row * sizes.quads + quad];
    }
}

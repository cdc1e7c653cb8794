// The tokens of an image: the class token and the patches, each with its position, through a layer norm. A workgroup
// has one token.
//
// Bytes: 16 * rows * quads read and written, and read twice more by the norm.

struct Sizes {
    n_tokens: u32,
    quads: u32,
    eps: f32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
// [B][N - 1][quads]
@group(0) @binding(1) var<storage, read> patches: array<vec4f>;
// [quads]
@group(0) @binding(2) var<storage, read> class_token: array<vec4f>;
// [N][quads]
@group(0) @binding(3) var<storage, read> positions: array<vec4f>;
// [2][quads]: weight and bias
@group(0) @binding(4) var<storage, read> norm: array<vec4f>;
// [B][N][quads]
@group(0) @binding(5) var<storage, read_write> x: array<vec4f>;

// What the same thread stored.
fn row_quad(row: u32, quad: u32) -> vec4f {
    return x[row * sizes.quads + quad];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let row = group.x;
    let sample = row / sizes.n_tokens;
    let token = row % sizes.n_tokens;
    for (var quad = thread; quad < sizes.quads; quad += 64u) {
        var value = class_token[quad];
        if token > 0u {
            value = patches[(sample * (sizes.n_tokens - 1u) + token - 1u) * sizes.quads + quad];
        }
        x[row * sizes.quads + quad] = value + positions[token * sizes.quads + quad];
    }
    let row_moments = moments(row, thread, sizes.quads, sizes.eps);
    for (var quad = thread; quad < sizes.quads; quad += 64u) {
        let normalized = (row_quad(row, quad) - row_moments.x) * row_moments.y;
        x[row * sizes.quads + quad] = normalized * norm[quad] + norm[sizes.quads + quad];
    }
}

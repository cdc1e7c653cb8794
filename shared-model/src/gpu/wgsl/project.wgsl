// The end of a tower: layer norm of the pooled token, and its projection into the joint space. A workgroup has 64
// values of one feature.
//
// Operations: 2 * B * D * E. Bytes: 4 * B * D * E read.

struct Sizes {
    quads: u32,
    embed_dim: u32,
    eps: f32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
// [B][quads]
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
// [2][quads]: weight and bias
@group(0) @binding(2) var<storage, read> norm: array<vec4f>;
// [D][E]
@group(0) @binding(3) var<storage, read> projection: array<f32>;
// [B][E]
@group(0) @binding(4) var<storage, read_write> features: array<f32>;

fn row_quad(row: u32, quad: u32) -> vec4f {
    return x[row * sizes.quads + quad];
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
    let row = group.y;
    let column = group.x * 64u + thread;
    let row_moments = moments(row, thread, sizes.quads, sizes.eps);
    if column >= sizes.embed_dim {
        return;
    }
    var sum = 0.0;
    for (var quad = 0u; quad < sizes.quads; quad++) {
        let normalized = (row_quad(row, quad) - row_moments.x) * row_moments.y;
        let value = normalized * norm[quad] + norm[sizes.quads + quad];
        let at = 4u * quad * sizes.embed_dim + column;
        sum += value.x * projection[at];
        sum += value.y * projection[at + sizes.embed_dim];
        sum += value.z * projection[at + 2u * sizes.embed_dim];
        sum += value.w * projection[at + 3u * sizes.embed_dim];
    }
    features[row * sizes.embed_dim + column] = sum;
}

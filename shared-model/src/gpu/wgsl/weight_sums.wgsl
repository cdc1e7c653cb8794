// The sum of a channel's weights in each block, which a product needs for the offsets of activations. A thread has one
// channel and block. Runs once, after the weights are on the device.
//
// Bytes: 4 * n_out * quads read.

struct Sizes {
    n_out: u32,
    quads: u32,
    block_quads: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
// [n_out / 16][quads][16]: four signed bytes
@group(0) @binding(1) var<storage, read> weights: array<u32>;
// [blocks][n_out]
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) place: vec3u) {
    let channel = place.x;
    let block = place.y;
    if channel >= sizes.n_out {
        return;
    }
    var sum = 0;
    for (var quad = block * sizes.block_quads; quad < min((block + 1u) * sizes.block_quads, sizes.quads); quad++) {
        sum += dot4I8Packed(weights[(channel / 16u * sizes.quads + quad) * 16u + channel % 16u], 0x01010101u);
    }
    sums[block * sizes.n_out + channel] = f32(sum);
}

// The patch embedding: a convolution whose stride is its kernel, as a product of patches and kernels in f32.
//
// A workgroup computes 32 patches x 64 channels, a thread 2 x 4 of them, 16 values of the patches at a time.
//
// Operations: 2 * patches * width * 3 * patch * patch.

struct Sizes {
    patches: u32,
    width: u32,
    grid: u32,
    patch_size: u32,
    image_size: u32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
// [B][3][image_size][image_size]
@group(0) @binding(1) var<storage, read> pixels: array<f32>;
// [width][3][patch][patch]
@group(0) @binding(2) var<storage, read> kernels: array<f32>;
// [B * grid * grid][width]
@group(0) @binding(3) var<storage, read_write> outputs: array<f32>;

const TILE_PATCHES = 32u;
const TILE_CHANNELS = 64u;
const TILE_DEPTH = 16u;

// [depth][patch]
var<workgroup> patch_tile: array<f32, TILE_DEPTH * TILE_PATCHES>;
// [depth][channel]
var<workgroup> kernel_tile: array<f32, TILE_DEPTH * TILE_CHANNELS>;

// Value `k` of a flattened patch [3][patch][patch].
fn pixel(patch_index: u32, k: u32) -> f32 {
    let area = sizes.patch_size * sizes.patch_size;
    let sample = patch_index / (sizes.grid * sizes.grid);
    let row = patch_index / sizes.grid % sizes.grid * sizes.patch_size + k % area / sizes.patch_size;
    let column = patch_index % sizes.grid * sizes.patch_size + k % sizes.patch_size;
    return pixels[((sample * 3u + k / area) * sizes.image_size + row) * sizes.image_size + column];
}

@compute @workgroup_size(16, 16)
fn main(
    @builtin(workgroup_id) tile: vec3u,
    @builtin(local_invocation_id) place: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let depth = 3u * sizes.patch_size * sizes.patch_size;
    let first_patch = tile.y * TILE_PATCHES;
    let first_channel = tile.x * TILE_CHANNELS;
    var sums = array<vec4f, 2>(vec4f(), vec4f());
    for (var first = 0u; first < depth; first += TILE_DEPTH) {
        for (var at = thread; at < TILE_PATCHES * TILE_DEPTH; at += 256u) {
            let k = first + at % TILE_DEPTH;
            let patch_index = first_patch + at / TILE_DEPTH;
            let value = pixel(min(patch_index, sizes.patches - 1u), min(k, depth - 1u));
            patch_tile[at % TILE_DEPTH * TILE_PATCHES + at / TILE_DEPTH] = select(0.0, value, k < depth);
        }
        for (var at = thread; at < TILE_CHANNELS * TILE_DEPTH; at += 256u) {
            let k = first + at % TILE_DEPTH;
            let channel = first_channel + at / TILE_DEPTH;
            let value = kernels[min(channel, sizes.width - 1u) * depth + min(k, depth - 1u)];
            kernel_tile[at % TILE_DEPTH * TILE_CHANNELS + at / TILE_DEPTH] = select(0.0, value, k < depth);
        }
        workgroupBarrier();
        for (var k = 0u; k < TILE_DEPTH; k++) {
            let at = k * TILE_CHANNELS + place.x * 4u;
            let kernel = vec4f(kernel_tile[at], kernel_tile[at + 1u], kernel_tile[at + 2u], kernel_tile[at + 3u]);
            for (var i = 0u; i < 2u; i++) {
                sums[i] += patch_tile[k * TILE_PATCHES + place.y * 2u + i] * kernel;
            }
        }
        workgroupBarrier();
    }
    for (var i = 0u; i < 2u; i++) {
        let patch_index = first_patch + place.y * 2u + i;
        for (var j = 0u; j < 4u; j++) {
            let channel = first_channel + place.x * 4u + j;
            if patch_index < sizes.patches && channel < sizes.width {
                outputs[patch_index * sizes.width + channel] = sums[i][j];
            }
        }
    }
}

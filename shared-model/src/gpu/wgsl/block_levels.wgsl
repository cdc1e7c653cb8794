// Rounds one block of a row to levels of seven bits: value = step * level - offset.

const THREADS = 64u;

var<workgroup> extremes: array<vec2f, THREADS>;

// Stores the levels and the step of one block. Thread t has the values of quad t of the block, and zeros if the block
// has fewer quads. All threads of the workgroup call it.
fn store_levels(row: u32, block: u32, thread: u32, values: vec4f) {
    let least_of_quad = min(min(values.x, values.y), min(values.z, values.w));
    let largest_of_quad = max(max(values.x, values.y), max(values.z, values.w));
    extremes[thread] = vec2f(min(least_of_quad, 0.0), max(largest_of_quad, 0.0));
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            let other = extremes[thread + half];
            extremes[thread] = vec2f(min(extremes[thread].x, other.x), max(extremes[thread].y, other.y));
        }
        workgroupBarrier();
    }
    let least = extremes[0].x;
    let scale = (extremes[0].y - least) / STEPS;
    let inverse = select(0.0, 1.0 / scale, scale > 0.0);
    let zero = round(-least * inverse);
    let level = vec4u(clamp(round(values * inverse + zero), vec4f(0.0), vec4f(127.0)));
    let n_blocks = (sizes.quads + sizes.block_quads - 1u) / sizes.block_quads;
    let quad = block * sizes.block_quads + thread;
    if thread < sizes.block_quads && quad < sizes.quads {
        levels[row * sizes.quads + quad] = level.x | (level.y << 8u) | (level.z << 16u) | (level.w << 24u);
    }
    if thread == 0u {
        steps[row * n_blocks + block] = vec2f(scale, scale * zero);
    }
    workgroupBarrier();
}

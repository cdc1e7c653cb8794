// Rounds one block of a row to levels of seven bits: value = step * level - offset. With two passes, levels have 14 bits:
// the first pass has the upper seven of each, the second one the lower ones.

const THREADS = 64u;

var<workgroup> extremes: array<vec2f, THREADS>;

fn packed(level: vec4u) -> u32 {
    return level.x | (level.y << 8u) | (level.z << 16u) | (level.w << 24u);
}

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
    let is_fine = sizes.passes == 2u;
    let scale = (extremes[0].y - least) / select(STEPS, FINE_STEPS, is_fine);
    let inverse = select(0.0, 1.0 / scale, scale > 0.0);
    let zero = round(-least * inverse);
    let level = vec4u(clamp(round(values * inverse + zero), vec4f(0.0), vec4f(select(127.0, 16383.0, is_fine))));
    let n_blocks = (sizes.quads + sizes.block_quads - 1u) / sizes.block_quads;
    let quad = block * sizes.block_quads + thread;
    if thread < sizes.block_quads && quad < sizes.quads {
        let at = row * sizes.quads + quad;
        levels[at] = packed(select(level, level >> vec4u(7u), is_fine));
        if is_fine {
            levels[sizes.rows * sizes.quads + at] = packed(level & vec4u(127u));
        }
    }
    if thread == 0u {
        let at = row * n_blocks + block;
        steps[at] = vec2f(select(scale, 128.0 * scale, is_fine), scale * zero);
        if is_fine {
            steps[sizes.rows * n_blocks + at] = vec2f(scale, 0.0);
        }
    }
    workgroupBarrier();
}

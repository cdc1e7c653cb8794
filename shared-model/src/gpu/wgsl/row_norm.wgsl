// Sums over the threads of a workgroup, and the two moments of a layer norm.

const NORM_THREADS = 64u;

var<workgroup> partial_sums: array<f32, NORM_THREADS>;

// The sum of the threads' values. All threads of the workgroup call it.
fn workgroup_sum(thread: u32, value: f32) -> f32 {
    partial_sums[thread] = value;
    workgroupBarrier();
    for (var half = NORM_THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            partial_sums[thread] += partial_sums[thread + half];
        }
        workgroupBarrier();
    }
    let total = partial_sums[0];
    workgroupBarrier();
    return total;
}

// Mean and 1 / sqrt(variance + eps) of a row, which row_quad reads. All threads of the workgroup call it.
fn moments(row: u32, thread: u32, quads: u32, eps: f32) -> vec2f {
    var sum = 0.0;
    for (var quad = thread; quad < quads; quad += NORM_THREADS) {
        sum += dot(row_quad(row, quad), vec4f(1.0));
    }
    let mean = workgroup_sum(thread, sum) / f32(4u * quads);
    var squares = 0.0;
    for (var quad = thread; quad < quads; quad += NORM_THREADS) {
        let centered = row_quad(row, quad) - mean;
        squares += dot(centered, centered);
    }
    let variance = workgroup_sum(thread, squares) / f32(4u * quads);
    return vec2f(mean, inverseSqrt(variance + eps));
}

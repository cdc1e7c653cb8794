// Multi-head self-attention over packed sequences of any lengths, forward and backward, causal or not:
//
//   P = softmax(Q K^T / sqrt(W)),  attended = P V,  log_sum_exp[t, h] = log(sum over keys of exp(q k / sqrt(W)))
//   dV = P^T dO,  dS = P * (dO V^T - delta),  dQ = dS K / sqrt(W),  dK = dS^T Q / sqrt(W)
//   delta = rowsum(attended * dO)
//
// Shapes, all row-major: T rows of all sequences, H heads, W the width of a head
//   qkv, d_qkv         [T, 3, H, W]  T                   starts       [sequences + 1]  int32; sequence s is rows
//   attended, d_out    [T, H * W]    T                                                starts[s] .. starts[s + 1] - 1
//   log_sum_exp, delta [T, H]        f32
// Every element of an output is written. Results do not depend on the order in which blocks run.
//
// | kernel                                                | grid: x, y             | block | dynamic shared bytes   |
// |-------------------------------------------------------|------------------------|-------|------------------------|
// | attention_forward_w{W}_bf16, .._f16                   | sequences * n_tiles, H | 128   | half (W, 1, false)     |
// | attention_backward_q_w{W}_bf16, .._f16                | sequences * n_tiles, H | 128   | half (W, 2, false)     |
// | attention_backward_kv_w{W}_bf16, .._f16               | sequences * n_tiles, H | 128   | half (W, 2, true)      |
// | attention_forward_f32                                 | sequences * n_tiles, H | 128   | f32 (W, 1)             |
// | attention_backward_q_f32, attention_backward_kv_f32   | sequences * n_tiles, H | 128   | f32 (W, 2)             |
// | attention_delta_bf16, .._f16, .._f32                  | ceil(T * H / 16), 1    | 128   | 0                      |
//
// Shared bytes are attention_half_shared_bytes(...) and attention_f32_shared_bytes(...), below. n_tiles is the longest
// sequence / rows a tile, rounded up; a tile has 64 rows in bf16 and f16, and 16 in f32. The widths of both
// are 16, 32, 48, 64, 80, 96 and 128; f32 takes any width up to 128. The backward pass is delta, then q and kv in
// either order.
#pragma once
#include "bridge.cuh"

constexpr int ATTENTION_THREADS = 128;
constexpr int ATTENTION_WARPS = ATTENTION_THREADS / WARP_SIZE;
constexpr int ATTENTION_DELTA_LANES = 8; // work on one row of one head

// The tile of rows that a block computes: `rows` rows from `first` on, of a sequence of `length` rows that begins at
// row `sequence` of the pack.
struct AttentionTile {
  int64_t sequence;
  int length, first, head;

  DEVICE AttentionTile(const int* starts, int n_tiles, int rows) {
    const int index = blockIdx.x / n_tiles;
    sequence = starts[index];
    length = starts[index + 1] - starts[index];
    first = static_cast<int>(blockIdx.x % n_tiles) * rows;
    head = blockIdx.y;
  }
  DEVICE bool is_empty() const { return first >= length; }
};

// Whether a query attends to a key.
DEVICE bool attends(int query, int key, int length, bool causal) {
  return query < length && key < length && (!causal || key <= query);
}

// delta[t, h] = sum over the head's columns of attended * d_out, by eight lanes. Reads 4 W bytes in bf16 and f16,
// writes 4.
template <typename T>
DEVICE void attention_delta(const T* attended, const T* d_out, float* delta, int64_t n_rows, int heads, int width) {
  constexpr int VALUES = sizeof(T) == 2 ? 8 : 1; // f32 widths may be odd
  const int64_t index = (static_cast<int64_t>(blockIdx.x) * ATTENTION_THREADS + threadIdx.x) / ATTENTION_DELTA_LANES;
  const int lane = threadIdx.x % ATTENTION_DELTA_LANES;
  float sum = 0.0f;
  if (index < n_rows * heads) {
    for (int column = lane * VALUES; column < width; column += ATTENTION_DELTA_LANES * VALUES) {
      const auto left = Vec<T, VALUES>::load(attended + index * width + column);
      const auto right = Vec<T, VALUES>::load(d_out + index * width + column);
      UNROLL
      for (int i = 0; i < VALUES; i++) sum += to_float(left[i]) * to_float(right[i]);
    }
  }
  UNROLL
  for (int offset = ATTENTION_DELTA_LANES / 2; offset > 0; offset /= 2) {
    sum += __shfl_xor_sync(ALL_LANES, sum, offset);
  }
  if (lane == 0 && index < n_rows * heads) delta[index] = sum;
}

KERNEL void LAUNCH_BOUNDS(ATTENTION_THREADS) attention_delta_bf16(
    const bf16* attended, const bf16* d_out, float* delta, int64_t n_rows, int heads, int width) {
  attention_delta(attended, d_out, delta, n_rows, heads, width);
}
KERNEL void LAUNCH_BOUNDS(ATTENTION_THREADS) attention_delta_f16(
    const f16* attended, const f16* d_out, float* delta, int64_t n_rows, int heads, int width) {
  attention_delta(attended, d_out, delta, n_rows, heads, width);
}
KERNEL void LAUNCH_BOUNDS(ATTENTION_THREADS) attention_delta_f32(
    const float* attended, const float* d_out, float* delta, int64_t n_rows, int heads, int width) {
  attention_delta(attended, d_out, delta, n_rows, heads, width);
}

#include "attention_half.cuh"
#include "attention_f32.cuh"

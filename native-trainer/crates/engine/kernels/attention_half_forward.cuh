// The forward pass of attention in bf16 and f16. See attention.cuh for formulas, shapes and launch sizes.
#pragma once
#include "attention_half.cuh"

// The running softmax of 16 query rows and the weighted sum of values. A lane holds two rows' statistics.
template <typename T, int WIDTH> struct OnlineSoftmax {
  static constexpr int GROUPS = StreamedPair<T, WIDTH>::ROWS / 16;
  float sum[WIDTH / 8][4];
  float largest[2] = {-INFINITY, -INFINITY}; // of the scores, which are in units of log2(e)
  float total[2] = {0.0f, 0.0f};             // of this lane's weights

  DEVICE OnlineSoftmax() { clear<WIDTH>(sum); }

  // Takes in scores and turns them into weights relative to the largest score so far.
  DEVICE void add_scores(float scores[GROUPS][2][4]) {
    UNROLL
    for (int half = 0; half < 2; half++) {
      float new_largest = largest[half];
      UNROLL
      for (int j = 0; j < 4 * GROUPS; j++) {
        new_largest = fmaxf(new_largest, scores[j / 4][j / 2 % 2][2 * half + j % 2]);
      }
      new_largest = fmaxf(new_largest, __shfl_xor_sync(ALL_LANES, new_largest, 1));
      new_largest = fmaxf(new_largest, __shfl_xor_sync(ALL_LANES, new_largest, 2));
      const float factor = exp2f(largest[half] - new_largest);
      largest[half] = new_largest;
      total[half] *= factor;
      UNROLL
      for (int j = 0; j < 4 * GROUPS; j++) {
        float& score = scores[j / 4][j / 2 % 2][2 * half + j % 2];
        score = exp2f(score - new_largest);
        total[half] += score;
      }
      UNROLL
      for (int d = 0; d < WIDTH / 8; d++) {
        sum[d][2 * half] *= factor;
        sum[d][2 * half + 1] *= factor;
      }
    }
  }
  // Adds up the totals of the four lanes that share a row.
  DEVICE void finish() {
    UNROLL
    for (int half = 0; half < 2; half++) {
      total[half] += __shfl_xor_sync(ALL_LANES, total[half], 1);
      total[half] += __shfl_xor_sync(ALL_LANES, total[half], 2);
    }
  }
};

// Adds the streamed keys and values from `start` on to the softmax of the warp's queries, which attend to no key at or
// past `end`.
template <typename T, int WIDTH>
DEVICE void attend_to_keys(OnlineSoftmax<T, WIDTH>& softmax, const AttentionRows<T, WIDTH>& rows,
                           const LeftRows<T, WIDTH>& queries, const StreamedPair<T, WIDTH>& keys_values, int buffer,
                           int start, int end, bool causal) {
  constexpr int GROUPS = OnlineSoftmax<T, WIDTH>::GROUPS;
  const float scale = LOG2_E * rsqrtf(static_cast<float>(WIDTH));
  float scores[GROUPS][2][4];
  UNROLL
  for (int group = 0; group < GROUPS; group++) {
    const int first_key = start + 16 * group;
    if (first_key < end) multiply_rows(scores[group], queries, keys_values.left_rows(buffer, 16 * group));
    UNROLL
    for (int j = 0; j < 8; j++) {
      const int query = rows.row(j / 2 % 2), key = first_key + j / 4 * 8 + rows.lane % 4 * 2 + j % 2;
      const bool visible = key < rows.length && (!causal || key <= query);
      float& score = scores[group][j / 4][j % 4];
      score = visible ? score * scale : -INFINITY;
    }
  }
  softmax.add_scores(scores);
  UNROLL
  for (int group = 0; group < GROUPS; group++) {
    if (start + 16 * group < end) {
      add_weighted_rows<WIDTH>(softmax.sum, scores[group], keys_values.right_rows(buffer, 16 * group));
    }
  }
}

// Reads qkv once for the queries, and keys and values once a tile of 64 queries (from the L2 cache after the first);
// writes attended and log_sum_exp. Per row and head: 2 W bytes of queries, 4 W bytes of keys and values, 2 W + 4 bytes
// of output.
template <typename T, int WIDTH>
DEVICE void attention_forward(const T* qkv, const int* starts, T* attended, float* log_sum_exp, int heads,
                              int n_tiles, bool causal) {
  const AttentionRows<T, WIDTH> rows(starts, n_tiles, heads);
  if (rows.is_empty()) return;
  DYNAMIC_SHARED(T, query_tile);
  const StreamedPair<T, WIDTH> keys_values = stream_keys_values(rows, qkv, query_tile + rows.TILE);
  const int block_end = rows.keys_end(rows.first, ATTENTION_HALF_ROWS, causal);
  const int warp_end = rows.warp_has_rows() ? rows.keys_end(rows.warp_first, 16, causal) : 0;

  rows.load(query_tile, qkv + rows.qkv_at(0), rows.qkv_stride);
  keys_values.load(0, 0);
  copy_async_commit();
  copy_async_wait<0>();
  __syncthreads();
  const LeftRows<T, WIDTH> queries(query_tile + rows.warp_row * TILE_STRIDE<WIDTH>);
  OnlineSoftmax<T, WIDTH> softmax;
  constexpr int STEP = StreamedPair<T, WIDTH>::ROWS;
  for (int start = 0, buffer = 0; start < block_end; start += STEP, buffer ^= 1) {
    if (start + STEP < block_end) keys_values.load(start + STEP, buffer ^ 1);
    copy_async_commit();
    if (start < warp_end) attend_to_keys(softmax, rows, queries, keys_values, buffer, start, warp_end, causal);
    copy_async_wait<0>();
    __syncthreads();
  }

  if (!rows.warp_has_rows()) return;
  softmax.finish();
  rows.store(attended + rows.out_at(), rows.out_stride, softmax.sum, 1.0f / softmax.total[0], 1.0f / softmax.total[1]);
  if (rows.lane % 4 != 0) return;
  UNROLL
  for (int half = 0; half < 2; half++) {
    if (rows.row(half) >= rows.length) continue;
    log_sum_exp[rows.statistics_at(rows.row(half))] = softmax.largest[half] / LOG2_E + logf(softmax.total[half]);
  }
}

#define ATTENTION_FORWARD_KERNEL(width, type)                                                                        \
  KERNEL void LAUNCH_BOUNDS(ATTENTION_THREADS, attention_half_blocks(width)) attention_forward_w##width##_##type(    \
      const type* qkv, const int* starts, type* attended, float* log_sum_exp, int heads, int n_tiles, int causal) {  \
    attention_forward<type, width>(qkv, starts, attended, log_sum_exp, heads, n_tiles, causal != 0);                 \
  }
#define ATTENTION_FORWARD_KERNELS(width) ATTENTION_FORWARD_KERNEL(width, bf16) ATTENTION_FORWARD_KERNEL(width, f16)
ATTENTION_FORWARD_KERNELS(16)
ATTENTION_FORWARD_KERNELS(32)
ATTENTION_FORWARD_KERNELS(48)
ATTENTION_FORWARD_KERNELS(64)
ATTENTION_FORWARD_KERNELS(80)
ATTENTION_FORWARD_KERNELS(96)
ATTENTION_FORWARD_KERNELS(128)
#undef ATTENTION_FORWARD_KERNELS
#undef ATTENTION_FORWARD_KERNEL

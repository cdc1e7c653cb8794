// The backward pass of attention in bf16 and f16. The weights are computed again from log_sum_exp, once in each of the
// two kernels: so each gradient is summed by one warp in a fixed order. See attention.cuh for formulas, shapes and
// launch sizes.
#pragma once
#include "attention_half.cuh"

// d_query += dS K of the warp's queries and the 16 streamed keys at `column` of a buffer.
template <typename T, int WIDTH>
DEVICE void add_d_query(float d_query[WIDTH / 8][4], const AttentionRows<T, WIDTH>& rows,
                        const LeftRows<T, WIDTH>& queries, const LeftRows<T, WIDTH>& d_outs, const T* keys,
                        const T* values, int first_key, const float log_sums[2], const float deltas[2], bool causal) {
  const float scale = LOG2_E * rsqrtf(static_cast<float>(WIDTH));
  float scores[2][4], d_scores[2][4];
  multiply_rows(scores, queries, keys);
  multiply_rows(d_scores, d_outs, values);
  UNROLL
  for (int j = 0; j < 8; j++) {
    const int half = j / 2 % 2, query = rows.row(half), key = first_key + j / 4 * 8 + rows.lane % 4 * 2 + j % 2;
    const float weight = exp2f(scores[j / 4][j % 4] * scale - log_sums[half]);
    float& d_score = d_scores[j / 4][j % 4];
    d_score = attends(query, key, rows.length, causal) ? weight * (d_score - deltas[half]) : 0.0f;
  }
  add_weighted_rows<WIDTH>(d_query, d_scores, keys);
}

// dQ of 64 queries; keys and values are streamed. Per row and head: reads 8 W + 8 bytes, writes 2 W.
template <typename T, int WIDTH>
DEVICE void attention_backward_q(const T* qkv, const int* starts, const float* log_sum_exp, const float* delta,
                                 const T* d_out, T* d_qkv, int heads, int n_tiles, bool causal) {
  const AttentionRows<T, WIDTH> rows(starts, n_tiles, heads);
  if (rows.is_empty()) return;
  DYNAMIC_SHARED(T, query_tile);
  T* d_out_tile = query_tile + rows.TILE;
  const StreamedPair<T, WIDTH> keys_values = stream_keys_values(rows, qkv, d_out_tile + rows.TILE);
  const int block_end = rows.keys_end(rows.first, ATTENTION_HALF_ROWS, causal);
  const int warp_end = rows.warp_has_rows() ? rows.keys_end(rows.warp_first, 16, causal) : 0;

  rows.load(query_tile, qkv + rows.qkv_at(0), rows.qkv_stride);
  rows.load(d_out_tile, d_out + rows.out_at(), rows.out_stride);
  keys_values.load(0, 0);
  copy_async_commit();
  float log_sums[2] = {}, deltas[2] = {};
  UNROLL
  for (int half = 0; half < 2; half++) {
    if (rows.row(half) >= rows.length) continue;
    log_sums[half] = LOG2_E * log_sum_exp[rows.statistics_at(rows.row(half))];
    deltas[half] = delta[rows.statistics_at(rows.row(half))];
  }
  copy_async_wait<0>();
  __syncthreads();
  const LeftRows<T, WIDTH> queries(query_tile + rows.warp_row * TILE_STRIDE<WIDTH>);
  const LeftRows<T, WIDTH> d_outs(d_out_tile + rows.warp_row * TILE_STRIDE<WIDTH>);
  float d_query[WIDTH / 8][4];
  clear<WIDTH>(d_query);

  constexpr int STEP = StreamedPair<T, WIDTH>::ROWS;
  for (int start = 0, buffer = 0; start < block_end; start += STEP, buffer ^= 1) {
    if (start + STEP < block_end) keys_values.load(start + STEP, buffer ^ 1);
    copy_async_commit();
    for (int column = 0; column < STEP && start + column < warp_end; column += 16) {
      add_d_query(d_query, rows, queries, d_outs, keys_values.left_rows(buffer, column),
                         keys_values.right_rows(buffer, column), start + column, log_sums, deltas, causal);
    }
    copy_async_wait<0>();
    __syncthreads();
  }
  if (!rows.warp_has_rows()) return;
  const float scale = rsqrtf(static_cast<float>(WIDTH));
  rows.store(d_qkv + rows.qkv_at(0), rows.qkv_stride, d_query, scale, scale);
}

// d_key += dS^T Q and d_value += P^T dO of the warp's keys and 16 streamed queries, whose statistics are in shared
// memory.
template <typename T, int WIDTH>
DEVICE void add_d_key_value(float d_key[WIDTH / 8][4], float d_value[WIDTH / 8][4], const AttentionRows<T, WIDTH>& rows,
                            const LeftRows<T, WIDTH>& keys, const LeftRows<T, WIDTH>& values, const T* queries,
                            const T* d_outs, int first_query, const float* log_sums, const float* deltas,
                            bool causal) {
  const float scale = LOG2_E * rsqrtf(static_cast<float>(WIDTH));
  float weights[2][4], d_scores[2][4];
  multiply_rows(weights, keys, queries);
  multiply_rows(d_scores, values, d_outs);
  UNROLL
  for (int j = 0; j < 8; j++) {
    const int key = rows.row(j / 2 % 2), column = j / 4 * 8 + rows.lane % 4 * 2 + j % 2;
    float& weight = weights[j / 4][j % 4];
    float& d_score = d_scores[j / 4][j % 4];
    weight = exp2f(weight * scale - log_sums[column]);
    if (!attends(first_query + column, key, rows.length, causal)) weight = 0.0f;
    d_score = weight * (d_score - deltas[column]);
  }
  add_weighted_rows<WIDTH>(d_value, weights, d_outs);
  add_weighted_rows<WIDTH>(d_key, d_scores, queries);
}

// dK and dV of 64 keys; queries and output gradients are streamed. Per row and head: reads 8 W + 8 bytes, writes 4 W.
template <typename T, int WIDTH>
DEVICE void attention_backward_kv(const T* qkv, const int* starts, const float* log_sum_exp, const float* delta,
                                  const T* d_out, T* d_qkv, int heads, int n_tiles, bool causal) {
  constexpr int STEP = StreamedPair<T, WIDTH>::ROWS;
  const AttentionRows<T, WIDTH> rows(starts, n_tiles, heads);
  if (rows.is_empty()) return;
  DYNAMIC_SHARED(T, key_tile);
  T *value_tile = key_tile + rows.TILE, *buffers = value_tile + rows.TILE;
  auto* log_sums = reinterpret_cast<float (*)[STEP]>(buffers + StreamedPair<T, WIDTH>::BUFFERS); // [2][STEP]
  auto* deltas = log_sums + 2;
  const StreamedPair<T, WIDTH> queries_d_outs = {
      qkv + rows.qkv_at(0), d_out + rows.out_at(), rows.qkv_stride, rows.out_stride, buffers, rows.length};
  const auto load_queries = [&](int start, int buffer) {
    queries_d_outs.load(start, buffer);
    for (int i = threadIdx.x; i < STEP; i += ATTENTION_THREADS) {
      const bool valid = start + i < rows.length;
      log_sums[buffer][i] = valid ? LOG2_E * log_sum_exp[rows.statistics_at(start + i)] : 0.0f;
      deltas[buffer][i] = valid ? delta[rows.statistics_at(start + i)] : 0.0f;
    }
  };

  const int first_start = causal ? rows.first : 0; // earlier queries attend to none of these keys
  rows.load(key_tile, qkv + rows.qkv_at(1), rows.qkv_stride);
  rows.load(value_tile, qkv + rows.qkv_at(2), rows.qkv_stride);
  load_queries(first_start, 0);
  copy_async_commit();
  copy_async_wait<0>();
  __syncthreads();
  const LeftRows<T, WIDTH> keys(key_tile + rows.warp_row * TILE_STRIDE<WIDTH>);
  const LeftRows<T, WIDTH> values(value_tile + rows.warp_row * TILE_STRIDE<WIDTH>);
  float d_key[WIDTH / 8][4], d_value[WIDTH / 8][4];
  clear<WIDTH>(d_key);
  clear<WIDTH>(d_value);

  for (int start = first_start, buffer = 0; start < rows.length; start += STEP, buffer ^= 1) {
    if (start + STEP < rows.length) load_queries(start + STEP, buffer ^ 1);
    copy_async_commit();
    const int end = rows.warp_has_rows() ? min(STEP, rows.length - start) : 0;
    for (int column = causal ? max(0, rows.warp_first - start) : 0; column < end; column += 16) {
      add_d_key_value(d_key, d_value, rows, keys, values, queries_d_outs.left_rows(buffer, column),
                             queries_d_outs.right_rows(buffer, column), start + column, log_sums[buffer] + column,
                             deltas[buffer] + column, causal);
    }
    copy_async_wait<0>();
    __syncthreads();
  }
  if (!rows.warp_has_rows()) return;
  const float scale = rsqrtf(static_cast<float>(WIDTH));
  rows.store(d_qkv + rows.qkv_at(1), rows.qkv_stride, d_key, scale, scale);
  rows.store(d_qkv + rows.qkv_at(2), rows.qkv_stride, d_value, 1.0f, 1.0f);
}

#define ATTENTION_BACKWARD_KERNEL(part, width, type)                                                                 \
  KERNEL void LAUNCH_BOUNDS(ATTENTION_THREADS, attention_half_blocks(width))                                         \
      attention_backward_##part##_w##width##_##type(const type* qkv, const int* starts, const float* log_sum_exp,    \
                                                    const float* delta, const type* d_out, type* d_qkv, int heads,   \
                                                    int n_tiles, int causal) {                                       \
    attention_backward_##part<type, width>(qkv, starts, log_sum_exp, delta, d_out, d_qkv, heads, n_tiles,            \
                                           causal != 0);                                                             \
  }
#define ATTENTION_BACKWARD_KERNELS(width)                                                                             \
  ATTENTION_BACKWARD_KERNEL(q, width, bf16)                                                                           \
  ATTENTION_BACKWARD_KERNEL(kv, width, bf16)                                                                          \
  ATTENTION_BACKWARD_KERNEL(q, width, f16)                                                                            \
  ATTENTION_BACKWARD_KERNEL(kv, width, f16)
ATTENTION_BACKWARD_KERNELS(16)
ATTENTION_BACKWARD_KERNELS(32)
ATTENTION_BACKWARD_KERNELS(48)
ATTENTION_BACKWARD_KERNELS(64)
ATTENTION_BACKWARD_KERNELS(80)
ATTENTION_BACKWARD_KERNELS(96)
ATTENTION_BACKWARD_KERNELS(128)
#undef ATTENTION_BACKWARD_KERNELS
#undef ATTENTION_BACKWARD_KERNEL

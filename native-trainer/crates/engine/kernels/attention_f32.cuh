// Attention in f32, for widths up to 128: simple rather than fast. A block of four warps computes 16 rows of one head,
// four a warp. The rows of the other side are streamed through shared memory, 32 at a time: for a score, each lane
// takes one of them; for a weighted sum of rows, each lane takes every 32nd column. See attention.cuh for formulas and
// shapes.
#pragma once
#include "attention.cuh"

constexpr int ATTENTION_F32_ROWS = 16;
constexpr int ATTENTION_F32_WARP_ROWS = ATTENTION_F32_ROWS / ATTENTION_WARPS;
constexpr int ATTENTION_F32_COLUMNS = 128 / WARP_SIZE; // columns of a lane, at most

// `n_tiles` tiles of the block's own rows, two of streamed rows, and two weights a lane. Rows are padded by one value.
constexpr int attention_f32_shared_bytes(int width, int n_tiles) {
  return ((n_tiles * ATTENTION_F32_ROWS + 2 * WARP_SIZE) * (width + 1) + 2 * ATTENTION_THREADS) * 4;
}

// Copies `rows` rows into shared memory; those at or past `n_valid` become zero.
DEVICE void load_rows(float* tile, const float* from, int64_t from_stride, int rows, int n_valid, int width) {
  for (int i = threadIdx.x; i < rows * width; i += ATTENTION_THREADS) {
    const int row = i / width, column = i % width;
    tile[row * (width + 1) + column] = row < n_valid ? from[row * from_stride + column] : 0.0f;
  }
}

DEVICE float dot(const float* left, const float* right, int width) {
  float sum = 0.0f;
  for (int i = 0; i < width; i++) sum += left[i] * right[i];
  return sum;
}

// sum += the 32 weights of this warp times 32 rows; a lane holds columns lane, lane + 32, ...
DEVICE void add_weighted(float sum[ATTENTION_F32_COLUMNS], const float* weights, const float* rows, int width) {
  UNROLL
  for (int part = 0; part < ATTENTION_F32_COLUMNS; part++) {
    const int column = threadIdx.x % WARP_SIZE + part * WARP_SIZE;
    if (column >= width) continue;
    for (int i = 0; i < WARP_SIZE; i++) sum[part] += weights[i] * rows[i * (width + 1) + column];
  }
}

DEVICE void store_row(float* to, const float sum[ATTENTION_F32_COLUMNS], float factor, int width) {
  UNROLL
  for (int part = 0; part < ATTENTION_F32_COLUMNS; part++) {
    const int column = threadIdx.x % WARP_SIZE + part * WARP_SIZE;
    if (column < width) to[column] = sum[part] * factor;
  }
}

KERNEL void LAUNCH_BOUNDS(ATTENTION_THREADS)
    attention_forward_f32(const float* qkv, const int* starts, float* attended, float* log_sum_exp, int heads,
                          int width, int n_tiles, int causal) {
  const AttentionTile tile(starts, n_tiles, ATTENTION_F32_ROWS);
  if (tile.is_empty()) return;
  DYNAMIC_SHARED(float, queries);
  float* keys = queries + ATTENTION_F32_ROWS * (width + 1);
  float* values = keys + WARP_SIZE * (width + 1);
  const int lane = threadIdx.x % WARP_SIZE, warp = threadIdx.x / WARP_SIZE;
  float* weights = values + WARP_SIZE * (width + 1) + warp * WARP_SIZE;
  const int64_t stride = int64_t{3} * heads * width;
  const float* first_query = qkv + tile.sequence * stride + tile.head * width;
  const float scale = 1.0f / sqrtf(static_cast<float>(width));
  load_rows(queries, first_query + tile.first * stride, stride, ATTENTION_F32_ROWS, tile.length - tile.first, width);

  float sum[ATTENTION_F32_WARP_ROWS][ATTENTION_F32_COLUMNS] = {};
  float largest[ATTENTION_F32_WARP_ROWS], total[ATTENTION_F32_WARP_ROWS] = {};
  for (float& value : largest) value = -INFINITY;
  const int end = causal ? min(tile.length, tile.first + ATTENTION_F32_ROWS) : tile.length;
  for (int start = 0; start < end; start += WARP_SIZE) {
    const float* first_key = first_query + heads * width + start * stride;
    __syncthreads();
    load_rows(keys, first_key, stride, WARP_SIZE, tile.length - start, width);
    load_rows(values, first_key + heads * width, stride, WARP_SIZE, tile.length - start, width);
    __syncthreads();
    UNROLL
    for (int i = 0; i < ATTENTION_F32_WARP_ROWS; i++) {
      const int row = warp * ATTENTION_F32_WARP_ROWS + i;
      const bool visible = attends(tile.first + row, start + lane, tile.length, causal);
      const float score =
          visible ? scale * dot(queries + row * (width + 1), keys + lane * (width + 1), width) : -INFINITY;
      const float new_largest = fmaxf(largest[i], warp_max(score));
      if (new_largest == -INFINITY) continue; // a row past the end
      const float factor = expf(largest[i] - new_largest);
      const float weight = expf(score - new_largest);
      total[i] = total[i] * factor + warp_sum(weight);
      largest[i] = new_largest;
      for (float& value : sum[i]) value *= factor;
      weights[lane] = weight;
      __syncwarp();
      add_weighted(sum[i], weights, values, width);
      __syncwarp();
    }
  }

  UNROLL
  for (int i = 0; i < ATTENTION_F32_WARP_ROWS; i++) {
    const int row = tile.first + warp * ATTENTION_F32_WARP_ROWS + i;
    if (row >= tile.length) continue;
    const int64_t at = (tile.sequence + row) * heads + tile.head;
    store_row(attended + at * width, sum[i], 1.0f / total[i], width);
    if (lane == 0) log_sum_exp[at] = largest[i] + logf(total[i]);
  }
}

// dQ of 16 queries; keys and values are streamed.
KERNEL void LAUNCH_BOUNDS(ATTENTION_THREADS)
    attention_backward_q_f32(const float* qkv, const int* starts, const float* log_sum_exp, const float* delta,
                             const float* d_out, float* d_qkv, int heads, int width, int n_tiles, int causal) {
  const AttentionTile tile(starts, n_tiles, ATTENTION_F32_ROWS);
  if (tile.is_empty()) return;
  DYNAMIC_SHARED(float, queries);
  float* d_outs = queries + ATTENTION_F32_ROWS * (width + 1);
  float* keys = d_outs + ATTENTION_F32_ROWS * (width + 1);
  float* values = keys + WARP_SIZE * (width + 1);
  const int lane = threadIdx.x % WARP_SIZE, warp = threadIdx.x / WARP_SIZE;
  float* weights = values + WARP_SIZE * (width + 1) + warp * WARP_SIZE;
  const int64_t stride = int64_t{3} * heads * width, out_stride = int64_t{heads} * width;
  const float* first_query = qkv + tile.sequence * stride + tile.head * width;
  const float* first_d_out = d_out + tile.sequence * out_stride + tile.head * width;
  const float scale = 1.0f / sqrtf(static_cast<float>(width));
  const int n_own = tile.length - tile.first;
  load_rows(queries, first_query + tile.first * stride, stride, ATTENTION_F32_ROWS, n_own, width);
  load_rows(d_outs, first_d_out + tile.first * out_stride, out_stride, ATTENTION_F32_ROWS, n_own, width);

  float d_query[ATTENTION_F32_WARP_ROWS][ATTENTION_F32_COLUMNS] = {};
  const int end = causal ? min(tile.length, tile.first + ATTENTION_F32_ROWS) : tile.length;
  for (int start = 0; start < end; start += WARP_SIZE) {
    const float* first_key = first_query + heads * width + start * stride;
    __syncthreads();
    load_rows(keys, first_key, stride, WARP_SIZE, tile.length - start, width);
    load_rows(values, first_key + heads * width, stride, WARP_SIZE, tile.length - start, width);
    __syncthreads();
    UNROLL
    for (int i = 0; i < ATTENTION_F32_WARP_ROWS; i++) {
      const int row = warp * ATTENTION_F32_WARP_ROWS + i, query = tile.first + row;
      float d_score = 0.0f;
      if (attends(query, start + lane, tile.length, causal)) {
        const int64_t at = (tile.sequence + query) * heads + tile.head;
        const float score = scale * dot(queries + row * (width + 1), keys + lane * (width + 1), width);
        const float d_weight = dot(d_outs + row * (width + 1), values + lane * (width + 1), width);
        d_score = expf(score - log_sum_exp[at]) * (d_weight - delta[at]);
      }
      weights[lane] = d_score;
      __syncwarp();
      add_weighted(d_query[i], weights, keys, width);
      __syncwarp();
    }
  }

  UNROLL
  for (int i = 0; i < ATTENTION_F32_WARP_ROWS; i++) {
    const int row = tile.first + warp * ATTENTION_F32_WARP_ROWS + i;
    if (row < tile.length) {
      store_row(d_qkv + (tile.sequence + row) * stride + tile.head * width, d_query[i], scale, width);
    }
  }
}

// dK and dV of 16 keys; queries and output gradients are streamed.
KERNEL void LAUNCH_BOUNDS(ATTENTION_THREADS)
    attention_backward_kv_f32(const float* qkv, const int* starts, const float* log_sum_exp, const float* delta,
                              const float* d_out, float* d_qkv, int heads, int width, int n_tiles, int causal) {
  const AttentionTile tile(starts, n_tiles, ATTENTION_F32_ROWS);
  if (tile.is_empty()) return;
  DYNAMIC_SHARED(float, keys);
  float* values = keys + ATTENTION_F32_ROWS * (width + 1);
  float* queries = values + ATTENTION_F32_ROWS * (width + 1);
  float* d_outs = queries + WARP_SIZE * (width + 1);
  const int lane = threadIdx.x % WARP_SIZE, warp = threadIdx.x / WARP_SIZE;
  float* weights = d_outs + WARP_SIZE * (width + 1) + warp * 2 * WARP_SIZE;
  float* d_scores = weights + WARP_SIZE;
  const int64_t stride = int64_t{3} * heads * width, out_stride = int64_t{heads} * width;
  const float* first_query = qkv + tile.sequence * stride + tile.head * width;
  const float* first_d_out = d_out + tile.sequence * out_stride + tile.head * width;
  const float* first_key = first_query + heads * width + tile.first * stride;
  const float scale = 1.0f / sqrtf(static_cast<float>(width));
  load_rows(keys, first_key, stride, ATTENTION_F32_ROWS, tile.length - tile.first, width);
  load_rows(values, first_key + heads * width, stride, ATTENTION_F32_ROWS, tile.length - tile.first, width);

  float d_key[ATTENTION_F32_WARP_ROWS][ATTENTION_F32_COLUMNS] = {};
  float d_value[ATTENTION_F32_WARP_ROWS][ATTENTION_F32_COLUMNS] = {};
  for (int start = causal ? tile.first : 0; start < tile.length; start += WARP_SIZE) {
    __syncthreads();
    load_rows(queries, first_query + start * stride, stride, WARP_SIZE, tile.length - start, width);
    load_rows(d_outs, first_d_out + start * out_stride, out_stride, WARP_SIZE, tile.length - start, width);
    __syncthreads();
    UNROLL
    for (int i = 0; i < ATTENTION_F32_WARP_ROWS; i++) {
      const int row = warp * ATTENTION_F32_WARP_ROWS + i, query = start + lane;
      float weight = 0.0f, d_score = 0.0f;
      if (attends(query, tile.first + row, tile.length, causal)) {
        const int64_t at = (tile.sequence + query) * heads + tile.head;
        const float score = scale * dot(queries + lane * (width + 1), keys + row * (width + 1), width);
        const float d_weight = dot(d_outs + lane * (width + 1), values + row * (width + 1), width);
        weight = expf(score - log_sum_exp[at]);
        d_score = weight * (d_weight - delta[at]);
      }
      weights[lane] = weight;
      d_scores[lane] = d_score;
      __syncwarp();
      add_weighted(d_value[i], weights, d_outs, width);
      add_weighted(d_key[i], d_scores, queries, width);
      __syncwarp();
    }
  }

  UNROLL
  for (int i = 0; i < ATTENTION_F32_WARP_ROWS; i++) {
    const int row = tile.first + warp * ATTENTION_F32_WARP_ROWS + i;
    if (row >= tile.length) continue;
    float* d_keys = d_qkv + (tile.sequence + row) * stride + (heads + tile.head) * width;
    store_row(d_keys, d_key[i], scale, width);
    store_row(d_keys + heads * width, d_value[i], 1.0f, width);
  }
}

// Layer normalization over the last axis, forward and backward.
//
// | kernel                     | grid                                              | block | dynamic shared bytes |
// |----------------------------|---------------------------------------------------|-------|----------------------|
// | layer_norm_forward_*       | rows / ROWS_PER_BLOCK, rounded up                 | 256   | 0                    |
// | layer_norm_backward_*      | n_parts = rows / LAYER_NORM_PART_ROWS, rounded up | 256   | 8 * width            |
// | layer_norm_backward_finish | 2 * width / FINISH_COLUMNS, rounded up            | 512   | 0                    |
//
// With x_hat = (x - mean(x)) / sqrt(variance(x) + 1e-5): y = x_hat * gain + bias. The backward pass computes the
// statistics again from x, so that the forward pass stores none.
#pragma once
#include "reduction.cuh"

constexpr float LAYER_NORM_EPS = 1e-5f;
// Rows of one partial sum of the gradients of gain and bias.
constexpr int LAYER_NORM_PART_ROWS = 64;
// Neighboring columns of a thread in the second phase of the backward pass.
constexpr int LAYER_NORM_COLUMNS = 4;
// Rows that a thread reads at a time in that phase.
constexpr int LAYER_NORM_ROWS_READ = 2;

struct RowStatistics {
  float mean;
  float inverse_deviation;
};

// Mean and 1 / sqrt(variance + eps) of a row, by the calling warp. The variance is that of the differences from the
// mean, which loses nothing where the mean is large.
template <int N, typename T> DEVICE RowStatistics row_statistics(const T* x, int width) {
  const int first = threadIdx.x % WARP_SIZE * N;
  float sum = 0;
  for (int column = first; column < width; column += WARP_SIZE * N) {
    float values[N];
    load_values<N>(values, x + column);
    UNROLL
    for (int i = 0; i < N; i++)
      sum += values[i];
  }
  const float mean = warp_sum(sum) / float(width);
  float squares = 0;
  for (int column = first; column < width; column += WARP_SIZE * N) {
    float values[N];
    load_values<N>(values, x + column);
    UNROLL
    for (int i = 0; i < N; i++)
      squares += (values[i] - mean) * (values[i] - mean);
  }
  return {mean, 1.0f / sqrtf(warp_sum(squares) / float(width) + LAYER_NORM_EPS)};
}

template <int N, typename T>
DEVICE void normalize_row(const T* x, const float* gain, const float* bias, T* y, int width) {
  const RowStatistics row = row_statistics<N>(x, width);
  for (int column = threadIdx.x % WARP_SIZE * N; column < width; column += WARP_SIZE * N) {
    float values[N], gains[N], biases[N];
    load_values<N>(values, x + column);
    load_values<N>(gains, gain + column);
    load_values<N>(biases, bias + column);
    UNROLL
    for (int i = 0; i < N; i++) {
      values[i] = (values[i] - row.mean) * row.inverse_deviation * gains[i] + biases[i];
    }
    store_values<N>(y + column, values);
  }
}

// y = x_hat * gain + bias, one warp a row. x, y T [rows, width]; gain, bias f32 [width].
//
// Moves 4 bytes an element (bf16, f16) or 8; a row is read again from the L1 cache for each of the three passes over
// it.
template <typename T>
DEVICE void layer_norm_forward(const T* x, const float* gain, const float* bias, T* y, int rows, int width) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;
  if (vectors_fit(width, x, gain, bias, y)) {
    normalize_row<VECTOR>(x + row * width, gain, bias, y + row * width, width);
  } else {
    normalize_row<1>(x + row * width, gain, bias, y + row * width, width);
  }
}

KERNEL void layer_norm_forward_bf16(const bf16* x, const float* gain, const float* bias, bf16* y, int rows, int width) {
  layer_norm_forward(x, gain, bias, y, rows, width);
}
KERNEL void layer_norm_forward_f16(const f16* x, const float* gain, const float* bias, f16* y, int rows, int width) {
  layer_norm_forward(x, gain, bias, y, rows, width);
}
KERNEL void layer_norm_forward_f32(const float* x, const float* gain, const float* bias, float* y, int rows,
                                   int width) {
  layer_norm_forward(x, gain, bias, y, rows, width);
}

template <typename T> struct LayerNormBackward {
  const T* x;
  const T* dy;
  const float* gain;
  const T* residual;
  T* dx;
  int width;
};

// What a row's input gradient needs besides its own elements.
struct RowGradient {
  RowStatistics statistics;
  // Mean over the row of dy * gain.
  float mean_dx_hat;
  // Mean over the row of dy * gain * x_hat.
  float mean_projection;
};

template <int N, typename T>
DEVICE RowGradient row_gradient(const LayerNormBackward<T>& pass, int64_t row) {
  const T* x = pass.x + row * pass.width;
  const T* dy = pass.dy + row * pass.width;
  const RowStatistics statistics = row_statistics<N>(x, pass.width);
  float sum = 0, projection = 0;
  for (int column = threadIdx.x % WARP_SIZE * N; column < pass.width; column += WARP_SIZE * N) {
    float values[N], gradients[N], gains[N];
    load_values<N>(values, x + column);
    load_values<N>(gradients, dy + column);
    load_values<N>(gains, pass.gain + column);
    UNROLL
    for (int i = 0; i < N; i++) {
      const float dx_hat = gradients[i] * gains[i];
      sum += dx_hat;
      projection += dx_hat * (values[i] - statistics.mean) * statistics.inverse_deviation;
    }
  }
  return {statistics, warp_sum(sum) / float(pass.width), warp_sum(projection) / float(pass.width)};
}

// The values of `N` neighboring columns of a row.
template <int N, typename T> struct RowValues {
  Vec<T, N> x, dy, residual;
};

// Input gradients of `N` columns of `n_rows` rows from `first_row`; adds these rows to the columns' sums. Reads several
// rows before it writes the first, because the compiler may not move a read of x, dy or residual before a write of dx.
template <int N, typename T>
DEVICE void column_gradients(const LayerNormBackward<T>& pass, const RowGradient* row_gradients, int64_t first_row,
                             int n_rows, int column, float* sums) {
  float gains[N], gain_sums[N] = {}, bias_sums[N] = {};
  load_values<N>(gains, pass.gain + column);
  for (int start = 0; start < n_rows; start += LAYER_NORM_ROWS_READ) {
    const int64_t offset = (first_row + start) * pass.width + column;
    RowValues<N, T> rows[LAYER_NORM_ROWS_READ];
    UNROLL
    for (int r = 0; r < LAYER_NORM_ROWS_READ; r++) {
      if (start + r >= n_rows) continue;
      rows[r].x = Vec<T, N>::load(pass.x + offset + r * pass.width);
      rows[r].dy = Vec<T, N>::load(pass.dy + offset + r * pass.width);
      if (pass.residual) rows[r].residual = Vec<T, N>::load(pass.residual + offset + r * pass.width);
    }
    UNROLL
    for (int r = 0; r < LAYER_NORM_ROWS_READ; r++) {
      if (start + r >= n_rows) continue;
      const RowGradient row = row_gradients[start + r];
      float dx[N];
      UNROLL
      for (int i = 0; i < N; i++) {
        const float dy = to_float(rows[r].dy[i]);
        const float x_hat = (to_float(rows[r].x[i]) - row.statistics.mean) * row.statistics.inverse_deviation;
        gain_sums[i] += dy * x_hat;
        bias_sums[i] += dy;
        const float difference = dy * gains[i] - row.mean_dx_hat - x_hat * row.mean_projection;
        dx[i] = row.statistics.inverse_deviation * difference;
        if (pass.residual) dx[i] += to_float(rows[r].residual[i]);
      }
      store_values<N>(pass.dx + offset + r * pass.width, dx);
    }
  }
  UNROLL
  for (int i = 0; i < N; i++) {
    sums[column + i] += gain_sums[i];
    sums[pass.width + column + i] += bias_sums[i];
  }
}

// The rows of one part, eight at a time. In the first phase each warp reduces one row; in the second each thread owns
// columns, finds these rows in the caches, and writes an element of dx after it has read those of x, dy and residual.
template <int N, int COLUMNS, typename T>
DEVICE void layer_norm_backward_part(const LayerNormBackward<T>& pass, float* partial, int rows) {
  DYNAMIC_SHARED(float, sums); // [2, width], each column used by one thread only
  SHARED RowGradient row_gradients[ROWS_PER_BLOCK];
  const int warp = threadIdx.x / WARP_SIZE;
  const int first_column = threadIdx.x * COLUMNS;
  const int64_t part_start = int64_t(blockIdx.x) * LAYER_NORM_PART_ROWS;
  const int64_t part_end = part_start + LAYER_NORM_PART_ROWS < rows ? part_start + LAYER_NORM_PART_ROWS : rows;

  for (int i = threadIdx.x; i < 2 * pass.width; i += ROW_THREADS) sums[i] = 0;
  for (int64_t first_row = part_start; first_row < part_end; first_row += ROWS_PER_BLOCK) {
    const int64_t left = part_end - first_row;
    const int n_rows = left < ROWS_PER_BLOCK ? int(left) : ROWS_PER_BLOCK;
    if (warp < n_rows) {
      const RowGradient row = row_gradient<N>(pass, first_row + warp);
      if (threadIdx.x % WARP_SIZE == 0) row_gradients[warp] = row;
    }
    __syncthreads();
    for (int column = first_column; column < pass.width; column += ROW_THREADS * COLUMNS) {
      column_gradients<COLUMNS>(pass, row_gradients, first_row, n_rows, column, sums);
    }
    __syncthreads();
  }
  float* part = partial + blockIdx.x * int64_t(2) * pass.width;
  for (int i = threadIdx.x; i < 2 * pass.width; i += ROW_THREADS) part[i] = sums[i];
}

// dx = residual + (dx_hat - mean(dx_hat) - x_hat * mean(dx_hat * x_hat)) / sqrt(variance + eps), dx_hat = dy * gain;
// partial[part, 0] = sum of dy * x_hat and partial[part, 1] = sum of dy over the part's rows.
//
// x, dy, residual, dx T [rows, width]; residual is the gradient that goes around the layer, or null; dx may be
// residual or dy. gain f32 [width], partial f32 [n_parts, 2, width] (overwritten). Moves 6 bytes an element (bf16)
// or 12, and 2 or 4 more with a residual. The dynamic shared memory bounds the width: 48 KiB for 6,000 columns.
template <typename T>
DEVICE void layer_norm_backward(const T* x, const T* dy, const float* gain, const T* residual, T* dx, float* partial,
                                int rows, int width) {
  const LayerNormBackward<T> pass = {x, dy, gain, residual, dx, width};
  if (vectors_fit(width, x, dy, gain, residual, dx)) {
    layer_norm_backward_part<VECTOR, LAYER_NORM_COLUMNS>(pass, partial, rows);
  } else {
    layer_norm_backward_part<1, 1>(pass, partial, rows);
  }
}

KERNEL void layer_norm_backward_bf16(const bf16* x, const bf16* dy, const float* gain, const bf16* residual, bf16* dx,
                                     float* partial, int rows, int width) {
  layer_norm_backward(x, dy, gain, residual, dx, partial, rows, width);
}
KERNEL void layer_norm_backward_f16(const f16* x, const f16* dy, const float* gain, const f16* residual, f16* dx,
                                    float* partial, int rows, int width) {
  layer_norm_backward(x, dy, gain, residual, dx, partial, rows, width);
}
KERNEL void layer_norm_backward_f32(const float* x, const float* dy, const float* gain, const float* residual,
                                    float* dx, float* partial, int rows, int width) {
  layer_norm_backward(x, dy, gain, residual, dx, partial, rows, width);
}

// gain_gradient[c] += sum of partial[part, 0, c] over the parts; bias_gradient[c] += sum of partial[part, 1, c].
//
// partial f32 [n_parts, 2, width]; gain_gradient, bias_gradient f32 [width].
KERNEL void layer_norm_backward_finish(const float* partial, float* gain_gradient, float* bias_gradient, int n_parts,
                                       int width) {
  const int64_t column = finish_column();
  const float sum = sum_of_parts(partial, n_parts, int64_t(2) * width, column);
  if (threadIdx.x >= FINISH_COLUMNS || column >= int64_t(2) * width) return;
  if (column < width) {
    gain_gradient[column] += sum;
  } else {
    bias_gradient[column - width] += sum;
  }
}

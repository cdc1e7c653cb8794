// Deterministic sums: over a warp, over the rows of a matrix, over a flat array.
//
// | kernel                | grid                                            | block | dynamic shared bytes |
// |-----------------------|-------------------------------------------------|-------|----------------------|
// | column_sums_*         | x: rows / COLUMN_SUM_ROWS = n_parts,            | 256   | 0                    |
// |                       | y: width / COLUMN_SUM_COLUMNS, both rounded up  |       |                      |
// | column_sums_finish    | width / 32, rounded up                          | 512   | 0                    |
// | sum_of_squares        | n / SQUARES_PER_PART = n_parts, rounded up      | 256   | 0                    |
// | sum_of_squares_finish | 1                                               | 256   | 0                    |
//
// Each sum has two stages. The first writes one partial sum for a fixed range of the input, the second adds the
// partial sums in a fixed order. So the result does not depend on which blocks run at a time.
#pragma once
#include "vectors.cuh"

// Block size of the kernels that add partial sums: 16 groups of 32 threads, one thread of each group a column.
constexpr int FINISH_THREADS = 512;
// Columns of a block of such a kernel.
constexpr int FINISH_COLUMNS = WARP_SIZE;
constexpr int FINISH_GROUPS = FINISH_THREADS / FINISH_COLUMNS;

// Column that the calling thread sums in a kernel that adds partial sums.
DEVICE int64_t finish_column() { return int64_t(blockIdx.x) * FINISH_COLUMNS + threadIdx.x % FINISH_COLUMNS; }

// Sum of one column of `partial` [n_parts, width]. Called by the whole block; complete in its first 32 threads.
DEVICE float sum_of_parts(const float* partial, int n_parts, int64_t width, int64_t column) {
  SHARED float group_sums[FINISH_THREADS];
  const int group = threadIdx.x / FINISH_COLUMNS;
  float sum = 0;
  if (column < width) {
    for (int part = group; part < n_parts; part += FINISH_GROUPS) sum += partial[part * width + column];
  }
  group_sums[threadIdx.x] = sum;
  __syncthreads();
  if (group == 0) {
    for (int other = 1; other < FINISH_GROUPS; other++) {
      sum += group_sums[other * FINISH_COLUMNS + threadIdx.x];
    }
  }
  return sum;
}

constexpr int COLUMN_SUM_THREADS = 256;
// Rows of one partial sum.
constexpr int COLUMN_SUM_ROWS = 256;
// Columns of a block: one vector for each of 32 threads. The eight warps share the rows.
constexpr int COLUMN_SUM_COLUMNS = WARP_SIZE * VECTOR;

// Sums of `N` neighboring columns for each lane; `first_column` is the block's first.
template <int N, typename T>
DEVICE void column_sums_by(const T* x, float* partial, int rows, int64_t width, int64_t first_column) {
  constexpr int WARPS = COLUMN_SUM_THREADS / WARP_SIZE;
  SHARED float warp_sums[WARPS][WARP_SIZE * N];
  const int warp = threadIdx.x / WARP_SIZE, lane = threadIdx.x % WARP_SIZE;
  const int64_t column = first_column + lane * N;
  const int64_t first_row = int64_t(blockIdx.x) * COLUMN_SUM_ROWS;
  const int64_t end_row = first_row + COLUMN_SUM_ROWS < rows ? first_row + COLUMN_SUM_ROWS : rows;

  float sums[N] = {};
  if (column < width) {
    for (int64_t row = first_row + warp; row < end_row; row += WARPS) {
      float values[N];
      load_values<N>(values, x + row * width + column);
      UNROLL
      for (int i = 0; i < N; i++)
        sums[i] += values[i];
    }
  }
  UNROLL
  for (int i = 0; i < N; i++)
    warp_sums[warp][i * WARP_SIZE + lane] = sums[i];
  __syncthreads();
  if (warp == 0 && column < width) {
    for (int other = 1; other < WARPS; other++) {
      UNROLL
      for (int i = 0; i < N; i++)
        sums[i] += warp_sums[other][i * WARP_SIZE + lane];
    }
    store_values<N>(partial + blockIdx.x * width + column, sums);
  }
  __syncthreads(); // before `warp_sums` is used for the next columns
}

// Partial sums over rows, for the gradient of a bias: partial[part, c] = sum of x[r, c] over the rows r of the part.
//
// x T [rows, width], partial f32 [n_parts, width] (overwritten). Reads each element once: 2 bytes (bf16, f16) or 4.
template <typename T> DEVICE void column_sums(const T* x, float* partial, int rows, int64_t width) {
  const int64_t first = int64_t(blockIdx.y) * COLUMN_SUM_COLUMNS;
  if (vectors_fit(width, x, partial)) {
    column_sums_by<VECTOR>(x, partial, rows, width, first);
  } else {
    const int64_t end = first + COLUMN_SUM_COLUMNS < width ? first + COLUMN_SUM_COLUMNS : width;
    for (int64_t column = first; column < end; column += WARP_SIZE) {
      column_sums_by<1>(x, partial, rows, width, column);
    }
  }
}

KERNEL void column_sums_bf16(const bf16* x, float* partial, int rows, int64_t width) {
  column_sums(x, partial, rows, width);
}
KERNEL void column_sums_f16(const f16* x, float* partial, int rows, int64_t width) {
  column_sums(x, partial, rows, width);
}
KERNEL void column_sums_f32(const float* x, float* partial, int rows, int64_t width) {
  column_sums(x, partial, rows, width);
}

// gradient[c] += sum of partial[part, c] over the parts.
//
// partial f32 [n_parts, width], gradient f32 [width]. Also the second stage of other kernels' partial sums.
KERNEL void column_sums_finish(const float* partial, float* gradient, int n_parts, int64_t width) {
  const int64_t column = finish_column();
  const float sum = sum_of_parts(partial, n_parts, width, column);
  if (threadIdx.x < FINISH_COLUMNS && column < width) gradient[column] += sum;
}

constexpr int SQUARES_THREADS = 256;
// Values of one partial sum of squares.
constexpr int SQUARES_PER_PART = 65536;

// Sum over the threads of a block of `SQUARES_THREADS`; complete in thread 0.
DEVICE double block_sum(double value) {
  SHARED double sums[SQUARES_THREADS];
  sums[threadIdx.x] = value;
  for (unsigned distance = SQUARES_THREADS / 2; distance > 0; distance /= 2) {
    __syncthreads();
    if (threadIdx.x < distance) sums[threadIdx.x] += sums[threadIdx.x + distance];
  }
  return sums[threadIdx.x];
}

// Partial sums of squares, for the gradients' norm: partial[part] = sum of x[i]^2 over the values of the part.
//
// x f32 [n], partial f64 [n_parts] (overwritten). Squares and sums are f64, so none overflows. Reads 4 bytes a value.
KERNEL void sum_of_squares(const float* x, double* partial, int64_t n) {
  const int64_t first = int64_t(blockIdx.x) * SQUARES_PER_PART;
  const int64_t end = first + SQUARES_PER_PART < n ? first + SQUARES_PER_PART : n;
  double sum = 0;
  for (int64_t start = first + threadIdx.x * 4; start < end; start += SQUARES_THREADS * 4) {
    float values[4] = {};
    if (start + 4 <= end && vectors_fit(VECTOR, x)) {
      load_values<4>(values, x + start);
    } else {
      for (int i = 0; i < 4 && start + i < end; i++) values[i] = x[start + i];
    }
    UNROLL
    for (int i = 0; i < 4; i++)
      sum += double(values[i]) * double(values[i]);
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// result[0] = sum of partial[part] over the parts. partial f64 [n_parts], result f64 [1] (overwritten).
KERNEL void sum_of_squares_finish(const double* partial, double* result, int n_parts) {
  double sum = 0;
  for (int part = threadIdx.x; part < n_parts; part += SQUARES_THREADS) sum += partial[part];
  sum = block_sum(sum);
  if (threadIdx.x == 0) result[0] = sum;
}

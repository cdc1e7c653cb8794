// Rows of a matrix: gathering, scattering, division by their length. Casts between element types.
//
// | kernel                           | grid                               | block | dynamic shared bytes |
// |----------------------------------|------------------------------------|-------|----------------------|
// | gather_rows_*, scatter_rows_*    | rows / ROWS_PER_BLOCK, rounded up  | 256   | 0                    |
// | unit_length_forward, _backward   | rows / ROWS_PER_BLOCK, rounded up  | 256   | 0                    |
// | cast_f32_to_bf16, _bf16_to_f32   | n / ELEMENTS_PER_BLOCK, rounded up | 256   | 0                    |
//
// `rows` is the number of rows of the result.
#pragma once
#include "reduction.cuh"

// y[i] = x[index[i]], one warp a row. x T [.., width], y T [rows, width], index int32 [rows].
// Moves 4 bytes an element of y (bf16) or 8.
template <typename T> DEVICE void gather_rows(const T* x, const int* index, T* y, int rows, int width) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;
  write_row(y + row * width, x + int64_t(index[row]) * width, static_cast<const T*>(nullptr), width);
}

KERNEL void gather_rows_bf16(const bf16* x, const int* index, bf16* y, int rows, int width) {
  gather_rows(x, index, y, rows, width);
}
KERNEL void gather_rows_f32(const float* x, const int* index, float* y, int rows, int width) {
  gather_rows(x, index, y, rows, width);
}

// y[i] = x[source[i]], or zeros where source[i] is negative: the backward pass of gather_rows for an index without
// repetitions, of which `source` is the inverse. One warp a row.
//
// x T [.., width], y T [rows, width] (fully written), source int32 [rows]. Moves 2 bytes an element of y (bf16) or 4,
// and as many for each element of x.
template <typename T> DEVICE void scatter_rows(const T* x, const int* source, T* y, int rows, int width) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;
  const T* from = source[row] < 0 ? nullptr : x + int64_t(source[row]) * width;
  write_row(y + row * width, from, static_cast<const T*>(nullptr), width);
}

KERNEL void scatter_rows_bf16(const bf16* x, const int* source, bf16* y, int rows, int width) {
  scatter_rows(x, source, y, rows, width);
}
KERNEL void scatter_rows_f32(const float* x, const int* source, float* y, int rows, int width) {
  scatter_rows(x, source, y, rows, width);
}

// y = x, rounded to the nearest bf16 with ties to even. x f32 [n], y bf16 [n]. Moves 6 bytes an element.
KERNEL void cast_f32_to_bf16(const float* x, bf16* y, int64_t n) {
  map_elements(x, y, n, [](float value) { return value; });
}

// y = x. x bf16 [n], y f32 [n]. Moves 6 bytes an element.
KERNEL void cast_bf16_to_f32(const bf16* x, float* y, int64_t n) {
  map_elements(x, y, n, [](float value) { return value; });
}

// Smallest square of a length by which a row is divided; the length is then 1e-12.
constexpr float SMALLEST_SQUARED_LENGTH = 1e-24f;

// Sum of a[c] * b[c] over a row, by the calling warp.
DEVICE float row_product(const float* a, const float* b, int width) {
  float sum = 0;
  for (int column = threadIdx.x % WARP_SIZE; column < width; column += WARP_SIZE) sum += a[column] * b[column];
  return warp_sum(sum);
}

// y = x / max(|x|, 1e-12) for each row, one warp a row. x, y f32 [rows, width].
// Moves 8 bytes an element.
KERNEL void unit_length_forward(const float* x, float* y, int rows, int width) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;
  x += row * width;
  y += row * width;
  const float length = sqrtf(fmaxf(row_product(x, x, width), SMALLEST_SQUARED_LENGTH));
  for (int column = threadIdx.x % WARP_SIZE; column < width; column += WARP_SIZE) y[column] = x[column] / length;
}

// dx = (dy - y * sum(y * dy)) / |x| with y = x / |x|, or dy / 1e-12 for a row that is shorter than 1e-12; one warp
// a row. x, dy, dx f32 [rows, width] (dx may be dy). Moves 12 bytes an element.
KERNEL void unit_length_backward(const float* x, const float* dy, float* dx, int rows, int width) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;
  x += row * width;
  dy += row * width;
  dx += row * width;
  const float squared_length = row_product(x, x, width);
  const float length = sqrtf(fmaxf(squared_length, SMALLEST_SQUARED_LENGTH));
  // sum(y * dy) * y = sum(x * dy) / |x|^2 * x. The length of a shorter row is a constant, without a gradient.
  const float product = row_product(x, dy, width);
  const float along = squared_length > SMALLEST_SQUARED_LENGTH ? product / squared_length : 0.0f;
  for (int column = threadIdx.x % WARP_SIZE; column < width; column += WARP_SIZE) {
    dx[column] = (dy[column] - x[column] * along) / length;
  }
}

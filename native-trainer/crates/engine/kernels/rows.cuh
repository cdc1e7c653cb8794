// Rows of a matrix: gathering and scattering. The casts to bf16 and f16.
//
// | kernel                        | grid                               | block | dynamic shared bytes |
// |-------------------------------|------------------------------------|-------|----------------------|
// | gather_rows_*, scatter_rows_* | rows / ROWS_PER_BLOCK, rounded up  | 256   | 0                    |
// | cast_f32_to_bf16, .._to_f16   | n / ELEMENTS_PER_BLOCK, rounded up | 256   | 0                    |
//
// `rows` is the number of rows of the result.
#pragma once
#include "vectors.cuh"

// y[i] = x[index[i]], one warp a row. x T [.., width], y T [rows, width], index int32 [rows].
// Moves 4 bytes an element of y (bf16, f16) or 8.
template <typename T> DEVICE void gather_rows(const T* x, const int* index, T* y, int rows, int width) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;
  write_row(y + row * width, x + int64_t(index[row]) * width, static_cast<const T*>(nullptr), width);
}

KERNEL void gather_rows_bf16(const bf16* x, const int* index, bf16* y, int rows, int width) {
  gather_rows(x, index, y, rows, width);
}
KERNEL void gather_rows_f16(const f16* x, const int* index, f16* y, int rows, int width) {
  gather_rows(x, index, y, rows, width);
}
KERNEL void gather_rows_f32(const float* x, const int* index, float* y, int rows, int width) {
  gather_rows(x, index, y, rows, width);
}

// y[i] = x[source[i]], or zeros where source[i] is negative: the backward pass of gather_rows for an index without
// repetitions, of which `source` is the inverse. One warp a row.
//
// x T [.., width], y T [rows, width] (fully written), source int32 [rows]. Moves 2 bytes an element of y (bf16, f16) or
// 4, and as many for each element of x.
template <typename T> DEVICE void scatter_rows(const T* x, const int* source, T* y, int rows, int width) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;
  const T* from = source[row] < 0 ? nullptr : x + int64_t(source[row]) * width;
  write_row(y + row * width, from, static_cast<const T*>(nullptr), width);
}

KERNEL void scatter_rows_bf16(const bf16* x, const int* source, bf16* y, int rows, int width) {
  scatter_rows(x, source, y, rows, width);
}
KERNEL void scatter_rows_f16(const f16* x, const int* source, f16* y, int rows, int width) {
  scatter_rows(x, source, y, rows, width);
}
KERNEL void scatter_rows_f32(const float* x, const int* source, float* y, int rows, int width) {
  scatter_rows(x, source, y, rows, width);
}

// y = x, rounded to the nearest value of T with ties to even. x f32 [n], y T [n]. Moves 6 bytes an element.
template <typename T> DEVICE void cast_from_f32(const float* x, T* y, int64_t n) {
  map_elements(x, y, n, [](float value) { return value; });
}

KERNEL void cast_f32_to_bf16(const float* x, bf16* y, int64_t n) { cast_from_f32(x, y, n); }
KERNEL void cast_f32_to_f16(const float* x, f16* y, int64_t n) { cast_from_f32(x, y, n); }

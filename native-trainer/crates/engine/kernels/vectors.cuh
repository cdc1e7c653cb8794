// Loads, stores and row operations by vectors of several values, shared by the element-wise and row-wise kernels.
//
// No kernel is defined here. Activations are bf16, f16 or f32; all arithmetic is in f32. Every width and address is
// correct; rows of a multiple of eight values at addresses that are multiples of 16 bytes are fast.
#pragma once
#include "bridge.cuh"

// Values that a thread loads or stores at a time where width and addresses allow it: 16 bytes of bf16 or f16, or 32 of
// f32.
constexpr int VECTOR = 8;
// Block size of the element-wise kernels. A thread handles `VECTOR` values.
constexpr int ELEMENT_THREADS = 256;
// Values of a block of an element-wise kernel. Grid: n / ELEMENTS_PER_BLOCK, rounded up.
constexpr int ELEMENTS_PER_BLOCK = ELEMENT_THREADS * VECTOR;
// Block size of the kernels that give each row to one warp.
constexpr int ROW_THREADS = 256;
// Rows of a block of such a kernel. Grid: rows / ROWS_PER_BLOCK, rounded up.
constexpr int ROWS_PER_BLOCK = ROW_THREADS / WARP_SIZE;

// Whether rows of `width` values can be read and written by vectors, given the addresses of their first values.
template <typename... Pointers> DEVICE bool vectors_fit(int64_t width, Pointers... pointers) {
  return width % VECTOR == 0 && ((reinterpret_cast<uintptr_t>(pointers) % 16 == 0) && ...);
}

DEVICE float to_float(unsigned char value) { return float(value); }

// Of N values of type T, those that one instruction moves.
template <int N, typename T> constexpr int AT_ONCE = N * sizeof(T) < 16 ? N : 16 / sizeof(T);

// Reads N values. `from` is aligned to them, or to 16 bytes.
template <int N, typename T> DEVICE void load_values(float (&values)[N], const T* from) {
  constexpr int WIDTH = AT_ONCE<N, T>;
  UNROLL
  for (int start = 0; start < N; start += WIDTH) {
    const auto vector = Vec<T, WIDTH>::load(from + start);
    UNROLL
    for (int i = 0; i < WIDTH; i++)
      values[start + i] = to_float(vector[i]);
  }
}

// Writes N values, rounded to T. Alignment as for load_values.
template <int N, typename T> DEVICE void store_values(T* to, const float (&values)[N]) {
  constexpr int WIDTH = AT_ONCE<N, T>;
  UNROLL
  for (int start = 0; start < N; start += WIDTH) {
    Vec<T, WIDTH> vector;
    UNROLL
    for (int i = 0; i < WIDTH; i++)
      vector[i] = from_float<T>(values[start + i]);
    vector.store(to + start);
  }
}

// Index of the row that the calling warp handles, in a kernel of one warp a row.
DEVICE int64_t row_of_warp() { return int64_t(blockIdx.x) * ROWS_PER_BLOCK + threadIdx.x / WARP_SIZE; }

template <int N, typename T> DEVICE void write_row_by(T* y, const T* a, const T* b, int width) {
  for (int column = threadIdx.x % WARP_SIZE * N; column < width; column += WARP_SIZE * N) {
    float sum[N] = {};
    if (a) load_values<N>(sum, a + column);
    if (b) {
      float addend[N];
      load_values<N>(addend, b + column);
      UNROLL
      for (int i = 0; i < N; i++)
        sum[i] += addend[i];
    }
    store_values<N>(y + column, sum);
  }
}

// Writes one row of `width` values with the calling warp: y = a + b. Without `b` a copy of `a`; without both zeros.
template <typename T> DEVICE void write_row(T* y, const T* a, const T* b, int width) {
  if (vectors_fit(width, y, a, b)) {
    write_row_by<VECTOR>(y, a, b, width);
  } else {
    write_row_by<1>(y, a, b, width);
  }
}

// y[i] = f(a[i], b[i]) for the `VECTOR` values of the calling thread. `y` may be `a` or `b`.
template <typename A, typename B, typename Y, typename F>
DEVICE void map_elements(const A* a, const B* b, Y* y, int64_t n, F f) {
  const int64_t start = (int64_t(blockIdx.x) * ELEMENT_THREADS + threadIdx.x) * VECTOR;
  if (start + VECTOR <= n && vectors_fit(VECTOR, a, b, y)) {
    float left[VECTOR], right[VECTOR];
    load_values<VECTOR>(left, a + start);
    load_values<VECTOR>(right, b + start);
    UNROLL
    for (int i = 0; i < VECTOR; i++)
      left[i] = f(left[i], right[i]);
    store_values<VECTOR>(y + start, left);
  } else {
    for (int64_t i = start; i < n && i < start + VECTOR; i++) {
      y[i] = from_float<Y>(f(to_float(a[i]), to_float(b[i])));
    }
  }
}

// y[i] = f(a[i]) for the `VECTOR` values of the calling thread. `y` may be `a`.
template <typename A, typename Y, typename F> DEVICE void map_elements(const A* a, Y* y, int64_t n, F f) {
  map_elements(a, a, y, n, [&](float value, float) { return f(value); });
}

// Tiles of bf16 or f16 in shared memory, and their products on tensor cores. A tile has WIDTH columns; its rows are
// padded by 16 bytes, so that eight neighboring rows lie in different banks. A product is computed by one warp, for 16
// rows at a time.
#pragma once
#include "bridge.cuh"

// Values from one row of a tile to the next.
template <int WIDTH> constexpr int TILE_STRIDE = WIDTH + 8;

// Starts copying `ROWS` rows that are `from_stride` values apart into a tile; rows at or past `n_rows` become zero.
// All threads of the block take part; there must be at least one row.
template <int ROWS, int WIDTH, int THREADS, typename T>
DEVICE void load_tile(T* tile, const T* from, int64_t from_stride, int n_rows) {
  constexpr int PIECES = WIDTH / 8;
  for (int i = threadIdx.x; i < ROWS * PIECES; i += THREADS) {
    const int row = i / PIECES, column = i % PIECES * 8;
    const bool valid = row < n_rows;
    copy_async_16(tile + row * TILE_STRIDE<WIDTH> + column, from + (valid ? row : 0) * from_stride + column, valid);
  }
}

// Sixteen rows of a tile as the left operand of products. Up to a width of 64 they are kept in registers.
template <typename T, int WIDTH> struct LeftRows {
  static constexpr bool IN_REGISTERS = WIDTH <= 64;
  const T* from;
  uint32_t kept[IN_REGISTERS ? WIDTH / 16 : 1][4];

  DEVICE explicit LeftRows(const T* rows) {
    const int lane = threadIdx.x % WARP_SIZE;
    from = rows + lane % 16 * TILE_STRIDE<WIDTH> + lane / 16 * 8;
    if constexpr (IN_REGISTERS) {
      UNROLL
      for (int k = 0; k < WIDTH / 16; k++) load_matrices(kept[k], from + 16 * k);
    }
  }
  // Columns 16 * k to 16 * k + 15.
  DEVICE void fragment(uint32_t a[4], int k) const {
    if constexpr (IN_REGISTERS) {
      UNROLL
      for (int i = 0; i < 4; i++) a[i] = kept[k][i];
    } else {
      load_matrices(a, from + 16 * k);
    }
  }
};

// products[r][c] = left row r * row c of the 16 rows at `right`. In this and in all products, lane l holds
// products[j][i] = [l / 4 + 8 * (i / 2)][8 * j + l % 4 * 2 + i % 2].
template <typename T, int WIDTH>
DEVICE void multiply_rows(float products[2][4], const LeftRows<T, WIDTH>& left, const T* right) {
  const int lane = threadIdx.x % WARP_SIZE;
  const T* from = right + (lane / 16 * 8 + lane % 8) * TILE_STRIDE<WIDTH> + lane / 8 % 2 * 8;
  UNROLL
  for (int i = 0; i < 4; i++) products[0][i] = products[1][i] = 0.0f;
  UNROLL
  for (int k = 0; k < WIDTH / 16; k++) {
    uint32_t a[4], b[4];
    left.fragment(a, k);
    load_matrices(b, from + 16 * k);
    matrix_multiply_add<T>(products[0], a, b);
    matrix_multiply_add<T>(products[1], a, b + 2);
  }
}

// sum[16, WIDTH] += weights[16, 16] * the 16 rows at `rows`. The weights are rounded to T.
template <int WIDTH, typename T>
DEVICE void add_weighted_rows(float sum[WIDTH / 8][4], const float weights[2][4], const T* rows) {
  const int lane = threadIdx.x % WARP_SIZE;
  const T* from = rows + lane % 16 * TILE_STRIDE<WIDTH> + lane / 16 * 8;
  const uint32_t a[4] = {pack<T>(weights[0][0], weights[0][1]), pack<T>(weights[0][2], weights[0][3]),
                         pack<T>(weights[1][0], weights[1][1]), pack<T>(weights[1][2], weights[1][3])};
  UNROLL
  for (int d = 0; d < WIDTH / 16; d++) {
    uint32_t b[4];
    load_matrices_transposed(b, from + 16 * d);
    matrix_multiply_add<T>(sum[2 * d], a, b);
    matrix_multiply_add<T>(sum[2 * d + 1], a, b + 2);
  }
}

template <int WIDTH> DEVICE void clear(float sum[WIDTH / 8][4]) {
  UNROLL
  for (int d = 0; d < WIDTH / 8; d++) {
    UNROLL
    for (int i = 0; i < 4; i++) sum[d][i] = 0.0f;
  }
}

// Writes the first `n_rows` of 16 rows, `to_stride` values apart. Rows 0 to 7 are multiplied by factors[0] of their
// lane, rows 8 to 15 by factors[1].
template <int WIDTH, typename T>
DEVICE void store_rows(T* to, int64_t to_stride, int n_rows, const float sum[WIDTH / 8][4], const float factors[2]) {
  const int lane = threadIdx.x % WARP_SIZE;
  UNROLL
  for (int half = 0; half < 2; half++) {
    const int row = lane / 4 + 8 * half;
    if (row >= n_rows) continue;
    UNROLL
    for (int d = 0; d < WIDTH / 8; d++) {
      const Vec<T, 2> pair = {
          {from_float<T>(sum[d][2 * half] * factors[half]), from_float<T>(sum[d][2 * half + 1] * factors[half])}};
      pair.store(to + row * to_stride + 8 * d + lane % 4 * 2);
    }
  }
}

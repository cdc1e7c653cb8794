// What the attention kernels of bf16 and f16 share. A block of four warps computes 64 rows of one head, 16 a warp, and
// streams the rows of the other side through two buffers in shared memory: while it works on one buffer, the other is
// filled. See attention.cuh for formulas, shapes and launch sizes.
#pragma once
#include "attention.cuh"
#include "matrix_tiles.cuh"

constexpr int ATTENTION_HALF_ROWS = 16 * ATTENTION_WARPS;
constexpr float LOG2_E = 1.4426950408889634f;

// Rows that are streamed at a time.
constexpr int attention_streamed_rows(int width) { return width <= 64 ? 64 : 32; }

// Blocks that must fit on a multiprocessor: leaves 168 registers a thread, or 255 for wide heads.
constexpr int attention_half_blocks(int width) { return width <= 64 ? 3 : 2; }

// `n_tiles` tiles of the block's own rows and two buffers of two streamed tiles; with `row_statistics`, also two
// buffers of two f32 values a streamed row.
constexpr int attention_half_shared_bytes(int width, int n_tiles, bool row_statistics) {
  const int streamed = attention_streamed_rows(width);
  return (n_tiles * ATTENTION_HALF_ROWS + 4 * streamed) * (width + 8) * 2 + (row_statistics ? 4 * streamed * 4 : 0);
}

// The rows of a block and of this thread's warp, and where they lie in memory.
template <typename T, int WIDTH> struct AttentionRows : AttentionTile {
  static constexpr int TILE = ATTENTION_HALF_ROWS * TILE_STRIDE<WIDTH>; // values of a tile in shared memory
  int heads, lane, warp_row, warp_first; // the warp's first row in the tile and in the sequence
  int64_t qkv_stride, out_stride;

  DEVICE AttentionRows(const int* starts, int n_tiles, int heads)
      : AttentionTile(starts, n_tiles, ATTENTION_HALF_ROWS), heads(heads) {
    lane = threadIdx.x % WARP_SIZE;
    warp_row = threadIdx.x / WARP_SIZE * 16;
    warp_first = first + warp_row;
    qkv_stride = int64_t{3} * heads * WIDTH;
    out_stride = int64_t{heads} * WIDTH;
  }
  DEVICE bool warp_has_rows() const { return warp_first < length; }
  // The lane's two rows of a product: half 0 and 1.
  DEVICE int row(int half) const { return warp_first + lane / 4 + 8 * half; }
  DEVICE int64_t statistics_at(int row) const { return (sequence + row) * heads + head; }

  // The end of the keys that the first `n` rows from `from` on attend to.
  DEVICE int keys_end(int from, int n, bool causal) const { return causal ? min(length, from + n) : length; }

  // This head's row 0 of the sequence: of the queries, keys or values (part 0, 1 or 2), and of attended or d_out.
  DEVICE int64_t qkv_at(int part) const { return sequence * qkv_stride + (part * heads + head) * WIDTH; }
  DEVICE int64_t out_at() const { return sequence * out_stride + head * WIDTH; }

  // Starts loading the block's own rows; `rows` is row 0 of the sequence.
  DEVICE void load(T* tile, const T* rows, int64_t stride) const {
    load_tile<ATTENTION_HALF_ROWS, WIDTH, ATTENTION_THREADS>(tile, rows + first * stride, stride, length - first);
  }
  // Writes the warp's rows; `rows` is row 0 of the sequence.
  DEVICE void store(T* rows, int64_t stride, const float sum[WIDTH / 8][4], float factor0, float factor1) const {
    const float factors[2] = {factor0, factor1};
    store_rows<WIDTH>(rows + warp_first * stride, stride, length - warp_first, sum, factors);
  }
};

// Two kinds of rows that are streamed together: keys and values, or queries and output gradients.
template <typename T, int WIDTH> struct StreamedPair {
  static constexpr int ROWS = attention_streamed_rows(WIDTH);
  static constexpr int TILE = ROWS * TILE_STRIDE<WIDTH>;
  static constexpr int BUFFERS = 4 * TILE; // values in all
  const T *left, *right;                   // row 0 of the sequence
  int64_t left_stride, right_stride;
  T* buffers;
  int length;

  // Starts loading rows from `start` on into buffer 0 or 1.
  DEVICE void load(int start, int buffer) const {
    T* to = buffers + buffer * 2 * TILE;
    load_tile<ROWS, WIDTH, ATTENTION_THREADS>(to, left + start * left_stride, left_stride, length - start);
    load_tile<ROWS, WIDTH, ATTENTION_THREADS>(to + TILE, right + start * right_stride, right_stride, length - start);
  }
  // Sixteen rows of a buffer.
  DEVICE const T* left_rows(int buffer, int row) const {
    return buffers + buffer * 2 * TILE + row * TILE_STRIDE<WIDTH>;
  }
  DEVICE const T* right_rows(int buffer, int row) const { return left_rows(buffer, row) + TILE; }
};

template <typename T, int WIDTH>
DEVICE StreamedPair<T, WIDTH> stream_keys_values(const AttentionRows<T, WIDTH>& rows, const T* qkv, T* buffers) {
  StreamedPair<T, WIDTH> pair;
  pair.left = qkv + rows.qkv_at(1);
  pair.right = qkv + rows.qkv_at(2);
  pair.left_stride = pair.right_stride = rows.qkv_stride;
  pair.buffers = buffers;
  pair.length = rows.length;
  return pair;
}

#include "attention_half_backward.cuh"
#include "attention_half_forward.cuh"

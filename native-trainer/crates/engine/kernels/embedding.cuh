// Token and position embeddings, forward and backward.
//
// | kernel                    | grid                                                 | block | dynamic shared bytes |
// |---------------------------|------------------------------------------------------|-------|----------------------|
// | embedding_forward_*       | rows / ROWS_PER_BLOCK, rounded up                    | 256   | 0                    |
// | embedding_backward_*      | x: n_pieces, y: width / EMBEDDING_COLUMNS, rounded up | 128   | 0                    |
// | embedding_backward_finish | x: n_keys, y: width / EMBEDDING_COLUMNS, rounded up  | 128   | 0                    |
//
// The gradient of a table's row is the sum of the gradients of all rows of x that used it. The host sorts the rows of
// x by key (a token id, or a position; equal keys in the order of the rows) and cuts each key's rows into pieces of
// at most `EMBEDDING_PIECE_ROWS`:
// - `order` [rows]: the sorted row numbers;
// - `piece_starts` [n_pieces + 1]: piece p is order[piece_starts[p]] .. order[piece_starts[p + 1]];
// - `keys` [n_keys]: the distinct keys;
// - `key_pieces` [n_keys + 1]: key k has the pieces key_pieces[k] .. key_pieces[k + 1].
//
// Example: keys 5 3 5, pieces of at most one row: order 1 0 2, piece_starts 0 1 2 3, keys 3 5, key_pieces 0 1 3.
#pragma once
#include "vectors.cuh"

// Rows of x in the longest piece: the number of rows that one thread adds one after the other.
constexpr int EMBEDDING_PIECE_ROWS = 128;
constexpr int EMBEDDING_THREADS = 128;
// Columns of a block: four for each thread.
constexpr int EMBEDDING_COLUMNS = EMBEDDING_THREADS * 4;

// x[t] = table[ids[t]] + positions[position_ids[t]], one warp a row.
//
// table T [vocabulary, width], positions T [context_length, width], ids and position_ids int32 [rows],
// x T [rows, width]. Moves 6 bytes an element (bf16, f16) or 12; positions come from the caches.
template <typename T>
DEVICE void embedding_forward(const T* table, const T* positions, const int* ids, const int* position_ids, T* x,
                              int rows, int width) {
  const int64_t row = row_of_warp();
  if (row >= rows) return;
  const T* token = table + int64_t(ids[row]) * width;
  const T* position = positions + int64_t(position_ids[row]) * width;
  write_row(x + row * width, token, position, width);
}

KERNEL void embedding_forward_bf16(const bf16* table, const bf16* positions, const int* ids, const int* position_ids,
                                   bf16* x, int rows, int width) {
  embedding_forward(table, positions, ids, position_ids, x, rows, width);
}
KERNEL void embedding_forward_f16(const f16* table, const f16* positions, const int* ids, const int* position_ids,
                                  f16* x, int rows, int width) {
  embedding_forward(table, positions, ids, position_ids, x, rows, width);
}
KERNEL void embedding_forward_f32(const float* table, const float* positions, const int* ids, const int* position_ids,
                                  float* x, int rows, int width) {
  embedding_forward(table, positions, ids, position_ids, x, rows, width);
}

template <int N, typename T>
DEVICE void sum_piece(const T* dx, const int* order, int start, int end, float* sum, int width, int end_column) {
  const int first = blockIdx.y * EMBEDDING_COLUMNS + threadIdx.x * N;
  for (int column = first; column < end_column; column += EMBEDDING_THREADS * N) {
    float sums[N] = {};
    for (int i = start; i < end; i++) {
      float values[N];
      load_values<N>(values, dx + int64_t(order[i]) * width + column);
      UNROLL
      for (int j = 0; j < N; j++)
        sums[j] += values[j];
    }
    store_values<N>(sum + column, sums);
  }
}

// partial[p, c] = sum of dx[order[i], c] over the piece's i, in this order.
//
// dx T [rows, width], partial f32 [n_pieces, width] (overwritten). Reads each element of dx once: 2 bytes or 4.
template <typename T>
DEVICE void embedding_backward(const T* dx, const int* order, const int* piece_starts, float* partial, int width) {
  const int start = piece_starts[blockIdx.x], end = piece_starts[blockIdx.x + 1];
  const int block_end = (blockIdx.y + 1) * EMBEDDING_COLUMNS;
  const int end_column = block_end < width ? block_end : width;
  float* sum = partial + blockIdx.x * int64_t(width);
  if (vectors_fit(width, dx, partial)) {
    sum_piece<4>(dx, order, start, end, sum, width, end_column);
  } else {
    sum_piece<1>(dx, order, start, end, sum, width, end_column);
  }
}

KERNEL void embedding_backward_bf16(const bf16* dx, const int* order, const int* piece_starts, float* partial,
                                    int width) {
  embedding_backward(dx, order, piece_starts, partial, width);
}
KERNEL void embedding_backward_f16(const f16* dx, const int* order, const int* piece_starts, float* partial,
                                   int width) {
  embedding_backward(dx, order, piece_starts, partial, width);
}
KERNEL void embedding_backward_f32(const float* dx, const int* order, const int* piece_starts, float* partial,
                                   int width) {
  embedding_backward(dx, order, piece_starts, partial, width);
}

// gradient[keys[k], c] += sum of partial[p, c] over the pieces p of key k, in order.
//
// partial f32 [n_pieces, width], gradient f32 [vocabulary or context_length, width].
KERNEL void embedding_backward_finish(const float* partial, const int* key_pieces, const int* keys, float* gradient,
                                      int width) {
  const int start = key_pieces[blockIdx.x], end = key_pieces[blockIdx.x + 1];
  const int block_end = (blockIdx.y + 1) * EMBEDDING_COLUMNS;
  const int end_column = block_end < width ? block_end : width;
  float* row = gradient + int64_t(keys[blockIdx.x]) * width;
  for (int column = blockIdx.y * EMBEDDING_COLUMNS + threadIdx.x; column < end_column; column += EMBEDDING_THREADS) {
    float sum = 0;
    for (int piece = start; piece < end; piece++) sum += partial[int64_t(piece) * width + column];
    row[column] += sum;
  }
}

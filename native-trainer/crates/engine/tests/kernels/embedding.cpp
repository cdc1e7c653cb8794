// Embeddings and their gradients against f64.
#include "../../kernels/embedding.cuh"
#include "outputs.h"

#include <map>

// Rows sorted by key and cut into pieces, as the host does.
struct Pieces {
  std::vector<int> order, piece_starts{0}, keys, key_pieces{0};

  Pieces(const std::vector<int>& row_keys, int piece_rows) {
    std::map<int, std::vector<int>> rows_of_key;
    for (size_t row = 0; row < row_keys.size(); row++) rows_of_key[row_keys[row]].push_back(int(row));
    for (const auto& [key, rows] : rows_of_key) {
      keys.push_back(key);
      for (size_t i = 0; i < rows.size(); i++) {
        if (i > 0 && i % piece_rows == 0) piece_starts.push_back(int(order.size()));
        order.push_back(rows[i]);
      }
      piece_starts.push_back(int(order.size()));
      key_pieces.push_back(int(piece_starts.size()) - 1);
    }
  }
  int n_pieces() const { return int(piece_starts.size()) - 1; }
  int n_keys() const { return int(keys.size()); }
};

// Adds the gradient of a table of `n_table` rows to ones.
template <typename T>
std::vector<float> gradient_of(const std::vector<T>& dx, const Pieces& pieces, int n_table, int width) {
  Output<float> partial(size_t(pieces.n_pieces()) * width), gradient(std::vector<float>(size_t(n_table) * width, 1));
  const unsigned column_blocks = blocks(width, EMBEDDING_COLUMNS);
  const int *order = pieces.order.data(), *starts = pieces.piece_starts.data();
  launch(dim3(pieces.n_pieces(), column_blocks), EMBEDDING_THREADS, 0, [&] {
    KERNEL_OF(T, embedding_backward)(dx.data(), order, starts, partial.data(), width);
  });
  partial.finished();
  launch(dim3(pieces.n_keys(), column_blocks), EMBEDDING_THREADS, 0, [&] {
    embedding_backward_finish(partial.data(), pieces.key_pieces.data(), pieces.keys.data(), gradient.data(), width);
  });
  return gradient.finished();
}

template <typename T> void check_gradient(const std::vector<int>& keys, int n_table, int width, int piece_rows) {
  const std::string name = std::string("gradient ") + TYPE_NAME<T> + " width " + std::to_string(width);
  const auto dx = random_values<T>(keys.size() * width, 1);
  std::vector<double> expected(size_t(n_table) * width, 1);
  for (size_t i = 0; i < dx.size(); i++) expected[keys[i / width] * width + i % width] += to_float(dx[i]);
  const Pieces pieces(keys, piece_rows);
  const auto gradient = run_in_every_order(name, [&] { return gradient_of(dx, pieces, n_table, width); });
  expect_close(gradient, expected, F32_LIMIT, name);
  for (int row = 0; row < n_table; row++) {
    if (std::count(keys.begin(), keys.end(), row) > 0) continue;
    expect(gradient[size_t(row) * width] == 1.0f, name + ": a row without a key changed");
  }
}

template <typename T> std::vector<T> forward(const std::vector<T>& table, const std::vector<T>& positions,
                                             const std::vector<int>& ids, const std::vector<int>& places, int width) {
  const int rows = int(ids.size());
  Output<T> x(size_t(rows) * width);
  launch(blocks(rows, ROWS_PER_BLOCK), ROW_THREADS, 0, [&] {
    KERNEL_OF(T, embedding_forward)(table.data(), positions.data(), ids.data(), places.data(), x.data(), rows, width);
  });
  return x.finished();
}

// Packed texts of random tokens, of which token 0 is common.
template <typename T> void check_texts(const std::vector<int>& lengths, int width) {
  constexpr int VOCABULARY = 50, CONTEXT_LENGTH = 77;
  std::vector<int> ids, places;
  Random engine(5);
  for (int length : lengths) {
    for (int place = 0; place < length; place++) {
      ids.push_back(engine() % 2 ? 0 : int(engine() % VOCABULARY));
      places.push_back(place);
    }
  }
  const auto table = random_values<T>(VOCABULARY * width, 1), positions = random_values<T>(CONTEXT_LENGTH * width, 2);
  std::vector<double> expected;
  for (size_t t = 0; t < ids.size(); t++) {
    for (int c = 0; c < width; c++) {
      expected.push_back(double(to_float(table[ids[t] * width + c])) + to_float(positions[places[t] * width + c]));
    }
  }
  const std::string name = std::string("embeddings ") + TYPE_NAME<T> + " width " + std::to_string(width);
  const auto x = run_in_every_order(name, [&] { return forward(table, positions, ids, places, width); });
  expect_near(x, expected, name);
  check_gradient<T>(ids, VOCABULARY, width, EMBEDDING_PIECE_ROWS);
  check_gradient<T>(places, CONTEXT_LENGTH, width, EMBEDDING_PIECE_ROWS);
}

int main() {
  for (int width : {16, 17, 512, 768, 1000, 1280}) {
    for (const std::vector<int>& lengths : {std::vector<int>{1}, {3, 1}, {77, 5, 30}}) {
      for_each_type([&](auto type) { check_texts<decltype(type)>(lengths, width); });
    }
  }
  check_texts<bf16>(std::vector<int>(40, 15), 32);
  check_gradient<bf16>(std::vector<int>(1000, 2), 3, 24, EMBEDDING_PIECE_ROWS); // one key, eight pieces
  check_gradient<float>({5, 3, 5}, 6, 8, 1);                                    // the example of embedding.cuh
  return finish();
}

// Gathered and scattered rows, casts and rows of unit length, against f64 and bit by bit.
#include "../../kernels/rows.cuh"
#include "outputs.h"

#include <sys/mman.h>

template <typename T> std::vector<T> gather(const std::vector<T>& x, const std::vector<int>& index, int width) {
  const int rows = int(index.size());
  Output<T> y(size_t(rows) * width);
  launch(blocks(rows, ROWS_PER_BLOCK), ROW_THREADS, 0, [&] {
    if constexpr (IS_BF16<T>) {
      gather_rows_bf16(x.data(), index.data(), y.data(), rows, width);
    } else {
      gather_rows_f32(x.data(), index.data(), y.data(), rows, width);
    }
  });
  return y.finished();
}
template <typename T> std::vector<T> scatter(const std::vector<T>& x, const std::vector<int>& source, int width) {
  const int rows = int(source.size());
  Output<T> y(size_t(rows) * width);
  launch(blocks(rows, ROWS_PER_BLOCK), ROW_THREADS, 0, [&] {
    if constexpr (IS_BF16<T>) {
      scatter_rows_bf16(x.data(), source.data(), y.data(), rows, width);
    } else {
      scatter_rows_f32(x.data(), source.data(), y.data(), rows, width);
    }
  });
  return y.finished();
}

// Gathers some rows in a random order, then scatters them to where they came from.
template <typename T> void check_gather_and_scatter(int rows, int width) {
  const auto x = random_values<T>(size_t(rows) * width, 1);
  std::vector<int> index(rows);
  for (int i = 0; i < rows; i++) index[i] = i;
  std::shuffle(index.begin(), index.end(), Random(2));
  index.resize((rows + 1) / 2);
  std::vector<int> source(rows, -1);
  for (size_t i = 0; i < index.size(); i++) source[index[i]] = int(i);

  std::vector<T> gathered, scattered(x.size(), from_float<T>(0));
  for (int row : index) {
    gathered.insert(gathered.end(), x.begin() + size_t(row) * width, x.begin() + size_t(row + 1) * width);
    std::copy_n(x.begin() + size_t(row) * width, width, scattered.begin() + size_t(row) * width);
  }
  const auto rows_there = run_in_every_order("gather", [&] { return gather(x, index, width); });
  expect(same_bits(rows_there, gathered), "other gathered rows");
  const auto rows_back = run_in_every_order("scatter", [&] { return scatter(gathered, source, width); });
  expect(same_bits(rows_back, scattered), "other scattered rows");
}

// Rows of a matrix with more than 2^31 values: offsets need 64 bits. Only the pages that are used take memory.
void check_far_rows() {
  constexpr int WIDTH = 3072, FAR_ROW = 1500000;
  const size_t n = size_t(FAR_ROW + 1) * WIDTH;
  void* memory =
      mmap(nullptr, n * sizeof(bf16), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return expect(false, "no 9 GB of address space");
  bf16* x = static_cast<bf16*>(memory);
  const auto row = random_values<bf16>(WIDTH, 6);
  std::copy(row.begin(), row.end(), x + size_t(FAR_ROW) * WIDTH);
  const int index[] = {FAR_ROW};
  Output<bf16> gathered(WIDTH), scattered(WIDTH);
  launch(1, ROW_THREADS, 0, [&] {
    gather_rows_bf16(x, index, gathered.data(), 1, WIDTH);
    scatter_rows_bf16(x, index, scattered.data(), 1, WIDTH);
  });
  expect(same_bits(gathered.finished(), row) && same_bits(scattered.finished(), row), "another far row");
  munmap(memory, n * sizeof(bf16));
}

void check_casts(size_t n) {
  const auto x = random_values<float>(n, 3, 10);
  const auto rounded = run_in_every_order("cast to bf16", [&] {
    Output<bf16> y(n);
    launch(blocks(n, ELEMENTS_PER_BLOCK), ELEMENT_THREADS, 0, [&] { cast_f32_to_bf16(x.data(), y.data(), n); });
    return y.finished();
  });
  const auto back = run_in_every_order("cast to f32", [&] {
    Output<float> y(n);
    launch(blocks(n, ELEMENTS_PER_BLOCK), ELEMENT_THREADS, 0, [&] { cast_bf16_to_f32(rounded.data(), y.data(), n); });
    return y.finished();
  });
  for (size_t i = 0; i < n; i++) {
    expect(rounded[i].bits == from_float<bf16>(x[i]).bits, "another rounding to bf16");
    expect(back[i] == to_float(rounded[i]), "another value after the cast to f32");
  }
}

std::vector<float> unit_length(const std::vector<float>& x, int rows, int width) {
  Output<float> y(x.size());
  launch(blocks(rows, ROWS_PER_BLOCK), ROW_THREADS, 0, [&] { unit_length_forward(x.data(), y.data(), rows, width); });
  return y.finished();
}
std::vector<float> unit_length_gradient(const std::vector<float>& x, const std::vector<float>& dy, int rows,
                                        int width) {
  Output<float> dx(dy);
  launch(blocks(rows, ROWS_PER_BLOCK), ROW_THREADS, 0,
         [&] { unit_length_backward(x.data(), dx.data(), dx.data(), rows, width); });
  return dx.finished();
}

// Row `tiny_row` is much shorter than 1e-12.
void check_unit_length(int rows, int width, int tiny_row) {
  auto x = values_around<float>(1, size_t(rows) * width, 4, 3);
  const auto dy = random_values<float>(x.size(), 5);
  for (int c = 0; c < width; c++) x[size_t(tiny_row) * width + c] *= 1e-18f;
  std::vector<double> y(x.size()), dx(x.size());
  double tiny_size = 0;
  for (int row = 0; row < rows; row++) {
    const size_t start = size_t(row) * width;
    double squares = 0, product = 0;
    for (int c = 0; c < width; c++) squares += double(x[start + c]) * x[start + c];
    const double length = std::sqrt(std::max(squares, 1e-24));
    for (int c = 0; c < width; c++) {
      y[start + c] = x[start + c] / length;
      if (squares > 1e-24) product += y[start + c] * dy[start + c];
    }
    for (int c = 0; c < width; c++) dx[start + c] = (dy[start + c] - y[start + c] * product) / length;
    if (row == tiny_row) tiny_size = length;
  }
  expect_near(run_in_every_order("unit length", [&] { return unit_length(x, rows, width); }), y, "unit length");
  auto gradient = run_in_every_order("its gradient", [&] { return unit_length_gradient(x, dy, rows, width); });
  // The gradient of the short row is 1e12 times as large as the others: bring it to their size.
  for (int c = 0; c < width; c++) {
    gradient[size_t(tiny_row) * width + c] *= float(tiny_size);
    dx[size_t(tiny_row) * width + c] *= tiny_size;
  }
  expect_near(gradient, dx, "gradient of unit length");
}

int main() {
  for (int width : {16, 17, 512, 768, 1000, 3072}) {
    for (int rows : {1, 3, 37}) {
      for_each_type([&](auto type) { check_gather_and_scatter<decltype(type)>(rows, width); });
      check_unit_length(rows, width, rows / 2);
    }
  }
  check_gather_and_scatter<bf16>(197, 24);
  check_unit_length(197, 512, 100);
  check_far_rows();
  for (size_t n : {1, 8, 1003, 4096}) check_casts(n);
  return finish();
}

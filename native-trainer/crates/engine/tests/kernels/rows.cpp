// Gathered and scattered rows, and the casts, against f64 and bit by bit.
#include "../../kernels/rows.cuh"
#include "outputs.h"

#include <sys/mman.h>

template <typename T> std::vector<T> gather(const std::vector<T>& x, const std::vector<int>& index, int width) {
  const int rows = int(index.size());
  Output<T> y(size_t(rows) * width);
  launch(blocks(rows, ROWS_PER_BLOCK), ROW_THREADS, 0, [&] {
    KERNEL_OF(T, gather_rows)(x.data(), index.data(), y.data(), rows, width);
  });
  return y.finished();
}
template <typename T> std::vector<T> scatter(const std::vector<T>& x, const std::vector<int>& source, int width) {
  const int rows = int(source.size());
  Output<T> y(size_t(rows) * width);
  launch(blocks(rows, ROWS_PER_BLOCK), ROW_THREADS, 0, [&] {
    KERNEL_OF(T, scatter_rows)(x.data(), source.data(), y.data(), rows, width);
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

template <typename T, typename Cast> void check_cast(size_t n, const Cast& cast) {
  const auto x = random_values<float>(n, 3, 10);
  const auto rounded = run_in_every_order("cast", [&] {
    Output<T> y(n);
    launch(blocks(n, ELEMENTS_PER_BLOCK), ELEMENT_THREADS, 0, [&] { cast(x.data(), y.data(), n); });
    return y.finished();
  });
  for (size_t i = 0; i < n; i++) {
    expect(rounded[i].bits == from_float<T>(x[i]).bits, "another rounding");
  }
}

int main() {
  for (int width : {16, 17, 512, 768, 1000, 3072}) {
    for (int rows : {1, 3, 37}) {
      for_each_type([&](auto type) { check_gather_and_scatter<decltype(type)>(rows, width); });
    }
  }
  check_gather_and_scatter<bf16>(197, 24);
  check_far_rows();
  for (size_t n : {1, 8, 1003, 4096}) {
    check_cast<bf16>(n, cast_f32_to_bf16);
    check_cast<f16>(n, cast_f32_to_f16);
  }
  return finish();
}

// Column sums and the sum of squares against f64.
#include "../../kernels/reduction.cuh"
#include "outputs.h"

// Adds the column sums of `x` to ones.
template <typename T> std::vector<float> column_sums_of(const std::vector<T>& x, int rows, int width) {
  const int n_parts = blocks(rows, COLUMN_SUM_ROWS);
  Output<float> partial(size_t(n_parts) * width), gradient(std::vector<float>(width, 1));
  launch(dim3(n_parts, blocks(width, COLUMN_SUM_COLUMNS)), COLUMN_SUM_THREADS, 0, [&] {
    KERNEL_OF(T, column_sums)(x.data(), partial.data(), rows, width);
  });
  partial.finished();
  launch(blocks(width, FINISH_COLUMNS), FINISH_THREADS, 0,
         [&] { column_sums_finish(partial.data(), gradient.data(), n_parts, width); });
  return gradient.finished();
}

template <typename T> void check_column_sums(int rows, int width) {
  const std::string name =
      std::string("column sums ") + TYPE_NAME<T> + " " + std::to_string(rows) + " x " + std::to_string(width);
  const auto x = random_values<T>(size_t(rows) * width, 1);
  std::vector<double> expected(width, 1);
  for (size_t i = 0; i < x.size(); i++) expected[i % width] += to_float(x[i]);
  expect_near(run_in_every_order(name, [&] { return column_sums_of(x, rows, width); }), expected, name);
}

double sum_of_squares_of(const std::vector<float>& x) {
  const int n_parts = blocks(x.size(), SQUARES_PER_PART);
  std::vector<double> partial(n_parts, NAN), result(1, NAN);
  launch(n_parts, SQUARES_THREADS, 0, [&] { sum_of_squares(x.data(), partial.data(), x.size()); });
  launch(1, SQUARES_THREADS, 0, [&] { sum_of_squares_finish(partial.data(), result.data(), n_parts); });
  return result[0];
}

void check_sum_of_squares(size_t n, float scale) {
  const auto x = random_values<float>(n, 2, scale);
  double expected = 0;
  for (float value : x) expected += double(value) * value;
  const auto result = run_in_every_order("sum of squares", [&] { return std::vector<double>{sum_of_squares_of(x)}; });
  expect(std::abs(result[0] / expected - 1) < 1e-12, "another sum of squares of " + std::to_string(n) + " values");
}

void check_many_parts(int n_parts) {
  std::vector<double> partial(n_parts), expected{0};
  for (int part = 0; part < n_parts; part++) expected[0] += partial[part] = 1 + part;
  const auto result = run_in_every_order("many parts", [&] {
    std::vector<double> result(1, NAN);
    launch(1, SQUARES_THREADS, 0, [&] { sum_of_squares_finish(partial.data(), result.data(), n_parts); });
    return result;
  });
  expect(result == expected, "another sum of many parts");
}

int main() {
  for (int width : {16, 17, 100, 512, 1000, 3072}) {
    for (int rows : {1, 3, 300}) {
      if (rows * width > 400000) continue;
      for_each_type([&](auto type) { check_column_sums<decltype(type)>(rows, width); });
    }
  }
  check_column_sums<bf16>(5000, 32);
  check_column_sums<bf16>(197, 768);
  for (size_t n : {1, 3, 4, 1027, 65536, 200001}) check_sum_of_squares(n, 1);
  check_sum_of_squares(5000, 1e25f); // squares that are no f32
  check_sum_of_squares(5000, 1e-25f);
  check_many_parts(1000);
  return finish();
}

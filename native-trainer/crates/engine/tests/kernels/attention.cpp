// Tests attention.cuh against attention in f64.
#include "outputs.h"

#include "../../kernels/attention.cuh"

struct Shape {
  std::vector<int> lengths;
  int heads, width;
  bool causal = false;
  float deviation = 1.0f; // of qkv

  std::string name(const char* type) const {
    std::string text = std::string(type) + (causal ? ", causal" : "") + ", " + std::to_string(heads) + " heads of " +
                       std::to_string(width) + ", lengths";
    for (size_t i = 0; i < lengths.size() && i < 4; i++) text += " " + std::to_string(lengths[i]);
    return text + (lengths.size() > 4 ? " ..." : "");
  }
  std::vector<int> starts() const {
    std::vector<int> result = {0};
    for (int length : lengths) result.push_back(result.back() + length);
    return result;
  }
  int longest() const {
    int result = 0;
    for (int length : lengths) result = max(result, length);
    return result;
  }
};

// What a kernel reads, so that a value read past the end is noticed.
template <typename T> std::vector<T> followed_by_nan(std::vector<T> values) {
  values.resize(values.size() + 4096, from_float<T>(NAN));
  return values;
}

template <typename T> struct Inputs {
  std::vector<T> qkv, d_out;
};
template <typename T> struct Outputs {
  std::vector<T> attended, d_qkv;
  std::vector<float> log_sum_exp;
};

// One head of one sequence: query, key and value rows at `part` 0, 1 and 2.
template <typename T> struct HeadRows {
  const std::vector<T>& qkv;
  int first, heads, head, width;

  size_t at(int part, int row, int column) const {
    return ((size_t(first + row) * 3 + part) * heads + head) * width + column;
  }
  size_t out_at(int row, int column) const { return (size_t(first + row) * heads + head) * width + column; }
  size_t statistics_at(int row) const { return size_t(first + row) * heads + head; }
  double operator()(int part, int row, int column) const { return to_float(qkv[at(part, row, column)]); }
};

// The formulas at the top of attention.cuh, in f64, a query at a time.
template <typename T>
void reference_head(const HeadRows<T>& rows, const std::vector<T>& d_out, int length, bool causal, Outputs<double>& out,
                    std::vector<double>& log_sum_exp) {
  const int width = rows.width;
  const double scale = 1.0 / std::sqrt(double(width));
  std::vector<double> weights(length), d_weights(length);
  for (int i = 0; i < length; i++) {
    const int n_keys = causal ? i + 1 : length;
    double largest = -INFINITY, total = 0.0, delta = 0.0;
    for (int j = 0; j < n_keys; j++) {
      weights[j] = d_weights[j] = 0.0;
      for (int c = 0; c < width; c++) {
        weights[j] += scale * rows(0, i, c) * rows(1, j, c);
        d_weights[j] += to_float(d_out[rows.out_at(i, c)]) * rows(2, j, c);
      }
      largest = max(largest, weights[j]);
    }
    for (int j = 0; j < n_keys; j++) total += std::exp(weights[j] - largest);
    log_sum_exp[rows.statistics_at(i)] = largest + std::log(total);
    for (int j = 0; j < n_keys; j++) {
      weights[j] = std::exp(weights[j] - largest) / total;
      delta += weights[j] * d_weights[j];
    }
    for (int j = 0; j < n_keys; j++) {
      const double d_score = scale * weights[j] * (d_weights[j] - delta);
      for (int c = 0; c < width; c++) {
        out.attended[rows.out_at(i, c)] += weights[j] * rows(2, j, c);
        out.d_qkv[rows.at(0, i, c)] += d_score * rows(1, j, c);
        out.d_qkv[rows.at(1, j, c)] += d_score * rows(0, i, c);
        out.d_qkv[rows.at(2, j, c)] += weights[j] * to_float(d_out[rows.out_at(i, c)]);
      }
    }
  }
}

// The kernels of bf16 or f16 of a width.
template <typename T> struct HalfKernels {
  void (*forward)(const T*, const int*, T*, float*, int, int, int);
  void (*backward_q)(const T*, const int*, const float*, const float*, const T*, T*, int, int, int);
  decltype(backward_q) backward_kv;
};
template <typename T> HalfKernels<T> half_kernels(int width) {
#define HALF_KERNEL(name)     \
  [] {                        \
    if constexpr (IS_BF16<T>) \
      return name##_bf16;     \
    else                      \
      return name##_f16;      \
  }()
#define WIDTH(w)                                                                         \
  case w:                                                                                \
    return {HALF_KERNEL(attention_forward_w##w), HALF_KERNEL(attention_backward_q_w##w), \
            HALF_KERNEL(attention_backward_kv_w##w)}
  switch (width) {
    WIDTH(64);
#ifndef SHORT
    WIDTH(16);
    WIDTH(32);
    WIDTH(48);
    WIDTH(80);
    WIDTH(96);
    WIDTH(128);
#endif
    default: return {};
  }
#undef HALF_KERNEL
#undef WIDTH
}

// A launch of the kernels on one pack.
template <typename T> struct Launch {
  static constexpr bool IS_TENSOR_CORE = IS_BF16<T> || IS_F16<T>;
  static constexpr int ROWS = IS_TENSOR_CORE ? ATTENTION_HALF_ROWS : ATTENTION_F32_ROWS;
  const Shape& shape;
  const Inputs<T>& in;
  std::vector<int> starts = shape.starts();
  int64_t n_rows = starts.back();
  size_t n_statistics = n_rows * shape.heads, n_values = n_statistics * shape.width;
  int n_tiles = (shape.longest() + ROWS - 1) / ROWS;
  dim3 grid = dim3(unsigned(shape.lengths.size()) * n_tiles, shape.heads);
  Output<T> attended{n_values}, d_qkv{3 * n_values};
  Output<float> log_sum_exp{n_statistics}, delta{n_statistics};

  size_t shared_bytes(int n_own_tiles, bool row_statistics) const {
    return IS_TENSOR_CORE ? attention_half_shared_bytes(shape.width, n_own_tiles, row_statistics)
                          : attention_f32_shared_bytes(shape.width, n_own_tiles);
  }
  void forward() {
    launch(grid, ATTENTION_THREADS, shared_bytes(1, false), [&] {
      if constexpr (IS_TENSOR_CORE) {
        half_kernels<T>(shape.width)
            .forward(in.qkv.data(), starts.data(), attended.data(), log_sum_exp.data(), shape.heads, n_tiles,
                     shape.causal);
      } else {
        attention_forward_f32(in.qkv.data(), starts.data(), attended.data(), log_sum_exp.data(), shape.heads,
                              shape.width, n_tiles, shape.causal);
      }
    });
  }
  void row_sums() {
    launch(dim3(blocks(n_statistics, 16)), ATTENTION_THREADS, 0, [&] {
      KERNEL_OF(T, attention_delta)(attended.data(), in.d_out.data(), delta.data(), n_rows, shape.heads, shape.width);
    });
  }
  void backward() {
    const std::vector<float> sums = followed_by_nan(log_sum_exp.finished()), deltas = followed_by_nan(delta.finished());
    const auto launch_half = [&](auto kernel, bool row_statistics) {
      launch(grid, ATTENTION_THREADS, shared_bytes(2, row_statistics), [&] {
        kernel(in.qkv.data(), starts.data(), sums.data(), deltas.data(), in.d_out.data(), d_qkv.data(), shape.heads,
               n_tiles, shape.causal);
      });
    };
    const auto launch_f32 = [&](auto kernel) {
      launch(grid, ATTENTION_THREADS, shared_bytes(2, false), [&] {
        kernel(in.qkv.data(), starts.data(), sums.data(), deltas.data(), in.d_out.data(), d_qkv.data(), shape.heads,
               shape.width, n_tiles, shape.causal);
      });
    };
    if constexpr (IS_TENSOR_CORE) {
      launch_half(half_kernels<T>(shape.width).backward_q, false);
      launch_half(half_kernels<T>(shape.width).backward_kv, true);
    } else {
      launch_f32(attention_backward_q_f32);
      launch_f32(attention_backward_kv_f32);
    }
  }
};

template <typename T> Outputs<T> run_kernels(const Shape& shape, const Inputs<T>& in) {
  Launch<T> run = {shape, in};
  run.forward();
  run.row_sums();
  run.backward();
  return {run.attended.finished(), run.d_qkv.finished(), run.log_sum_exp.finished()};
}

template <typename T> void compare(const Shape& shape, const Inputs<T>& in, const Outputs<T>& out) {
  const std::vector<int> starts = shape.starts();
  const std::string name = shape.name(TYPE_NAME<T>);
  Outputs<double> expected = {std::vector<double>(out.attended.size()), std::vector<double>(out.d_qkv.size()), {}};
  std::vector<double> log_sum_exp(out.log_sum_exp.size());
  for (size_t s = 0; s < shape.lengths.size(); s++) {
    for (int head = 0; head < shape.heads; head++) {
      const HeadRows<T> rows = {in.qkv, starts[s], shape.heads, head, shape.width};
      reference_head(rows, in.d_out, shape.lengths[s], shape.causal, expected, log_sum_exp);
    }
  }
  expect_close(out.attended, expected.attended, LIMIT<T>, name + ": attended");
  expect_close(out.log_sum_exp, log_sum_exp, F32_LIMIT, name + ": log_sum_exp");
  const char* names[] = {"dQ", "dK", "dV"};
  for (int part = 0; part < 3; part++) {
    const size_t row_values = size_t(shape.heads) * shape.width;
    RelativeError error;
    for (size_t i = 0; i < out.d_qkv.size(); i++) {
      if (i / row_values % 3 == size_t(part)) error.add(to_float(out.d_qkv[i]), expected.d_qkv[i]);
    }
    expect_error(error, LIMIT<T>, name + ": " + names[part]);
  }
}

template <typename T> Inputs<T> random_inputs(const Shape& shape) {
  const size_t n_values = size_t(shape.starts().back()) * shape.heads * shape.width;
  return {followed_by_nan(random_values<T>(3 * n_values, 1, shape.deviation)),
          followed_by_nan(random_values<T>(n_values, 2))};
}

// For packs that take long: in one order only.
template <typename T> void test_shuffled(const Shape& shape) {
  const Inputs<T> in = random_inputs<T>(shape);
  emulator::set_order(emulator::Order::shuffled, 5);
  compare(shape, in, run_kernels(shape, in));
}
// The first order is compared with the reference; the others must give the same bits.
template <typename T> void test(const Shape& shape) {
  const Inputs<T> in = random_inputs<T>(shape);
  Outputs<T> first;
  in_every_order([&] {
    const Outputs<T> out = run_kernels(shape, in);
    if (first.attended.empty()) {
      compare(shape, in, out);
      first = out;
    }
    const bool same = same_bits(out.attended, first.attended) && same_bits(out.d_qkv, first.d_qkv) &&
                      same_bits(out.log_sum_exp, first.log_sum_exp);
    expect(same, shape.name(TYPE_NAME<T>) + ": results depend on the order of threads");
  });
}
template <typename T> void test_masks(Shape shape) {
  for (bool causal : {false, true}) {
    shape.causal = causal;
    test<T>(shape);
  }
}

std::vector<int> lengths_to(int longest) {
  std::vector<int> lengths;
  for (int length = 1; length <= longest; length++) lengths.push_back(length);
  return lengths;
}

// A gradient that f16 cannot hold becomes infinite, not the largest value.
void test_overflow() {
  const Shape shape = {{20, 5}, 1, 64};
  Inputs<f16> in = random_inputs<f16>(shape);
  for (size_t i = 0; i < 20 * 64; i++) in.d_out[i] = from_float<f16>(60000.0f); // of the first sequence
  const Outputs<f16> out = run_kernels(shape, in);
  size_t n_infinite = 0, n_largest = 0;
  for (const f16& value : out.d_qkv) {
    n_infinite += std::isinf(to_float(value));
    n_largest += std::fabs(to_float(value)) == 65504.0f;
  }
  expect(n_infinite > 0 && n_largest == 0, "a gradient that overflows is lost");
}

int main() {
  test_masks<bf16>({{1, 7, 0, 33, 16, 77}, 2, 64});
  test_masks<bf16>({{130, 5}, 1, 64});
  test_masks<float>({{1, 34, 0, 17, 3}, 2, 20});
#ifndef SHORT
  for (bool causal : {false, true}) test_shuffled<bf16>({lengths_to(197), 1, 16, causal});
  test_masks<bf16>({{197}, 1, 64});
  test<bf16>({{50, 2}, 3, 64});
  for (bool causal : {false, true}) test_shuffled<bf16>({{257}, 1, 64, causal});
  test_masks<bf16>({{64, 128, 63, 65}, 2, 32});
  test_masks<bf16>({{150, 3}, 1, 32, false, 2.0f}); // a softmax with few large weights
  for (int width : {48, 80, 96, 128}) test_masks<bf16>({{77, 20}, 1, width});
  test_shuffled<bf16>({{577}, 1, 64});
  test_shuffled<bf16>({{577}, 1, 80, true});
  test_masks<f16>({{1, 7, 0, 33, 16, 77}, 2, 64});
  test_masks<f16>({{150, 3}, 1, 32, false, 2.0f});
  for (int width : {16, 48, 80, 96, 128}) test_shuffled<f16>({{77, 20}, 1, width, true});
  test_shuffled<f16>({{257}, 1, 64});
  test_overflow();
  test_masks<float>({lengths_to(50), 1, 8});
  test_masks<float>({{197}, 1, 64});
  test_masks<float>({{77, 33}, 3, 16, false, 2.0f});
  test_masks<float>({{65}, 1, 128});
  test_shuffled<float>({{577}, 1, 16});
#endif
  return finish();
}

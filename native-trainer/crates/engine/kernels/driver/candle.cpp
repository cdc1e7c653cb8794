// C++ versions of candle's kernels, with candle's names and parameters (candle-kernels 0.11, src/*.cu). Losses,
// evaluation and checkpoints use them; the passes of training use the project's kernels.
#include "../bridge.cuh"
#include "driver.h"
#include <cstring>
#include <map>
#include <type_traits>
#include <vector>

namespace driver {

// Arithmetic on bf16 and f16 is done in f32.
template <typename T> constexpr bool IS_HALF = std::is_same_v<T, bf16> || std::is_same_v<T, f16>;
template <typename T> static auto widened(T value) {
  if constexpr (IS_HALF<T>) return to_float(value);
  else return value;
}
template <typename T, typename V> static T narrowed(V value) {
  if constexpr (IS_HALF<T>) return from_float<T>(static_cast<float>(value));
  else return static_cast<T>(value);
}

// Where the values of a tensor lie: candle passes sizes and strides, or null for values side by side.
struct Strides {
  size_t n_axes;
  const size_t *sizes, *strides;

  Strides(size_t n_axes, const size_t* layout, int operand = 0)
      : n_axes(n_axes), sizes(layout), strides(layout ? layout + (operand + 1) * n_axes : nullptr) {}
  size_t operator()(size_t index) const {
    if (!sizes) return index;
    size_t place = 0;
    for (size_t axis = n_axes; axis-- > 0; index /= sizes[axis]) place += index % sizes[axis] * strides[axis];
    return place;
  }
};

template <typename T> static T* output(const Arguments& given, int index, size_t n_values) {
  T* values = given.get<T*>(index);
  check_range(reinterpret_cast<uint64_t>(values), n_values * sizeof(T), "the output of a kernel of candle's");
  return values;
}

// Parameters: number of values, number of axes, layout, inputs, output.
template <typename In, typename Out, typename F> static HostKernel unary(F f) {
  return [f](const Arguments& given) {
    const size_t n = given.get<size_t>(0);
    const Strides place(given.get<size_t>(1), given.get<const size_t*>(2));
    const In* in = given.get<const In*>(3);
    Out* out = output<Out>(given, 4, n);
    for (size_t i = 0; i < n; i++) out[i] = narrowed<Out>(f(widened(in[place(i)])));
  };
}
template <typename In, typename Out, typename F> static HostKernel binary(F f) {
  return [f](const Arguments& given) {
    const size_t n = given.get<size_t>(0);
    const Strides left(given.get<size_t>(1), given.get<const size_t*>(2), 0);
    const Strides right(given.get<size_t>(1), given.get<const size_t*>(2), 1);
    const In *a = given.get<const In*>(3), *b = given.get<const In*>(4);
    Out* out = output<Out>(given, 5, n);
    for (size_t i = 0; i < n; i++) out[i] = narrowed<Out>(f(widened(a[left(i)]), widened(b[right(i)])));
  };
}
template <typename T> static void affine(const Arguments& given) {
  const auto factor = widened(given.get<T>(5)), summand = widened(given.get<T>(6));
  unary<T, T>([=](auto x) { return x * factor + summand; })(given);
}
template <typename T> static void where(const Arguments& given) {
  const size_t n = given.get<size_t>(0), n_axes = given.get<size_t>(1);
  const size_t* layout = given.get<const size_t*>(2);
  const Strides condition(n_axes, layout, 0), then(n_axes, layout, 1), otherwise(n_axes, layout, 2);
  const uint8_t* is_chosen = given.get<const uint8_t*>(3);
  const T *a = given.get<const T*>(4), *b = given.get<const T*>(5);
  T* out = output<T>(given, 6, n);
  for (size_t i = 0; i < n; i++) out[i] = is_chosen[condition(i)] ? a[then(i)] : b[otherwise(i)];
}

// Parameters: number of values, how many of them a result is made of, number of axes, layout, input, output. The first
// is the number of results in kernels for small sums.
template <typename T, typename F> static HostKernel reduction(bool counts_results, F reduce) {
  return [=](const Arguments& given) {
    const size_t n_each = given.get<size_t>(1), first = given.get<size_t>(0);
    const size_t n_results = counts_results ? first : given.n_blocks;
    const Strides place(given.get<size_t>(2), given.get<const size_t*>(3));
    const T* in = given.get<const T*>(4);
    using Value = decltype(widened(T()));
    std::vector<Value> values(n_each);
    using Result = decltype(reduce(values));
    using Out = std::conditional_t<std::is_same_v<Result, Value>, T, Result>;
    Out* out = output<Out>(given, 5, n_results);
    for (size_t i = 0; i < n_results; i++) {
      for (size_t j = 0; j < n_each; j++) values[j] = widened(in[place(i * n_each + j)]);
      out[i] = narrowed<Out>(reduce(values));
    }
  };
}
const auto sum = [](const auto& values) {
  typename std::decay_t<decltype(values)>::value_type total = 0;
  for (const auto& value : values) total += value;
  return total;
};
template <bool LARGEST, typename Values> static uint32_t best(const Values& values) {
  uint32_t best = 0;
  for (uint32_t i = 1; i < values.size(); i++) {
    if (LARGEST ? values[i] > values[best] : values[i] < values[best]) best = i;
  }
  return best;
}

template <typename T> static void fill(const Arguments& given) {
  const size_t n = given.get<size_t>(2);
  T* out = output<T>(given, 0, n);
  for (size_t i = 0; i < n; i++) out[i] = given.get<T>(1);
}
template <typename T> static void set_constant(const Arguments& given) {
  const size_t n = given.get<size_t>(0);
  const Strides place(given.get<size_t>(1), given.get<const size_t*>(2));
  T* out = given.get<T*>(4);
  for (size_t i = 0; i < n; i++) out[place(i)] = given.get<T>(3);
}
template <typename T> static void copy_rows(const Arguments& given) {
  const size_t n_rows = given.get<uint32_t>(2), n_columns = given.get<uint32_t>(3);
  const size_t from_stride = given.get<uint32_t>(4), to_stride = given.get<uint32_t>(5);
  const T* from = given.get<const T*>(0);
  T* to = output<T>(given, 1, n_rows ? (n_rows - 1) * to_stride + n_columns : 0);
  for (size_t row = 0; row < n_rows; row++) {
    memcpy(to + row * to_stride, from + row * from_stride, n_columns * sizeof(T));
  }
}

// Indices of an axis; the sizes before it and behind it are the outer and the inner size. Inputs lie side by side: the
// layout that index_select is given is that of the indices.
template <typename T> static void index_select(const Arguments& given) {
  const size_t n = given.get<size_t>(0);
  const uint32_t* indices = given.get<const uint32_t*>(3);
  const T* in = given.get<const T*>(4);
  T* out = output<T>(given, 5, n);
  const size_t size = given.get<size_t>(7), n_indices = given.get<size_t>(8), n_inner = given.get<size_t>(9);
  for (size_t i = 0; i < n; i++) {
    const size_t outer = i / (n_indices * n_inner), index = indices[i / n_inner % n_indices];
    if (index >= size) fail("an index is outside the axis that it selects from");
    out[i] = in[(outer * size + index) * n_inner + i % n_inner];
  }
}
template <typename T> static void gather(const Arguments& given) {
  const size_t n = given.get<size_t>(0);
  const uint32_t* indices = given.get<const uint32_t*>(1);
  const T* in = given.get<const T*>(2);
  T* out = output<T>(given, 3, n);
  const size_t size = given.get<size_t>(5), n_indices = given.get<size_t>(6), n_inner = given.get<size_t>(7);
  for (size_t i = 0; i < n; i++) {
    if (indices[i] >= size) fail("an index is outside the axis that it gathers from");
    out[i] = in[(i / (n_inner * n_indices) * size + indices[i]) * n_inner + i % n_inner];
  }
}
template <typename T> static void index_add(const Arguments& given) {
  const uint32_t* indices = given.get<const uint32_t*>(0);
  const size_t n_indices = given.get<size_t>(1), n_outer = given.get<size_t>(4);
  const size_t size = given.get<size_t>(6), n_inner = given.get<size_t>(7);
  const T* in = given.get<const T*>(2);
  T* out = output<T>(given, 3, n_outer * size * n_inner);
  for (size_t i = 0; i < n_outer * n_indices * n_inner; i++) {
    const size_t outer = i / (n_indices * n_inner), index = indices[i / n_inner % n_indices];
    if (index >= size) fail("an index is outside the axis that it adds to");
    T& total = out[(outer * size + index) * n_inner + i % n_inner];
    total = narrowed<T>(widened(total) + widened(in[i]));
  }
}

// Rows that lie side by side, one to a block.
template <typename T> static void softmax(const Arguments& given) {
  const size_t n_columns = given.get<int>(2), n = given.n_blocks * n_columns;
  const T* in = given.get<const T*>(0);
  T* out = output<T>(given, 1, n);
  for (size_t row = 0; row < n; row += n_columns) {
    float largest = -INFINITY, total = 0;
    for (size_t i = 0; i < n_columns; i++) largest = std::fmax(largest, to_float(in[row + i]));
    for (size_t i = 0; i < n_columns; i++) total += std::exp(to_float(in[row + i]) - largest);
    for (size_t i = 0; i < n_columns; i++) {
      out[row + i] = narrowed<T>(std::exp(to_float(in[row + i]) - largest) / total);
    }
  }
}
template <typename T> static void layer_norm(const Arguments& given) {
  const size_t n_columns = given.get<int>(4), n = given.n_blocks * n_columns;
  const T *in = given.get<const T*>(0), *gain = given.get<const T*>(2), *bias = given.get<const T*>(3);
  T* out = output<T>(given, 1, n);
  for (size_t row = 0; row < n; row += n_columns) {
    float mean = 0, variance = given.get<float>(6);
    for (size_t i = 0; i < n_columns; i++) mean += to_float(in[row + i]) / n_columns;
    for (size_t i = 0; i < n_columns; i++) {
      const float distance = to_float(in[row + i]) - mean;
      variance += distance * distance / n_columns;
    }
    for (size_t i = 0; i < n_columns; i++) {
      const float scaled = (to_float(in[row + i]) - mean) / std::sqrt(variance) * to_float(gain[i]);
      out[row + i] = narrowed<T>(scaled + to_float(bias[i]));
    }
  }
}

using Kernels = std::map<std::string, HostKernel>;

// Kernels of numbers that can be compared and added.
template <typename T> static void add_arithmetic(Kernels& kernels, const std::string& type) {
  kernels["badd_" + type] = binary<T, T>([](auto a, auto b) { return a + b; });
  kernels["bsub_" + type] = binary<T, T>([](auto a, auto b) { return a - b; });
  kernels["bmul_" + type] = binary<T, T>([](auto a, auto b) { return a * b; });
  kernels["bdiv_" + type] = binary<T, T>([](auto a, auto b) { return a / b; });
  kernels["bmaximum_" + type] = binary<T, T>([](auto a, auto b) { return a > b ? a : b; });
  kernels["bminimum_" + type] = binary<T, T>([](auto a, auto b) { return a < b ? a : b; });
  kernels["eq_" + type] = binary<T, uint8_t>([](auto a, auto b) { return a == b; });
  kernels["ne_" + type] = binary<T, uint8_t>([](auto a, auto b) { return a != b; });
  kernels["lt_" + type] = binary<T, uint8_t>([](auto a, auto b) { return a < b; });
  kernels["le_" + type] = binary<T, uint8_t>([](auto a, auto b) { return a <= b; });
  kernels["gt_" + type] = binary<T, uint8_t>([](auto a, auto b) { return a > b; });
  kernels["ge_" + type] = binary<T, uint8_t>([](auto a, auto b) { return a >= b; });
  kernels["usqr_" + type] = unary<T, T>([](auto x) { return x * x; });
  kernels["ucopy_" + type] = unary<T, T>([](auto x) { return x; });
  kernels["affine_" + type] = affine<T>;
  kernels["where_u8_" + type] = where<T>;
  kernels["fast_sum_" + type] = reduction<T>(false, sum);
  kernels["fast_sum_small_" + type] = reduction<T>(true, sum);
  kernels["fast_max_" + type] = reduction<T>(false, [](const auto& values) { return values[best<true>(values)]; });
  kernels["fast_min_" + type] = reduction<T>(false, [](const auto& values) { return values[best<false>(values)]; });
  kernels["fast_argmax_" + type] = reduction<T>(false, [](const auto& values) { return best<true>(values); });
  kernels["fast_argmin_" + type] = reduction<T>(false, [](const auto& values) { return best<false>(values); });
  kernels["fill_" + type] = fill<T>;
  kernels["const_set_" + type] = set_constant<T>;
  kernels["copy2d_" + type] = copy_rows<T>;
  kernels["is_u32_" + type] = index_select<T>;
  kernels["gather_u32_" + type] = gather<T>;
  kernels["ia_u32_" + type] = index_add<T>;
  kernels["cast_" + type + "_f32"] = unary<T, float>([](auto x) { return x; });
  kernels["cast_" + type + "_bf16"] = unary<T, bf16>([](auto x) { return x; });
  kernels["cast_" + type + "_f16"] = unary<T, f16>([](auto x) { return x; });
  kernels["cast_" + type + "_u32"] = unary<T, uint32_t>([](auto x) { return x; });
  kernels["cast_" + type + "_i64"] = unary<T, int64_t>([](auto x) { return x; });
  kernels["cast_" + type + "_u8"] = unary<T, uint8_t>([](auto x) { return x; });
  kernels["cast_" + type + "_f64"] = unary<T, double>([](auto x) { return x; });
}

template <typename T> static void add_functions(Kernels& kernels, const std::string& type) {
  kernels["uneg_" + type] = unary<T, T>([](auto x) { return -x; });
  kernels["uabs_" + type] = unary<T, T>([](auto x) { return std::abs(x); });
  kernels["usqrt_" + type] = unary<T, T>([](auto x) { return std::sqrt(x); });
  kernels["uexp_" + type] = unary<T, T>([](auto x) { return std::exp(x); });
  kernels["ulog_" + type] = unary<T, T>([](auto x) { return std::log(x); });
  kernels["urecip_" + type] = unary<T, T>([](auto x) { return 1 / x; });
  kernels["utanh_" + type] = unary<T, T>([](auto x) { return std::tanh(x); });
  kernels["urelu_" + type] = unary<T, T>([](auto x) { return x > 0 ? x : 0; });
  kernels["usigmoid_" + type] = unary<T, T>([](auto x) { return 1 / (1 + std::exp(-x)); });
  kernels["ugelu_erf_" + type] = unary<T, T>([](auto x) { return x * (1 + std::erf(x / std::sqrt(2.0f))) / 2; });
}

HostKernel candle_kernel(const std::string& name) {
  static const Kernels kernels = [] {
    Kernels kernels;
    add_arithmetic<float>(kernels, "f32");
    add_arithmetic<double>(kernels, "f64");
    add_arithmetic<bf16>(kernels, "bf16");
    add_arithmetic<f16>(kernels, "f16");
    add_arithmetic<uint32_t>(kernels, "u32");
    add_arithmetic<int64_t>(kernels, "i64");
    add_arithmetic<uint8_t>(kernels, "u8");
    kernels["softmax_f32"] = softmax<float>;
    kernels["softmax_bf16"] = softmax<bf16>;
    kernels["softmax_f16"] = softmax<f16>;
    kernels["layernorm_f32"] = layer_norm<float>;
    kernels["layernorm_bf16"] = layer_norm<bf16>;
    kernels["layernorm_f16"] = layer_norm<f16>;
    add_functions<float>(kernels, "f32");
    add_functions<double>(kernels, "f64");
    add_functions<bf16>(kernels, "bf16");
    add_functions<f16>(kernels, "f16");
    return kernels;
  }();
  const auto found = kernels.find(name);
  return found == kernels.end() ? HostKernel() : found->second;
}

} // namespace driver

// What the kernels' test programs share: random inputs, poisoned outputs, relative errors against f64, thread orders,
// and a report. A program ends with `return finish();`, which is 0 only if every check held.
#pragma once
#include "../../kernels/bridge.cuh"

#include <cstdio>
#include <string>
#include <type_traits>
#include <vector>

template <typename T> constexpr bool IS_BF16 = std::is_same_v<T, bf16>;
template <typename T> constexpr bool IS_F16 = std::is_same_v<T, f16>;
constexpr double BF16_LIMIT = 5e-3, F16_LIMIT = 7e-4, F32_LIMIT = 1e-5;
template <typename T> constexpr double LIMIT = IS_BF16<T> ? BF16_LIMIT : IS_F16<T> ? F16_LIMIT : F32_LIMIT;
template <typename T> constexpr const char* TYPE_NAME = IS_BF16<T> ? "bf16" : IS_F16<T> ? "f16" : "f32";

// The kernel `name`_bf16, _f16 or _f32. Within a template over T, only that one is compiled.
#define KERNEL_OF(T, name)        \
  [] {                            \
    if constexpr (IS_BF16<T>)     \
      return name##_bf16;         \
    else if constexpr (IS_F16<T>) \
      return name##_f16;          \
    else                          \
      return name##_f32;          \
  }()

inline int n_checks = 0, n_failures = 0;
inline double worst_of_limit = 0.0; // the largest error seen, as a share of its limit

inline void expect(bool holds, const std::string& what) {
  n_checks++;
  if (holds) return;
  if (n_failures++ < 20) printf("FAILED: %s\n", what.c_str());
}

// Random 32-bit numbers, for std::shuffle too. <random> would take longer to compile than most kernels.
struct Random {
  using result_type = uint32_t;
  uint64_t state;
  explicit Random(uint64_t seed) : state(seed) {}
  static constexpr uint32_t min() { return 0; }
  static constexpr uint32_t max() { return UINT32_MAX; }
  uint32_t operator()() { // splitmix64
    uint64_t bits = state += 0x9e3779b97f4a7c15u;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
    return static_cast<uint32_t>((bits ^ bits >> 31) >> 32);
  }
  // From a normal distribution: Box and Muller's method.
  float normal() {
    const double radius = std::sqrt(-2.0 * std::log(((*this)() + 1.0) / 4294967296.0));
    return static_cast<float>(radius * std::cos(6.283185307179586 * ((*this)() / 4294967296.0)));
  }
};

// Values of a normal distribution, rounded to T.
template <typename T> std::vector<T> random_values(size_t n, unsigned seed, float deviation = 1.0f) {
  Random random(seed);
  std::vector<T> values(n);
  for (T& value : values) value = from_float<T>(deviation * random.normal());
  return values;
}
// What an output holds before its kernel runs: NaN, so that an element that is not written is noticed.
template <typename T> std::vector<T> poisoned(size_t n) { return std::vector<T>(n, from_float<T>(NAN)); }

// |actual - expected| / |expected| over all values added, in the Frobenius norm.
struct RelativeError {
  double difference = 0.0, reference = 0.0;
  void add(double actual, double expected) {
    difference += (actual - expected) * (actual - expected);
    reference += expected * expected;
  }
  double value() const { return std::sqrt(reference > 0.0 ? difference / reference : difference); }
};
inline void expect_error(const RelativeError& error, double limit, const std::string& what) {
  const double value = error.value();
  expect(value <= limit, what + ": relative error " + std::to_string(value)); // false for NaN
  if (value > worst_of_limit * limit) worst_of_limit = value / limit;
}
template <typename T>
void expect_close(const std::vector<T>& actual, const std::vector<double>& expected, double limit,
                  const std::string& what) {
  if (actual.size() != expected.size()) return expect(false, what + ": sizes differ");
  RelativeError error;
  for (size_t i = 0; i < actual.size(); i++) error.add(to_float(actual[i]), expected[i]);
  expect_error(error, limit, what);
}

// Whether two runs gave the same bits.
template <typename T> bool same_bits(const std::vector<T>& left, const std::vector<T>& right) {
  return left.size() == right.size() && memcmp(left.data(), right.data(), left.size() * sizeof(T)) == 0;
}

// Calls `test` with threads in forward, reversed and shuffled order.
template <typename Test> void in_every_order(const Test& test) {
  using emulator::Order;
  for (Order order : {Order::forward, Order::reversed, Order::shuffled}) {
    emulator::set_order(order, 11);
    test();
  }
  emulator::set_order(Order::forward);
}

inline int finish() {
  printf("%d checks, %d failed, largest error %.2f of its limit\n", n_checks, n_failures, worst_of_limit);
  return n_failures == 0 && n_checks > 0 ? 0 : 1;
}

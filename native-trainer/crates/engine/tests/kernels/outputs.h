// What the tests of the row-wise and element-wise kernels share besides check.h: outputs that notice a write past their
// end, and runs in every thread order that must give the same bits.
#pragma once
#include "check.h"

#include <algorithm>
#include <cstring>

// Values of a normal distribution with this mean, rounded to T.
template <typename T> std::vector<T> values_around(float mean, size_t n, unsigned seed, float deviation = 1.0f) {
  std::vector<T> values;
  for (float value : random_values<float>(n, seed, deviation)) values.push_back(from_float<T>(mean + value));
  return values;
}

// What a kernel writes: NaN before, or values to add to. What follows must stay: 0.747, which an addition changes, too.
template <typename T> class Output {
public:
  explicit Output(size_t n) : n(n), values(n + GUARD) {
    memset(values.data(), 0xff, n * sizeof(T));
    memset(values.data() + n, GUARD_BYTE, GUARD * sizeof(T));
  }
  explicit Output(const std::vector<T>& start) : Output(start.size()) {
    std::copy(start.begin(), start.end(), values.begin());
  }
  T* data() { return values.data(); }
  // The n values. Checks that nothing was written after them.
  std::vector<T> finished() const {
    const auto* guard = reinterpret_cast<const unsigned char*>(values.data() + n);
    const auto is_guard = [](unsigned char byte) { return byte == GUARD_BYTE; };
    if (!std::all_of(guard, guard + GUARD * sizeof(T), is_guard)) expect(false, "a write past the end of an output");
    return {values.begin(), values.begin() + n};
  }

private:
  static constexpr size_t GUARD = 64;
  static constexpr unsigned char GUARD_BYTE = 0x3f;
  size_t n;
  std::vector<T> values;
};

// The vector that `run` returns. Checks that it is the same, bit by bit, in every thread order.
template <typename Run> auto run_in_every_order(const std::string& what, const Run& run) {
  decltype(run()) first;
  bool is_first = true;
  in_every_order([&] {
    const auto result = run();
    if (is_first) first = result;
    expect(same_bits(result, first), what + ": another result in another thread order");
    is_first = false;
  });
  return first;
}

// As expect_close, with the limit for T.
template <typename T>
void expect_near(const std::vector<T>& actual, const std::vector<double>& expected, const std::string& what) {
  expect_close(actual, expected, LIMIT<T>, what);
}

// Calls `test` with a value of each element type. SHORT, for mutants: with bf16 only, which compiles sooner.
template <typename Test> void for_each_type(const Test& test) {
  test(bf16{});
#ifndef SHORT
  test(f16{});
  test(0.0f);
#endif
}

inline unsigned blocks(int64_t n, int64_t per_block) { return unsigned((n + per_block - 1) / per_block); }

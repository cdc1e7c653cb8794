// Activations against f64, their derivatives against the derivatives' formulas and against differences.
#include "../../kernels/activation.cuh"
#include "outputs.h"

double distribution(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double value(double x, int kind) { return kind == QUICK_GELU ? x / (1 + std::exp(-1.702 * x)) : x * distribution(x); }
double slope(double x, int kind) {
  if (kind == QUICK_GELU) {
    const double gate = 1 / (1 + std::exp(-1.702 * x));
    return gate + 1.702 * x * gate * (1 - gate);
  }
  return distribution(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * M_PI);
}

template <typename T> std::vector<T> forward(const std::vector<T>& h, int kind) {
  Output<T> g(h.size());
  launch(blocks(h.size(), ELEMENTS_PER_BLOCK), ELEMENT_THREADS, 0, [&] {
    KERNEL_OF(T, activation_forward)(h.data(), g.data(), h.size(), kind);
  });
  return g.finished();
}
template <typename T> std::vector<T> backward(const std::vector<T>& h, const std::vector<T>& dg, int kind) {
  Output<T> gradient(dg);
  launch(blocks(h.size(), ELEMENTS_PER_BLOCK), ELEMENT_THREADS, 0, [&] {
    KERNEL_OF(T, activation_backward)(h.data(), gradient.data(), h.size(), kind);
  });
  return gradient.finished();
}

template <typename T> void check_size(size_t n, int kind) {
  const std::string name = std::string(TYPE_NAME<T>) + " kind " + std::to_string(kind) + " n " + std::to_string(n);
  const auto h = random_values<T>(n, 1, 2), dg = random_values<T>(n, 2);
  std::vector<double> g, dh;
  for (size_t i = 0; i < n; i++) {
    g.push_back(value(to_float(h[i]), kind));
    dh.push_back(to_float(dg[i]) * slope(to_float(h[i]), kind));
  }
  expect_near(run_in_every_order(name, [&] { return forward(h, kind); }), g, name + " forward");
  expect_near(run_in_every_order(name, [&] { return backward(h, dg, kind); }), dh, name + " backward");
}

// Far from zero: the input or zero, and a slope of 1 or 0; no infinity times zero.
void check_large_values(int kind) {
  const std::vector<float> h = {-1e4f, -200, -60, 60, 200, 1e4f}, ones(6, 1);
  expect_near(forward(h, kind), {0, 0, 0, 60, 200, 1e4}, "large values");
  expect_near(backward(h, ones, kind), {0, 0, 0, 1, 1, 1}, "slopes at large values");
}

void check_reference(int kind) {
  for (double x = -5; x < 5; x += 0.37) {
    const double difference = (value(x + 1e-5, kind) - value(x - 1e-5, kind)) / 2e-5;
    expect(std::abs(difference - slope(x, kind)) < 1e-8, "the reference's slope is not its value's");
  }
}

int main() {
  for (int kind : {QUICK_GELU, GELU}) {
    check_reference(kind);
    check_large_values(kind);
    for (size_t n : {1, 7, 8, 17, 2047, 2048, 3 * 3072, 100003}) {
      for_each_type([&](auto type) { check_size<decltype(type)>(n, kind); });
    }
  }
  return finish();
}

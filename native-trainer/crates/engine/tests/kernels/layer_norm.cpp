// Layer normalization against f64.
#include "../../kernels/layer_norm.cuh"
#include "outputs.h"

struct Shape {
  int rows, width;
};

template <typename T> struct Inputs {
  explicit Inputs(Shape shape, float mean = 2)
      : x(values_around<T>(mean, size_t(shape.rows) * shape.width, 1, 1.5f)),
        dy(random_values<T>(size_t(shape.rows) * shape.width, 2)),
        residual(random_values<T>(size_t(shape.rows) * shape.width, 3)),
        gain(values_around<float>(1, shape.width, 4, 0.3f)),
        bias(random_values<float>(shape.width, 5)) {}
  std::vector<T> x, dy, residual;
  std::vector<float> gain, bias;
};

struct Reference {
  std::vector<double> y, dx;
  // Of gain and bias, one after the other: 1 at the start, to which the kernels add.
  std::vector<double> parameter_gradients;
};

template <typename T> Reference reference(const Inputs<T>& in, Shape shape, bool has_residual) {
  const auto [rows, width] = shape;
  Reference result;
  result.y = result.dx = std::vector<double>(size_t(rows) * width);
  result.parameter_gradients = std::vector<double>(2 * width, 1);
  for (int row = 0; row < rows; row++) {
    const size_t start = size_t(row) * width;
    double mean = 0, variance = 0, mean_gradient = 0, mean_projection = 0;
    std::vector<double> x_hat(width), dx_hat(width);
    for (int c = 0; c < width; c++) mean += double(to_float(in.x[start + c])) / width;
    for (int c = 0; c < width; c++) variance += std::pow(to_float(in.x[start + c]) - mean, 2) / width;
    for (int c = 0; c < width; c++) {
      const double dy = to_float(in.dy[start + c]);
      x_hat[c] = (to_float(in.x[start + c]) - mean) / std::sqrt(variance + 1e-5);
      dx_hat[c] = dy * in.gain[c];
      mean_gradient += dx_hat[c] / width;
      mean_projection += dx_hat[c] * x_hat[c] / width;
      result.y[start + c] = x_hat[c] * in.gain[c] + in.bias[c];
      result.parameter_gradients[c] += dy * x_hat[c];
      result.parameter_gradients[width + c] += dy;
    }
    for (int c = 0; c < width; c++) {
      const double residual = has_residual ? to_float(in.residual[start + c]) : 0;
      const double difference = dx_hat[c] - mean_gradient - x_hat[c] * mean_projection;
      result.dx[start + c] = residual + difference / std::sqrt(variance + 1e-5);
    }
  }
  return result;
}

template <typename T> std::vector<T> forward(const Inputs<T>& in, Shape shape) {
  Output<T> y(in.x.size());
  launch(blocks(shape.rows, ROWS_PER_BLOCK), ROW_THREADS, 0, [&] {
    const T* x = in.x.data();
    KERNEL_OF(T, layer_norm_forward)(x, in.gain.data(), in.bias.data(), y.data(), shape.rows, shape.width);
  });
  return y.finished();
}

// Where the input gradient is written.
enum class Place { apart, residual, dy };

template <typename T> struct Backward {
  std::vector<T> dx;
  std::vector<float> parameter_gradients;
};

template <typename T>
Backward<T> backward(const Inputs<T>& in, Shape shape, bool has_residual, Place place) {
  const int n_parts = blocks(shape.rows, LAYER_NORM_PART_ROWS);
  Output<T> separate(in.x.size()), residual(in.residual), dy(in.dy);
  Output<T>& dx = place == Place::apart ? separate : place == Place::dy ? dy : residual;
  Output<float> partial(size_t(n_parts) * 2 * shape.width);
  Output<float> gain_gradient(std::vector<float>(shape.width, 1)), bias_gradient(std::vector<float>(shape.width, 1));
  launch(n_parts, ROW_THREADS, 2 * sizeof(float) * shape.width, [&] {
    const T* around = has_residual ? residual.data() : nullptr;
    KERNEL_OF(T, layer_norm_backward)
    (in.x.data(), dy.data(), in.gain.data(), around, dx.data(), partial.data(), shape.rows, shape.width);
  });
  partial.finished();
  launch(blocks(2 * shape.width, FINISH_COLUMNS), FINISH_THREADS, 0, [&] {
    layer_norm_backward_finish(partial.data(), gain_gradient.data(), bias_gradient.data(), n_parts, shape.width);
  });
  std::vector<float> gradients = gain_gradient.finished();
  for (float value : bias_gradient.finished()) gradients.push_back(value);
  return {dx.finished(), gradients};
}

template <typename T> void check_shape(Shape shape) {
  const std::string name =
      std::string(TYPE_NAME<T>) + " " + std::to_string(shape.rows) + " x " + std::to_string(shape.width);
  const Inputs<T> in(shape);
  const Reference expected = reference(in, shape, true);

  expect_near(run_in_every_order(name + " y", [&] { return forward(in, shape); }), expected.y, name + " y");
  const auto dx = run_in_every_order(name + " dx", [&] { return backward(in, shape, true, Place::apart).dx; });
  expect_near(dx, expected.dx, name + " dx");
  for (Place place : {Place::residual, Place::dy}) {
    expect(same_bits(backward(in, shape, true, place).dx, dx), name + ": another dx in place");
  }
  expect_near(backward(in, shape, false, Place::dy).dx, reference(in, shape, false).dx, name + " dx without residual");
  const auto gradients =
      run_in_every_order(name, [&] { return backward(in, shape, true, Place::dy).parameter_gradients; });
  expect_near(gradients, expected.parameter_gradients, name + " gradients of gain and bias");
}

// Rows of equal values have no deviation: eps alone keeps the result finite.
void check_constant_rows() {
  Inputs<float> in({3, 64});
  std::fill(in.x.begin(), in.x.end(), 0.5f);
  expect_near(forward(in, {3, 64}), reference(in, {3, 64}, true).y, "constant rows");
}

int main() {
  for (Shape shape : {Shape{1, 16}, {3, 17}, {197, 64}, {20, 512}, {8, 768}, {65, 1000}, {9, 1024}, {3, 3072}}) {
    for_each_type([&](auto type) { check_shape<decltype(type)>(shape); });
  }
  check_constant_rows();
  return finish();
}

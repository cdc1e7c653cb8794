// Steps of AdamW against f64.
#include "../../kernels/adamw.cuh"
#include "outputs.h"

struct Constants {
  double max_norm = 0, learning_rate = 3e-3, beta1 = 0.9, beta2 = 0.98, eps = 1e-6, weight_decay = 0.2;
};

struct State {
  std::vector<float> parameters, first, second;
};

// One step of the kernel. `offset` moves all buffers away from aligned addresses.
State kernel_step(const State& old, const std::vector<float>& gradients, const Constants& c, int step,
                  int64_t n_decayed, double sum_of_squares, size_t offset) {
  const size_t n = gradients.size();
  const auto moved = [&](const std::vector<float>& values) {
    std::vector<float> result(offset);
    result.insert(result.end(), values.begin(), values.end());
    return result;
  };
  Output<float> parameters(moved(old.parameters)), first(moved(old.first)), second(moved(old.second));
  const std::vector<float> moved_gradients = moved(gradients);
  launch(blocks(n, ADAMW_PER_BLOCK), ADAMW_THREADS, 0, [&] {
    adamw(parameters.data() + offset, first.data() + offset, second.data() + offset, moved_gradients.data() + offset,
          n, n_decayed, &sum_of_squares, c.max_norm, c.learning_rate, c.beta1, c.beta2, c.eps, c.weight_decay,
          1 - std::pow(c.beta1, step), 1 - std::pow(c.beta2, step));
  });
  const auto back = [&](const Output<float>& output) {
    const std::vector<float> values = output.finished();
    return std::vector<float>(values.begin() + offset, values.end());
  };
  return {back(parameters), back(first), back(second)};
}

struct ReferenceState {
  std::vector<double> parameters, first, second;
};

void reference_step(ReferenceState& state, const std::vector<float>& gradients, const Constants& c, int step,
                    int64_t n_decayed, double sum_of_squares) {
  const double scale = c.max_norm > 0 ? std::min(1.0, c.max_norm / (std::sqrt(sum_of_squares) + 1e-6)) : 1;
  for (size_t i = 0; i < gradients.size(); i++) {
    const double gradient = gradients[i] * scale;
    double &parameter = state.parameters[i], &first = state.first[i], &second = state.second[i];
    first = c.beta1 * first + (1 - c.beta1) * gradient;
    second = c.beta2 * second + (1 - c.beta2) * gradient * gradient;
    if (int64_t(i) < n_decayed) parameter *= 1 - c.learning_rate * c.weight_decay;
    const double first_estimate = first / (1 - std::pow(c.beta1, step));
    const double second_estimate = second / (1 - std::pow(c.beta2, step));
    parameter -= c.learning_rate * first_estimate / (std::sqrt(second_estimate) + c.eps);
  }
}

double squares(const std::vector<float>& values) {
  double sum = 0;
  for (float value : values) sum += double(value) * value;
  return sum;
}

State start_state(size_t n) {
  return {random_values<float>(n, 1), std::vector<float>(n), std::vector<float>(n)};
}

// Three steps from moments of zero.
void check_steps(size_t n, int64_t n_decayed, const Constants& c, size_t offset) {
  const std::string name = "adamw n " + std::to_string(n) + " max_norm " + std::to_string(c.max_norm);
  State state = start_state(n);
  ReferenceState expected;
  expected.parameters.assign(state.parameters.begin(), state.parameters.end());
  expected.first = expected.second = std::vector<double>(n);
  for (int step = 1; step <= 3; step++) {
    const auto gradients = random_values<float>(n, 20 + step, 0.1f);
    const double sum = squares(gradients);
    State next;
    const auto run = [&] {
      // Leaves other constants in the shared memory, so that the step has to wait for its own.
      kernel_step(start_state(1), {1}, {0, 0.5, 0.1, 0.2}, 9, 1, 1, 0);
      next = kernel_step(state, gradients, c, step, n_decayed, sum, offset);
      return next.parameters;
    };
    run_in_every_order(name, run);
    state = next;
    reference_step(expected, gradients, c, step, n_decayed, sum);
    expect_close(state.parameters, expected.parameters, 1e-6, name + " parameters");
    expect_close(state.first, expected.first, 1e-6, name + " first moments");
    expect_close(state.second, expected.second, 1e-6, name + " second moments");
  }
}

// A gradient norm that is not finite leaves everything as it was.
void check_refusal(double sum_of_squares) {
  const State before = start_state(5000);
  auto gradients = random_values<float>(5000, 3);
  gradients[4000] = INFINITY;
  const State after = kernel_step(before, gradients, {1.0}, 1, 2000, sum_of_squares, 0);
  expect(same_bits(after.parameters, before.parameters), "parameters changed by an infinite gradient");
  expect(same_bits(after.first, before.first), "first moments changed by an infinite gradient");
  expect(same_bits(after.second, before.second), "second moments changed by an infinite gradient");
}

int main() {
  for (size_t n : {1, 3, 197, 4096, 4097, 30001}) {
    for (double max_norm : {0.0, 0.05, 1e6}) {
      check_steps(n, n / 3, {max_norm}, 0);
    }
  }
  check_steps(1000, 1000, {1.0}, 1);
  check_steps(1000, 0, {1.0}, 4);
  check_steps(1000, 10, {0, 1e-3, 0.5, 0.999, 1e-8, 0.0}, 0);
  check_refusal(INFINITY);
  check_refusal(NAN);
  return finish();
}

// AdamW over all parameters at once, which lie after each other in flat buffers.
//
// | kernel | grid                            | block | dynamic shared bytes |
// |--------|---------------------------------|-------|----------------------|
// | adamw  | n / ADAMW_PER_BLOCK, rounded up | 256   | 0                    |
#pragma once
#include "vectors.cuh"

constexpr int ADAMW_THREADS = 256;
// Values that a thread handles at a time.
constexpr int ADAMW_VECTOR = 4;
// Values of a block: each thread takes four vectors.
constexpr int ADAMW_PER_BLOCK = ADAMW_THREADS * ADAMW_VECTOR * 4;

// Constants of one step, in f32 as the arithmetic. Derived in f64.
struct AdamWStep {
  float beta1, rest1;
  float beta2, rest2;
  float eps;
  // 1 - learning_rate * weight_decay.
  float decay;
  // learning_rate / correction1.
  float rate;
  // 1 / sqrt(correction2).
  float inverse_root;
  // Factor of the gradients: below 1 where their norm is clipped.
  float gradient_factor;
  bool is_finite;
};

struct AdamWValues {
  float parameter, first, second;
};

// The update of one value: as the trainer's CPU form, operation by operation.
DEVICE AdamWValues adamw_update(AdamWValues old, float gradient, float decay, const AdamWStep& step) {
  AdamWValues now;
  gradient *= step.gradient_factor;
  now.first = step.beta1 * old.first + step.rest1 * gradient;
  now.second = step.beta2 * old.second + step.rest2 * gradient * gradient;
  now.parameter = old.parameter * decay - step.rate * now.first / (sqrtf(now.second) * step.inverse_root + step.eps);
  return now;
}

// The flat buffers, f32 [n] each.
struct AdamWBuffers {
  float* parameters;
  float* first_moments;
  float* second_moments;
  const float* gradients;
  int64_t n_decayed;
};

// Updates `N` values from index `start`.
template <int N> DEVICE void adamw_values(const AdamWBuffers& buffers, int64_t start, const AdamWStep& step) {
  float parameters[N], first[N], second[N], gradients[N];
  load_values<N>(parameters, buffers.parameters + start);
  load_values<N>(first, buffers.first_moments + start);
  load_values<N>(second, buffers.second_moments + start);
  load_values<N>(gradients, buffers.gradients + start);
  UNROLL
  for (int i = 0; i < N; i++) {
    const float decay = start + i < buffers.n_decayed ? step.decay : 1.0f;
    const AdamWValues now = adamw_update({parameters[i], first[i], second[i]}, gradients[i], decay, step);
    parameters[i] = now.parameter;
    first[i] = now.first;
    second[i] = now.second;
  }
  store_values<N>(buffers.parameters + start, parameters);
  store_values<N>(buffers.first_moments + start, first);
  store_values<N>(buffers.second_moments + start, second);
}

// One step of AdamW, with g = gradient * min(1, max_norm / (norm + 1e-6)) where max_norm is positive:
// first = beta1 * first + (1 - beta1) * g; second = beta2 * second + (1 - beta2) * g^2;
// parameter = parameter * (1 - learning_rate * weight_decay)
//           - learning_rate / correction1 * first / (sqrt(second / correction2) + eps).
//
// The first `n_decayed` values decay. correction1 = 1 - beta1^t and correction2 = 1 - beta2^t in step t = 1, 2, ..
// sum_of_squares f64 [1] is the square of the gradients' norm, on the device. Where it is not finite, nothing is
// changed. parameters, first_moments, second_moments, gradients f32 [n]. Moves 28 bytes a value.
KERNEL void adamw(float* parameters, float* first_moments, float* second_moments, const float* gradients, int64_t n,
                  int64_t n_decayed, const double* sum_of_squares, double max_norm, double learning_rate, double beta1,
                  double beta2, double eps, double weight_decay, double correction1, double correction2) {
  SHARED AdamWStep step; // computed once a block: f64 is slow on some devices
  if (threadIdx.x == 0) {
    const double norm = sqrt(*sum_of_squares);
    const double factor = max_norm > 0 ? max_norm / (norm + 1e-6) : 1.0;
    step = {float(beta1),
            float(1 - beta1),
            float(beta2),
            float(1 - beta2),
            float(eps),
            float(1 - learning_rate * weight_decay),
            float(learning_rate / correction1),
            float(1 / sqrt(correction2)),
            float(factor < 1 ? factor : 1.0),
            norm < INFINITY};
  }
  __syncthreads();
  if (!step.is_finite) return;

  const AdamWBuffers buffers = {parameters, first_moments, second_moments, gradients, n_decayed};
  const bool is_aligned = vectors_fit(VECTOR, parameters, first_moments, second_moments, gradients);
  const int64_t block_start = int64_t(blockIdx.x) * ADAMW_PER_BLOCK;
  for (int i = threadIdx.x * ADAMW_VECTOR; i < ADAMW_PER_BLOCK; i += ADAMW_THREADS * ADAMW_VECTOR) {
    const int64_t start = block_start + i;
    if (is_aligned && start + ADAMW_VECTOR <= n) {
      adamw_values<ADAMW_VECTOR>(buffers, start, step);
    } else {
      for (int64_t j = start; j < n && j < start + ADAMW_VECTOR; j++) adamw_values<1>(buffers, j, step);
    }
  }
}

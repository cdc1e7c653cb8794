// The activation of the perceptron, forward and backward.
//
// | kernel                | grid                               | block | dynamic shared bytes |
// |-----------------------|------------------------------------|-------|----------------------|
// | activation_forward_*  | n / ELEMENTS_PER_BLOCK, rounded up | 256   | 0                    |
// | activation_backward_* | n / ELEMENTS_PER_BLOCK, rounded up | 256   | 0                    |
#pragma once
#include "vectors.cuh"

// Values of `kind`: x * sigmoid(1.702 x), and x * Phi(x) with the error function.
constexpr int QUICK_GELU = 0;
constexpr int GELU = 1;

// a / b within two units in the last place; 0 where b is infinite.
DEVICE float fast_divide(float a, float b) {
#ifdef __CUDACC__
  return __fdividef(a, b);
#else
  return a / b;
#endif
}

// For a large negative x the exponential is infinite, which gives 0.
DEVICE float sigmoid(float x) { return fast_divide(1.0f, 1.0f + __expf(-x)); }

// Phi(x), the distribution function of the standard normal distribution.
DEVICE float normal_distribution(float x) { return 0.5f * (1.0f + erff(0.70710678f * x)); }

DEVICE float activation(float x, int kind) {
  return kind == QUICK_GELU ? x * sigmoid(1.702f * x) : x * normal_distribution(x);
}

// Derivative of the activation.
DEVICE float activation_slope(float x, int kind) {
  if (kind == QUICK_GELU) {
    const float gate = sigmoid(1.702f * x);
    return gate * (1.0f + 1.702f * x * (1.0f - gate));
  }
  const float density = 0.39894228f * __expf(-0.5f * x * x);
  return normal_distribution(x) + x * density;
}

// g = act(h). h, g T [n]. Moves 4 bytes an element (bf16, f16) or 8.
template <typename T> DEVICE void activation_forward(const T* h, T* g, int64_t n, int kind) {
  map_elements(h, g, n, [=](float x) { return activation(x, kind); });
}

KERNEL void activation_forward_bf16(const bf16* h, bf16* g, int64_t n, int kind) { activation_forward(h, g, n, kind); }
KERNEL void activation_forward_f16(const f16* h, f16* g, int64_t n, int kind) { activation_forward(h, g, n, kind); }
KERNEL void activation_forward_f32(const float* h, float* g, int64_t n, int kind) { activation_forward(h, g, n, kind); }

// gradient = gradient * act'(h), in place: the gradient of the output becomes that of h. h, gradient T [n].
// Moves 6 bytes an element (bf16, f16) or 12.
template <typename T> DEVICE void activation_backward(const T* h, T* gradient, int64_t n, int kind) {
  map_elements(h, gradient, gradient, n, [=](float x, float dg) { return dg * activation_slope(x, kind); });
}

KERNEL void activation_backward_bf16(const bf16* h, bf16* gradient, int64_t n, int kind) {
  activation_backward(h, gradient, n, kind);
}
KERNEL void activation_backward_f16(const f16* h, f16* gradient, int64_t n, int kind) {
  activation_backward(h, gradient, n, kind);
}
KERNEL void activation_backward_f32(const float* h, float* gradient, int64_t n, int kind) {
  activation_backward(h, gradient, n, kind);
}

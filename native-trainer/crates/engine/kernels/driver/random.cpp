// cuRAND: numbers of the same distribution as the real library's, not the same numbers.
#include "driver.h"
#include <random>

static std::mt19937_64& engine() {
  static std::mt19937_64 engine;
  return engine;
}

// cuRAND leaves out 0 and includes 1.
template <typename T> static int fill_uniform(T* values, size_t n) {
  driver::check_range(reinterpret_cast<uint64_t>(values), n * sizeof(T), "random numbers");
  for (size_t i = 0; i < n; i++) values[i] = static_cast<T>(1 - std::uniform_real_distribution<double>()(engine()));
  return 0;
}

extern "C" {

int curandCreateGenerator(void** generator, int) {
  *generator = &engine();
  return 0;
}
int curandDestroyGenerator(void*) { return 0; }
int curandSetPseudoRandomGeneratorSeed(void*, unsigned long long seed) {
  engine().seed(seed);
  return 0;
}
int curandSetStream(void*, void*) { return 0; }
int curandGenerateUniform(void*, float* values, size_t n) { return fill_uniform(values, n); }
int curandGenerateUniformDouble(void*, double* values, size_t n) { return fill_uniform(values, n); }

} // extern "C"

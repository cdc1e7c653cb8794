// Tests the emulator itself: what tensor-core instructions compute, and that mistakes end the program.
#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

// C = A B, with fragments filled as the comments in bridge.cuh say.
template <typename T> void multiply(const T* a, const T* b, float* c) {
  const int g = threadIdx.x / 4, t = threadIdx.x % 4;
  const auto pair = [](T low, T high) { return low.bits | static_cast<uint32_t>(high.bits) << 16; };
  uint32_t a_fragment[4], b_fragment[2];
  for (int i = 0; i < 4; i++) {
    const T* from = a + (g + 8 * (i % 2)) * 16 + 2 * t + 8 * (i / 2);
    a_fragment[i] = pair(from[0], from[1]);
  }
  for (int i = 0; i < 2; i++) {
    const T* from = b + (2 * t + 8 * i) * 8 + g;
    b_fragment[i] = pair(from[0], from[8]);
  }
  float sum[4] = {};
  matrix_multiply_add<T>(sum, a_fragment, b_fragment);
  for (int i = 0; i < 4; i++) c[(g + 8 * (i / 2)) * 8 + 2 * t + i % 2] = sum[i];
}

// The same with A loaded by load_matrices, and B by its transposed form; both lie in shared memory.
template <typename T> void load_and_multiply(const T* a, const T* b, float* c) {
  DYNAMIC_SHARED(T, tile);
  T* b_tile = tile + 16 * 16;
  const int lane = threadIdx.x, g = lane / 4, t = lane % 4;
  copy_async_16(tile + lane * 8, a + lane * 8, true);
  copy_async_16(b_tile + lane % 16 * 8, b + lane % 16 * 8, true);
  copy_async_commit();
  copy_async_wait<0>();
  __syncthreads();
  uint32_t a_fragment[4], b_fragment[4];
  load_matrices(a_fragment, tile + lane % 16 * 16 + lane / 16 * 8);
  load_matrices_transposed(b_fragment, b_tile + lane % 16 * 8);
  float sum[4] = {};
  matrix_multiply_add<T>(sum, a_fragment, b_fragment);
  for (int i = 0; i < 4; i++) c[(g + 8 * (i / 2)) * 8 + 2 * t + i % 2] = sum[i];
}

template <typename T> void test_multiply() {
  const std::vector<T> a = random_values<T>(16 * 16, 1), b = random_values<T>(16 * 8, 2);
  std::vector<double> expected(16 * 8);
  for (int row = 0; row < 16; row++) {
    for (int column = 0; column < 8; column++) {
      for (int k = 0; k < 16; k++) {
        expected[row * 8 + column] += double(to_float(a[row * 16 + k])) * to_float(b[k * 8 + column]);
      }
    }
  }
  in_every_order([&] {
    std::vector<float> c = poisoned<float>(16 * 8);
    launch(1, 32, 0, [&] { multiply(a.data(), b.data(), c.data()); });
    expect_close(c, expected, 1e-6, "matrix_multiply_add");
    c = poisoned<float>(16 * 8);
    launch(1, 32, (16 * 16 + 16 * 8) * sizeof(T), [&] { load_and_multiply(a.data(), b.data(), c.data()); });
    expect_close(c, expected, 1e-6, "load_matrices");
  });
}

KERNEL void shuffle(int* down, int* from_three, float* sums) {
  down[threadIdx.x] = __shfl_down_sync(ALL_LANES, static_cast<int>(threadIdx.x), 4);
  from_three[threadIdx.x] = __shfl_sync(ALL_LANES, static_cast<int>(threadIdx.x), 3);
  sums[threadIdx.x] = warp_sum(static_cast<float>(threadIdx.x));
}
void test_shuffles() {
  in_every_order([] {
    std::vector<int> down(64), from_three(64);
    std::vector<float> sums(64);
    launch(1, 64, 0, [&] { shuffle(down.data(), from_three.data(), sums.data()); });
    for (int i = 0; i < 64; i++) {
      expect(down[i] == (i % 32 < 28 ? i + 4 : i), "__shfl_down_sync");
      expect(from_three[i] == i / 32 * 32 + 3, "__shfl_sync");
      expect(sums[i] == (i < 32 ? 496.0f : 1520.0f), "warp_sum");
    }
  });
}

void test_rounding() {
  const float halfway = 1.0f + 1.0f / 256.0f, above = 1.0f + 3.0f / 256.0f; // between neighbors of bf16
  expect(to_float(from_float<bf16>(halfway)) == 1.0f, "a tie is rounded to the even neighbor, below");
  expect(to_float(from_float<bf16>(above)) == 1.0f + 4.0f / 256.0f, "a tie is rounded to the even neighbor, above");
  expect(std::isnan(to_float(from_float<bf16>(NAN))), "NaN stays NaN");
  expect(std::isinf(to_float(from_float<bf16>(INFINITY))), "infinity stays infinity");

  // Every f16 is itself; what lies between two neighbors becomes the nearer one, and the even one from the middle.
  for (unsigned bits = 0; bits < 0x7c00; bits++) {
    const f16 low = {static_cast<uint16_t>(bits)}, high = {static_cast<uint16_t>(bits + 1)};
    // The neighbor of the largest one, 65,504, would be 65,536: from the middle on, it becomes infinite.
    const float lower = to_float(low), upper = bits == 0x7bff ? 65536.0f : to_float(high);
    const float middle = (lower + upper) / 2;
    const f16 even = bits % 2 ? high : low;
    expect(from_float<f16>(lower).bits == low.bits, "an f16 is itself");
    expect(from_float<f16>(middle).bits == even.bits, "a tie is rounded to the even neighbor");
    expect(from_float<f16>(std::nextafter(middle, 0.0f)).bits == low.bits, "below the middle");
    expect(from_float<f16>(std::nextafter(middle, INFINITY)).bits == high.bits, "above the middle");
    expect(from_float<f16>(-lower).bits == (low.bits | 0x8000), "a negative f16");
  }
  expect(to_float(f16{0x3c00}) == 1.0f && to_float(f16{0x7bff}) == 65504.0f, "values of f16");
  expect(to_float(f16{1}) == 0x1p-24f && to_float(f16{0x0400}) == 0x1p-14f, "small values of f16");
  for (float large : {66000.0f, 7e4f, 1e6f, 1e38f}) {
    expect(from_float<f16>(large).bits == 0x7c00, "what is too large becomes infinite");
    expect(from_float<f16>(-large).bits == 0xfc00, "what is too low becomes infinite");
  }
  expect(std::isnan(to_float(from_float<f16>(NAN))), "NaN stays NaN");
}

// Whether a launch ends the program with the emulator's exit status. It runs in a process of its own.
template <typename Kernel> bool is_refused(unsigned block, size_t shared_bytes, const Kernel& kernel) {
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    if (!freopen("/dev/null", "w", stderr)) _exit(1);
    launch(1, block, shared_bytes, kernel);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == emulator::FAILURE_STATUS;
}
void test_refusals() {
  alignas(16) static unsigned char memory[64];
  const auto nothing = [] {};
  expect(!is_refused(64, 64, nothing), "a correct launch is not refused");
  expect(is_refused(48, 0, nothing), "a block of one and a half warps");
  expect(is_refused(32, 200 << 10, nothing), "too much shared memory");
  expect(is_refused(64, 0,
                    [] {
                      if (threadIdx.x % 2) __syncthreads();
                    }),
         "a barrier that half of the lanes reach");
  expect(is_refused(64, 0,
                    [] {
                      if (threadIdx.x < 32) __syncthreads();
                    }),
         "a barrier that one warp reaches");
  expect(is_refused(32, 0, [] { threadIdx.x < 16 ? __syncwarp() : (void)warp_sum(1.0f); }), "different instructions");
  expect(is_refused(32, 64,
                    [] {
                      DYNAMIC_SHARED(float, tile);
                      tile[threadIdx.x] = 1.0f;
                    }),
         "a write past the end");
  expect(is_refused(32, 0, [] { Vec<float, 4>::load(reinterpret_cast<float*>(memory + 4)); }), "a misaligned access");
  expect(is_refused(32, 16,
                    [] {
                      DYNAMIC_SHARED(float, tile);
                      copy_async_16(tile, memory, true);
                      copy_async_commit();
                    }),
         "a copy that nothing waits for");
}

int main() {
  test_multiply<bf16>();
  test_multiply<f16>();
  test_shuffles();
  test_rounding();
  test_refusals();
  return finish();
}

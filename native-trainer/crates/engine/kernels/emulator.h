// Runs CUDA kernels on the CPU, for tests without a GPU. Include bridge.cuh, not this file.
//
// Every thread of a block is a fiber. A fiber runs until it waits for its warp (shuffles, tensor-core instructions,
// __syncwarp) or for its block (__syncthreads). A warp runs as far as it can before the next one runs, so a missing
// barrier shows as a wrong result in one of the thread orders. These mistakes abort with a message: a barrier that only
// some threads reach, a misaligned vector access, a write past the end of the dynamic shared memory, an asynchronous
// copy that nothing waits for, and a launch that no GPU accepts. Shared memory starts as NaN in every block.
//
// Not emulated: timing, relaxed memory order, and races inside one instruction.
#pragma once
#undef _FORTIFY_SOURCE // its checked longjmp refuses to switch between stacks
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <ucontext.h>
#include <unistd.h>

#include "emulator_numbers.h"

#define KERNEL inline
#define LAUNCH_BOUNDS(...)
#define DEVICE inline
#define SHARED static
#define DYNAMIC_SHARED(type, name) type* name = reinterpret_cast<type*>(emulator::shared_memory.data())
#define UNROLL

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
inline dim3 gridDim, blockDim, blockIdx, threadIdx;

namespace emulator {

constexpr int LANES = 32;
constexpr size_t STACK_BYTES = 128 << 10;
constexpr size_t MAX_SHARED_BYTES = 99 << 10; // the least that GPUs since the A100 allow
constexpr size_t GUARD_BYTES = 4096;
constexpr int FAILURE_STATUS = 3;
constexpr unsigned char POISON = 0xff; // NaN as bf16, f16 and f32

[[noreturn]] inline void fail(const char* message) {
  fflush(stdout);
  fprintf(stderr, "emulator: %s (block %u %u %u, thread %u)\n", message, blockIdx.x, blockIdx.y, blockIdx.z,
          threadIdx.x);
  _exit(FAILURE_STATUS); // not exit: static objects would be destroyed on a fiber's stack
}
inline void check_aligned(const void* address, size_t bytes) {
  if (reinterpret_cast<uintptr_t>(address) % bytes) fail("a misaligned vector access");
}

// The order in which blocks, warps and the lanes of a warp run.
enum class Order { forward, reversed, shuffled };
inline Order order = Order::forward;
inline uint32_t random_state = 1;
inline uint32_t random_below(uint32_t limit) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state % limit;
}
inline void set_order(Order wanted, uint32_t seed = 1) {
  order = wanted;
  random_state = seed * 2654435761u | 1;
}
inline void fill_in_order(std::vector<unsigned>& indices) {
  const unsigned n = static_cast<unsigned>(indices.size());
  for (unsigned i = 0; i < n; i++) indices[i] = order == Order::reversed ? n - 1 - i : i;
  if (order != Order::shuffled) return;
  for (unsigned i = n; i > 1; i--) std::swap(indices[i - 1], indices[random_below(i)]);
}

enum class State { ready, at_warp, at_block, finished };
// What the lanes of a warp do together. All 32 must do the same.
enum class Together { sync, shuffle, multiply, load_matrices };

struct Copy {
  void* to;
  const void* from;
  bool valid;
  int group;
};
struct Fiber {
  std::unique_ptr<char[]> stack{new char[STACK_BYTES]};
  ucontext_t first;
  jmp_buf resume;
  bool started = false;
  State state = State::finished;
  Together together = Together::sync;
  unsigned exchanges = 0;
  int copy_groups = 0;
  std::vector<Copy> copies;
};
inline std::vector<Fiber> fibers;
inline unsigned current;
inline jmp_buf scheduler;
inline void (*kernel)(const void*); // called with what it captures
inline const void* captures;
inline std::vector<unsigned char> shared_memory;

__attribute__((noinline)) inline void stop_running(State state) {
  asm volatile("" ::: "memory");
  Fiber& fiber = fibers[current];
  fiber.state = state;
  if (_setjmp(fiber.resume) == 0) _longjmp(scheduler, 1);
  asm volatile("" ::: "memory");
}
// A fiber lives as long as the program and runs one thread of block after block.
inline void fiber_main() {
  for (;;) {
    kernel(captures);
    if (!fibers[current].copies.empty()) fail("an asynchronous copy that nothing waits for");
    stop_running(State::finished);
  }
}
__attribute__((noinline)) inline void run_fiber(unsigned index) {
  Fiber& fiber = fibers[index];
  current = index;
  threadIdx.x = index;
  if (_setjmp(scheduler) != 0) return;
  if (fiber.started) _longjmp(fiber.resume, 1);
  fiber.started = true;
  getcontext(&fiber.first);
  fiber.first.uc_stack.ss_sp = fiber.stack.get();
  fiber.first.uc_stack.ss_size = STACK_BYTES;
  fiber.first.uc_link = nullptr;
  makecontext(&fiber.first, fiber_main, 0);
  setcontext(&fiber.first);
}

// Runs each lane of a warp up to its next wait, and lets the warp go on when all lanes wait for each other.
inline void run_warp(unsigned warp) {
  static std::vector<unsigned> lanes(LANES);
  fill_in_order(lanes);
  for (unsigned lane : lanes) {
    if (fibers[warp * LANES + lane].state == State::ready) run_fiber(warp * LANES + lane);
  }
  const Fiber& first = fibers[warp * LANES];
  for (int lane = 0; lane < LANES; lane++) {
    const Fiber& fiber = fibers[warp * LANES + lane];
    if (fiber.state != first.state) fail("a barrier that only some lanes of a warp reach");
    if (fiber.state == State::at_warp && fiber.together != first.together)
      fail("lanes of a warp at different instructions");
  }
  if (first.state != State::at_warp) return;
  for (int lane = 0; lane < LANES; lane++) fibers[warp * LANES + lane].state = State::ready;
}

inline void run_block(unsigned n_threads) {
  const unsigned n_warps = n_threads / LANES;
  static std::vector<unsigned> warps;
  warps.resize(n_warps);
  for (unsigned i = 0; i < n_threads; i++) fibers[i].state = State::ready;
  for (;;) {
    fill_in_order(warps);
    unsigned next = n_warps;
    for (unsigned warp : warps) {
      if (next == n_warps && fibers[warp * LANES].state == State::ready) next = warp;
    }
    if (next < n_warps) {
      run_warp(next);
      continue;
    }
    for (unsigned warp = 0; warp < n_warps; warp++) {
      if (fibers[warp * LANES].state != fibers[0].state) fail("a barrier that only some warps of a block reach");
    }
    if (fibers[0].state == State::finished) return;
    for (unsigned i = 0; i < n_threads; i++) fibers[i].state = State::ready;
  }
}

// What each lane of each warp gives to the others, in two places in turn: a lane may be one exchange ahead.
struct Exchange {
  unsigned char bytes[24];
};
inline Exchange exchanges[2][1024 / LANES][LANES];

// Gives `mine` to the warp, waits for all lanes, and returns a function from a lane to what that lane gave.
template <typename Value> inline auto exchange(Together together, const Value& mine) {
  static_assert(sizeof(Value) <= sizeof(Exchange), "an exchange holds 24 bytes");
  Fiber& fiber = fibers[current];
  auto* all = exchanges[fiber.exchanges++ % 2][current / LANES];
  memcpy(all[current % LANES].bytes, &mine, sizeof mine);
  fiber.together = together;
  stop_running(State::at_warp);
  return [all](unsigned lane) {
    Value value;
    memcpy(&value, all[lane].bytes, sizeof value);
    return value;
  };
}
inline void check_mask(unsigned mask) {
  if (mask != 0xffffffffu) fail("only full warps are emulated");
}

inline void run_grid(dim3 grid, unsigned block, size_t shared_bytes) {
  if (block == 0 || block > 1024 || block % LANES) fail("a block has 1 to 32 whole warps");
  if (grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535)
    fail("a grid has at most 2^31 - 1, 65535, 65535 blocks");
  if (shared_bytes > MAX_SHARED_BYTES) fail("more shared memory than every supported GPU has");
  if (fibers.size() < block) fibers.resize(block);
  gridDim = grid;
  blockDim = dim3(block);
  shared_memory.resize(shared_bytes + GUARD_BYTES);

  std::vector<unsigned> blocks(size_t(grid.x) * grid.y * grid.z);
  fill_in_order(blocks);
  for (unsigned index : blocks) {
    blockIdx = dim3(index % grid.x, index / grid.x % grid.y, index / grid.x / grid.y);
    memset(shared_memory.data(), POISON, shared_memory.size());
    run_block(block);
    for (size_t i = shared_bytes; i < shared_memory.size(); i++) {
      if (shared_memory[i] != POISON) fail("a write past the end of the dynamic shared memory");
    }
  }
}

} // namespace emulator

// Runs all blocks of a kernel, one after the other, in the order of emulator::set_order. `kernel` is a lambda that
// calls it.
template <typename Kernel> void launch(dim3 grid, unsigned block, size_t shared_bytes, const Kernel& kernel) {
  emulator::kernel = [](const void* captures) { (*static_cast<const Kernel*>(captures))(); };
  emulator::captures = &kernel;
  emulator::run_grid(grid, block, shared_bytes);
}

inline void __syncthreads() { emulator::stop_running(emulator::State::at_block); }
inline void __syncwarp(unsigned mask = 0xffffffffu) {
  emulator::check_mask(mask);
  emulator::exchange(emulator::Together::sync, 0);
}
template <typename T> inline T __shfl_sync(unsigned mask, T value, int source) {
  emulator::check_mask(mask);
  return emulator::exchange(emulator::Together::shuffle, value)(source % emulator::LANES);
}
template <typename T> inline T __shfl_xor_sync(unsigned mask, T value, int lane_mask) {
  const unsigned lane = threadIdx.x % emulator::LANES;
  emulator::check_mask(mask);
  return emulator::exchange(emulator::Together::shuffle, value)(lane ^ lane_mask);
}
template <typename T> inline T __shfl_down_sync(unsigned mask, T value, unsigned offset) {
  const unsigned lane = threadIdx.x % emulator::LANES;
  emulator::check_mask(mask);
  return emulator::exchange(emulator::Together::shuffle, value)(lane + offset < emulator::LANES ? lane + offset : lane);
}

inline float rsqrtf(float value) { return 1.0f / std::sqrt(value); }
inline float __expf(float value) { return std::exp(value); }
template <typename T> inline T min(T a, T b) { return b < a ? b : a; }
template <typename T> inline T max(T a, T b) { return a < b ? b : a; }

#include "emulator_tensor.h"

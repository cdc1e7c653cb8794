// Emulated tensor-core instructions and asynchronous copies. What they compute, and which lane holds what, is written
// in bridge.cuh.
#pragma once
#include "emulator.h"

template <typename T> inline void matrix_multiply_add(float sum[4], const uint32_t a[4], const uint32_t b[2]) {
  struct Fragments {
    uint32_t a[4], b[2];
  } mine;
  memcpy(mine.a, a, sizeof mine.a);
  memcpy(mine.b, b, sizeof mine.b);
  const unsigned g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  const auto given = emulator::exchange(emulator::Together::multiply, mine);
  const auto half = [](uint32_t pair, int index) {
    return to_float(T{static_cast<uint16_t>(pair >> (16 * index))});
  };

  float rows[2][16], columns[2][16]; // A's rows g and g + 8, B's columns 2 * t and 2 * t + 1
  for (unsigned k = 0; k < 16; k++) {
    for (unsigned i = 0; i < 2; i++) {
      rows[i][k] = half(given(g * 4 + k % 8 / 2).a[i + 2 * (k / 8)], k % 2);
      columns[i][k] = half(given((2 * t + i) * 4 + k % 8 / 2).b[k / 8], k % 2);
    }
  }
  for (int i = 0; i < 4; i++) {
    for (int k = 0; k < 16; k++) sum[i] += rows[i / 2][k] * columns[i % 2][k];
  }
}
template <typename T> inline void load_matrices(uint32_t result[4], const T* row) {
  emulator::check_aligned(row, 16);
  const unsigned g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  const auto rows = emulator::exchange(emulator::Together::load_matrices, row);
  for (unsigned i = 0; i < 4; i++) memcpy(&result[i], rows(8 * i + g) + 2 * t, sizeof result[i]);
}
template <typename T> inline void load_matrices_transposed(uint32_t result[4], const T* row) {
  emulator::check_aligned(row, 16);
  const unsigned g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  const auto rows = emulator::exchange(emulator::Together::load_matrices, row);
  for (unsigned i = 0; i < 4; i++) {
    result[i] = rows(8 * i + 2 * t)[g].bits | static_cast<uint32_t>(rows(8 * i + 2 * t + 1)[g].bits) << 16;
  }
}

// An asynchronous copy is made as late as it may be: when its thread waits for it.
inline void copy_async_16(void* shared, const void* global, bool valid) {
  emulator::check_aligned(shared, 16);
  emulator::check_aligned(global, 16);
  emulator::Fiber& fiber = emulator::fibers[emulator::current];
  fiber.copies.push_back({shared, global, valid, fiber.copy_groups});
}
inline void copy_async_commit() { emulator::fibers[emulator::current].copy_groups++; }
template <int newer_groups> inline void copy_async_wait() {
  emulator::Fiber& fiber = emulator::fibers[emulator::current];
  std::vector<emulator::Copy> later;
  for (const emulator::Copy& copy : fiber.copies) {
    if (copy.group >= fiber.copy_groups - newer_groups) {
      later.push_back(copy);
    } else if (copy.valid) {
      memcpy(copy.to, copy.from, 16);
    } else {
      memset(copy.to, 0, 16);
    }
  }
  fiber.copies.swap(later);
}

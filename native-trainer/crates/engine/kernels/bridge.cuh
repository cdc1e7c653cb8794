// The vocabulary of every kernel file. Under nvcc these are CUDA's own types and instructions; under a C++ compiler
// they come from emulator.h, which runs the same kernels on the CPU for the tests.
//
//   KERNEL            an entry point with a C name: `KERNEL void name(...)`
//   LAUNCH_BOUNDS(n)  the block size of an entry point: `KERNEL void LAUNCH_BOUNDS(128) name(...)`. A second number
//                     says how many blocks must fit on a multiprocessor, which bounds the registers.
//   DEVICE            a function that kernels call
//   SHARED            a static array in shared memory: `SHARED float sums[4];`
//   DYNAMIC_SHARED    the dynamic shared memory as a pointer: `DYNAMIC_SHARED(float, tile);`
//   UNROLL            before a loop: unroll it
//   bf16, f16, to_float, from_float<T>, pack<T>, Vec<T, N>, warp_sum, warp_max: below
//   matrix_multiply_add, load_matrices, copy_async_16: tensor-core fragments and asynchronous copies, below
#pragma once
#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#define KERNEL extern "C" __global__
#define LAUNCH_BOUNDS(...) __launch_bounds__(__VA_ARGS__)
#define DEVICE __device__ __forceinline__
#define SHARED __shared__
extern __shared__ __align__(16) unsigned char dynamic_shared_memory[];
#define DYNAMIC_SHARED(type, name) type* name = reinterpret_cast<type*>(dynamic_shared_memory)
#define UNROLL _Pragma("unroll")

using bf16 = __nv_bfloat16;
using f16 = __half;

DEVICE float to_float(bf16 value) { return __bfloat162float(value); }
DEVICE float to_float(f16 value) { return __half2float(value); }
template <typename T> DEVICE T from_float(float value);
template <> DEVICE bf16 from_float<bf16>(float value) { return __float2bfloat16(value); }
// Infinite beyond 65,504.
template <> DEVICE f16 from_float<f16>(float value) { return __float2half_rn(value); }

// Two values rounded to T, the first in the low half.
template <typename T> DEVICE uint32_t pack(float low, float high);
template <> DEVICE uint32_t pack<bf16>(float low, float high) {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}
template <> DEVICE uint32_t pack<f16>(float low, float high) {
  const __half2 pair = __floats2half2_rn(low, high);
  return *reinterpret_cast<const uint32_t*>(&pair);
}

// sum[16, 8] += a[16, 16] * b[16, 8], by one warp. Lane l holds, with g = l / 4 and t = l % 4, as pairs of T:
//   a[i]   = A[g + 8 * (i % 2)][2 * t + 8 * (i / 2) + {0, 1}]
//   b[i]   = B[2 * t + 8 * i + {0, 1}][g]
//   sum[i] = C[g + 8 * (i / 2)][2 * t + i % 2]
template <typename T> DEVICE void matrix_multiply_add(float sum[4], const uint32_t a[4], const uint32_t b[2]);
#define MATRIX_MULTIPLY_ADD(type)                                                                                    \
  template <> DEVICE void matrix_multiply_add<type>(float sum[4], const uint32_t a[4], const uint32_t b[2]) {        \
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." #type "." #type ".f32 "                                    \
                 "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"                                           \
                 : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])                                            \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));                                \
  }
MATRIX_MULTIPLY_ADD(bf16)
MATRIX_MULTIPLY_ADD(f16)
#undef MATRIX_MULTIPLY_ADD

// Loads four 8x8 matrices of bf16 or f16 from shared memory, by one warp. Lane l gives the address of row l % 8 of
// matrix l / 8: eight values, aligned to 16 bytes. result[i] = matrix i's [g][2 * t + {0, 1}], with g and t as above.
template <typename T> DEVICE void load_matrices(uint32_t result[4], const T* row) {
  const uint32_t address = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(result[0]), "=r"(result[1]), "=r"(result[2]), "=r"(result[3])
               : "r"(address)
               : "memory");
}
// The same, each matrix transposed: result[i] = matrix i's [2 * t + {0, 1}][g].
template <typename T> DEVICE void load_matrices_transposed(uint32_t result[4], const T* row) {
  const uint32_t address = static_cast<uint32_t>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(result[0]), "=r"(result[1]), "=r"(result[2]), "=r"(result[3])
               : "r"(address)
               : "memory");
}

// Starts copying 16 bytes into shared memory, or writing 16 zero bytes when `valid` is false. Both addresses must be
// aligned to 16 bytes, and `global` must be readable in either case.
DEVICE void copy_async_16(void* shared, const void* global, bool valid) {
  const uint32_t address = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(address), "l"(global), "r"(valid ? 16 : 0)
               : "memory");
}
// Ends a group of copies.
DEVICE void copy_async_commit() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }
// Waits until at most `newer_groups` of this thread's groups are unfinished. Other threads see the data after a
// barrier.
template <int newer_groups> DEVICE void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(newer_groups) : "memory");
}

#else
#include "emulator.h"
#endif

DEVICE float to_float(float value) { return value; }
template <> DEVICE float from_float<float>(float value) { return value; }

// N neighboring values that are read and written by one instruction. Addresses must be multiples of its size, which is
// at most 16 bytes: Vec<bf16, 8>, Vec<float, 4>.
template <typename T, int N> struct alignas(sizeof(T) * N) Vec {
  static_assert(sizeof(T) * N <= 16, "one instruction moves at most 16 bytes");
  T values[N];

  static DEVICE Vec load(const T* from) {
#ifndef __CUDACC__
    emulator::check_aligned(from, sizeof(Vec));
#endif
    return *reinterpret_cast<const Vec*>(from);
  }
  DEVICE void store(T* to) const {
#ifndef __CUDACC__
    emulator::check_aligned(to, sizeof(Vec));
#endif
    *reinterpret_cast<Vec*>(to) = *this;
  }
  DEVICE T& operator[](int index) { return values[index]; }
  DEVICE const T& operator[](int index) const { return values[index]; }
};

constexpr int WARP_SIZE = 32;
constexpr unsigned ALL_LANES = 0xffffffffu;

// The sum of `value` over a warp, the same bits in every lane.
DEVICE float warp_sum(float value) {
  UNROLL
  for (int offset = WARP_SIZE / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(ALL_LANES, value, offset);
  return value;
}
// The largest `value` of a warp, in every lane.
DEVICE float warp_max(float value) {
  UNROLL
  for (int offset = WARP_SIZE / 2; offset > 0; offset /= 2) {
    value = fmaxf(value, __shfl_xor_sync(ALL_LANES, value, offset));
  }
  return value;
}

// A CUDA driver that runs everything on the CPU, at once and in the order of the calls: the libraries that dermake is
// linked with, for checking the Rust side of training without a GPU. `just check-cuda-host` builds and uses it.
//
//   memory.cpp    buffers and copies        device.cpp   one device, its context, stream and memory pool
//   launch.cpp    the project's kernels, run by the emulator
//   products.cpp  cuBLASLt and cuBLAS       random.cpp   cuRAND
//   candle.cpp    C++ versions of the candle kernels that training uses
//   missing.cpp   functions that end the program, with their names
//
// These mistakes end the program: an address outside every buffer, a write past the end of one, a buffer that is freed
// twice, a launch or a product that no GPU accepts, and everything that is not emulated. New buffers hold NaN.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace driver {

// Ends the program with a message and status 3.
[[noreturn]] void fail(const std::string& message);

// Fails unless all these bytes are in one live buffer. No bytes may be anywhere.
void check_range(uint64_t address, size_t bytes, const std::string& what);

// Bytes of all live buffers.
size_t live_bytes();

// What a launch gives to a kernel.
struct Arguments {
  void** values;
  unsigned n_blocks; // along the first axis

  template <typename T> T get(int index) const { return *static_cast<const T*>(values[index]); }
};
using HostKernel = std::function<void(const Arguments&)>;

// The C++ version of one of candle's kernels; empty when there is none.
HostKernel candle_kernel(const std::string& name);

} // namespace driver

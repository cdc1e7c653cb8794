// A CUDA driver that runs everything on the CPU: the libraries that dermake is linked with, for checking the Rust side of
// training without a GPU. `just check-cuda-host` builds and uses it.
//
//   memory.cpp    buffers and copies        device.cpp   one device, its context and memory pool
//   streams.cpp   streams and events, checked by ../stream_order.h
//   launch.cpp    the project's kernels, run by the emulator
//   products.cpp  cuBLASLt and cuBLAS       random.cpp   cuRAND
//   candle.cpp    C++ versions of the candle kernels that training uses
//   settings.cpp  what DERMAKE_EMULATED_GPU makes of the device
//   missing.cpp   functions that end the program, with their names
//
// Work is done when its call returns, in the order of the calls, but for copies from page-locked memory. These mistakes
// end the program: an address outside every buffer, a write past the end of one, a buffer that is freed twice, work on
// two streams that nothing orders, a launch or a product that no GPU accepts, and everything that is not emulated. New
// buffers hold NaN.
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

// Work that this thread submits from now on is on this stream.
void on_stream(const void* stream);
// Work on this thread's stream uses the buffer at an address; any other address is ignored.
void use(uint64_t address);
// As `use`, of a buffer that starts there.
void use_buffer(uint64_t start, size_t bytes);
void copy_later(uint64_t to, const void* from, size_t bytes);
void release_order(uint64_t start, size_t bytes);
void release_host_order(const void* start, size_t bytes);

// The device, as the variable DERMAKE_EMULATED_GPU describes it: settings such as `memory_mib=100`, separated by commas.
struct Settings {
  bool has_device = true;        // no_device
  int driver_version = 13000;    // driver_version=12020
  int capability = 90;           // capability=75
  size_t memory_bytes = size_t(80) << 30; // memory_mib=100
  int nan_after_steps = -1;      // nan_after_steps=3: the third launch of the optimizer writes a NaN
  int lost_after_steps = -1;     // lost_after_steps=3: it breaks off, as at an illegal address
};
const Settings& settings();

// Whether a kernel broke off: every later launch, copy, allocation and wait of the host fails.
bool is_lost();
void lose();

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

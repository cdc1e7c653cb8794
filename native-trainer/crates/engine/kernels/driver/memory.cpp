// Buffers of the emulated device, which lie in this program's own memory, and copies from and to them.
#include "driver.h"
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cuda.h>
#include <map>
#include <mutex>
#include <unistd.h>
#include <utility>

namespace driver {

constexpr int FAILURE_STATUS = 3;
constexpr size_t ALIGNMENT = 512;            // as the real driver's
constexpr size_t GUARD_BYTES = 512;          // behind each buffer, to notice writes past its end
constexpr unsigned char FRESH = 0xff;        // NaN as bf16 and as f32
constexpr unsigned char FREED = 0xfe;

static std::mutex mutex;
static std::map<uint64_t, size_t> buffers; // address -> bytes
static std::map<uint64_t, size_t> page_locked;
static size_t live;

// The range of this address: its start and bytes.
static std::pair<uint64_t, size_t> range_of(const std::map<uint64_t, size_t>& ranges, uint64_t address) {
  const std::lock_guard<std::mutex> guard(mutex);
  auto found = ranges.upper_bound(address);
  if (found == ranges.begin()) return {0, 0};
  --found;
  return address < found->first + found->second ? std::pair<uint64_t, size_t>(*found) : std::pair<uint64_t, size_t>(0, 0);
}
void use(uint64_t address) {
  const auto [start, bytes] = range_of(buffers, address);
  if (bytes > 0) use_buffer(start, bytes);
}

void fail(const std::string& message) {
  fflush(stdout);
  fprintf(stderr, "emulated driver: %s\n", message.c_str());
  _exit(FAILURE_STATUS); // not exit: other threads may be inside the driver
}

void check_range(uint64_t address, size_t bytes, const std::string& what) {
  if (bytes == 0) return;
  const auto [start, length] = range_of(buffers, address);
  if (length == 0) fail(what + ": not an address on the device, or of a buffer that was freed");
  const uint64_t left = start + length - address;
  if (bytes > left) {
    fail(what + ": " + std::to_string(bytes) + " bytes, where the buffer has " + std::to_string(left) + " left");
  }
  use_buffer(start, length);
}

size_t live_bytes() {
  const std::lock_guard<std::mutex> guard(mutex);
  return live;
}

static CUresult allocate(CUdeviceptr* address, size_t bytes) {
  if (is_lost()) return CUDA_ERROR_ILLEGAL_ADDRESS;
  if (bytes == 0) return CUDA_ERROR_INVALID_VALUE;
  if (bytes > settings().memory_bytes || live_bytes() > settings().memory_bytes - bytes) return CUDA_ERROR_OUT_OF_MEMORY;
  void* start = nullptr;
  if (posix_memalign(&start, ALIGNMENT, bytes + GUARD_BYTES) != 0) return CUDA_ERROR_OUT_OF_MEMORY;
  memset(start, FRESH, bytes + GUARD_BYTES);
  *address = reinterpret_cast<CUdeviceptr>(start);
  {
    const std::lock_guard<std::mutex> guard(mutex);
    buffers[*address] = bytes;
    live += bytes;
  }
  use_buffer(*address, bytes);
  return CUDA_SUCCESS;
}

static CUresult release(CUdeviceptr address) {
  const size_t freed_bytes = range_of(buffers, address).second;
  if (freed_bytes > 0) release_order(address, freed_bytes);
  const std::lock_guard<std::mutex> guard(mutex);
  const auto found = buffers.find(address);
  if (found == buffers.end()) fail("a buffer is freed that is not there, or was freed before");
  const size_t bytes = found->second;
  auto* start = reinterpret_cast<unsigned char*>(address);
  if (std::any_of(start + bytes, start + bytes + GUARD_BYTES, [](unsigned char byte) { return byte != FRESH; })) {
    fail("a write past the end of a buffer of " + std::to_string(bytes) + " bytes");
  }
  memset(start, FREED, bytes);
  live -= bytes;
  buffers.erase(found);
  free(start);
  return CUDA_SUCCESS;
}

} // namespace driver

using namespace driver;

extern "C" {

CUresult cuMemAllocAsync(CUdeviceptr* address, size_t bytes, CUstream stream) {
  on_stream(stream);
  return allocate(address, bytes);
}
CUresult cuMemAlloc_v2(CUdeviceptr* address, size_t bytes) { return allocate(address, bytes); }
CUresult cuMemFreeAsync(CUdeviceptr address, CUstream) { return release(address); }
CUresult cuMemFree_v2(CUdeviceptr address) { return release(address); }

CUresult cuMemHostAlloc(void** start, size_t bytes, unsigned) {
  *start = malloc(bytes);
  if (!*start) return CUDA_ERROR_OUT_OF_MEMORY;
  const std::lock_guard<std::mutex> guard(mutex);
  page_locked[reinterpret_cast<uint64_t>(*start)] = bytes;
  return CUDA_SUCCESS;
}
CUresult cuMemFreeHost(void* start) {
  const size_t bytes = range_of(page_locked, reinterpret_cast<uint64_t>(start)).second;
  if (bytes == 0) fail("page-locked memory is freed that is not there");
  release_host_order(start, bytes);
  const std::lock_guard<std::mutex> guard(mutex);
  page_locked.erase(reinterpret_cast<uint64_t>(start));
  free(start);
  return CUDA_SUCCESS;
}

// From memory that is not page-locked, the driver has copied when the call returns.
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, size_t bytes, CUstream stream) {
  if (is_lost()) return CUDA_ERROR_ILLEGAL_ADDRESS;
  on_stream(stream);
  if (range_of(page_locked, reinterpret_cast<uint64_t>(from)).second > 0) {
    const auto [start, length] = range_of(buffers, to);
    if (length == 0 || to + bytes > start + length) fail("a copy to the device: not of one buffer");
    copy_later(to, from, bytes);
    return CUDA_SUCCESS;
  }
  check_range(to, bytes, "a copy to the device");
  memcpy(reinterpret_cast<void*>(to), from, bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, size_t bytes, CUstream stream) {
  if (is_lost()) return CUDA_ERROR_ILLEGAL_ADDRESS;
  on_stream(stream);
  check_range(from, bytes, "a copy from the device");
  memcpy(to, reinterpret_cast<const void*>(from), bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, size_t bytes, CUstream stream) {
  if (is_lost()) return CUDA_ERROR_ILLEGAL_ADDRESS;
  on_stream(stream);
  check_range(from, bytes, "the source of a copy on the device");
  check_range(to, bytes, "the destination of a copy on the device");
  memmove(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
  return CUDA_SUCCESS;
}
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t bytes, CUstream stream) {
  if (is_lost()) return CUDA_ERROR_ILLEGAL_ADDRESS;
  on_stream(stream);
  check_range(to, bytes, "a fill");
  memset(reinterpret_cast<void*>(to), value, bytes);
  return CUDA_SUCCESS;
}

} // extern "C"

// Streams and events. What they order is checked by stream_order.h.
#include "../stream_order.h"
#include "driver.h"
#include <atomic>
#include <cuda.h>
#include <mutex>

namespace driver {

static std::mutex mutex;
static StreamOrder order;
static thread_local StreamId stream_of_thread = 1; // before the first call that names one

// Runs `work` on the order, and ends the program at a mistake.
template <typename Work> static auto ordered(const Work& work) {
  const std::lock_guard<std::mutex> guard(mutex);
  try {
    return work();
  } catch (const OrderError& error) {
    fail(error.what());
  }
}

static StreamId number(const void* stream) { return reinterpret_cast<StreamId>(stream); }

void on_stream(const void* stream) { stream_of_thread = number(stream); }
void use_buffer(uint64_t start, size_t bytes) {
  ordered([&] { order.use(stream_of_thread, start, bytes); });
}
void copy_later(uint64_t to, const void* from, size_t bytes) {
  ordered([&] { order.copy(stream_of_thread, to, from, bytes); });
}
void release_order(uint64_t start, size_t bytes) {
  ordered([&] { order.release(start, bytes); });
}
void release_host_order(const void* start, size_t bytes) {
  ordered([&] { order.release_host(start, bytes); });
}

} // namespace driver

using namespace driver;

// An event before it is recorded orders nothing.
static StreamOrder::Clock& clock_of(CUevent event) { return *reinterpret_cast<StreamOrder::Clock*>(event); }

extern "C" {

CUresult cuStreamCreate(CUstream* stream, unsigned) {
  static std::atomic<uintptr_t> next{16};
  *stream = reinterpret_cast<CUstream>(next++);
  return CUDA_SUCCESS;
}
CUresult cuStreamDestroy_v2(CUstream) { return CUDA_SUCCESS; }
CUresult cuStreamSynchronize(CUstream stream) {
  if (is_lost()) return CUDA_ERROR_ILLEGAL_ADDRESS;
  ordered([&] { order.synchronize_stream(number(stream)); });
  return CUDA_SUCCESS;
}
CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned) {
  ordered([&] { order.wait(number(stream), clock_of(event)); });
  return CUDA_SUCCESS;
}

CUresult cuEventCreate(CUevent* event, unsigned) {
  *event = reinterpret_cast<CUevent>(new StreamOrder::Clock);
  return CUDA_SUCCESS;
}
CUresult cuEventDestroy_v2(CUevent event) {
  delete &clock_of(event);
  return CUDA_SUCCESS;
}
CUresult cuEventRecord(CUevent event, CUstream stream) {
  ordered([&] { clock_of(event) = order.record(number(stream)); });
  return CUDA_SUCCESS;
}
CUresult cuEventSynchronize(CUevent event) {
  if (is_lost()) return CUDA_ERROR_ILLEGAL_ADDRESS;
  ordered([&] { order.synchronize(clock_of(event)); });
  return CUDA_SUCCESS;
}

} // extern "C"

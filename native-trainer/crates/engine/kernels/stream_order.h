// The order of work on the streams of the emulated driver, and the mistakes in it that a GPU would punish only now and
// then. Needs nothing of CUDA; tests/kernels/stream_order.cpp tests it.
//
// Kernels run at once. A copy from page-locked memory runs when its stream, the host or another stream waits for it, so
// that whoever forgets to wait sees old values. These are errors:
// - work that uses a buffer into which another stream's copy has not been waited for;
// - a copy into a buffer that earlier work of another stream may still use;
// - page-locked memory that is written or freed before the copy from it was waited for.
//
// Who waited for what is known from clocks: for each stream, the number of its operations that are surely done.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <stdexcept>
#include <string>

namespace driver {

using StreamId = uint64_t;

struct OrderError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class StreamOrder {
public:
  // For each stream, the number of its operations that come before.
  using Clock = std::map<StreamId, uint64_t>;

  // Work on `stream` uses the buffer of these bytes; it runs when the call returns.
  void use(StreamId stream, uint64_t buffer, size_t bytes) {
    begin(stream);
    run_pending(stream, UINT64_MAX); // in the stream's own order
    for (const auto& [other, copies] : pending) {
      for (const Copy& copy : copies) {
        if (overlap(buffer, bytes, copy.to, copy.bytes)) {
          throw OrderError("a buffer is used before the copy into it was waited for");
        }
      }
    }
    uses[buffer].bytes = bytes;
    uses[buffer].last[stream] = clocks[stream][stream];
  }

  // A copy from page-locked memory.
  void copy(StreamId stream, uint64_t to, const void* from, size_t bytes) {
    begin(stream);
    const Clock& clock = clocks[stream];
    for (const auto& [buffer, use] : uses) {
      if (!overlap(buffer, use.bytes, to, bytes)) continue;
      for (const auto& [user, position] : use.last) {
        if (user != stream && at(clock, user) < position) {
          throw OrderError("a copy overwrites a buffer that earlier work of another stream may still use");
        }
      }
    }
    pending[stream].push_back({to, from, bytes, sum(from, bytes), at(clock, stream)});
  }

  // What an event holds that is recorded now.
  Clock record(StreamId stream) { return clocks[stream]; }
  // Later work of the stream comes after the event.
  void wait(StreamId stream, const Clock& event) { arrive(clocks[stream], event); }
  // The host, and so all later work, comes after the event.
  void synchronize(const Clock& event) { arrive(host, event); }
  void synchronize_stream(StreamId stream) { arrive(host, clocks[stream]); }

  // A buffer of the device is freed.
  void release(uint64_t buffer, size_t bytes) {
    check_pending([&](const Copy& copy) { return overlap(buffer, bytes, copy.to, copy.bytes); },
                  "a buffer is freed before the copy into it was waited for");
    uses.erase(buffer);
  }
  // Page-locked memory is freed.
  void release_host(const void* start, size_t bytes) {
    check_pending([&](const Copy& copy) { return overlap(number(start), bytes, number(copy.from), copy.bytes); },
                  "page-locked memory is freed before the copy from it was waited for");
  }

private:
  struct Copy {
    uint64_t to;
    const void* from;
    size_t bytes;
    uint64_t sum, position;
  };
  struct Use {
    size_t bytes = 0;
    Clock last; // of each stream, its last operation that used the buffer
  };

  Clock host;
  std::map<StreamId, Clock> clocks;
  std::map<StreamId, std::deque<Copy>> pending;
  std::map<uint64_t, Use> uses;

  static uint64_t number(const void* address) { return reinterpret_cast<uint64_t>(address); }
  static bool overlap(uint64_t a, size_t a_bytes, uint64_t b, size_t b_bytes) {
    return a < b + b_bytes && b < a + a_bytes;
  }
  static uint64_t at(const Clock& clock, StreamId stream) {
    const auto found = clock.find(stream);
    return found == clock.end() ? 0 : found->second;
  }
  static void join(Clock& clock, const Clock& other) {
    for (const auto& [stream, position] : other) clock[stream] = std::max(clock[stream], position);
  }
  // Tells contents apart (FNV).
  static uint64_t sum(const void* start, size_t bytes) {
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < bytes; i++) sum = (sum ^ static_cast<const unsigned char*>(start)[i]) * 0x100000001b3u;
    return sum;
  }

  // The next operation of a stream.
  void begin(StreamId stream) {
    join(clocks[stream], host);
    clocks[stream][stream]++;
  }
  void arrive(Clock& clock, const Clock& event) {
    for (const auto& [stream, position] : event) run_pending(stream, position);
    join(clock, event);
  }
  void run_pending(StreamId stream, uint64_t position) {
    auto& copies = pending[stream];
    for (; !copies.empty() && copies.front().position <= position; copies.pop_front()) {
      const Copy& copy = copies.front();
      if (sum(copy.from, copy.bytes) != copy.sum) {
        throw OrderError("page-locked memory was written before the copy from it was waited for");
      }
      memcpy(reinterpret_cast<void*>(copy.to), copy.from, copy.bytes);
    }
  }
  template <typename Is> void check_pending(const Is& is_touched, const char* message) {
    for (const auto& [stream, copies] : pending) {
      if (std::any_of(copies.begin(), copies.end(), is_touched)) throw OrderError(message);
    }
  }
};

} // namespace driver

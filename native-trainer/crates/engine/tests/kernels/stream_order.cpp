// The order of streams in the emulated driver: correct uses pass, and each mistake is noticed.
#include "../../kernels/stream_order.h"
#include "check.h"

#include <functional>

using driver::StreamOrder;
constexpr driver::StreamId COMPUTE = 1, COPIES = 2;

// A double buffer as the trainer has it: two slots on the device and on the host.
struct Slots {
  StreamOrder order;
  unsigned char device[2] = {}, host[2] = {};
  StreamOrder::Clock copied[2], used[2];

  uint64_t at(int slot) const { return reinterpret_cast<uint64_t>(&device[slot]); }
  void start(int slot, unsigned char value) {
    order.synchronize(copied[slot]);
    host[slot] = value;
    order.wait(COPIES, used[slot]);
    order.copy(COPIES, at(slot), &host[slot], 1);
    copied[slot] = order.record(COPIES);
  }
  unsigned char step(int slot) {
    order.wait(COMPUTE, copied[slot]);
    order.use(COMPUTE, at(slot), 1);
    return device[slot];
  }
  void release(int slot) { used[slot] = order.record(COMPUTE); }
};

void check_double_buffer() {
  Slots slots;
  slots.start(0, 10);
  for (int batch = 0; batch < 6; batch++) {
    slots.start((batch + 1) % 2, static_cast<unsigned char>(11 + batch));
    expect(slots.step(batch % 2) == 10 + batch, "a step reads another batch than its own");
    slots.release(batch % 2);
  }
}

void expect_error(const std::string& message, const std::function<void(Slots&)>& mistake) {
  Slots slots;
  slots.start(0, 7);
  std::string found = "nothing";
  try {
    mistake(slots);
  } catch (const driver::OrderError& error) {
    found = error.what();
  }
  expect(found.find(message) != std::string::npos, "expected '" + message + "', found " + found);
}

int main() {
  check_double_buffer();
  expect_error("used before the copy", [](Slots& slots) { slots.order.use(COMPUTE, slots.at(0), 1); });
  expect_error("may still use", [](Slots& slots) {
    slots.step(0); // and no event behind it
    slots.start(0, 8);
  });
  expect_error("may still use", [](Slots& slots) {
    slots.release(0); // an event before the step, not behind it
    slots.step(0);
    slots.start(0, 8);
  });
  expect_error("was written before", [](Slots& slots) {
    slots.host[0] = 9;
    slots.step(0);
  });
  expect_error("freed before the copy into it", [](Slots& slots) { slots.order.release(slots.at(0), 1); });
  expect_error("freed before the copy from it", [](Slots& slots) { slots.order.release_host(slots.host, 2); });
  expect_error("nothing", [](Slots& slots) {
    slots.step(0);
    slots.order.synchronize_stream(COMPUTE); // in place of the event
    slots.start(0, 8);
    expect(slots.step(0) == 8, "the second batch of a slot was not copied");
  });
  expect_error("nothing", [](Slots& slots) {
    // What a third stream has waited for holds for those that wait for it.
    slots.step(0);
    slots.release(0);
    slots.order.wait(3, slots.used[0]);
    slots.order.use(3, 1, 1);
    slots.used[0] = slots.order.record(3);
    slots.start(0, 8);
  });
  // A stream's own work comes after its own copies.
  Slots slots;
  slots.host[0] = 5;
  slots.order.copy(COMPUTE, slots.at(0), slots.host, 1);
  expect(slots.device[0] == 0, "a copy runs before anything waits for it");
  slots.order.use(COMPUTE, slots.at(0), 1);
  expect(slots.device[0] == 5, "a stream does not see its own copy");
  return finish();
}

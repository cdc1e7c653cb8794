// What DERMAKE_EMULATED_GPU makes of the device: how dermake reports a GPU that it cannot use.
#include "driver.h"
#include <atomic>
#include <cstdlib>
#include <sstream>

namespace driver {

static Settings read_settings() {
  Settings settings;
  const char* text = getenv("DERMAKE_EMULATED_GPU");
  std::istringstream given(text ? text : "");
  for (std::string setting; std::getline(given, setting, ',');) {
    const size_t equals = setting.find('=');
    const std::string name = setting.substr(0, equals);
    const long value = equals == std::string::npos ? 0 : std::stol(setting.substr(equals + 1));
    if (name == "no_device") settings.has_device = false;
    else if (name == "driver_version") settings.driver_version = static_cast<int>(value);
    else if (name == "capability") settings.capability = static_cast<int>(value);
    else if (name == "memory_mib") settings.memory_bytes = static_cast<size_t>(value) << 20;
    else if (name == "nan_after_steps") settings.nan_after_steps = static_cast<int>(value);
    else if (name == "lost_after_steps") settings.lost_after_steps = static_cast<int>(value);
    else fail("DERMAKE_EMULATED_GPU: there is no setting " + name);
  }
  return settings;
}

const Settings& settings() {
  static const Settings settings = read_settings();
  return settings;
}

static std::atomic<bool> lost{false};
bool is_lost() { return lost; }
void lose() { lost = true; }

} // namespace driver

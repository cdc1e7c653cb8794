// Numbers of 16 bits as the GPU has them: bf16 and f16, rounded from and widened to float. Include bridge.cuh, not this
// file.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

struct bf16 {
  uint16_t bits;
};
inline float to_float(bf16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result;
  memcpy(&result, &bits, sizeof result);
  return result;
}
template <typename T> inline T from_float(float value);
// Rounds to nearest, ties to even, as the GPU does.
template <> inline bf16 from_float<bf16>(float value) {
  if (std::isnan(value)) return bf16{0x7fff};
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits += 0x7fff + ((bits >> 16) & 1);
  return bf16{static_cast<uint16_t>(bits >> 16)};
}

struct f16 {
  uint16_t bits;
};
inline float to_float(f16 value) {
  const int exponent = value.bits >> 10 & 31, fraction = value.bits & 1023;
  const float magnitude = exponent == 31  ? (fraction ? NAN : INFINITY)
                          : exponent == 0 ? std::ldexp(float(fraction), -24)
                                          : std::ldexp(float(1024 + fraction), exponent - 25);
  return value.bits >> 15 ? -magnitude : magnitude;
}
// Rounds to nearest, ties to even, as the GPU does: to infinity from 65,520 on, and to multiples of 2^-24 below 2^-14.
template <> inline f16 from_float<f16>(float value) {
  if (std::isnan(value)) return f16{0x7fff};
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const float magnitude = std::fabs(value);
  if (magnitude >= 65520.0f) return f16{static_cast<uint16_t>(sign | 0x7c00)};
  const int exponent = magnitude < 0x1p-14f ? -14 : std::ilogb(magnitude);
  // In units of the last place, 1024 to 2048; less below 2^-14. The exponent's bits take the carry.
  const auto units = static_cast<uint32_t>(std::nearbyint(std::ldexp(magnitude, 10 - exponent)));
  return f16{static_cast<uint16_t>(sign | ((exponent + 14) * 1024 + units))};
}

template <typename T> inline uint32_t pack(float low, float high) {
  return from_float<T>(low).bits | static_cast<uint32_t>(from_float<T>(high).bits) << 16;
}

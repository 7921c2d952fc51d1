// The vocabulary on one 64-bit word: S = 64, one lane. The list of operations is explained in simd/README.md.
#pragma once

#include <algorithm>
#include <cstring>

#include "../word.hpp"
#include "region.hpp"

namespace fhe::simd {

struct Scalar {
  static constexpr const char* kName = "scalar";
  static constexpr int kWordBits = 64;
  static constexpr int kMaxModulusBits = 60;
  static constexpr u64 kMinRingDegree = 2;
  static constexpr int kLanes = 1;
  static constexpr int kInFlight = 1;
  static constexpr int kLogMaxTerms = 30;  // the products a Wide holds: any, while they sum below 2^(2S)

  static bool supported() { return true; }

  using Vec = u64;
  using Wide = u128;
  using Real = double;

  static Vec load(const u64* from) { return *from; }
  static void store(u64* to, Vec x) { *to = x; }
  static Vec broadcast(u64 x) { return x; }

  static void settle(Vec&) {}

  // Words of `width` bytes, one after another.
  struct Packed {
    const std::size_t width;
    const u64 mask;
    explicit Packed(std::size_t width) : width(width), mask(~u64{0} >> (64 - 8 * width)) {}
    Vec load(const unsigned char* from) const {
      u64 word;
      std::memcpy(&word, from, sizeof word);
      return word & mask;
    }
  };

  static Vec add(Vec x, Vec y) { return x + y; }
  static Vec sub(Vec x, Vec y) { return x - y; }
  static Vec min(Vec x, Vec y) { return std::min(x, y); }
  static Vec low_word(Vec x) { return x; }
  static Vec mul_lo_add(Vec z, Vec x, Vec y) { return z + x * y; }
  static Vec mul_hi_add(Vec z, Vec x, Vec y) { return z + mul_hi(x, y); }

  static Wide widen(Vec x) { return x; }
  static Wide mul_add(Wide z, Vec x, Vec y) { return z + static_cast<u128>(x) * y; }
  static Vec high(Wide z) { return static_cast<u64>(z >> 64); }
  static Vec low(Wide z) { return static_cast<u64>(z); }
  static Vec shift_right(Wide z, int count) { return static_cast<u64>(z >> count); }

  static void transpose(Vec (&)[1]) {}

  static Real broadcast_real(double x) { return x; }
  static Real to_real(Vec x) { return static_cast<double>(static_cast<i64>(x)); }
  static Real real_mul(Real x, Real y) { return x * y; }
  static Real real_add(Real x, Real y) { return x + y; }
  static Real real_sub(Real x, Real y) { return x - y; }
  // x y - p for p = x y, rounded: from halves of 26 bits, without fused products, which some CPUs lack (Dekker 1971).
  static Real product_error(Real x, Real y, Real p) {
    const Real x_high = high_half(x), x_low = x - x_high, y_high = high_half(y), y_low = y - y_high;
    return ((x_high * y_high - p) + x_high * y_low + x_low * y_high) + x_low * y_low;
  }
  static Real high_half(Real x) {
    const Real shifted = x * 0x1.0000002p27;
    return shifted - (shifted - x);
  }
  // x, but no further from zero than a limit: the smaller magnitude as a word, which compilers choose without a branch.
  static Real within(Real x, double limit) {
    u64 bits, most;
    std::memcpy(&bits, &x, sizeof bits);
    std::memcpy(&most, &limit, sizeof most);
    bits = (bits & u64{1} << 63) | std::min(bits & ~u64{0} >> 1, most);
    std::memcpy(&x, &bits, sizeof x);
    return x;
  }
  static void store_real(double* to, Real x) { *to = x; }
  static Vec truncate(Real x) { return static_cast<u64>(static_cast<i64>(x)); }

  static bool all_at_most(Vec x, Vec y) { return x <= y; }
};

}  // namespace fhe::simd

// The vocabulary of doubles on AArch64: two lanes.
#pragma once

#if defined(__aarch64__)

#include <arm_neon.h>

#include "../word.hpp"
#include "region.hpp"

namespace fhe::simd {

struct Neon {
  static constexpr const char* kName = "neon";
  static constexpr u64 kMinRingDegree = 128;
  static constexpr int kLanes = 2;
  static constexpr int kInFlight = 16;

  static bool supported() { return true; }

  using Vec = uint64x2_t;
  using Real = float64x2_t;

  FHE_INLINE static Vec load(const u64* from) { return vld1q_u64(from); }
  FHE_INLINE static void store(u64* to, Vec x) { vst1q_u64(to, x); }
  FHE_INLINE static Vec broadcast(u64 x) { return vdupq_n_u64(x); }

  FHE_INLINE static Vec add(Vec x, Vec y) { return vaddq_u64(x, y); }
  FHE_INLINE static Vec sub(Vec x, Vec y) { return vsubq_u64(x, y); }
  FHE_INLINE static Vec min(Vec x, Vec y) { return vbslq_u64(vcltq_u64(x, y), x, y); }

  // Words of `width` bytes, one after another.
  struct Packed {
    const std::size_t width;
    const Vec mask;
    FHE_INLINE explicit Packed(std::size_t width) : width(width), mask(broadcast(~u64{0} >> (64 - 8 * width))) {}
    FHE_INLINE Vec load(const unsigned char* from) const {
      u64 words[2];
      __builtin_memcpy(&words[0], from, 8);
      __builtin_memcpy(&words[1], from + width, 8);
      return vandq_u64(vld1q_u64(words), mask);
    }
  };

  FHE_INLINE static Real as_real(Vec x) { return vreinterpretq_f64_u64(x); }
  FHE_INLINE static Vec as_word(Real x) { return vreinterpretq_u64_f64(x); }
  FHE_INLINE static Real broadcast_real(double x) { return vdupq_n_f64(x); }
  FHE_INLINE static Real real_add(Real x, Real y) { return vaddq_f64(x, y); }
  FHE_INLINE static Real real_sub(Real x, Real y) { return vsubq_f64(x, y); }
  // The barrier keeps a compiler from contracting a product and a sum.
  FHE_INLINE static Real real_mul(Real x, Real y) {
    Real product = vmulq_f64(x, y);
    asm("" : "+w"(product));
    return product;
  }
  // x y + z and z - x y, rounded once.
  FHE_INLINE static Real fma(Real x, Real y, Real z) { return vfmaq_f64(z, x, y); }
  FHE_INLINE static Real fnma(Real x, Real y, Real z) { return vfmsq_f64(z, x, y); }

  // x y - p for p = x y, rounded; x, but no further from zero than a limit.
  FHE_INLINE static Real product_error(Real x, Real y, Real p) { return vnegq_f64(vfmsq_f64(p, x, y)); }
  FHE_INLINE static Real within(Real x, double limit) {
    return vminq_f64(vmaxq_f64(x, broadcast_real(-limit)), broadcast_real(limit));
  }
  FHE_INLINE static void store_real(double* to, Real x) { vst1q_f64(to, x); }

  FHE_INLINE static Real to_real(Vec x) { return vcvtq_f64_u64(x); }
  FHE_INLINE static Real to_real_exact(Vec x) { return to_real(x); }
  FHE_INLINE static Vec to_word(Real x) { return vreinterpretq_u64_s64(vcvtq_s64_f64(x)); }
  FHE_INLINE static Vec truncate(Real x) { return vcvtq_u64_f64(x); }

  FHE_INLINE static void transpose(Real (&v)[2]) {
    const Real low = vtrn1q_f64(v[0], v[1]), high = vtrn2q_f64(v[0], v[1]);
    v[0] = low;
    v[1] = high;
  }
};

}  // namespace fhe::simd

#endif  // AArch64

// The vocabulary of doubles on AVX-512: eight lanes. AVX-512 IFMA builds on it.
#pragma once

#if defined(__x86_64__)

#include "../word.hpp"
#include "intrinsics.hpp"
#include "region.hpp"

FHE_TARGET_REGION_BEGIN("avx512f,avx512dq")

namespace fhe::simd {

struct Avx512 {
  static constexpr const char* kName = "avx512";
  static constexpr u64 kMinRingDegree = 128;
  static constexpr int kLanes = 8;
  static constexpr int kInFlight = 16;

  static bool supported() { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"); }

  using Vec = __m512i;
  using Real = __m512d;

  FHE_INLINE static Vec load(const u64* from) { return _mm512_loadu_si512(from); }
  FHE_INLINE static void store(u64* to, Vec x) { _mm512_storeu_si512(to, x); }
  FHE_INLINE static Vec broadcast(u64 x) { return _mm512_set1_epi64(static_cast<i64>(x)); }

  // x is computed here, not where it is used: gcc would copy a register to sink it.
  FHE_INLINE static void settle(Vec& x) { asm("" : "+v"(x)); }

  FHE_INLINE static Vec add(Vec x, Vec y) { return _mm512_add_epi64(x, y); }
  FHE_INLINE static Vec sub(Vec x, Vec y) { return _mm512_sub_epi64(x, y); }
  FHE_INLINE static Vec min(Vec x, Vec y) { return _mm512_min_epu64(x, y); }

  // Words of `width` bytes, one after another.
  struct Packed {
    const std::size_t width;
    const Vec places, mask;
    FHE_INLINE explicit Packed(std::size_t width)
        : width(width),
          places(_mm512_mullo_epi64(_mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0), broadcast(width))),
          mask(broadcast(~u64{0} >> (64 - 8 * width))) {}
    FHE_INLINE Vec load(const unsigned char* from) const {
      return _mm512_and_si512(_mm512_i64gather_epi64(places, from, 1), mask);
    }
  };

  FHE_INLINE static Real as_real(Vec x) { return _mm512_castsi512_pd(x); }
  FHE_INLINE static Vec as_word(Real x) { return _mm512_castpd_si512(x); }
  FHE_INLINE static Real broadcast_real(double x) { return _mm512_set1_pd(x); }
  FHE_INLINE static Real real_add(Real x, Real y) { return _mm512_add_pd(x, y); }
  FHE_INLINE static Real real_sub(Real x, Real y) { return _mm512_sub_pd(x, y); }
  // Embedded rounding keeps a compiler from contracting a product and a sum.
  FHE_INLINE static Real real_mul(Real x, Real y) {
    return _mm512_mul_round_pd(x, y, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
  // x y + z and z - x y, rounded once.
  FHE_INLINE static Real fma(Real x, Real y, Real z) { return _mm512_fmadd_pd(x, y, z); }
  FHE_INLINE static Real fnma(Real x, Real y, Real z) { return _mm512_fnmadd_pd(x, y, z); }

  // x y - p for p = x y, rounded; x, but no further from zero than a limit.
  FHE_INLINE static Real product_error(Real x, Real y, Real p) { return _mm512_fmsub_pd(x, y, p); }
  FHE_INLINE static Real within(Real x, double limit) {
    return _mm512_min_pd(_mm512_max_pd(x, broadcast_real(-limit)), broadcast_real(limit));
  }
  FHE_INLINE static void store_real(double* to, Real x) { _mm512_storeu_pd(to, x); }

  FHE_INLINE static Real to_real(Vec x) { return _mm512_cvtepu64_pd(x); }
  FHE_INLINE static Real to_real_exact(Vec x) { return to_real(x); }
  FHE_INLINE static Vec to_word(Real x) { return _mm512_cvtpd_epi64(x); }
  FHE_INLINE static Vec truncate(Real x) { return _mm512_cvttpd_epu64(x); }

  // Three rounds of eight shuffles: words between neighbouring rows, then 128-bit parts twice.
  FHE_INLINE static void transpose(Vec (&v)[8]) {
    Vec words[8], parts[8];
    for (int i = 0; i < 8; i += 2) {
      words[i] = _mm512_unpacklo_epi64(v[i], v[i + 1]);
      words[i + 1] = _mm512_unpackhi_epi64(v[i], v[i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
      for (int j = 0; j < 2; ++j) {
        parts[i + j] = _mm512_shuffle_i64x2(words[i + j], words[i + j + 2], 0x88);
        parts[i + j + 2] = _mm512_shuffle_i64x2(words[i + j], words[i + j + 2], 0xdd);
      }
    }
    for (int j = 0; j < 4; ++j) {
      v[j] = _mm512_shuffle_i64x2(parts[j], parts[j + 4], 0x88);
      v[j + 4] = _mm512_shuffle_i64x2(parts[j], parts[j + 4], 0xdd);
    }
  }
  FHE_INLINE static void transpose(Real (&v)[8]) {
    Vec words[8];
    for (int i = 0; i < 8; ++i) words[i] = as_word(v[i]);
    transpose(words);
    for (int i = 0; i < 8; ++i) v[i] = as_real(words[i]);
  }
};

}  // namespace fhe::simd

FHE_TARGET_REGION_END

#endif  // x86-64
